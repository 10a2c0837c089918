"""Running one schedule: arrange, arm, act, recover under faults, then without them, and judge by the invariants.

The lab comes from whoever wires; which schedules there are is in strategies.py.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from snapproof.campaign.applicability import LEFT_FOR_LATER, UNTOLD
from snapproof.campaign.invariants import Violation, judged, violations
from snapproof.campaign.schedule import Schedule, ScheduleError
from snapproof.campaign.stages import Stage
from snapproof.campaign.together import EVERY_WORKFLOW
from snapproof.campaign.turning import arm, is_turn
from snapproof.driver import (
    BackendError,
    DoorError,
    DriverError,
    FaultyDriverError,
    NotSupportedError,
    UnavailableError,
)
from snapproof.lab import Crossing, Lab, NotTestableError, Outcome
from snapproof.vocabulary import Capability, Snapshot, SnapshotState

OpenLab: TypeAlias = Callable[[Schedule], AbstractContextManager[Lab]]
RunCase: TypeAlias = Callable[[Schedule], "Case"]

PAUSE_S = 60.0
"""How long it takes until a driver is started again that died as it began; what hosts tidy up by then is tidy."""

SWEEP_AFTER_S = 3_700
"""When a recovered driver is given its due work: late enough for a sweep, too early for a policy's next slot."""

GRACE_S = 90_000.0
"""How long a driver may leave alone what nobody needs, lest somebody does: a day and an hour."""


class NotCleanError(Exception):
    """A workflow fails without any fault, so that nothing can be tried on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How one schedule ended. `ending` is what the caller was told, in one word; `calls` what the driver called.

    `acts` are what services did inside, whoever caused it, and can fail at. `crossings` are both, in one order, those
    of the recovery too. Of several callers each was told a word, and `chances` are where one could be held up.
    Where `untried` says why the lab cannot do this to the driver, nothing was run, and nothing follows.
    """

    schedule: Schedule
    ending: str
    violations: tuple[Violation, ...]
    calls: tuple[str, ...]
    acts: tuple[str, ...]
    crossings: tuple[Crossing, ...]
    digest: str
    chances: tuple[Crossing, ...] = ()
    untried: str = ""

    def after_last_fault(self) -> Sequence[Crossing]:
        """Where one more fault could strike: what was crossed after the last of the schedule's own."""
        return self._behind_the_last(self.crossings)

    def chances_ahead(self) -> Sequence[Crossing]:
        """Where one more caller could be held up; nowhere if it never came to the last of the schedule's own."""
        return self._behind_the_last(self.chances)

    def _behind_the_last(self, crossed: tuple[Crossing, ...]) -> Sequence[Crossing]:
        if not self.schedule.faults:
            return crossed
        last, _ = self.schedule.faults[-1]
        labels = [crossing.label for crossing in crossed]
        return crossed[labels.index(last) + 1 :] if last in labels else ()


def run(schedule: Schedule, open_lab: OpenLab, *, states: bool = False) -> Case:
    """Run one schedule in a lab of its own. Raises as `arrange` does, and as the lab does where no driver comes up."""
    with open_lab(schedule) as lab:
        stage = arrange(schedule, lab)
        try:
            return play(schedule, lab, stage, states=states)
        except FaultyDriverError as error:
            return _broken_off(schedule, lab, error)


def not_tried(schedule: Schedule, reason: str) -> Case:
    """Give the case of a schedule that this lab cannot play."""
    return Case(schedule=schedule, ending="", violations=(), calls=(), acts=(), crossings=(), digest="", untried=reason)


def arrange(schedule: Schedule, lab: Lab) -> Stage:
    """Arrange the lab for a workflow. Raises ScheduleError for one of another version or name.

    Raises NotSupportedError if the driver does not declare what the workflow needs, and NotCleanError if it fails here:
    who declares something and then does not do it has failed.
    """
    workflow = EVERY_WORKFLOW.get(schedule.workflow)
    if workflow is None:
        raise ScheduleError(f"No workflow is called {schedule.workflow!r}; there are {', '.join(EVERY_WORKFLOW)}.")
    if workflow.version != schedule.version:
        raise ScheduleError(
            f"{schedule.workflow} is at v{workflow.version} by now, and its calls are others; {schedule} cannot be "
            "played any more. Search anew with `snapproof campaign`."
        )
    try:
        lacking = workflow.needs - lab.driver.describe().capabilities
        if not lacking:
            return workflow.arrange(lab)
    except (AssertionError, DriverError) as error:
        raise NotCleanError(f"{schedule.workflow} cannot be arranged: {error}") from error
    except (DoorError, NotTestableError):
        raise
    except Exception as error:
        raise NotCleanError(f"{schedule.workflow} cannot be arranged: {type(error).__name__}: {error}") from error
    raise NotSupportedError(f"The driver does not declare {', '.join(sorted(lacking))}.")


