"""The tempo of calls: in any second no more than allowed, whatever the pauses between, and nobody waits in vain."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from snapproof.reference_impl.pacing import Tempo
from snapproof.simulators.clock import VirtualClock


@given(pauses_s=st.lists(st.floats(0, 2), max_size=60), most=st.integers(1, 5))
def test_no_second_has_more_calls_than_it_may(pauses_s: list[float], most: int) -> None:
    clock = VirtualClock()
    tempo = Tempo(clock, lambda: most)
    moments = []
    for pause_s in pauses_s:
        clock.sleep(pause_s)
        tempo.beat()
        moments.append(clock.time())
    assert all(later - earlier > 0.999 for earlier, later in zip(moments, moments[most:], strict=False))


def test_whoever_calls_seldom_never_waits() -> None:
    clock = VirtualClock()
    tempo = Tempo(clock, lambda: 2)
    moments = []
    for _ in range(10):
        clock.sleep(0.6)
        tempo.beat()
        moments.append(clock.time())
    assert all(0.599 < later - earlier < 0.601 for earlier, later in pairwise(moments))


def test_a_clock_that_is_set_back_makes_nobody_wait_for_hours() -> None:
    clock = VirtualClock()
    tempo = Tempo(clock, lambda: 1)
    tempo.beat()
    clock.jump(-7_200)
    before_s = clock.time()
    tempo.beat()
    assert clock.time() - before_s <= 1
