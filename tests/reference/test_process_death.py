"""A driver that is really killed: a process of its own, real sockets and TLS, SIGKILL in the middle of a call.

Calls of arrays, hosts and buckets end their caller where they arrive; calls of the export and commits of the catalog,
which no socket of the lab shows, end it where they are made. A sample of them runs always;
`SNAPPROOF_ALL_DEATHS=1` runs every call of every workflow of the campaign.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from snapproof.campaign.running import Case, run
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.together import bare
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.driver import DriverKilledError, DriverUnderTest
from snapproof.drivers.contract import message_of
from snapproof.drivers.outside import Ending, MachineClock
from snapproof.drivers.remote import UnansweredError, begin, over_socket
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.lab import SimulatedLab
from snapproof.lab import Outcome
from snapproof.reference_impl.configuring import FILE
from snapproof.site import Site

SEED = 11
ALL = bool(os.environ.get("SNAPPROOF_ALL_DEATHS"))
DEATHS = 3
"""How many deaths of a workflow are drawn where not all are died."""
OF_STORES = ("take-secondary", "delete-secondary", "archive", "restore-secondary")
"""The workflows that use a bucket otherwise than an export; the rest is tried on the export alone."""
SAMPLED = ("take-secondary", "delete-secondary", "archive")
DEATH_S = 5.0
HOST = Path(__file__).with_name("forking_host.py")


class Nursery:
    """Where drivers' processes are forked from."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def life(self, folder: Path, number: int, dies_at: tuple[str, str] | None) -> tuple[str, int]:
        """Fork one; give where it can be asked, and its number."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps({"folder": str(folder), "number": number, "dies_at": dies_at}) + "\n")
        self._parent.stdin.flush()
        told = json.loads(self._parent.stdout.readline())
        return told["url"], told["pid"]

    def close(self) -> None:
        """Fork no more."""
        self._parent.communicate()


class Forked:
    """Starts the reference driver in processes of their own; the first of them may be told in which call to die."""

    killable = True

    def __init__(self, nursery: Nursery, catalog_url: str | None, dies_at: tuple[str, str] | None = None) -> None:
        self._nursery, self._catalog_url, self._dies_at = nursery, catalog_url, dies_at
        self._pid = self._lives = 0

    def __call__(self, site: Site) -> DriverUnderTest:
        if self._catalog_url:
            (site.state_directory / FILE).write_text(f"snapshot.catalog.url = {self._catalog_url}\n")
        self._lives += 1
        dies_at = self._dies_at if self._lives == 1 else None
        url, self._pid = self._nursery.life(site.state_directory, self._lives, dies_at)
        driver = begin(over_socket(url), message_of(site), clock=MachineClock(), explain=self._explain)
        return cast("DriverUnderTest", Ending(driver, cast("Any", self)))

    def kill(self) -> None:
        """As the lab's faults want it."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """End a life that nobody needs any more, no gentler."""
        self.kill()

    def _explain(self, complaint: UnansweredError) -> BaseException:
        """A process that does not answer must be dead by now: nothing else ends it than what was meant to."""
        for _ in range(int(DEATH_S * 100)):
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                return DriverKilledError(str(complaint))
            threading.Event().wait(0.01)
        return AssertionError(f"The driver lives and does not answer: {complaint}")


