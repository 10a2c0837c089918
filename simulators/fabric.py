"""What hosts reach over the network: LUNs of an array (an initiator logs in to a target) and exports of an NFS server.

Array, hypervisor and store never see one another; the wiring hands the hypervisor whatever implements these ports.
"""

from collections.abc import Iterator
from typing import Protocol

from snapproof.site import Directory


class LoginRefusedError(Exception):
    """The target does not exist, is offline, or does not know this initiator."""


class BlockDevice(Protocol):
    """A disk as a host sees it. Offsets and lengths are bytes; unwritten ranges read as zeros."""

    @property
    def size_bytes(self) -> int:
        """The size of the disk."""

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes; reading past the end raises ValueError."""

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data`; writing past the end raises ValueError."""

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of every written range, ascending and merged: what is not in it is zero."""


class Fabric(Protocol):
    """Where hosts find LUNs."""

    def login(self, *, initiator: str, target: str) -> BlockDevice:
        """Open LUN 0 of the target (an IQN) as `initiator` (an IQN). Raises LoginRefusedError with the reason."""

    def accessible(self, *, initiator: str, target: str) -> bool:
        """Say whether a login would succeed now: a volume deleted or moved out of its access group is lost at once."""


class Mounts(Protocol):
    """Which NFS servers a host can mount."""

    def mount(self, url: str) -> Directory:
        """Reach an export, `nfs://server/path` or `server:/path`. Raises OSError when there is none."""
