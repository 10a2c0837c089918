"""From CloudStack 4.8 or 4.9 to our schema and back: every row kept, every place true, however often it is run."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from snapproof.reference_impl.catalog.engines import open_engine
from snapproof.reference_impl.catalog.upgrading import STEPS, UpgradeError, downgrade, prepare, revision_of, revisions
from snapproof.vocabulary import SnapshotState

OLD = Path(__file__).parent / "cloudstack_4_9.sql"
WORDS: Mapping[str, Mapping[str, str]] = {
    "sqlite": {"key": "INTEGER PRIMARY KEY", "number": "BIGINT", "datetime": "DATETIME", "flag": "BOOLEAN"}
    | {"yes": "1", "no": "0", "quote": '"', "end": ""},
    "postgresql": {"key": "BIGSERIAL PRIMARY KEY", "number": "BIGINT", "datetime": "TIMESTAMP", "flag": "BOOLEAN"}
    | {"yes": "true", "no": "false", "quote": '"', "end": ""},
    "mysql": {"key": "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY", "number": "BIGINT UNSIGNED"}
    | {"datetime": "DATETIME", "flag": "INT(1) UNSIGNED", "yes": "1", "no": "0", "quote": "`"}
    | {"end": " ENGINE=InnoDB DEFAULT CHARSET=utf8"},
}
MANAGED, OTHER = 1, 2
"""A pool with a LUN for each volume and one without, and the one volume on either."""

STAMP = "2016-05-04 03:02:01"
Rows: TypeAlias = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass
class Old:
    """A database that CloudStack 4.9 has filled."""

    engine: Engine

    def run(self, *statements: str) -> None:
        """What the old release may say to its database."""
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.format_map(WORDS[connection.dialect.name]))

    def rows(self) -> Rows:
        """Every row of every table of its own, whatever has been added to them."""
        with self.engine.connect() as connection:
            tables = sorted(set(inspect(connection).get_table_names()) - {"alembic_version"})
            quote = connection.dialect.identifier_preparer.quote
            return {
                table: [
                    dict(row)
                    for row in connection.execute(text(f"SELECT * FROM {quote(table)} ORDER BY id")).mappings()  # noqa: S608  names of the database's own
                ]
                for table in tables
            }


def snapshot(number: int, volume: int, state: str) -> Sequence[str]:
    """One snapshot as CloudStack of that age writes it; no row says where it is."""
    removed = f"'{STAMP}'" if state == "Destroyed" else "NULL"
    row = f"""INSERT INTO snapshots (id, data_center_id, account_id, domain_id, volume_id, disk_offering_id, status,
        name, uuid, snapshot_type, type_description, size, created, removed, hypervisor_type, version) VALUES
        ({number}, 1, 2, 1, {volume}, 1, '{state}', 'nightly-{number}', 'snapshot-{number}', 0, 'MANUAL', 1000001536,
        '{STAMP}', {removed}, 'XenServer', '2.2')"""  # noqa: S608  values of our own
    if state in {"Allocated", "Error"}:
        return (row,)
    role, path = ("Primary", f"SfSnapshotId={number}") if volume == MANAGED else ("Image", f"snapshots/2/2/{number}")
    copy = {"Creating": "Creating", "Destroying": "Destroying", "Destroyed": "Destroyed"}.get(state, "Ready")
    reference = f"""INSERT INTO snapshot_store_ref (store_id, store_role, snapshot_id, volume_id, install_path, size,
        physical_size, state, update_count, ref_cnt, created) VALUES ({volume}, '{role}', {number}, {volume}, '{path}',
        1000001536, 1000001536, '{copy}', 2, 0, '{STAMP}')"""  # noqa: S608  values of our own
    return row, reference


def volume(number: int, managed: str, target: str) -> Sequence[str]:
    """A pool and the volume on it."""
    return (
        f"""INSERT INTO storage_pool (id, name, uuid, pool_type, managed) VALUES
        ({number}, 'pool', 'pool-{number}', 'Iscsi', {managed})""",  # noqa: S608  values of our own
        f"""INSERT INTO volumes (id, account_id, domain_id, data_center_id, pool_id, name, uuid, size, folder,
        iscsi_name, min_iops, max_iops, state, created) VALUES ({number}, 2, 1, 1, {number}, 'disk', 'volume-{number}',
        1000001536, '{number}', {target}, 100, 15000, 'Ready', '{STAMP}')""",  # noqa: S608  values of our own
    )


def account_of(snapshots: int) -> Sequence[str]:
    """Whose they all are, and what is charged for them."""
    return (
        "INSERT INTO account (id, account_name, type, domain_id) VALUES (2, 'blue', 0, 1)",
        f"""INSERT INTO resource_count (account_id, type, {{quote}}count{{quote}})
        VALUES (2, 'snapshot', {snapshots})""",  # noqa: S608  values of our own
    )


def tables() -> Sequence[str]:
    """The statements that make the old release's tables."""
    return OLD.read_text().split(";\n\n")


