"""The export as an operating system mounts it: a `Directory` over a real folder, never left by any path or link.

Every path is walked one name at a time from the folder's own descriptor, so that no link inside it leads anywhere.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Not blocking: somebody may have put a pipe there."""


class MountedDirectory:
    """The tree below `root`. Errors are OSError with the number that the system gave."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def make_directories(self, path: str) -> None:
        """Make a directory and its parents; each new name is durable when this returns."""
        with ExitStack() as opened:
            at = self._opened(opened)
            for name in _names(path):
                try:
                    os.mkdir(name, 0o755, dir_fd=at)
                except FileExistsError:
                    at = _enter(opened, at, name)
                    continue
                os.fsync(at)
                at = _enter(opened, at, name)

    def create(self, path: str) -> "MountedFile":
        """Create a file that must not exist yet."""
        with self._parent(path) as (at, name):
            file = os.open(name, _NEW, 0o644, dir_fd=at)
            try:
                return MountedFile(file, os.dup(at))
            except OSError:
                os.close(file)
                raise

    def open(self, path: str) -> "OpenedFile":
        """Open a plain file for reading; a link or a pipe is refused."""
        with self._parent(path) as (at, name):
            file = os.open(name, _READ, dir_fd=at)
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            os.close(file)
            raise OSError(errno.EINVAL, f"{path} is no plain file")
        return OpenedFile(file, found.st_size)

    def rename(self, source: str, target: str) -> None:
        """Move a file, atomically; the new name is durable when this returns."""
        with self._parent(source) as (old_at, old), self._parent(target) as (new_at, new):
            os.rename(old, new, src_dir_fd=old_at, dst_dir_fd=new_at)
            os.fsync(new_at)
            os.fsync(old_at)

    def delete(self, path: str) -> None:
        """Delete one file. What has taken its place is not it: a link is refused, and stays for whoever looks."""
        with self._parent(path) as (at, name):
            if stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            os.unlink(name, dir_fd=at)

    def delete_directory(self, path: str) -> None:
        """Delete one empty directory."""
        with self._parent(path) as (at, name):
            os.rmdir(name, dir_fd=at)

    def list(self, path: str) -> Sequence[str]:
        """Name the entries, directories with a trailing slash."""
        with ExitStack() as opened:
            at = self._opened(opened)
            for name in _names(path):
                at = _enter(opened, at, name)
            with os.scandir(at) as entries:
                return sorted(e.name + "/" if e.is_dir(follow_symlinks=False) else e.name for e in entries)

    def size(self, path: str) -> int:
        """The size of a plain file."""
        file = self.open(path)
        file.close()
        return file.size_bytes

    def _opened(self, opened: ExitStack) -> int:
        at = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, at)
        return at

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the directory that holds the last name of the path."""
        names = _names(path)
        if not names:
            raise IsADirectoryError(errno.EISDIR, "The export itself is no file")
        with ExitStack() as opened:
            at = self._opened(opened)
            for name in names[:-1]:
                at = _enter(opened, at, name)
            yield at, names[-1]


class MountedFile:
    """A file being written in one stream."""

    def __init__(self, file: int, parent: int) -> None:
        self._file: int | None = file
        self._parent = parent

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append all of it; one call of the system may take less."""
        assert self._file is not None, "A closed file takes no bytes."
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]

    def close(self) -> None:
        """Make bytes and name durable. Twice is fine."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            os.fsync(file)
            os.fsync(self._parent)
        finally:
            os.close(file)
            os.close(self._parent)


class OpenedFile:
    """A file being read."""

    def __init__(self, file: int, size_bytes: int) -> None:
        self._file: int | None = file
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        """As it was when it was opened."""
        return self._size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes; shorter only at the end."""
        assert self._file is not None, "A closed file gives no bytes."
        self._will_need(offset + length, length)
        pieces = []
        while length > 0 and (piece := os.pread(self._file, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)

    def _will_need(self, offset: int, length: int) -> None:
        """Have the system fetch what is read next, while what was read is hashed or sent (R-131)."""
        if self._file is not None and offset < self._size_bytes and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(self._file, offset, length, os.POSIX_FADV_WILLNEED)

    def close(self) -> None:
        """Let go of the file. Twice is fine."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _names(path: str) -> list[str]:
    """Split a relative path. Raises PermissionError for one that could lead out of the export."""
    names = [name for name in path.split("/") if name not in {"", "."}]
    if path.startswith("/") or ".." in names or "\0" in path:
        raise PermissionError(errno.EACCES, f"{path!r} does not stay inside the export")
    return names


def _enter(opened: ExitStack, at: int, name: str) -> int:
    inner = os.open(name, _FOLDER, dir_fd=at)
    opened.callback(os.close, inner)
    return inner
