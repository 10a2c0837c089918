"""Reading the catalog: rows turned into the vocabulary's values, and the checks that an order's opening depends on.

Nothing here writes.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.engine import Row

from snapproof.driver import ConflictError, InvalidRequestError, NotFoundError
from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    ASYNC_JOB,
    INTERVALS,
    OUTBOX,
    RESOURCE_COUNT,
    SECONDARY_BYTES,
    SNAPSHOT_COUNT,
    SNAPSHOT_POLICY,
    SNAPSHOT_SCHEDULE,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    USAGE_STORAGE,
    VOLUMES,
)
from snapproof.reference_impl.catalog.store import Phase
from snapproof.reference_impl.core.names import array_snapshot_id
from snapproof.reference_impl.core.orders import (
    ArchiveSnapshot,
    ArraySource,
    BackUpSnapshot,
    BackupSource,
    DeleteSnapshot,
    Order,
    RevertVolume,
    TakeSnapshot,
)
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import (
    AccountId,
    Copy,
    LocationType,
    OperationId,
    Policy,
    PolicyId,
    Qos,
    ResourceCounts,
    Snapshot,
    SnapshotId,
    SnapshotState,
    UsageRecord,
    Volume,
    VolumeId,
)

PLACES = {"Primary": LocationType.PRIMARY, "Image": LocationType.SECONDARY}
_PRESENT = (CopyState.READY, CopyState.COPYING)
_LISTED = (*_PRESENT, CopyState.DESTROYING)
_BUSY = (Phase.RUNNING, Phase.UNDOING)

_OF_A_VOLUME = ("id", "uuid", "name", "iscsi_name", "size", "min_iops", "max_iops", "burst_iops")
_OF_A_SNAPSHOT = ("id", "uuid", "name", "location_type", "status", "size", "policy_uuid")
_OF_A_COPY = ("snapshot_id", "store_role", "state", "install_path", "physical_size", "digest")
"""What is read of a row: fewer columns are a quicker query, and nobody's private ones are looked at."""

_VOLUMES: Select[Any] = (
    select(*(VOLUMES.c[name] for name in _OF_A_VOLUME), ACCOUNT.c.account_name)
    .join(ACCOUNT)
    .where(VOLUMES.c.removed.is_(None), VOLUMES.c.iscsi_name.is_not(None))
)
"""Volumes on managed storage: each is a LUN of its own. An upgraded database has others as well."""

_SNAPSHOTS: Select[Any] = (
    select(*(SNAPSHOTS.c[name] for name in _OF_A_SNAPSHOT), ACCOUNT.c.account_name, VOLUMES.c.uuid.label("volume_uuid"))
    .join(ACCOUNT, SNAPSHOTS.c.account_id == ACCOUNT.c.id)
    .join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
    .where(SNAPSHOTS.c.removed.is_(None), SNAPSHOTS.c.location_type.is_not(None))
)
_COPIES: Select[Any] = select(*(SNAPSHOT_STORE_REF.c[name] for name in _OF_A_COPY)).where(
    SNAPSHOT_STORE_REF.c.state.in_(_LISTED)
)
"""A copy is listed until it is known to be gone, and used only while nobody has begun to delete it."""

_OF_A_POLICY = ("uuid", "interval", "schedule", "timezone", "max_snaps", "location_type")
_POLICIES: Select[Any] = (
    select(*(SNAPSHOT_POLICY.c[name] for name in _OF_A_POLICY), SNAPSHOT_SCHEDULE.c.scheduled_timestamp)
    .add_columns(VOLUMES.c.uuid.label("volume_uuid"))
    .join(SNAPSHOT_SCHEDULE, SNAPSHOT_SCHEDULE.c.policy_id == SNAPSHOT_POLICY.c.id)
    .join(VOLUMES, SNAPSHOT_POLICY.c.volume_id == VOLUMES.c.id)
    .where(SNAPSHOT_POLICY.c.active, SNAPSHOT_POLICY.c.max_snaps > 0)
    .where(SNAPSHOT_POLICY.c.interval.between(0, len(INTERVALS) - 1))
    .where(VOLUMES.c.removed.is_(None), VOLUMES.c.iscsi_name.is_not(None))
)
"""CloudStack's own policies too, if for managed storage. Its defaults for interval and number say nothing."""


