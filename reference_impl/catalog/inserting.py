"""Inserting a row that somebody else may be inserting at the same moment: every database has its own word for it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

DUPLICATE = 1062
"""MySQL's number for a unique value that is taken."""


def insert_unless_there(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row unless one of its unique values is taken, waiting for whoever is about to; say whether it is new."""
    kind = {"sqlite": sqlite, "postgresql": postgresql}.get(connection.dialect.name)
    if kind is not None:
        # Not the count of rows: under a Turkish locale Python's sqlite3 does not know "INSERT" for an insert.
        new = kind.insert(table).values(values).on_conflict_do_nothing().returning(table.c.id)
        return connection.execute(new).first() is not None
    # INSERT IGNORE would also forgive a value that does not fit its column, so the refusal itself is read.
    try:
        connection.execute(insert(table).values(values))
    except IntegrityError as error:
        if error.orig is None or error.orig.args[:1] != (DUPLICATE,):
            raise
        return False
    return True
