"""Reading snapshots and their copies. What is done with them next is in orders.py."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select
from sqlalchemy.engine import Row

from snapproof.driver import NotFoundError
from snapproof.reference_impl.catalog.image_tables import IMAGE_STORE
from snapproof.reference_impl.catalog.queries.accounts import of_account
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    BACKUP_MANIFEST,
    KEY_DETAIL,
    SNAPSHOT_DETAILS,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    STORAGE_POOL,
    VOLUMES,
    StoreRole,
)
from snapproof.reference_impl.core.names import array_snapshot_id, array_volume_id
from snapproof.reference_impl.core.orders import ArraySource, BackupSource, Source, VolumeSource
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import AccountId, Copy, LocationType, PolicyId, Snapshot, SnapshotId, SnapshotState, VolumeId

PLACES = {"Primary": LocationType.PRIMARY, "Image": LocationType.SECONDARY}

_PRESENT = (CopyState.READY, CopyState.COPYING)

_LISTED = (*_PRESENT, CopyState.DESTROYING)

_OF_A_SNAPSHOT = ("id", "uuid", "name", "location_type", "status", "size", "policy_uuid")

_OF_A_COPY = ("snapshot_id", "store_role", "state", "install_path", "physical_size", "digest")
"""What is read of a row: fewer columns are a quicker query, and nobody's private ones are looked at."""

_SNAPSHOTS: Select[Any] = (
    select(*(SNAPSHOTS.c[name] for name in _OF_A_SNAPSHOT), ACCOUNT.c.account_name, VOLUMES.c.uuid.label("volume_uuid"))
    .join(ACCOUNT, SNAPSHOTS.c.account_id == ACCOUNT.c.id)
    .join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
    .where(SNAPSHOTS.c.removed.is_(None), SNAPSHOTS.c.location_type.is_not(None))
)

_ON_A_POOL = SNAPSHOT_STORE_REF.c.store_role == StoreRole.PRIMARY
_KEY = SNAPSHOT_DETAILS.alias("key_of_backup")
_COPIES: Select[Any] = (
    select(*(SNAPSHOT_STORE_REF.c[name] for name in _OF_A_COPY))
    .add_columns(func.coalesce(STORAGE_POOL.c.name, IMAGE_STORE.c.name, "").label("store_name"))
    .add_columns(_KEY.c.value.label("key_id"), BACKUP_MANIFEST.c.damage)
    .outerjoin(
        _KEY, ~_ON_A_POOL & (SNAPSHOT_STORE_REF.c.snapshot_id == _KEY.c.snapshot_id) & (_KEY.c.name == KEY_DETAIL)
    )
    .outerjoin(BACKUP_MANIFEST, ~_ON_A_POOL & (SNAPSHOT_STORE_REF.c.snapshot_id == BACKUP_MANIFEST.c.snapshot_id))
    .outerjoin(STORAGE_POOL, _ON_A_POOL & (SNAPSHOT_STORE_REF.c.store_id == STORAGE_POOL.c.id))
    .outerjoin(IMAGE_STORE, ~_ON_A_POOL & (SNAPSHOT_STORE_REF.c.store_id == IMAGE_STORE.c.id))
    .where(SNAPSHOT_STORE_REF.c.state.in_(_LISTED))
)
"""A copy is listed until it is known to be gone, and used only while nobody has begun to delete it."""

_SNAPSHOT = _SNAPSHOTS.where(SNAPSHOTS.c.uuid == bindparam("snapshot"))
_COPIES_OF_ONE = _COPIES.join(SNAPSHOTS, SNAPSHOT_STORE_REF.c.snapshot_id == SNAPSHOTS.c.id).where(
    SNAPSHOTS.c.uuid == bindparam("snapshot"), SNAPSHOT_STORE_REF.c.state.in_(bindparam("states", expanding=True))
)
_DETAILS = select(SNAPSHOT_DETAILS).where(SNAPSHOT_DETAILS.c.snapshot_id.in_(bindparam("snapshots", expanding=True)))


def snapshots(
    connection: Connection, account: AccountId | None, *, volume: VolumeId | None = None
) -> Sequence[Snapshot]:
    """The snapshots that users see, oldest first. Their copies are found by a query: ids would be too many to name."""
    wanted, their_copies = _listed(of_one_account=account is not None, of_one_volume=volume is not None)
    whose = {"account": account, "volume": volume}
    rows = connection.execute(wanted, whose).all()
    found = connection.execute(their_copies, whose).all()
    details, copies = _details(connection, found), dict[int, list[Copy]]()
    for row in found:
        copies.setdefault(row.snapshot_id, []).append(_copy(row, details))
    return [_snapshot(row, copies.get(row.id, [])) for row in rows]


