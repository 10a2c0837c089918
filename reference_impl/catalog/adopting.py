"""Bringing one existing table to the shape that is declared for it, on any database, however far an earlier try came.

What migrations are made of; it knows no table by name.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from alembic import op
from alembic.operations import BatchOperations
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Dialect,
    ForeignKeyConstraint,
    Inspector,
    String,
    Table,
    UniqueConstraint,
    cast,
    inspect,
    update,
)
from sqlalchemy.engine.interfaces import ReflectedColumn


def fill_in(connection: Connection, declared: Table) -> None:
    """Rows older than UUIDs are known by their number, in CloudStack's own API too."""
    if not inspect(connection).has_table(declared.name) or "uuid" not in declared.c or declared.c.uuid.nullable:
        return
    number = cast(declared.c.id, String(40))
    connection.execute(update(declared).where(declared.c.uuid.is_(None)).values(uuid=number))


def adopt(declared: Table) -> None:
    """Make the table, or give it what it lacks. Columns, rows and indexes that are not declared stay."""
    connection = op.get_bind()
    inspector = inspect(connection)
    if not inspector.has_table(declared.name):
        declared.create(connection)
        return
    with op.batch_alter_table(declared.name) as batch:
        _adopt_columns(batch, inspector, declared)
        _adopt_constraints(batch, inspector, declared)
    _adopt_indexes(inspector, declared)


def forsake(declared: Table, names: Iterable[str]) -> None:
    """Take columns away, with the indexes and checks over them."""
    gone = set(names)
    inspector = inspect(op.get_bind())
    for index in declared.indexes:
        if gone & set(index.columns.keys()) and index.name in _names(inspector.get_indexes(declared.name)):
            op.drop_index(str(index.name), declared.name)
    with op.batch_alter_table(declared.name) as batch:
        for check in _checks(declared):
            if any(str(check.name).endswith(f"__{name}") for name in gone):
                batch.drop_constraint(str(check.name), type_="check")
        for name in sorted(gone & _names(inspector.get_columns(declared.name))):
            batch.drop_column(name)


def _adopt_columns(batch: BatchOperations, inspector: Inspector, declared: Table) -> None:
    known = {column["name"]: column for column in inspector.get_columns(declared.name)}
    for column in declared.columns:
        default = _default(column)
        if column.name not in known:
            batch.add_column(Column(column.name, column.type, nullable=column.nullable, server_default=default))
        elif not column.primary_key and _differs(op.get_bind().dialect, known[column.name], column):
            batch.alter_column(
                column.name,
                type_=column.type,
                nullable=column.nullable,
                server_default=default,
                existing_type=known[column.name]["type"],
                existing_nullable=known[column.name]["nullable"],
                existing_server_default=False,
            )


def _adopt_constraints(batch: BatchOperations, inspector: Inspector, declared: Table) -> None:
    """A constraint is known by what it says, for CloudStack gave its own names; a check by its name, which is ours."""
    name = declared.name
    unique = {tuple(found["column_names"]) for found in inspector.get_unique_constraints(name)}
    indexes = [found for found in inspector.get_indexes(name) if found["unique"]]
    unique |= {tuple(str(column) for column in found["column_names"]) for found in indexes}
    foreign = {tuple(found["constrained_columns"]) for found in inspector.get_foreign_keys(name)}
    checks = _names(inspector.get_check_constraints(name))
    for constraint in declared.constraints:
        if isinstance(constraint, UniqueConstraint) and _columns(constraint) not in unique:
            batch.create_unique_constraint(str(constraint.name), list(_columns(constraint)))
        elif isinstance(constraint, ForeignKeyConstraint) and _columns(constraint) not in foreign:
            (key,) = constraint.elements
            batch.create_foreign_key(
                str(constraint.name), constraint.referred_table.name, list(_columns(constraint)), [key.column.name]
            )
        elif isinstance(constraint, CheckConstraint) and constraint.name not in checks:
            batch.create_check_constraint(str(constraint.name), constraint.sqltext)


def _adopt_indexes(inspector: Inspector, declared: Table) -> None:
    known = {tuple(found["column_names"]) for found in inspector.get_indexes(declared.name)}
    for index in declared.indexes:
        if tuple(index.columns.keys()) not in known:
            op.create_index(str(index.name), declared.name, list(index.columns.keys()))


def _differs(dialect: Dialect, found: ReflectedColumn, declared: Column[Any]) -> bool:
    """Say whether a column has to be changed: on some databases that means to write every row anew."""
    kinds = {kind.compile(dialect=dialect) for kind in (found["type"], declared.type)}
    defaults = {_plain(found["default"]), _plain(_default(declared))}
    return len(kinds) > 1 or found["nullable"] != declared.nullable or len(defaults) > 1


def _plain(default: object) -> str | None:
    """A default without its quotes and type, as every database writes them in its own way."""
    if default is None or str(default).upper() == "NULL":
        return None
    plain = str(default).partition("::")[0].strip("'").lower()
    return {"false": "0", "true": "1"}.get(plain, plain)


def _default(column: Column[Any]) -> Any:
    return None if column.server_default is None else getattr(column.server_default, "arg", None)


def _columns(constraint: UniqueConstraint | ForeignKeyConstraint) -> tuple[str, ...]:
    return tuple(column.name for column in constraint.columns)


def _checks(declared: Table) -> Sequence[CheckConstraint]:
    return [found for found in declared.constraints if isinstance(found, CheckConstraint)]


def _names(found: Sequence[Any]) -> set[str]:
    return {row["name"] for row in found}
