"""`snapproof replay`: run one schedule again and show everything that happened, from both sides."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

from snapproof.campaign.running import Case, NotCleanError
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule, ScheduleError, read_schedule
from snapproof.commands.workers import opener_of
from snapproof.driver import FaultyDriverError, NotSupportedError
from snapproof.fixtures.lab import SimulatedLab
from snapproof.lab import NotTestableError
from snapproof.naming import UnknownDriverError, full_name
from snapproof.verdict import EXIT_USAGE

EXAMPLES = """\
examples:
  snapproof replay 'take-secondary/v1 store=nfs seed=0 :: array.CloneVolume#1=lost_after'
  snapproof replay --quiet 'delete-secondary/v1 store=s3 seed=0 :: s3.DeleteObject#1=crash_after'

Lines of the trace: `call` is what the driver asked for, `fault` what struck it, `array`, `host`, `s3` and `nfs` what
really happened there.

exit codes: 0 the invariants held, 1 they did not, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "replay",
        help="run one failing history again",
        description="Run one schedule of a campaign again, and show the two-sided trace.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("schedule", help="the line that a campaign printed")
    parser.add_argument(
        "--driver", default="reference", metavar="NAME", help="'reference', MODULE:FACTORY or cmd:./driver"
    )
    parser.add_argument("--quiet", action="store_true", help="only say how it ended")


def run(arguments: argparse.Namespace) -> int:
    """Replay."""
    console = Console(soft_wrap=True, highlight=False)
    trace: list[str] = []
    try:
        case = _replayed(arguments, trace)
    except (ScheduleError, NotSupportedError, NotTestableError, FaultyDriverError, UnknownDriverError) as error:
        Console(stderr=True).print(str(error), markup=False, soft_wrap=True)
        return EXIT_USAGE
    except NotCleanError as error:
        console.print(f"[red]broken[/] {escape(str(error))}")
        return 1
    if not arguments.quiet:
        for line in trace:
            console.print(line, markup=False)
    console.print(f"\nThe caller was told: {case.ending}. Journal {case.digest[:12]}.", markup=False)
    for violation in case.violations:
        console.print(f"[red]broken[/] {escape(str(violation))}")
    if not case.violations:
        console.print("[green]The invariants held.[/]")
    return 1 if case.violations else 0


def _replayed(arguments: argparse.Namespace, trace: list[str]) -> Case:
    """Run it, and give the trace to the list."""
    schedule = read_schedule(arguments.schedule)
    open_lab = opener_of(full_name(arguments.driver))

    @contextmanager
    def traced(of: Schedule) -> Iterator[SimulatedLab]:
        with open_lab(of) as lab:
            yield lab
            trace.extend(lab.trace())

    return run_schedule(schedule, traced)
