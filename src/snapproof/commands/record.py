"""`snapproof record`: stand between a client and a real cluster, and keep what the cluster answers.

What a recording is, and how ours compare with it, is in fixtures/recordings.py.
"""

import argparse
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import urllib3

from snapproof.fixtures.recordings import recording
from snapproof.simulators.serving import Answer, serve

EPILOG = """\
examples:
  snapproof record --to https://cluster.example --ca cluster.pem recording.ndjson
                                     then let a client talk to the address that is printed; end it with Ctrl-C
  snapproof compare recording.ndjson

Credentials pass through and are not kept; members that hold secrets or passwords are kept as ***.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "record",
        help="keep what a real cluster answers",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("file", type=Path, help="where lines are added to")
    parser.add_argument("--to", required=True, metavar="URL", help="the cluster, as https://10.1.2.3")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the authority of its certificate")
    parser.add_argument(
        "--port", type=int, default=0, help="the port of this machine to listen at (default: a free one)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    with arguments.file.open("a", encoding="utf-8") as file:
        wire = recording(Forward(arguments.to, arguments.ca), Keeper(file))
        with serve(wire, port=arguments.port, blocking=True) as server:
            print(f"Talk to {server.url} instead of {arguments.to}; Ctrl-C ends it.", flush=True)  # noqa: T201  a person reads it
            _wait_for_the_end()
    return 0


class Forward:
    """A wire to a server that others run."""

    def __init__(self, url: str, authority: Path | None) -> None:
        self._url = url.rstrip("/")
        self._pool = urllib3.PoolManager(ca_certs=str(authority) if authority else None, retries=False, timeout=60.0)

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Pass one exchange on, credentials and all."""
        sent = {name: text for name, text in headers.items() if name not in {"host", "content-length", "connection"}}
        try:
            answer = self._pool.request(method, self._url + target, headers=sent, body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            return 502, {"content-type": "text/plain"}, f"The cluster cannot be reached: {error}\n".encode()
        return answer.status, {"content-type": answer.headers.get("content-type", "application/json")}, answer.data


class Keeper:
    """Adds lines to a file, each whole."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._turn = threading.Lock()

    def __call__(self, line: str) -> None:
        with self._turn:
            self._file.write(f"{line}\n")
            self._file.flush()


def _wait_for_the_end() -> None:
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        return
