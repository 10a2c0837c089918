"""One workflow on one store meets one strategy: cases are run or resumed, shown, written down, and summed up.

Which cases there are is in snapproof/campaign/, who runs them in workers.py.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Self

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from snapproof.campaign.applicability import EVERY_CALL, why_not
from snapproof.campaign.exploring import WHOLE, Outlook, RunAll, Shard, WorkerDiedError, explore, require_clean
from snapproof.campaign.interleaving import EVERY_STRATEGY
from snapproof.campaign.invariants import Violation
from snapproof.campaign.regressions import keep
from snapproof.campaign.results import Told, append, resuming, told, unclean
from snapproof.campaign.running import Case, NotCleanError
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule, replay_line
from snapproof.campaign.shrinking import shrink
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import bare
from snapproof.commands.workers import Where, Worker, is_outside, opener_of, workers
from snapproof.driver import NotSupportedError
from snapproof.lab import NotTestableError
from snapproof.naming import full_name
from snapproof.report.matrix import Matrix

TWO_JOURNALS = "the same seed gave two journals"
BROKEN_SHOWN_MAX = 20
"""How many broken cases of a strategy are shown, each with the line that replays it."""
SHRUNK_MAX = 3
"""How many broken schedules of a strategy are made smaller: the first of each set of invariants that broke."""
TOLD_EVERY_S = 300
"""How often a log without a terminal is told how far it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is the same for every workflow of a campaign. `known` is what a results file tells of, by schedule."""

    where: Where
    seed: int = 0
    others: int = 1
    shard: Shard
    limit: int | None = None
    results: Path | None = None
    known: Mapping[str, Told]
    regressions: Path


@dataclass(slots=True, kw_only=True)
class Explored:
    """What became of one exploration. A `storeless` one is the same on each store, for no case of it called one.

    `applicable` is how many single cells there are: calls and acts, times the kinds of fault that each can meet.
    A workflow that fails without any fault is `unclean`; `untried` is why the driver or the lab cannot do it.
    `left_out` counts the cases that the lab cannot play, by reason; `digest` is of the journal without any fault.
    """

    workflow: str
    store: str
    strategy: str
    matrix: Matrix = field(init=False)
    applicable: int = 0
    faults: Counter[int] = field(default_factory=Counter)
    resumed: int = 0
    took_s: float = 0.0
    storeless: bool
    two_journals: bool = False
    unclean: bool = False
    untried: str = ""
    left_out: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    interrupted: bool = False
    first: dict[frozenset[str], Case] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin an empty matrix."""
        self.matrix = Matrix(self.title, why_not)

    @property
    def title(self) -> str:
        """As it is shown."""
        return f"{self.workflow} on {self.store}, {self.strategy}"

    @property
    def broken(self) -> int:
        """How many findings there are."""
        return self.matrix.broken + self.two_journals + self.unclean


