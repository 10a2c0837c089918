"""`cinder://CLASS?option=value`: a Cinder driver class, hosted by the bridge in the environment that has Cinder.

It is `cmd:` of the bridge, so it is judged like any driver in a process of its own.
"""

import atexit
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qsl

from snapproof.driver import DriverUnderTest
from snapproof.drivers.cinder.shelf import python_with_cinder
from snapproof.drivers.contract import DriverDiedError
from snapproof.drivers.outside import CommandDriver
from snapproof.site import Site

SCHEME = "cinder://"
HERE = Path(__file__).parent
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class CinderDriver(CommandDriver):
    """A driver by its class, as `volume_driver` in cinder.conf names it. Its lives are forks of one process."""

    def __init__(self, uri: str) -> None:
        hosting = command_of(uri)
        path = str(Path(tempfile.mkdtemp(prefix="snapproof-")) / "nursery")
        super().__init__(f"cmd:{shlex.join([sys.executable, '-IS', str(HERE / 'lease.py'), path])}")
        self._nursing = [*hosting, "--nursery", path]
        self._nursery: subprocess.Popen[bytes] | None = None

    def __call__(self, site: Site) -> DriverUnderTest:
        """Start the nursery if there is none, and a life in it. Raises DriverDiedError."""
        if self._nursery is None:
            self._nursery = _started(self._nursing)
        return super().__call__(site)


def _started(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a nursery, which ends when its standard input does: with this process, however that ends."""
    nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  what the user named
    assert nursery.stdout is not None
    atexit.register(_end, nursery, Path(command[-1]).parent)
    if not nursery.stdout.readline():
        raise DriverDiedError(f"{shlex.join(command)} ended with {nursery.wait()} before it could be asked.")
    return nursery


def _end(nursery: "subprocess.Popen[bytes]", folder: Path) -> None:
    with nursery:
        assert nursery.stdin is not None
        nursery.stdin.close()
    shutil.rmtree(folder, ignore_errors=True)


def command_of(uri: str) -> Sequence[str]:
    """Give the command that hosts the driver. Raises ValueError for a URI that names none, or where Cinder is not."""
    driver, _, query = uri.removeprefix(SCHEME).partition("?")
    if not uri.startswith(SCHEME) or not _CLASS.fullmatch(driver):
        raise ValueError(
            f"{uri!r} names no Cinder driver; write {SCHEME}cinder.volume.drivers.solidfire.SolidFireDriver, "
            "with ?option=value behind it for options of its section in cinder.conf."
        )
    options = [f"{name}={value}" for name, value in parse_qsl(query, keep_blank_values=True)]
    return [python_with_cinder(os.environ), "-P", str(HERE / "boot.py"), driver, *options]


def become(uri: str, port: int) -> NoReturn:
    """Turn this process into the one that hosts the driver. Raises ValueError as above."""
    command = [*command_of(uri), "--port", str(port)]
    os.execv(command[0], command)  # noqa: S606  no shell, and what the user named
