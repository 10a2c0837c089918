"""`cinder://CLASS?option=value`: a Cinder driver class, hosted by the bridge in the environment that has Cinder.

It is `cmd:` of the bridge and nothing else, so it is judged like any driver in a process of its own.
"""

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qsl

from snapproof.drivers.cinder.shelf import python_with_cinder
from snapproof.drivers.outside import CommandDriver

SCHEME = "cinder://"
_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


class CinderDriver(CommandDriver):
    """A driver by its class, as `volume_driver` in cinder.conf names it."""

    def __init__(self, uri: str) -> None:
        super().__init__(f"cmd:{shlex.join(command_of(uri))}")


def command_of(uri: str) -> Sequence[str]:
    """Give the command that hosts the driver. Raises ValueError for a URI that names none, or where Cinder is not."""
    driver, _, query = uri.removeprefix(SCHEME).partition("?")
    if not uri.startswith(SCHEME) or not _CLASS.fullmatch(driver):
        raise ValueError(
            f"{uri!r} names no Cinder driver; write {SCHEME}cinder.volume.drivers.solidfire.SolidFireDriver, "
            "with ?option=value behind it for options of its section in cinder.conf."
        )
    options = [f"{name}={value}" for name, value in parse_qsl(query, keep_blank_values=True)]
    boot = Path(__file__).with_name("boot.py")
    return [python_with_cinder(os.environ), "-P", str(boot), driver, *options]


def become(uri: str, port: int) -> NoReturn:
    """Turn this process into the one that hosts the driver. Raises ValueError as above."""
    command = [*command_of(uri), "--port", str(port)]
    os.execv(command[0], command)  # noqa: S606  no shell, and what the user named
