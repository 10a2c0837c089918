"""Snapshots on the way that no job of ours works on: what an upgrade, or an older server that died, left behind.

Each gets a job that finishes it or takes it back, which is then carried out like any other. What is not on managed
storage is left alone: nobody here could touch it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    ASYNC_JOB,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    VOLUMES,
    StoreRole,
)
from snapproof.reference_impl.catalog.store import Phase
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.names import array_snapshot_id
from snapproof.reference_impl.core.orders import DeleteSnapshot, TakeSnapshot
from snapproof.reference_impl.core.states import CopyEvent, CopyState, SnapshotEvent
from snapproof.vocabulary import AccountId, AuditEvent, LocationType, OperationId, SnapshotState

_ON_THE_WAY = (
    select(SNAPSHOTS, ACCOUNT.c.account_name, VOLUMES.c.uuid.label("volume"), VOLUMES.c.folder)
    .add_columns(VOLUMES.c.name.label("volume_name"), VOLUMES.c.removed.label("volume_removed"))
    .join(ACCOUNT, SNAPSHOTS.c.account_id == ACCOUNT.c.id)
    .join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
    .where(SNAPSHOTS.c.removed.is_(None), SNAPSHOTS.c.location_type.is_not(None), VOLUMES.c.folder.is_not(None))
)
_OURS = select(ASYNC_JOB.c.id).where(
    ASYNC_JOB.c.instance_snapshot == SNAPSHOTS.c.uuid, ASYNC_JOB.c.phase.not_in([Phase.DONE, Phase.FAILED])
)
_ARRAY_COPIES = select(SNAPSHOT_STORE_REF).where(
    SNAPSHOT_STORE_REF.c.store_role == StoreRole.PRIMARY,
    SNAPSHOT_STORE_REF.c.install_path.like("SfSnapshotId=%"),
    SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED,
)
_STUCK = _ON_THE_WAY.where(
    SNAPSHOTS.c.status.in_(bindparam("states", expanding=True)),
    SNAPSHOTS.c.created < bindparam("before"),
    ~_OURS.exists(),
).order_by(SNAPSHOTS.c.id)
_ONE = _ON_THE_WAY.where(SNAPSHOTS.c.uuid == bindparam("snapshot"), ~_OURS.exists())


def inherited(connection: Connection, *, before: datetime) -> Sequence[str]:
    """The snapshots that were begun before a moment, are still on the way, and have no unfinished job of ours."""
    return [row.uuid for row in connection.execute(_STUCK, {"states": list(ADOPTIONS), "before": before})]


def adopt(uuid: str, connection: Connection, tx: Transaction) -> None:
    """Open the job that brings one of them to an end, unless somebody else has just done so."""
    row = connection.execute(locked(connection, _ONE), {"snapshot": uuid}).one_or_none()
    if row is not None and row.status in ADOPTIONS:
        ADOPTIONS[SnapshotState(row.status)](connection, tx, row)


def _take_back(connection: Connection, tx: Transaction, row: Row[Any]) -> None:
    """Whether the array got as far is looked up by name when the job undoes it."""
    copy = _on_array(connection, row)
    if copy is not None and copy.state == CopyState.READY:
        _open_take(tx, row, Phase.UNDOING, {"array_snapshot": array_snapshot_id(copy.install_path)})
        return
    if copy is not None:
        steps = [CopyEvent.FAILED] if copy.state == CopyState.CREATING else []
        tx.move_copy(row.uuid, StoreRole.PRIMARY, *steps, CopyEvent.FAILED)
    _open_take(tx, row, Phase.UNDOING, {})


def _finish(connection: Connection, tx: Transaction, row: Row[Any]) -> None:
    """The snapshot is there, and nothing was left to do but to say so."""
    copy = _on_array(connection, row)
    if copy is None or copy.state != CopyState.READY:
        _take_back(connection, tx, row)
    else:
        facts = {"array_snapshot": array_snapshot_id(copy.install_path)}
        _open_take(tx, row, Phase.RUNNING, facts, cursor=len(facts))


def _delete(connection: Connection, tx: Transaction, row: Row[Any]) -> None:
    copy = _on_array(connection, row)
    order = DeleteSnapshot(
        job=_job_of(row),
        account=row.account_name,
        volume=row.volume,
        snapshot=row.uuid,
        array_snapshot=None if copy is None else array_snapshot_id(copy.install_path),
        backup=None,
        backup_size_bytes=0,
        release_lun=int(row.folder) if row.volume_removed is not None and _is_last(connection, row) else None,
    )
    tx.open_job(order, volume=row.volume, snapshot=row.uuid)
    tx.audit(_started("SNAPSHOT.DELETE", order))


def _keep(connection: Connection, tx: Transaction, row: Row[Any]) -> None:
    """A copy to somewhere else was under way; the snapshot itself is as good as it was."""
    tx.move_snapshot(row.uuid, SnapshotEvent.OPERATION_FAILED)
    copy = _on_array(connection, row)
    if copy is not None and copy.state == CopyState.COPYING:
        tx.move_copy(row.uuid, StoreRole.PRIMARY, CopyEvent.FAILED)


Adoption = Callable[[Connection, Transaction, Row[Any]], None]

ADOPTIONS: Mapping[SnapshotState, Adoption] = {
    SnapshotState.ALLOCATED: _take_back,
    SnapshotState.CREATING: _take_back,
    SnapshotState.CREATED_ON_PRIMARY: _finish,
    SnapshotState.BACKING_UP: _finish,
    SnapshotState.COPYING: _keep,
    SnapshotState.DESTROYING: _delete,
}
"""What becomes of a snapshot by the state in which it was left. An older release has PRIMARY ones only."""


def _open_take(tx: Transaction, row: Row[Any], phase: Phase, facts: Facts, cursor: int = 0) -> None:
    order = TakeSnapshot(
        job=_job_of(row),
        account=row.account_name,
        volume=row.volume,
        volume_name=row.volume_name,
        snapshot=row.uuid,
        snapshot_name=row.name,
        lun_id=int(row.folder),
        size_bytes=row.size,
        location=LocationType.PRIMARY,
    )
    tx.open_job(order, volume=row.volume, snapshot=row.uuid, phase=phase, cursor=cursor, facts=facts)
    tx.audit(_started("SNAPSHOT.CREATE", order))


def _started(kind: str, order: TakeSnapshot | DeleteSnapshot) -> AuditEvent:
    """The old release's own beginning is in its own words; this is where our job begins."""
    return AuditEvent(
        operation=OperationId(order.job),
        type=kind,
        phase="Started",
        level="INFO",
        account=AccountId(order.account),
        subject=order.snapshot,
    )


def _job_of(row: Row[Any]) -> str:
    return f"inherited {row.uuid}"


def _on_array(connection: Connection, row: Row[Any]) -> Row[Any] | None:
    return connection.execute(_ARRAY_COPIES.where(SNAPSHOT_STORE_REF.c.snapshot_id == row.id)).first()


def _is_last(connection: Connection, row: Row[Any]) -> bool:
    others = _ARRAY_COPIES.join(SNAPSHOTS).where(SNAPSHOTS.c.volume_id == row.volume_id, SNAPSHOTS.c.id != row.id)
    return connection.execute(others).first() is None
