"""`snapproof doctor`: check whether a site fits the reference implementation, a line for each item.

What is checked is in reference_impl/doctor.py.
"""

import argparse
import os
import sys
from pathlib import Path

from snapproof.commands.site_file import SiteFileError, read_site
from snapproof.reference_impl.doctor import examine
from snapproof.verdict import EXIT_USAGE

SOUND, AILING = 0, 1
EPILOG = """\
example:
  snapproof doctor --site site.json

The file is what a driver is told in /v1/begin (docs/driver-contract.md). Nothing is changed: a probe that is written to
secondary storage is deleted again.

exit codes: 0 every item passed; 1 one failed; 4 usage, or no such file
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "doctor",
        help="check whether a site fits the reference implementation",
        description="Check array, hosts, secondary storage, catalog and settings of a site, without changing them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--site", type=Path, required=True, metavar="FILE", help="where the site is, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; the exit code says whether all passed."""
    try:
        findings = examine(read_site(arguments.site, os.environ))
    except SiteFileError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    return SOUND if all(finding.passed for finding in findings) else AILING
