"""Forgetting what is over and old: ended jobs, removed snapshots with their rows, events and messages (R-143).

What lives keeps the job that made it: the same request, sent again however late, must find what it stood for. A purge
deletes a bounded number of rows of each kind; the next one goes on.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import BindParameter, Connection, and_, bindparam, delete, exists, func, select

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
from snapproof.reference_impl.catalog.store import OVER

ROWS_MAX = 500
"""How many rows of each kind one purge takes: short enough that nobody waits for it."""

_MADE = (
    ("TakeSnapshot", ASYNC_JOB.c.instance_snapshot, SNAPSHOTS),
    ("CreateVolume", ASYNC_JOB.c.instance_volume, VOLUMES),
    ("CreateTemplate", ASYNC_JOB.c.instance_template, VM_TEMPLATE),
)
"""Orders that make something, and where it is."""

_REFERRING = {
    ASYNC_JOB: (STORAGE_LEAK.c.job_id,),
    SNAPSHOTS: (SNAPSHOT_STORE_REF.c.snapshot_id, SNAPSHOT_DETAILS.c.snapshot_id, BACKUP_MANIFEST.c.snapshot_id),
}
"""What a row takes with it."""

_LIVES = (
    (ASYNC_JOB.c.job_cmd == order) & exists().where(table.c.uuid == made, table.c.removed.is_(None))
    for order, made, table in _MADE
)
_KNOWN = exists().where(ASYNC_JOB.c.instance_snapshot == SNAPSHOTS.c.uuid)
_BEFORE: BindParameter[datetime] = bindparam("before")
_OLD = {
    ASYNC_JOB: and_(ASYNC_JOB.c.phase.in_(OVER), ASYNC_JOB.c.last_updated < _BEFORE, *(~lives for lives in _LIVES)),
    SNAPSHOTS: (SNAPSHOTS.c.removed < _BEFORE) & ~_KNOWN,
    EVENT: EVENT.c.created < _BEFORE,
    USAGE_EVENT: USAGE_EVENT.c.created < _BEFORE,
    USAGE_STORAGE: USAGE_STORAGE.c.deleted < _BEFORE,
    OUTBOX: OUTBOX.c.created < _BEFORE,
}
"""Which rows of a table are old."""

_IDS = {
    table: select(table.c.id).where(old).order_by(table.c.id).limit(bindparam("most")) for table, old in _OLD.items()
}
_COUNTS = select(*(select(func.count()).select_from(table).where(old).scalar_subquery() for table, old in _OLD.items()))


def purge(connection: Connection, before: datetime) -> Mapping[str, int]:
    """Delete what was over before a moment; say how many rows of each table. What refers to a row goes first."""
    gone = {}
    for table, old in _IDS.items():
        ids = connection.execute(old, {"before": before, "most": ROWS_MAX}).scalars().all()
        for column in _REFERRING.get(table, ()):
            connection.execute(delete(column.table).where(column.in_(ids)))
        if ids:
            connection.execute(delete(table).where(table.c.id.in_(ids)))
        gone[table.name] = len(ids)
    return gone


def count_old(connection: Connection, before: datetime) -> int:
    """How many rows a purge would delete now, if it took all at once."""
    return sum(connection.execute(_COUNTS, {"before": before}).one())
