"""The catalog: steps that compare before they swap, commits whose answers are lost, messages beside their states."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError, Phase, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.orders import TakeSnapshot
from snapproof.reference_impl.core.states import CopyEvent, IllegalTransitionError, SnapshotEvent
from snapproof.reference_impl.ports import TransientError, UnknownOutcomeError
from snapproof.reference_impl.recording import RECORDERS, audit
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import CrashedError, Seam, fault_named
from snapproof.simulators.journal import Journal
from snapproof.vocabulary import AccountId, LocationType, OperationId, Qos, SnapshotId, SnapshotState

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
TABLES = ("account", "volumes", "snapshots", "snapshot_store_ref", "resource_count", "async_job", "outbox")


@pytest.fixture
def seam() -> Seam:
    return Seam(Journal(VirtualClock().time))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "catalog.sqlite"


@pytest.fixture
def open_catalog(file: Path, seam: Seam) -> Iterator[Open]:
    """Open the same file once more, as another life would."""
    opened: list[Catalog] = []

    def opened_again() -> Catalog:
        opened.append(Catalog(f"sqlite:///{file}", call_point=seam, clock=VirtualClock()))
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


def rows(file: Path) -> dict[str, int]:
    """How many rows each table has, read past the catalog."""
    with closing(sqlite3.connect(file)) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608  names of our own


def test_a_job_is_read_back_as_it_was_opened(catalog: Catalog) -> None:
    job = opened_job(catalog)
    assert (job.order, job.phase, job.cursor, job.facts, job.version) == (ORDER, Phase.RUNNING, 0, {}, 0)
    assert catalog.unfinished_jobs() == [job]
    assert catalog.job(OperationId("another")) is None


def test_an_overtaken_life_is_told_so_and_changes_nothing(catalog: Catalog, open_catalog: Open, file: Path) -> None:
    stale = opened_job(catalog)
    other = open_catalog()
    write(other, lambda tx: tx.advance_job(stale, Phase.RUNNING, 1, {"lun": 7}, None))
    before = (rows(file), catalog.job(stale.uuid))

    def late(tx: Transaction) -> None:
        tx.audit(audit(RECORDERS[TakeSnapshot], ORDER, "Completed"))
        tx.advance_job(stale, Phase.UNDOING, 0, {}, None)

    with pytest.raises(OvertakenError, match="Job take is no longer at version 0"):
        write(catalog, late)
    assert (rows(file), other.job(stale.uuid)) == before


def test_a_job_is_opened_once(catalog: Catalog, open_catalog: Open, file: Path) -> None:
    opened_job(catalog)
    before = rows(file)
    with pytest.raises(OvertakenError, match="take was opened by somebody else"):
        write(open_catalog(), begin)
    assert rows(file) == before


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
    file: Path,
    fault: str,
    error: type[BaseException],
    *,
    applied: bool,
) -> None:
    before = rows(file)
    seam.restart_count()
    seam.arm("catalog.commit#1", fault_named(fault))
    with pytest.raises(error):
        write(catalog, begin)
    changed = {table for table, count in rows(file).items() if count != before[table]}
    assert changed == ({"snapshots", "resource_count", "async_job", "outbox"} if applied else set())
    assert (open_catalog().job(OperationId("take")) is not None) is applied


def test_a_death_at_any_statement_leaves_nothing(catalog: Catalog, file: Path) -> None:
    before = rows(file)
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
            assert rows(file) == before
        else:
            break
    assert deaths >= 10  # a BEGIN, and whatever opening a snapshot writes
    assert rows(file) != before


def test_a_states_message_is_written_with_it_or_not_at_all(catalog: Catalog, file: Path) -> None:
    opened_job(catalog)
    before = rows(file)["outbox"]

    def illegal(tx: Transaction) -> None:
        tx.move_snapshot("s", SnapshotEvent.OPERATION_SUCCEEDED)
        tx.move_snapshot("s", SnapshotEvent.CREATE_REQUESTED)

    with pytest.raises(IllegalTransitionError):
        write(catalog, illegal)
    assert rows(file)["outbox"] == before
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
        "INSERT INTO account SELECT 99, account_name FROM account",
        "UPDATE async_job SET uuid = NULL",
    ],
)
def test_the_database_itself_refuses_what_cannot_be(catalog: Catalog, statement: str, file: Path) -> None:
    opened_job(catalog)
    write(catalog, lambda tx: tx.insert_copy("s", "Primary", path="SfSnapshotId=7", physical_size=1, digest=None))
    before = rows(file)
    with pytest.raises(IntegrityError), catalog.transaction() as session:
        session.execute(text(statement))
    assert rows(file) == before


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


def test_a_database_that_somebody_holds_is_busy_not_broken(catalog: Catalog, file: Path) -> None:
    with catalog.reading() as session:
        session.execute(text("PRAGMA busy_timeout=1"))
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody:
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


def test_an_acknowledged_commit_is_on_the_disk(catalog: Catalog) -> None:
    with catalog.reading() as session:
        settings = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
