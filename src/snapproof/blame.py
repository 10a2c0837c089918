"""Whose fault an exception is: the driver's, the lab's, or our own.

A step that asserts, or a driver that fails, is a FAIL; an error in our own steps, fixtures or simulators never is.
"""

from collections.abc import Iterator
from types import TracebackType

import pytest

from snapproof.driver import DriverError
from snapproof.drivers.contract import (
    BeyondLimitError,
    BrokenContractError,
    DriverDiedError,
    DriverFailedError,
    DriverSilentError,
)
from snapproof.lab import NotTestableError
from snapproof.selection import CapabilityMissingError
from snapproof.verdict import State

OURS = (
    "snapproof.steps",
    "snapproof.fixtures",
    "snapproof.campaign",
    "snapproof.simulators",
    "snapproof.drivers",
    "pytest_bdd",
)


class ScenarioTimeoutError(BaseException):
    """A scenario took longer than a run allows. Not an Exception, so that no driver's `except` swallows it."""


STATE_OF_ERROR: tuple[tuple[type[BaseException], State], ...] = (
    (CapabilityMissingError, State.NOT_SUPPORTED),
    (BeyondLimitError, State.NOT_SUPPORTED),
    (NotTestableError, State.NOT_TESTABLE),
    (pytest.skip.Exception, State.NOT_RUN),
    (ScenarioTimeoutError, State.TIMEOUT),
    (DriverDiedError, State.DRIVER_CRASH),
    (pytest.fail.Exception, State.FAIL),
    (AssertionError, State.FAIL),
    (DriverError, State.FAIL),
    (BrokenContractError, State.FAIL),
    (DriverFailedError, State.FAIL),
    (DriverSilentError, State.TIMEOUT),
)
"""The first line that fits. Whatever fits none is blamed by where it was raised."""


def state_of(error: BaseException, *, driver_package: str) -> State:
    """Say what an exception that ended a scenario means for the driver whose code is in `driver_package`."""
    for kind, state in STATE_OF_ERROR:
        if isinstance(error, kind):
            return state
    return State.FAIL if _raised_by(error, driver_package) else State.HARNESS_ERROR


def _raised_by(error: BaseException, driver_package: str) -> bool:
    """Walk outwards from where it was raised: whoever is met first, the driver or we, is to blame."""
    for module in _modules(error.__traceback__):
        if _within(module, driver_package):
            return True
        if any(_within(module, package) for package in OURS):
            return False
    return False


def _modules(traceback: TracebackType | None) -> list[str]:
    return [*_outermost_first(traceback)][::-1]


def _outermost_first(traceback: TracebackType | None) -> Iterator[str]:
    while traceback:
        yield str(traceback.tb_frame.f_globals.get("__name__", ""))
        traceback = traceback.tb_next


def _within(module: str, package: str) -> bool:
    return bool(package) and (module == package or module.startswith(f"{package}."))
