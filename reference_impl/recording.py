"""What the catalog writes when a job begins, goes on, succeeds, has cleaned up, or has failed: one table by order.

All of it happens in the transaction that moves the job, so that state, count, audit and usage can never disagree.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeAlias

from snapproof.reference_impl.catalog.schema import SECONDARY_BYTES, SNAPSHOT_COUNT
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Effect, Facts, TakeArraySnapshot
from snapproof.reference_impl.core.names import array_reference, backup_path
from snapproof.reference_impl.core.orders import (
    AbandonSnapshot,
    ArchiveSnapshot,
    BackUpSnapshot,
    CreateVolume,
    DeleteSnapshot,
    DeleteVolume,
    Order,
    RevertVolume,
    TakeSnapshot,
)
from snapproof.reference_impl.core.states import CopyEvent, SnapshotEvent, VolumeEvent
from snapproof.reference_impl.performing import ALREADY_GONE
from snapproof.vocabulary import AccountId, Alert, AuditEvent, LocationType, OperationId, PolicyId, UsageEvent

BY_POLICY = (TakeSnapshot, DeleteSnapshot)
"""What a policy may have asked for."""

CANCELLED = "cancelled"
"""The fact that a job failed because somebody wanted it to."""

Write: TypeAlias = Callable[[Transaction, Any], None]
WriteFacts: TypeAlias = Callable[[Transaction, Any, Facts], None]


class WriteStep(Protocol):
    """Write what one step of an order means to users."""

    def __call__(self, tx: Transaction, /, order: Any, effect: Effect, facts: Facts) -> None:
        """Write it."""


def nothing(_tx: Transaction, _order: Order, _facts: Facts | None = None) -> None:
    """Write nothing."""


def no_step(_tx: Transaction, /, order: Order, effect: Effect, facts: Facts) -> None:
    """Write nothing about single steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """The five moments of a job. `audit` is the type of its audit events, `subject` names what they are about."""

    audit: str
    subject: Callable[[Any], str]
    begin: Write = nothing
    step: WriteStep = no_step
    succeed: WriteFacts = nothing
    cleaned: WriteFacts = nothing
    fail: WriteFacts = nothing


def begin_take(tx: Transaction, order: TakeSnapshot) -> None:
    """Allocate the snapshot and charge it."""
    tx.insert_snapshot(
        uuid=order.snapshot,
        account=order.account,
        volume=order.volume,
        name=order.snapshot_name,
        location=order.location,
        size_bytes=order.size_bytes,
        policy=order.policy,
    )
    tx.move_snapshot(order.snapshot, SnapshotEvent.CREATE_REQUESTED)
    tx.count(order.account, SNAPSHOT_COUNT, 1)


def step_take(tx: Transaction, /, order: TakeSnapshot, effect: Effect, facts: Facts) -> None:
    """The array snapshot is the one step that users can see from outside."""
    if not isinstance(effect, TakeArraySnapshot):
        return
    path = array_reference(int(facts["array_snapshot"]))
    tx.insert_copy(order.snapshot, "Primary", path=path, physical_size=order.size_bytes, digest=None)
    tx.usage(_usage("SNAPSHOT.ON_PRIMARY", order.account, order.snapshot, order.size_bytes))
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_SUCCEEDED)
    if order.location is LocationType.SECONDARY:
        tx.move_snapshot(order.snapshot, SnapshotEvent.BACKUP_TO_SECONDARY)
        tx.move_copy(order.snapshot, "Primary", CopyEvent.COPYING_REQUESTED)


def succeed_take(tx: Transaction, order: TakeSnapshot, facts: Facts) -> None:
    """BackedUp: from here on the snapshot is never taken back, only its leftovers are."""
    size = order.size_bytes
    if order.in_background is not None:
        back_up = BackUpSnapshot(
            job=f"{order.job}/1",
            first_job=order.job,
            number=1,
            persistence=order.in_background,
            account=order.account,
            volume=order.volume,
            snapshot=order.snapshot,
            lun_id=order.lun_id,
            array_snapshot=int(facts["array_snapshot"]),
            size_bytes=order.size_bytes,
        )
        _open_behind(tx, back_up)
        return
    if order.location is LocationType.PRIMARY:
        tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)
    else:
        size = _record_backup(tx, order, facts)
    _bill_new(tx, order, order.location, size)


def succeed_back_up(tx: Transaction, order: BackUpSnapshot, facts: Facts) -> None:
    """BackedUp at last; nothing was billed before (hazard C24)."""
    size = _record_backup(tx, order, facts)
    _bill_new(tx, order, LocationType.SECONDARY, size)


