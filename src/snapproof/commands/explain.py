"""`snapproof explain R-021`: a requirement with all that speaks of it: its row, its scenarios, what breaks it.

With `--site FILE`, a snapshot of the reference implementation instead: what is recorded of it and what exists.
"""

import argparse
import difflib
import os
import re
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest
from rich.console import Console
from rich.markup import escape

from snapproof.authoring.broken import Variant, zoo
from snapproof.collecting import canonical_scenarios
from snapproof.commands.site_file import SiteFileError, life_at, read_site
from snapproof.discovery import default_register
from snapproof.driver import DriverError
from snapproof.register import Level, Register, RegisterError, Requirement, Status, read_register
from snapproof.report.records import Scenario
from snapproof.verdict import EXIT_USAGE
from snapproof.vocabulary import SnapshotId

NUMBER = re.compile(r"(?:r-?)?(\d+)", re.IGNORECASE)
EXAMPLES = """\
examples:
  snapproof explain R-021             what is asked, by which scenarios, and which broken drivers they catch
  snapproof explain R-021 R-022       several
  snapproof explain --site site.json 7b0c2f6e-...
                                      a snapshot: records, array, hosts and backup side by side, and every mismatch
                                      (exit code 1 if there is one; the file is what /v1/begin takes)
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "explain",
        help="show a requirement with its scenarios, or a snapshot with all that exists of it",
        description="Show a requirement, its scenarios, and the broken variants that they catch.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("ids", nargs="+", metavar="WHAT", help="requirements (R-NNN), or snapshots of a site")
    parser.add_argument("--site", type=Path, metavar="FILE", help="explain snapshots of the site in this file")
    parser.add_argument("--register", default="", metavar="FILE", help="another register of requirements")


def run(arguments: argparse.Namespace) -> int:
    """Explain each."""
    if arguments.site is not None:
        return _explain_snapshots(arguments.site, arguments.ids)
    try:
        register = read_register(Path(arguments.register) if arguments.register else default_register())
        rows = [_row(register, name) for name in arguments.ids]
        scenarios = canonical_scenarios(register)
        broken = zoo() if register.path == default_register().resolve() else ()
    except (RegisterError, pytest.UsageError, pytest.Collector.CollectError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    console = Console(highlight=False, soft_wrap=True)
    for row in rows:
        _print_row(console, row)
        _print_scenarios(console, [each for each in scenarios if row.id in each.requirements])
        _print_proof(console, row, [each for each in broken if each.breaks == row.id])
        console.print()
    return 0


def _explain_snapshots(path: Path, snapshots: Iterable[str]) -> int:
    try:
        with life_at(read_site(path, os.environ)) as driver:
            found = [driver.explain(SnapshotId(snapshot)) for snapshot in snapshots]
    except (SiteFileError, DriverError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    sys.stdout.write("\n".join(each.page() for each in found))
    return 1 if any(each.mismatches for each in found) else 0


def _row(register: Register, name: str) -> Requirement:
    wanted = f"R-{number[1]:>03}" if (number := NUMBER.fullmatch(name)) else name.upper()
    if found := next((row for row in register.requirements if row.id == wanted), None):
        return found
    near = difflib.get_close_matches(wanted, sorted(register.ids()), n=3)
    hint = f"Did you mean {' or '.join(near)}?" if near else "`snapproof plan` lists what it holds."
    raise pytest.UsageError(f"The register {register.set_name} holds no {wanted}. {hint}")


def _print_row(console: Console, row: Requirement) -> None:
    console.print(f"[bold]{row.id}[/]  {escape(row.text)}")
    binds = f"every driver that declares {row.capability}" if row.level is Level.EXTENDED else "every driver"
    facts = {
        "passes when": row.passes_when,
        "status": row.status,
        "binds": binds if row.status is not Status.EXCLUDED else "",
        "section": row.section,
        "reference": row.reference,
        "reason": row.reason,
    }
    for title, text in facts.items():
        if text:
            console.print(f"  [dim]{title + ':':<13}[/]{escape(text)}")


def _print_scenarios(console: Console, scenarios: Iterable[Scenario]) -> None:
    for (uri, line, name), rows in groupby(scenarios, key=lambda each: (each.uri, each.line, each.name)):
        group = list(rows)
        many = f" [dim]({len(group)} rows)[/]" if group[0].example else ""
        console.print(f"  [dim]scenario:[/]    {escape(name)}{many}  [dim]{escape(f'{uri}:{line}')}[/]")


def _print_proof(console: Console, row: Requirement, variants: Iterable[Variant]) -> None:
    broken = list(variants)
    for variant in broken:
        console.print(f"  [dim]caught:[/]      {escape(variant.mistake)}")
        console.print(f"               [dim]says[/] {escape(variant.expect)}")
        marks = f"requirement(id='{row.id}')"
        console.print(f'               [dim]see it:[/] snapproof run --driver {variant.selector} -m "{marks}"')
    for test in row.proved_by:
        console.print(f"  [dim]proved by:[/]   {escape(test)}")
    if row.status is Status.TESTED and not broken:
        console.print("  [yellow]No broken variant shows that its scenarios bite.[/]")
    if row.status is Status.PLANNED:
        console.print("  [yellow]No scenario proves it yet:[/] `snapproof new` begins one.")
