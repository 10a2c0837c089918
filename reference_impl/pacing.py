"""Keeping within what a server may use: turns for its copies, and a pace for its bytes. Hosts copy at their own."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from snapproof.site import Clock, Directory, ReadableFile, WritableFile

WINDOW_S = 60.0
"""Over how long a rate is reckoned."""

LOOK_AGAIN_S, LOOK_AGAIN_S_MAX = 1.0, 30.0
"""How long those who wait for a turn sleep before they look again: the first of them, and whoever has long to wait."""


SHORTEST_S = 0.001


class Turns:
    """At most so many at once. Whoever waits sleeps on the clock, so threads and greenlets are served alike."""

    def __init__(self, clock: Clock, most: Callable[[], int]) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self.taken = 0
        self._queue: list[str] = []

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._queue)

    def queue(self) -> list[str]:
        """The jobs that wait, those first that asked first."""
        return list(self._queue)

    @contextmanager
    def turn(self, job: str = "") -> Iterator[None]:
        """Wait for a turn and hold it."""
        if not self._take():
            with self._lock:
                self._queue.append(job)
            try:
                while not self._take():
                    self._clock.sleep(self._pause_s(job))
            finally:
                with self._lock:
                    self._queue.remove(job)
        try:
            yield
        finally:
            with self._lock:
                self.taken -= 1

    def _pause_s(self, job: str) -> float:
        """The longer, the more have to have their turn before: thousands who look every second do nothing else."""
        with self._lock:
            rounds = 1 + self._queue.index(job) // max(1, self._most())
        return min(rounds * LOOK_AGAIN_S, LOOK_AGAIN_S_MAX)

    def _take(self) -> bool:
        with self._lock:
            free = self.taken < self._most()
            self.taken += free
            return free


class Tempo:
    """At most so many calls in any second; whoever comes too early sleeps until his moment."""

    def __init__(self, clock: Clock, most: Callable[[], int]) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self._moments_s: deque[float] = deque()

    def beat(self) -> None:
        """Let a call be made, now or as soon as there is room for it."""
        while (pause_s := self._early_s()) > 0:
            self._clock.sleep(pause_s)

    def _early_s(self) -> float:
        """How long it is too early for another call; where it is not, note the call."""
        with self._lock:
            now_s = self._clock.time()
            if self._moments_s and self._moments_s[-1] > now_s:
                self._moments_s.clear()  # somebody has set the clock back
            while self._moments_s and self._moments_s[0] <= now_s - 1:
                self._moments_s.popleft()
            if len(self._moments_s) >= self._most():
                return max(self._moments_s[0] + 1 - now_s, SHORTEST_S)
            self._moments_s.append(now_s)
            return 0.0


class Pace:
    """So many bytes a second; nought is no bound. It knows what went through in all, and in the last minute."""

    def __init__(self, clock: Clock, bandwidth: Callable[[], int]) -> None:
        self._clock = clock
        self._bandwidth = bandwidth
        self.moved_bytes = 0
        self._lately: deque[tuple[float, int]] = deque()

    def keep(self, size_bytes: int) -> None:
        """Let as much time pass as these bytes need."""
        self.moved_bytes += size_bytes
        self._remember(size_bytes)
        if bandwidth := self._bandwidth():
            self._clock.sleep(size_bytes / bandwidth)

    def bytes_per_second(self) -> float:
        """How many went through in the last minute, by the second."""
        self._forget()
        return sum(size for _, size in self._lately) / WINDOW_S

    def _remember(self, size_bytes: int) -> None:
        """By the second, so that a minute is no more than sixty entries."""
        second = float(int(self._clock.time()))
        before = self._lately.pop()[1] if self._lately and self._lately[-1][0] == second else 0
        self._lately.append((second, before + size_bytes))
        self._forget()

    def _forget(self) -> None:
        since = self._clock.time() - WINDOW_S
        while self._lately and self._lately[0][0] <= since:
            self._lately.popleft()


class _PacedReadable:
    def __init__(self, file: ReadableFile, pace: Pace) -> None:
        self._file = file
        self._pace = pace
        self.close = file.close

    @property
    def size_bytes(self) -> int:
        return self._file.size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        found = self._file.read_at(offset, length)
        self._pace.keep(len(found))
        return found


class _PacedWritable:
    def __init__(self, file: WritableFile, pace: Pace) -> None:
        self._file = file
        self._pace = pace
        self.close = file.close

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._pace.keep(len(data))
        self._file.write(data)


class _PacedDirectory:
    """A directory whose files are read and written at a pace; all its other verbs are what they were."""

    def __init__(self, inner: Directory, pace: Pace) -> None:
        self._inner = inner
        self._pace = pace

    def open(self, path: str) -> ReadableFile:
        return _PacedReadable(self._inner.open(path), self._pace)

    def create(self, path: str) -> WritableFile:
        return _PacedWritable(self._inner.create(path), self._pace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def paced(directory: Directory, pace: Pace) -> Directory:
    """The same directory, at a pace."""
    slow: Any = _PacedDirectory(directory, pace)  # as wide as the directory, whatever verbs it has
    found: Directory = slow
    return found
