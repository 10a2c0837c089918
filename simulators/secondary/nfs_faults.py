"""What can go wrong with an NFS export: calls of one client (`nfs.rename`), and acts of the server (`export.write`).

A call passes the seam on its way to the server: it can be refused, lost, or be the client's last. An act is what the
server does, whoever asked for it and through whichever door: a disk fills up under a host's copy as well.
"""

import errno
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol, TypeVar

from snapproof.simulators.faults import FAULTS, Dialect, Shape, known_name
from snapproof.simulators.seam import Seam
from snapproof.site import Directory, ReadableFile, WritableFile

T = TypeVar("T")

ERRNOS = frozenset(
    {"EACCES", "EDQUOT", "EEXIST", "EIO", "ENOENT", "ENOSPC", "ENOTEMPTY", "EROFS", "ESTALE", "ETIMEDOUT"}
)
"""What an NFS server may answer by name; the usual one is EIO."""

_NO_HTTP = "NFS is no HTTP; write refused:EIO, or error_after:EIO."
_ASKED_ONCE = "a server knows a call by its number, and answers it again without doing it again; write lost_after."

DIALECT = Dialect(
    check_name=lambda _method, name: known_name(name, ERRNOS, "This NFS server"),
    unfit={
        "truncated": "the client's kernel takes a cut answer for none and asks again; write lost_after.",
        **dict.fromkeys(("lost_late", "twice"), _ASKED_ONCE),
        "http500_before": _NO_HTTP,
        "http500_after": _NO_HTTP,
    },
)

REBOOT = "REBOOT"
"""The server dies and comes back before it answers; what nobody had made durable is lost."""

_SPACE = frozenset({"ENOSPC", "EDQUOT"})
_ANY = frozenset({"EACCES", "EIO", "ESTALE"})
_CHANGING = _ANY | {"EROFS"}

ACTS: Mapping[str, frozenset[str]] = {
    "create": _CHANGING | _SPACE,
    "delete": _CHANGING,
    "delete_directory": _CHANGING,
    "fsync": _CHANGING | _SPACE | {REBOOT},
    "list": _ANY,
    "make_directories": _CHANGING | _SPACE,
    "open": _ANY,
    "read": _ANY,
    "rename": _CHANGING | _SPACE,
    "set_attributes": _CHANGING | _SPACE,
    "size": _ANY,
    "write": _CHANGING | _SPACE | {REBOOT},
}
"""The acts of a server, and the errors that each can end with; the usual one is EIO.

To close a file is no act: NFS has no such thing, a client that closes asks for an fsync. Attributes can be set over the
socket only.
"""

_NO_ANSWER = "an act of the server has no answer that could be lost; write nfs.rename=lost_after, of the client."

SERVER_DIALECT = Dialect(
    check_name=lambda act, name: known_name(name, ACTS.get(act, _ANY), f"This server's {act}"),
    unfit={
        **{word: _NO_ANSWER for word, fault in FAULTS.items() if fault.shape is not Shape.ERROR},
        "error_after": "the server has done it or has not; write nfs.close=error_after, of the client.",
    },
)


class LosableFile(WritableFile, Protocol):
    """A file whose bytes can be lost, because nobody had made them durable yet."""

    def lose(self) -> None:
        """Let go of the file as if no byte had arrived. Does nothing once it was closed."""


class LosableDirectory(Directory, Protocol):
    """A `Directory` whose new files can be lost."""

    def create(self, path: str) -> LosableFile:
        """Create a file that must not exist yet."""


class FaultyDirectory:
    """A `Directory` whose calls pass the seam as `<service>.<method>`; writing passes it when the file is closed."""

    def __init__(self, directory: LosableDirectory, seam: Seam, *, service: str = "nfs") -> None:
        self._directory = directory
        self._seam = seam
        self._service = service

    def make_directories(self, path: str) -> None:
        self._cross("make_directories", lambda: self._directory.make_directories(path))

    def create(self, path: str) -> WritableFile:
        return _FaultyFile(
            self._opened("create", lambda: self._directory.create(path), lambda file: file.lose()), self._cross
        )

    def open(self, path: str) -> ReadableFile:
        return self._opened("open", lambda: self._directory.open(path), lambda file: file.close())

    def rename(self, source: str, target: str) -> None:
        self._cross("rename", lambda: self._directory.rename(source, target))

    def delete(self, path: str) -> None:
        self._cross("delete", lambda: self._directory.delete(path))

    def delete_directory(self, path: str) -> None:
        self._cross("delete_directory", lambda: self._directory.delete_directory(path))

    def list(self, path: str) -> Sequence[str]:
        return self._cross("list", lambda: self._directory.list(path))

    def size(self, path: str) -> int:
        return self._cross("size", lambda: self._directory.size(path))

    def _cross(self, method: str, perform: Callable[[], T]) -> T:
        return self._seam.cross(self._service, method, perform, refuse=_refuse)

    def _opened(self, method: str, perform: Callable[[], T], release: Callable[[T], None]) -> T:
        """Cross the seam and release what was opened when its answer never arrives."""
        opened: list[T] = []

        def remembered() -> T:
            opened.append(perform())
            return opened[0]

        try:
            return self._cross(method, remembered)
        except BaseException:
            for file in opened:
                release(file)
            raise


class _FaultyFile:
    """A file that may fail to close. A close that was refused loses every byte; no fsync ever happened."""

    def __init__(self, file: LosableFile, cross: Callable[[str, Callable[[], None]], None]) -> None:
        self._file = file
        self._cross = cross
        self._over = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._file.write(data)

    def close(self) -> None:
        if self._over:
            return
        self._over = True
        try:
            self._cross("close", self._file.close)
        except BaseException:
            self._file.lose()
            raise


def _refuse(name: str) -> NoReturn:
    raise refusal(known_name(name or "EIO", ERRNOS, "This NFS server"))


def refusal(name: str) -> OSError:
    """Make the error that an errno's name stands for."""
    number = int(getattr(errno, name))
    return OSError(number, os.strerror(number))
