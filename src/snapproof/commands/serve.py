"""`snapproof serve`: all simulators on loopback, for clients of other processes, until Ctrl-C or SIGTERM.

What a world is made of is in fixtures/world.py; here are addresses, the ready line, and a clean end.
"""

import argparse
import contextlib
import ipaddress
import json
import secrets
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from snapproof.commands.ending import ended_by_signal
from snapproof.commands.served import Doors, Places
from snapproof.commands.watching import add_log_option, begin_log
from snapproof.fixtures.secrets import secrets_of
from snapproof.fixtures.stage import Stage
from snapproof.fixtures.world import World
from snapproof.simulators.certificates import certificate
from snapproof.simulators.clock import WallClock
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import spare_collections
from snapproof.simulators.solidfire.outgoing import Sockets
from snapproof.verdict import EXIT_USAGE

EPILOG = """\
examples:
  snapproof serve                                  any free ports; prints lines for your shell
  snapproof serve --json                           one line of JSON when everything is up, for programs
  snapproof serve --port-solidfire 443 --port-node 442 --clusters 2
                                                   the only ports that CloudStack's plug-in and Ansible can speak;
                                                   the clusters are 127.0.0.1 and 127.0.0.2

  snapproof serve --port-iscsi 3260 --port-nfs 2049   the LUNs and the export as real hosts reach them
  snapproof serve --log-json -                     the orchestrator's log as JSON; its figures are at /metrics
  snapproof serve --port-s3 9000,127.0.0.2:80      two doors to one store, the second on an address of its own

With a fixed --port-solidfire and several clusters, each has an address of its own, counted up from --address.
The passwords that are printed belong to this run only. Ctrl-C or SIGTERM ends it with exit code 0.
"""

PORTS: Mapping[str, str] = {
    "solidfire": "port of the Element API (HTTPS)",
    "xenserver": "port of the pool's XML-RPC (HTTP)",
    "s3": "port of the S3 store (HTTP)",
    "control": "port of the control API (HTTP)",
    "cloudstack": "port of CloudStack's API over the reference implementation (HTTP)",
}

ASKED_FOR: Mapping[str, str] = {
    "node": "port of the node API of each cluster (HTTPS)",
    "iscsi": "port at which hosts log in to the volumes of each cluster",
    "nfs": "port at which hosts mount the export (NFS version 3)",
}

SEED_MAX = 2**63


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the subcommand."""
    add_arguments(
        subparsers.add_parser(
            "serve",
            help="run the simulators for clients of other processes",
            description=__doc__,
            epilog=EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--address", default="127.0.0.1", metavar="IP", help="where to listen (default 127.0.0.1)")
    parser.add_argument("--allow-remote", action="store_true", help="let --address be one that other machines reach")
    several = "[IP:]N[,...]"
    for service, what in PORTS.items():
        parser.add_argument(
            f"--port-{service}", type=_places, default="0", metavar=several, help=f"{what} (default: any free)"
        )
    for service, what in ASKED_FOR.items():
        parser.add_argument(f"--port-{service}", type=_places, metavar=several, help=f"{what} (default: not served)")
    parser.add_argument("--clusters", type=_at_least_one, default=1, metavar="N", help="SolidFire clusters (default 1)")
    parser.add_argument("--hosts", type=_at_least_one, default=2, metavar="N", help="hosts of the pool (default 2)")
    parser.add_argument(
        "--directory", type=Path, metavar="DIR", help="the NFS export, kept (default: one that is removed)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="draw names and passwords from N (default: at random)")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when everything is up")
    add_log_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal says to end; return the exit code."""
    try:
        begin_log(arguments.log_json)
        with ended_by_signal() as wait_for_the_end, _served(arguments) as ready:
            spare_collections()
            sys.stdout.write((json.dumps({"ready": ready}) if arguments.json else _shell_lines(ready)) + "\n")
            sys.stdout.flush()
            wait_for_the_end()
    except (CannotServeError, OSError) as error:
        sys.stderr.write(f"snapproof serve: {error}\n")
        return EXIT_USAGE
    return 0


@contextlib.contextmanager
def _served(arguments: argparse.Namespace) -> Iterator[Mapping[str, Any]]:
    """Serve a world and yield what clients need to know; end everything and remove what was made afterwards."""
    with contextlib.ExitStack() as made:
        own = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="snapproof-serve-")))
        directory = arguments.directory or own / "export"
        directory.mkdir(exist_ok=True)
        addresses = _addresses(arguments)
        issued = certificate(*addresses, *_named(arguments.port_solidfire), *_named(arguments.port_node or ()))
        authority = own / "authority.pem"
        authority.write_bytes(issued.authority_pem)
        seed = secrets.randbelow(SEED_MAX) if arguments.seed is None else arguments.seed
        logins = secrets_of(seed, clusters=arguments.clusters)

        def build(from_seed: int) -> World:
            return World.build(
                seed=from_seed,
                clock=WallClock(),
                directory=directory,
                clusters=arguments.clusters,
                hosts=arguments.hosts,
                addresses=addresses,
                beyond=Sockets(allow_remote=arguments.allow_remote),
                secrets=logins,
            )

        stage = made.enter_context(Stage(build, seed=seed, export=directory))
        doors = Doors(stage, arguments, addresses=addresses, issued=issued, made=made, seed=seed, own=own)
        yield doors.ready | {"authority": str(authority)}


def _addresses(arguments: argparse.Namespace) -> list[str]:
    """Give each cluster an address: the same for all where ports are free to choose, else one after the other."""
    places: Places = arguments.port_solidfire
    if arguments.clusters == 1:
        return [arguments.address]
    if _named(places):
        raise CannotServeError("--port-solidfire takes ports alone where there are several clusters: give --address.")
    if not any(port for _, port in places):
        return [arguments.address] * int(arguments.clusters)
    try:
        first = ipaddress.ip_address(arguments.address)
    except ValueError as error:
        raise CannotServeError(
            f"--address {arguments.address} must be numeric where several clusters count up from it."
        ) from error
    return [str(first + number) for number in range(arguments.clusters)]


def _shell_lines(ready: Mapping[str, Any]) -> str:
    """Write what is ready as lines to paste into a shell."""
    lines = [f"export SNAPPROOF_{name}={shlex.quote(value)}" for name, value in _flat("", ready)]
    return "\n".join(["# The simulators are up; Ctrl-C ends them.", *lines])


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield prefix.upper(), value
        return
    parts = value.items() if isinstance(value, Mapping) else ((str(n), part) for n, part in enumerate(value, 1))
    for name, part in parts:
        yield from _flat(f"{prefix}_{name}" if prefix else name, part)


def _places(text: str) -> Places:
    """Read ports, each with or without an address before it."""
    parts = [part.strip().rpartition(":") for part in text.split(",")]
    for host, _, port in parts:
        if not (port.isascii() and port.isdigit() and int(port) < 2**16):
            raise argparse.ArgumentTypeError(
                f"{text!r} is no list of ports or IP:PORT; write 443, or 443,127.0.0.2:8443"
            )
        if not host and len(parts) > 1 and not int(port):
            raise argparse.ArgumentTypeError(f"{text!r} asks for any port among others; give each its number")
    return tuple((host.strip("[]"), int(port)) for host, _, port in parts)


def _named(places: Places) -> list[str]:
    return [host for host, _ in places if host]


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return int(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="snapproof serve", epilog=EPILOG, allow_abbrev=False)
    add_arguments(parser)
    sys.exit(run(parser.parse_args()))
