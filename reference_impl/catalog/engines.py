"""Opening a database: SQLite, PostgreSQL, MySQL or MariaDB, and what a transaction may rely on in each of them.

Whoever writes takes READ COMMITTED and locks the rows that a decision rests on: a lost race is then a wait, never a
surprise at the commit. Whoever only reads takes one snapshot of everything. SQLite knows one writer at a time, which
is more than either asks for.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Engine, GenerativeSelect, create_engine, event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

OUTAGES = (OperationalError, InterfaceError)
"""A database that is busy, gone, or has chosen this transaction to end a deadlock: the same again may well succeed."""

READING = "snapproof_reading"
"""What stands in a connection's `info` while it only reads."""
TERMS = "snapproof_terms"
"""An option of engines: who writes there."""

_CHECK_FAILED = {3819, 4025}
"""MySQL's and MariaDB's numbers for a value that a check refuses; PyMySQL takes them for something operational."""

QueryT = TypeVar("QueryT", bound=GenerativeSelect)

_WAIT_S = 10
_SERVER: Mapping[str, Any] = {"isolation_level": "READ COMMITTED", "pool_pre_ping": True}
_MYSQL = {
    **_SERVER,
    "connect_args": {
        # Without a strict mode, what does not fit a column is cut off in silence.
        "init_command": f"SET SESSION innodb_lock_wait_timeout={_WAIT_S}, sql_mode='TRADITIONAL'"
    },
}
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "sqlite": {},
    "postgresql": {**_SERVER, "connect_args": {"options": f"-c lock_timeout={_WAIT_S}s"}},
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms a life holds jobs: which management server it is, and how long a lease lasts unrenewed."""

    node: int
    lease_s: float


USUAL_TERMS = Terms(node=1, lease_s=300.0)


def open_engine(url: str, terms: Terms = USUAL_TERMS) -> Engine:
    """Open a database by its URL. Raises ValueError for a kind that nobody has tried."""
    kind = url.partition(":")[0].partition("+")[0]
    if kind not in _OPTIONS:
        raise ValueError(f"The catalog cannot be kept in {kind!r}; there are {', '.join(_OPTIONS)}.")
    options: dict[str, Any] = {TERMS: terms}
    if kind == "sqlite":  # one library for the whole process; servers differ by their versions
        options["compiled_cache"] = _compiled_for_sqlite()
    engine = create_engine(url, hide_parameters=True, execution_options=options, **_OPTIONS[kind])
    if kind == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        # Not as an event: an engine that has listeners prepares for them at every statement.
        engine.dialect.do_begin = _begin_sqlite  # type: ignore[method-assign]  # a dialect's to say
    return engine


class CompiledStatements(dict[Any, Any]):
    """Statements in SQLite's words: compiled for one life, they serve all that follow in this process.

    SQLAlchemy's keys name a dialect, and each engine has one of its own; here any engine's will do.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        """The compiled form, if any engine has needed it."""
        return super().get(_of_any_dialect(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        """Keep it for all of them."""
        super().__setitem__(_of_any_dialect(key), compiled)


@cache
def _compiled_for_sqlite() -> CompiledStatements:
    return CompiledStatements()


def _of_any_dialect(key: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(part for part in key if not isinstance(part, Dialect))


def is_outage(error: DBAPIError) -> bool:
    """Say whether it was the database that failed, and not what was asked of it."""
    code = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return isinstance(error, OUTAGES) and code not in _CHECK_FAILED


@contextmanager
def for_reading(connection: Connection) -> Iterator[Connection]:
    """Let everything that is read be of one moment."""
    if connection.dialect.name != "sqlite":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
    info = connection.info
    info[READING] = True
    try:
        yield connection
    finally:
        info.pop(READING, None)  # gone already where the connection broke


def locked(connection: Connection, query: QueryT) -> QueryT:
    """Keep the rows that are found as they are until the transaction ends, if it is one that writes.

    The query is a constant, its values are parameters: each has one form that locks, for the life of the process.
    """
    return query if READING in connection.info else _locking(query)


@cache
def _locking(query: QueryT) -> QueryT:
    return query.with_for_update()


def terms_of(connection: Connection) -> Terms:
    """On which terms this connection writes."""
    terms = connection.get_execution_options()[TERMS]
    assert isinstance(terms, Terms)
    return terms


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Acknowledged is durable: NORMAL may lose the last commits when the power fails."""
    connection.isolation_level = (
        None  # else Python begins a transaction at the first write: what was read before is not in it
    )
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(dbapi_connection: PoolProxiedConnection) -> None:
    """Whoever writes takes the lock before reading, so that a check and what rests on it are one."""
    with closing(dbapi_connection.cursor()) as cursor:
        cursor.execute("BEGIN" if READING in dbapi_connection.info else "BEGIN IMMEDIATE")
