"""Environments that hold one client each, a process that tells a client's story, and the clusters that it meets.

What a client does is in its story; what is right is in its test. Nothing here knows either.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from snapproof.fixtures.world import World
from snapproof.simulators.certificates import Certificate, certificate
from snapproof.simulators.clock import WallClock
from snapproof.simulators.serving import Server, Wire, serve
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.outgoing import Sockets

HERE = Path(__file__).parent
INSTALL_S, PART_S = 600, 120
ADDRESSES = ("127.0.0.1", "127.0.0.2")
"""Where two clusters are found: Cinder refuses a pair of clusters that share an address."""
BUILT = "built"
"""The file that says that an environment is whole; one without it was given up half-way."""


class NotInstallableError(Exception):
    """The packages of a client could not be installed; the message says which and why."""


def surroundings() -> dict[str, str]:
    """Give the environment variables of a client: no proxy, no foreign authorities, nothing of our own Python."""
    ours = ("PYTHON", "VIRTUAL_ENV", "COVERAGE", "COV_CORE", "PYTEST")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(ours) and not name.endswith(("_CA_BUNDLE", "_proxy", "_PROXY"))
    }
    return {**kept, "PYTHONWARNINGS": "ignore"}


def run(*command: str) -> None:
    """Run one command of an installation, its own Python settings untouched."""
    environment = {**os.environ, "UV_COMPILE_BYTECODE": "0"}
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S, env=environment)


def install(folder: Path, requirements: Path) -> None:
    """Make an environment and fill it, with uv where there is one. Raises NotInstallableError."""
    python = str(folder / "bin" / "python")
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    making, filling = (
        ((uv, "venv", "-q", "--python", sys.executable), (uv, "pip", "install", "-q", "--python", python))
        if uv
        else ((sys.executable, "-m", "venv"), (python, "-m", "pip", "install", "-q", "--retries", "1"))
    )
    try:
        run(*making, str(folder))
        run(*filling, "-r", str(requirements))
    except subprocess.CalledProcessError as failed:
        raise NotInstallableError(f"{requirements.name} cannot be installed: {failed.stderr[-1000:]}") from failed
    except subprocess.TimeoutExpired as late:
        raise NotInstallableError(f"{requirements.name} was not installed within {INSTALL_S} s.") from late
    (folder / BUILT).touch()


def environment_of(client: str, shelf: Path) -> Path:
    """Find or build the environment of a client; one at a time on this machine, and once for a set of packages."""
    requirements = HERE / "requirements" / f"{client}.txt"
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = shelf / f"{client}-{key}"
    shelf.mkdir(parents=True, exist_ok=True)
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / BUILT).exists():
            shutil.rmtree(folder, ignore_errors=True)
            install(folder, requirements)
    return folder / "bin"


@pytest.fixture(scope="session")
def programs_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the folder with the programs of a client: python, and what its packages brought.

    The environments stay in the folder that SNAPPROOF_CLIENTS names, or under pytest's cache.
    """
    named = os.environ.get("SNAPPROOF_CLIENTS")
    cached = getattr(request.config, "cache", None)  # pytest may run without its cache
    shelf = Path(named) if named else cached.mkdir("clients") if cached else tmp_path_factory.mktemp("clients")

    @cache
    def attempt(client: str) -> Path | NotInstallableError:
        try:
            return environment_of(client, shelf)
        except NotInstallableError as error:
            return error

    def programs(client: str) -> Path:
        found = attempt(client)
        if isinstance(found, Path):
            return found
        if os.environ.get("CI") == "true":
            pytest.fail(str(found))
        pytest.skip(str(found))

    return programs


@pytest.fixture(scope="session")
def client_environment() -> dict[str, str]:
    """Gives the environment variables that a client is to run with."""
    return surroundings()


