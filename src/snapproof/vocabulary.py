"""Value types that both ports speak: what a volume, a snapshot, a copy, a place and a secret are.

No behaviour of any driver, array or suite lives here. What a driver is told about its surroundings is in site.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType

AccountId = NewType("AccountId", str)
VolumeId = NewType("VolumeId", str)
SnapshotId = NewType("SnapshotId", str)
OperationId = NewType("OperationId", str)
"""Chosen by the caller; the same id sent twice means the same operation, not a second one."""

PolicyId = NewType("PolicyId", str)
TemplateId = NewType("TemplateId", str)

BLOCK_BYTES = 4096
"""The granularity in which contents are compared; the block size of every Element volume."""


class LocationType(StrEnum):
    """Where a snapshot's bytes are kept: on the array, or on secondary storage."""

    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"


class SnapshotState(StrEnum):
    """CloudStack's nine states of a snapshot. BackedUp means finished, at either place."""

    ALLOCATED = "Allocated"
    CREATING = "Creating"
    CREATED_ON_PRIMARY = "CreatedOnPrimary"
    BACKING_UP = "BackingUp"
    BACKED_UP = "BackedUp"
    COPYING = "Copying"
    DESTROYING = "Destroying"
    DESTROYED = "Destroyed"
    ERROR = "Error"


class HypervisorType(StrEnum):
    """What the hosts run, in CloudStack's spelling."""

    XENSERVER = "XenServer"
    KVM = "KVM"
    VMWARE = "VMware"


class Capability(StrEnum):
    """What a driver may declare. What it does not declare is not asked of it, and is reported as not supported."""

    SNAPSHOT_PRIMARY = "snapshot-primary"
    SNAPSHOT_SECONDARY = "snapshot-secondary"
    VOLUME_FROM_PRIMARY = "volume-from-primary"
    VOLUME_FROM_SECONDARY = "volume-from-secondary"
    PARENT_KEPT = "parent-kept"  # a deleted volume's LUN outlives it until its last array snapshot goes
    ARCHIVE = "archive"  # a snapshot on the array can be moved to secondary storage later
    ASYNC_BACKUP = "async-backup"  # a backup can go on in the background
    CANCEL = "cancel"  # a backup that runs can be stopped
    QUEUE = "queue"  # it is told which operations wait for their turn
    POLICIES = "policies"  # snapshots are taken by schedule, and the oldest of them deleted
    REVERT = "revert"  # a volume can be taken back to a snapshot on the array
    POOLS = "pools"  # volumes are put on storage pools by name, and it is told how full each is
    ARRAY_VOLUMES = "array-volumes"  # where no host can re-sign, a snapshot is an array volume of its own
    TEMPLATES = "templates"  # a template can be made of a snapshot, wherever that is kept
    RESIZE = "resize"  # a volume that no machine uses can be made larger
    RECONCILE = "reconcile"
    ACCOUNTING = "accounting"
    ENCRYPTION = "encryption"  # a store can be told to encrypt backups at rest, and the record names the key
    VERIFICATION = "verification"  # backups are read again now and then, and damage is told before anybody restores
    AUDIT_EVENTS = "audit-events"
    USAGE_EVENTS = "usage-events"
    STATE_CHANGES = "state-changes"
    ALERTS = "alerts"
    ACCOUNTS = "accounts"  # callers have roles, domains, projects and limits
    KVM = "kvm"  # volumes that KVM hosts use, which are no VHD


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Who a driver says it is, and what it says it can do."""

    name: str
    version: str
    capabilities: frozenset[Capability]


class Secret:
    """A credential that never shows itself: `str`, `repr` and formatting give `***`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself, for the one call that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Qos:
    """Guaranteed, maximum and burst IOPS of a volume."""

    min_iops: int
    max_iops: int
    burst_iops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeRequest:
    """Ask for a volume of `size_bytes` (guest-visible) for an account: empty, from a snapshot or from a template.

    `pool` is one of the site's storage pools; None leaves the choice to the driver.
    """

    operation: OperationId
    account: AccountId
    name: str
    size_bytes: int
    qos: Qos = Qos(min_iops=100, max_iops=15_000, burst_iops=22_500)
    from_snapshot: SnapshotId | None = None
    from_template: TemplateId | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume as its driver reports it. `target` is the IQN under which hosts reach its LUN, `pool` where that is."""

    id: VolumeId
    account: AccountId
    name: str
    size_bytes: int
    target: str
    qos: Qos
    pool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotRequest:
    """Ask for a snapshot; `location` is as a user types it, None leaves the choice to the driver's default.

    `async_backup` asks for an answer as soon as the array has its snapshot; the backup goes on in the background.
    `quiesce` asks that the guest writes out what it holds first: it does, or the request is refused.
    """

    operation: OperationId
    volume: VolumeId
    name: str = ""
    location: str | None = None
    async_backup: bool = False
    quiesce: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """Ask for snapshots HOURLY, DAILY, WEEKLY or MONTHLY, minute first as in `15:02:7`; the newest are kept."""

    operation: OperationId
    volume: VolumeId
    interval: str
    schedule: str
    timezone: str
    keep_max: int
    location: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A policy as its driver reports it. `next_run` is its next slot, ISO 8601 in UTC."""

    id: PolicyId
    volume: VolumeId
    interval: str
    schedule: str
    timezone: str
    keep_max: int
    location: LocationType
    next_run: str


