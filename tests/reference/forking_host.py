"""A process that has read everything a driver needs, and forks a driver's process for each line that it is sent.

A line is JSON: {"folder": …, "number": …, "dies_at": [label, fault] or null}. Each life answers with a line that says
where it can be asked and which process it is. It numbers the calls that no socket of the lab shows, of the export and
of the catalog, in a file of the folder, and kills itself (SIGKILL) in the one that it was told.
"""

import functools
import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from snapproof.commands.host import HastyClock, site_of
from snapproof.driver import DriverUnderTest
from snapproof.drivers.contract import SiteMessage
from snapproof.drivers.hosting import Hosting
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.serving import serve

T = TypeVar("T")
CLOCK, LOG = "clock", "driver.log"


class DeadlyPoint:
    """Numbers calls, and ends this process in one of them as nothing can be ended more suddenly."""

    def __init__(self, path: Path, dies_at: tuple[str, str] | None) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        self._dies_at = dies_at
        self._counts = Counter[str]()

    def cross(self, service: str, method: str, perform: Callable[[], T], *, refuse: Callable[[str], T]) -> T:
        """Perform a call, if it is not the last one."""
        self._counts[f"{service}.{method}"] += 1
        label = f"{service}.{method}#{self._counts[f'{service}.{method}']}"
        os.write(self._file, f"{label}\n".encode())
        self._end_if(label, "crash_before")
        try:
            return perform()
        finally:
            self._end_if(label, "crash_after")

    def reach(self, service: str, point: str) -> None:
        """Nobody else is here."""

    def _end_if(self, label: str, fault: str) -> None:
        if self._dies_at == (label, fault):
            os.kill(os.getpid(), signal.SIGKILL)


class Watched:
    """A directory of the export, or a file that is being written there, whose verbs pass the point."""

    def __init__(self, inner: object, point: DeadlyPoint, verbs: frozenset[str]) -> None:
        self._inner, self._point, self._verbs = inner, point, verbs

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._inner, name)
        return functools.partial(self._passed, name, verb) if name in self._verbs else verb

    def _passed(self, name: str, verb: Callable[..., Any], *given: Any) -> Any:
        found = self._point.cross("nfs", name, lambda: verb(*given), refuse=_never)
        return Watched(found, self._point, frozenset({"close"})) if name == "create" else found


OF_AN_EXPORT = frozenset({"make_directories", "create", "open", "rename", "delete", "delete_directory", "list", "size"})


def _never(name: str) -> Any:
    raise AssertionError(f"Nobody refuses {name}.")


class ToldClock(HastyClock):
    """The machine's time, moved on by as much as the lab has written down."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._path = folder / CLOCK

    def time(self) -> float:
        """Now, for this driver."""
        return super().time() + float(self._path.read_text() if self._path.exists() else 0)


def live(folder: Path, number: int, dies_at: tuple[str, str] | None) -> None:
    """Be a driver until somebody kills this process."""
    os.dup2(os.open(folder / LOG, os.O_CREAT | os.O_APPEND | os.O_WRONLY), sys.stderr.fileno())
    point = DeadlyPoint(folder / f"calls-{number}", dies_at)

    def start(message: SiteMessage) -> DriverUnderTest:
        site = site_of(message)
        export: Any = Watched(site.export, point, OF_AN_EXPORT)
        return ReferenceDriver(replace(site, export=export, call_point=point, clock=ToldClock(folder)))

    with serve(Hosting(start), blocking=True) as server:
        sys.stdout.write(json.dumps({"url": server.url, "pid": os.getpid()}) + "\n")
        sys.stdout.flush()
        while True:
            signal.pause()


def main() -> None:
    """Fork for each line; nobody waits for those who died."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        told = json.loads(line)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            live(Path(told["folder"]), told["number"], told["dies_at"] and tuple(told["dies_at"]))


if __name__ == "__main__":
    main()
