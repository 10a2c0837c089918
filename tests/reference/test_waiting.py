"""Waiting under a watch: asked at once and after each wait, of one thread only, and no longer than it was set."""

import threading

import pytest

from snapproof.reference_impl.waiting import WatchedClock
from snapproof.simulators.clock import VirtualClock


class EnoughError(Exception):
    """The watch has had enough."""


def stop() -> None:
    raise EnoughError


def test_a_watch_is_asked_at_once_and_after_each_wait_and_never_again() -> None:
    clock, asked = WatchedClock(VirtualClock()), list[float]()
    began = clock.time()
    with clock.watched(lambda: asked.append(clock.time() - began)):
        clock.sleep(5)
        clock.sleep(2)
    clock.sleep(1)
    assert asked == [0, 5, 7]


def test_what_a_watch_raises_ends_the_wait_and_the_watch() -> None:
    clock = WatchedClock(VirtualClock())
    with pytest.raises(EnoughError), clock.watched(stop):
        raise AssertionError("The watch is asked before anything is done.")
    clock.sleep(1)


def test_another_thread_is_not_stopped() -> None:
    clock, slept = WatchedClock(VirtualClock()), list[bool]()

    def sleep() -> None:
        clock.sleep(1)
        slept.append(True)

    asked = list[str]()

    def stop_the_second_time() -> None:
        asked.append("asked")
        if len(asked) > 1:
            stop()

    with clock.watched(stop_the_second_time):
        other = threading.Thread(target=sleep)
        other.start()
        other.join()
    assert slept == [True]
