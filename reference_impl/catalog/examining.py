"""Looking at a database without changing it: whether it has the tables and columns that this release reads."""

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from snapproof.reference_impl.catalog.columns import METADATA
from snapproof.reference_impl.catalog.engines import OUTAGES, open_engine
from snapproof.reference_impl.ports import TransientError


def missing_columns(url: str) -> Sequence[str] | None:
    """Name `table.column` for each that is missing; None where there is no catalog yet. Raises TransientError."""
    place = make_url(url)
    if place.get_backend_name() == "sqlite" and not Path(place.database or "").exists():
        return None
    engine = open_engine(url)
    try:
        looked_at = inspect(engine)
        present = set(looked_at.get_table_names())
        if not present:
            return None
        return [
            f"{table.name}.{column.name}"
            for table in METADATA.sorted_tables
            for column in table.columns
            if table.name not in present
            or column.name not in {found["name"] for found in looked_at.get_columns(table.name)}
        ]
    except OUTAGES as error:
        raise TransientError("The catalog's database cannot be reached.") from error
    finally:
        engine.dispose()
