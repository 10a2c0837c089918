"""The pure state of a pool: hosts, SRs, PBDs, VDIs, VBDs, VMs, tasks and sessions, each in a table by its opaque ref.

Rules live in methods*.py, the identity of a LUN in the LUN itself (lun.py). Nothing here does I/O. Objects are equal
only to themselves.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from snapproof.simulators.clock import Clock
from snapproof.simulators.fabric import Fabric, Mounts
from snapproof.simulators.journal import Fact, Journal
from snapproof.simulators.xenserver.attachments import Attachment, CopySteps
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.vocabulary import Directory

NULL = "OpaqueRef:NULL"


class PowerState(StrEnum):
    HALTED = "Halted"
    RUNNING = "Running"


class TaskStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"


@dataclass(slots=True, kw_only=True, eq=False)
class Mount:
    """An export that a host mounted; `shown` is its address without any credentials."""

    local: str
    remote: str
    shown: str
    directory: Directory = field(repr=False)


@dataclass(slots=True, kw_only=True, eq=False)
class Host:
    ref: str
    uuid: str
    name_label: str
    iqn: str
    address: str
    mounts: dict[str, Mount] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Sr:
    ref: str
    uuid: str
    name_label: str
    name_description: str
    type: str
    content_type: str
    shared: bool
    sm_config: dict[str, str] = field(default_factory=dict)
    other_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Pbd:
    """How one host reaches one SR; attached exactly while `attachment` is there."""

    ref: str
    uuid: str
    host: Host
    sr: Sr
    device_config: dict[str, str]
    attachment: Attachment | None = field(default=None, repr=False)
    other_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Vdi:
    ref: str
    uuid: str
    name_label: str
    name_description: str
    sr: Sr
    virtual_size: int
    other_config: dict[str, str] = field(default_factory=dict)
    sm_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Vm:
    ref: str
    uuid: str
    name_label: str
    resident_on: Host | None = None
    power_state: PowerState = PowerState.HALTED
    other_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Vbd:
    ref: str
    uuid: str
    vm: Vm
    vdi: Vdi
    userdevice: str
    mode: str
    attached: bool = False
    other_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Copy:
    """A copy under way: its steps, and what is left behind if it is given up."""

    source: Vdi
    target: Vdi
    host: Host
    into_existing: bool
    steps: CopySteps | None = field(repr=False, default=None)
    total_bytes: int = 0
    done_bytes: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    ref: str
    uuid: str
    name_label: str
    created_s: float
    finished_s: float | None = None
    status: TaskStatus = TaskStatus.PENDING
    result: str = ""
    error_info: tuple[str, ...] = ()
    other_config: dict[str, str] = field(default_factory=dict)
    copy: Copy | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    ref: str
    uuid: str
    username: str
    host: Host
    last_active_s: float


@dataclass(slots=True, kw_only=True, eq=False)
class PoolRecord:
    ref: str
    uuid: str
    name_label: str
    master: Host
    other_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Sm:
    """A storage manager plug-in that every host has, as `xe sm-list` shows it."""

    ref: str
    uuid: str
    type: str
    name_label: str


class Row(Protocol):
    @property
    def ref(self) -> str: ...

    @property
    def uuid(self) -> str: ...


R = TypeVar("R", bound=Row)


class Table(Generic[R]):
    """The objects of one class, by ref, in the order they came."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._rows: dict[str, R] = {}

    def add(self, row: R) -> R:
        self._rows[row.ref] = row
        return row

    def find(self, ref: str) -> R:
        """The object behind a ref; raises HANDLE_INVALID."""
        try:
            return self._rows[ref]
        except KeyError:
            raise XapiError("HANDLE_INVALID", self.kind, ref) from None

    def of_uuid(self, uuid: str) -> R | None:
        return next((row for row in self if row.uuid == uuid), None)

    def remove(self, row: R) -> None:
        self._rows.pop(row.ref, None)

    def __iter__(self) -> Iterator[R]:
        return iter(tuple(self._rows.values()))

    def __contains__(self, row: R) -> bool:
        return row.ref in self._rows


class State:
    """Everything a pool is, and the world it stands in: clock, journal, fabric, mounts, dice."""

    def __init__(
        self, *, clock: Clock, journal: Journal, fabric: Fabric, mounts: Mounts, dice: random.Random, chunk_bytes: int
    ) -> None:
        self.clock = clock
        self.fabric = fabric
        self.mounts = mounts
        self.chunk_bytes = chunk_bytes
        self._journal = journal
        self._dice = dice
        self.pools: Table[PoolRecord] = Table("pool")
        self.hosts: Table[Host] = Table("host")
        self.sms: Table[Sm] = Table("SM")
        self.srs: Table[Sr] = Table("SR")
        self.pbds: Table[Pbd] = Table("PBD")
        self.vdis: Table[Vdi] = Table("VDI")
        self.vbds: Table[Vbd] = Table("VBD")
        self.vms: Table[Vm] = Table("VM")
        self.tasks: Table[Task] = Table("task")
        self.sessions: Table[Session] = Table("session")
        self.detached: list[Task] = []
        """Tasks that their client destroyed while the copy was still under way: the copy goes on."""

    @property
    def master(self) -> Host:
        return next(iter(self.pools)).master

    def new_uuid(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def new_ref(self) -> str:
        return f"OpaqueRef:{self.new_uuid()}"

    def record(self, event: str, **facts: Fact) -> None:
        """Tell the journal what changed here."""
        self._journal.record("host", event, **facts)

    def pbds_of(self, sr: Sr) -> list[Pbd]:
        return [pbd for pbd in self.pbds if pbd.sr is sr]

    def vdis_of(self, sr: Sr) -> list[Vdi]:
        return [vdi for vdi in self.vdis if vdi.sr is sr]

    def vbds_of(self, vdi: Vdi) -> list[Vbd]:
        return [vbd for vbd in self.vbds if vbd.vdi is vdi]

    def drop_vdi(self, vdi: Vdi) -> None:
        """Forget the record of a VDI, and the unplugged VBDs that pointed to it."""
        for vbd in self.vbds_of(vdi):
            self.vbds.remove(vbd)
        self.vdis.remove(vdi)

    def copies(self) -> list[Copy]:
        """The copies under way, whether or not anybody still holds their task."""
        return [task.copy for task in self.unfinished() if task.copy]

    def unfinished(self) -> list[Task]:
        return [task for task in (*self.tasks, *self.detached) if task.status is TaskStatus.PENDING]

    def attachment(self, sr: Sr, host: Host | None = None) -> Attachment:
        """How the pool reaches an SR: through `host` if given, else the master first. Raises SR_HAS_NO_PBDS."""
        plugged = [pbd for pbd in self.pbds_of(sr) if pbd.attachment and (host is None or host is pbd.host)]
        plugged.sort(key=lambda pbd: pbd.host is not self.master)
        for pbd in plugged:
            if pbd.attachment:
                return pbd.attachment
        raise XapiError("SR_HAS_NO_PBDS", sr.ref)