class Deaths:
    """The deaths of one workflow: which there are, and what the next life makes of one."""

    def __init__(self, nursery: Nursery, workflow: str, store: str, catalogs: Callable[[], Any]) -> None:
        self._nursery, self._catalogs = nursery, catalogs
        self._clean = bare(workflow, store, seed=SEED)
        self._inner: Sequence[str] = ()

    def all(self) -> Sequence[tuple[str, str]]:
        """Each call of the clean run, before its effect and after it."""
        case = self._run(self._clean, None)
        assert (case.ending, case.violations) == ("succeeded", ()), case
        labels = [*case.calls, *self._inner]
        return [(label, fault) for label in labels for fault in ("crash_before", "crash_after")]

    def die(self, label: str, fault: str) -> None:
        """Kill the first life in one call, and see what its next one makes of that."""
        inner = label.startswith(("nfs.", "catalog."))
        faults = () if inner else ((label, fault),)
        case = self._run(replace(self._clean, faults=faults), (label, fault) if inner else None)
        assert case.violations == (), f"{label}={fault} of {self._clean}"
        assert case.ending == "crashed", f"{label}={fault} of {self._clean} ended otherwise: {case.ending}"

    def _run(self, schedule: Schedule, dies_at: tuple[str, str] | None) -> Case:
        with self._catalogs() as url:
            driver = Forked(self._nursery, url, dies_at)

            @contextmanager
            def opened(asked: Schedule) -> Iterator[SimulatedLab]:
                with lab_opener(driver)(asked) as lab:
                    self._follow(lab)
                    yield lab

            return run(schedule, opened)

    def _follow(self, lab: SimulatedLab) -> None:
        """Tell the driver how much time has passed in the lab, and note which calls its act made out of our sight."""
        folder, advance, watch, attempt = lab._state_directory, lab.advance, lab.watch_calls, lab.attempt
        moved, noting = [0.0], list[int]()

        def advanced(seconds: float, *, for_the_driver: bool = False) -> None:  # noqa: ARG001  its clock is this one
            advance(seconds)
            moved[0] += seconds
            (folder / "clock").write_text(str(moved[0]))

        def watched() -> None:
            watch()
            noting.append(len(self._calls_of_first(folder)))

        def attempted(verb: Callable[[DriverUnderTest], Any]) -> Outcome[Any]:
            """The first attempt after the calls began to be watched is the act."""
            outcome = attempt(verb)
            if noting:
                self._inner = self._calls_of_first(folder)[noting.pop() :]
            return outcome

        lab.advance, lab.watch_calls, lab.attempt = advanced, watched, attempted  # type: ignore[method-assign]  # of this lab alone

    @staticmethod
    def _calls_of_first(folder: Path) -> Sequence[str]:
        return (folder / "calls-1").read_text().splitlines()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@contextmanager
def in_a_file() -> Iterator[None]:
    """The driver's own default: SQLite in its state directory."""
    yield None


def chosen(deaths: Sequence[tuple[str, str]], drawn_for: str) -> Sequence[tuple[str, str]]:
    return deaths if ALL else random.Random(f"deaths of {SEED} of {drawn_for}").sample(deaths, DEATHS)


PLACES = [(name, "nfs") for name in WORKFLOWS] + [(name, "s3") for name in OF_STORES]


@pytest.mark.timeout(0 if ALL else 300)
@pytest.mark.parametrize(("workflow", "store"), PLACES if ALL else [(name, "nfs") for name in SAMPLED] + PLACES[-1:])
def test_a_killed_driver_is_taken_up_by_its_next_life(nursery: Nursery, workflow: str, store: str) -> None:
    deaths, began_s = Deaths(nursery, workflow, store, in_a_file), time.monotonic()
    died = chosen(deaths.all(), f"{workflow} on {store}")
    for label, fault in died:
        deaths.die(label, fault)
    sys.stdout.write(
        f"{workflow} on {store}: {len(died)} deaths in {time.monotonic() - began_s:.0f} s, all recovered\n"
    )


@pytest.mark.real
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_killed_driver_is_taken_up_where_its_catalog_is_on_a_server(
    nursery: Nursery, kind: str, servers: Any, tmp_path: Path
) -> None:
    """The server ends the transaction that its client was killed in, and lets go of its locks."""
    deaths = Deaths(nursery, "take-secondary", "nfs", lambda: servers.database(kind, tmp_path))
    of_commits = [death for death in deaths.all() if death[0].startswith("catalog.")]
    for label, fault in [*chosen(deaths.all(), kind)[:DEATHS], *chosen(of_commits, kind)[:DEATHS]]:
        deaths.die(label, fault)
