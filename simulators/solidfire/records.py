"""The things an array knows: accounts, volumes, snapshots, access groups, initiators, clone jobs.

Each is a row, what the API shows of it under its wire names, inside a record that adds what the API does not show.
No rule lives here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from snapproof.simulators.blocks import BlockImage, BlockVolume
from snapproof.simulators.solidfire.limits import BURST_TIME_S, CURVE
from snapproof.simulators.solidfire.sessions import Session
from snapproof.simulators.solidfire.shelf import Shelf

_SHOUTED = {"id": "ID", "ids": "IDs", "uuid": "UUID", "iops": "IOPS", "io": "IO", "eui": "EUI", "naa": "NAA"}
NO_GROUP = "00000000-0000-0000-0000-000000000000"
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


class AccountRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A tenant, with its CHAP secrets: the API shows them, nothing else does."""

    account_id: int
    username: str
    status: str = "active"
    volumes: list[int]
    initiator_secret: str
    target_secret: str
    storage_container_id: str | None = None
    attributes: dict[str, Any]
    enable_chap: bool = True

    def __repr__(self) -> str:
        return f"AccountRow(account_id={self.account_id}, username={self.username!r}, status={self.status!r})"


class VolumeRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A volume as ListVolumes shows it. Times that have not come are empty strings: null would read as deleted."""

    volume_id: int
    name: str
    account_id: int
    create_time: str
    volume_consistency_group_uuid: str
    volume_uuid: str
    enable_snap_mirror_replication: bool = False
    status: str = Status.ACTIVE.value
    access: str = Access.READ_WRITE.value
    enable_512e: bool
    iqn: str
    scsi_eui_device_id: str
    scsi_naa_device_id: str
    qos: QoS
    qos_policy_id: int | None = None
    volume_access_groups: list[int]
    volume_pairs: list[dict[str, Any]]
    delete_time: str = ""
    purge_time: str = ""
    last_access_time: str | None = None
    last_access_time_io: str | None = None
    slice_count: int = 1
    total_size: int
    block_size: int = 4096
    virtual_volume_id: str | None = None
    attributes: dict[str, Any]
    current_protection_scheme: str = "doubleHelix"
    previous_protection_scheme: str | None = None
    fifo_size: int
    min_fifo_size: int


class SnapshotRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A snapshot as ListSnapshots shows it."""

    snapshot_id: int
    volume_id: int
    name: str
    checksum: str = "0x0"
    enable_remote_replication: bool = False
    expiration_reason: str = "None"
    expiration_time: str | None = None
    remote_statuses: list[dict[str, Any]]
    status: str = "done"
    snapshot_uuid: str
    total_size: int
    group_id: int = 0
    group_snapshot_uuid: str = NO_GROUP
    create_time: str
    instance_create_time: str
    volume_name: str
    instance_snapshot_uuid: str
    virtual_volume_id: str | None = None
    attributes: dict[str, Any]
    snap_mirror_label: str | None = None


class GroupRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A volume access group: which initiators reach which volumes."""

    volume_access_group_id: int
    name: str
    initiator_ids: list[int]
    initiators: list[str]
    volumes: list[int]
    deleted_volumes: list[int]
    attributes: dict[str, Any]


class Account(msgspec.Struct, kw_only=True, gc=False):
    """An account and its volumes by id, deleted ones included; `row.volumes` lists the same ids."""

    row: AccountRow
    volumes: "Shelf[Volume]"


class Volume(msgspec.Struct, kw_only=True, gc=False):
    """A volume, its contents, snapshots, sessions by initiator, clone jobs that read it, groups it was deleted from."""

    row: VolumeRow
    disk: BlockVolume
    snapshots: "Shelf[Snapshot]"
    sessions: dict[str, Session]
    clone_jobs: int = 0
    purge_at_s: float = 0.0
    buried_in: list[int] = msgspec.field(default_factory=list)

    @property
    def active(self) -> bool:
        return self.row.status == Status.ACTIVE


class Snapshot(msgspec.Struct, kw_only=True, gc=False):
    """A snapshot, its frozen contents, and how many clone jobs read from it."""

    row: SnapshotRow
    image: BlockImage
    clone_jobs: int = 0
    expires_at_s: float | None = None


class Initiator(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A host's iSCSI name, lower-cased, as ListInitiators shows it. Its CHAP secrets are shown there and nowhere else."""

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
    """An asynchronous clone. `error` names how it will end, or ended, if not well."""

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
