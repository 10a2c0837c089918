"""`snapproof compare`: replay a recording of a real cluster against the simulated one, and tell every difference."""

import argparse
import base64
import sys
import tempfile
from pathlib import Path

from snapproof.fixtures.recordings import Difference, compared
from snapproof.fixtures.world import World
from snapproof.simulators.clock import VirtualClock
from snapproof.verdict import EXIT_USAGE

EPILOG = """\
example:
  snapproof compare docs/recordings/older-cluster.ndjson

exit codes: 0 no difference, 1 differences, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "compare",
        help="hold a recording of a real cluster against the simulated one",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="a recording, as `snapproof record` keeps it")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print a line for each difference, and how many there are."""
    try:
        found = differences(arguments.file)
    except (OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"snapproof compare: {arguments.file} is no recording: {error}\n")
        return EXIT_USAGE
    sys.stdout.write("".join(f"{line}\n" for line in [*map(str, found), f"{len(found)} differences."]))
    return 1 if found else 0


def differences(path: Path) -> list[Difference]:
    """Replay a file against a fresh cluster, as its first administrator."""
    with (
        tempfile.TemporaryDirectory(prefix="snapproof-") as folder,
        World.build(seed=1, clock=VirtualClock(), directory=Path(folder)) as world,
        path.open(encoding="utf-8") as lines,
    ):
        login = world.secrets.clusters[0]
        credentials = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        return list(compared(lines, world.wires().clusters[0], {"authorization": f"Basic {credentials}"}))
