"""An NFS export: a real directory that is never left, that can fill up, and whose changes are journalled.

Every path is walked one component at a time from the export's root, so that no link inside the tree leads out of it.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from enum import StrEnum
from io import FileIO
from pathlib import Path

from snapproof.simulators.faults import Seam
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.nfs_faults import FaultyDirectory, LosableFile
from snapproof.vocabulary import Directory, ReadableFile

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
UNFINISHED = ".part"
"""A directory with this ending holds work in progress: the inventory names it even when it is empty."""

_HOLE_BYTES_MIN = 4096
_ZEROS = bytes(2 << 20)
"""Zeros that are written in one go become a hole, as the servers' own file systems make them for sparse copies."""


class Condition(StrEnum):
    """What has become of the server."""

    HEALTHY = "healthy"
    READ_ONLY = "read-only"
    STALE = "stale"  # the file handles that clients hold mean nothing any more


class NfsExport:
    """The tree below `root` as a `Directory`, and what a judge needs to look into it.

    `condition` and `capacity_bytes` may be set at any time; all clients meet them, hosts of a pool included.
    """

    def __init__(self, root: Path, *, journal: Journal, capacity_bytes: int | None = None) -> None:
        self.root = root
        self.capacity_bytes = capacity_bytes
        self.condition = Condition.HEALTHY
        self._journal = journal
        self._used_bytes = 0

    def through(self, seam: Seam) -> Directory:
        """Give the same tree to a client whose every call can meet a fault."""
        return FaultyDirectory(self, seam)

    def make_directories(self, path: str) -> None:
        self.require(writing=True)
        with contextlib.ExitStack() as opened:
            at = _root(self.root, opened)
            for name in _names(path):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=at)
                at = _enter(name, at, opened)

    def create(self, path: str) -> LosableFile:
        self.require(writing=True)
        with self._parent(path) as (parent, name):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = FileIO(os.open(name, flags, 0o644, dir_fd=parent), "wb")
        self._used_bytes = self._measured()
        self._journal.record("nfs", "file created", path=_clean(path))
        return _Writable(self, file, _clean(path))

    def open(self, path: str) -> ReadableFile:
        self.require(writing=False)
        return _Readable(self, self._opened(path))

    def rename(self, source: str, target: str) -> None:
        self.require(writing=True)
        with self._parent(source) as (old_parent, old), self._parent(target) as (new_parent, new):
            os.rename(old, new, src_dir_fd=old_parent, dst_dir_fd=new_parent)
        self._journal.record("nfs", "file renamed", path=_clean(source), target=_clean(target))

    def delete(self, path: str) -> None:
        self.require(writing=True)
        with self._parent(path) as (parent, name):
            os.unlink(name, dir_fd=parent)
        self._journal.record("nfs", "file deleted", path=_clean(path))

    def delete_directory(self, path: str) -> None:
        self.require(writing=True)
        with self._parent(path) as (parent, name):
            os.rmdir(name, dir_fd=parent)
        self._journal.record("nfs", "directory deleted", path=_clean(path))

    def list(self, path: str) -> list[str]:
        self.require(writing=False)
        with contextlib.ExitStack() as opened:
            at = _root(self.root, opened)
            for name in _names(path):
                at = _enter(name, at, opened)
            with os.scandir(at) as entries:
                return sorted(
                    entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries
                )

    def size(self, path: str) -> int:
        self.require(writing=False)
        with self._parent(path) as (parent, name):
            return _require_file(name, parent)

    def inventory(self) -> tuple[str, ...]:
        """Name every file with its size, every link, and every directory of unfinished work, sorted."""
        lines = []
        for below, directories, files, at in os.fwalk(self.root):
            for name in files + directories:
                path = (Path(below) / name).relative_to(self.root)
                found = os.stat(name, dir_fd=at, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    lines.append(f"{path} {found.st_size} bytes")
                elif not stat.S_ISDIR(found.st_mode):
                    lines.append(f"{path} is no file")
                elif name.endswith(UNFINISHED):
                    lines.append(f"{path}/")
        return tuple(sorted(lines))

    def paths(self) -> tuple[str, ...]:
        """Name every file, sorted."""
        return tuple(sorted(str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()))

    def read(self, path: str) -> bytes:
        """Read a whole file behind the clients' backs, whatever the condition."""
        with self._opened(path) as file:
            return file.read()

    def require(self, *, writing: bool) -> None:
        """Raise ESTALE or EROFS when the server's condition does not allow this."""
        if self.condition is Condition.STALE:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        if writing and self.condition is Condition.READ_ONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def take_space(self, size_bytes: int) -> None:
        """Count bytes that a file is about to grow by. Raises ENOSPC when they do not fit."""
        self.require(writing=True)
        if self.capacity_bytes is None:
            return
        if self._used_bytes + size_bytes > self.capacity_bytes:
            self._used_bytes = self._measured()  # something may have been deleted since
        if self._used_bytes + size_bytes > self.capacity_bytes:
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} (the export holds {self.capacity_bytes} bytes)")
        self._used_bytes += size_bytes

    def closed(self, path: str, size_bytes: int) -> None:
        """Take note that a file is complete and durable."""
        self._journal.record("nfs", "file closed", path=path, size_bytes=size_bytes)

    def _opened(self, path: str) -> FileIO:
        with self._parent(path) as (parent, name):
            _require_file(name, parent)
            return FileIO(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent), "rb")

    @contextlib.contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, str]]:
        """Open the directory that holds the last component of the path."""
        names = _names(path)
        if not names:
            raise IsADirectoryError(errno.EISDIR, "The export's root is no file", path)
        with contextlib.ExitStack() as opened:
            at = _root(self.root, opened)
            for name in names[:-1]:
                at = _enter(name, at, opened)
            yield at, names[-1]

    def _measured(self) -> int:
        if self.capacity_bytes is None:
            return 0
        walk = os.fwalk(self.root)
        return sum(
            os.stat(name, dir_fd=at, follow_symlinks=False).st_size for _, _, names, at in walk for name in names
        )