def volumes(connection: Connection, account: AccountId | None) -> Sequence[Volume]:
    """The volumes that users have, oldest first."""
    found = _of_account(_VOLUMES, account).order_by(VOLUMES.c.id)
    return [_volume(row) for row in connection.execute(found)]


def volume(connection: Connection, uuid: VolumeId) -> Volume:
    """One volume. Raises NotFoundError."""
    row = connection.execute(_VOLUMES.where(VOLUMES.c.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no volume {uuid}.")
    return _volume(row)


def lun_of(connection: Connection, uuid: VolumeId) -> int:
    """The array's id of a volume's LUN, removed volumes included."""
    return int(connection.execute(select(VOLUMES.c.folder).where(VOLUMES.c.uuid == uuid)).scalar_one())


def snapshots(connection: Connection, account: AccountId | None) -> Sequence[Snapshot]:
    """The snapshots that users see, oldest first."""
    rows = connection.execute(_of_account(_SNAPSHOTS, account).order_by(SNAPSHOTS.c.id)).all()
    copies: dict[int, list[Copy]] = {}
    for row in connection.execute(_COPIES.where(SNAPSHOT_STORE_REF.c.snapshot_id.in_([row.id for row in rows]))):
        copies.setdefault(row.snapshot_id, []).append(_copy(row))
    return [_snapshot(row, copies.get(row.id, [])) for row in rows]


def running_backup(connection: Connection, operation: OperationId) -> OperationId:
    """The job that backs up now what an operation wanted backed up. Raises NotFoundError, ConflictError."""
    found = connection.execute(select(ASYNC_JOB.c.instance_snapshot).where(ASYNC_JOB.c.uuid == operation)).one_or_none()
    if found is None:
        raise NotFoundError(f"There is no operation {operation}.")
    running = (ASYNC_JOB.c.instance_snapshot == found[0]) & (ASYNC_JOB.c.phase == Phase.RUNNING)
    kinds = [kind.__name__ for kind in (TakeSnapshot, ArchiveSnapshot, BackUpSnapshot)]
    job = connection.execute(select(ASYNC_JOB.c.uuid).where(running, ASYNC_JOB.c.job_cmd.in_(kinds))).scalar()
    if job is None:
        raise ConflictError(f"Operation {operation} is no backup that runs; there is nothing to cancel.")
    return OperationId(job)


def unfinished_clean_up(connection: Connection, uuid: str) -> Sequence[OperationId]:
    """The jobs that still clean up behind a success with this snapshot."""
    which = (ASYNC_JOB.c.instance_snapshot == uuid) & (ASYNC_JOB.c.phase == Phase.CLEANING)
    return [OperationId(job) for job in connection.execute(select(ASYNC_JOB.c.uuid).where(which)).scalars()]


def snapshot(connection: Connection, uuid: SnapshotId) -> Snapshot:
    """One snapshot. Raises NotFoundError."""
    row = connection.execute(_SNAPSHOTS.where(SNAPSHOTS.c.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no snapshot {uuid}.")
    return _snapshot(row, [_copy(copy) for copy in _copies(connection, uuid, _LISTED)])


def restore_source(connection: Connection, uuid: SnapshotId) -> ArraySource | BackupSource:
    """Where to restore a snapshot from: the array while it is there, else the backup. Raises NotFoundError."""
    found = {row.store_role: row for row in _copies(connection, uuid)}
    if "Primary" in found:
        snapshot_id = array_snapshot_id(found["Primary"].install_path)
        return ArraySource(lun_id=_lun_of_snapshot(connection, uuid), snapshot_id=snapshot_id)
    if "Image" in found:
        row = found["Image"]
        return BackupSource(path=row.install_path, physical_size_bytes=row.physical_size, digest=row.digest)
    raise NotFoundError(f"Snapshot {uuid} has no copy to restore from.")


def archive_order(connection: Connection, found: Snapshot, operation: OperationId) -> ArchiveSnapshot:
    """What archiving a snapshot takes. Raises NotFoundError if it has no copy on the array."""
    source = restore_source(connection, found.id)
    if not isinstance(source, ArraySource):
        raise NotFoundError(f"Snapshot {found.id} has no copy on the array to archive.")
    return ArchiveSnapshot(
        job=operation,
        account=found.account,
        volume=found.volume,
        snapshot=found.id,
        lun_id=source.lun_id,
        array_snapshot=source.snapshot_id,
        size_bytes=found.size_bytes,
        release_lun=_lun_to_release(connection, found.volume),
    )


def revert_order(connection: Connection, found: Snapshot, operation: OperationId) -> RevertVolume:
    """What reverting a volume takes. Raises NotFoundError, InvalidRequestError."""
    owner = volume(connection, found.volume)
    source = restore_source(connection, found.id)
    if not isinstance(source, ArraySource):
        raise InvalidRequestError(f"Snapshot {found.id} is on SECONDARY; make a volume from it instead of reverting.")
    return RevertVolume(
        job=operation,
        account=owner.account,
        volume=owner.id,
        snapshot=found.id,
        lun_id=source.lun_id,
        array_snapshot=source.snapshot_id,
        size_bytes=found.size_bytes,
    )


def delete_order(connection: Connection, found: Snapshot, operation: OperationId) -> DeleteSnapshot:
    """What deleting a snapshot takes: its copies, and the LUN if it was kept for this snapshot alone."""
    copies = {row.store_role: row for row in _copies(connection, found.id)}
    array_snapshot = array_snapshot_id(copies["Primary"].install_path) if "Primary" in copies else None
    return DeleteSnapshot(
        job=operation,
        account=found.account,
        volume=found.volume,
        snapshot=found.id,
        array_snapshot=array_snapshot,
        backup=copies["Image"].install_path if "Image" in copies else None,
        backup_size_bytes=copies["Image"].physical_size if "Image" in copies else 0,
        release_lun=None if array_snapshot is None else _lun_to_release(connection, found.volume),
    )


def has_array_snapshots(connection: Connection, uuid: VolumeId) -> bool:
    """Say whether snapshots of the volume live on the array."""
    return _array_snapshots(connection, uuid) > 0


def require_idle(
    connection: Connection,
    *,
    volume: str | None = None,
    snapshot: str | None = None,
    cleaned_up: bool = False,
    kinds: Collection[type[Order]] = (),
) -> None:
    """Refuse while another job works on the volume or the snapshot, or even only cleans up. Raises ConflictError.

    `kinds` narrows this to jobs of certain orders.
    """
    busy = (*_BUSY, Phase.CLEANING) if cleaned_up else _BUSY
    which = ASYNC_JOB.c.instance_volume == volume if volume else ASYNC_JOB.c.instance_snapshot == snapshot
    if kinds:
        which &= ASYNC_JOB.c.job_cmd.in_([kind.__name__ for kind in kinds])
    # Its own row stands for the jobs that may not be there yet: of two who check at once, one waits for the other.
    subject = (VOLUMES, volume) if volume else (SNAPSHOTS, snapshot)
    connection.execute(locked(connection, select(subject[0].c.id).where(subject[0].c.uuid == subject[1])))
    row = connection.execute(select(ASYNC_JOB.c.uuid).where(which, ASYNC_JOB.c.phase.in_(busy))).first()
    if row is not None:
        raise ConflictError(f"Job {row.uuid} is still working on {volume or snapshot}; wait for its end.")


def resource_counts(connection: Connection, account: AccountId) -> ResourceCounts:
    """What the account is charged; nothing, if it never was."""
    charged = select(RESOURCE_COUNT.c.type, RESOURCE_COUNT.c["count"].label("charged")).join(ACCOUNT)
    rows = connection.execute(charged.where(ACCOUNT.c.account_name == account))
    counts: dict[str, int] = {row.type: row.charged for row in rows}
    return ResourceCounts(
        snapshots=counts.get(SNAPSHOT_COUNT, 0), secondary_storage_bytes=counts.get(SECONDARY_BYTES, 0)
    )


def usage_records(connection: Connection) -> Sequence[UsageRecord]:
    """The bill, oldest first."""
    found = select(USAGE_STORAGE, ACCOUNT.c.account_name).join(ACCOUNT).order_by(USAGE_STORAGE.c.id)
    return [
        UsageRecord(
            account=AccountId(row.account_name),
            subject=row.source_uuid,
            location=LocationType(row.location_type),
            size_bytes=row.size,
            from_s=_seconds(row.created),
            until_s=None if row.deleted is None else _seconds(row.deleted),
        )
        for row in connection.execute(found)
    ]


def policies(connection: Connection, uuid: VolumeId | None = None) -> Sequence[Policy]:
    """The policies in force, oldest first. One of CloudStack's names no place: PRIMARY was the only one."""
    found = _POLICIES.order_by(SNAPSHOT_POLICY.c.id)
    return [
        Policy(
            id=PolicyId(row.uuid),
            volume=VolumeId(row.volume_uuid),
            interval=INTERVALS[row.interval],
            schedule=row.schedule,
            timezone=row.timezone,
            keep_max=row.max_snaps,
            location=LocationType(row.location_type or LocationType.PRIMARY),
            next_run=row.scheduled_timestamp.replace(tzinfo=UTC).isoformat(),
        )
        for row in connection.execute(found if uuid is None else found.where(VOLUMES.c.uuid == uuid))
    ]


def messages(connection: Connection, topic: str) -> Sequence[str]:
    """The outbox, oldest first."""
    found = select(OUTBOX.c.message).where(OUTBOX.c.topic == topic).order_by(OUTBOX.c.id)
    return list(connection.execute(found).scalars())


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()


def _lun_to_release(connection: Connection, volume_uuid: VolumeId) -> int | None:
    """The LUN of a removed volume, if it is kept for one array snapshot only."""
    removed = connection.execute(select(VOLUMES.c.removed).where(VOLUMES.c.uuid == volume_uuid)).scalar()
    alone = _array_snapshots(connection, volume_uuid) == 1
    return lun_of(connection, volume_uuid) if alone and removed is not None else None


def _array_snapshots(connection: Connection, volume_uuid: str) -> int:
    found = (
        select(func.count())
        .select_from(SNAPSHOT_STORE_REF.join(SNAPSHOTS).join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id))
        .where(
            VOLUMES.c.uuid == volume_uuid,
            SNAPSHOT_STORE_REF.c.store_role == "Primary",
            SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED,
        )
    )
    return int(connection.execute(found).scalar_one())


def _lun_of_snapshot(connection: Connection, uuid: SnapshotId) -> int:
    found = select(VOLUMES.c.folder).join(SNAPSHOTS, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
    return int(connection.execute(found.where(SNAPSHOTS.c.uuid == uuid)).scalar_one())


def _copies(connection: Connection, uuid: str, states: Sequence[CopyState] = _PRESENT) -> Sequence[Row[Any]]:
    found = _COPIES.join(SNAPSHOTS).where(SNAPSHOTS.c.uuid == uuid, SNAPSHOT_STORE_REF.c.state.in_(states))
    return connection.execute(found).all()


def _of_account(query: Select[Any], account: AccountId | None) -> Select[Any]:
    return query if account is None else query.where(ACCOUNT.c.account_name == account)


def _volume(row: Row[Any]) -> Volume:
    return Volume(
        id=VolumeId(row.uuid),
        account=AccountId(row.account_name),
        name=row.name,
        size_bytes=row.size,
        target=row.iscsi_name.removeprefix("/").removesuffix("/0"),
        qos=Qos(min_iops=row.min_iops, max_iops=row.max_iops, burst_iops=row.burst_iops),
    )


def _copy(row: Row[Any]) -> Copy:
    return Copy(location=PLACES[row.store_role], reference=row.install_path, physical_size_bytes=row.physical_size)


def _snapshot(row: Row[Any], copies: Sequence[Copy]) -> Snapshot:
    return Snapshot(
        id=SnapshotId(row.uuid),
        account=AccountId(row.account_name),
        volume=VolumeId(row.volume_uuid),
        name=row.name,
        location=LocationType(row.location_type),
        state=SnapshotState(row.status),
        size_bytes=row.size,
        copies=tuple(copies),
        policy=None if row.policy_uuid is None else PolicyId(row.policy_uuid),
    )
