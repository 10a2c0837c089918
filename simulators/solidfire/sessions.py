"""An initiator's open door to a volume: the block device that a host reads and writes until the array shuts it.

Who may open one is decided in array.py. What passes through is counted, for the volume and for the cluster.
"""

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from snapproof.simulators.blocks import BLOCK_BYTES, BlockVolume

SAMPLE_S = 0.5
"""Over how long the figures of the last sample are taken."""

_NOTHING = (0, 0, 0, 0)


class Counters(msgspec.Struct, gc=False):
    """What hosts read and wrote so far; the counts of the sample that runs, and of the whole one before it."""

    read_ops: int = 0
    read_bytes: int = 0
    write_ops: int = 0
    write_bytes: int = 0
    unaligned_reads: int = 0
    unaligned_writes: int = 0
    last_s: float = 0.0
    sample: int = 0
    before: tuple[int, int, int, int] = _NOTHING
    """The totals when the running sample began."""
    last: tuple[int, int, int, int] = _NOTHING
    """What the sample before it counted."""
    peak_ops: int = 0
    """The most operations of any sample that is over."""

    def count(self, now_s: float, *, wrote: bool, offset: int, length: int) -> None:
        """Count one operation."""
        self._turn(int(now_s / SAMPLE_S))
        unaligned = bool(offset % BLOCK_BYTES or length % BLOCK_BYTES)
        if wrote:
            self.write_ops += 1
            self.write_bytes += length
            self.unaligned_writes += unaligned
        else:
            self.read_ops += 1
            self.read_bytes += length
            self.unaligned_reads += unaligned
        self.last_s = now_s

    def last_sample(self, now_s: float) -> tuple[int, int, int, int]:
        """Read operations and bytes, write operations and bytes of the last whole sample."""
        self._turn(int(now_s / SAMPLE_S))
        return self.last

    def _turn(self, sample: int) -> None:
        if sample == self.sample:
            return
        totals = (self.read_ops, self.read_bytes, self.write_ops, self.write_bytes)
        reads, read_bytes, writes, write_bytes = self.before
        counted = (totals[0] - reads, totals[1] - read_bytes, totals[2] - writes, totals[3] - write_bytes)
        self.last = counted if sample == self.sample + 1 else _NOTHING
        self.peak_ops = max(self.peak_ops, counted[0] + counted[2])
        self.before, self.sample = totals, sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ChapUsed:
    """How an initiator proved itself."""

    username: str
    algorithm: str
    mutual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Who opened a session to what, when, from where, and what opened the door: an account's CHAP, or a group."""

    number: int
    initiator: str
    volume_id: int
    iqn: str
    opened_s: float
    port: str = ""
    """The initiator's port where it came over iSCSI; one initiator may have several."""
    address: str = "127.0.0.1:0"
    account_id: int = 0
    """The account whose CHAP secret opened the door; 0 where an access group did."""
    chap: "ChapUsed | None" = None

    @property
    def key(self) -> str:
        """What tells the sessions of a volume apart."""
        return self.port or self.initiator


class Session:
    """A logged-in LUN. Once dropped, by a delete, a lock or a revoked access, every read and write is an I/O error."""

    __slots__ = (
        "_before_write", "_counters", "_disk", "_dropped", "_now", "_tell", "_writable", "last_s", "opening",
    )  # fmt: skip

    def __init__(
        self,
        disk: BlockVolume,
        opening: Opening,
        *,
        writable: bool,
        counters: tuple[Counters, ...] = (),
        now: Callable[[], float],
        before_write: Callable[[], None] = lambda: None,
    ) -> None:
        self._disk = disk
        self.opening = opening
        self._writable = writable
        self._counters = counters
        self._now, self._before_write = now, before_write
        self._dropped = ""
        self._tell: Callable[[], None] = lambda: None
        self.last_s = opening.opened_s

    @property
    def size_bytes(self) -> int:
        """The size of the volume as it is now: growing is seen at once."""
        return self._open_disk().size_bytes

    @property
    def writable(self) -> bool:
        """Whether the volume may be written."""
        return self._writable

    @property
    def open(self) -> bool:
        """Whether reads still reach the volume."""
        return not self._dropped

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises OSError (EIO) once the session was dropped."""
        content = self._open_disk().read(offset, length)
        self._count(offset, length, wrote=False)
        return content

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data`. Raises OSError: EIO once the session was dropped, EROFS on a read-only volume."""
        self._writable_disk().write(offset, data)
        self._count(offset, memoryview(data).nbytes, wrote=True)

    def discard(self, offset: int, length: int) -> None:
        """Let a range read as zeros. Raises OSError as `write` does."""
        self._writable_disk().discard(offset, length)
        self.last_s = self._now()

    def extents(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield the written ranges."""
        return iter(self._open_disk().extents(start, end))

    def drop(self, reason: str) -> None:
        """Shut the door for good, for a reason that every later I/O error repeats."""
        self._dropped = reason
        self._tell()

    def on_drop(self, tell: Callable[[], None]) -> None:
        """Call `tell` when the door is shut; at once if it is already."""
        self._tell = tell
        if self._dropped:
            tell()

    def _writable_disk(self) -> BlockVolume:
        self._before_write()
        disk = self._open_disk()
        if not self._writable:
            raise OSError(errno.EROFS, f"The volume behind {self.opening.iqn} is read-only for hosts.")
        return disk

    def _count(self, offset: int, length: int, *, wrote: bool) -> None:
        self.last_s = now_s = self._now()
        for counters in self._counters:
            counters.count(now_s, wrote=wrote, offset=offset, length=length)

    def _open_disk(self) -> BlockVolume:
        if self._dropped:
            raise OSError(errno.EIO, f"The session to {self.opening.iqn} was dropped: {self._dropped}.")
        return self._disk
