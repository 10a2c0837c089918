"""A management server in a simulated world whose jobs a test carries out itself, and signed questions to it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapproof.accounts import Account
from snapproof.fixtures.asking import Asker
from snapproof.fixtures.management import Management
from snapproof.fixtures.world import World
from snapproof.simulators.clock import VirtualClock
from snapproof.vocabulary import AccountId


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world whose clock the test moves."""
    folder = tmp_path / "export"
    folder.mkdir()
    with World.build(seed=5, clock=VirtualClock(), directory=folder) as built:
        yield built


@pytest.fixture
def management(world: World, tmp_path: Path) -> Iterator[Management]:
    """A server whose jobs wait until the test carries them out."""
    folder = tmp_path / "state"
    folder.mkdir()
    running = Management(world, seed=5, state_directory=folder, working=False)
    yield running
    running.close()


@pytest.fixture
def asker_of(management: Management) -> Callable[..., Asker]:
    """Gives a user of an account, made for it: of the root without a name."""

    def given(name: str = "", **about: Any) -> Asker:
        if not name:
            return Asker(management, management.key)
        return Asker(management, management.add(Account(name=AccountId(name), **about)))

    return given


@pytest.fixture
def root(asker_of: Callable[..., Asker]) -> Asker:
    """The administrator of everything."""
    return asker_of()


@pytest.fixture
def poll() -> Callable[[Callable[[], bool]], None]:
    """Waits until something is so, in real time, and not for ever."""

    def until(so: Callable[[], bool]) -> None:
        pause = threading.Event()
        for _ in range(1000):
            if so():
                return
            pause.wait(0.02)
        pytest.fail("It was not so within 20 s.")

    return until