class Exploring:
    """Explores, one workflow after another."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._driver = full_name(plan.where.driver)

    def explore(self, workflow: str, store: str, strategy: str) -> Explored:
        """Let one workflow on one store meet one strategy, and print its matrix; what broke is told however it ends."""
        seen = not is_outside(self._driver) and not EVERY_STRATEGY[strategy].by_lot
        explored = Explored(workflow=workflow, store=store, strategy=strategy, storeless=seen)
        began_s = time.monotonic()
        try:
            with workers(self._plan.where, states=EVERY_STRATEGY[strategy].states) as run_all:
                self._all(explored, run_all)
        except (KeyboardInterrupt, WorkerDiedError) as ended:
            explored.interrupted = True
            told_so_far = f"Interrupted after {explored.matrix.cells} cases: {ended}"
            self._console.print(told_so_far, markup=False, soft_wrap=True)
        except (NotSupportedError, NotTestableError) as error:
            explored.untried = str(error)
            self._console.print(f"{explored.title}: not tried. {error}\n", markup=False, soft_wrap=True)
        except NotCleanError as error:
            explored.unclean = True
            self._console.print(f"[red]broken[/] {escape(str(error))}\n", soft_wrap=True)
            self._append(unclean(self._begun(explored), str(error), driver=self._driver))
        finally:
            if explored.digest and not explored.untried:
                self._sum_up(explored)
                self._keep_smallest(explored)
                self._console.print()
            explored.took_s = time.monotonic() - began_s
        return explored

    def _all(self, explored: Explored, run_all: RunAll) -> None:
        """Run all cases, of which those count to the limit that the lab can play."""
        strategy, plan = EVERY_STRATEGY[explored.strategy], self._plan
        begun = self._begun(explored)
        again = run_schedule(begun, opener_of(self._driver), states=strategy.states)
        (clean,) = run_all([begun])
        require_clean(clean)
        explored.digest, explored.two_journals = clean.digest, clean.digest != again.digest
        other = (Violation("journal", f"{TWO_JOURNALS}."),) if explored.two_journals else ()
        self._write_down(explored, replace(clean, violations=other), leads_on=False)
        explored.applicable = sum(1 for _ in up_to(1)(clean))
        outlook = Outlook()
        known = resuming(run_all, plan.known, strategy.leads_on)
        found = explore(clean, strategy.fresh(plan.others), known, plan.shard, outlook)
        cases = islice(_tried(found, explored.left_out), plan.limit)
        with _Watch(self._console, explored.title, outlook) as watch:
            for case in cases:
                self._take(explored, case, watch.console, leads_on=strategy.leads_on(case.schedule))
                watch.beat(explored.matrix.broken)
        if not explored.matrix.cells and plan.shard == WHOLE and plan.limit != 0:
            raise NotTestableError(" ".join(explored.left_out) or "Nothing that this lab sees of it can fail.")

    def _begun(self, explored: Explored) -> Schedule:
        """Give the schedule without any fault."""
        still = EVERY_STRATEGY[explored.strategy].states
        return bare(explored.workflow, explored.store, seed=self._plan.seed, still=still)

    def _take(self, explored: Explored, case: Case, console: Console, *, leads_on: bool) -> None:
        """Count, show and write down a case."""
        call, kind = case.schedule.faults[-1]
        where = EVERY_CALL if case.schedule.if_met else call
        explored.matrix.add(where, kind.partition(":")[0], held=not case.violations)
        if not case.schedule.if_met:
            explored.faults[len(case.schedule.faults)] += 1
        self._write_down(explored, case, leads_on=leads_on)
        if case.violations:
            explored.first.setdefault(frozenset(violation.invariant for violation in case.violations), case)
        if case.violations and explored.matrix.broken <= BROKEN_SHOWN_MAX:
            console.print(f"[red]broken[/] {escape(str(case.violations[0]))}", soft_wrap=True)
            line = replay_line(str(case.schedule), self._driver)
            console.print(f"       {line}", markup=False, soft_wrap=True)

    def _write_down(self, explored: Explored, case: Case, *, leads_on: bool) -> None:
        """Add what a results file does not tell yet."""
        known = self._plan.known.get(str(case.schedule))
        was_told = known is not None and not case.digest  # only a case that was run has a journal
        found = known if known and was_told else told(case, driver=self._driver, leads_on=leads_on)
        explored.resumed += was_told
        explored.storeless &= found.storeless
        self._append(found)

    def _append(self, found: Told) -> None:
        if self._plan.results and found != self._plan.known.get(found.case):
            append(self._plan.results, [found])

    def _keep_smallest(self, explored: Explored) -> None:
        """Tell the smallest schedules that break the same, and keep them. They are run here: the workers are gone."""
        place, run_case = self._plan.regressions, Worker(self._plan.where.driver, states=False)
        try:
            for case in islice(explored.first.values(), SHRUNK_MAX):
                smallest = shrink(case, run_case)
                if keep(self._driver, smallest.schedule, map(str, smallest.violations[:1]), place):
                    where = f"smallest: {smallest.schedule}, kept in {place}"
                    self._console.print(where, markup=False, soft_wrap=True)
        except KeyboardInterrupt:
            explored.interrupted = True

    def _sum_up(self, explored: Explored) -> None:
        matrix = explored.matrix
        if (unshown := matrix.broken - BROKEN_SHOWN_MAX) > 0:
            self._console.print(f"broken: {unshown} more cases, not shown; --results FILE keeps them all.")
        self._console.print(*matrix.drawing(self._console))
        for reason in matrix.reasons():
            self._console.print(f"n/a {reason}", markup=False, soft_wrap=True)
        for reason, cases in explored.left_out.items():
            self._console.print(f"not tried, {cases} times: {reason}", markup=False, soft_wrap=True)
        same = f"the same seed twice gave the same journal ({explored.digest[:12]})"
        if explored.two_journals:
            same = f"[red]{TWO_JOURNALS}[/]"
        parts = [f"{count} of {many} faults" for many, count in sorted(explored.faults.items()) if many > 1]
        parts += [f"{explored.resumed} told before"] if explored.resumed else []
        several = f" ({', '.join(parts)})" if parts else ""
        counted = f"{matrix.cells} cases{several}, {matrix.broken} broken"
        self._console.print(f"{counted}; {same}.", soft_wrap=True)


def _tried(cases: Iterable[Case], left_out: Counter[str]) -> Iterator[Case]:
    """Pass on what the lab can play, and count the rest by its reason."""
    for case in cases:
        if case.untried:
            left_out[case.untried] += 1
        else:
            yield case


class _Watch:
    """Says how far an exploration is and how long it will take: a bar on a terminal, now and then a line in a log."""

    def __init__(self, console: Console, title: str, outlook: Outlook) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bar = Progress(
            *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True,
            disable=not console.is_terminal,
        )  # fmt: skip
        self._title = title
        self._outlook = outlook
        self._task = self._bar.add_task(title, total=None)
        self._began_s = self._told_s = time.monotonic()
        self.console = self._bar.console

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        self._bar.stop()

    def beat(self, broken: int) -> None:
        """One more case is done."""
        done, expected = self._outlook.done, self._outlook.expected
        self._bar.update(self._task, completed=done, total=expected)
        now_s = time.monotonic()
        if self._bar.disable and now_s - self._told_s > TOLD_EVERY_S:
            self._told_s = now_s
            left_s = (now_s - self._began_s) / done * (expected - done)
            told_so_far = f"{self._title}: {done:,} of some {expected:,} cases, {broken} broken"
            self.console.print(f"{told_so_far}, {_duration(left_s)} to go", markup=False, highlight=False)


def summary(found: Sequence[Explored]) -> Table:
    """One line for each exploration; of singles also how many of the cells that can be were run."""
    table = Table(title="What was tried", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("workflow", "store", "strategy"):
        table.add_column(name, overflow="fold")
    for name in ("cases", "broken", "of all\nsingles", "took"):
        table.add_column(name, justify="right")
    for each in found:
        share = f"{each.matrix.cells / each.applicable:.0%}" if each.strategy == "singles" and each.applicable else ""
        broken = f"[red]{each.broken}[/]" if each.broken else "0"
        cells = f"{each.matrix.cells:,}"
        took = "not tried" if each.untried else _duration(each.took_s)
        table.add_row(each.workflow, each.store, each.strategy, cells, broken, share, took)
    return table


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
