"""Watching a server from outside: its metrics at /metrics, and its log as JSON lines. For `serve` and `host`.

What is measured and what is logged is decided where it happens.
"""

import argparse
import ipaddress
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from snapproof.reference_impl.logs import JsonLines
from snapproof.reference_impl.metrics import CONTENT_TYPE
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import Answer, Wire

PATH = "/metrics"
STANDARD_ERROR = "-"
PLAIN = {"content-type": "text/plain; charset=utf-8"}


def add_log_option(parser: argparse.ArgumentParser) -> None:
    """Add `--log-json`."""
    parser.add_argument(
        "--log-json",
        metavar="PATH",
        help="write the log, down to INFO, as one JSON object a line behind what is in a file; - is standard error",
    )


def begin_log(path: str | None) -> None:
    """Log warnings in words to standard error; where a path is given, everything as JSON there.

    The file is for its owner's eyes. Raises CannotServeError.
    """
    if path != STANDARD_ERROR:
        _listen(logging.StreamHandler(), logging.Formatter("%(levelname)s %(name)s: %(message)s"), logging.WARNING)
    if path is not None:
        _listen(logging.StreamHandler() if path == STANDARD_ERROR else _file(Path(path)), JsonLines(), logging.INFO)
        logging.getLogger("snapproof").setLevel(logging.INFO)


def _listen(handler: logging.Handler, words: logging.Formatter, level: int) -> None:
    handler.setFormatter(words)
    handler.setLevel(level)
    logging.getLogger().addHandler(handler)


def _file(path: Path) -> logging.Handler:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600))
        return logging.FileHandler(path, encoding="ascii")
    except OSError as error:
        raise CannotServeError(f"--log-json {path} cannot be written: {error.strerror}.") from error


def is_loopback(address: str) -> bool:
    """Say whether nobody but this machine reaches an address."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def measured(wire: Wire, metrics: Callable[[], bytes | None]) -> Wire:
    """The same wire, which answers what Prometheus asks for as well; None is what has nothing to tell yet."""

    def answer(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if target.partition("?")[0] != PATH:
            return wire(method, target, headers, body)
        if method != "GET":
            return 405, {**PLAIN, "allow": "GET"}, b"Metrics are read with GET.\n"
        found = metrics()
        if found is None:
            return 503, PLAIN, b"There is nothing to measure: no life has begun, or its driver measures nothing.\n"
        return 200, {"content-type": CONTENT_TYPE}, found

    return answer
