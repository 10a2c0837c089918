"""npm's xen-api of Xen Orchestra, unmodified: it follows events, makes calls and tasks, and finds the master by itself.

What the client does is in xen_api_story.mjs; it needs node and npm, and says so where they are absent.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapproof.fixtures.world import World
from snapproof.simulators.clock import WallClock
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import serve

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
REQUIREMENTS = HERE / "requirements" / "xen-api.json"
INSTALL_S, STORY_S = 300, 60
MASTER, SLAVE = "127.0.0.1", "127.0.0.2"
UUID = "0c0ffee0-0000-4000-8000-000000000001"
SAW = {
    "hosts": ["pool-1-host-1", "pool-1-host-2"],
    "master": "pool-1-host-1",
    "sameRef": True,
    "renamed": True,
    "otherConfig": {"key": "value"},
    "introduced": True,
    "refused": ["HANDLE_INVALID", ["VM", "OpaqueRef:nobody"]],
    "failedTask": "SR_HAS_NO_PBDS",
}


def install(folder: Path) -> None:
    """Let npm fill a folder with the client, once for a set of packages; one at a time on this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "built").exists():
            return
        shutil.copy(REQUIREMENTS, folder / "package.json")
        command = ("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder))
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S)
        (folder / "built").touch()


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the client, kept where the other clients' environments are."""
    absent = [program for program in ("node", "npm") if shutil.which(program) is None]
    if absent:
        pytest.skip(f"xen-api needs node and npm; {' and '.join(absent)} cannot be found.")
    named = os.environ.get("SNAPPROOF_CLIENTS")
    cached = getattr(request.config, "cache", None)
    shelf = Path(named) if named else cached.mkdir("clients") if cached else tmp_path_factory.mktemp("clients")
    folder = shelf / f"xen-api-{hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]}"
    try:
        install(folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        said = f"xen-api cannot be installed: {str(failed.stderr)[-1000:]}"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said)
    return folder


@pytest.fixture
def tell(packages: Path, client_environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Serves a pool of two hosts and lets the client tell its story, beginning at the door of one of them."""
    (tmp_path / "export").mkdir()
    with contextlib.ExitStack() as made:
        clock, addresses = WallClock(), (MASTER, SLAVE)
        world = made.enter_context(
            World.build(seed=5, clock=clock, directory=tmp_path / "export", hosts=2, host_addresses=addresses)
        )
        doors = world.wires().hosts
        master = made.enter_context(serve(doors[0], host=MASTER, blocking=True))
        try:
            made.enter_context(serve(doors[1], host=SLAVE, port=master.port, blocking=True))
        except CannotServeError as error:
            pytest.skip(f"The slave cannot have its master's port: {error}")
        login = world.secrets.pool

        def told(transport: str, address: str = MASTER) -> Any:
            story = str(HERE / "xen_api_story.mjs")
            url = f"http://{address}:{master.port}"
            arguments = (str(packages), url, login.username, login.password, transport, UUID)
            done = subprocess.run(
                ["node", story, *arguments],
                env=client_environment, capture_output=True, text=True, timeout=STORY_S, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield told


@pytest.mark.parametrize(("transport", "number"), [("json-rpc", "number"), ("auto", "number"), ("xml-rpc", "string")])
def test_the_client_follows_what_it_does_by_events(tell: Callable[..., Any], transport: str, number: str) -> None:
    saw = tell(transport)
    assert saw.pop("version") == number, "whole numbers are text in XML-RPC only"
    assert int(saw.pop("capacity")) == -1
    assert saw == SAW


def test_the_client_finds_the_master_when_it_comes_to_a_slave(tell: Callable[..., Any]) -> None:
    assert tell("json-rpc", SLAVE)["master"] == SAW["master"]
