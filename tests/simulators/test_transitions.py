"""How long a transition takes, in three words, and that they can be changed while it runs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.fixtures.world import World
from snapproof.simulators.clock import IMMEDIATE, Transition, VirtualClock, transition_named
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.state import Change


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_transition_reads_back_what_it_says(seconds: int, polls: int) -> None:
    transition = Transition(seconds=seconds, polls=polls)
    assert transition_named(str(transition)) == transition


def test_the_three_words() -> None:
    assert transition_named("immediate") == IMMEDIATE
    assert transition_named("timed 2.5") == Transition(seconds=2.5)
    assert transition_named("polled 3") == Transition(polls=3)


@given(st.text(max_size=20))
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    if text.strip().split(" ")[0] in {"immediate", "timed", "polled"}:
        return
    with pytest.raises(ValueError, match=r"write immediate, timed SECONDS or polled TIMES\."):
        transition_named(text)


@pytest.mark.parametrize("text", ["", "timed", "polled -1", "timed 5 s", "immediate polled 2", "timed nan"])
def test_what_looks_like_one_and_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no time of a transition"):
        transition_named(text)


def test_a_clone_under_way_takes_as_long_as_is_said_now(tmp_path: Path) -> None:
    with World.build(seed=1, clock=VirtualClock(), directory=tmp_path) as world:
        array = world.arrays[0]
        account = call(array, "AddAccount", username="a")["accountID"]
        call(array, "CreateVolume", name="v", accountID=account, totalSize=10**9, enable512e=True)
        array.transitions[Change.CLONE] = Transition(seconds=100)
        handle = call(array, "CloneVolume", volumeID=1, name="c")["asyncHandle"]
        assert call(array, "GetAsyncResult", asyncHandle=handle)["status"] == "running"
        array.transitions[Change.CLONE] = Transition(polls=3)
        seen = [call(array, "GetAsyncResult", asyncHandle=handle, keepResult=True)["status"] for _ in range(3)]
        assert seen == ["running", "running", "complete"], "asked three times in all"
        assert array.clone_time == Transition(polls=3)
