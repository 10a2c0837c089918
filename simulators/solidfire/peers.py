"""The clusters that can reach one another: the only way from one simulated cluster to another, handed in by the wiring.

What they say to each other over it is in pairs.py and replication.py.
"""

import threading
from typing import Generic, Protocol, TypeVar


class _Named(Protocol):
    @property
    def uuid(self) -> str:
        """What tells clusters apart, whatever they are called and wherever they are reached."""


C = TypeVar("C", bound=_Named)


class Peers(Generic[C]):
    """Clusters by UUID, and which of them are cut off. All share one lock, so that none waits for another for ever."""

    def __init__(self, *, latency_ms: int = 1) -> None:
        self.lock = threading.RLock()
        self.latency_ms = latency_ms
        self._clusters: dict[str, C] = {}
        self._cut_off: set[str] = set()

    def join(self, cluster: C) -> None:
        """Let the others find this cluster."""
        self._clusters[cluster.uuid] = cluster

    def find(self, uuid: str) -> C | None:
        """Find a cluster, cut off or not; None for one of another world."""
        found = self._clusters.get(uuid)
        return found if found and found.uuid == uuid else None

    def cut_off(self, uuid: str) -> None:
        """Take a cluster's replication network away."""
        self._cut_off.add(uuid)

    def reconnect(self, uuid: str) -> None:
        """Give it back."""
        self._cut_off.discard(uuid)

    def connected(self, one: str, other: str) -> bool:
        """Say whether two clusters reach each other now."""
        return not self._cut_off & {one, other}
