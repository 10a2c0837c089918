"""Drivers in containers: by the Engine API everywhere, and in a real engine where one answers or can be started."""

import contextlib
import json
import os
import platform
import re
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import docker
import pytest
import responses
from requests import PreparedRequest

from snapproof.driver import DriverKilledError, OutsideFactory
from snapproof.drivers.container import HOST, OWNER
from snapproof.drivers.contract import DriverDiedError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import simulated_lab
from snapproof.naming import UnknownDriverError, load_driver
from snapproof.site import Site

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "drivers"
IMAGE = "snapproof-example:1"
ADDRESS = "tcp://127.0.0.1:2375"
Reply = tuple[int, dict[str, str], str | bytes]


class Engine:
    """The Engine API, as much of it as a driver in a container needs: containers are processes of one command."""

    def __init__(self, mocked: responses.RequestsMock, folder: Path, command: Sequence[str]) -> None:
        self.command, self.folder = command, folder
        self.created: list[dict[str, Any]] = []
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.left: dict[str, dict[str, str]] = {}
        self.removed: list[str] = []
        for method in ("GET", "POST", "DELETE"):
            mocked.add_callback(method, re.compile(r"http://127\.0\.0\.1:2375/.*"), callback=self.answer)

    def answer(self, request: PreparedRequest) -> Reply:
        """Answer one call."""
        assert request.url is not None
        path = re.sub(r"^http://[^/]+(/v[0-9.]+)?", "", request.url).partition("?")[0]
        verb = f"{request.method} {path}"
        if verb == "GET /version":
            return said({"ApiVersion": "1.41", "MinAPIVersion": "1.24"})
        if verb == "GET /_ping":
            return 200, {}, "OK"
        if path.startswith("/images/"):
            return said({"Id": "sha256:1"}) if "absent" not in path else said({"message": "no such image"}, 404)
        if verb == "GET /containers/json":
            return said([{"Id": name} for name in [*self.left, *self.processes]])
        if verb == "POST /containers/create":
            assert isinstance(request.body, str)
            self.created.append(json.loads(request.body))
            return said({"Id": f"c{len(self.created)}", "Warnings": []}, 201)
        _, _, name, *rest = path.split("/")
        return self.of_container(name, f"{request.method} {'/'.join(rest)}".strip())

    def of_container(self, name: str, verb: str) -> Reply:
        """Answer one call about a container."""
        if verb == "GET json":
            return said(self.shown(name))
        if verb == "GET logs":
            text = self.log(name).read_bytes()
            return 200, {}, struct.pack(">BxxxL", 1, len(text)) + text
        if verb == "POST start":
            with self.log(name).open("wb") as log:
                self.processes[name] = self.started(log)
        elif verb == "DELETE":
            self.removed.append(name)
        else:  # kill and stop
            self.processes[name].kill()
            self.processes[name].wait()
        return 204, {}, ""

    def shown(self, name: str) -> object:
        """Describe a container."""
        process = self.processes.get(name)
        code = None if process is None else process.poll()
        status = "exited" if code is not None or name in self.left else "running" if process else "created"
        config = {"Labels": self.left.get(name, {}), "Tty": False}
        return {"Id": name, "Config": config, "State": {"Status": status, "ExitCode": code}}

    def started(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        """Run the container's command."""
        return subprocess.Popen(self.command, stdout=log, stderr=log)

    def log(self, name: str) -> Path:
        """Where a container's words are kept."""
        return self.folder / f"{name}.log"


def said(answer: object, status: int = 200) -> Reply:
    """An answer in JSON."""
    return status, {"content-type": "application/json"}, json.dumps(answer)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine whose containers are the example driver in Python."""
    monkeypatch.setenv("DOCKER_HOST", ADDRESS)
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        engine = Engine(mocked, tmp_path, [sys.executable, str(EXAMPLES / "python" / "driver.py")])
        yield engine
        for process in engine.processes.values():
            process.kill()
            process.wait()


def test_a_container_is_a_life_and_is_removed_after_it(engine: Engine, site: Site) -> None:
    assert isinstance(load_driver(f"docker://{IMAGE}"), OutsideFactory)
    factory: Any = load_driver(f"docker://{IMAGE}")
    factory.equip({"POOL": "gold"})
    first = factory(site)
    assert first.describe().name == "example-python"
    assert '{"ready": ' in (site.state_directory / "driver.log").read_text()
    (made,) = engine.created
    state, export = str(site.state_directory), str(site.export_path)
    assert made["HostConfig"]["NetworkMode"] == "host"
    assert made["HostConfig"]["Binds"] == [f"{state}:{state}:rw", f"{export}:{export}:rw"]
    assert {"POOL=gold", f"SNAPPROOF_STATE_DIR={state}"} <= set(made["Env"])
    assert not any(site.array.password.reveal() in each for each in made["Env"])
    assert made["Labels"] == {OWNER: str(os.getpid()), HOST: platform.node()}
    factory.kill()
    with pytest.raises(DriverKilledError):
        first.list_volumes()
    first.close()
    second = factory(site)
    assert second.list_volumes() == []
    second.close()
    assert engine.removed == ["c1", "c2"]


def test_a_container_that_ends_too_early_is_quoted_and_removed(engine: Engine, site: Site) -> None:
    engine.command = [sys.executable, "-c", "raise SystemExit('no licence')"]
    with pytest.raises(DriverDiedError, match=r"ended before it was ready .exit code 1.[^$]*no licence"):
        load_driver(f"docker://{IMAGE}")(site)
    assert engine.removed == ["c1"]


def test_only_what_dead_processes_of_this_machine_left_is_removed(engine: Engine) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    engine.left = {
        "orphan": {OWNER: str(dead.pid), HOST: platform.node()},
        "neighbour": {OWNER: str(os.getpid()), HOST: platform.node()},
    }
    load_driver(f"docker://{IMAGE}")
    assert engine.removed == ["orphan"]


@pytest.mark.usefixtures("engine")
def test_what_cannot_be_started_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownDriverError, match="names no image"):
        load_driver("docker://")
    with pytest.raises(UnknownDriverError, match="has no image absent:1; pull or build it first"):
        load_driver("docker://absent:1")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(UnknownDriverError, match="No container engine answers"):
        load_driver(f"docker://{IMAGE}")


def answers(address: str) -> bool:
    """Say whether an engine listens there; a socket that nobody listens at would be left open by the SDK."""
    if not address.startswith("unix://"):
        return True
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(address.removeprefix("unix://")) == 0


@pytest.fixture
def real_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[docker.DockerClient]:
    """The engine of this machine, or a private one that touches neither its links nor its rules."""
    if answers(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")):
        with contextlib.closing(docker.from_env()) as engine:
            yield engine
        return
    if shutil.which("dockerd") is None or os.getuid() != 0:
        pytest.skip("No container engine answers, and no private one can be started: dockerd and root are needed.")
    folder = Path("/tmp") / f"snapproof-engine-{os.getpid()}"  # noqa: S108  a socket's path must be short
    folder.mkdir()
    (folder / "daemon.json").write_text("{}")
    places = {
        "--host": f"unix://{folder}/docker.sock",
        "--data-root": f"{folder}/data",
        "--exec-root": f"{folder}/exec",
    }
    quiet = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false"]
    words = ["dockerd", "--config-file", f"{folder}/daemon.json", "--pidfile", f"{folder}/pid", *quiet]
    words += [word for place in places.items() for word in place]
    with (folder / "log").open("wb") as log:
        daemon = subprocess.Popen([*words, "--exec-opt=native.cgroupdriver=cgroupfs"], stdout=log, stderr=log)
    monkeypatch.setenv("DOCKER_HOST", places["--host"])
    try:
        for _ in range(200):
            if answers(places["--host"]):
                with contextlib.closing(docker.from_env()) as engine:
                    yield engine
                break
            threading.Event().wait(0.05)
        else:
            pytest.skip(f"The private engine did not come up: {(folder / 'log').read_text()[-300:]}")
    finally:
        daemon.terminate()
        daemon.wait()
        subprocess.run(["umount", f"{folder}/exec/netns/default"], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.docker
def test_a_real_container_reaches_the_simulators_and_leaves_nothing(
    real_engine: docker.DockerClient, tmp_path: Path
) -> None:
    if shutil.which("go") is None:
        pytest.skip("The image of the test is the Go example alone, and go is not on the PATH.")
    context = tmp_path / "image"
    context.mkdir()
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(tmp_path / "go")}
    build = ["go", "build", "-o", str(context / "driver"), str(EXAMPLES / "go" / "driver.go")]
    subprocess.run(build, env=environment, check=True)
    (context / "Dockerfile").write_text('FROM scratch\nCOPY driver /driver\nENTRYPOINT ["/driver"]\n')
    real_engine.images.build(path=str(context), tag=IMAGE)
    factory = load_driver(f"docker://{IMAGE}")
    assert isinstance(factory, OutsideFactory)
    with simulated_lab(factory, store="nfs", seed=4, directory=tmp_path) as lab:
        caller = Caller(lab)
        snapshot = caller.take("nightly", caller.create("volume").result().id).result()
        lab.watch_calls()
        lab.arm("array.CreateSnapshot#1", "crash_after")
        assert caller.take("weekly", snapshot.volume).crashed
        lab.restart_driver()
        assert snapshot.id in [row.id for row in lab.driver.list_snapshots()]
        assert len(real_engine.containers.list(filters={"label": OWNER})) == 1
    assert real_engine.containers.list(all=True, filters={"label": OWNER}) == []
    real_engine.images.remove(IMAGE)
