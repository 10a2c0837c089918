"""The catalog: opening the database, transactions whose commits pass the numbered seam, and reading jobs back.

What is written in a transaction is in transaction.py; when, in recording and running.py. Who may carry out a
job is in leases.py.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import Connection, Select, bindparam, exists, or_, select
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.engines import (
    OUTAGES,
    USUAL_TERMS,
    Terms,
    for_reading,
    is_outage,
    open_engine,
)
from snapproof.reference_impl.catalog.payloads import UnreadableJobError, read_order
from snapproof.reference_impl.catalog.places import make_known
from snapproof.reference_impl.catalog.schema import ASYNC_JOB
from snapproof.reference_impl.catalog.upgrading import prepare
from snapproof.reference_impl.core.effects import UNHEARD, Facts
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.ports import TransientError, UnknownOutcomeError
from snapproof.site import CallPoint, Clock
from snapproof.vocabulary import OperationId

Session: TypeAlias = Connection
"""An open transaction, as queries and checks take it. Nobody outside this package knows what it is made of."""

LOG = logging.getLogger("snapproof.catalog")

_OF_A_JOB = (
    *("id", "uuid", "account_id", "job_cmd", "job_cmd_info", "instance_volume", "instance_snapshot"),
    *("phase", "cursor", "facts", "version", "fence", "cancelled", "error", "error_kind"),
)
_SUBJECTS = ("instance_volume", "instance_snapshot", "instance_template")
_OTHER = ASYNC_JOB.alias("other")

_JOBS = select(*(ASYNC_JOB.c[name] for name in _OF_A_JOB)).order_by(ASYNC_JOB.c.id)
_JOB = _JOBS.where(ASYNC_JOB.c.uuid == bindparam("job"))

_LEASE = "SELECT fence, leased_until_ms FROM async_job WHERE id = "
_LEASES = {"qmark": f"{_LEASE}?", "format": f"{_LEASE}%s", "pyformat": f"{_LEASE}%s"}
"""One question in the words of each driver."""


class Phase(StrEnum):
    """Where a job stands. Cleaning comes after success, undoing after failure; both only ever go forward."""

    RUNNING = "running"
    CLEANING = "cleaning"
    UNDOING = "undoing"
    DONE = "done"
    FAILED = "failed"


OVER = (Phase.DONE, Phase.FAILED)

_UNFINISHED = _JOBS.where(
    ASYNC_JOB.c.phase.not_in(OVER), ASYNC_JOB.c.not_before.is_(None) | (ASYNC_JOB.c.not_before <= bindparam("now"))
)
_DOUBTFUL = _JOBS.where(
    ASYNC_JOB.c.phase.in_(OVER),
    ASYNC_JOB.c.last_updated < bindparam("before"),
    ASYNC_JOB.c.facts.contains(f'"{UNHEARD}"'),
    ~exists().where(or_(*(_OTHER.c[name] == ASYNC_JOB.c[name] for name in _SUBJECTS)), _OTHER.c.phase.not_in(OVER)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the catalog last saw it. `version` guards every write: who holds an older one has been overtaken.

    `fence` counts the lives that have held the job's lease; the last of them is the one that may carry it out.
    """

    id: int
    uuid: OperationId
    order: Order
    phase: Phase
    cursor: int
    facts: Facts
    version: int
    cancelled: bool
    fence: int
    error: str | None
    error_kind: str | None


class OvertakenError(Exception):
    """Another life of the orchestrator has moved this job on; whoever meets this must stop touching it."""


class Catalog:
    """The database. One instance a life; opening it makes or upgrades the tables."""

    def __init__(self, url: str, *, call_point: CallPoint, clock: Clock, terms: Terms = USUAL_TERMS) -> None:
        self._engine = open_engine(url, terms)
        self._call_point = call_point
        self._clock = clock
        prepare(self._engine)

    def make_known(self, pools: Mapping[str, int | None], image_stores: Sequence[str]) -> None:
        """Tell the catalog the site's storage pools, with what they may hold, and its image stores by name."""
        make_known(self._engine, pools, image_stores)

    def now(self) -> datetime:
        """The time that rows are stamped with: UTC, without a zone as databases like it."""
        return datetime.fromtimestamp(self._clock.time(), UTC).replace(tzinfo=None)

    @property
    def clock(self) -> Clock:
        """The clock that leases run by."""
        return self._clock

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Write, alone from the first read on. The commit is an external call.

        Raises TransientError if nothing was written, UnknownOutcomeError if the commit was not answered.
        """
        self._call_point.reach("catalog", "begin")
        try:
            with self._engine.connect() as connection, connection.begin() as transaction:
                yield connection
                try:
                    self._call_point.cross("catalog", "commit", transaction.commit, refuse=_refuse_commit)
                except (ConnectionError, *OUTAGES) as error:
                    raise UnknownOutcomeError("The catalog did not answer a commit.") from error
        except OUTAGES as error:
            if not is_outage(error):
                raise
            raise TransientError("The catalog is busy or out of reach; nothing was written.") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read: everything that is read is of one moment."""
        with self._engine.connect() as connection, for_reading(connection) as reading:
            yield reading

    def job(self, uuid: OperationId) -> Job | None:
        """Find a job by its operation id. Raises UnreadableJobError for one of a release that knows more."""
        with self.reading() as connection:
            row = connection.execute(_JOB, {"job": uuid}).one_or_none()
            return None if row is None else _job(connection, row)

    def unfinished_jobs(self) -> Sequence[Job]:
        """Every job that is not over and not put off, oldest first; not those that only another release can read."""
        return self._readable(_UNFINISHED, now=self.now())

    def doubtful_jobs(self, *, before: datetime) -> Sequence[Job]:
        """Every job that was over before this moment and has a fact that says UNHEARD, oldest first.

        Not those on whose subject somebody works: the next job of a snapshot uses the same names and directories.
        """
        return self._readable(_DOUBTFUL, before=before)

    def _readable(self, which: Select[Any], **moments: datetime) -> Sequence[Job]:
        jobs: list[Job] = []
        with self.reading() as connection:
            for row in connection.execute(which, moments).all():
                try:
                    jobs.append(_job(connection, row))
                except UnreadableJobError as error:
                    LOG.warning("%s", error)
        return jobs

    def lease_of(self, job: Job) -> tuple[int, int]:
        """The fence of a job and when its lease ends, in ms. Raises TransientError if the catalog does not say.

        Asked before every external call, so it goes past all layers that this one question does not need.
        """
        dialect = self._engine.dialect
        assert dialect.loaded_dbapi is not None
        try:
            with closing(self._engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(_LEASES[dialect.paramstyle], (job.id,))
                row = cursor.fetchone()
        except (*OUTAGES, dialect.loaded_dbapi.Error) as error:
            raise TransientError("The catalog does not say who holds the job; nothing was called.") from error
        assert row is not None, f"Job {job.uuid} has no row."
        return row[0], row[1]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()


def _refuse_commit(name: str) -> None:
    raise TransientError(f"The catalog refused a commit ({name or 'no reason given'}).")


def _job(connection: Connection, row: Row[Any]) -> Job:
    return Job(
        id=row.id,
        uuid=OperationId(row.uuid),
        order=read_order(connection, row),
        phase=Phase(row.phase),
        cursor=row.cursor,
        facts=msgspec.json.decode(row.facts or "{}"),
        version=row.version,
        cancelled=row.cancelled is not None,
        fence=row.fence,
        error=row.error,
        error_kind=row.error_kind,
    )
