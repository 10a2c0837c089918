"""Room for images on their way: no more of them at once in an export's staging directories than may be.

Room is held as long as a job runs. What a job could not clear away yet is not counted: it is a leak, and on record.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from snapproof.driver import LimitExceededError
from snapproof.reference_impl.core.effects import CopyOut, FetchImage, StageImage
from snapproof.reference_impl.core.image import image_bytes_max
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.core.plans import Plan
from snapproof.site import Clock

LOOK_AGAIN_S = 1.0
"""How long somebody who waits for room sleeps before he looks again."""


def staged_bytes(order: Order, plan: Plan, *, downloads: bool) -> int:
    """How much a job can have in staging at most. `downloads` says that backups are fetched there to be restored."""
    needs = [0]
    for step in plan:
        effect = step.effect
        if isinstance(effect, CopyOut):
            needs.append(image_bytes_max(int(getattr(order, "size_bytes", 0))))
        elif isinstance(effect, StageImage) or (downloads and isinstance(effect, FetchImage)):
            needs.append(effect.physical_size_bytes)
    return max(needs)


def require_staging(needed_bytes: int, bytes_max: int) -> None:
    """Refuse what could not be staged even alone; nought is no bound. Raises LimitExceededError."""
    if bytes_max and needed_bytes > bytes_max:
        raise LimitExceededError(
            f"This can take {needed_bytes} bytes for staging, and snapshot.staging.size is {bytes_max}; have it raised."
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Wish:
    job: str
    store: str
    needed_bytes: int


class StagingRoom:
    """Who has room in which image store's staging, in one life. Whoever waits sleeps on the clock."""

    def __init__(self, clock: Clock, bytes_max: Callable[[], int]) -> None:
        self._clock = clock
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._held: list[_Wish] = []
        self._waiting: list[_Wish] = []

    @contextmanager
    def room(self, job: str, store: str, needed_bytes: int) -> Iterator[None]:
        """Wait for room in the order of asking, and hold it. What was begun under a larger bound goes alone."""
        if not needed_bytes:
            yield
            return
        wish = _Wish(job, store, needed_bytes)
        with self._lock:
            self._waiting.append(wish)
        try:
            while not self._take(wish):
                self._clock.sleep(LOOK_AGAIN_S)
            yield
        finally:
            with self._lock:
                for wishes in (self._held, self._waiting):
                    if wish in wishes:
                        wishes.remove(wish)

    def queue(self) -> list[str]:
        """The jobs that wait, those first that asked first."""
        with self._lock:
            return [wish.job for wish in self._waiting]

    def _take(self, wish: _Wish) -> bool:
        with self._lock:
            first = next(other for other in self._waiting if other.store == wish.store)
            held = [other.needed_bytes for other in self._held if other.store == wish.store]
            bytes_max = self._bytes_max()
            full = bytes_max and held and sum(held) + wish.needed_bytes > bytes_max
            if first is not wish or full:
                return False
            self._waiting.remove(wish)
            self._held.append(wish)
            return True
