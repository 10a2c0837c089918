"""Reading storage pools: how full they are, and whether something fits."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select

from snapproof.driver import LimitExceededError
from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.schema import SNAPSHOT_STORE_REF, SNAPSHOTS, STORAGE_POOL, VOLUMES, StoreRole
from snapproof.reference_impl.core.plans import lun_size
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import PoolUse, SnapshotState

_CAPACITY = select(STORAGE_POOL.c.capacity_bytes).where(STORAGE_POOL.c.name == bindparam("pool"))


def pools(connection: Connection, names: Sequence[str]) -> Sequence[PoolUse]:
    """The site's pools in this order, each with what its LUNs and its snapshots count."""
    return [PoolUse(name=name, used_bytes=_luns(connection, name) + _snapshots(connection, name)) for name in names]


def require_pool_room(connection: Connection, name: str, size_bytes: int) -> None:
    """Refuse what a pool has no free bytes for. Its row is held, so that of two who ask at once one sees the other.

    Raises LimitExceededError. A pool whose row names no capacity has room for all.
    """
    capacity = connection.execute(_CAPACITY, {"pool": name}).scalar()
    if capacity is None:
        return
    connection.execute(locked(connection, _CAPACITY), {"pool": name})
    (use,) = pools(connection, (name,))
    free = capacity - use.used_bytes - _promised(connection, name)
    if size_bytes > free:
        raise LimitExceededError(
            f"Storage pool {name} has {max(free, 0)} of {capacity} bytes free, and this takes {size_bytes}; delete "
            "something there first, or have its capacity raised."
        )


def _promised(connection: Connection, name: str) -> int:
    """What snapshots will take that are being taken."""
    found = (
        select(func.coalesce(func.sum(SNAPSHOTS.c.size), 0))
        .join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id)
        .join(STORAGE_POOL, VOLUMES.c.pool_id == STORAGE_POOL.c.id)
        .where(STORAGE_POOL.c.name == name, SNAPSHOTS.c.status.in_((SnapshotState.ALLOCATED, SnapshotState.CREATING)))
    )
    return int(connection.execute(found).scalar_one())


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
