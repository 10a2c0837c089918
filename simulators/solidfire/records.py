"""The things an array knows: accounts, volumes, snapshots, access groups, initiators, clone jobs.

Few of a kind are rows: what the API shows of them under its wire names. Volumes and snapshots come by the million and
are kept small (sparse.py); shown.py writes them out. No rule lives here.

A record that leads to volumes or sessions leads back to the array: the collector must see it. The others it need not.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec

from snapproof.simulators.blocks import BlockImage, BlockVolume
from snapproof.simulators.solidfire.limits import BURST_TIME_S, CURVE, FIFO_SIZE
from snapproof.simulators.solidfire.sessions import Counters, Session
from snapproof.simulators.solidfire.shelf import Part
from snapproof.simulators.solidfire.sparse import Identity, Own, Seldom

_SHOUTED = {"id": "ID", "ids": "IDs", "uuid": "UUID", "iops": "IOPS", "io": "IO", "eui": "EUI", "naa": "NAA"}
NO_GROUP = "00000000-0000-0000-0000-000000000000"
NO_ATTRIBUTES: Mapping[str, Any] = MappingProxyType({})
ACTIVE_BRANCH = 0
"""A snapshotID of 0 means the volume as it is now."""


def wire_name(field: str) -> str:
    """Turn `scsi_naa_device_id` into `scsiNAADeviceID`."""
    first, *rest = field.split("_")
    return first + "".join(_SHOUTED.get(word) or word.capitalize() for word in rest)


class Status(StrEnum):
    """The life of a volume, as the API spells it; a purged volume has no status, it is gone."""

    CREATING = "creating"
    SNAPSHOTTING = "snapshotting"
    ACTIVE = "active"
    DELETED = "deleted"


class Access(StrEnum):
    """What hosts may do with a volume."""

    LOCKED = "locked"
    READ_ONLY = "readOnly"
    READ_WRITE = "readWrite"
    REPLICATION_TARGET = "replicationTarget"
    SNAP_MIRROR_TARGET = "snapMirrorTarget"


class QoS(msgspec.Struct, kw_only=True, rename=wire_name, frozen=True, gc=False):
    """The promised and permitted operations per second of a volume."""

    min_iops: int
    max_iops: int
    burst_iops: int
    burst_time: int = BURST_TIME_S
    curve: Mapping[str, int] = msgspec.field(default_factory=lambda: CURVE)


class AccountRow(msgspec.Struct, kw_only=True, rename=wire_name):
    """A tenant, with its CHAP secrets: the API shows them, nothing else does."""

    account_id: int
    username: str
    status: str = "active"
    volumes: "Part[Volume]"
    initiator_secret: str
    target_secret: str
    storage_container_id: str | None = None
    attributes: dict[str, Any]
    enable_chap: bool = True

    def __repr__(self) -> str:
        return f"AccountRow(account_id={self.account_id}, username={self.username!r}, status={self.status!r})"


class SnapshotReplication(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """How the snapshots of a pair are doing."""

    state: str = "Idle"
    state_details: str = ""


class RemoteReplication(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """How a pair is doing, seen from one end."""

    mode: str
    pause_limit: int
    remote_service_id: int
    resume_details: str = ""
    snapshot_replication: SnapshotReplication
    state: str
    state_details: str = ""


class VolumePairRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """The other end of a volume's pair, as ListVolumes shows it."""

    cluster_pair_id: int
    remote_volume_id: int
    remote_slice_id: int
    remote_volume_name: str
    volume_pair_uuid: str
    remote_replication: RemoteReplication


class GroupRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A volume access group: which initiators reach which volumes."""

    volume_access_group_id: int
    name: str
    initiator_ids: list[int]
    initiators: list[str]
    volumes: list[int]
    deleted_volumes: list[int]
    attributes: dict[str, Any]


class Account(msgspec.Struct, kw_only=True):
    """An account and its volumes by id, deleted ones included; its row lists the same."""

    row: AccountRow
    volumes: "Part[Volume]"


class SeldomOfVolume(msgspec.Struct, kw_only=True):
    """What most volumes leave as it is. Times that have not come are empty strings: null would read as deleted."""

    status: str = Status.ACTIVE.value
    access: str = Access.READ_WRITE.value
    enable_512e: bool = False
    enable_snap_mirror_replication: bool = False
    qos_policy_id: int | None = None
    volume_access_groups: list[int] | None = None
    volume_pairs: list[VolumePairRow] | None = None
    delete_time: str = ""
    purge_time: str = ""
    last_access_time: str | None = None
    last_access_time_io: str | None = None
    virtual_volume_id: str | None = None
    attributes: Mapping[str, Any] = NO_ATTRIBUTES
    current_protection_scheme: str = "doubleHelix"
    previous_protection_scheme: str | None = None
    fifo_size: int = FIFO_SIZE
    min_fifo_size: int = 0
    sessions: dict[str, Session] | None = None
    counters: Counters | None = None
    clone_jobs: int = 0
    purge_at_s: float = 0.0
    buried_in: list[int] | None = None


class Volume:
    """A volume: its contents, its snapshots by age, and what the API shows of it, which shown.py writes out.

    Made for millions: `seldom` is shared by all volumes that never left the usual, and what can be worked out is.
    """

    __slots__ = ("account_id", "create_time", "disk", "identity", "name", "qos", "seldom", "snapshots", "volume_id")

    USUAL: ClassVar = SeldomOfVolume()

    status: Seldom[str] = Seldom()
    access: Seldom[str] = Seldom()
    enable_512e: Seldom[bool] = Seldom()
    enable_snap_mirror_replication: Seldom[bool] = Seldom()
    qos_policy_id: Seldom[int | None] = Seldom()
    volume_access_groups: Own[list[int]] = Own(list)
    volume_pairs: Own[list[VolumePairRow]] = Own(list)
    delete_time: Seldom[str] = Seldom()
    purge_time: Seldom[str] = Seldom()
    last_access_time: Seldom[str | None] = Seldom()
    last_access_time_io: Seldom[str | None] = Seldom()
    virtual_volume_id: Seldom[str | None] = Seldom()
    attributes: Seldom[Mapping[str, Any]] = Seldom()
    current_protection_scheme: Seldom[str] = Seldom()
    previous_protection_scheme: Seldom[str | None] = Seldom()
    fifo_size: Seldom[int] = Seldom()
    min_fifo_size: Seldom[int] = Seldom()
    sessions: Own[dict[str, Session]] = Own(dict)
    """Open sessions by initiator."""
    counters: Own[Counters] = Own(Counters)
    clone_jobs: Seldom[int] = Seldom()
    """How many clone jobs read it."""
    purge_at_s: Seldom[float] = Seldom()
    buried_in: Own[list[int]] = Own(list)
    """The groups it was deleted from."""

    def __init__(
        self,
        *,
        volume_id: int,
        name: str,
        account_id: int,
        create_time: str,
        qos: QoS,
        disk: BlockVolume,
        identity: Identity,
    ) -> None:
        self.volume_id, self.name, self.account_id = volume_id, name, account_id
        self.create_time, self.qos, self.disk, self.identity = create_time, qos, disk, identity
        self.snapshots: tuple[Snapshot, ...] = ()
        self.seldom: SeldomOfVolume = self.USUAL

    @property
    def row(self) -> "Volume":
        """What answers hold: the volume itself, written out as it is when the answer is."""
        return self

    @property
    def active(self) -> bool:
        return self.seldom.status == Status.ACTIVE

    @property
    def total_size(self) -> int:
        """How large hosts see it."""
        return self.disk.size_bytes

    @property
    def iqn(self) -> str:
        """How hosts name it."""
        return f"iqn.2010-01.com.solidfire:{self.identity.unique_id}.{self.name.lower()}.{self.volume_id}"

    @property
    def eui(self) -> str:
        """How SCSI names it, in 32 hexadecimal digits."""
        return f"{self.identity.unique_id.encode().hex()}{self.volume_id:08x}f47acc0100000000"

    @property
    def naa(self) -> str:
        """How SCSI names it too."""
        return f"6f47acc100000000{self.identity.unique_id.encode().hex()}{self.volume_id:08x}"


class SeldomOfSnapshot(msgspec.Struct, kw_only=True, gc=False):
    """What most snapshots leave as it is."""

    checksum: str = "0x0"
    enable_remote_replication: bool = False
    expiration_reason: str = "None"
    expiration_time: str | None = None
    remote_statuses: list[dict[str, Any]] | None = None
    status: str = "done"
    group_id: int = 0
    group_snapshot_uuid: str = NO_GROUP
    virtual_volume_id: str | None = None
    attributes: Mapping[str, Any] = NO_ATTRIBUTES
    snap_mirror_label: str | None = None
    clone_jobs: int = 0
    expires_at_s: float | None = None
    replicated_uuid: str = ""


class Snapshot:
    """A snapshot of a volume and its frozen contents; made for millions, like volumes."""

    __slots__ = ("create_time", "image", "name", "seldom", "snapshot_id", "volume")

    USUAL: ClassVar = SeldomOfSnapshot()

    checksum: Seldom[str] = Seldom()
    enable_remote_replication: Seldom[bool] = Seldom()
    expiration_reason: Seldom[str] = Seldom()
    expiration_time: Seldom[str | None] = Seldom()
    remote_statuses: Own[list[dict[str, Any]]] = Own(list)
    status: Seldom[str] = Seldom()
    group_id: Seldom[int] = Seldom()
    group_snapshot_uuid: Seldom[str] = Seldom()
    virtual_volume_id: Seldom[str | None] = Seldom()
    attributes: Seldom[Mapping[str, Any]] = Seldom()
    snap_mirror_label: Seldom[str | None] = Seldom()
    clone_jobs: Seldom[int] = Seldom()
    """How many clone jobs read it."""
    expires_at_s: Seldom[float | None] = Seldom()
    replicated_uuid: Seldom[str] = Seldom()

    def __init__(self, *, snapshot_id: int, name: str, create_time: str, volume: Volume, image: BlockImage) -> None:
        self.snapshot_id, self.name, self.create_time = snapshot_id, name, create_time
        self.volume, self.image = volume, image
        self.seldom: SeldomOfSnapshot = self.USUAL

    @property
    def row(self) -> "Snapshot":
        """What answers hold: the snapshot itself, written out as it is when the answer is."""
        return self

    @property
    def volume_id(self) -> int:
        return self.volume.volume_id

    @property
    def total_size(self) -> int:
        """How large the volume was."""
        return self.image.size_bytes

    @property
    def instance_uuid(self) -> str:
        """Its own UUID."""
        return self.volume.identity.uuid_of("snapshot", self.snapshot_id)

    @property
    def snapshot_uuid(self) -> str:
        """Its own UUID, or that of the snapshot elsewhere of which it is the replica."""
        return self.seldom.replicated_uuid or self.instance_uuid

    @snapshot_uuid.setter
    def snapshot_uuid(self, uuid: str) -> None:
        self.replicated_uuid = uuid


class Initiator(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A host's iSCSI name, lower-cased, as ListInitiators shows it: its CHAP secrets there and nowhere else."""

    initiator_id: int
    initiator_name: str
    alias: str = ""
    volume_access_groups: list[int]
    attributes: dict[str, Any]
    require_chap: bool = False
    chap_username: str | None = None
    initiator_secret: str | None = None
    target_secret: str | None = None
    virtual_network_ids: list[int]

    def __repr__(self) -> str:
        return f"Initiator(initiator_id={self.initiator_id}, initiator_name={self.initiator_name!r})"