def play(schedule: Schedule, lab: Lab, stage: Stage, *, states: bool = False) -> Case:
    """Let an arranged lab meet the faults, in the act or in the recovery; then end all faults, and judge.

    Raises ScheduleError for a fault that its call cannot meet, and FaultyDriverError where the driver dies by itself.
    """
    lab.watch_calls()
    lab.note_crossings(states=states)
    for call, fault in schedule.faults:
        try:
            arm(lab, call, fault)
        except ValueError as error:
            raise ScheduleError(f"{call}={fault} cannot be: {error}") from error
    with nullcontext() if schedule.still else stage.guest.keep_writing():
        outcomes = lab.at_once([stage.act, *stage.others]) if stage.others else [lab.attempt(stage.act)]
    calls, acts = tuple(lab.calls()), tuple(lab.acts())
    found = [lie for outcome in outcomes for lie in _lies(outcome)]
    if all(is_turn(kind) for _, kind in schedule.faults):
        found += [line for outcome in outcomes for line in _needless(outcome)]
    if not LEFT_FOR_LATER & {kind for _, kind in schedule.faults}:
        found += [line for outcome in outcomes for line in _unfinished(lab, outcome)]
    _recover(lab, lives_max=len(schedule.faults) + 1)
    crossings = tuple(lab.crossings())
    if not schedule.if_met:
        found += [Violation("unspent", f"{fault} never fired.") for fault in lab.unspent_faults()]
    lab.repair()
    found += judged("The recovery", partial(_unrecovered, lab))
    found += judged("What the workflow promises", partial(_broken_promises, lab, stage))
    if any(kind in UNTOLD for _, kind in schedule.faults):
        found += judged("The sweep", partial(_unswept, lab))
    found += violations(lab)
    return Case(
        schedule=schedule,
        ending=", ".join(map(_ending, outcomes)),
        violations=tuple(found),
        calls=calls,
        acts=acts,
        crossings=crossings,
        digest=lab.journal_digest(),
        chances=tuple(lab.chances()),
    )


def _broken_off(schedule: Schedule, lab: Lab, error: FaultyDriverError) -> Case:
    """A case in which the driver died by itself, fell silent or spoke nonsense. Nothing follows from it."""
    return Case(
        schedule=schedule,
        ending=type(error).__name__,
        violations=(Violation("driver", str(error)),),
        calls=(),
        acts=(),
        crossings=(),
        digest=lab.journal_digest(),
    )


def _recover(lab: Lab, *, lives_max: int) -> None:
    """Let lives begin until one survives its beginning and its due work; whatever else fails, the last one mends.

    The first begins at once, where hosts still have in hand what the dead one asked of them; the others after a pause.
    """
    for _ in range(lives_max):
        if lab.revive().crashed:
            lab.advance(PAUSE_S)
            continue
        lab.advance(SWEEP_AFTER_S)
        if not lab.attempt(lambda driver: driver.run_due_work()).crashed:
            return


def _unrecovered(lab: Lab) -> list[Violation]:
    """Without faults a life begins, reconciles and ends what is under way, whatever went before."""
    try:
        lab.restart_driver()
        lab.settle()
    except (AssertionError, DriverError) as error:
        return [Violation("recovery", f"Without any fault the driver does not recover: {error}")]
    return []


def _broken_promises(lab: Lab, stage: Stage) -> list[Violation]:
    """What the workflow promises by itself; a driver that refuses it now has broken it."""
    try:
        return [Violation("I1", sentence) for sentence in stage.judge(lab)]
    except (AssertionError, DriverError) as error:
        return [Violation("I1", f"What the workflow promises is not to be had: {error}")]


def _unswept(lab: Lab) -> list[Violation]:
    """What nobody could hear of may lie there until a sweep, which spares what is young, if the driver has one."""
    lab.advance(GRACE_S)
    error = lab.attempt(lambda driver: driver.run_due_work()).error
    declared = Capability.RECONCILE in lab.driver.describe().capabilities
    if error is None or (isinstance(error, NotSupportedError) and not declared):
        return []
    return [Violation("recovery", f"A day later the driver fails: {error}")]


def _lies(outcome: Outcome[object]) -> list[Violation]:
    """What a driver tells its caller must be true at that moment; an error must be one of the port's."""
    lies = []
    if isinstance(outcome.value, Snapshot) and outcome.value.state is not SnapshotState.BACKED_UP:
        lies.append(Violation("answer", f"The driver returned a snapshot in {outcome.value.state}."))
    if outcome.error is not None and not isinstance(outcome.error, DriverError):
        lies.append(Violation("answer", f"The driver raised {type(outcome.error).__name__}, no error of the port."))
    return lies


def _needless(outcome: Outcome[object]) -> list[Violation]:
    """Where nothing fails nobody is told so: callers who meet are served, or refused while the others are at it."""
    error = outcome.error
    if not isinstance(error, (BackendError, UnavailableError)):
        return []
    return [Violation("answer", f"The driver failed where nothing did: {type(error).__name__}: {error}")]


def _unfinished(lab: Lab, outcome: Outcome[object]) -> list[Violation]:
    """Where a driver says that something is done, nothing of it may lie there unfinished."""
    lines = lab.unfinished_uploads() if outcome.value is not None else ()
    return [Violation("answer", line) for line in lines]


def _ending(outcome: Outcome[object]) -> str:
    if outcome.crashed:
        return "crashed"
    return "succeeded" if outcome.error is None else type(outcome.error).__name__