class _Writable:
    """A file of the export that grows at its end."""

    def __init__(self, export: NfsExport, file: FileIO, path: str) -> None:
        self._export = export
        self._file = file
        self._path = path
        self._size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data).cast("B")
        self._export.take_space(len(view))
        self._size_bytes += len(view)
        if len(view) >= _HOLE_BYTES_MIN and not view[0] and _ZEROS.startswith(view):
            self._file.seek(self._size_bytes)
            self._file.truncate()
            return
        while view:
            view = view[self._file.write(view) :]

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file:
            self._export.require(writing=True)
            os.fsync(self._file.fileno())
        self._export.closed(self._path, self._size_bytes)

    def lose(self) -> None:
        """Let go without fsync, as a server does that fails a close: none of the bytes arrived."""
        if not self._file.closed:
            with self._file:
                self._file.truncate(0)


class _Readable:
    """A file of the export, open for reading."""

    def __init__(self, export: NfsExport, file: FileIO) -> None:
        self._export = export
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        self._export.require(writing=False)
        pieces = []
        while length > 0 and (piece := os.pread(self._file.fileno(), length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def close(self) -> None:
        self._file.close()


def _names(path: str) -> list[str]:
    """Split a path into names that can be walked. Raises PermissionError for a path that could leave the tree."""
    names = [name for name in path.split("/") if name not in {"", "."}]
    if path.startswith("/") or ".." in names or "\0" in path or "\\" in path:
        raise PermissionError(errno.EACCES, "This path does not stay inside the export", path)
    return names


def _clean(path: str) -> str:
    return "/".join(_names(path))


def _root(root: Path, opened: contextlib.ExitStack) -> int:
    at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    opened.callback(os.close, at)
    return at


def _enter(name: str, parent: int, opened: contextlib.ExitStack) -> int:
    try:
        at = os.open(name, DIRECTORY, dir_fd=parent)
    except NotADirectoryError:
        _refuse_link(name, parent)
        raise
    opened.callback(os.close, at)
    return at


def _require_file(name: str, parent: int) -> int:
    """Give the size of a plain file; a link, a directory or a device is an OSError."""
    _refuse_link(name, parent)
    found = os.stat(name, dir_fd=parent, follow_symlinks=False)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "This is neither a file nor a directory", name)
    return found.st_size


def _refuse_link(name: str, parent: int) -> None:
    if stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
        raise OSError(errno.ELOOP, "A link inside an export is never followed", name)
