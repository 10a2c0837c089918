"""Waiting that can be interrupted: who cancels a job reaches it in whatever it waits for. Who that is, is not here."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from snapproof.site import Clock

LONGEST_PAUSE_S = 30.0


def pause_s(clock: Clock, *, began_s: float, deadline_s: float, least_s: float) -> float:
    """How long to wait before asking again: a twentieth of what it has taken, no longer than the wait may last."""
    now_s = clock.time()
    return min(max(least_s, min((now_s - began_s) / 20, LONGEST_PAUSE_S)), max(deadline_s - now_s, 0.001))


class WatchedClock:
    """The site's clock. While a thread waits under a watch, the watch is asked after each wait, and may raise."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._watches = threading.local()

    def time(self) -> float:
        """Seconds since the Unix epoch, UTC."""
        return self._clock.time()

    def sleep(self, seconds: float) -> None:
        """Let time pass, then ask the watch."""
        self._clock.sleep(seconds)
        watch: Callable[[], None] | None = getattr(self._watches, "now", None)
        if watch is not None:
            watch()

    @contextmanager
    def watched(self, watch: Callable[[], None]) -> Iterator[None]:
        """Ask this watch now, and after each wait of this thread until the context ends.."""
        before = getattr(self._watches, "now", None)
        watch()
        self._watches.now = watch
        try:
            yield
        finally:
            self._watches.now = before