class Teller:
    """A process of a client's own Python that tells the parts of one story as it is asked for them."""

    def __init__(self, python: Path, story: Path, errors: Any) -> None:
        self._errors = errors
        self._process = subprocess.Popen(
            [str(python), str(HERE / "teller.py"), str(story)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=surroundings(),
        )
        self._answer()

    def __call__(self, part: str, **arguments: Any) -> Any:
        """Tell one part; whatever the client died of fails the test."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"part": part, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        answer = self._answer()
        if "failed" in answer:
            pytest.fail(f"The client failed:\n{answer['failed']}", pytrace=False)
        return answer["told"]

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        alarm = threading.Timer(PART_S, self._process.kill)
        alarm.start()
        line = self._process.stdout.readline()
        alarm.cancel()
        if not line:
            self._errors.seek(0)
            pytest.fail(f"The client ended or took more than {PART_S} s:\n{self._errors.read()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()


@pytest.fixture(scope="session")
def teller_of(programs_of: Callable[[str], Path]) -> Iterator[Callable[[str, str], Teller]]:
    """Gives the teller of a client's story; starting a client takes seconds, so all tests share it."""
    with contextlib.ExitStack() as running:

        @cache
        def start(client: str, story: str) -> Teller:
            errors = running.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
            return running.enter_context(Teller(programs_of(client) / "python", HERE / story, errors))

        yield start


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A served world: clusters at the addresses above, and what was there before the client came."""

    world: World
    servers: tuple[Server, ...]
    before: tuple[frozenset[str], ...]

    def doors(self) -> list[dict[str, Any]]:
        """Tell a client where the clusters are, as JSON."""
        logins = self.world.secrets.clusters
        return [
            {"host": server.host, "port": server.port, "username": login.username, "password": login.password}
            for server, login in zip(self.servers, logins, strict=True)
        ]

    @property
    def array(self) -> Array:
        """The first cluster."""
        return self.world.arrays[0]

    def left(self, cluster: int = 0) -> list[str]:
        """Name what the array holds beyond what it held at first; nothing of that may be gone."""
        now = self.world.arrays[cluster].inventory()
        assert self.before[cluster] <= set(now)
        return [line for line in now if line not in self.before[cluster]]

    def asked(self) -> list[str]:
        """Name the calls that reached the clusters, in order."""
        return [label.removeprefix("array.").partition("#")[0] for label in self.world.seam.labels()]


@pytest.fixture(scope="session")
def issued() -> Certificate:
    """One certificate for all clusters of a run."""
    return certificate(*ADDRESSES)


@pytest.fixture
def site_of(tmp_path: Path, issued: Certificate) -> Iterator[Callable[..., Site]]:
    """Serves a world with a cluster at each address, in real time, because that is how the clients wait."""
    (tmp_path / "export").mkdir()
    with contextlib.ExitStack() as made:

        def serve_world(
            *, addresses: Sequence[str] = ADDRESSES[:1], port: int = 0, node_port: int | None = None
        ) -> Site:
            world = made.enter_context(
                World.build(
                    seed=5,
                    clock=WallClock(),
                    directory=tmp_path / "export",
                    clusters=len(addresses),
                    hosts=1,
                    addresses=addresses,
                    beyond=Sockets(),
                )
            )
            wires = world.wires()

            def served(wire: Wire, address: str, port: int) -> Server:
                return made.enter_context(serve(wire, host=address, port=port, tls=issued.context))

            servers = tuple(map(served, wires.clusters, addresses, repeat(port)))
            for array, server, wire in zip(world.arrays, servers, wires.clusters, strict=True):
                array.bulk_url = f"{server.url}/"
                world.internet.put(urlsplit(server.url).netloc, wire)
            if node_port is not None:
                for wire, address in zip(wires.nodes, addresses, strict=True):
                    served(wire, address, node_port)
            before = tuple(frozenset(array.inventory()) for array in world.arrays)
            return Site(world=world, servers=servers, before=before)

        yield serve_world


@pytest.fixture
def site(site_of: Callable[..., Site]) -> Site:
    """One cluster, served."""
    return site_of()
