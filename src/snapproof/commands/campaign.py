"""`snapproof campaign`: every call of a workflow meets every kind of fault, and further ones as a strategy has it.

What a case is, how it is run and judged, and what follows from it is in snapproof/campaign/; this shows it.
"""

import argparse
import multiprocessing
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice, product
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from snapproof.campaign.applicability import why_not
from snapproof.campaign.exploring import WHOLE, RunAll, Shard, explore, require_clean
from snapproof.campaign.regressions import USUAL, keep, kept_for
from snapproof.campaign.results import append, told
from snapproof.campaign.running import Case
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.shrinking import shrink
from snapproof.campaign.strategies import NIGHTLY, STRATEGIES, Strategy
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.commands.cluster import NoClusterError, on_cluster
from snapproof.fixtures.campaign_lab import lab_opener, place_for_labs
from snapproof.fixtures.forked_cases import ForkedCases
from snapproof.fixtures.site import STORES
from snapproof.report.matrix import Matrix
from snapproof.selection import full_name, load_driver

BROKEN_SHOWN_MAX = 20
SHRUNK_MAX = 3
"""How many broken schedules of a strategy are made smaller: the first of each set of invariants that broke."""
OURS = "snapproof.reference_impl."
"""Drivers that hold neither sockets nor threads: their cases are forked from one arrangement."""
EXAMPLES = """\
examples:
  snapproof campaign                                   all workflows on both stores: each call, each kind of fault
  snapproof campaign --workflow delete-secondary       one of them
  snapproof campaign --strategy pairs --shard 0/50     two faults, the second wherever the first has led; a share of it
  snapproof campaign --strategy closure --others 1     any number of deaths at any points, and one other fault
  snapproof campaign --nightly --shard 0/8             pairs, triples, the closure with two others and a swarm
  snapproof campaign --driver acme.driver:Driver       your driver, in process
  snapproof campaign --jobs 4                          on four processes of this machine
  snapproof campaign --cluster tcp://10.0.0.7:8786     on dask's workers; --cluster 2 starts two here

strategies, each for every call that really happened, those of recovery and sweep included:
  singles   every call meets every kind of fault that it can
  pairs     and then a second one, at every call after the first
  triples   and a third; followed up only where the second left a state and calls that no other did
  closure   the graph of durable states: deaths until nothing new comes, and so many other faults (--others)
  swarm     200 first faults drawn by lot, and up to five more behind each

A cell of the matrix is how many cases held, n/a where none can be (the reason is below), a dot where none was run.
What breaks is made as small as it can be and kept in a file (--regressions), which is replayed first the next time.
Each case that breaks prints one line; paste it to see what happened:
  snapproof replay 'take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost_after'

exit codes: 0 all cases held, 1 some did not, 2 interrupted, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "campaign",
        help="search for faults that break a driver",
        description="Let every external call of a workflow meet every kind of fault, and judge what is left.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--driver", default="reference", metavar="NAME", help="'reference' or MODULE:FACTORY")
    parser.add_argument("--workflow", default=",".join(WORKFLOWS), metavar="A,B", help=f"of {', '.join(WORKFLOWS)}")
    parser.add_argument("--store", default=",".join(STORES), metavar="A,B", help=f"of {', '.join(STORES)}")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of contents and credentials (default 0)")
    parser.add_argument("--strategy", default="singles", metavar="A,B", help=f"of {', '.join(STRATEGIES)}")
    parser.add_argument("--others", type=int, default=1, metavar="N", help="faults beside deaths in a closure (1)")
    parser.add_argument("--nightly", action="store_true", help=f"the deep ones: {', '.join(NIGHTLY)}, two others")
    parser.add_argument("--limit", type=int, metavar="N", help="end each strategy of a workflow after so many cases")
    parser.add_argument("--shard", type=_shard, default=WHOLE, metavar="I/N", help="this share of the first faults")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes to run on (default 1)")
    parser.add_argument("--results", type=Path, metavar="FILE", help="add a line for each case: `snapproof coverage`")
    parser.add_argument("--regressions", type=Path, default=USUAL, metavar="FILE", help=f"kept schedules ({USUAL})")
    parser.add_argument("--cluster", metavar="N|ADDRESS", help="dask workers of this machine, or a scheduler's address")
    parser.add_argument("--fresh", action="store_true", help="a world from scratch for each case, never a forked one")


def run(arguments: argparse.Namespace) -> int:
    """Explore and print the matrices; the first lines of what broke come while it goes on."""
    console = Console()
    names = NIGHTLY if arguments.nightly else tuple(arguments.strategy.split(","))
    chosen = list(product(arguments.workflow.split(","), arguments.store.split(","), names))
    unknown = [word for each in chosen for word in each if word not in {*WORKFLOWS, *STORES, *STRATEGIES}]
    if unknown or arguments.jobs < 1:
        known = (
            f"Workflows are {', '.join(WORKFLOWS)}; stores are {', '.join(STORES)}; "
            f"strategies are {', '.join(STRATEGIES)}; jobs are 1 or more."
        )
        Console(stderr=True).print(f"{', '.join(unknown) or '--jobs'} cannot be taken. {known}", markup=False)
        return 4
    try:
        broken = _replay_kept(arguments, {(workflow, store) for workflow, store, _ in chosen}, console)
    except ValueError as error:
        Console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        return 4
    for workflow, store, name in chosen:
        try:
            found = _explore(arguments, workflow, store, name, console)
        except NoClusterError as error:
            Console(stderr=True).print(str(error), markup=False, soft_wrap=True)
            return 4
        if found is None:
            return 2
        broken += found
    console.print("[red]Some cases did not hold.[/]" if broken else "[green]Every case held.[/]")
    return 1 if broken else 0


def _explore(arguments: argparse.Namespace, workflow: str, store: str, name: str, console: Console) -> int | None:
    """Let one workflow on one store meet one strategy; how many cases broke, None if the user has had enough."""
    strategy = STRATEGIES[name]
    title = f"{workflow} on {store}, {name}"
    matrix, faults, first = Matrix(title, why_not), Counter[int](), dict[frozenset[str], Case]()
    bare = Schedule(workflow=workflow, store=store, seed=arguments.seed, still=strategy.states)
    try:
        with _progress(console) as progress, _runner(arguments, strategy) as run_all:
            again = run_schedule(bare, lab_opener(load_driver(full_name(arguments.driver))), states=strategy.states)
            (clean,) = run_all([bare])
            extend = strategy.fresh(2 if arguments.nightly else arguments.others)
            cases = islice(explore(require_clean(clean), extend, run_all, arguments.shard), arguments.limit)
            _write_down(arguments, clean)
            for case in progress.track(cases, total=None, description=title):
                _show(case, matrix, progress.console, arguments.driver)
                _write_down(arguments, case)
                faults[len(case.schedule.faults)] += 1
                if case.violations:
                    first.setdefault(frozenset(violation.invariant for violation in case.violations), case)
            for case in islice(first.values(), SHRUNK_MAX):
                _keep_smallest(shrink(case, lambda schedule: next(run_all([schedule]))), arguments, console)
    except KeyboardInterrupt:
        console.print(f"Interrupted after {matrix.cells} cases:", markup=False)
        console.print(matrix.table())
        return None
    console.print(matrix.table())
    for reason in matrix.reasons():
        console.print(f"n/a {reason}", markup=False, soft_wrap=True)
    same = clean.digest == again.digest
    verdict = "the same seed twice gave the same journal" if same else "[red]the same seed gave two journals[/]"
    several = ", ".join(f"{count} of {many} faults" for many, count in sorted(faults.items()) if many > 1)
    counted = f"{matrix.cells} cases{' (' + several + ')' if several else ''}, {matrix.broken} broken"
    console.print(f"{counted}; {verdict} ({clean.digest[:12]}).\n", soft_wrap=True)
    return matrix.broken + (not same)


def _write_down(arguments: argparse.Namespace, case: Case) -> None:
    if arguments.results:
        append(arguments.results, [told(case)])


def _replay_kept(arguments: argparse.Namespace, chosen: set[tuple[str, str]], console: Console) -> int:
    """Replay what broke this driver before, as far as it was chosen; how many of them still do. Raises ValueError."""
    kept = kept_for(full_name(arguments.driver), arguments.regressions)
    open_lab = lab_opener(load_driver(full_name(arguments.driver))) if kept else None
    broken = 0
    for schedule in kept:
        if open_lab and (schedule.workflow, schedule.store) in chosen:
            case = run_schedule(schedule, open_lab)
            broken += bool(case.violations)
            found = f"[red]still broken[/] {case.violations[0]}" if case.violations else "[green]held[/]"
            console.print(f"regression {found}: {schedule}", soft_wrap=True)
    return broken


def _keep_smallest(case: Case, arguments: argparse.Namespace, console: Console) -> None:
    """Tell the smallest schedule that breaks the same, and keep it."""
    keep(full_name(arguments.driver), case.schedule, map(str, case.violations[:1]), arguments.regressions)
    console.print(f"smallest: {case.schedule}, kept in {arguments.regressions}", markup=False, soft_wrap=True)


def _show(case: Case, matrix: Matrix, console: Console, driver: str) -> None:
    call, kind = case.schedule.faults[-1]
    matrix.add(call, kind.partition(":")[0], held=not case.violations)
    if case.violations and matrix.broken <= BROKEN_SHOWN_MAX:
        choice = "" if driver == "reference" else f"--driver {driver} "
        console.print(f"[red]broken[/] {case.violations[0]}", soft_wrap=True)
        console.print(f"       snapproof replay {choice}'{case.schedule}'", markup=False, soft_wrap=True)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


@contextmanager
def _runner(arguments: argparse.Namespace, strategy: Strategy) -> Iterator[RunAll]:
    """Run schedules here, or on several processes that know how to begin from the driver's name alone."""
    with place_for_labs() as place:
        alone = arguments.fresh or bool(arguments.cluster)  # dask's workers have threads, and threads are not forked
        worker = Worker(arguments.driver, place, states=strategy.states, fresh=alone)
        if arguments.cluster:
            with on_cluster(arguments.cluster, worker) as run_all:
                yield run_all
            return
        if arguments.jobs == 1:
            with closing(worker):
                yield lambda schedules: map(worker, schedules)
            return
        with multiprocessing.get_context("spawn").Pool(arguments.jobs, initializer=_ignore_interrupts) as pool:
            yield lambda schedules: pool.imap(worker, schedules, chunksize=4)


class Worker:
    """Runs schedules for a driver; can be sent to another process. What is arranged there goes with `place`."""

    def __init__(self, driver: str, place: Path, *, states: bool, fresh: bool) -> None:
        self._driver = full_name(driver)
        self._place = place
        self._states = states
        self._forked = not fresh and self._driver.startswith(OURS)

    def __call__(self, schedule: Schedule) -> Case:
        """Run it."""
        if self._forked:
            return _forked_cases(self._driver, self._place)(schedule, states=self._states)
        return run_schedule(schedule, lab_opener(load_driver(self._driver)), states=self._states)

    def close(self) -> None:
        """Take down what was arranged in this process."""
        if self._forked:
            _forked_cases(self._driver, self._place).close()


@cache
def _forked_cases(driver: str, place: Path) -> ForkedCases:
    """The arrangement of this process, which every worker that is sent to it finds again."""
    return ForkedCases(load_driver(driver), place)


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that the user sees; it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _shard(text: str) -> Shard:
    try:
        index, _, count = text.partition("/")
        return Shard(int(index), int(count))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no shard; write 0/4 to 3/4. {error}") from error
