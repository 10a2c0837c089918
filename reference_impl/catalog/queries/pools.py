"""Reading storage pools: how full they are."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from snapproof.reference_impl.catalog.schema import SNAPSHOT_STORE_REF, STORAGE_POOL, VOLUMES, StoreRole
from snapproof.reference_impl.core.plans import lun_size
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import PoolUse


def pools(connection: Connection, names: Sequence[str]) -> Sequence[PoolUse]:
    """The site's pools in this order, each with what its LUNs and its snapshots count."""
    return [PoolUse(name=name, used_bytes=_luns(connection, name) + _snapshots(connection, name)) for name in names]


def _luns(connection: Connection, name: str) -> int:
    found = select(VOLUMES.c.size).join(STORAGE_POOL, VOLUMES.c.pool_id == STORAGE_POOL.c.id)
    sizes = connection.execute(found.where(STORAGE_POOL.c.name == name, VOLUMES.c.removed.is_(None))).scalars()
    return sum(lun_size(size) for size in sizes)


def _snapshots(connection: Connection, name: str) -> int:
    """Copies on the pool alone: an image store of the same number is another place (hazard C6)."""
    found = (
        select(func.coalesce(func.sum(SNAPSHOT_STORE_REF.c.physical_size), 0))
        .join(STORAGE_POOL, SNAPSHOT_STORE_REF.c.store_id == STORAGE_POOL.c.id)
        .where(STORAGE_POOL.c.name == name, SNAPSHOT_STORE_REF.c.store_role == StoreRole.PRIMARY)
        .where(SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED)
    )
    return int(connection.execute(found).scalar_one())
