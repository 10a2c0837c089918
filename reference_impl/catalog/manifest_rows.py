"""Writing what backups are held against, and what was found when they were."""

from sqlalchemy import ScalarSelect, delete, insert, select, update

from snapproof.digests import Manifest
from snapproof.reference_impl.catalog.schema import BACKUP_MANIFEST, SNAPSHOTS
from snapproof.reference_impl.catalog.writer import Writer


class ManifestRows(Writer):
    """The writer of manifests."""

    def insert_manifest(self, snapshot: str, manifest: Manifest) -> None:
        """Write down the manifest of a backup that is whole now."""
        values = {"chunk_bytes": manifest.chunk_bytes, "digests": manifest.digests, "verified": self._now}
        self._connection.execute(insert(BACKUP_MANIFEST).values(snapshot_id=_number(snapshot), **values))

    def remove_manifest(self, snapshot: str) -> None:
        """Forget it, with the backup."""
        self._connection.execute(delete(BACKUP_MANIFEST).where(BACKUP_MANIFEST.c.snapshot_id == _number(snapshot)))

    def mark_verified(self, snapshot: str, manifest: Manifest | None, *, damage: str | None) -> None:
        """Say when it was read again, and what was wrong with it then. An older backup is given its manifest."""
        which = BACKUP_MANIFEST.c.snapshot_id == _number(snapshot)
        found: dict[str, object] = {"verified": self._now, "damage": damage}
        if manifest is not None:
            found |= {"chunk_bytes": manifest.chunk_bytes, "digests": manifest.digests}
        if self._connection.execute(update(BACKUP_MANIFEST).where(which).values(found)).rowcount == 0:
            values: dict[str, object] = {"chunk_bytes": 0, "digests": ""} | found
            self._connection.execute(insert(BACKUP_MANIFEST).values(snapshot_id=_number(snapshot), **values))


def _number(snapshot: str) -> ScalarSelect[int]:
    return select(SNAPSHOTS.c.id).where(SNAPSHOTS.c.uuid == snapshot).scalar_subquery()
