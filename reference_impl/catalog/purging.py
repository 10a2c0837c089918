"""Forgetting what is over and old: ended jobs, removed snapshots with their rows, events and messages (R-143).

What lives keeps the job that made it: the same request, sent again however late, must find what it stood for. A purge
deletes a bounded number of rows of each kind; the next one goes on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, func, select

from snapproof.reference_impl.catalog.image_tables import VM_TEMPLATE
from snapproof.reference_impl.catalog.ledger import EVENT, USAGE_EVENT
from snapproof.reference_impl.catalog.schema import (
    ASYNC_JOB,
    BACKUP_MANIFEST,
    OUTBOX,
    SNAPSHOT_DETAILS,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    STORAGE_LEAK,
    USAGE_STORAGE,
    VOLUMES,
)
from snapproof.reference_impl.catalog.store import Phase

ROWS_MAX = 500
"""How many rows of each kind one purge takes: short enough that nobody waits for it."""

_OVER = ASYNC_JOB.c.phase.in_([Phase.DONE, Phase.FAILED])
_MADE = (
    ("TakeSnapshot", ASYNC_JOB.c.instance_snapshot, SNAPSHOTS),
    ("CreateVolume", ASYNC_JOB.c.instance_volume, VOLUMES),
    ("CreateTemplate", ASYNC_JOB.c.instance_template, VM_TEMPLATE),
)
"""Orders that make something, and where it is."""

_OF_A_SNAPSHOT = (SNAPSHOT_STORE_REF, SNAPSHOT_DETAILS, BACKUP_MANIFEST)


def purge(connection: Connection, before: datetime) -> Mapping[str, int]:
    """Delete what was over before a moment; say how many rows of each table."""
    jobs = _ids(connection, ASYNC_JOB, _old_jobs(before))
    connection.execute(delete(STORAGE_LEAK).where(STORAGE_LEAK.c.job_id.in_(jobs)))
    gone = {"async_job": _delete(connection, ASYNC_JOB, jobs)}
    snapshots = _ids(connection, SNAPSHOTS, _old_snapshots(before))
    for table in _OF_A_SNAPSHOT:
        connection.execute(delete(table).where(table.c.snapshot_id.in_(snapshots)))
    gone["snapshots"] = _delete(connection, SNAPSHOTS, snapshots)
    for table, old in _old_rows(before):
        gone[table.name] = _delete(connection, table, _ids(connection, table, old))
    return gone


def count_old(connection: Connection, before: datetime) -> int:
    """How many rows a purge would delete now, if it took all at once."""
    kinds = ((ASYNC_JOB, _old_jobs(before)), (SNAPSHOTS, _old_snapshots(before)), *_old_rows(before))
    counts = [select(func.count()).select_from(table).where(old) for table, old in kinds]
    return sum(connection.execute(count).scalar_one() for count in counts)


def _old_rows(before: datetime) -> Sequence[tuple[Table, ColumnElement[bool]]]:
    return (
        (EVENT, EVENT.c.created < before),
        (USAGE_EVENT, USAGE_EVENT.c.created < before),
        (USAGE_STORAGE, USAGE_STORAGE.c.deleted < before),
        (OUTBOX, OUTBOX.c.created < before),
    )


def _old_jobs(before: datetime) -> ColumnElement[bool]:
    old: ColumnElement[bool] = _OVER & (ASYNC_JOB.c.last_updated < before)
    for kind, column, table in _MADE:
        lives = exists(select(table.c.id).where(table.c.uuid == column, table.c.removed.is_(None)))
        old &= ~((ASYNC_JOB.c.job_cmd == kind) & lives)
    return old


def _old_snapshots(before: datetime) -> ColumnElement[bool]:
    known = exists(select(ASYNC_JOB.c.id).where(ASYNC_JOB.c.instance_snapshot == SNAPSHOTS.c.uuid))
    return (SNAPSHOTS.c.removed < before) & ~known


def _ids(connection: Connection, table: Table, old: ColumnElement[bool]) -> Sequence[int]:
    return connection.execute(select(table.c.id).where(old).order_by(table.c.id).limit(ROWS_MAX)).scalars().all()


def _delete(connection: Connection, table: Table, ids: Sequence[int]) -> int:
    if ids:
        connection.execute(delete(table).where(table.c.id.in_(ids)))
    return len(ids)
