"""Logical units as all initiators share them and as one sees them; commands, replies, and rows of the table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from snapproof.simulators.iscsi.sense import Sense, SenseError, Status
from snapproof.simulators.iscsi.targets import Lun

TRANSFER_BYTES_MAX = 16 << 20
"""The most that one command moves, as VPD page B0 tells."""


class Reservation:
    """A persistent reservation: its type, and the nexus that made it."""

    __slots__ = ("holder", "kind")

    def __init__(self, holder: str, kind: int) -> None:
        self.holder, self.kind = holder, kind


class LogicalUnit:
    """What does not depend on who asks. It is touched under the guard of the target only."""

    def __init__(self) -> None:
        self.views: dict[str, Unit] = {}
        """The unit as each nexus sees it, by nexus."""
        self.keys: dict[str, int] = {}
        """The registered reservation keys, by nexus."""
        self.generation = 0
        self.reservation: Reservation | None = None
        self.reserved_by = ""
        """Who has it by the old RESERVE(6)."""
        self.write_protected = False
        self.descriptor_sense = False
        self.preventing: set[str] = set()
        """Who does not want the medium to be taken out."""

    @property
    def forgettable(self) -> bool:
        """Whether nothing would be lost with it."""
        plain = not self.write_protected and not self.descriptor_sense
        return plain and not self.views and not self.keys

    def leave(self, nexus: str) -> None:
        """A nexus is lost: what does not outlive it goes."""
        self.views.pop(nexus, None)
        self.preventing.discard(nexus)
        if self.reserved_by == nexus:
            self.reserved_by = ""

    def reset(self, sense: Sense, *, by: str = "") -> None:
        """Reset the unit; everybody else learns it from the next command."""
        self.reserved_by = ""
        self.preventing.clear()
        self.write_protected = self.descriptor_sense = False
        self.tell_others(sense, by=by)

    def tell_others(self, sense: Sense, *, by: str) -> None:
        """Let the next command of every other nexus end with this unit attention."""
        for nexus, view in self.views.items():
            if nexus != by:
                view.attentions.append(sense)


class Unit:
    """A LUN as one nexus sees it."""

    def __init__(
        self, lun: Lun, shared: LogicalUnit, *, nexus: str, target: str, numbers: Callable[[], Sequence[int]]
    ) -> None:
        self.lun, self.shared, self.nexus, self.target = lun, shared, nexus, target
        self.numbers = numbers
        self.attentions: list[Sense] = []
        self._known_size = lun.disk.size_bytes
        shared.views[nexus] = self

    @property
    def block_bytes(self) -> int:
        return self.lun.block_bytes

    @property
    def blocks(self) -> int:
        """How many blocks the disk has now."""
        return self.lun.disk.size_bytes // self.lun.block_bytes

    def next_attention(self) -> Sense | None:
        """Take what this nexus must be told before anything else."""
        size_bytes = self.lun.disk.size_bytes
        if size_bytes != self._known_size:
            self._known_size = size_bytes
            self.attentions.append(Sense.CAPACITY_CHANGED)
        return self.attentions.pop(0) if self.attentions else None


@dataclass(slots=True)
class Command:
    """A SCSI command: what is asked, of which unit, what was sent along, and how much of that was announced."""

    unit: Unit
    cdb: bytes
    out: memoryview
    sent: int

    def number(self, offset: int, length: int) -> int:
        """Read a field of the CDB."""
        return int.from_bytes(self.cdb[offset : offset + length])


@dataclass(frozen=True, slots=True)
class Reply:
    """How a command ended, and what it gives back."""

    content: bytes = b""
    status: Status = Status.GOOD
    sense: bytes = b""


DONE = Reply()


class Access(Enum):
    """What a command does, as reservations and write protection see it."""

    ALWAYS = "needs no permission"
    READS = "reads"
    WRITES = "writes"


def nothing_sent(_cdb: bytes, _block_bytes: int) -> int:
    """Most commands take no data."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A row of the table of commands. `usage` tells which bits of the CDB count; its length is that of the CDB."""

    perform: Callable[[Command], Reply]
    usage: str
    access: Access = Access.READS
    sends: Callable[[bytes, int], int] = nothing_sent
    """How many bytes the CDB says that the initiator sends, for blocks of so many bytes."""
    urgent: bool = False
    """Whether it is performed even while a unit attention waits."""


Operations: TypeAlias = Mapping[tuple[int, int | None], Operation]
"""By operation code, and service action where there are any."""


def list_length(offset: int, length: int) -> Callable[[bytes, int], int]:
    """Say that the initiator sends as many bytes as a field of the CDB tells."""
    return lambda cdb, _block_bytes: int.from_bytes(cdb[offset : offset + length])


def refuse_unless(right: bool, sense: Sense = Sense.INVALID_FIELD_IN_CDB) -> None:  # noqa: FBT001  reads like a rule
    """Raise SenseError if something is not right."""
    if not right:
        raise SenseError(sense)
