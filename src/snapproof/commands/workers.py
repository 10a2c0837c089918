"""Who runs the cases of a campaign: this process, several of this machine, or dask's workers.

Which cases there are is not known here.
"""

import gc
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import repeat

from snapproof.campaign.exploring import RunAll, WorkerDiedError
from snapproof.campaign.running import Case, not_tried
from snapproof.campaign.running import run as run_schedule
from snapproof.campaign.schedule import Schedule
from snapproof.commands.cluster import on_cluster
from snapproof.driver import OutsideFactory
from snapproof.fixtures.campaign_lab import OpenSimulatedLab, lab_opener
from snapproof.lab import NotTestableError
from snapproof.naming import full_name, load_driver


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """On whom, and where: so many processes, or a cluster."""

    driver: str = "reference"
    jobs: int = 1
    cluster: str | None = None


@contextmanager
def workers(where: Where, *, states: bool) -> Iterator[RunAll]:
    """Run schedules here, or on several processes that know how to begin from the driver's name alone."""
    worker = Worker(where.driver, states=states)
    if where.cluster:
        with on_cluster(where.cluster, worker) as run_all:
            yield run_all
    elif where.jobs == 1:
        yield lambda schedules: map(worker, schedules)
    else:
        with _pool(where.jobs) as pool:
            yield lambda schedules: _run_all(pool, worker, schedules, jobs=where.jobs)


@contextmanager
def _pool(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """Give processes. Unlike multiprocessing's own pool this one notices when one of them is gone."""
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_ignore_interrupts)
    try:
        yield pool
    except KeyboardInterrupt:
        for process in multiprocessing.active_children():  # who has had enough waits for no case that hangs
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _run_all(
    pool: ProcessPoolExecutor, worker: "Worker", schedules: Sequence[Schedule], *, jobs: int
) -> Iterator[Case]:
    """Run them in order. Who died was in one of the first that are not done, since that is the order of handing out."""
    futures: list[Future[Case]] = []
    try:
        futures.extend(pool.submit(worker, schedule) for schedule in schedules)
        for future in futures:
            yield future.result()
    except BrokenProcessPool as error:
        failures = [*(future.exception() for future in futures), *repeat(error, len(schedules) - len(futures))]
        undone = [schedule for schedule, failure in zip(schedules, failures, strict=True) if failure]
        raise WorkerDiedError(undone[:jobs]) from error


class Worker:
    """Runs schedules for a driver, each in a world of its own; can be sent to another process."""

    def __init__(self, driver: str, *, states: bool) -> None:
        self._driver = full_name(driver)
        self._states = states
        self._cannot: dict[tuple[str, str], str] = {}  # why not, by call and kind: to find out costs a lab

    def __call__(self, schedule: Schedule) -> Case:
        """Run it, unless the lab cannot do this to the driver. Raises NotTestableError if not even without faults."""
        cells = [(call.partition("#")[0], kind) for call, kind in schedule.faults]
        if reason := next((self._cannot[cell] for cell in cells if cell in self._cannot), ""):
            return not_tried(schedule, reason)
        try:
            case = run_schedule(schedule, opener_of(self._driver), states=self._states)
        except NotTestableError as error:
            if not cells:
                raise
            if len(cells) == 1:  # of several it is not told which it was
                self._cannot[cells[0]] = str(error)
            return not_tried(schedule, str(error))
        _spare_what_lasts()
        return case


@cache
def opener_of(driver: str) -> OpenSimulatedLab:
    """Give what opens labs for a driver by its full name. Each is loaded once: that can take longer than a case."""
    return lab_opener(_loaded(driver))


def is_outside(driver: str) -> bool:
    """Say whether a driver lives outside this process, where its files and commits are its own and seen by nobody."""
    return isinstance(_loaded(driver), OutsideFactory)


_loaded = cache(load_driver)


@cache
def _spare_what_lasts() -> None:
    """What a first case has imported and compiled stays: the collector need not look at it behind all others."""
    gc.collect()
    gc.freeze()


def _ignore_interrupts() -> None:
    """Ctrl-C is for the process that the user sees; it ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
