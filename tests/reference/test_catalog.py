"""The catalog: steps that compare before they swap, commits whose answers are lost, messages beside their states."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import IntegrityError, OperationalError

from snapproof.driver import NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError, Phase, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.orders import TakeSnapshot
from snapproof.reference_impl.core.states import CopyEvent, IllegalTransitionError, SnapshotEvent
from snapproof.reference_impl.ports import TransientError, UnknownOutcomeError
from snapproof.reference_impl.recording import RECORDERS
from snapproof.reference_impl.recording.recorder import audit
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import CrashedError, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    Qos,
    SnapshotId,
    SnapshotState,
    VolumeId,
)

Open: TypeAlias = Callable[[], Catalog]
ORDER = TakeSnapshot(
    job="take",
    account="blue",
    volume="v",
    volume_name="database",
    snapshot="s",
    snapshot_name="nightly",
    lun_id=1,
    size_bytes=4096,
    location=LocationType.PRIMARY,
)
TABLES = ("account", "volumes", "snapshots", "snapshot_store_ref", "resource_count", "async_job", "event", "outbox")


@pytest.fixture
def seam() -> Seam:
    return Seam(Journal(VirtualClock().time))


@pytest.fixture
def open_catalog(database: str, seam: Seam) -> Iterator[Open]:
    """Open the same database once more, as another life would."""
    opened: list[Catalog] = []

    def opened_again() -> Catalog:
        opened.append(Catalog(database, call_point=seam, clock=VirtualClock()))
        return opened[-1]

    yield opened_again
    for catalog in opened:
        catalog.close()


@pytest.fixture
def catalog(open_catalog: Open) -> Catalog:
    """A catalog with one volume."""
    catalog = open_catalog()

    def make(tx: Transaction) -> None:
        tx.insert_volume(
            uuid="v",
            account="blue",
            name="database",
            lun_id=1,
            target="iqn.x.1",
            size_bytes=4096,
            qos=Qos(min_iops=1, max_iops=2, burst_iops=3),
        )

    write(catalog, make)
    return catalog


def write(catalog: Catalog, change: Callable[[Transaction], None]) -> None:
    with catalog.transaction() as session:
        change(Transaction(session, catalog.now()))


def begin(tx: Transaction) -> None:
    tx.open_job(ORDER, volume="v", snapshot="s")
    RECORDERS[TakeSnapshot].begin(tx, ORDER)
    tx.audit(audit(RECORDERS[TakeSnapshot], ORDER, "Started"))


def opened_job(catalog: Catalog) -> Job:
    write(catalog, begin)
    job = catalog.job(OperationId("take"))
    assert job is not None
    return job


def rows(database: str) -> dict[str, int]:
    """How many rows each table has, read past the catalog."""
    engine = create_engine(database)
    with engine.connect() as connection:
        counts = {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in TABLES}  # noqa: S608  names of our own
    engine.dispose()
    return counts


def test_a_job_is_read_back_as_it_was_opened(catalog: Catalog) -> None:
    job = opened_job(catalog)
    assert (job.order, job.phase, job.cursor, job.facts, job.version) == (ORDER, Phase.RUNNING, 0, {}, 0)
    assert catalog.unfinished_jobs() == [job]
    assert catalog.job(OperationId("another")) is None


def test_an_overtaken_life_is_told_so_and_changes_nothing(catalog: Catalog, open_catalog: Open, database: str) -> None:
    stale = opened_job(catalog)
    other = open_catalog()
    write(other, lambda tx: tx.advance_job(stale, Phase.RUNNING, 1, {"lun": 7}, None))
    before = (rows(database), catalog.job(stale.uuid))

    def late(tx: Transaction) -> None:
        tx.audit(audit(RECORDERS[TakeSnapshot], ORDER, "Completed"))
        tx.advance_job(stale, Phase.UNDOING, 0, {}, None)

    with pytest.raises(OvertakenError, match="Job take is no longer at version 0"):
        write(catalog, late)
    assert (rows(database), other.job(stale.uuid)) == before


def test_a_job_is_opened_once(catalog: Catalog, open_catalog: Open, database: str) -> None:
    opened_job(catalog)
    before = rows(database)
    with pytest.raises(OvertakenError, match="take was opened by somebody else"):
        write(open_catalog(), begin)
    assert rows(database) == before


@pytest.mark.parametrize(
    ("fault", "error", "applied"),
    [
        ("refused", TransientError, False),
        ("lost_before", UnknownOutcomeError, False),
        ("lost_after", UnknownOutcomeError, True),
        ("crash_before", CrashedError, False),
        ("crash_after", CrashedError, True),
    ],
)
def test_a_commit_is_there_wholly_or_not_at_all(
    catalog: Catalog,
    open_catalog: Open,
    seam: Seam,
    database: str,
    fault: str,
    error: type[BaseException],
    *,
    applied: bool,
) -> None:
    before = rows(database)
    seam.restart_count()
    seam.arm("catalog.commit#1", fault_named(fault))
    with pytest.raises(error):
        write(catalog, begin)
    changed = {table for table, count in rows(database).items() if count != before[table]}
    assert changed == ({"snapshots", "resource_count", "async_job", "event", "outbox"} if applied else set())
    assert (open_catalog().job(OperationId("take")) is not None) is applied


def test_a_death_at_any_statement_leaves_nothing(catalog: Catalog, database: str) -> None:
    before = rows(database)
    deaths = statements = 0
    at = 1

    def die(*_event: object) -> None:
        nonlocal statements
        statements += 1
        if statements == at:
            raise CrashedError(f"statement {at}")

    event.listen(catalog._engine, "before_cursor_execute", die)
    while True:
        statements = 0
        try:
            write(catalog, begin)
        except CrashedError:
            deaths, at = deaths + 1, at + 1
            assert rows(database) == before
        else:
            break
    assert deaths >= 10  # a BEGIN, and whatever opening a snapshot writes
    assert rows(database) != before


def test_a_states_message_is_written_with_it_or_not_at_all(catalog: Catalog, database: str) -> None:
    opened_job(catalog)
    before = rows(database)["outbox"]

    def illegal(tx: Transaction) -> None:
        tx.move_snapshot("s", SnapshotEvent.OPERATION_SUCCEEDED)
        tx.move_snapshot("s", SnapshotEvent.CREATE_REQUESTED)

    with pytest.raises(IllegalTransitionError):
        write(catalog, illegal)
    assert rows(database)["outbox"] == before
    write(catalog, lambda tx: tx.move_snapshot("s", SnapshotEvent.OPERATION_SUCCEEDED))
    with catalog.reading() as session:
        last = queries.messages(session, "state")[-1]
        assert queries.snapshot(session, SnapshotId("s")).state is SnapshotState.CREATED_ON_PRIMARY
    assert '"after":"CreatedOnPrimary"' in last


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE snapshots SET account_id = 99",
        "UPDATE snapshots SET volume_id = 99",
        "UPDATE snapshots SET status = 'Lost'",
        "UPDATE snapshots SET location_type = 'Moon'",
        "UPDATE snapshot_store_ref SET state = 'Melted'",
        "UPDATE snapshot_store_ref SET store_role = 'Nowhere'",
        "UPDATE snapshots SET status = NULL",
        "DELETE FROM snapshots",
        "DELETE FROM account",
        "INSERT INTO account (id, account_name) SELECT 99, account_name FROM account",
        "UPDATE async_job SET uuid = NULL",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(catalog: Catalog, statement: str, database: str) -> None:
    opened_job(catalog)
    write(catalog, lambda tx: tx.insert_copy("s", "Primary", path="SfSnapshotId=7", physical_size=1, digest=None))
    before = rows(database)
    # MariaDB calls a check that fails operational.
    with pytest.raises((IntegrityError, OperationalError)), catalog.transaction() as session:
        session.execute(text(statement))
    assert rows(database) == before


def test_what_was_checked_still_holds_when_it_is_written(catalog: Catalog, open_catalog: Open) -> None:
    """Two lives check at the same time that the volume is idle; only one of them may go on to open its job."""
    other, checked, errors = open_catalog(), threading.Barrier(2, timeout=0.2), []

    def open_after_checking(own: Catalog, job: str) -> None:
        order = replace(ORDER, job=job, snapshot=f"s-{job}")
        try:
            with own.transaction() as session:
                queries.require_idle(session, volume="v")
                wait_a_moment(checked)
                Transaction(session, own.now()).open_job(order, volume="v", snapshot=order.snapshot)
        except Exception as error:  # noqa: BLE001  a thread's errors are looked at below
            errors.append(type(error).__name__)

    threads = [threading.Thread(target=open_after_checking, args=pair) for pair in ((catalog, "a"), (other, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == ["ConflictError"]
    assert len(catalog.unfinished_jobs()) == 1


def wait_a_moment(barrier: threading.Barrier) -> None:
    """Let the other one check as well, if nothing keeps it from doing so."""
    try:
        barrier.wait()
    except threading.BrokenBarrierError:
        return


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_somebody_holds_is_busy_not_broken(catalog: Catalog, database: str) -> None:
    with catalog.reading() as session:
        session.execute(text("PRAGMA busy_timeout=1"))
    with closing(sqlite3.connect(database.removeprefix("sqlite:///"), isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="busy or out of reach"):
            write(catalog, begin)
    opened_job(catalog)


def test_all_that_one_look_finds_is_of_one_moment(catalog: Catalog, open_catalog: Open) -> None:
    opened_job(catalog)
    other = open_catalog()

    def states(session: Session) -> list[SnapshotState]:
        return [snapshot.state for snapshot in queries.snapshots(session, AccountId("blue"))]

    with catalog.reading() as session:
        before = states(session)
        write(other, lambda tx: tx.move_snapshot("s", SnapshotEvent.OPERATION_SUCCEEDED))
        assert states(session) == before
    with catalog.reading() as session:
        assert states(session) != before


def test_a_copy_row_that_is_not_there_is_not_moved(catalog: Catalog) -> None:
    opened_job(catalog)
    write(catalog, lambda tx: tx.move_copy("s", "Image", CopyEvent.DESTROY_REQUESTED))
    with catalog.reading() as session:
        assert queries.snapshot(session, SnapshotId("s")).copies == ()


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_acknowledged_commit_is_on_the_disk(catalog: Catalog) -> None:
    with catalog.reading() as session:
        settings = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


HOSTILE = st.one_of(
    st.sampled_from(
        [
            "'; DROP TABLE snapshots; --",
            '" OR "1"="1',
            "%",
            "_",
            "\\",
            "\\'",
            "a' OR 'a'='a",
            "Robert'); --",
            ":name",
            "?",
        ]
    ),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60),
    st.sampled_from(["blue", "Blue", "blue ", " blue", "blüe", "BLUE"]),
)
"""What a user may call things; NUL alone is no letter to PostgreSQL."""


@given(names=st.lists(HOSTILE, min_size=1, max_size=4, unique=True))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_text_from_outside_is_never_read_as_sql(open_catalog: Open, names: list[str]) -> None:
    """R-161: every name comes back letter by letter, finds its own rows, and touches no other."""
    catalog = open_catalog()
    with catalog.reading() as session:
        before = {each.id: each for each in queries.snapshots(session, None)}
    batch = f"{len(before)}"

    def make(tx: Transaction) -> None:
        for number, name in enumerate(names):
            tx.insert_volume(
                uuid=f"v{batch}-{number}",
                account=name,
                name=name,
                lun_id=number,
                target="iqn.x.1",
                size_bytes=4096,
                qos=Qos(min_iops=1, max_iops=2, burst_iops=3),
            )
            tx.insert_snapshot(
                uuid=f"s{batch}-{number}",
                account=name,
                volume=f"v{batch}-{number}",
                name=name,
                location=LocationType.PRIMARY,
                size_bytes=4096,
                policy=None,
            )

    write(catalog, make)
    with catalog.reading() as session:
        for number, name in enumerate(names):
            volumes = {each.id: each for each in queries.volumes(session, AccountId(name))}
            assert volumes[VolumeId(f"v{batch}-{number}")].name == name
            assert {each.account for each in volumes.values()} == {name}
            assert queries.snapshot(session, SnapshotId(f"s{batch}-{number}")).name == name
        after = {each.id: each for each in queries.snapshots(session, None)}
    assert {uuid: found for uuid, found in after.items() if uuid in before} == before
    assert len(after) == len(before) + len(names)


@given(uuid=HOSTILE)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_id_from_outside_finds_nothing_but_itself(catalog: Catalog, uuid: str) -> None:
    """R-161."""
    with catalog.reading() as session:
        for look in (
            lambda: queries.volume(session, VolumeId(uuid)),
            lambda: queries.snapshot(session, SnapshotId(uuid)),
        ):
            with pytest.raises(NotFoundError):
                look()
    assert catalog.job(OperationId(uuid)) is None
