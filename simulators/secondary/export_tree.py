"""The tree of an NFS export as its server keeps it: one model behind every door.

What may be done now (condition, space, armed faults), what is durable, and what the journal says of it. How a client
names a file, by path or by file handle, is the doors' business: they hand over an open directory and a name in it.
"""

import errno
import os
import stat
import threading
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.nfs_faults import REBOOT, refusal
from snapproof.simulators.secondary.unsynced import Unsynced

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
LOOKING = frozenset({"list", "open", "read", "size"})
"""The acts that change nothing; a read-only server still does them."""

GUESSES = (
    "A server whose fsync failed has lost the bytes, and does not keep them for a second fsync.",
    "A host whose server rebooted is told so with EIO at its next write or close, and does not send its pages again.",
    "A refused close has lost what the server had not made durable; a lost answer to it has not.",
    "A server that is full, stale or read-only says so to acts that begin then; none that is under way is cut short.",
)
"""What nobody has verified on a real server and host; NFS leaves it to them."""

_HOLE_BYTES_MIN = 4096
_ZEROS = bytes(2 << 20)
"""Zeros that are written in one go become a hole, as the servers' own file systems make them for sparse copies."""


class Condition(StrEnum):
    """What has become of the server."""

    HEALTHY = "healthy"
    READ_ONLY = "read-only"
    STALE = "stale"  # the file handles that clients hold mean nothing any more


class TreeObserver(Protocol):
    """Whoever remembers inode numbers: they are given to new files when the old ones are gone."""

    def gone(self, inode: int) -> None:
        """Something has lost its last name."""

    def moved(self, inode: int, old: tuple[int, str], new: tuple[int, str], *, path: str) -> None:
        """Something has a new name, and this path; names stand behind the inode number of their directory."""


class RebootedError(OSError):
    """The server went down in the middle of an act. Bytes that were not durable are lost."""


