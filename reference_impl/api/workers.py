"""Threads that carry out accepted jobs, those of every account in turn, and now and then what nobody waits for.

What a job is and how it ends is the driver's business.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from snapproof.driver import DriverError
from snapproof.reference_impl.api.accepting import ServedDriver
from snapproof.vocabulary import OperationId

LOG = logging.getLogger("snapproof.workers")
PAUSE_S = 5.0
"""How long a job rests that was carried on and has not ended."""

TENDING = OperationId("tending")
"""What stands for all that nobody waits for among the jobs in hand."""


class Workers:
    """Carries out jobs until it is closed.

    No account has more than `of_one_max` jobs in hand, so that a flood of one leaves room for the others (R-163).
    """

    def __init__(self, driver: ServedDriver, *, threads: int = 4, of_one_max: int = 2, every_s: float = 0.5) -> None:
        self._driver, self._hands = driver, driver.hands
        self._of_one_max, self._every_s, self._threads = of_one_max, every_s, threads
        self._clock = driver.site.clock
        self._tend_from_s = 0.0
        self._resting: dict[OperationId, float] = {}
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(threads + 1, thread_name_prefix="api worker")
        self._watcher = threading.Thread(target=self._watch, name="api watcher", daemon=True)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def wake(self) -> None:
        """Look at once what there is to do."""
        with self._hands.changed:
            self._hands.changed.notify_all()

    def stop(self) -> None:
        """Begin nothing more."""
        self._over.set()
        self.wake()

    def close(self) -> None:
        """Begin nothing more, and wait for what is in hand."""
        self.stop()
        self._watcher.join()
        self._pool.shutdown(wait=True)

    def _watch(self) -> None:
        while not self._over.is_set():
            now = self._clock.time()
            if self._tend_from_s <= now:
                self._tend_from_s = now + self._every_s
                self._take_up(TENDING, "", lambda _job: self._driver.tend())
            waiting = [(job, account) for job, account in self._driver.waiting() if self._resting.get(job, 0) <= now]
            for job, account in choose(waiting, self._hands.jobs(), threads=self._threads, of_one_max=self._of_one_max):
                self._resting[job] = now + PAUSE_S  # one that cannot end now is not hammered at
                self._take_up(job, account, self._driver.carry_on)
            with self._hands.changed:
                self._hands.changed.wait(self._every_s)

    def _take_up(self, job: OperationId, account: str, act: Callable[[OperationId], None]) -> None:
        if self._hands.take(job, account):
            self._pool.submit(self._work, job, act)

    def _work(self, job: OperationId, act: Callable[[OperationId], None]) -> None:
        try:
            act(job)
        except DriverError:
            LOG.exception("%s could not be brought to an end now; it is tried again", job)
        finally:
            self._hands.let_go(job)


def choose(
    waiting: Sequence[tuple[OperationId, str]], in_hand: Mapping[OperationId, str], *, threads: int, of_one_max: int
) -> Sequence[tuple[OperationId, str]]:
    """Choose the jobs to take up: the oldest first, no account beyond its share, no more than there are hands."""
    shares = Counter(account for job, account in in_hand.items() if job != TENDING)
    chosen: list[tuple[OperationId, str]] = []
    for job, account in waiting:
        if job not in in_hand and shares[account] < of_one_max and shares.total() < threads:
            shares[account] += 1
            chosen.append((job, account))
    return chosen
