"""Telling what on an array nobody needs: made by a job of this catalog that is over, and in no row."""

from sqlalchemy import Connection, select

from snapproof.reference_impl.catalog.schema import ASYNC_JOB, SNAPSHOT_STORE_REF, VOLUMES
from snapproof.reference_impl.catalog.store import OVER
from snapproof.reference_impl.core.names import array_reference, volume_reference
from snapproof.reference_impl.core.states import CopyState
from snapproof.reference_impl.ports import Owned, OwnedKind


def is_orphan(connection: Connection, owned: Owned) -> bool:
    """Say whether nobody needs it. What another catalog's jobs made on the same array is never an orphan here."""
    made_by = select(ASYNC_JOB.c.phase).where(ASYNC_JOB.c.uuid == owned.owner.job)
    if connection.execute(made_by).scalar() not in OVER:
        return False
    about = (ASYNC_JOB.c.instance_snapshot == owned.owner.subject) | (
        ASYNC_JOB.c.instance_volume == owned.owner.subject
    )
    if connection.execute(select(ASYNC_JOB.c.id).where(about, ASYNC_JOB.c.phase.not_in(OVER))).first() is not None:
        return False
    is_lun = owned.kind is OwnedKind.LUN
    reference = volume_reference(owned.id) if is_lun else array_reference(owned.id)
    copies = select(SNAPSHOT_STORE_REF.c.id).where(
        SNAPSHOT_STORE_REF.c.install_path == reference,
        SNAPSHOT_STORE_REF.c.store_role == "Primary",
        SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED,
    )
    if connection.execute(copies).first() is not None:
        return False
    return (
        not is_lun or connection.execute(select(VOLUMES.c.id).where(VOLUMES.c.folder == str(owned.id))).first() is None
    )
