"""Who runs the cases of a campaign: this process, several of this machine, or dask's workers.

Cases of our own drivers are forked from one arrangement. Which cases there are is not known here.
"""

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from snapproof.campaign.exploring import RunAll
from snapproof.campaign.running import Case
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule
from snapproof.commands.cluster import on_cluster
from snapproof.fixtures.campaign_lab import lab_opener, place_for_labs
from snapproof.fixtures.forked_cases import ForkedCases
from snapproof.selection import full_name, load_driver

OURS = "snapproof.reference_impl."
"""Drivers that hold neither sockets nor threads: their cases are forked from one arrangement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """On whom, and where: so many processes, or a cluster; `fresh` forks nothing."""

    driver: str = "reference"
    jobs: int = 1
    cluster: str | None = None
    fresh: bool = False


@contextmanager
def workers(where: Where, *, states: bool) -> Iterator[RunAll]:
    """Run schedules here, or on several processes that know how to begin from the driver's name alone."""
    with place_for_labs() as place:
        alone = where.fresh or bool(where.cluster)  # dask's workers have threads, and threads are not forked
        worker = Worker(where.driver, place, states=states, fresh=alone)
        if where.cluster:
            with on_cluster(where.cluster, worker) as run_all:
                yield run_all
            return
        if where.jobs == 1:
            with closing(worker):
                yield lambda schedules: map(worker, schedules)
            return
        with multiprocessing.get_context("spawn").Pool(where.jobs, initializer=_ignore_interrupts) as pool:
            yield lambda schedules: pool.imap(worker, schedules, chunksize=4)


class Worker:
    """Runs schedules for a driver; can be sent to another process. What is arranged there goes with `place`."""

    def __init__(self, driver: str, place: Path, *, states: bool, fresh: bool) -> None:
        self._driver = full_name(driver)
        self._place = place
        self._states = states
        self._forked = not fresh and self._driver.startswith(OURS)

    def __call__(self, schedule: Schedule) -> Case:
        """Run it."""
        if self._forked:
            return _forked_cases(self._driver, self._place)(schedule, states=self._states)
        return run_schedule(schedule, lab_opener(load_driver(self._driver)), states=self._states)

    def close(self) -> None:
        """Take down what was arranged in this process."""
        if self._forked:
            _forked_cases(self._driver, self._place).close()


@cache
def _forked_cases(driver: str, place: Path) -> ForkedCases:
    """The arrangement of this process, which every worker that is sent to it finds again."""
    return ForkedCases(load_driver(driver), place)


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that the user sees; it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
