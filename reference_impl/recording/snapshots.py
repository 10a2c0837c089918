"""What is written about a snapshot that is taken or deleted. Where a backup of it goes is in backups.py."""

from collections.abc import Mapping

from snapproof.reference_impl.catalog.schema import SECONDARY_BYTES, SNAPSHOT_COUNT
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import CopyDisk, Effect, Facts, TakeArraySnapshot
from snapproof.reference_impl.core.names import array_reference, volume_reference
from snapproof.reference_impl.core.orders import BackUpSnapshot, DeleteSnapshot, TakeSnapshot
from snapproof.reference_impl.core.states import CopyEvent, SnapshotEvent
from snapproof.reference_impl.performing import ALREADY_GONE
from snapproof.reference_impl.recording.backups import (
    BACK_UP,
    bill_new,
    cleaned_archive,
    no_room,
    open_behind,
    record_backup,
)
from snapproof.reference_impl.recording.recorder import FULL, Recorder, of_snapshot, usage
from snapproof.vocabulary import Alert, LocationType


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
    """The snapshot on the array is the one step that users can see from outside."""
    if isinstance(effect, CopyDisk):
        path = volume_reference(int(facts["lun"]))
        tx.insert_details(order.snapshot, _details(order, facts))
    elif isinstance(effect, TakeArraySnapshot):
        path = array_reference(int(facts["array_snapshot"]))
    else:
        return
    tx.insert_copy(order.snapshot, "Primary", path=path, physical_size=order.size_bytes, digest=None, store=order.pool)
    tx.usage(usage("SNAPSHOT.ON_PRIMARY", order.account, order.snapshot, order.size_bytes))
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_SUCCEEDED)
    if order.location is LocationType.SECONDARY:
        tx.move_snapshot(order.snapshot, SnapshotEvent.BACKUP_TO_SECONDARY)
        tx.move_copy(order.snapshot, "Primary", CopyEvent.COPYING_REQUESTED)


def _details(order: TakeSnapshot, facts: Facts) -> Mapping[str, str]:
    """What CloudStack's plug-in keeps of a snapshot that is an array volume."""
    return {
        "volumeId": str(facts["lun"]),
        "sfStoragePoolId": order.pool,
        "sfVolumeSize": str(facts["lun_size"]),
        "iqn": f"/{facts['target']}/0",
        "path": str(facts["disk"]),
    }


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
            pool=order.pool,
            image_store=order.image_store,
            cluster=order.cluster,
        )
        open_behind(tx, BACK_UP, back_up)
        return
    if order.location is LocationType.PRIMARY:
        tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)
    else:
        size = record_backup(tx, order, facts)
    bill_new(tx, order, order.location, size)


def cleaned_take(tx: Transaction, order: TakeSnapshot, _facts: Facts) -> None:
    """It is gone if it was only the way to a backup."""
    if order.location is LocationType.SECONDARY:
        cleaned_archive(tx, order)


def fail_take(tx: Transaction, order: TakeSnapshot, facts: Facts) -> None:
    """Everything has been undone already: only now the row may say Error."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)
    tx.count(order.account, SNAPSHOT_COUNT, -1)
    if FULL in facts:
        tx.alert(no_room(order.snapshot))
    if "array_snapshot" in facts or "disk" in facts:
        tx.move_copy(order.snapshot, "Primary", CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
        tx.remove_details(order.snapshot)
        tx.usage(usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, order.size_bytes))


def begin_delete(tx: Transaction, order: DeleteSnapshot) -> None:
    """Say that it is going."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.DESTROY_REQUESTED)


def succeed_delete(tx: Transaction, order: DeleteSnapshot, facts: Facts) -> None:
    """Every copy is gone: give back what was charged. A snapshot that had failed was given back then."""
    if ALREADY_GONE in facts:
        text = f"Array snapshot {order.array_snapshot} was already gone when {order.snapshot} was deleted."
        tx.alert(Alert(subject=order.snapshot, text=text))
    on_array = order.array_snapshot is not None or order.array_volume is not None
    if on_array:
        tx.remove_details(order.snapshot)
        tx.move_copy(order.snapshot, "Primary", CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
        tx.usage(usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, tx.snapshot(order.snapshot).size))
    if order.backup is not None:
        tx.move_copy(order.snapshot, "Image", CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
        tx.remove_manifest(order.snapshot)
        tx.count(order.account, SECONDARY_BYTES, -order.backup_size_bytes)
    if on_array or order.backup is not None:
        place = LocationType.PRIMARY if order.backup is None else LocationType.SECONDARY
        tx.count(order.account, SNAPSHOT_COUNT, -1)
        tx.end_bill(order.snapshot)
        tx.usage(usage("SNAPSHOT.DELETE", order.account, order.snapshot, 0, place))
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_SUCCEEDED)


def fail_delete(tx: Transaction, order: DeleteSnapshot, _facts: Facts) -> None:
    """It stays listed, so that it can be deleted again."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)


TAKE = Recorder(
    audit="SNAPSHOT.CREATE",
    subject=of_snapshot,
    begin=begin_take,
    step=step_take,
    succeed=succeed_take,
    cleaned=cleaned_take,
    fail=fail_take,
)

DELETE = Recorder(
    audit="SNAPSHOT.DELETE",
    subject=of_snapshot,
    begin=begin_delete,
    succeed=succeed_delete,
    fail=fail_delete,
)
