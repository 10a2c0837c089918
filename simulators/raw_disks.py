"""Raw images as disks: a file whose bytes are the disk's, read and written in place; its holes are never looked at.

What is exported of such a disk, or imported onto one, flows in the pieces that the other side asks for.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path


class RawDisk:
    """A BlockDevice on a file of the machine. Close it."""

    __slots__ = ("_file", "_size_bytes")

    def __init__(self, path: Path, *, create_bytes: int | None = None, writable: bool = False) -> None:
        """Open an image, or create one of `create_bytes` zeros where no file may be yet."""
        flags = os.O_RDWR if writable or create_bytes is not None else os.O_RDONLY
        if create_bytes is not None:
            flags |= os.O_CREAT | os.O_EXCL
        self._file = os.open(path, flags | os.O_CLOEXEC, 0o644)
        if create_bytes is not None:
            os.ftruncate(self._file, create_bytes)
        self._size_bytes = os.fstat(self._file).st_size

    @property
    def size_bytes(self) -> int:
        """The size of the file when it was opened."""
        return self._size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises ValueError for a range outside the disk, EIO for a file that shrank."""
        self._refuse_outside(offset, length)
        pieces = []
        while length:
            piece = os.pread(self._file, length, offset)
            if not piece:
                raise OSError(errno.EIO, f"The image was cut off at byte {offset} while it was read")
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write at any alignment. Raises ValueError for a range outside the disk."""
        view = memoryview(data).cast("B")
        self._refuse_outside(offset, len(view))
        while view:
            done = os.pwrite(self._file, view, offset)
            offset, view = offset + done, view[done:]

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of what is no hole, ascending and merged. Zeros that were written count."""
        end = 0
        while end < self._size_bytes:
            try:
                first = os.lseek(self._file, end, os.SEEK_DATA)
            except OSError as error:
                if error.errno == errno.ENXIO:  # nothing but a hole from here on
                    return
                raise
            end = min(os.lseek(self._file, first, os.SEEK_HOLE), self._size_bytes)
            if first < end:
                yield first, end - first

    def close(self) -> None:
        """Let go of the file. Twice is fine."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _refuse_outside(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self._size_bytes:
            raise ValueError(
                f"Bytes {offset} to {offset + length} do not lie within a disk of {self._size_bytes} bytes."
            )
