"""What columns and tables are made of, so that every database keeps the same values. No table is declared here."""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Integer, MetaData, String, Table, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.compiler import TypeCompiler

METADATA = MetaData()


class Unsigned(BigInteger):
    """A number that is never negative."""

    cache_ok = True


class Words(String):
    """A short text that is found by exactly its own letters, trailing spaces included, on every database."""

    cache_ok = True


class Prose(Text):
    """A long text that is never searched for."""

    cache_ok = True


UNSIGNED = Unsigned()
KEY = UNSIGNED.with_variant(Integer, "sqlite")
"""SQLite counts up by itself only what it calls INTEGER."""


@compiles(Unsigned, "mysql", "mariadb")
def _unsigned_of_mysql(_kind: Unsigned, _compiler: TypeCompiler, **_context: Any) -> str:
    return "BIGINT UNSIGNED"


@compiles(Words, "mysql", "mariadb")
def _words_of_mysql(kind: Words, compiler: TypeCompiler, **_context: Any) -> str:
    """MySQL's usual collations take `Blue`, `blue` and `blue ` for the same name: one account could be another."""
    exact = "utf8mb4_nopad_bin" if getattr(compiler.dialect, "is_mariadb", False) else "utf8mb4_0900_bin"
    return f"VARCHAR({kind.length}) CHARACTER SET utf8mb4 COLLATE {exact}"


@compiles(Prose, "mysql", "mariadb")
def _prose_of_mysql(_kind: Prose, _compiler: TypeCompiler, **_context: Any) -> str:
    return "MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"


def table(name: str, *items: SchemaItem) -> Table:
    """Declare a table of the catalog. InnoDB is the engine of MySQL that has transactions and foreign keys."""
    return Table(name, METADATA, *items, mysql_engine="InnoDB", mariadb_engine="InnoDB")


def one_of(column: str, values: type[StrEnum], *, of: str) -> CheckConstraint:
    """Let the database itself refuse a value that nobody knows."""
    known = ", ".join(repr(str(value)) for value in values)
    return CheckConstraint(f"{column} IN ({known})", name=f"ck_{of}__{column}")
