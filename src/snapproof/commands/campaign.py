"""`snapproof campaign`: every call of a workflow meets every kind of fault, each in a world of its own.

What a cell is, how it is run and judged is in snapproof/campaign/; this shows it.
"""

import argparse
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from snapproof.campaign.running import Case
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.sweeping import Shard, cells
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.site import STORES
from snapproof.report.matrix import Matrix
from snapproof.selection import full_name, load_driver

BROKEN_SHOWN_MAX = 20
EXAMPLES = """\
examples:
  snapproof campaign                                   all workflows on both stores: each call, each kind of fault
  snapproof campaign --workflow delete-secondary       one of them
  snapproof campaign --driver acme.driver:Driver       your driver, in process
  snapproof campaign --shard 0/4                       a quarter of the cells; four machines need no coordinator
  snapproof campaign --jobs 4                          on four processes of this machine

Each cell that breaks prints one line; paste it to see what happened:
  snapproof replay 'take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost_after'

exit codes: 0 all cells held, 1 some did not, 2 interrupted, 4 usage
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
    parser.add_argument("--shard", type=_shard, default=Shard(), metavar="I/N", help="this share of the cells only")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes to run on (default 1)")


def run(arguments: argparse.Namespace) -> int:
    """Sweep and print the matrices; the first lines of what broke come while the sweep goes on."""
    console = Console()
    chosen = [(w, s) for w in arguments.workflow.split(",") for s in arguments.store.split(",")]
    unknown = [word for pair in chosen for word in pair if word not in {*WORKFLOWS, *STORES}]
    if unknown or arguments.jobs < 1:
        known = f"Workflows are {', '.join(WORKFLOWS)}; stores are {', '.join(STORES)}; jobs are 1 or more."
        Console(stderr=True).print(f"{', '.join(unknown) or '--jobs'} cannot be taken. {known}", markup=False)
        return 4
    broken = 0
    for workflow, store in chosen:
        found = _sweep(arguments, workflow, store, console)
        if found is None:
            return 2
        broken += found
    console.print("[red]Some cells did not hold.[/]" if broken else "[green]Every cell held.[/]")
    return 1 if broken else 0


def _sweep(arguments: argparse.Namespace, workflow: str, store: str, console: Console) -> int | None:
    """Sweep one workflow on one store; the number of cells that broke, None if the user has had enough."""
    open_lab = lab_opener(load_driver(full_name(arguments.driver)))
    schedules = cells(workflow, store, arguments.seed, open_lab)[arguments.shard.index :: arguments.shard.count]
    twice = {run_schedule(schedules[0], open_lab).digest for _ in range(2)}
    matrix = Matrix(f"{workflow} on {store}", tuple(dict.fromkeys(_word(each) for each in schedules)))
    try:
        with _progress(console) as progress, _cases(arguments, schedules) as cases:
            for case in progress.track(cases, total=len(schedules), description=matrix.title):
                _show(case, matrix, progress.console, arguments.driver)
    except KeyboardInterrupt:
        console.print(f"Interrupted after {matrix.cells} of {len(schedules)} cells:", markup=False)
        console.print(matrix.table())
        return None
    console.print(matrix.table())
    same = "the same seed twice gave the same journal" if len(twice) == 1 else "[red]the same seed gave two journals[/]"
    console.print(f"{matrix.cells} cells, {matrix.broken} broken; {same} ({min(twice)[:12]}).\n")
    return matrix.broken + (len(twice) - 1)


def _show(case: Case, matrix: Matrix, console: Console, driver: str) -> None:
    ((call, _),) = case.schedule.faults
    matrix.add(call, _word(case.schedule), held=not case.violations)
    if case.violations and matrix.broken <= BROKEN_SHOWN_MAX:
        choice = "" if driver == "reference" else f"--driver {driver} "
        console.print(f"[red]broken[/] {case.violations[0]}", soft_wrap=True)
        console.print(f"       snapproof replay {choice}'{case.schedule}'", markup=False, soft_wrap=True)


def _word(schedule: Schedule) -> str:
    """The column of a cell: its kind of fault, whatever error or damage it names."""
    return schedule.faults[0][1].partition(":")[0]


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


@contextmanager
def _cases(arguments: argparse.Namespace, schedules: Sequence[Schedule]) -> Iterator[Iterator[Case]]:
    """Run the schedules here, or on several processes that know how to begin from the driver's name alone."""
    worker = Worker(arguments.driver)
    if arguments.jobs == 1:
        yield map(worker, schedules)
        return
    with multiprocessing.get_context("spawn").Pool(arguments.jobs, initializer=_ignore_interrupts) as pool:
        yield pool.imap(worker, schedules, chunksize=4)


class Worker:
    """Runs one schedule for a driver; can be sent to another process."""

    def __init__(self, driver: str) -> None:
        self._driver = full_name(driver)

    def __call__(self, schedule: Schedule) -> Case:
        """Run it."""
        return run_schedule(schedule, lab_opener(load_driver(self._driver)))


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that the user sees; it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _shard(text: str) -> Shard:
    try:
        index, _, count = text.partition("/")
        return Shard(int(index), int(count))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no shard; write 0/4 to 3/4. {error}") from error