def fail_back_up(tx: Transaction, order: BackUpSnapshot, facts: Facts) -> None:
    """Try again later, a bounded number of times (hazard C26). A cancelled one is kept on the array instead."""
    if CANCELLED in facts:
        tx.move_copy(order.snapshot, "Primary", CopyEvent.FAILED)
        tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)
        tx.relocate(order.snapshot, LocationType.PRIMARY)
        _bill_new(tx, order, LocationType.PRIMARY, order.size_bytes)
        return
    if order.number <= order.persistence.retries_max:
        again = replace(order, job=f"{order.first_job}/{order.number + 1}", number=order.number + 1)
        pause_s = order.persistence.interval_s * 2 ** (order.number - 1)
        tx.move_snapshot(order.snapshot, SnapshotEvent.BACKUP_TO_SECONDARY)
        _open_behind(tx, again, delay_s=pause_s)
        return
    reason = f"The backup of snapshot {order.snapshot} was given up after {order.number} tries."
    abandon = AbandonSnapshot(
        job=f"{order.first_job}/end",
        account=order.account,
        volume=order.volume,
        snapshot=order.snapshot,
        array_snapshot=order.array_snapshot,
        size_bytes=order.size_bytes,
        reason=reason,
    )
    _open_behind(tx, abandon)


def cleaned_abandon(tx: Transaction, order: AbandonSnapshot, _facts: Facts) -> None:
    """Nothing is left of it: only now the row may say Error."""
    tx.move_copy(order.snapshot, "Primary", CopyEvent.FAILED, CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)
    tx.count(order.account, SNAPSHOT_COUNT, -1)
    tx.usage(_usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, order.size_bytes))
    tx.alert(Alert(subject=order.snapshot, text=order.reason))


def _open_behind(tx: Transaction, order: BackUpSnapshot | AbandonSnapshot, *, delay_s: float = 0) -> None:
    """Open a job that nobody waits for."""
    tx.open_job(order, volume=order.volume, snapshot=order.snapshot, delay_s=delay_s)
    tx.audit(audit(RECORDERS[type(order)], order, "Started"))


def _bill_new(tx: Transaction, order: TakeSnapshot | BackUpSnapshot, place: LocationType, size_bytes: int) -> None:
    tx.bill(order.account, order.snapshot, place, size_bytes)
    tx.usage(_usage("SNAPSHOT.CREATE", order.account, order.snapshot, size_bytes, place))


def _record_backup(tx: Transaction, order: TakeSnapshot | ArchiveSnapshot | BackUpSnapshot, facts: Facts) -> int:
    """From here on the backup is the snapshot, and its array snapshot is waste. Give the backup's size."""
    physical_size = int(facts["physical_size"])
    path = backup_path(order.account, order.volume, order.snapshot)
    tx.insert_copy(order.snapshot, "Image", path=path, physical_size=physical_size, digest=str(facts["digest"]))
    tx.move_copy(order.snapshot, "Primary", CopyEvent.SUCCESS, CopyEvent.DESTROY_REQUESTED)
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_SUCCEEDED)
    tx.count(order.account, SECONDARY_BYTES, physical_size)
    return physical_size


def cleaned_take(tx: Transaction, order: TakeSnapshot, _facts: Facts) -> None:
    """It is gone if it was only the way to a backup."""
    if order.location is LocationType.SECONDARY:
        cleaned_archive(tx, order)


def fail_take(tx: Transaction, order: TakeSnapshot, facts: Facts) -> None:
    """Everything has been undone already: only now the row may say Error."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)
    tx.count(order.account, SNAPSHOT_COUNT, -1)
    if "array_snapshot" in facts:
        tx.move_copy(order.snapshot, "Primary", CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
        tx.usage(_usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, order.size_bytes))


def begin_archive(tx: Transaction, order: ArchiveSnapshot) -> None:
    """Say that it is being backed up."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.BACKUP_TO_SECONDARY)
    tx.move_copy(order.snapshot, "Primary", CopyEvent.COPYING_REQUESTED)


def succeed_archive(tx: Transaction, order: ArchiveSnapshot, facts: Facts) -> None:
    """It is on secondary storage now. One line of the bill ends where the next begins (R-182)."""
    size = _record_backup(tx, order, facts)
    tx.relocate(order.snapshot, LocationType.SECONDARY)
    tx.end_bill(order.snapshot)
    tx.bill(order.account, order.snapshot, LocationType.SECONDARY, size)


def cleaned_archive(
    tx: Transaction, order: TakeSnapshot | ArchiveSnapshot | BackUpSnapshot, _facts: Facts | None = None
) -> None:
    """The array snapshot of a backup is gone."""
    tx.move_copy(order.snapshot, "Primary", CopyEvent.SUCCESS)
    tx.usage(_usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, order.size_bytes))


def fail_archive(tx: Transaction, order: ArchiveSnapshot, _facts: Facts) -> None:
    """It is what it was: BackedUp, on the array."""
    tx.move_copy(order.snapshot, "Primary", CopyEvent.FAILED)
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)


