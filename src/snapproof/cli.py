"""The command `snapproof`: finds the subcommand that was asked for and imports that one alone.

What a subcommand does is in snapproof/commands/.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import NoReturn

from snapproof import __version__

COMMANDS = {
    "run": "judge a driver with the conformance suite",
    "plan": "say what would run for a driver, what not and why",
    "explain": "show a requirement, its scenarios, and what proves that they bite",
    "doctor": "check whether a site fits the reference implementation",
    "repair": "find what nobody needs, and bring back a deleted volume",
    "lint": "find slips in features, steps and register",
    "steps": "show every step that a scenario may say",
    "new": "begin a requirement: register row, scenario and broken variant",
    "report": "write a report anew from what a run has left behind",
    "matrix": "put the reports of several drivers or runs side by side",
    "prove-steps": "find steps that prove nothing",
    "demo": "send a real filesystem through every floor and have it judged",
    "serve": "serve the simulators to any client, over HTTP",
    "host": "put a Python driver behind the published contract",
    "disk": "convert, compare and inspect disk images",
    "record": "keep what a real cluster answers",
    "compare": "hold a recording of a real cluster against the simulated one",
    "fault": "let calls of served simulators fail",
    "campaign": "search for faults that break a driver",
    "coverage": "join results of campaigns and show what was tried",
    "replay": "run one failing history again",
}
EPILOG = """\
start here:
  snapproof demo                                a real filesystem, snapshotted, backed up and restored
  snapproof run                                 judge the reference implementation
  snapproof run --driver acme.driver:Driver     judge your driver
  snapproof run --help                          all that a run can do

exit codes of run:
  0 conformant   1 failures   2 partial   3 error of the harness   4 usage
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that `argv` names; the result is the exit code of the process."""
    given = list(sys.argv[1:] if argv is None else argv)
    ours, _, theirs = _split(given)
    arguments = _parser(ours).parse_args(ours)
    if arguments.command is None:
        _parser(()).print_help()
        return 4
    arguments.after_dashes = theirs
    code: int = import_module(_module(arguments.command)).run(arguments)
    return code


def _split(given: list[str]) -> tuple[list[str], str, list[str]]:
    """Everything after the first `--` is not ours to parse."""
    place = given.index("--") if "--" in given else len(given)
    return given[:place], "--", given[place + 1 :]


class _Parser(argparse.ArgumentParser):
    """Ends with the code for wrong usage that every help promises; argparse's own is 2."""

    def error(self, message: str) -> NoReturn:
        """Say how it is used, and what was wrong."""
        from snapproof.verdict import EXIT_USAGE

        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: error: {message}\n")


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = _Parser(
        prog="snapproof",
        description="Proof that volume snapshots on managed storage are what they claim to be.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"snapproof {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    asked = next((word for word in given if not word.startswith("-")), None)
    for name, line in COMMANDS.items():
        if name == asked and find_spec(_module(name)):
            import_module(_module(name)).add_parser(subparsers)
        elif find_spec(_module(name)):
            subparsers.add_parser(name, help=line)
    return parser


def _module(command: str) -> str:
    return f"snapproof.commands.{command.replace('-', '_')}"
