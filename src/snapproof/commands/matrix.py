"""`snapproof matrix`: the reports of several drivers, or of several runs of one, side by side on one page."""

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from snapproof.report.matrix_page import (
    ENVELOPE_NAME,
    MATRIX_NAME,
    Column,
    UnreadableRunError,
    matrix_page,
    read_run,
)
from snapproof.report.pages import PAGE_NAME
from snapproof.verdict import EXIT_USAGE

EXAMPLES = """\
examples:
  snapproof matrix acme-report other-report             write matrix.html here; cells lead into the reports
  snapproof matrix monday/run.json --to week.html       from the small file alone
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "matrix",
        help="put the reports of several drivers or runs side by side",
        description="Put the reports of several drivers, or of several runs of one, side by side.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("runs", nargs="+", metavar="REPORT", help="folders of reports, or their run.json")
    parser.add_argument("--to", default=MATRIX_NAME, metavar="FILE", help=f"the page (default {MATRIX_NAME})")


def run(arguments: argparse.Namespace) -> int:
    """Write the page."""
    page = Path(arguments.to)
    try:
        columns = [_column(Path(name), page) for name in arguments.runs]
    except UnreadableRunError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(matrix_page(columns), encoding="utf-8")
    console = Console(highlight=False, soft_wrap=True, markup=False)
    for column in columns:
        console.print(f"{column.title}: {column.run.verdict.text}")
    console.print(f"matrix: {page}")
    return 0


def _column(named: Path, page: Path) -> Column:
    """Read a run, and find out how the page can lead to its report."""
    folder = named if named.is_dir() else named.parent
    whole = (folder / PAGE_NAME).exists() and (named.is_dir() or named.name == ENVELOPE_NAME)
    link = Path(os.path.relpath(folder.resolve(), page.resolve().parent)).as_posix() if whole else ""
    return Column(run=read_run(named), link=link and f"{link}/")
