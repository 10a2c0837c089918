"""The objects of a pool, one class each, and the tables they stand in by their opaque refs.

A field that no rule reads is kept in `kept` under the datamodel's name. Objects are equal only to themselves. Rules
live in methods*.py, the identity of a LUN in the LUN itself (lun.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from snapproof.simulators.clock import IMMEDIATE, Transition
from snapproof.simulators.xenserver.attachments import Attachment, CopySteps
from snapproof.simulators.xenserver.datamodel import Role
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.host_mounts import HostMount


class PowerState(StrEnum):
    HALTED = "Halted"
    RUNNING = "Running"


class TaskStatus(StrEnum):
    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"


@dataclass(slots=True, kw_only=True, eq=False)
class Row:
    """What every object has. Classes without rules of their own are made of nothing else."""

    ref: str
    uuid: str
    kept: dict[str, object] = field(default_factory=dict, repr=False)  # a secret's value among others


@dataclass(slots=True, kw_only=True, eq=False)
class Mount:
    """An export that a host mounted; `shown` is its address without any credentials."""

    local: str
    remote: str
    shown: str
    directory: HostMount = field(repr=False)


@dataclass(slots=True, kw_only=True, eq=False)
class Host(Row):
    name_label: str
    iqn: str
    address: str
    mounts: dict[str, Mount] = field(default_factory=dict)
    enabled: bool = True
    up_s: float | None = 0.0
    """When the host runs, in clock time; None while its power is off."""


@dataclass(slots=True, kw_only=True, eq=False)
class Sr(Row):
    name_label: str
    name_description: str
    type: str
    content_type: str
    shared: bool
    sm_config: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Pbd(Row):
    """How one host reaches one SR; attached exactly while `attachment` is there."""

    host: Host
    sr: Sr
    device_config: dict[str, str]
    attachment: Attachment | None = field(default=None, repr=False)


@dataclass(slots=True, kw_only=True, eq=False)
class Vdi(Row):
    """A disk as the pool knows it. `managed` is false for the hidden parent of a chain, which is nobody's disk."""

    name_label: str
    name_description: str
    sr: Sr
    virtual_size: int
    sm_config: dict[str, str] = field(default_factory=dict)
    managed: bool = True
    is_a_snapshot: bool = False
    snapshot_of: str = ""
    """The uuid of the disk that this is a snapshot of: it may be gone."""
    snapshot_s: float = 0.0
    parent: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Vm(Row):
    name_label: str
    resident_on: Host | None = None
    power_state: PowerState = PowerState.HALTED
    boots: int = 0
    is_a_snapshot: bool = False
    snapshot_of: "Vm | None" = None
    snapshot_s: float = 0.0
    flush: Callable[[], None] | None = field(default=None, repr=False)
    """How guest tools write out what the guest still holds in memory; None where none run."""


@dataclass(slots=True, kw_only=True, eq=False)
class Vbd(Row):
    vm: Vm
    vdi: Vdi | None
    userdevice: str
    mode: str
    type: str = "Disk"
    attached: bool = False


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
class Work:
    """A call that a task makes when its time has come. Until then nothing of it has happened."""

    perform: Callable[[], object] = field(repr=False)
    pace: Transition = IMMEDIATE
    looks: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Task(Row):
    name_label: str
    created_s: float
    name_description: str = ""
    finished_s: float | None = None
    status: TaskStatus = TaskStatus.PENDING
    result: str = ""
    error_info: tuple[str, ...] = ()
    progress: float = 0.0
    copy: Copy | None = None
    work: Work | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Session(Row):
    username: str
    host: Host
    last_active_s: float
    opened_s: float = 0.0
    role: Role = Role.ROOT
    registered: set[str] = field(default_factory=set)
    heard: int = 0
    """How far event.next has told this session."""


@dataclass(slots=True, kw_only=True, eq=False)
class PoolRecord(Row):
    name_label: str
    master: Host


@dataclass(slots=True, kw_only=True, eq=False)
class Sm(Row):
    """A storage manager plug-in that every host has, as `xe sm-list` shows it."""

    type: str
    name_label: str


@dataclass(slots=True, kw_only=True, eq=False)
class Notice(Row):
    """A message of the API's class of that name: something that somebody should read."""

    name: str
    priority: int
    cls: str
    obj_uuid: str
    body: str
    time_s: float


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

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, row: R) -> bool:
        return row.ref in self._rows
