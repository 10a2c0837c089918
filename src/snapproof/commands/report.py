"""`snapproof report`: write the files of a run anew from what it has left behind, however it ended."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from snapproof.register import RegisterError
from snapproof.report.console import print_summary
from snapproof.report.files import write_files
from snapproof.report.ledger import LEDGER_NAME, read_ledger
from snapproof.report.pages import PAGE_NAME
from snapproof.report.summary import IncompleteRunError, summarise
from snapproof.verdict import EXIT_USAGE

EXAMPLES = """\
examples:
  snapproof report snapproof-report      after a crash: what was seen until then, and nothing that was not

exit codes: those of the run, by its verdict; 4 where there is no run
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="write a report anew from what a run has left behind",
        description=f"Write every file of a report anew from its {LEDGER_NAME}.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="DIR", help="the report's folder")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say the verdict."""
    folder = Path(arguments.folder)
    try:
        summary = summarise(read_ledger(folder))
    except (IncompleteRunError, RegisterError) as error:
        sys.stderr.write(f"{folder}: {error}\n")
        return EXIT_USAGE
    write_files(folder, summary)
    print_summary(Console(), summary, folder / PAGE_NAME)
    return summary.verdict.exit_code
