"""How fast one account may ask: so many requests in each span of time, and then it waits, and nobody else does."""

import threading
from collections import deque

from snapproof.site import Clock


class Pace:
    """Counts the requests of each account over the last span, as CloudStack's throttling does with its own setting."""

    def __init__(self, clock: Clock, *, requests_max: int = 100, span_s: float = 1.0) -> None:
        self._clock, self._requests_max, self._span_s = clock, requests_max, span_s
        self._asked: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait_s(self, account: str) -> float:
        """Count a request, or say how long the account has to wait before its next; nothing is counted then."""
        now = self._clock.time()
        with self._lock:
            asked = self._asked.setdefault(account, deque())
            while asked and asked[0] <= now - self._span_s:
                asked.popleft()
            if len(asked) >= self._requests_max:
                return asked[0] + self._span_s - now
            asked.append(now)
            return 0.0
