"""Reading which backups are to be read again, and what they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from snapproof.digests import Manifest
from snapproof.reference_impl.catalog.image_tables import IMAGE_STORE
from snapproof.reference_impl.catalog.schema import BACKUP_MANIFEST, SNAPSHOT_STORE_REF, SNAPSHOTS, StoreRole
from snapproof.reference_impl.core.states import CopyState
from snapproof.reference_impl.ports import Image
from snapproof.vocabulary import SnapshotState

_BACKUPS: Select[Any] = (
    select(SNAPSHOTS.c.uuid, SNAPSHOTS.c.size, IMAGE_STORE.c.name.label("store_name"))
    .add_columns(SNAPSHOT_STORE_REF.c.install_path, SNAPSHOT_STORE_REF.c.physical_size, SNAPSHOT_STORE_REF.c.digest)
    .add_columns(
        BACKUP_MANIFEST.c.chunk_bytes, BACKUP_MANIFEST.c.digests, BACKUP_MANIFEST.c.damage, BACKUP_MANIFEST.c.verified
    )
    .join(SNAPSHOT_STORE_REF, SNAPSHOT_STORE_REF.c.snapshot_id == SNAPSHOTS.c.id)
    .outerjoin(BACKUP_MANIFEST, BACKUP_MANIFEST.c.snapshot_id == SNAPSHOTS.c.id)
    .outerjoin(IMAGE_STORE, SNAPSHOT_STORE_REF.c.store_id == IMAGE_STORE.c.id)
    .where(
        SNAPSHOTS.c.removed.is_(None),
        SNAPSHOTS.c.location_type.is_not(None),
        SNAPSHOTS.c.status == SnapshotState.BACKED_UP,
        SNAPSHOT_STORE_REF.c.store_role == StoreRole.IMAGE,
        SNAPSHOT_STORE_REF.c.state == CopyState.READY,
        SNAPSHOT_STORE_REF.c.digest.is_not(None),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup, and what was found when it was last read. Without a manifest it can only be read through."""

    snapshot: str
    size_bytes: int
    store: str
    image: Image
    damage: str | None
    verified: datetime | None


def backups_due(connection: Connection, before: datetime, most: int) -> Sequence[Backup]:
    """Backups that nobody has read since a moment, those first that nobody has read for longest."""
    read = func.coalesce(BACKUP_MANIFEST.c.verified, SNAPSHOT_STORE_REF.c.created)
    due = _BACKUPS.where(read <= before).order_by(read, SNAPSHOTS.c.id).limit(most)
    return [_backup(row) for row in connection.execute(due)]


def backup(connection: Connection, snapshot: str) -> Backup | None:
    """One of them, if it is still there."""
    row = connection.execute(_BACKUPS.where(SNAPSHOTS.c.uuid == snapshot)).one_or_none()
    return None if row is None else _backup(row)


def _backup(row: Any) -> Backup:
    manifest = None if not row.digests else Manifest(chunk_bytes=row.chunk_bytes, digests=row.digests)
    return Backup(
        snapshot=row.uuid,
        size_bytes=row.size,
        store=row.store_name or "",
        image=Image(path=row.install_path, physical_size_bytes=row.physical_size, digest=row.digest, manifest=manifest),
        damage=row.damage,
        verified=row.verified,
    )
