"""Running one schedule: arrange, arm, act, recover as a restarted driver would, and judge by the invariants.

The lab comes from whoever wires; which schedules there are is in sweeping.py.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeAlias

from snapproof.campaign.invariants import Violation, violations
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.driver import DriverError
from snapproof.lab import Lab, Outcome
from snapproof.vocabulary import Snapshot, SnapshotState

OpenLab: TypeAlias = Callable[[Schedule], AbstractContextManager[Lab]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How one schedule ended. `ending` is what the caller was told, in one word; `calls` what the driver called.

    `acts` are what services did inside, whoever caused it, and can fail at.
    """

    schedule: Schedule
    ending: str
    violations: tuple[Violation, ...]
    calls: tuple[str, ...]
    acts: tuple[str, ...]
    digest: str


def run(schedule: Schedule, open_lab: OpenLab) -> Case:
    """Run one schedule in a lab of its own."""
    workflow = WORKFLOWS[schedule.workflow]
    if workflow.version != schedule.version:
        raise ValueError(
            f"{schedule.workflow} is at v{workflow.version} by now; the schedule {schedule} is of another."
        )
    with open_lab(schedule) as lab:
        stage = workflow.arrange(lab)
        lab.watch_calls()
        for call, fault in schedule.faults:
            lab.arm(call, fault)
        with stage.guest.keep_writing():
            outcome = lab.attempt(stage.act)
        calls, acts = tuple(lab.calls()), tuple(lab.acts())
        found = _lies(lab, outcome)
        found += [Violation("unspent", f"{fault} never fired.") for fault in lab.unspent_faults()]
        lab.repair()
        lab.restart_driver()
        lab.settle()
        found += violations(lab)
        found += [Violation("I1", sentence) for sentence in stage.judge(lab)]
        return Case(
            schedule=schedule,
            ending=_ending(outcome),
            violations=tuple(found),
            calls=calls,
            acts=acts,
            digest=lab.journal_digest(),
        )


def _lies(lab: Lab, outcome: Outcome[object]) -> list[Violation]:
    """What a driver tells its caller must be true at that moment; an error must be one of the port's."""
    lies = []
    if isinstance(outcome.value, Snapshot) and outcome.value.state is not SnapshotState.BACKED_UP:
        lies.append(Violation("answer", f"The driver returned a snapshot in {outcome.value.state}."))
    if outcome.error is not None and not isinstance(outcome.error, DriverError):
        lies.append(Violation("answer", f"The driver raised {type(outcome.error).__name__}, no error of the port."))
    if outcome.value is not None:
        lies += [Violation("answer", line) for line in lab.unfinished_uploads()]
    return lies


def _ending(outcome: Outcome[object]) -> str:
    if outcome.crashed:
        return "crashed"
    return "succeeded" if outcome.error is None else type(outcome.error).__name__