@pytest.fixture
def old(database: str) -> Iterator[Old]:
    """The old release's tables, and a snapshot in every state on either kind of storage."""
    engine = open_engine(database)
    old = Old(engine)
    managed = volume(MANAGED, "{yes}", "'/iqn.2010-01.com.solidfire:x.1/0'")
    snapshots = [
        statement
        for position, state in enumerate(SnapshotState, 1)
        for place in (MANAGED, OTHER)
        for statement in snapshot(10 * position + place, place, state)
    ]
    account = account_of(2 * (len(SnapshotState) - 2))
    old.run(*tables(), *account, *managed, *volume(OTHER, "{no}", "NULL"), *snapshots)
    yield old
    engine.dispose()


@pytest.fixture
def another(old: Old, servers: Any, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of the same kind."""
    kind = {"mysql": "mariadb"}.get(old.engine.dialect.name, old.engine.dialect.name)
    place = tmp_path / "another"
    place.mkdir()
    with servers.database(kind, place) as url:
        engine = open_engine(url)
        yield engine
        engine.dispose()


def shape(engine: Engine) -> Mapping[str, Mapping[str, object]]:
    """All that a database says about its tables, but for the names that it or CloudStack gave constraints."""

    def of_table(connection: Connection, table: str) -> Mapping[str, object]:
        look = inspect(connection)
        indexes = look.get_indexes(table)
        unique = {tuple(found["column_names"]) for found in look.get_unique_constraints(table)}
        return {
            "columns": {
                column["name"]: (repr(column["type"]), column["nullable"], default_of(column["default"]))
                for column in look.get_columns(table)
                if column["name"] != "id"
            },
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "unique": unique | {tuple(found["column_names"]) for found in indexes if found["unique"]},
            "indexes": {tuple(found["column_names"]) for found in indexes if not found["unique"]},
            "foreign": {
                (tuple(found["constrained_columns"]), found["referred_table"], tuple(found["referred_columns"]))
                for found in look.get_foreign_keys(table)
            },
            "checks": {found["name"]: found["sqltext"] for found in look.get_check_constraints(table)},
        }

    with engine.connect() as connection:
        return {table: of_table(connection, table) for table in inspect(connection).get_table_names()}


def default_of(written: str | None) -> str | None:
    """What a default is, whichever way it was written down: `'0'`, `0`, `false` or with its type behind it."""
    plain = written and written.partition("::")[0].strip("'")
    return {"false": "0", "true": "1"}.get(plain or "", plain)


@pytest.mark.requirement(id="R-109")
def test_an_upgraded_database_and_a_new_one_have_the_same_shape(old: Old, another: Engine) -> None:
    """R-109."""
    prepare(old.engine)
    prepare(another)
    upgraded, new = shape(old.engine), shape(another)
    assert upgraded.keys() == new.keys()
    for table, found in new.items():
        assert upgraded[table] == found, table


@pytest.mark.requirement(id="R-110")
def test_snapshots_get_the_place_that_is_true_for_them(old: Old) -> None:
    """R-110."""
    before = old.rows()
    prepare(old.engine)
    after = old.rows()
    assert {row["location_type"] for row in after["snapshots"] if row["volume_id"] == MANAGED} == {"PRIMARY"}
    assert {row["location_type"] for row in after["snapshots"] if row["volume_id"] == OTHER} == {None}
    assert {table: len(rows) for table, rows in after.items() if table in before} == {
        table: len(rows) for table, rows in before.items()
    }
    assert after["resource_count"] == before["resource_count"]


@pytest.mark.requirement(id="R-110")
def test_nothing_that_the_old_release_knew_is_changed(old: Old) -> None:
    old.run("ALTER TABLE snapshots ADD COLUMN backup_note VARCHAR(10)", "UPDATE snapshots SET backup_note = 'kept'")
    old.run("CREATE TABLE vm_instance (id {key}, name VARCHAR(255))", "INSERT INTO vm_instance (name) VALUES ('i-2')")
    before = old.rows()
    prepare(old.engine)
    after = old.rows()
    for table, rows in before.items():
        kept = [{name: row[name] for name in rows[0]} for row in after[table]] if rows else []
        assert kept == rows, table


@pytest.mark.requirement(id="R-113")
def test_a_second_upgrade_changes_no_row(old: Old) -> None:
    """R-113."""
    prepare(old.engine)
    before = old.rows()
    prepare(old.engine)
    assert old.rows() == before
    old.run("DELETE FROM alembic_version")
    prepare(old.engine)
    assert old.rows() == before


def test_rows_older_than_uuids_are_known_by_their_number(old: Old) -> None:
    old.run("UPDATE snapshots SET uuid = NULL WHERE id = 11")
    prepare(old.engine)
    assert [row["uuid"] for row in old.rows()["snapshots"] if row["id"] == 11] == ["11"]


def statements(engine: Engine, at: int | None) -> Callable[[], int]:
    """Count what is said to the database; end the upgrade's life before number `at`."""
    said = 0

    def hear(*_event: object) -> None:
        nonlocal said
        said += 1
        if said == at:
            raise KeyboardInterrupt

    event.listen(engine, "before_cursor_execute", hear)

    def forget() -> int:
        event.remove(engine, "before_cursor_execute", hear)
        return said

    return forget


@pytest.mark.requirement(id="R-113")
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_an_upgrade_that_died_is_finished_by_the_next(old: Old, another: Engine, part: float) -> None:
    """MySQL commits every change of a table by itself, so half an upgrade is what the next one finds."""
    before = old.rows()
    Old(another).run(*tables())
    count = statements(another, None)
    prepare(another)
    whole = count()
    forget = statements(old.engine, max(1, int(whole * part)))
    with pytest.raises((KeyboardInterrupt, PendingRollbackError)):  # the second is raised over the first
        prepare(old.engine)
    forget()
    old.engine.dispose()
    prepare(old.engine)
    assert shape(old.engine) == shape(another)
    assert {table: len(rows) for table, rows in old.rows().items() if table in before} == {
        table: len(rows) for table, rows in before.items()
    }


@pytest.mark.requirement(id="R-112")
def test_the_old_release_reads_and_writes_the_new_schema(old: Old) -> None:
    """R-112: what it does not know has a default, and what it expects is never missing."""
    prepare(old.engine)
    old.run(*snapshot(901, MANAGED, "BackedUp"), *volume(9, "{yes}", "NULL"))
    old.run(
        """INSERT INTO async_job (uuid, user_id, account_id, job_cmd, job_cmd_info, job_status, job_result_code)
        VALUES ('old', 1, 2, 'org.apache.cloudstack.api.command.user.snapshot.CreateSnapshotCmd', '{{}}', 0, 0)"""
    )
    written = [row for row in old.rows()["snapshots"] if row["id"] == 901]
    assert [row["location_type"] for row in written] == [None]
    assert revision(old) == revisions()[-1]


@pytest.mark.requirement(id="R-112")
def test_going_back_leaves_the_old_release_its_own_tables(old: Old) -> None:
    """R-112."""
    before = old.rows()
    prepare(old.engine)
    downgrade(old.engine, "base")
    assert old.rows() == {**before, "usage_storage": []}
    prepare(old.engine)
    assert revision(old) == revisions()[-1]


def test_nobody_goes_back_while_jobs_are_under_way(old: Old) -> None:
    prepare(old.engine)
    old.run("INSERT INTO async_job (uuid, job_cmd, phase) VALUES ('take', 'TakeSnapshot', 'running')")
    before = old.rows()
    with pytest.raises(UpgradeError, match="Jobs take are under way; let this release finish them"):
        downgrade(old.engine, "base")
    assert old.rows() == before


def test_a_database_of_a_later_release_is_used_as_it_is(old: Old, caplog: pytest.LogCaptureFixture) -> None:
    prepare(old.engine)
    old.run("UPDATE alembic_version SET version_num = '9999'", "ALTER TABLE snapshots ADD COLUMN later VARCHAR(10)")
    before = old.rows()
    prepare(old.engine)
    assert old.rows() == before
    assert "at revision 9999, later than this release's" in caplog.text


def test_rows_that_contradict_one_another_stop_the_upgrade(old: Old) -> None:
    old.run("UPDATE snapshots SET status = 'Lost' WHERE id = 11")
    before = old.rows()["snapshots"]
    with pytest.raises(DBAPIError):
        prepare(old.engine)
    assert [row["status"] for row in old.rows()["snapshots"]] == [row["status"] for row in before]


def revision(old: Old) -> str | None:
    with old.engine.connect() as connection:
        return revision_of(connection)


def saved(number: str) -> Path:
    """Where the schema of a revision is kept, as SQLite writes it."""
    return Path(__file__).parent / f"schema_{number}.sql"


def test_the_declared_schema_is_the_one_of_its_newest_revision(tmp_path: Path) -> None:
    """Who changes schema.py has to say how older databases get there."""
    engine = open_engine(f"sqlite:///{tmp_path / 'new.sqlite'}")
    prepare(engine)
    with engine.connect() as connection:
        made = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")).scalars()
        found = ";\n\n".join(re.sub(r"\s+\n", "\n", statement) for statement in made) + "\n"
    engine.dispose()
    (tmp_path / "schema.sql").write_text(found)
    newest = saved(revisions()[-1])
    cure = f"Add a migration (docs/upgrading.md), then save {tmp_path / 'schema.sql'} as {newest.name} of its revision."
    assert newest.is_file(), cure
    assert found == newest.read_text(), cure


@pytest.mark.requirement(id="R-109")
@pytest.mark.parametrize("number", [path.stem[-4:] for path in sorted(Path(__file__).parent.glob("schema_*.sql"))])
def test_every_revision_since_then_is_upgraded(number: str, tmp_path: Path) -> None:
    """R-109, for databases of our own earlier releases."""
    older, new = (open_engine(f"sqlite:///{tmp_path / name}.sqlite") for name in ("older", "new"))
    statements = saved(number).read_text().split(";\n\n")
    Old(older).run(*sorted(statements, key=lambda statement: not statement.startswith("CREATE TABLE")))
    Old(older).run(f"INSERT INTO alembic_version VALUES ('{number}')")  # noqa: S608  a revision of our own
    prepare(older)
    prepare(new)
    assert shape(older) == shape(new)
    assert revision(Old(older)) == revisions()[-1]
    older.dispose()
    new.dispose()


def test_the_package_knows_the_steps_that_alembic_knows() -> None:
    steps = ScriptDirectory(str(STEPS)).walk_revisions()
    assert [step.revision for step in steps] == list(reversed(revisions()))
