"""Plans: an order turned into a tuple of steps, the same tuple every time, so that the next life can go on with it.

When a job has failed, every step is undone. What a step does to the world is in effects.py, how the catalog records it
in recording.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

from snapproof.reference_impl.core.effects import (
    AttachDisk,
    CloneToLun,
    CopyDisk,
    CopyIn,
    CopyOut,
    CreateLun,
    DeleteArraySnapshot,
    DeleteBackup,
    Effect,
    FetchImage,
    GrantHosts,
    GrowDisk,
    GrowLun,
    InspectImage,
    LookAtSource,
    PublishImage,
    ReachSource,
    ReleaseLun,
    RequireOneDisk,
    ResignDisk,
    RollBackLun,
    SetQos,
    SnapshotDisk,
    StageImage,
    TakeArraySnapshot,
)
from snapproof.reference_impl.core.names import (
    array_name,
    backup_path,
    staging_path,
    template_path,
    template_staging,
    temporary_lun_name,
)
from snapproof.reference_impl.core.orders import (
    AbandonSnapshot,
    ArchiveSnapshot,
    ArraySource,
    BackUpSnapshot,
    BackupSource,
    CreateTemplate,
    CreateVolume,
    DeleteSnapshot,
    DeleteTemplate,
    DeleteVolume,
    Order,
    ResizeVolume,
    RevertVolume,
    TakeSnapshot,
    VolumeSource,
    file_of,
)
from snapproof.vocabulary import LocationType, Qos

LUN_SIZE_BYTES_MIN = 1_000_000_000
RESERVE_PERCENT = 10
"""A LUN is larger than its disk by what the hypervisor keeps beside it (CloudStack's hypervisor snapshot reserve)."""

COPYING_QOS = Qos(min_iops=100, max_iops=20_000, burst_iops=20_000)
"""What a LUN gets while it is filled (CloudStack's plug-in does the same)."""


class Lifetime(StrEnum):
    """How long what a step made is needed."""

    KEPT = "kept"
    WORK = "work"  # released before success is recorded: from then on users may use what was made, undisturbed
    SPENT = "spent"  # released after success is recorded: until then it may be the only copy
    LAST = "last"  # not performed before success is recorded: it removes what was the only copy until then


@dataclass(frozen=True, slots=True)
class Step:
    """One effect of a plan."""

    effect: Effect
    lifetime: Lifetime = Lifetime.KEPT


Plan: TypeAlias = tuple[Step, ...]


def steps_before_success(plan: Plan) -> Plan:
    """The steps that decide whether the job succeeds."""
    return tuple(step for step in plan if step.lifetime is not Lifetime.LAST)


def lun_size(size_bytes: int) -> int:
    """How large the LUN for a disk of `size_bytes` must be."""
    return max(LUN_SIZE_BYTES_MIN, size_bytes + size_bytes * RESERVE_PERCENT // 100)


def plan_take(order: TakeSnapshot) -> Plan:
    """PRIMARY keeps the array snapshot; SECONDARY copies it out through a clone and keeps the copy alone.

    In the background, the copying is a job of its own. Where no host could use a clone, the hosts do the copying.
    """
    if order.as_volume:
        return _plan_volume_of_its_own(order)
    snapshot = TakeArraySnapshot(
        lun_id=order.lun_id, name=array_name(order.volume_name, order.snapshot), owner=order.owner
    )
    if order.location is LocationType.PRIMARY or order.in_background is not None:
        return (Step(snapshot),)
    return (Step(snapshot, Lifetime.SPENT), *_backing_up(order, None))


def _plan_volume_of_its_own(order: TakeSnapshot) -> Plan:
    lun = CreateLun(
        account=order.account,
        name=array_name(order.volume_name, order.snapshot),
        size_bytes=lun_size(order.size_bytes),
        qos=COPYING_QOS,
        owner=order.owner,
    )
    return (
        Step(LookAtSource(lun_id=order.lun_id)),
        Step(lun),
        Step(GrantHosts(name=lun.name, owner=order.owner), Lifetime.WORK),
        Step(ReachSource(lun_id=order.lun_id), Lifetime.WORK),
        Step(SnapshotDisk(), Lifetime.WORK),
        Step(CopyDisk(name=lun.name, owner=order.owner), Lifetime.WORK),
    )


def plan_archive(order: ArchiveSnapshot) -> Plan:
    """Until the backup is recorded the array snapshot is the only copy; only then does it go, and its LUN with it."""
    steps = [*_backing_up(order, order.array_snapshot)]
    steps.append(Step(DeleteArraySnapshot(snapshot_id=order.array_snapshot), Lifetime.LAST))
    if order.release_lun is not None:
        steps.append(Step(ReleaseLun(lun_id=order.release_lun), Lifetime.LAST))
    return tuple(steps)


def plan_back_up(order: BackUpSnapshot) -> Plan:
    """The array snapshot stays until the backup is recorded: the next try needs it."""
    release = Step(DeleteArraySnapshot(snapshot_id=order.array_snapshot), Lifetime.LAST)
    return (*_backing_up(order, order.array_snapshot), release)


def plan_abandon(order: AbandonSnapshot) -> Plan:
    """Nothing can fail here; what cannot be cleared away now is cleared away later."""
    return (Step(DeleteArraySnapshot(snapshot_id=order.array_snapshot), Lifetime.LAST),)


def _backing_up(order: TakeSnapshot | ArchiveSnapshot | BackUpSnapshot, array_snapshot: int | None) -> Plan:
    """Clone the array snapshot, have a host copy the clone out, and publish what it wrote."""
    clone = CloneToLun(
        lun_id=order.lun_id,
        snapshot_id=array_snapshot,
        account=order.account,
        name=temporary_lun_name(order.snapshot),
        owner=order.owner,
    )
    return (
        *_copying_out(clone, staging_path(order.account, order.volume, file_of(order))),
        Step(InspectImage(size_bytes=order.size_bytes)),
        Step(PublishImage(path=backup_path(order.account, order.volume, file_of(order)), subject=order.snapshot)),
    )


def _copying_out(clone: CloneToLun, staging: str) -> Plan:
    return (
        Step(clone, Lifetime.SPENT),
        Step(GrantHosts(name=clone.name, owner=clone.owner), Lifetime.SPENT),
        Step(ResignDisk()),
        Step(AttachDisk(name=clone.name, owner=clone.owner), Lifetime.SPENT),
        Step(CopyOut(staging=staging), Lifetime.SPENT),
    )


def plan_create_template(order: CreateTemplate) -> Plan:
    """What is on the array is copied out through a clone, as for a backup; a backup is copied as a file."""
    return (
        *_staging_template(order, template_staging(order.account, order.template)),
        Step(InspectImage(size_bytes=order.size_bytes)),
        Step(PublishImage(path=template_path(order.account, order.template), subject=order.template)),
    )


def _staging_template(order: CreateTemplate, staging: str) -> Plan:
    if order.array_source is not None:
        clone = CloneToLun(
            lun_id=order.array_source.lun_id,
            snapshot_id=order.array_source.snapshot_id,
            account=order.account,
            name=temporary_lun_name(order.template),
            owner=order.owner,
        )
        return _copying_out(clone, staging)
    if order.volume_source is not None:
        return (
            Step(LookAtSource(lun_id=order.volume_source.lun_id, kept=True)),
            Step(ReachSource(lun_id=order.volume_source.lun_id), Lifetime.SPENT),
            Step(CopyOut(staging=staging, of_source=True), Lifetime.SPENT),
        )
    source = order.backup_source
    assert source is not None, f"Job {order.job} has nothing to make template {order.template} of."
    stage = StageImage(
        path=source.path,
        physical_size_bytes=source.physical_size_bytes,
        digest=source.digest,
        staging=staging,
    )
    return (Step(stage, Lifetime.SPENT),)


def plan_delete_template(order: DeleteTemplate) -> Plan:
    """One file or object."""
    return (Step(DeleteBackup(path=order.path)),)


def plan_delete_snapshot(order: DeleteSnapshot) -> Plan:
    """Delete the copies first; the LUN that was kept for the snapshot goes last."""
    steps: list[Step] = []
    if order.backup is not None:
        steps.append(Step(DeleteBackup(path=order.backup)))
    if order.array_snapshot is not None:
        steps.append(Step(DeleteArraySnapshot(snapshot_id=order.array_snapshot)))
    luns = [lun_id for lun_id in (order.array_volume, order.release_lun) if lun_id is not None]
    steps += [Step(ReleaseLun(lun_id=lun_id)) for lun_id in luns]
    return tuple(steps)


def plan_create_volume(order: CreateVolume) -> Plan:
    """An empty LUN; or a clone of an array snapshot, re-signed; or a LUN filled from a backup."""
    if order.array_source is not None:
        return _plan_clone(order, order.array_source)
    if order.volume_source is not None:
        return _plan_copy(order, order.volume_source)
    if order.backup_source is not None:
        return _plan_restore(order, order.backup_source)
    return (Step(_create_lun(order, order.qos)),)


def plan_revert(order: RevertVolume) -> Plan:
    """One call, which can be repeated while nobody writes to the volume, and not taken back.

    A machine's own snapshots are on the LUN: they would be lost or come back, and nobody would know.
    """
    look = Step(RequireOneDisk(lun_id=order.lun_id))
    return (
        look,
        Step(RollBackLun(lun_id=order.lun_id, snapshot_id=order.array_snapshot)),
    )


def plan_resize(order: ResizeVolume) -> Plan:
    """A larger LUN under a disk of the old size does no harm, so nothing of this is taken back."""
    return (
        Step(GrowLun(lun_id=order.lun_id, size_bytes=lun_size(order.size_bytes))),
        Step(LookAtSource(lun_id=order.lun_id)),
        Step(ReachSource(lun_id=order.lun_id), Lifetime.WORK),
        Step(GrowDisk(size_bytes=order.size_bytes)),
    )


def plan_delete_volume(order: DeleteVolume) -> Plan:
    """Delete the LUN unless array snapshots need it."""
    return () if order.release_lun is None else (Step(ReleaseLun(lun_id=order.release_lun)),)


def _plan_clone(order: CreateVolume, source: ArraySource) -> Plan:
    name = array_name(order.volume_name, order.volume)
    clone = CloneToLun(
        lun_id=source.lun_id, snapshot_id=source.snapshot_id, account=order.account, name=name, owner=order.owner
    )
    return (
        Step(clone),
        Step(GrantHosts(name=name, owner=order.owner), Lifetime.WORK),
        Step(ResignDisk()),
        Step(AttachDisk(name=name, owner=order.owner), Lifetime.WORK),
        Step(SetQos(qos=order.qos)),
    )


def _plan_copy(order: CreateVolume, source: VolumeSource) -> Plan:
    lun = _create_lun(order, COPYING_QOS)
    return (
        Step(LookAtSource(lun_id=source.lun_id, kept=True)),
        Step(lun),
        Step(GrantHosts(name=lun.name, owner=order.owner), Lifetime.WORK),
        Step(ReachSource(lun_id=source.lun_id), Lifetime.WORK),
        Step(CopyDisk(name=lun.name, owner=order.owner), Lifetime.WORK),
        Step(SetQos(qos=order.qos)),
    )


def _plan_restore(order: CreateVolume, source: BackupSource) -> Plan:
    lun = _create_lun(order, COPYING_QOS)
    fetch = FetchImage(
        path=source.path,
        physical_size_bytes=source.physical_size_bytes,
        digest=source.digest,
        staging=staging_path(order.account, order.volume, order.volume),
    )
    return (
        Step(fetch, Lifetime.WORK),  # first: what is no true copy is refused before anything is made for it
        Step(lun),
        Step(GrantHosts(name=lun.name, owner=order.owner), Lifetime.WORK),
        Step(CopyIn(name=lun.name, owner=order.owner, size_bytes=order.size_bytes), Lifetime.WORK),
        Step(SetQos(qos=order.qos)),
    )


def _create_lun(order: CreateVolume, qos: Qos) -> CreateLun:
    return CreateLun(
        account=order.account,
        name=array_name(order.volume_name, order.volume),
        size_bytes=lun_size(order.size_bytes),
        qos=qos,
        owner=order.owner,
    )


PLANNERS: Mapping[type[Order], Callable[[Any], Plan]] = {
    TakeSnapshot: plan_take,
    ArchiveSnapshot: plan_archive,
    BackUpSnapshot: plan_back_up,
    AbandonSnapshot: plan_abandon,
    DeleteSnapshot: plan_delete_snapshot,
    CreateVolume: plan_create_volume,
    RevertVolume: plan_revert,
    DeleteVolume: plan_delete_volume,
    ResizeVolume: plan_resize,
    CreateTemplate: plan_create_template,
    DeleteTemplate: plan_delete_template,
}


def plan_for(order: Order) -> Plan:
    """Turn an order into its plan."""
    return PLANNERS[type(order)](order)