OF_ARRAY_VOLUMES = "SfVolumeId="
"""What stands before the number where a copy is an array volume of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One place where a snapshot's bytes are: `SfSnapshotId=7` on the array, or a path or key on secondary storage.

    A snapshot that is an array volume of its own is at `SfVolumeId=7`; then `details` are CloudStack's: volumeId,
    sfStoragePoolId, sfVolumeSize, iqn as `/iqn/0`, and path, the disk's uuid. `store` is the storage pool or the image
    store by its name in the site; a driver that knows one of each says nothing. Of a backup that is encrypted at rest,
    `details` name the key: encryptionKeyId; of one that was found damaged when it was read again, the `damage`.
    """

    location: LocationType
    reference: str
    physical_size_bytes: int
    store: str = ""
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A snapshot as its driver reports it. `revertable` says whether its volume can be taken back to it."""

    id: SnapshotId
    account: AccountId
    volume: VolumeId
    name: str
    location: LocationType
    state: SnapshotState
    size_bytes: int
    copies: tuple[Copy, ...]
    policy: PolicyId | None = None
    revertable: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRequest:
    """Ask for a template with the content of a snapshot."""

    operation: OperationId
    account: AccountId
    name: str
    from_snapshot: SnapshotId


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as its driver reports it: a disk on secondary storage, at this path or key, to make volumes of."""

    id: TemplateId
    account: AccountId
    name: str
    size_bytes: int
    reference: str
    physical_size_bytes: int
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUse:
    """How many bytes a storage pool counts as used: its volumes, and the snapshots that it keeps."""

    name: str
    used_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceCounts:
    """What an account is charged against its limits.

    On primary storage that is its volumes and its snapshots there, each as large as its disk.
    """

    snapshots: int
    secondary_storage_bytes: int
    primary_storage_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One audit event. `phase` is Created, Started or Completed; `level` is INFO, WARN or ERROR.

    `account` owns the subject; `caller` is who asked, where that is known.
    """

    operation: OperationId
    type: str
    phase: str
    level: str
    account: AccountId
    subject: str
    policy: PolicyId | None = None
    caller: AccountId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """One fact for billing, written once."""

    type: str
    account: AccountId
    subject: str
    size_bytes: int
    location: LocationType | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One line of a bill: a snapshot at one place, from a moment on until another, or until now."""

    account: AccountId
    subject: str
    location: LocationType
    size_bytes: int
    from_s: float
    until_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that an operator must hear of although no caller waits for an answer."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """One walk of a snapshot along its state table."""

    subject: str
    event: str
    before: SnapshotState
    after: SnapshotState


@dataclass(frozen=True, slots=True)
class Content:
    """The guest-visible bytes of a disk: its size and its blocks that are not all zero, by number. Equal is equal."""

    size_bytes: int
    blocks: Mapping[int, bytes] = field(default_factory=dict)

    def differing(self, other: "Content") -> tuple[int, ...]:
        """Number the blocks in which two disks differ; a difference in size alone is reported by `==`."""
        numbers = self.blocks.keys() | other.blocks.keys()
        return tuple(sorted(n for n in numbers if self.blocks.get(n) != other.blocks.get(n)))

    def extends(self, other: "Content") -> bool:
        """Say whether this is the other disk, or the same bytes with nothing but zeros behind them."""
        return self == other or (self.size_bytes >= other.size_bytes and _bare(self.blocks) == _bare(other.blocks))


def _bare(blocks: Mapping[int, bytes]) -> Mapping[int, bytes]:
    """Blocks without the zeros at their ends: the last block of a disk may be a part of one."""
    return {number: block.rstrip(b"\0") for number, block in blocks.items() if any(block)}
