"""Doors to CSI drivers: `csi+unix:///csi.sock` for one that somebody runs, `csi+cmd:COMMAND` for one that we start.

The command finds in CSI_ENDPOINT where it shall listen. Where the array is, both are told with each call, as secrets.
"""

import random
import shutil
import tempfile
from pathlib import Path
from typing import Any, cast

from snapproof.driver import DriverUnderTest
from snapproof.drivers.contract import DriverDiedError, message_of
from snapproof.drivers.outside import CommandDriver, Ending, MachineClock, told
from snapproof.drivers.process import START_S, Life
from snapproof.site import Site

SOCKET_NAME = "csi.sock"
POLL_S = 0.05
CURE = "CSI needs gRPC and protocol buffers: pip install 'snapproof[csi]'."


class CsiDriver:
    """A controller that somebody else started. It can be asked, not killed."""

    killable = False

    def __init__(self, uri: str) -> None:
        self._path = uri.partition("://")[2]
        if not self._path.startswith("/"):
            raise ValueError(f"{uri!r} names no socket; write csi+unix:///run/csi.sock.")
        _require_extra()

    def __call__(self, site: Site) -> DriverUnderTest:
        """Connect. Whether anybody listens is known at the first call."""
        return _bridged(self._path, site, explain=lambda complaint: DriverDiedError(str(complaint)))

    def kill(self) -> None:
        """Refuse."""
        raise RuntimeError(f"{self._path} was opened by somebody else, who alone can kill it.")


class CsiCommand(CommandDriver):
    """A controller that is started by a command, once per life."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        _require_extra()

    def __call__(self, site: Site) -> DriverUnderTest:
        """Start a process, wait until it listens, and connect. Raises DriverDiedError."""
        path = Path(tempfile.mkdtemp(prefix="snapproof-csi-"), SOCKET_NAME)  # the path of a socket must be short
        environment = self._given | told(message_of(site)) | {"CSI_ENDPOINT": f"unix://{path}"}
        life = self._life = Life(self._command, environment=environment, folder=site.state_directory)
        try:
            _wait_for(path, life)
            return cast("DriverUnderTest", Listening(_bridged(str(path), site, explain=life.explain), life, path))
        except BaseException:
            life.close()
            shutil.rmtree(path.parent, ignore_errors=True)
            raise


class Listening(Ending):
    """A driver whose process and socket end with it."""

    def __init__(self, driver: DriverUnderTest, life: Life, path: Path) -> None:
        super().__init__(driver, life)
        self._path = path

    def close(self) -> None:
        """End connection, process and socket."""
        self._driver.close()
        super().close()
        shutil.rmtree(self._path.parent, ignore_errors=True)


def _wait_for(path: Path, life: Life) -> None:
    clock = MachineClock()
    ends_s = clock.time() + START_S
    while not path.exists():
        if clock.time() > ends_s or not life.lives():
            raise DriverDiedError(life.about(f"did not listen at {SOCKET_NAME}"))
        clock.sleep(POLL_S)


def _bridged(path: str, site: Site, *, explain: Any) -> DriverUnderTest:
    # Here, because neither need be installed: whoever lacks it is told the cure.
    from snapproof.drivers.csi.bridge import Bridge
    from snapproof.drivers.csi.calls import Calls

    clock = MachineClock()
    calls = Calls(path, clock=clock, dice=random.Random(f"pauses of {site.seed}"), explain=explain)
    return cast("DriverUnderTest", Bridge(calls, message_of(site), clock))


def _require_extra() -> None:
    try:
        import google.protobuf  # noqa: F401  only whether they are there
        import grpc  # noqa: F401  the same
    except ModuleNotFoundError as error:
        raise ValueError(CURE) from error
