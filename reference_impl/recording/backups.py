"""What is written about a snapshot's way to secondary storage: archived, backed up in the background, given up."""

from dataclasses import replace

from snapproof.digests import Manifest
from snapproof.reference_impl.catalog.schema import KEY_DETAIL, SECONDARY_BYTES, SNAPSHOT_COUNT
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import ENCRYPTED_WITH, Facts
from snapproof.reference_impl.core.names import backup_path, own_file
from snapproof.reference_impl.core.orders import AbandonSnapshot, ArchiveSnapshot, BackUpSnapshot, TakeSnapshot, file_of
from snapproof.reference_impl.core.states import CopyEvent, SnapshotEvent
from snapproof.reference_impl.recording.recorder import BEGINNING, CANCELLED, FULL, Recorder, audit, of_snapshot, usage
from snapproof.vocabulary import Alert, LocationType


def succeed_back_up(tx: Transaction, order: BackUpSnapshot, facts: Facts) -> None:
    """BackedUp at last; nothing was billed before (hazard C24)."""
    size = record_backup(tx, order, facts)
    bill_new(tx, order, LocationType.SECONDARY, size)


def fail_back_up(tx: Transaction, order: BackUpSnapshot, facts: Facts) -> None:
    """Try again later, a bounded number of times (hazard C26). A cancelled one is kept on the array instead."""
    if CANCELLED in facts:
        tx.move_copy(order.snapshot, "Primary", CopyEvent.FAILED)
        tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)
        tx.relocate(order.snapshot, LocationType.PRIMARY)
        bill_new(tx, order, LocationType.PRIMARY, order.size_bytes)
        return
    if order.number <= order.persistence.retries_max:
        job = f"{order.first_job}/{order.number + 1}"
        again = replace(order, job=job, number=order.number + 1, file=own_file(job))
        pause_s = order.persistence.interval_s * 2 ** (order.number - 1)
        tx.move_snapshot(order.snapshot, SnapshotEvent.BACKUP_TO_SECONDARY)
        open_behind(tx, BACK_UP, again, delay_s=pause_s)
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
        pool=order.pool,
    )
    open_behind(tx, ABANDON, abandon)


def cleaned_abandon(tx: Transaction, order: AbandonSnapshot, _facts: Facts) -> None:
    """Nothing is left of it: only now the row may say Error."""
    tx.move_copy(order.snapshot, "Primary", CopyEvent.FAILED, CopyEvent.DESTROY_REQUESTED, CopyEvent.SUCCESS)
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_FAILED)
    tx.count(order.account, SNAPSHOT_COUNT, -1)
    tx.usage(usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, order.size_bytes))
    tx.alert(Alert(subject=order.snapshot, text=order.reason))


def no_room(snapshot: str) -> Alert:
    """Tell whoever runs the storage: the caller of a backup cannot make room."""
    return Alert(subject=snapshot, text=f"Secondary storage is full: snapshot {snapshot} could not be backed up.")


def open_behind(
    tx: Transaction, recorder: Recorder, order: BackUpSnapshot | AbandonSnapshot, *, delay_s: float = 0
) -> None:
    """Open a job that nobody waits for."""
    tx.open_job(order, volume=order.volume, snapshot=order.snapshot, delay_s=delay_s)
    for phase in BEGINNING:
        tx.audit(audit(recorder, order, phase))


def bill_new(tx: Transaction, order: TakeSnapshot | BackUpSnapshot, place: LocationType, size_bytes: int) -> None:
    """Begin the bill of a snapshot that is BackedUp for the first time."""
    tx.bill(order.account, order.snapshot, place, size_bytes)
    tx.usage(usage("SNAPSHOT.CREATE", order.account, order.snapshot, size_bytes, place))


def record_backup(tx: Transaction, order: TakeSnapshot | ArchiveSnapshot | BackUpSnapshot, facts: Facts) -> int:
    """From here on the backup is the snapshot, and its array snapshot is waste. Give the backup's size."""
    physical_size = int(facts["physical_size"])
    path = backup_path(order.account, order.volume, file_of(order))
    tx.insert_copy(
        order.snapshot,
        "Image",
        path=path,
        physical_size=physical_size,
        digest=str(facts["digest"]),
        store=order.image_store,
    )
    if "chunk_digests" in facts:
        manifest = Manifest(chunk_bytes=int(facts["chunk_bytes"]), digests=str(facts["chunk_digests"]))
        tx.insert_manifest(order.snapshot, manifest)
    if ENCRYPTED_WITH in facts:
        tx.insert_details(order.snapshot, {KEY_DETAIL: str(facts[ENCRYPTED_WITH])})
    tx.move_copy(order.snapshot, "Primary", CopyEvent.SUCCESS, CopyEvent.DESTROY_REQUESTED)
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_SUCCEEDED)
    tx.count(order.account, SECONDARY_BYTES, physical_size)
    return physical_size


def begin_archive(tx: Transaction, order: ArchiveSnapshot) -> None:
    """Say that it is being backed up."""
    tx.move_snapshot(order.snapshot, SnapshotEvent.BACKUP_TO_SECONDARY)
    tx.move_copy(order.snapshot, "Primary", CopyEvent.COPYING_REQUESTED)


def succeed_archive(tx: Transaction, order: ArchiveSnapshot, facts: Facts) -> None:
    """It is on secondary storage now. One line of the bill ends where the next begins (R-182)."""
    size = record_backup(tx, order, facts)
    tx.relocate(order.snapshot, LocationType.SECONDARY)
    tx.end_bill(order.snapshot)
    tx.bill(order.account, order.snapshot, LocationType.SECONDARY, size)


def cleaned_archive(
    tx: Transaction, order: TakeSnapshot | ArchiveSnapshot | BackUpSnapshot, _facts: Facts | None = None
) -> None:
    """The array snapshot of a backup is gone."""
    tx.move_copy(order.snapshot, "Primary", CopyEvent.SUCCESS)
    tx.usage(usage("SNAPSHOT.OFF_PRIMARY", order.account, order.snapshot, order.size_bytes))


def fail_archive(tx: Transaction, order: ArchiveSnapshot, facts: Facts) -> None:
    """It is what it was: BackedUp, on the array."""
    if FULL in facts:
        tx.alert(no_room(order.snapshot))
    tx.move_copy(order.snapshot, "Primary", CopyEvent.FAILED)
    tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)


ARCHIVE = Recorder(
    audit="SNAPSHOT.ARCHIVE",
    subject=of_snapshot,
    begin=begin_archive,
    succeed=succeed_archive,
    cleaned=cleaned_archive,
    fail=fail_archive,
)

BACK_UP = Recorder(
    audit="SNAPSHOT.BACKUP",
    subject=of_snapshot,
    succeed=succeed_back_up,
    cleaned=cleaned_archive,
    fail=fail_back_up,
)

ABANDON = Recorder(audit="SNAPSHOT.ABANDON", subject=of_snapshot, cleaned=cleaned_abandon)
