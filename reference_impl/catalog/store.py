"""The catalog: opening the database, transactions whose commits pass the numbered seam, and reading jobs back.

What is written in a transaction is in transaction.py; when, in recording.py and orchestrator.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import Row
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from snapproof.reference_impl.catalog.schema import ASYNC_JOB, METADATA
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import ORDERS, Order
from snapproof.reference_impl.ports import TransientError, UnknownOutcomeError
from snapproof.vocabulary import CallPoint, Clock, OperationId

Session: TypeAlias = Connection
"""An open transaction, as queries and checks take it. Nobody outside this package knows what it is made of."""

READING = "snapproof_reading"
"""The option of a connection that only reads."""


class Phase(StrEnum):
    """Where a job stands. Cleaning comes after success, undoing after failure; both only ever go forward."""

    RUNNING = "running"
    CLEANING = "cleaning"
    UNDOING = "undoing"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the catalog last saw it. `version` guards every write: who holds an older one has been overtaken."""

    id: int
    uuid: OperationId
    order: Order
    phase: Phase
    cursor: int
    facts: Facts
    version: int
    cancelled: bool
    error: str | None
    error_kind: str | None


class OvertakenError(Exception):
    """Another life of the orchestrator has moved this job on; whoever meets this must stop touching it."""


class Catalog:
    """The database. One instance a life; opening it makes the tables that are missing."""

    def __init__(self, url: str, *, call_point: CallPoint, clock: Clock) -> None:
        self._engine = _open(url)
        self._call_point = call_point
        self._clock = clock
        METADATA.create_all(self._engine)

    def now(self) -> datetime:
        """The time that rows are stamped with: UTC, without a zone as databases like it."""
        return datetime.fromtimestamp(self._clock.time(), UTC).replace(tzinfo=None)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write, alone from the first read on. The commit is an external call.

        Raises TransientError if nothing was written, UnknownOutcomeError if the commit was not answered.
        """
        try:
            with self._engine.connect() as connection, connection.begin() as transaction:
                yield connection
                try:
                    self._call_point.cross("catalog", "commit", transaction.commit, refuse=_refuse_commit)
                except (ConnectionError, OperationalError) as error:
                    raise UnknownOutcomeError("The catalog did not answer a commit.") from error
        except OperationalError as error:
            raise TransientError("The catalog is busy or out of reach; nothing was written.") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read: everything that is read is of one moment."""
        with self._engine.connect() as connection:
            yield connection.execution_options(**{READING: True})

    def job(self, uuid: OperationId) -> Job | None:
        """Find a job by its operation id."""
        with self.reading() as connection:
            row = connection.execute(select(ASYNC_JOB).where(ASYNC_JOB.c.uuid == uuid)).one_or_none()
        return None if row is None else _job(row)

    def unfinished_jobs(self) -> Sequence[Job]:
        """Every job that is not over and not put off, oldest first."""
        due = ASYNC_JOB.c.not_before.is_(None) | (ASYNC_JOB.c.not_before <= self.now())
        unfinished = ASYNC_JOB.c.phase.not_in([Phase.DONE, Phase.FAILED]) & due
        with self.reading() as connection:
            rows = connection.execute(select(ASYNC_JOB).where(unfinished).order_by(ASYNC_JOB.c.id)).all()
        return [_job(row) for row in rows]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _open(url: str) -> Engine:
    engine = create_engine(url, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Acknowledged is durable: NORMAL may lose the last commits when the power fails."""
    connection.isolation_level = (
        None  # else Python begins a transaction at the first write: what was read before is not in it
    )
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Whoever writes takes the lock before reading, so that a check and what rests on it are one."""
    reading = connection.get_execution_options().get(READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _refuse_commit(name: str) -> None:
    raise TransientError(f"The catalog refused a commit ({name or 'no reason given'}).")


def _job(row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        uuid=OperationId(row.uuid),
        order=msgspec.json.decode(row.job_cmd_info, type=ORDERS[row.job_cmd]),
        phase=Phase(row.phase),
        cursor=row.cursor,
        facts=msgspec.json.decode(row.facts),
        version=row.version,
        cancelled=row.cancelled is not None,
        error=row.error,
        error_kind=row.error_kind,
    )
