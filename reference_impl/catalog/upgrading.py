"""Bringing a database to the schema of this release: made at once where it is empty, step by step where it is older.

`python -m snapproof.reference_impl.catalog.upgrading URL [REVISION]` walks the steps by hand, back as well. What each
step does is in migrations/; docs/upgrading.md says when to take which way.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, make_url, select, text
from sqlalchemy.schema import CreateIndex, CreateTable

from snapproof.reference_impl.catalog import image_tables, ledger, ownership
from snapproof.reference_impl.catalog.columns import METADATA
from snapproof.reference_impl.catalog.engines import open_engine
from snapproof.reference_impl.catalog.schema import ASYNC_JOB

LOG = logging.getLogger("snapproof.catalog")
STEPS = Path(__file__).parent / "migrations"
WAIT_S = 60
VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
DECLARED = frozenset(METADATA.tables) | {ledger.EVENT.name, image_tables.VM_TEMPLATE.name, ownership.DOMAIN.name}


class UpgradeError(Exception):
    """The database cannot be brought to that schema as it is; nothing was changed, and the sentence says why."""


@cache
def revisions() -> Sequence[str]:
    """The revisions that this release knows, oldest first."""
    found = (re.fullmatch(r"v(\d{4})_\w+\.py", path.name) for path in (STEPS / "versions").iterdir())
    return sorted(name[1] for name in found if name)


def revision_of(connection: Connection) -> str | None:
    """The revision that a database says it is at; None for one that no release of ours has seen."""
    if not inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(select(VERSION.c.version_num)).scalar()


def prepare(engine: Engine) -> None:
    """Make or upgrade the tables, unless they are as they should be. Safe when several servers start at once.

    A database of a later release is taken as it is: releases only ever add, and both may work on it for a while.
    """
    known = revisions()
    with engine.connect() as connection:
        found = revision_of(connection)
    if found == known[-1]:
        return
    if found is not None and found not in known:
        LOG.warning(
            "the catalog is at revision %s, later than this release's %s; it is used as it is", found, known[-1]
        )
        return
    with _alone(engine) as connection:
        if revision_of(connection) == known[-1]:
            return
        if DECLARED & set(inspect(connection).get_table_names()):
            _walk(connection, "upgrade", "head")
        else:
            _make(connection, known[-1])


def downgrade(engine: Engine, revision: str) -> None:
    """Go back to an older revision, `base` for CloudStack's own tables. Raises UpgradeError while jobs go on."""
    with _alone(engine) as connection:
        unfinished = select(ASYNC_JOB.c.uuid).where(ASYNC_JOB.c.phase.not_in(["done", "failed"]))
        jobs = connection.execute(unfinished).scalars().all()
        if jobs:
            raise UpgradeError(f"Jobs {', '.join(jobs)} are under way; let this release finish them, then go back.")
        _walk(connection, "downgrade", revision)


def _walk(connection: Connection, direction: str, revision: str) -> None:
    # Rarely needed, and slow to import: most lives open a catalog that is made, or make one from nothing.
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    LOG.info("%s of the catalog from %s to %s", direction, revision_of(connection), revision)
    {"upgrade": command.upgrade, "downgrade": command.downgrade}[direction](config, revision)


def _make(connection: Connection, revision: str) -> None:
    for statement in _statements(connection.dialect.name, mariadb=getattr(connection.dialect, "is_mariadb", False)):
        connection.exec_driver_sql(statement)
    connection.execute(VERSION.insert().values(version_num=revision))


@cache
def _statements(kind: str, *, mariadb: bool) -> Sequence[str]:
    """What makes every table. Worked out once: a campaign makes a catalog for each of its cases."""
    dialect: Any = make_url(f"{kind}://").get_dialect()()
    if mariadb:
        dialect.is_mariadb = True
    statements: list[str] = []
    for table in (*METADATA.sorted_tables, VERSION):
        statements.append(str(CreateTable(table).compile(dialect=dialect)))
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        statements += [str(CreateIndex(index).compile(dialect=dialect)) for index in indexes]
    return statements


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction during which no other server makes or upgrades tables of this database."""
    with engine.connect() as connection:
        try:
            with LOCKS[engine.dialect.name](connection):
                yield connection
        except BaseException:
            connection.invalidate()  # its locks and settings end with it
            raise


@contextmanager
def _sqlite_alone(connection: Connection) -> Iterator[None]:
    """Rebuilding a table drops the old one; foreign keys must not see that, but they are checked before the end."""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        yield
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise UpgradeError(f"Rows refer to rows that do not exist: {', '.join(str(row[:3]) for row in broken)}.")
    driver.execute("PRAGMA foreign_keys=ON")


@contextmanager
def _postgresql_alone(connection: Connection) -> Iterator[None]:
    with connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('snapproof.catalog'))"))
        yield


@contextmanager
def _mysql_alone(connection: Connection) -> Iterator[None]:
    """Each DDL statement commits by itself here: a death half-way is mended by the next walk, which does the rest."""
    name = f"snapproof.{connection.engine.url.database}"[:64]
    if connection.execute(text("SELECT GET_LOCK(:name, :wait)"), {"name": name, "wait": WAIT_S}).scalar() != 1:
        raise UpgradeError(f"Another server has been upgrading the catalog for {WAIT_S} s; look what it is doing.")
    connection.execute(text("SET SESSION foreign_key_checks = 0"))
    yield
    connection.execute(text("SET SESSION foreign_key_checks = 1"))
    connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
    connection.commit()


LOCKS: Mapping[str, Callable[[Connection], AbstractContextManager[None]]] = {
    "sqlite": _sqlite_alone,
    "postgresql": _postgresql_alone,
    "mysql": _mysql_alone,
    "mariadb": _mysql_alone,
}
"""How one server keeps the others out, by database."""


def main(arguments: Sequence[str]) -> int:
    """Walk to the revision that is named, or to this release's own; say where the database is then."""
    url, revision = (*arguments, "head")[:2]
    engine = open_engine(url)
    if revision == "head":
        prepare(engine)
    else:
        downgrade(engine, revision)
    with engine.connect() as connection:
        sys.stdout.write(f"The catalog is at revision {revision_of(connection) or 'base'}.\n")
    engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
