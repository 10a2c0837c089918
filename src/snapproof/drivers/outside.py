"""Doors to drivers by the URI that names them: `cmd:./driver --option`, `http://host:port`, `contract:MODULE:FACTORY`.

What is said to them is in remote.py, how a process is kept in process.py.
"""

import shlex
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from snapproof.driver import DriverFactory, DriverUnderTest
from snapproof.drivers.contract import DriverDiedError, DriverSilentError, SiteMessage, message_of
from snapproof.drivers.hosting import Hosting
from snapproof.drivers.process import Life
from snapproof.drivers.remote import NobodyThereError, UnansweredError, begin, over_socket, speak
from snapproof.naming import OVER_PRIMARY, full_name, load_driver
from snapproof.site import Site


class MachineClock:
    """The time that a driver outside takes is nobody's to set."""

    def time(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        threading.Event().wait(seconds)


class CommandDriver:
    """A driver that is started by a command, once per life, and says where it can be asked."""

    killable = True

    def __init__(self, uri: str) -> None:
        self._command = shlex.split(uri.partition(":")[2])
        if not self._command:
            raise ValueError(f"{uri!r} names no command; write cmd:./driver, with its options behind it.")
        self._life: Life | None = None
        self._given: dict[str, str] = {}

    def equip(self, given: Mapping[str, str]) -> None:
        """Set these variables for every life from now on."""
        self._given |= given

    def __call__(self, site: Site) -> DriverUnderTest:
        """Start a process and begin a life in it. Raises DriverDiedError."""
        message = message_of(site)
        life = self._life = Life(self._command, environment=self._given | told(message), folder=site.state_directory)
        try:
            wire = over_socket(life.wait_until_ready().ready)
            driver = begin(wire, message, clock=MachineClock(), explain=life.explain)
        except BaseException:
            life.close()
            raise
        return Ending(driver, life)

    def kill(self) -> None:
        """Kill the process of the present life and all its children."""
        if self._life is not None:
            self._life.kill()


class OverPrimary(CommandDriver):
    """`reference?primary=URI`: the reference over a driver of somebody else's, both in processes of their own."""

    def __init__(self, uri: str) -> None:
        primary = uri.removeprefix(OVER_PRIMARY)
        if ":" not in primary:
            raise ValueError(
                f"{uri!r} names no primary-storage driver; write {OVER_PRIMARY}cinder://CLASS, or another URI."
            )
        super().__init__(f"cmd:{shlex.join([sys.executable, '-P', '-m', 'snapproof', 'host', uri])}")


class UrlDriver:
    """A driver that somebody else started. It can be asked, not killed."""

    killable = False

    def __init__(self, uri: str) -> None:
        self._url = uri

    def __call__(self, site: Site) -> DriverUnderTest:
        """Begin a life. Raises DriverDiedError where nobody answers."""
        return begin(over_socket(self._url), message_of(site), clock=MachineClock(), explain=_gone_or_silent)

    def kill(self) -> None:
        """Refuse."""
        raise RuntimeError(f"{self._url} was started by somebody else and cannot be killed.")


def _gone_or_silent(complaint: UnansweredError) -> BaseException:
    """Tell as much as can be told of a process that is not ours."""
    kind = DriverDiedError if isinstance(complaint, NobodyThereError) else DriverSilentError
    return kind(str(complaint))


def spoken_to(uri: str) -> DriverFactory:
    """A driver of this process, with every message written and read as the contract says. No socket is opened."""
    factory = load_driver(full_name(uri.partition(":")[2]))

    def start(site: Site) -> DriverUnderTest:
        return speak(Hosting(_already_begun, factory(site)), clock=site.clock)

    start.__module__ = factory.__module__  # whose code it is, when somebody asks whom to blame
    return start


def _already_begun(_site: SiteMessage) -> DriverUnderTest:
    raise AssertionError("Nobody begins a life that has begun.")


class Ending:
    """A driver whose process ends when it is closed."""

    def __init__(self, driver: DriverUnderTest, life: Life) -> None:
        self._driver, self._life = driver, life

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def close(self) -> None:
        """End the process, which lives no longer than its driver."""
        self._life.close()


def told(site: SiteMessage) -> dict[str, str]:
    """What a driver may read from its environment before anybody asks it anything. No secret is there."""
    return {
        "SNAPPROOF_BACKEND_URL": site.array.url,
        "SNAPPROOF_NFS_DIR": site.export_path,
        "SNAPPROOF_STATE_DIR": site.state_directory,
        "SNAPPROOF_SEED": str(site.seed),
        **({"SNAPPROOF_S3_URL": site.bucket.service.url} if site.bucket else {}),
    }
