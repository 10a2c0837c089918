"""Bytes that clients wrote and nobody made durable yet: kept apart, so that a reboot of the server can lose them.

The files hold them already, for every reader to see; remembered here is how the files were before.
"""

import os
from dataclasses import dataclass, field

UNDO_BYTES_MAX = 64 * 2**20
"""How much of one file may be overwritten before the server makes it durable by itself, as it may at any time."""
FILES_MAX = 128
"""How many files may be undurable at once; each holds a descriptor."""


@dataclass(slots=True, kw_only=True)
class _Undurable:
    """One file: its own descriptor, its size when it was durable, and what stood where it was overwritten since."""

    file: int
    size_bytes: int
    before: list[tuple[int, bytes]] = field(default_factory=list)
    before_bytes: int = 0

    def remember(self, offset: int, length: int) -> None:
        """Keep what a write is about to replace; beyond the durable end there is nothing to keep."""
        old = os.pread(self.file, max(0, min(offset + length, self.size_bytes) - offset), offset)
        if old:
            self.before.append((offset, old))
            self.before_bytes += len(old)

    def revert(self) -> None:
        """Make the file what it was when it was durable."""
        for offset, old in reversed(self.before):
            os.pwrite(self.file, old, offset)
        os.ftruncate(self.file, self.size_bytes)


class Unsynced:
    """All files of an export that are not durable, by inode number."""

    def __init__(self) -> None:
        self._files: dict[int, _Undurable] = {}

    def expect(self, file: int, offset: int, length: int) -> None:
        """Take note that `length` bytes are about to be written to an open file."""
        found = os.fstat(file)
        undurable = self._files.get(found.st_ino)
        if undurable is None:
            if len(self._files) >= FILES_MAX:
                self._sync(next(iter(self._files)))
            undurable = _Undurable(file=os.dup(file), size_bytes=found.st_size)
            self._files[found.st_ino] = undurable
        undurable.remember(offset, length)
        if undurable.before_bytes > UNDO_BYTES_MAX:
            self._sync(found.st_ino)

    def forget(self, inode: int) -> None:
        """Take note that the file is durable now, or gone."""
        if undurable := self._files.pop(inode, None):
            os.close(undurable.file)

    def lose(self, inode: int) -> None:
        """Take back what was written to one file since it was durable."""
        if undurable := self._files.get(inode):
            undurable.revert()
            self.forget(inode)

    def lose_all(self) -> int:
        """Take back everything that is not durable; answer how many files lost something."""
        inodes = tuple(self._files)
        for inode in inodes:
            self.lose(inode)
        return len(inodes)

    def sync_all(self) -> None:
        """Make everything durable."""
        for inode in tuple(self._files):
            self._sync(inode)

    def _sync(self, inode: int) -> None:
        os.fsync(self._files[inode].file)
        self.forget(inode)
