"""Lives that are forked: each speaks through whoever leased it, dies with that, and outlives no nursery."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from snapproof.drivers.cinder import lease

NURSERY = """
import os, sys, threading
from snapproof.drivers.cinder.nursery import fork_on_demand
def live():
    print(os.getpid(), os.environ.get("SNAPPROOF_SEED"), flush=True)
    threading.Event().wait(60)
    return 0
fork_on_demand(sys.argv[1], live)
"""
PATIENCE_S = 20.0


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A nursery that listens, and where."""
    path = str(tmp_path / "nursery")
    command = [sys.executable, "-c", NURSERY, path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        yield process, path
        process.kill()


@pytest.fixture
def leased(
    nursery: tuple["subprocess.Popen[str]", str],
) -> Iterator[Callable[..., tuple["subprocess.Popen[str]", int]]]:
    """Gives a function that leases a life; it tells the process that stands for it, and the life's own id."""
    with ExitStack() as running:

        def begin(seed: str) -> tuple["subprocess.Popen[str]", int]:
            stand_in = running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-IS", str(lease.__file__), nursery[1]],
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "SNAPPROOF_SEED": seed},
                    process_group=0,
                )
            )
            running.callback(stand_in.kill)
            assert stand_in.stdout is not None
            number, said = stand_in.stdout.readline().split()
            assert said == seed
            return stand_in, int(number)

        yield begin


def gone(number: int) -> bool:
    """Wait for the end of a process; say whether it came."""
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        os.sched_yield()
    return False


def test_a_life_speaks_through_whoever_leased_it_and_is_killed_with_its_group(
    leased: Callable[..., tuple["subprocess.Popen[str]", int]],
) -> None:
    (first, number), (second, other) = leased("7"), leased("8")
    assert os.getpgid(number) == first.pid
    os.killpg(first.pid, 9)
    assert first.wait(PATIENCE_S) == -9
    assert gone(number)
    os.kill(other, 9)
    assert second.wait(PATIENCE_S) == 1, "Whoever leased a life ends when the life does."


def test_no_life_outlives_its_nursery(
    nursery: tuple["subprocess.Popen[str]", str], leased: Callable[..., tuple["subprocess.Popen[str]", int]]
) -> None:
    stand_in, number = leased("7")
    process, _ = nursery
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(PATIENCE_S) == 0
    assert gone(number)
    assert stand_in.wait(PATIENCE_S) == 1