@cache
def _listed(*, of_one_account: bool, of_one_volume: bool) -> tuple[Select[Any], Select[Any]]:
    wanted = of_account(_SNAPSHOTS, one=of_one_account)
    if of_one_volume:
        wanted = wanted.where(VOLUMES.c.uuid == bindparam("volume"))
    ids = wanted.with_only_columns(SNAPSHOTS.c.id)
    return wanted.order_by(SNAPSHOTS.c.id), _COPIES.where(SNAPSHOT_STORE_REF.c.snapshot_id.in_(ids))


def snapshot(connection: Connection, uuid: SnapshotId) -> Snapshot:
    """One snapshot. Raises NotFoundError."""
    row = connection.execute(_SNAPSHOT, {"snapshot": uuid}).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no snapshot {uuid}.")
    copies = copies_of(connection, uuid, _LISTED)
    details = _details(connection, copies)
    return _snapshot(row, [_copy(copy, details) for copy in copies])


def restore_source(connection: Connection, uuid: SnapshotId) -> Source:
    """Where to restore a snapshot from: the array while it is there, else the backup. Raises NotFoundError."""
    found = {row.store_role: row for row in copies_of(connection, uuid)}
    if "Primary" in found and (lun := array_volume_id(found["Primary"].install_path)) is not None:
        return VolumeSource(lun_id=lun, pool=found["Primary"].store_name)
    if "Primary" in found:
        snapshot_id = array_snapshot_id(found["Primary"].install_path)
        lun_id = _lun_of_snapshot(connection, uuid)
        return ArraySource(lun_id=lun_id, snapshot_id=snapshot_id, pool=found["Primary"].store_name)
    if "Image" in found:
        row = found["Image"]
        return BackupSource(
            path=row.install_path,
            physical_size_bytes=row.physical_size,
            digest=row.digest,
            image_store=row.store_name,
        )
    raise NotFoundError(f"Snapshot {uuid} has no copy to restore from.")


def _lun_of_snapshot(connection: Connection, uuid: SnapshotId) -> int:
    found = select(VOLUMES.c.folder).join(SNAPSHOTS, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
    return int(connection.execute(found.where(SNAPSHOTS.c.uuid == uuid)).scalar_one())


def copies_of(connection: Connection, uuid: str, states: Sequence[CopyState] = _PRESENT) -> Sequence[Row[Any]]:
    """The rows of a snapshot's copies in certain states; as a rule, in those in which they can be used."""
    return connection.execute(_COPIES_OF_ONE, {"snapshot": uuid, "states": states}).all()


def _details(connection: Connection, copies: Sequence[Row[Any]]) -> Mapping[int, Mapping[str, str]]:
    """What is kept about copies that are array volumes, by snapshot."""
    wanted = [copy.snapshot_id for copy in copies if array_volume_id(copy.install_path or "") is not None]
    kept: dict[int, dict[str, str]] = {}
    if wanted:
        for row in connection.execute(_DETAILS, {"snapshots": wanted}):
            kept.setdefault(row.snapshot_id, {})[row.name] = row.value
    return kept


def _copy(row: Row[Any], details: Mapping[int, Mapping[str, str]]) -> Copy:
    return Copy(
        location=PLACES[row.store_role],
        reference=row.install_path,
        physical_size_bytes=row.physical_size,
        store=row.store_name,
        details=details.get(row.snapshot_id, {}) if row.store_role == StoreRole.PRIMARY else _of_backup(row),
    )


def _of_backup(row: Row[Any]) -> Mapping[str, str]:
    """By which key a backup is encrypted at rest, and what was wrong with it when it was last read again."""
    known = {"encryptionKeyId": row.key_id, "damage": row.damage}
    return {name: value for name, value in known.items() if value}


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
        revertable=row.status == SnapshotState.BACKED_UP and any(map(_on_array, copies)),
    )


def _on_array(copy: Copy) -> bool:
    """Say whether a copy is an array snapshot: a volume goes back to no other (hazard C10)."""
    return copy.location is LocationType.PRIMARY and array_volume_id(copy.reference) is None
