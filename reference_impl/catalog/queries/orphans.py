"""Telling what nobody needs on an array or a store: made by a job of this catalog that is over, and in no row."""

from sqlalchemy import Connection, bindparam, select

from snapproof.reference_impl.catalog.schema import ASYNC_JOB, SNAPSHOT_STORE_REF, VOLUMES, StoreRole
from snapproof.reference_impl.catalog.store import OVER
from snapproof.reference_impl.core.names import array_reference, volume_reference
from snapproof.reference_impl.core.states import CopyState
from snapproof.reference_impl.ports import Owned, OwnedKind

_MADE_BY = select(ASYNC_JOB.c.phase).where(ASYNC_JOB.c.uuid == bindparam("job"))
_ABOUT = select(ASYNC_JOB.c.id).where(
    (ASYNC_JOB.c.instance_snapshot == bindparam("subject")) | (ASYNC_JOB.c.instance_volume == bindparam("subject")),
    ASYNC_JOB.c.phase.not_in(OVER),
)
_COPIES = select(SNAPSHOT_STORE_REF.c.id).where(
    SNAPSHOT_STORE_REF.c.install_path == bindparam("reference"),
    SNAPSHOT_STORE_REF.c.store_role == "Primary",
    SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED,
)
_BACKUPS = select(SNAPSHOT_STORE_REF.c.id).where(
    SNAPSHOT_STORE_REF.c.install_path == bindparam("path"),
    SNAPSHOT_STORE_REF.c.store_role == StoreRole.IMAGE,
    SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED,
)
_ON_LUN = select(VOLUMES.c.id).where(VOLUMES.c.folder == bindparam("lun"))


def is_recorded(connection: Connection, path: str) -> bool:
    """Say whether a row speaks of a backup at this path."""
    return connection.execute(_BACKUPS, {"path": path}).first() is not None


def is_orphan(connection: Connection, owned: Owned) -> bool:
    """Say whether nobody needs it. What another catalog's jobs made on the same array is never an orphan here."""
    if connection.execute(_MADE_BY, {"job": owned.owner.job}).scalar() not in OVER:
        return False
    if connection.execute(_ABOUT, {"subject": owned.owner.subject}).first() is not None:
        return False
    is_lun = owned.kind is OwnedKind.LUN
    reference = volume_reference(owned.id) if is_lun else array_reference(owned.id)
    if connection.execute(_COPIES, {"reference": reference}).first() is not None:
        return False
    return not is_lun or connection.execute(_ON_LUN, {"lun": str(owned.id)}).first() is None
