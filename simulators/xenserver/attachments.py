"""What a plugged PBD gives its host, whatever the SR is made of: find, create, read and fill the VDIs of the SR.

The two kinds are in luns.py and folders.py. They raise OSError for a failing disk or export, XapiError for the rest.
"""

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

CopySteps: TypeAlias = Generator[int, None, None]
"""A copy that goes on only while it is iterated; each step yields the bytes copied since the beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundVdi:
    """A VDI as the SR's own bytes name it."""

    uuid: str
    label: str
    size_bytes: int
    parent: str = ""
    hidden: bool = False
    snapshot: bool = False
    snapshot_of: str = ""
    snapshot_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fork:
    """What a snapshot or clone is to be. Only a clone can be written."""

    uuid: str
    label: str
    base_uuid: str
    time_s: float
    writable: bool = False


class Source(Protocol):
    """The bytes of a VDI to read from. What is not in `extents` is zero."""

    @property
    def size_bytes(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...

    def extents(self) -> Iterator[tuple[int, int]]: ...


class Attachment(Protocol):
    """An SR as one host sees it."""

    def found(self) -> list[FoundVdi]:
        """Read which VDIs the SR holds now."""

    def capacity(self) -> tuple[int, int]:
        """The size of the SR and how much of it is taken, in bytes."""

    def utilisation(self, uuid: str) -> int:
        """How many bytes of the SR a VDI takes."""

    def create(self, vdi: FoundVdi, *, time_s: float) -> None:
        """Make a VDI that reads as zeros."""

    def rename(self, uuid: str, label: str) -> None:
        """Keep the new label where the SR keeps labels."""

    def delete(self, uuid: str) -> None:
        """Delete a VDI and its bytes; one that is gone already is fine."""

    def grow(self, uuid: str, size_bytes: int) -> None:
        """Make a VDI longer; what is new reads as zeros. Raises SR_OPERATION_NOT_SUPPORTED where VDIs cannot grow."""

    def fork(self, uuid: str, wanted: Fork) -> None:
        """Snapshot or clone a VDI. Raises SR_OPERATION_NOT_SUPPORTED where VDIs have no parents."""

    def coalesce(self) -> bool:
        """Take one hidden VDI out of the tree that is no longer needed; False where there is none."""

    def source(self, uuid: str) -> AbstractContextManager[Source]:
        """Open a VDI for reading, until the context ends."""

    def receive(self, vdi: FoundVdi, source: Source, *, time_s: float) -> CopySteps:
        """Make a VDI and fill it from `source`, step by step. Whoever gives up must delete what is there by then."""

    def planned_bytes(self, source: Source) -> int:
        """Foretell what the last step of `receive` will yield."""

    def overwrite(self, uuid: str, source: Source) -> CopySteps:
        """Fill an existing VDI from `source`, step by step. Raises SR_OPERATION_NOT_SUPPORTED where files cannot."""
