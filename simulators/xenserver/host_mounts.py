"""Exports as hosts have them mounted: such a mount can go stale, and is good again when it is mounted anew."""

import errno
from collections.abc import Sequence

from snapproof.site import Directory, ReadableFile, WritableFile


class HostMount:
    """An export as one host has it mounted. Once stale it serves nothing any more, until it is mounted anew."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self.stale = False

    def _served(self) -> Directory:
        if self.stale:
            raise OSError(errno.ESTALE, "The mount is stale")
        return self._directory

    def make_directories(self, path: str) -> None:
        self._served().make_directories(path)

    def create(self, path: str) -> WritableFile:
        return self._served().create(path)

    def open(self, path: str) -> ReadableFile:
        return self._served().open(path)

    def rename(self, source: str, target: str) -> None:
        self._served().rename(source, target)

    def delete(self, path: str) -> None:
        self._served().delete(path)

    def delete_directory(self, path: str) -> None:
        self._served().delete_directory(path)

    def list(self, path: str) -> Sequence[str]:
        return self._served().list(path)

    def size(self, path: str) -> int:
        return self._served().size(path)
