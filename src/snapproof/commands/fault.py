"""`snapproof fault`: let calls of served simulators fail, tell which faults fired, and take them away again.

A client of the control API that `snapproof serve` runs; which faults there are is decided there.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import urllib3

from snapproof.verdict import EXIT_USAGE

URL_VARIABLE, TOKEN_VARIABLE = "SNAPPROOF_CONTROL_URL", "SNAPPROOF_CONTROL_TOKEN"
TIMEOUT_S = 10.0
EXIT_UNREACHABLE = 3

EPILOG = f"""\
where the simulators are:
  Paste what `snapproof serve` prints into the shell: it sets {URL_VARIABLE} and {TOKEN_VARIABLE}.

faults:
  refused[:NAME]        the call fails and has no effect; NAME is an error of the service
  error_after[:NAME]    the same answer, but the call took effect
  lost_before|after     the connection dies before or after the effect
  lost_late             the connection dies; the effect comes after 45 seconds, with the next call of anybody
  hang_before|after     no answer comes
  truncated             the answer ends too early; the call took effect
  damaged:WHERE-HOW     no error is said. s3: the request, stored or answer content is cut or flipped; as
                        damaged:request-cut, damaged:stored-flipped, damaged:answer-flipped. array and host: a
                        lying answer; as damaged:answer-huge, damaged:answer-of-another (docs/control-api.md)
  http500_before|after  the service answers HTTP 500
  twice                 the call takes effect twice, as where a proxy asked again; the second answer is told
  down                  the connection dies, as do all others to the service for 20 seconds

examples:
  snapproof fault arm array.CreateSnapshot lost_after
                                     the next CreateSnapshot takes effect, and its answer is lost
  snapproof fault arm array.CloneVolume refused:xMaxClonesPerVolumeExceeded --times 2 --skip 1
                                     one passes, the two after it are refused
  snapproof fault arm array-2.GetAPI hang_before --always
                                     the second cluster is down
  snapproof fault arm export.write refused:ENOSPC --skip 3
                                     the NFS server's disk is full at the fourth write, whichever host writes
  snapproof fault list               what waits, what fired; exit code 1 while anything is unspent
  snapproof fault clear

exit codes: 0 done, 1 faults are unspent (list), 3 no simulator answered, 4 usage
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "fault",
        help="let calls of served simulators fail",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    verbs = parser.add_subparsers(dest="verb", metavar="arm | list | clear", required=True)
    arm = verbs.add_parser("arm", help="let calls meet a fault", allow_abbrev=False)
    arm.add_argument("call", help="service.method, as array.CreateSnapshot, host.VDI.copy, s3.PutObject, nfs.rename")
    arm.add_argument("fault", help="what the call meets; `snapproof fault --help` lists them")
    arm.add_argument("--times", type=int, default=1, metavar="N", help="how many calls (default 1)")
    arm.add_argument("--skip", type=int, default=0, metavar="N", help="how many calls pass before (default 0)")
    arm.add_argument("--always", action="store_true", help="every call from now on")
    listing = verbs.add_parser("list", help="tell which faults wait, stand and fired", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="print what the control API answers")
    clearing = verbs.add_parser("clear", help="take away what has not fired", allow_abbrev=False)
    for verb in (arm, listing, clearing):
        verb.add_argument("--url", default=os.environ.get(URL_VARIABLE), help=f"default: ${URL_VARIABLE}")
        verb.add_argument("--token", default=os.environ.get(TOKEN_VARIABLE), help=f"default: ${TOKEN_VARIABLE}")
    parser.set_defaults(run=run)


class ToldError(Exception):
    """The command cannot go on; the message is for the person, `code` for the shell."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked and return the exit code."""
    try:
        return _VERBS[arguments.verb](arguments)
    except ToldError as told:
        sys.stderr.write(f"snapproof fault: {told}\n")
        return told.code


def _arm(arguments: argparse.Namespace) -> int:
    wanted = {name: getattr(arguments, name) for name in ("call", "fault", "times", "skip", "always")}
    _tell(_asked(arguments, "POST", wanted))
    return 0


def _list(arguments: argparse.Namespace) -> int:
    faults = _asked(arguments, "GET")
    if arguments.json:
        sys.stdout.write(json.dumps(faults) + "\n")
    else:
        _tell(faults)
    return 1 if faults["unspent"] else 0


def _clear(arguments: argparse.Namespace) -> int:
    _tell(_asked(arguments, "DELETE"))
    return 0


_VERBS = {"arm": _arm, "list": _list, "clear": _clear}


def _tell(faults: Mapping[str, Any]) -> None:
    lines = [f"unspent   {line}" for line in faults["unspent"]]
    lines += [f"standing  {line}" for line in faults["standing"]]
    lines += [f"fired     {fired['call']}={fired['fault']}" for fired in faults["fired"]]
    sys.stdout.write("\n".join(lines or ["No fault is armed and none has fired."]) + "\n")


def _asked(arguments: argparse.Namespace, method: str, body: object = None) -> Any:
    """Send one request to /faults. Raises ToldError, with what may have been meant, for every answer but 200."""
    if not arguments.url or not arguments.token:
        missing = URL_VARIABLE if not arguments.url else TOKEN_VARIABLE
        raise ToldError(
            EXIT_USAGE, f"{missing} is not set; paste what `snapproof serve` printed, or say --url, --token."
        )
    if urlsplit(arguments.url).scheme not in {"http", "https"}:
        raise ToldError(EXIT_USAGE, f"{arguments.url} is no URL of a control API; it begins with http://127.0.0.1:.")
    try:
        with urllib3.PoolManager(timeout=TIMEOUT_S, retries=False) as sockets:
            answer = sockets.request(
                method,
                arguments.url.rstrip("/") + "/faults",
                body=None if body is None else json.dumps(body).encode(),
                headers={"authorization": f"Bearer {arguments.token}"},
            )
            content = answer.json()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        sentence = f"No control API answers at {arguments.url}; is `snapproof serve` still running?"
        raise ToldError(EXIT_UNREACHABLE, sentence) from error
    if answer.status != 200:
        near = " Did you mean " + " or ".join(content["near"]) + "?" if content.get("near") else ""
        raise ToldError(EXIT_USAGE, f"{content.get('error', answer.status)}{near}")
    return content
