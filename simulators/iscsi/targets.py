"""What the owner of LUNs supplies: which targets there are, who may open them, and the disks behind them.

The target asks at every login and keeps no copy: what the owner decides holds from the next question on.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from snapproof.simulators.faults import Fault
from snapproof.simulators.iscsi.chap import Credentials
from snapproof.simulators.journal import Fact


class Disk(Protocol):
    """A disk behind a LUN. Once it is lost to the host, every call raises OSError; EROFS is write protection."""

    @property
    def size_bytes(self) -> int:
        """How large it is now."""

    def read(self, offset: int, length: int) -> bytes:
        """Read; the range lies within the disk."""

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write; the range lies within the disk."""

    def discard(self, offset: int, length: int) -> None:
        """Let a range read as zeros and give its space back."""

    def extents(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of what is not zero between two offsets, ascending and merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a LUN says of itself. `naa` and `eui` are binary designators; `eui` may be empty."""

    vendor: str
    product: str
    revision: str
    serial: str
    naa: bytes
    eui: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lun:
    """A disk and how it appears to an initiator."""

    disk: Disk
    identity: Identity
    block_bytes: int = 512
    physical_block_bytes: int = 4096
    writable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who logs in: the initiator's name in lower case, its session's ISID, and whom it proved to be, if anybody."""

    initiator: str
    isid: bytes
    address: str
    chap_name: str = ""
    chap_algorithm: str = ""
    mutual: bool = False

    @property
    def port(self) -> str:
        """The initiator port, as SCSI names it."""
        return f"{self.initiator},i,0x{self.isid.hex()}"


class Opened(Protocol):
    """A target that a visitor has open."""

    @property
    def number(self) -> int:
        """The owner's number of the session."""

    @property
    def guard(self) -> AbstractContextManager[object]:
        """Held while a command runs, so that nobody else touches the disks meanwhile; may be entered within itself."""

    def lun(self, number: int) -> Lun | None:
        """Find a LUN as it is now: the same object as before for as long as nothing about it changed."""

    def numbers(self) -> Sequence[int]:
        """The numbers of the LUNs that there are now, ascending."""

    def on_drop(self, act: Callable[[], None]) -> None:
        """Call `act` when the owner cuts the visitor off. It must not block."""

    def close(self) -> None:
        """The visitor has left. Twice is fine."""


class UnknownTargetError(Exception):
    """There is no such target (any more)."""


class Targets(Protocol):
    """The owner of the LUNs. It is asked from several threads."""

    def proof_needed(self, *, initiator: str, target: str) -> bool:
        """Say whether this initiator must prove itself by CHAP to open `target`, or for discovery where it is empty."""

    def credentials(self, *, initiator: str, name: str) -> Credentials | None:
        """Find what a CHAP name must prove, for this initiator; None for a name that nobody has."""

    def discovered(self, visitor: Visitor) -> Sequence[str]:
        """Name the targets that this visitor may open."""

    def open(self, visitor: Visitor, target: str) -> Opened:
        """Open a target. Raises UnknownTargetError, or LoginRefusedError of the fabric with the reason."""

    def meet(self, act: str, /) -> Fault | None:
        """Give the trouble that somebody ordered for this act, if anybody did; acts are in troubles.py."""

    def record(self, event: str, **facts: Fact) -> None:
        """Journal what happened. No secret is ever among the facts."""
