"""What every image is to the others: a disk that can be read, and how far a copy has come. No format is known here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

PIECE_BYTES = 1 << 20
"""How much of a disk is in memory at once."""

GRAIN_BYTES = 64 << 10
"""Runs of zeros are looked for in steps of this size."""

_ZEROS = bytes(GRAIN_BYTES)
"""To compare with: `_ZEROS.startswith(view)` is one memcmp, which ends at the first byte that is not zero."""


class ImageError(Exception):
    """The file is not the image that it was declared to be, or the disk fits no image of the format asked for."""


class ReadableDisk(Protocol):
    """A disk: an opened image, a volume of the block store, a snapshot of one."""

    @property
    def size_bytes(self) -> int:
        """The size of the disk, not of any file."""

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes."""

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of all that may differ from zero, ascending and merged."""


class WritableDisk(ReadableDisk, Protocol):
    """A disk to copy onto."""

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a copy has come: of all bytes that may differ from zero, those that were looked at."""

    done_bytes: int
    total_bytes: int

    @property
    def fraction(self) -> float:
        """From 0 to 1; 1 when there was nothing to do."""
        return self.done_bytes / self.total_bytes if self.total_bytes else 1.0


class WithoutZeros:
    """The same disk, whose extents leave out every grain of zeros. It finds them by reading, each time anew."""

    def __init__(self, disk: ReadableDisk) -> None:
        self._disk = disk

    @property
    def size_bytes(self) -> int:
        return self._disk.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        return self._disk.read(offset, length)

    def extents(self) -> Iterator[tuple[int, int]]:
        first = last = 0
        for offset, piece in pieces(self._disk):
            for start, end in filled(piece):
                if offset + start != last:
                    if first != last:
                        yield first, last - first
                    first = offset + start
                last = offset + end
        if first != last:
            yield first, last - first


def pieces(disk: ReadableDisk) -> Iterator[tuple[int, bytes]]:
    """Read all extents in bounded pieces; those after the first of an extent start at multiples of PIECE_BYTES."""
    for offset, length in disk.extents():
        at, end = offset, offset + length
        while at < end:
            stop = min(end, (at // PIECE_BYTES + 1) * PIECE_BYTES)
            yield at, disk.read(at, stop - at)
            at = stop


def filled(piece: bytes) -> Iterator[tuple[int, int]]:
    """Yield `(start, end)` of the runs of grains that hold something."""
    first = last = 0
    view = memoryview(piece)
    for start in range(0, len(piece), GRAIN_BYTES):
        grain = view[start : start + GRAIN_BYTES]
        if not _ZEROS.startswith(grain):
            if start != last:
                if first != last:
                    yield first, last
                first = start
            last = start + len(grain)
    if first != last:
        yield first, last


def copy(source: ReadableDisk, target: WritableDisk) -> Iterator[Progress]:
    """Make the target read like the source, and zero beyond it; zeros are not written where the target has none else.

    Raises ImageError for a target that is smaller, before anything is written.
    """
    if source.size_bytes > target.size_bytes:
        raise ImageError(f"A disk of {source.size_bytes} bytes does not fit one of {target.size_bytes} bytes.")
    total = sum(length for _, length in source.extents())
    for offset, length in list(target.extents()):
        for start in range(offset, offset + length, PIECE_BYTES):
            target.write(start, bytes(min(PIECE_BYTES, offset + length - start)))
    done = 0
    yield Progress(done_bytes=done, total_bytes=total)
    for offset, piece in pieces(source):
        for start, end in filled(piece):
            target.write(offset + start, piece[start:end])
        done += len(piece)
        yield Progress(done_bytes=done, total_bytes=total)
