"""Files of this machine as images need them: read at any place, written in one stream or with holes."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path


class InputFile:
    """A regular file, open for reading. A link to one is followed, for it is the user who names it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size_bytes = os.fstat(self._file).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes; shorter only at the end."""
        parts = []
        while length > 0 and (part := os.pread(self._file, length, offset)):
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def written(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of all that is no hole, as the filesystem knows it; all of it where it does not."""
        end = 0
        while end < self.size_bytes:
            try:
                first = os.lseek(self._file, end, os.SEEK_DATA)
                end = os.lseek(self._file, first, os.SEEK_HOLE)
            except OSError as exc:
                if exc.errno == errno.ENXIO:  # from here on there are only holes
                    return
                if exc.errno != errno.EINVAL:
                    raise
                first, end = end, self.size_bytes
            yield first, min(end, self.size_bytes) - first

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)


class OutputFile:
    """A file that appears under its name when it is whole: written in one stream, where zeros may be skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._file = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes."""
        view = memoryview(data).cast("B")
        while view:
            view = view[os.write(self._file, view) :]

    def skip_to(self, offset: int) -> None:
        """Go on at this place; what is between reads as zeros."""
        os.lseek(self._file, offset, os.SEEK_SET)

    def finish(self, size_bytes: int | None = None) -> None:
        """Make it durable and give it its name; an older file of that name is replaced."""
        if size_bytes is not None:
            os.ftruncate(self._file, size_bytes)
        os.fsync(self._file)
        self.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Throw away what was written."""
        self.close()
        self._part.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file. Twice is fine."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
