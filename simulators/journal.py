"""The two-sided journal: what was asked at the seam and what really happened behind it, in one order.

It keeps facts only: names, ids, counts. Secrets and payloads never enter it, which is why its hash can be published.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import msgspec

Fact: TypeAlias = str | int | bool | None
Watcher: TypeAlias = Callable[["Entry"], None]

_ENCODER = msgspec.json.Encoder(order="sorted")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One line: who did what, and the facts of it. `side` is `call` for the seam, else the world that changed."""

    number: int
    time_s: float
    side: str
    event: str
    facts: Mapping[str, Fact]

    def line(self) -> str:
        """Write the entry as one JSON line with sorted keys, so that equal entries are equal bytes."""
        told = {"n": self.number, "t": round(self.time_s, 6), "side": self.side, "event": self.event, **self.facts}
        return _ENCODER.encode(told).decode()


class Journal:
    """An append-only list of entries that others may watch as it grows."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._watchers: list[Watcher] = []

    def now(self) -> float:
        """The time that the next entry will bear."""
        return self._now()

    def record(self, side: str, event: str, **facts: Fact) -> Entry:
        """Append one entry, show it to every watcher and return it."""
        return self.keep(side, event, facts)

    def keep(self, side: str, event: str, facts: Mapping[str, Fact]) -> Entry:
        """Do as `record` does, with facts that are the journal's from now on."""
        with self._lock:
            entry = Entry(len(self._entries), self._now(), side, event, facts)
            self._entries.append(entry)
        for watch in self._watchers:
            watch(entry)
        return entry

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher` with every entry from now on, in the thread that made it, which may make more meanwhile."""
        self._watchers.append(watcher)

    def since(self, number: int) -> tuple[Entry, ...]:
        """Every entry from this number on; numbers count from 0."""
        return tuple(self._entries[number:])

    def digest(self) -> str:
        """Hash all entries: two runs that did the same have the same digest."""
        sha = hashlib.sha256()
        for entry in self._entries:
            sha.update(entry.line().encode())
        return sha.hexdigest()

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
