"""A driver in a container, `docker://image`: one container for each life, by the engine of this machine.

It shares the host's network, since array, hosts and stores listen on loopback, and sees two folders under their own
paths: its state directory and the export. What is said to it is in remote.py; the docker SDK is used here alone.
"""

import atexit
import contextlib
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import docker
import msgspec
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container

from snapproof.driver import DriverKilledError, DriverUnderTest
from snapproof.drivers.contract import DriverDiedError, DriverSilentError, message_of
from snapproof.drivers.outside import MachineClock, told
from snapproof.drivers.process import END_S, LOG_NAME, START_S, Ready, last_words, spoken
from snapproof.drivers.remote import begin, over_socket
from snapproof.site import Clock, Site

OWNER, HOST = "org.snapproof.owner", "org.snapproof.host"
"""Labels of our containers: which process on which machine started it, so that what a dead one left can be told."""
POLL_S = 0.05


class ContainerDriver:
    """A driver that is an image, started once per life. Raises ValueError for one that cannot be started."""

    killable = True

    def __init__(self, uri: str) -> None:
        self._image = uri.partition("://")[2]
        if not self._image:
            raise ValueError(f"{uri!r} names no image; write docker://image, or docker://registry/image:tag.")
        with contextlib.closing(_reached(self._image)) as engine:
            remove_orphans(engine)
        self._given: dict[str, str] = {}
        self._life: ContainerLife | None = None

    def equip(self, given: Mapping[str, str]) -> None:
        """Set these variables for every life from now on."""
        self._given |= given

    def __call__(self, site: Site) -> DriverUnderTest:
        """Start a container and begin a life in it. Raises DriverDiedError."""
        message = message_of(site)
        folders = [message.state_directory, message.export_path, *(s.export_path for s in message.further_stores)]
        engine = _reached(self._image)
        try:
            container = engine.containers.run(
                self._image,
                detach=True,
                init=True,
                network_mode="host",
                user=f"{os.getuid()}:{os.getgid()}",
                environment=self._given | told(message),
                volumes={folder: {"bind": folder, "mode": "rw"} for folder in folders},
                labels={OWNER: str(os.getpid()), HOST: platform.node()},
            )
        except DockerException as error:
            engine.close()
            raise DriverDiedError(f"The image {self._image} cannot be started: {error}") from error
        clock = MachineClock()
        life = self._life = ContainerLife(engine, container, Path(message.state_directory), clock)
        try:
            wire = over_socket(life.wait_until_ready().ready)
            return cast("DriverUnderTest", LoggedDriver(begin(wire, message, clock=clock, explain=life.explain), life))
        except BaseException:
            life.close()
            raise

    def kill(self) -> None:
        """Kill the container of the present life."""
        if self._life is not None:
            self._life.kill()


class ContainerLife:
    """One container. It is removed in any case: when it is closed, or at the latest when this process ends."""

    def __init__(self, engine: docker.DockerClient, container: Container, folder: Path, clock: Clock) -> None:
        self._engine, self._container, self._clock = engine, container, clock
        self._log_path = folder / LOG_NAME
        self._killed = False
        atexit.register(self.close)

    def wait_until_ready(self, patience_s: float = START_S) -> Ready:
        """Wait for the ready line; other lines are noise. Raises DriverDiedError or its like."""
        ends_s = self._clock.time() + patience_s
        while self._clock.time() < ends_s:
            running = self._runs()
            for line in self._container.logs(stdout=True, stderr=False).splitlines():
                with contextlib.suppress(msgspec.MsgspecError):
                    return spoken(msgspec.json.decode(line, type=Ready))
            if not running:
                raise DriverDiedError(self._about("ended before it was ready"))
            self._clock.sleep(POLL_S)
        raise DriverDiedError(self._about(f"said nothing like a ready line within {patience_s:g} s"))

    def explain(self, complaint: Exception) -> BaseException:
        """Say whose fault it is that there was no answer."""
        if self._killed:
            return DriverKilledError(str(complaint))
        if not self._runs():
            return DriverDiedError(self._about("died"))
        return DriverSilentError(str(complaint))

    def keep_log(self) -> None:
        """Write down what it has said so far."""
        with contextlib.suppress(NotFound):
            self._log_path.write_bytes(self._container.logs(stdout=True, stderr=True))

    def kill(self) -> None:
        """End it at once, as the lab's faults want it."""
        self._killed = True
        with contextlib.suppress(DockerException):
            self._container.kill()

    def close(self) -> None:
        """Ask it to end, keep what it said, and remove it. Twice is fine."""
        atexit.unregister(self.close)
        with contextlib.suppress(NotFound):
            self._container.stop(timeout=int(END_S))
            self.keep_log()
            self._container.remove(force=True, v=True)
        self._engine.close()

    def _runs(self) -> bool:
        try:
            self._container.reload()
        except NotFound:
            return False
        return bool(self._container.status in {"created", "running"})

    def _about(self, why: str) -> str:
        self.keep_log()
        code = self._container.attrs.get("State", {}).get("ExitCode")
        said = last_words(self._log_path)
        return f"The container {self._container.short_id} {why} (exit code {code}). Its last words:\n{said}"


class LoggedDriver:
    """A driver whose log is kept after every verb, so that whoever looks for secrets in it finds all of it."""

    def __init__(self, driver: DriverUnderTest, life: ContainerLife) -> None:
        self._driver, self._life = driver, life

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb: Callable[..., Any] = getattr(self._driver, name)

        def ask(*positional: Any, **named: Any) -> Any:
            try:
                return verb(*positional, **named)
            finally:
                self._life.keep_log()

        return ask

    def close(self) -> None:
        """End the container, which lives no longer than its driver."""
        self._life.close()


def remove_orphans(engine: docker.DockerClient) -> None:
    """Remove what processes of this machine left that were killed before they could."""
    for container in engine.containers.list(all=True, filters={"label": [OWNER, f"{HOST}={platform.node()}"]}):
        if not _alive(int(container.labels[OWNER])):
            with contextlib.suppress(DockerException):
                container.remove(force=True, v=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _reached(image: str) -> docker.DockerClient:
    try:
        engine = docker.from_env()
        engine.ping()
    except DockerException as error:
        raise ValueError(f"No container engine answers (DOCKER_HOST, else /var/run/docker.sock): {error}") from error
    try:
        engine.images.get(image)
    except ImageNotFound as error:
        raise ValueError(f"The engine has no image {image}; pull or build it first, so that you know which.") from error
    return engine
