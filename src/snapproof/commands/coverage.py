"""`snapproof coverage`: what campaigns have tried so far, of all shards and days together."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from snapproof.campaign.coverage import columns_of, tables_of
from snapproof.campaign.results import UnreadableResultsError, joined
from snapproof.campaign.schedule import ScheduleError
from snapproof.report.coverage_page import Covered, coverage_page
from snapproof.verdict import EXIT_USAGE

EXAMPLES = """\
examples:
  snapproof campaign --shard 0/2 --results one.ndjson        on one machine
  snapproof campaign --shard 1/2 --results two.ndjson        on another
  snapproof coverage one.ndjson two.ndjson                   writes coverage.html

exit codes: 0 every case held, 1 some did not, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "coverage",
        help="join results of campaigns and show what was tried",
        description="Join results of campaigns, each driver's cases once, and show what was tried, what not and why.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("results", nargs="+", type=Path, metavar="FILE", help="what --results of campaigns has written")
    parser.add_argument("--to", type=Path, default=Path("coverage.html"), metavar="FILE", help="the page")


def run(arguments: argparse.Namespace) -> int:
    """Join, write the page, and sum up."""
    try:
        return _show(arguments)
    except (UnreadableResultsError, ScheduleError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE


def _show(arguments: argparse.Namespace) -> int:
    results = joined(arguments.results)
    if not results:
        sys.stderr.write(f"No case stands in {', '.join(map(str, arguments.results))}: nothing was tried.\n")
        return EXIT_USAGE
    tables = tables_of(results)
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_text(coverage_page(columns_of(results), tables), encoding="utf-8")
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for table in tables:
        console.print(f"{table.title}: {', '.join(f'{table.count(state)} {state}' for state in Covered)}")
    broken = sum(bool(each.broken) for each in results)
    console.print(f"{len(results)} cases, {broken} broken: {arguments.to}")
    return 1 if broken else 0
