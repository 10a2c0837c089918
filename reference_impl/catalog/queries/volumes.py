"""Reading volumes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.engine import Row

from snapproof.driver import InvalidRequestError, NotFoundError
from snapproof.reference_impl.catalog.queries.accounts import of_account
from snapproof.reference_impl.catalog.schema import ACCOUNT, STORAGE_POOL, VOLUMES
from snapproof.vocabulary import AccountId, Qos, Volume, VolumeId

_OF_A_VOLUME = ("id", "uuid", "name", "iscsi_name", "size", "min_iops", "max_iops", "burst_iops")

_VOLUMES: Select[Any] = (
    select(*(VOLUMES.c[name] for name in _OF_A_VOLUME), ACCOUNT.c.account_name, STORAGE_POOL.c.name.label("pool_name"))
    .join(ACCOUNT, VOLUMES.c.account_id == ACCOUNT.c.id)
    .outerjoin(STORAGE_POOL, VOLUMES.c.pool_id == STORAGE_POOL.c.id)
    .where(VOLUMES.c.removed.is_(None), VOLUMES.c.iscsi_name.is_not(None))
)
"""Volumes on managed storage: each is a LUN of its own. An upgraded database has others as well."""

_IN_ORDER = _VOLUMES.order_by(VOLUMES.c.id)
_THIS = VOLUMES.c.uuid == bindparam("volume")
_VOLUME = _VOLUMES.where(_THIS)
_LUN = select(VOLUMES.c.folder).where(_THIS)
_POOL = select(STORAGE_POOL.c.name).join(VOLUMES, VOLUMES.c.pool_id == STORAGE_POOL.c.id).where(_THIS)


def volumes(connection: Connection, account: AccountId | None) -> Sequence[Volume]:
    """The volumes that users have, oldest first."""
    found = of_account(_IN_ORDER, one=account is not None)
    return [_volume(row) for row in connection.execute(found, {"account": account})]


def volume(connection: Connection, uuid: VolumeId) -> Volume:
    """One volume. Raises NotFoundError."""
    row = connection.execute(_VOLUME, {"volume": uuid}).one_or_none()
    if row is None:
        _refuse_shared_storage(connection, uuid)
        raise NotFoundError(f"There is no volume {uuid}.")
    return _volume(row)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovedVolume:
    """A volume that users have no more, as its row still says it was."""

    volume: VolumeId
    account: AccountId
    lun_id: int
    target: str
    size_bytes: int
    pool: str


def removed_volume(connection: Connection, uuid: VolumeId) -> RemovedVolume | None:
    """One that was removed; None for one that is there. Raises NotFoundError for one that never was."""
    found = select(VOLUMES, ACCOUNT.c.account_name).join(ACCOUNT, VOLUMES.c.account_id == ACCOUNT.c.id)
    row = connection.execute(found.where(VOLUMES.c.uuid == uuid, VOLUMES.c.iscsi_name.is_not(None))).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no volume {uuid}, nor was there one.")
    if row.removed is None:
        return None
    return RemovedVolume(
        volume=uuid,
        account=AccountId(row.account_name),
        lun_id=int(row.folder),
        target=row.iscsi_name.removeprefix("/").removesuffix("/0"),
        size_bytes=row.size,
        pool=pool_of(connection, uuid),
    )


def lun_of(connection: Connection, uuid: VolumeId) -> int:
    """The array's id of a volume's LUN, removed volumes included."""
    return int(connection.execute(_LUN, {"volume": uuid}).scalar_one())


def pool_of(connection: Connection, uuid: VolumeId) -> str:
    """The storage pool of a volume's LUN, removed volumes included; nothing where an older release wrote none."""
    return connection.execute(_POOL, {"volume": uuid}).scalar() or ""


def _refuse_shared_storage(connection: Connection, uuid: VolumeId) -> None:
    """An upgraded database has volumes that are no LUNs of their own. Raises InvalidRequestError (R-007)."""
    shared = select(VOLUMES.c.id).where(VOLUMES.c.uuid == uuid, VOLUMES.c.removed.is_(None))
    if connection.execute(shared.where(VOLUMES.c.iscsi_name.is_(None))).first() is not None:
        raise InvalidRequestError(
            f"Volume {uuid} is on storage that is not managed, where many volumes share a LUN. A location has a "
            "meaning on managed storage alone; nothing was begun."
        )


def _volume(row: Row[Any]) -> Volume:
    return Volume(
        id=VolumeId(row.uuid),
        account=AccountId(row.account_name),
        name=row.name,
        size_bytes=row.size,
        target=row.iscsi_name.removeprefix("/").removesuffix("/0"),
        qos=Qos(min_iops=row.min_iops, max_iops=row.max_iops, burst_iops=row.burst_iops),
        pool=row.pool_name or "",
    )
