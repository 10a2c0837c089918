"""An initiator's open door to a volume: the block device that a host reads and writes until the array shuts it.

Who may open one is decided in array.py.
"""

import errno
from collections.abc import Iterator

from snapproof.simulators.blocks import BlockVolume


class Session:
    """A logged-in LUN. Once dropped, by a delete, a lock or a revoked access, every read and write is an I/O error."""

    __slots__ = ("_disk", "_dropped", "_iqn", "_writable")

    def __init__(self, disk: BlockVolume, *, iqn: str, writable: bool) -> None:
        self._disk = disk
        self._iqn = iqn
        self._writable = writable
        self._dropped = ""

    @property
    def size_bytes(self) -> int:
        """The size of the volume as it is now: growing is seen at once."""
        return self._open_disk().size_bytes

    @property
    def open(self) -> bool:
        """Whether reads still reach the volume."""
        return not self._dropped

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises OSError (EIO) once the session was dropped."""
        return self._open_disk().read(offset, length)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data`. Raises OSError: EIO once the session was dropped, EROFS on a read-only volume."""
        disk = self._open_disk()
        if not self._writable:
            raise OSError(errno.EROFS, f"The volume behind {self._iqn} is read-only for hosts.")
        disk.write(offset, data)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield the written ranges."""
        return iter(self._open_disk().extents())

    def drop(self, reason: str) -> None:
        """Shut the door for good, for a reason that every later I/O error repeats."""
        self._dropped = reason

    def _open_disk(self) -> BlockVolume:
        if self._dropped:
            raise OSError(errno.EIO, f"The session to {self._iqn} was dropped: {self._dropped}.")
        return self._disk
