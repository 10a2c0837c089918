"""Coverage: results of campaigns laid out by workflow, call and kind of fault, every cell with its state and reason."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from snapproof.campaign.applicability import WORDS, why_not
from snapproof.campaign.results import Told
from snapproof.campaign.schedule import read_schedule, replay_line
from snapproof.campaign.turning import HOLDING_UP
from snapproof.naming import short_name
from snapproof.report.coverage_page import Cell, Covered, Table

NEVER_CALLED = "This workflow never calls it."
NEVER_TRIED = "None of these results tried it."


@dataclass(slots=True)
class _Workflow:
    """What is known of one workflow of a driver on one store."""

    reached: set[str] = field(default_factory=set)
    cases: Counter[tuple[str, str]] = field(default_factory=Counter)
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    breaks: list[tuple[str, str]] = field(default_factory=list)


def columns_of(results: Iterable[Told]) -> tuple[str, ...]:
    """Name the columns: all kinds of fault, and what holds somebody up if any of these cases tried it."""
    tried = {kind.partition(":")[0] for told in results for _, kind in read_schedule(told.case).faults}
    return (*WORDS, *(word for word in HOLDING_UP if word in tried))


def tables_of(results: Collection[Told]) -> Sequence[Table]:
    """Lay results out. A case of several faults counts for each of them, unless it is not told which struck."""
    found: dict[str, _Workflow] = defaultdict(_Workflow)
    for told in results:
        schedule = read_schedule(told.case)
        workflow = found[f"{schedule.workflow} on {schedule.store} by {short_name(told.driver)}"]
        workflow.reached |= set(told.reached)
        for call, kind in () if schedule.if_met else schedule.faults:
            cell = call.partition("#")[0], kind.partition(":")[0]
            workflow.reached.add(cell[0])
            workflow.cases[cell] += 1
            workflow.broken[cell] += bool(told.broken)
        if told.broken:
            workflow.breaks.append((replay_line(told.case, told.driver), told.broken[0]))
    columns = columns_of(results)
    calls = sorted({call for workflow in found.values() for call in workflow.reached})
    return [
        Table(
            title=title,
            rows=[(call, [_cell(found[title], call, word) for word in columns]) for call in calls],
            broken=found[title].breaks,
        )
        for title in sorted(found)
    ]


def _cell(workflow: _Workflow, call: str, word: str) -> Cell:
    cases, broken = workflow.cases[call, word], workflow.broken[call, word]
    if cases:
        return Cell(state=Covered.VIOLATION if broken else Covered.OK, cases=cases, broken=broken)
    if why := why_not(call, word):
        return Cell(state=Covered.NOT_APPLICABLE, why=why)
    return Cell(state=Covered.NOT_REACHED, why=NEVER_TRIED if call in workflow.reached else NEVER_CALLED)