class Luns(msgspec.Struct, kw_only=True, gc=False):
    """Under which numbers the initiators of a group see its volumes, by volume id; deleted volumes keep theirs."""

    assigned: dict[int, int]
    deleted: dict[int, int]


class QoSPolicy(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A QoS that volumes share, with the ids of those that follow it, ascending, as ListQoSPolicies shows it."""

    qos_policy_id: int
    name: str
    qos: QoS
    volume_ids: list[int]


class GroupSnapshot(msgspec.Struct, kw_only=True, gc=False):
    """Snapshots of several volumes taken at one moment; the members are the ids of those that are left."""

    group_snapshot_id: int
    uuid: str
    name: str
    create_time: str
    enable_remote_replication: bool
    attributes: dict[str, Any]
    members: list[int]


class Job(msgspec.Struct, kw_only=True, gc=False):
    """An asynchronous clone, or a copy over a volume that was there. `error` names how it ends, if not well."""

    handle: int
    clone_id: int
    source_id: int
    target_id: int
    snapshot_id: int
    create_time: str
    started_s: float
    update_time: str
    polls: int = 0
    completed: bool = False
    error: str = ""
    overwrites: bool = False
    group_clone_id: int = 0


class GroupClone(msgspec.Struct, kw_only=True):
    """Clones of several volumes that were begun by one call and are asked about by one handle."""

    handle: int
    group_clone_id: int
    create_time: str
    jobs: list[Job]

    @property
    def completed(self) -> bool:
        return all(job.completed for job in self.jobs)

    @property
    def update_time(self) -> str:
        return max(job.update_time for job in self.jobs)

    @property
    def error(self) -> str:
        return next((job.error for job in self.jobs if job.error), "")
