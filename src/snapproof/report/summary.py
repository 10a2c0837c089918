"""A run as every output shows it: the records joined with what should have run, and the verdict over both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from snapproof.register import Register, Requirement, Status, read_register
from snapproof.report.records import (
    DriverIdentity,
    Record,
    RunFinished,
    RunStarted,
    Scenario,
    ScenarioFinished,
    ScenarioStarted,
)
from snapproof.verdict import SEVERITY, ScenarioResult, State, Verdict, judge

DIED = "The process that ran the suite died in the middle of this scenario."
UNCLOSED = "The process that ran the suite ended before it could close the run."
NEVER_RAN = "It was filtered out, or the run ended before its turn."
FAILURES = frozenset({State.FAIL, State.XPASS, State.TIMEOUT, State.DRIVER_CRASH, State.HARNESS_ERROR})


class IncompleteRunError(Exception):
    """There is no head of a run to start from; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One run. `results` holds one record for every scenario of the verdict, by id, what did not run included."""

    head: RunStarted
    register: Register
    verdict: Verdict
    results: Mapping[str, ScenarioFinished]
    driver: DriverIdentity | None
    finished_s: float | None
    interrupted: bool
    running: bool = False

    @property
    def failures(self) -> tuple[ScenarioFinished, ...]:
        """What failed, in the order in which it did."""
        return tuple(result for result in self.results.values() if result.state in FAILURES)

    @property
    def excluded(self) -> tuple[Requirement, ...]:
        """What no driver can be asked about; the reason stands in the register."""
        return tuple(row for row in self.register.requirements if row.status is Status.EXCLUDED)

    @property
    def slowest(self) -> tuple[ScenarioFinished, ...]:
        """The five scenarios that took longest."""
        ran = [result for result in self.results.values() if result.seconds > 0]
        return tuple(sorted(ran, key=lambda result: -result.seconds)[:5])


def summarise(records: Iterable[Record], *, running: bool = False) -> Summary:
    """Join and judge the records of a run, or of as much as there is while it is `running`.

    Raises IncompleteRunError and RegisterError.
    """
    written = tuple(records)
    head = next((record for record in written if isinstance(record, RunStarted)), None)
    if head is None:
        raise IncompleteRunError("The run left no head record: it ended before pytest had begun.")
    end = next((record for record in written if isinstance(record, RunFinished)), None)
    finished = [record for record in written if isinstance(record, ScenarioFinished)]
    if end is None and not running:
        finished += _cut_short(written, {record.node for record in finished}, head)
    register = read_register(Path(head.register_path))
    expected = {scenario.id: scenario.requirements for scenario in head.expected}
    verdict = judge(register, expected, [_result(record) for record in finished])
    return Summary(
        head=head,
        register=register,
        verdict=verdict,
        results=_by_id(finished, head.expected),
        driver=next((record.driver for record in finished if record.driver), None),
        finished_s=end.finished_s if end else None,
        interrupted=not running and (end is None or end.interrupted),
        running=running,
    )


def _result(record: ScenarioFinished) -> ScenarioResult:
    return ScenarioResult(id=record.scenario.id, requirements=record.scenario.requirements, state=record.state)


def _by_id(finished: Iterable[ScenarioFinished], expected: Iterable[Scenario]) -> Mapping[str, ScenarioFinished]:
    """Keep the worst record of each scenario, as the verdict does, and stand in for those that have none."""
    results: dict[str, ScenarioFinished] = {}
    for record in finished:
        known = results.get(record.scenario.id)
        if known is None or SEVERITY[record.state] > SEVERITY[known.state]:
            results[record.scenario.id] = record
    for scenario in expected:
        if scenario.id not in results:
            results[scenario.id] = ScenarioFinished(
                node=scenario.id, scenario=scenario, state=State.NOT_RUN, reason=NEVER_RAN
            )
    return results


def _cut_short(written: Iterable[Record], finished: set[str], head: RunStarted) -> list[ScenarioFinished]:
    """The scenarios in whose middle the process died: a driver in process that kills it is to blame."""
    begun = dict.fromkeys(record.node for record in written if isinstance(record, ScenarioStarted))
    died = [crashed(node, head.expected, DIED) for node in begun if node not in finished]
    return died or [_unclosed()]


def _unclosed() -> ScenarioFinished:
    """Between two scenarios nobody is to blame, but a run without an end is not a whole one."""
    scenario = Scenario(id="the end of the run", uri="", feature="", name="the end of the run", line=0)
    return ScenarioFinished(node=scenario.id, scenario=scenario, state=State.NOT_RUN, reason=UNCLOSED)


def crashed(node: str, expected: Iterable[Scenario], reason: str) -> ScenarioFinished:
    """The record of a scenario whose process died, found among the canonical ones by the end of its node id."""
    known = next((scenario for scenario in expected if scenario.id.endswith(node) or node.endswith(scenario.id)), None)
    scenario = known or Scenario(id=node, uri=node.partition("::")[0], feature="", name=node, line=0)
    return ScenarioFinished(node=node, scenario=scenario, state=State.DRIVER_CRASH, reason=reason)