def begin_delete(tx: Transaction, order: DeleteSnapshot) -> None:
    """Say that it is going."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.DESTROY_REQUESTED)


def succeed_delete(tx: Transaction, order: DeleteSnapshot, facts: Facts) -> None:
    """Every copy is gone: give back what was charged. A snapshot that had failed was given back then."""
    if ALREADY_GONE in facts:
        text = f"Array snapshot {order.array_snapshot} was already gone when {order.snapshot} was deleted."
        tx.alert(Alert(subject=order.snapshot, text=text))
    if order.array_snapshot is not None:
        tx.move_copy(order.snapshot, "Primary", CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
        tx.usage(_usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, tx.snapshot(order.snapshot).size))
    if order.backup is not None:
        tx.move_copy(order.snapshot, "Image", CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
        tx.count(order.account, SECONDARY_BYTES, -order.backup_size_bytes)
    if order.array_snapshot is not None or order.backup is not None:
        place = LocationType.PRIMARY if order.backup is None else LocationType.SECONDARY
        tx.count(order.account, SNAPSHOT_COUNT, -1)
        tx.end_bill(order.snapshot)
        tx.usage(_usage("SNAPSHOT.DELETE", order.account, order.snapshot, 0, place))
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_SUCCEEDED)


def fail_delete(tx: Transaction, order: DeleteSnapshot, _facts: Facts) -> None:
    """It stays listed, so that it can be deleted again."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)


def succeed_create_volume(tx: Transaction, order: CreateVolume, facts: Facts) -> None:
    """The volume exists for users from here on."""
    tx.insert_volume(
        uuid=order.volume,
        account=order.account,
        name=order.volume_name,
        lun_id=int(facts["lun"]),
        target=str(facts["target"]),
        size_bytes=order.size_bytes,
        qos=order.qos,
    )
    tx.usage(_usage("VOLUME.CREATE", order.account, order.volume, order.size_bytes))


def begin_revert(tx: Transaction, order: RevertVolume) -> None:
    """Nobody else touches the volume from here on."""
    tx.move_volume(order.volume, VolumeEvent.REVERT_SNAPSHOT_REQUESTED)


def succeed_revert(tx: Transaction, order: RevertVolume, _facts: Facts) -> None:
    """The size is that of the snapshot by now (R-049)."""
    tx.move_volume(order.volume, VolumeEvent.OPERATION_SUCCEEDED, size_bytes=order.size_bytes)


def fail_revert(tx: Transaction, order: RevertVolume, _facts: Facts) -> None:
    """The volume is what it was."""
    tx.move_volume(order.volume, VolumeEvent.OPERATION_FAILED)


def succeed_delete_volume(tx: Transaction, order: DeleteVolume, _facts: Facts) -> None:
    """The volume is gone for users; its LUN may outlive it."""
    tx.remove_volume(order.volume)
    tx.usage(_usage("VOLUME.DELETE", order.account, order.volume, 0))


RECORDERS: Mapping[type[Order], Recorder] = {
    TakeSnapshot: Recorder(
        audit="SNAPSHOT.CREATE",
        subject=lambda order: str(order.snapshot),
        begin=begin_take,
        step=step_take,
        succeed=succeed_take,
        cleaned=cleaned_take,
        fail=fail_take,
    ),
    ArchiveSnapshot: Recorder(
        audit="SNAPSHOT.ARCHIVE",
        subject=lambda order: str(order.snapshot),
        begin=begin_archive,
        succeed=succeed_archive,
        cleaned=cleaned_archive,
        fail=fail_archive,
    ),
    BackUpSnapshot: Recorder(
        audit="SNAPSHOT.BACKUP",
        subject=lambda order: str(order.snapshot),
        succeed=succeed_back_up,
        cleaned=cleaned_archive,
        fail=fail_back_up,
    ),
    AbandonSnapshot: Recorder(
        audit="SNAPSHOT.ABANDON", subject=lambda order: str(order.snapshot), cleaned=cleaned_abandon
    ),
    DeleteSnapshot: Recorder(
        audit="SNAPSHOT.DELETE",
        subject=lambda order: str(order.snapshot),
        begin=begin_delete,
        succeed=succeed_delete,
        fail=fail_delete,
    ),
    CreateVolume: Recorder(
        audit="VOLUME.CREATE", subject=lambda order: str(order.volume), succeed=succeed_create_volume
    ),
    RevertVolume: Recorder(
        audit="SNAPSHOT.REVERT",
        subject=lambda order: str(order.snapshot),
        begin=begin_revert,
        succeed=succeed_revert,
        fail=fail_revert,
    ),
    DeleteVolume: Recorder(
        audit="VOLUME.DELETE", subject=lambda order: str(order.volume), succeed=succeed_delete_volume
    ),
}
"""Recorders by order."""


def audit(recorder: Recorder, order: Order, phase: str, *, failed: bool = False) -> AuditEvent:
    """The audit event of a job's beginning (Started) or end (Completed)."""
    return AuditEvent(
        operation=OperationId(order.job),
        type=recorder.audit,
        phase=phase,
        level="ERROR" if failed else "INFO",
        account=AccountId(order.account),
        subject=recorder.subject(order),
        policy=PolicyId(order.policy) if isinstance(order, BY_POLICY) and order.policy else None,
    )


def _usage(kind: str, account: str, subject: str, size_bytes: int, location: LocationType | None = None) -> UsageEvent:
    return UsageEvent(type=kind, account=AccountId(account), subject=subject, size_bytes=size_bytes, location=location)