class ExportTree:
    """A directory of this machine, served.

    `condition`, `capacity_bytes` and `quota_bytes` may be set at any time; all clients meet them, through every door.
    `boots` counts how often the server came up: to a client another number means that bytes it had not synced are lost.
    """

    def __init__(
        self,
        root: Path,
        *,
        journal: Journal,
        seam: Seam | None = None,
        capacity_bytes: int | None = None,
        quota_bytes: int | None = None,
    ) -> None:
        self.root = root
        self.seam = seam or Seam(journal)
        self.capacity_bytes = capacity_bytes
        self.quota_bytes = quota_bytes
        self.condition = Condition.HEALTHY
        self.boots = 1
        self.turn = threading.RLock()
        self._journal = journal
        self._used_bytes = 0
        self._counted_for: object = None
        self._unsynced = Unsynced()
        self._observers: list[TreeObserver] = []

    def admit(self, act: str) -> None:
        """Let one act of the server begin, or raise what the server's condition or an armed fault says instead."""
        if self.condition is Condition.STALE:
            raise refusal("ESTALE")
        if act not in LOOKING and self.condition is Condition.READ_ONLY:
            raise refusal("EROFS")
        fault = self.seam.meet("export", act)
        if fault is None:
            return
        if fault.name == REBOOT:
            self.reboot()
            raise RebootedError(errno.EIO, "The server rebooted; what was not durable is lost")
        raise refusal(fault.name or "EIO")

    def reboot(self) -> None:
        """Go down and come up: bytes that no fsync made durable are gone, everything else stands."""
        with self.turn:
            lost = self._unsynced.lose_all()
            self.boots += 1
            self._used_bytes = self._measured()
        self._journal.record("nfs", "server rebooted", files_lost_bytes=lost)

    def settle(self) -> None:
        """Make everything durable, as a server does that shuts down in good order."""
        with self.turn:
            self._unsynced.sync_all()

    def observe(self, observer: TreeObserver) -> None:
        """Tell `observer` of everything that goes or moves from now on, through whichever door."""
        self._observers.append(observer)

    def unobserve(self, observer: TreeObserver) -> None:
        """Tell `observer` no more."""
        self._observers.remove(observer)

    def create_file(self, at: int, name: str, path: str, *, mode: int = 0o644) -> int:
        """Make a file that must not exist, and open it to read and write."""
        with self.turn:
            file = os.open(name, NEW, mode, dir_fd=at)
            self._used_bytes = self._measured()
        self.record("file created", path=path)
        return file

    def move(self, source_at: int, source: str, target_at: int, target: str, *, old_path: str, new_path: str) -> None:
        """Give a file another name in one step; what had that name is gone."""
        with self.turn:
            replaced = _last_name(target_at, target)
            moving = os.stat(source, dir_fd=source_at, follow_symlinks=False).st_ino
            os.rename(source, target, src_dir_fd=source_at, dst_dir_fd=target_at)
            if replaced is not None and replaced != moving:
                self._gone(replaced)
            for observer in self._observers:
                observer.moved(moving, (_inode(source_at), source), (_inode(target_at), target), path=new_path)
        self.record("file renamed", path=old_path, target=new_path)

    def delete_file(self, at: int, name: str, path: str) -> None:
        """Take one name away; the file is gone when it was the last."""
        with self.turn:
            gone = os.stat(name, dir_fd=at, follow_symlinks=False)
            os.unlink(name, dir_fd=at)
            if gone.st_nlink <= 1:
                self._gone(gone.st_ino)
        self.record("file deleted", path=path)

    def delete_folder(self, at: int, name: str, path: str) -> None:
        """Delete one empty directory."""
        with self.turn:
            gone = os.stat(name, dir_fd=at, follow_symlinks=False)
            os.rmdir(name, dir_fd=at)
            self._gone(gone.st_ino)
        self.record("directory deleted", path=path)

    def write(self, file: int, content: memoryview, offset: int) -> None:
        """Write bytes, durable or not yet. Raises ENOSPC or EDQUOT where they do not fit."""
        with self.turn:
            self.admit("write")
            size_bytes = os.fstat(file).st_size
            self._take_space(max(0, offset + len(content) - size_bytes))
            self._unsynced.expect(file, offset, len(content))
            if offset >= size_bytes and len(content) >= _HOLE_BYTES_MIN and _ZEROS.startswith(content):
                os.ftruncate(file, offset + len(content))
                return
            while content:
                written = os.pwrite(file, content, offset)
                content, offset = content[written:], offset + written

    def fsync(self, file: int) -> None:
        """Make the bytes of a file durable. Where that fails they are lost: no server keeps them for a second try."""
        with self.turn:
            inode = os.fstat(file).st_ino
            try:
                self.admit("fsync")
            except OSError:
                self._unsynced.lose(inode)
                raise
            os.fsync(file)
            self._unsynced.forget(inode)

    def lose(self, file: int) -> None:
        """Take back what no fsync made durable, as if it had never arrived."""
        with self.turn:
            self._unsynced.lose(os.fstat(file).st_ino)

    def resize(self, file: int, size_bytes: int) -> None:
        """Cut or extend a file, durable at once."""
        with self.turn:
            self._take_space(max(0, size_bytes - os.fstat(file).st_size))
            os.ftruncate(file, size_bytes)
            os.fsync(file)
            self._unsynced.forget(os.fstat(file).st_ino)

    def space(self) -> tuple[int, int]:
        """Tell how many bytes the export can hold, and how many are free."""
        limits = [limit for limit in (self.capacity_bytes, self.quota_bytes) if limit is not None]
        if not limits:
            found = os.statvfs(self.root)
            return found.f_frsize * found.f_blocks, found.f_frsize * found.f_bavail
        return min(limits), max(0, min(limits) - self._measured())

    def record(self, event: str, **facts: str | int) -> None:
        """Write one line of the journal."""
        self._journal.record("nfs", event, **facts)

    def _take_space(self, size_bytes: int) -> None:
        """Count bytes that a file is about to grow by."""
        limits = ((self.capacity_bytes, errno.ENOSPC), (self.quota_bytes, errno.EDQUOT))
        if limits != self._counted_for:
            self._used_bytes, self._counted_for = self._measured(), limits
        for limit_bytes, number in limits:
            if limit_bytes is None:
                continue
            if self._used_bytes + size_bytes > limit_bytes:
                self._used_bytes = self._measured()  # something may have been deleted since
            if self._used_bytes + size_bytes > limit_bytes:
                raise OSError(number, f"{os.strerror(number)} (the export holds {limit_bytes} bytes)")
        self._used_bytes += size_bytes

    def _measured(self) -> int:
        if self.capacity_bytes is None and self.quota_bytes is None:
            return 0
        walk = os.fwalk(self.root)
        return sum(
            os.stat(name, dir_fd=at, follow_symlinks=False).st_size for _, _, names, at in walk for name in names
        )

    def _gone(self, inode: int) -> None:
        self._unsynced.forget(inode)
        for observer in self._observers:
            observer.gone(inode)


def _inode(file: int) -> int:
    return os.fstat(file).st_ino


def _last_name(at: int, name: str) -> int | None:
    """The inode of what has this name and no other; None where there is no such thing."""
    try:
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found.st_ino if found.st_nlink == 1 or stat.S_ISDIR(found.st_mode) else None
