"""The site's storage pools and image stores as rows: made known when a life begins, found by their names.

A pool and an image store may have the same number; the role of a copy says which is meant (hazard C6).
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Engine, ScalarSelect, Table, bindparam, func, literal, select, update
from sqlalchemy.sql.functions import Function

from snapproof.reference_impl.catalog.image_tables import IMAGE_STORE
from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.schema import STORAGE_POOL, StoreRole

_NAMES = uuid.UUID("9d3c0c0e-65e1-5a4b-9a53-0c3f0a1d2f4e")
_FIRST = 1
"""The store of a copy whose store nobody has named."""

_BY_NAME = {
    table.name: select(table).where(table.c.name == bindparam("place")) for table in (STORAGE_POOL, IMAGE_STORE)
}

OF_POOLS = {"pool_type": "Iscsi", "storage_provider_name": "SolidFire", "managed": True}


def make_known(engine: Engine, pools: Mapping[str, int | None], image_stores: Sequence[str]) -> None:
    """Write down the places that are new, and what pools may hold; what an older release knew keeps its row."""
    places = [(STORAGE_POOL, name, OF_POOLS, pools[name]) for name in pools]
    places += [(IMAGE_STORE, name, {}, None) for name in image_stores]
    for table, name, said, capacity in places:
        with engine.begin() as connection:
            known = connection.execute(_BY_NAME[table.name], {"place": name}).first()
            if known is None:
                insert_unless_there(connection, table, {"uuid": _uuid(table, name), "name": name, **said})
            if capacity is not None and (known is None or known.capacity_bytes != capacity):
                connection.execute(update(table).where(table.c.name == name).values(capacity_bytes=capacity))


def store_id_of(role: str, name: str | BindParameter[str]) -> Function[Any]:
    """The number of a store by its name, or by a parameter's, for a row that is being written."""
    table = STORAGE_POOL if role == StoreRole.PRIMARY else IMAGE_STORE
    found: ScalarSelect[Any] = select(table.c.id).where(table.c.name == name).limit(1).scalar_subquery()
    return func.coalesce(found, literal(_FIRST))


def _uuid(table: Table, name: str) -> str:
    return str(uuid.uuid5(_NAMES, f"{table.name} {name}"))
