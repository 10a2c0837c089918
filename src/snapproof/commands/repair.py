"""`snapproof repair`: what an operator does by hand at a site of the reference implementation (docs/repair.md)."""

import argparse
import os
import sys
from pathlib import Path

from snapproof.commands.site_file import SiteFileError, life_at, read_site
from snapproof.driver import DriverError
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.verdict import EXIT_USAGE
from snapproof.vocabulary import VolumeId

DONE, LEFT = 0, 1
EPILOG = """\
examples:
  snapproof repair --site site.json orphans
  snapproof repair --site site.json recover VOLUME

The file is what a driver is told in /v1/begin (docs/driver-contract.md).

exit codes: 0 done, or nothing is left over; 1 orphans were found, or the volume cannot be brought back; 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "repair",
        help="find what nobody needs, and bring back a deleted volume",
        description="Find what nobody needs on the arrays of a site, and bring back a volume deleted by mistake.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--site", type=Path, required=True, metavar="FILE", help="where the site is, as JSON")
    verbs = parser.add_subparsers(dest="verb", metavar="orphans | recover", required=True)
    verbs.add_parser("orphans", help="list what is ours on the arrays and nobody needs", allow_abbrev=False)
    recover = verbs.add_parser("recover", help="bring back a deleted volume", allow_abbrev=False)
    recover.add_argument("volume", metavar="VOLUME", help="the id that the volume had")


def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit code says how it ended."""
    try:
        with life_at(read_site(arguments.site, os.environ)) as driver:
            return _orphans(driver) if arguments.verb == "orphans" else _recover(driver, arguments.volume)
    except SiteFileError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    except DriverError as error:
        sys.stderr.write(f"{error}\n")
        return LEFT


def _orphans(driver: ReferenceDriver) -> int:
    found = driver.find_orphans()
    for row in found:
        sys.stdout.write(f"{row.kind} {row.id} {row.name} of {row.owner.subject} by job {row.owner.job}\n")
    return LEFT if found else DONE


def _recover(driver: ReferenceDriver, volume: str) -> int:
    found = driver.recover_volume(VolumeId(volume))
    sys.stdout.write(f"Volume {found.id} of {found.account} is there: {found.size_bytes} bytes at {found.target}.\n")
    return DONE
