"""What hosts reach over the network: LUNs of an array (an initiator logs in to a target) and exports of an NFS server.

Array, hypervisor and store never see one another; the wiring hands the hypervisor whatever implements these ports.
"""

from collections.abc import Iterator
from typing import Protocol


class LoginRefusedError(Exception):
    """The target does not exist, is offline, or does not know this initiator."""


class BlockDevice(Protocol):
    """A disk as a host sees it. Offsets and lengths are bytes; unwritten ranges read as zeros."""

    @property
    def size_bytes(self) -> int:
        """The size of the disk."""

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes; reading past the end raises ValueError."""

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write `data`; writing past the end raises ValueError."""

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of every written range, ascending and merged: what is not in it is zero."""


class Fabric(Protocol):
    """Where hosts find LUNs."""

    def login(self, *, initiator: str, target: str) -> BlockDevice:
        """Open LUN 0 of the target (an IQN) as `initiator` (an IQN). Raises LoginRefusedError with the reason."""

    def accessible(self, *, initiator: str, target: str) -> bool:
        """Say whether a login would succeed now: a volume deleted or moved out of its access group is lost at once."""


class ReadableFile(Protocol):
    """An open file of an export."""

    @property
    def size_bytes(self) -> int:
        """The size of the file when it was opened."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes; shorter only at the end of the file."""

    def close(self) -> None:
        """Let go of the file."""


class WritableFile(Protocol):
    """A file being written from its beginning, in one stream."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append `data`. Raises OSError, ENOSPC for one."""

    def close(self) -> None:
        """Make the bytes durable (fsync) and let go; until then the file is not to be trusted. Raises OSError."""


class Directory(Protocol):
    """A directory tree as an NFS client sees it. Paths are relative, `/`-separated; a link is never followed.

    Every method raises OSError with the errno of the server (ENOENT, EEXIST, ENOSPC, ESTALE, EROFS, EIO, ELOOP), and
    PermissionError for a path that leaves the tree.
    """

    def make_directories(self, path: str) -> None:
        """Make the directory and its parents; one that exists already is fine."""

    def create(self, path: str) -> WritableFile:
        """Create a file that must not exist yet."""

    def open(self, path: str) -> ReadableFile:
        """Open an existing file for reading."""

    def rename(self, source: str, target: str) -> None:
        """Move a file within the tree, atomically; a target that exists is replaced."""

    def delete(self, path: str) -> None:
        """Delete exactly one file: no wildcard has a meaning here."""

    def delete_directory(self, path: str) -> None:
        """Delete one empty directory."""

    def list(self, path: str) -> list[str]:
        """Name the entries of a directory, sorted; directories end in `/`. Raises FileNotFoundError."""

    def size(self, path: str) -> int:
        """The size of a file in bytes."""


class Mounts(Protocol):
    """Which NFS servers a host can mount."""

    def mount(self, url: str) -> Directory:
        """Reach an export, `nfs://server/path` or `server:/path`. Raises OSError when there is none."""
