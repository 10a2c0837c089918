"""Inserting a row that somebody else may be inserting at the same moment: every database has its own word for it."""

import importlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

DUPLICATE = 1062
"""MySQL's number for a unique value that is taken."""

HAVE_A_WORD = frozenset({"sqlite", "postgresql"})
"""Databases with `ON CONFLICT DO NOTHING`."""


def insert_unless_there(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one of its unique values is taken, waiting for whoever is about to; say whether it is new."""
    if connection.dialect.name in HAVE_A_WORD:
        # Not the count of rows: under a Turkish locale Python's sqlite3 does not know "INSERT" for an insert.
        return connection.execute(_unless_there(connection.dialect.name, table), values).first() is not None
    # INSERT IGNORE would also forgive a value that does not fit its column, so the refusal itself is read.
    try:
        connection.execute(insert(table), values)
    except IntegrityError as error:
        if error.orig is None or error.orig.args[:1] != (DUPLICATE,):
            raise
        return False
    return True


@cache
def _unless_there(dialect: str, table: Table) -> ReturningInsert[Any]:
    words = importlib.import_module(f"sqlalchemy.dialects.{dialect}")  # those of the others take long to import
    statement: ReturningInsert[Any] = words.insert(table).on_conflict_do_nothing().returning(table.c.id)
    return statement
