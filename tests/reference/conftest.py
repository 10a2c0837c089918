"""The reference implementation in a simulated lab, callers who ask it, and databases to keep its catalog in.

A database server of a test run is its own: in a temporary directory, on a socket that nobody else can reach. A machine
without the programs skips with the reason; none of them is needed for SQLite.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from snapproof.campaign.together import bare
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver

START_S = 60.0
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  where it exists, an fsync costs nothing
_ACCOUNT = "snapproof"


@pytest.fixture
def open_caller() -> Iterator[Callable[..., Caller]]:
    """Open a lab with backups on `nfs` or in `s3` and what else a workflow has, and give somebody in it."""
    with ExitStack() as opened:

        def opened_on(store: str, workflow: str = "take-secondary") -> Caller:
            schedule = bare(workflow, store, seed=3)
            return Caller(opened.enter_context(lab_opener(ReferenceDriver)(schedule)))

        yield opened_on


@pytest.fixture
def caller(open_caller: Callable[[str], Caller]) -> Caller:
    """Somebody whose backups go to the export."""
    return open_caller("nfs")


@pytest.fixture(params=["nfs", "s3"])
def any_caller(request: pytest.FixtureRequest, open_caller: Callable[[str], Caller]) -> Caller:
    """Somebody on either store."""
    return open_caller(str(request.param))


def _program(name: str, *places: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(places))
    if found is None:
        pytest.skip(f"{name} is not installed, so no server of its kind is tried.")
    return found


def _postgresql_places() -> Sequence[str]:
    return [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def _user() -> str | None:
    """PostgreSQL refuses to be root: then somebody without any right starts it."""
    return None if os.getuid() else "nobody"


@contextmanager
def postgresql(directory: Path) -> Iterator[str]:
    """Start PostgreSQL; give the URL of its maintenance database."""
    pytest.importorskip("psycopg", reason="psycopg is not installed, so no PostgreSQL is tried.")
    initdb = _program("initdb", *_postgresql_places())
    server = _program("postgres", *_postgresql_places())
    files = directory / "files"
    files.mkdir()
    if user := _user():
        owner = pwd.getpwnam(user)
        for path in (directory, files):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    asked = ["-U", _ACCOUNT, "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D", str(files)]
    subprocess.run([initdb, *asked], check=True, capture_output=True, cwd=directory, user=_user())
    alone = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={directory}", "-c", "fsync=off"]
    command = [server, "-D", str(files), *alone]
    url = f"postgresql+psycopg://{_ACCOUNT}@/postgres?host={directory}"
    with _served(command, directory / ".s.PGSQL.5432", url, user=_user()):
        yield url


@contextmanager
def mariadb(directory: Path) -> Iterator[str]:
    """Start MariaDB; give the URL of its own database."""
    pytest.importorskip("pymysql", reason="PyMySQL is not installed, so no MariaDB is tried.")
    install = _program("mariadb-install-db")
    _program("my_print_defaults")  # a package of its own, which the former calls
    server = _program("mariadbd", "/usr/sbin", "/usr/local/sbin")
    files, path = directory / "files", directory / "socket"
    asked = ["--no-defaults", f"--datadir={files}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    root = [] if os.getuid() else ["--user=root"]
    subprocess.run([install, *asked, *root], check=True, capture_output=True, cwd=directory)
    alone = ["--skip-networking", f"--socket={path}", f"--pid-file={directory / 'pid'}"]
    quick = ["--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M", "--skip-log-bin"]
    command = [server, "--no-defaults", f"--datadir={files}", *alone, *quick, *root]
    with _served(command, path, f"mysql+pymysql://root@/mysql?unix_socket={path}") as url:
        yield url


@contextmanager
def _served(command: Sequence[str], socket_path: Path, url: str, *, user: str | None = None) -> Iterator[str]:
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=socket_path.parent, user=user
    ) as running:
        try:
            _wait(running, lambda: _answers(socket_path, url))
            yield url
        finally:
            running.kill()
            running.communicate()


def _wait(running: "subprocess.Popen[str]", answers: Callable[[], bool]) -> None:
    started = time.monotonic()
    while not answers():
        if running.poll() is not None:
            raise AssertionError(f"The server ended: {running.communicate()[1][-2000:]}")
        if time.monotonic() - started > START_S:
            raise AssertionError(f"The server did not answer within {START_S} s.")
        time.sleep(0.05)  # noqa: TID251  a real server starts in its own time


def _answers(socket_path: Path, url: str) -> bool:
    """PyMySQL leaves a socket open when nobody answers, so somebody else knocks first."""
    with socket.socket(socket.AF_UNIX) as knocking:
        if knocking.connect_ex(str(socket_path)):
            return False
    engine = create_engine(url)
    try:
        with engine.connect():
            return True
    except OperationalError:
        return False
    finally:
        engine.dispose()


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {"postgresql": postgresql, "mariadb": mariadb}
"""How each kind is started: given an empty directory, it gives the URL of a database that is there already."""


@contextmanager
def fresh_database(server_url: str, name: str) -> Iterator[str]:
    """An empty database of its own on a server; nothing of it stays."""
    engine = create_engine(server_url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
        try:
            yield engine.url.set(database=name).render_as_string(hide_password=False)
        finally:
            force = " WITH (FORCE)" if engine.dialect.name == "postgresql" else ""
            connection.execute(text(f"DROP DATABASE {name}{force}"))
    engine.dispose()


class Servers:
    """The database servers of this run, each started when the first test asks for it."""

    def __init__(self, directory: Callable[[str], Path]) -> None:
        self._directory = directory
        self._opened = ExitStack()
        self._urls: dict[str, str] = {}
        self._names = 0

    def url(self, kind: str) -> str:
        """The URL of a server's own database. Skips where there is no such server."""
        if kind not in self._urls:
            self._urls[kind] = self._opened.enter_context(SERVERS[kind](self._directory(kind)))
        return self._urls[kind]

    @contextmanager
    def database(self, kind: str, directory: Path) -> Iterator[str]:
        """An empty database of this kind; SQLite's is a file in the directory."""
        if kind == "sqlite":
            yield f"sqlite:///{directory / 'catalog.sqlite'}"
            return
        self._names += 1
        with fresh_database(self.url(kind), f"catalog_{self._names}") as url:
            yield url

    def close(self) -> None:
        """Stop them all."""
        self._opened.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Every server that a test of this run asks for. Sockets have short paths only, so not pytest's own directories."""
    with ExitStack() as directories:

        def directory(kind: str) -> Path:
            path = Path(directories.enter_context(tempfile.TemporaryDirectory(prefix=f"{kind}-", dir=MEMORY)))
            path.chmod(0o755)
            return path

        running = Servers(directory)
        directories.callback(running.close)
        yield running


@pytest.fixture(params=["sqlite", *(pytest.param(kind, marks=pytest.mark.real) for kind in SERVERS)])
def database(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of each kind that the catalog can be kept in."""
    with servers.database(str(request.param), tmp_path) as url:
        yield url
