"""The door of an NFS export for clients in our own process: paths, walked one component at a time from the root.

No link inside the tree leads out of it. What the server does behind the door is export_tree.py's.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from snapproof.digests import Digest
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.export_tree import DIRECTORY, ExportTree
from snapproof.simulators.secondary.nfs_faults import FaultyDirectory, LosableFile
from snapproof.site import Directory, ReadableFile

UNFINISHED = ".part"
"""A directory with this ending holds work in progress: the inventory names it even when it is empty."""


class NfsExport(ExportTree):
    """The tree below `root` as a `Directory`, and what a judge needs to look into it."""

    def through(self, seam: Seam) -> Directory:
        """Give the same tree to a client whose every call can meet a fault."""
        return FaultyDirectory(self, seam)

    def make_directories(self, path: str) -> None:
        self.admit("make_directories")
        with contextlib.ExitStack() as opened:
            at = _root(self.root, opened)
            for name in _names(path):
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, 0o755, dir_fd=at)
                at = _enter(name, at, opened)

    def create(self, path: str) -> LosableFile:
        self.admit("create")
        with self._parent(path) as (parent, name):
            file = self.create_file(parent, name, _clean(path))
        return _Writable(self, file, _clean(path))

    def open(self, path: str) -> ReadableFile:
        self.admit("open")
        return _Readable(self, self._opened(path))

    def rename(self, source: str, target: str) -> None:
        self.admit("rename")
        with self._parent(source) as (old_parent, old), self._parent(target) as (new_parent, new):
            self.move(old_parent, old, new_parent, new, old_path=_clean(source), new_path=_clean(target))

    def delete(self, path: str) -> None:
        self.admit("delete")
        with self._parent(path) as (parent, name):
            _refuse_link(name, parent)
            self.delete_file(parent, name, _clean(path))

    def delete_directory(self, path: str) -> None:
        self.admit("delete_directory")
        with self._parent(path) as (parent, name):
            self.delete_folder(parent, name, _clean(path))

    def list(self, path: str) -> list[str]:
        self.admit("list")
        with contextlib.ExitStack() as opened:
            at = _root(self.root, opened)
            for name in _names(path):
                at = _enter(name, at, opened)
            with os.scandir(at) as entries:
                return sorted(
                    entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in entries
                )

    def size(self, path: str) -> int:
        self.admit("size")
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


class _Writable:
    """A file of the export that grows at its end. What a reboot took from it is never silently missing."""

    def __init__(self, export: ExportTree, file: int, path: str) -> None:
        self._export = export
        self._file: int | None = file
        self._path = path
        self._size_bytes = 0
        self._boots = export.boots
        self._digest = Digest()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert self._file is not None, "A closed file takes no bytes."
        self._require_same_boot()
        view = memoryview(data).cast("B")
        self._export.write(self._file, view, self._size_bytes)
        self._size_bytes += len(view)
        self._digest.feed(data)

    def close(self) -> None:
        if self._file is None:
            return
        try:
            self._require_same_boot()
            self._export.fsync(self._file)
        except OSError:
            self.lose()
            raise
        self._let_go()
        digest = self._digest.digest()
        self._export.record("file closed", path=self._path, size_bytes=self._size_bytes, digest=digest)

    def lose(self) -> None:
        """Let go without fsync, as a server does that fails a close: none of the bytes arrived."""
        if self._file is not None:
            self._export.lose(self._file)
            self._let_go()

    def _require_same_boot(self) -> None:
        """Raise EIO when the server went down since the first byte: a client that gave its pages away is told so."""
        if self._size_bytes and self._boots != self._export.boots:
            raise OSError(errno.EIO, "The server rebooted, and what was written before is lost", self._path)
        self._boots = self._export.boots

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


class _Readable:
    """A file of the export, open for reading."""

    def __init__(self, export: ExportTree, file: FileIO) -> None:
        self._export = export
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    def read_at(self, offset: int, length: int) -> bytes:
        self._export.admit("read")
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
