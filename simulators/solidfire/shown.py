"""Volumes and snapshots as the API shows them: written out while an answer is, from what the records keep or imply."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from snapproof.simulators.clock import iso
from snapproof.simulators.solidfire.records import QoS, Snapshot, Volume, VolumePairRow, wire_name
from snapproof.simulators.solidfire.shelf import Part


class VolumeRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A volume as ListVolumes shows it. Times that have not come are empty strings: null would read as deleted."""

    volume_id: int
    name: str
    account_id: int
    create_time: str
    volume_consistency_group_uuid: str
    volume_uuid: str
    enable_snap_mirror_replication: bool
    status: str
    access: str
    enable_512e: bool
    iqn: str
    scsi_eui_device_id: str
    scsi_naa_device_id: str
    qos: QoS
    qos_policy_id: int | None
    volume_access_groups: Sequence[int]
    volume_pairs: Sequence[VolumePairRow]
    delete_time: str
    purge_time: str
    last_access_time: str | None
    last_access_time_io: str | None
    slice_count: int = 1
    total_size: int
    block_size: int = 4096
    virtual_volume_id: str | None
    attributes: Mapping[str, Any]
    current_protection_scheme: str
    previous_protection_scheme: str | None
    fifo_size: int
    min_fifo_size: int


class SnapshotRow(msgspec.Struct, kw_only=True, rename=wire_name, gc=False):
    """A snapshot as ListSnapshots shows it."""

    snapshot_id: int
    volume_id: int
    name: str
    checksum: str
    enable_remote_replication: bool
    expiration_reason: str
    expiration_time: str | None
    remote_statuses: Sequence[dict[str, Any]]
    status: str
    snapshot_uuid: str
    total_size: int
    group_id: int
    group_snapshot_uuid: str
    create_time: str
    instance_create_time: str
    volume_name: str
    instance_snapshot_uuid: str
    virtual_volume_id: str | None
    attributes: Mapping[str, Any]
    snap_mirror_label: str | None


def volume_row(volume: Volume) -> VolumeRow:
    """Write out a volume."""
    volume_id, identity, seldom = volume.volume_id, volume.identity, volume.seldom
    accessed = iso(seldom.counters.last_s) if seldom.counters and seldom.counters.last_s else None
    return VolumeRow(
        volume_id=volume_id,
        name=volume.name,
        account_id=volume.account_id,
        create_time=volume.create_time,
        volume_consistency_group_uuid=identity.uuid_of("consistency group", volume_id),
        volume_uuid=identity.uuid_of("volume", volume_id),
        enable_snap_mirror_replication=seldom.enable_snap_mirror_replication,
        status=seldom.status,
        access=seldom.access,
        enable_512e=seldom.enable_512e,
        iqn=volume.iqn,
        scsi_eui_device_id=volume.eui,
        scsi_naa_device_id=volume.naa,
        qos=volume.qos,
        qos_policy_id=seldom.qos_policy_id,
        volume_access_groups=seldom.volume_access_groups or [],
        volume_pairs=seldom.volume_pairs or [],
        delete_time=seldom.delete_time,
        purge_time=seldom.purge_time,
        last_access_time=accessed or seldom.last_access_time,
        last_access_time_io=accessed or seldom.last_access_time_io,
        total_size=volume.disk.size_bytes,
        virtual_volume_id=seldom.virtual_volume_id,
        attributes=seldom.attributes or {},
        current_protection_scheme=seldom.current_protection_scheme,
        previous_protection_scheme=seldom.previous_protection_scheme,
        fifo_size=seldom.fifo_size,
        min_fifo_size=seldom.min_fifo_size,
    )


def snapshot_row(snapshot: Snapshot) -> SnapshotRow:
    """Write out a snapshot."""
    volume, seldom, instance_uuid = snapshot.volume, snapshot.seldom, snapshot.instance_uuid
    return SnapshotRow(
        snapshot_id=snapshot.snapshot_id,
        volume_id=volume.volume_id,
        name=snapshot.name,
        checksum=seldom.checksum,
        enable_remote_replication=seldom.enable_remote_replication,
        expiration_reason=seldom.expiration_reason,
        expiration_time=seldom.expiration_time,
        remote_statuses=seldom.remote_statuses or [],
        status=seldom.status,
        snapshot_uuid=seldom.replicated_uuid or instance_uuid,
        total_size=snapshot.image.size_bytes,
        group_id=seldom.group_id,
        group_snapshot_uuid=seldom.group_snapshot_uuid,
        create_time=snapshot.create_time,
        instance_create_time=snapshot.create_time,
        volume_name=volume.name,
        instance_snapshot_uuid=instance_uuid,
        virtual_volume_id=seldom.virtual_volume_id,
        attributes=seldom.attributes or {},
        snap_mirror_label=seldom.snap_mirror_label,
    )


def shown(thing: object) -> object:
    """Turn what msgspec does not know into what it does. Raises NotImplementedError, as it wants, for the rest."""
    show = _SHOWN.get(type(thing))
    if show is None:
        raise NotImplementedError(f"No answer can hold a {type(thing).__name__}.")
    return show(thing)


_SHOWN: Mapping[type, Callable[[Any], object]] = {Volume: volume_row, Snapshot: snapshot_row, Part: Part.numbers}
