"""What archiving, reverting and deleting a snapshot take, as the catalog knows it."""

from sqlalchemy import Connection, func, select

from snapproof.driver import InvalidRequestError, NotFoundError
from snapproof.reference_impl.catalog.queries.jobs import has_failed
from snapproof.reference_impl.catalog.queries.snapshots import copies_of, restore_source
from snapproof.reference_impl.catalog.queries.volumes import lun_of, volume
from snapproof.reference_impl.catalog.schema import SNAPSHOT_STORE_REF, SNAPSHOTS, VOLUMES
from snapproof.reference_impl.core.names import array_snapshot_id, array_volume_id, own_file
from snapproof.reference_impl.core.orders import (
    ArchiveSnapshot,
    ArraySource,
    DeleteSnapshot,
    RevertVolume,
    VolumeSource,
)
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import OF_ARRAY_VOLUMES, OperationId, Snapshot, VolumeId


def archive_order(connection: Connection, found: Snapshot, operation: OperationId, image_store: str) -> ArchiveSnapshot:
    """What archiving a snapshot takes. Raises NotFoundError if it has no copy on the array."""
    source = restore_source(connection, found.id)
    if isinstance(source, VolumeSource):
        raise InvalidRequestError(f"Snapshot {found.id} is an array volume of its own; such a one is not archived.")
    if not isinstance(source, ArraySource):
        raise NotFoundError(f"Snapshot {found.id} has no copy on the array to archive.")
    return ArchiveSnapshot(
        job=operation,
        account=found.account,
        volume=found.volume,
        snapshot=found.id,
        file=own_file(operation) if has_failed(connection, found.id) else "",
        lun_id=source.lun_id,
        array_snapshot=source.snapshot_id,
        size_bytes=found.size_bytes,
        release_lun=_lun_to_release(connection, found.volume),
        pool=source.pool,
        image_store=image_store,
    )


def revert_order(connection: Connection, found: Snapshot, operation: OperationId) -> RevertVolume:
    """What reverting a volume takes. Raises NotFoundError, InvalidRequestError."""
    owner = volume(connection, found.volume)
    source = restore_source(connection, found.id)
    if isinstance(source, VolumeSource):
        raise InvalidRequestError(
            f"Snapshot {found.id} is an array volume of its own; make a volume from it instead of reverting."
        )
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
        pool=source.pool,
    )


def delete_order(connection: Connection, found: Snapshot, operation: OperationId) -> DeleteSnapshot:
    """What deleting a snapshot takes: its copies, and the LUN if it was kept for this snapshot alone."""
    copies = {row.store_role: row for row in copies_of(connection, found.id)}
    on_array = copies["Primary"].install_path if "Primary" in copies else None
    array_volume = None if on_array is None else array_volume_id(on_array)
    array_snapshot = None if on_array is None or array_volume is not None else array_snapshot_id(on_array)
    return DeleteSnapshot(
        job=operation,
        account=found.account,
        volume=found.volume,
        snapshot=found.id,
        array_snapshot=array_snapshot,
        array_volume=array_volume,
        backup=copies["Image"].install_path if "Image" in copies else None,
        backup_size_bytes=copies["Image"].physical_size if "Image" in copies else 0,
        release_lun=None if array_snapshot is None else _lun_to_release(connection, found.volume),
        pool=copies["Primary"].store_name if "Primary" in copies else "",
        image_store=copies["Image"].store_name if "Image" in copies else "",
    )


def has_array_snapshots(connection: Connection, uuid: VolumeId) -> bool:
    """Say whether snapshots of the volume live on the array."""
    return _array_snapshots(connection, uuid) > 0


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
            SNAPSHOT_STORE_REF.c.install_path.not_like(f"{OF_ARRAY_VOLUMES}%"),
        )
    )
    return int(connection.execute(found).scalar_one())
