"""Who may begin when: whatever comes and goes in whatever order, no lane is overfull, and nobody is overtaken in it."""

import random
from collections.abc import Mapping
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.fixtures.shared_clock import SharedClock
from snapproof.reference_impl.admitting import LOOK_AGAIN_S, Admission
from snapproof.reference_impl.core.admission import Lane, Limits, Ticket, lanes_of, may_enter
from snapproof.reference_impl.core.effects import CloneToLun, CopyOut, ResignDisk
from snapproof.reference_impl.ports import Owner

LANES = [Lane(kind="clones of a volume", of=name) for name in "abc"]
LIMITS = Limits(clones_per_volume=2, clones_per_node=3, copies_per_host=None)
OWNER = Owner(job="job", subject="snapshot")


def clone_of(lun_id: int) -> CloneToLun:
    return CloneToLun(lun_id=lun_id, snapshot_id=1, account="blue", name="clone", owner=OWNER)


@given(
    wishes=st.lists(st.dictionaries(st.sampled_from(LANES), st.integers(1, 3), max_size=3), max_size=12),
    leaving=st.randoms(use_true_random=False),
)
def test_no_lane_is_overfull_nobody_is_overtaken_and_all_come_in(
    wishes: list[Mapping[Lane, int]], leaving: random.Random
) -> None:
    waiting = [Ticket(number=number, job=str(number), lanes=lanes) for number, lanes in enumerate(wishes)]
    entered: list[Ticket] = []
    while waiting or entered:
        for ticket in list(waiting):
            ahead = [other for other in waiting if other.number < ticket.number]
            if may_enter(ticket, entered=entered, ahead=ahead):
                overtaken = [lane for other in ahead for lane in other.lanes if ticket.lanes.get(lane) == 1]
                assert not overtaken, f"{ticket} has overtaken somebody in {overtaken}."
                entered.append(ticket)
                waiting.remove(ticket)
        for lane in LANES:
            inside = [ticket.lanes[lane] for ticket in entered if lane in ticket.lanes]
            assert len(inside) <= max(inside, default=0), f"{len(inside)} are in {lane}."
        assert entered, "Nobody is inside, and nobody comes in."
        entered.pop(leaving.randrange(len(entered)))


def test_a_clone_needs_a_place_at_its_volume_and_at_its_node() -> None:
    lanes = lanes_of(clone_of(7), pool="primary-1", limits=LIMITS)
    assert sorted((lane.kind, places) for lane, places in lanes.items()) == [
        ("clones of a node", 3),
        ("clones of a volume", 2),
    ]


def test_what_is_not_limited_needs_no_place() -> None:
    assert lanes_of(ResignDisk(), pool="primary-1", limits=LIMITS) == {}
    assert lanes_of(CopyOut(staging="here"), pool="primary-1", limits=LIMITS) == {}


def test_a_copy_needs_a_place_on_the_host_where_hosts_have_limits() -> None:
    limits = Limits(clones_per_volume=2, clones_per_node=3, copies_per_host=5)
    lanes = lanes_of(CopyOut(staging="here"), pool="primary-1", limits=limits)
    assert [(lane.kind, places) for lane, places in lanes.items()] == [("copies of a host", 5)]


def test_whoever_waits_is_in_the_queue_and_comes_in_by_the_order_of_asking() -> None:
    clock = SharedClock()
    admission = Admission(clock, lambda: LIMITS)
    came: list[str] = []
    queues: list[list[str]] = []

    def work(job: str) -> None:
        with admission.admitted(job, clone_of(1), "primary-1"):
            came.append(job)
            queues.append(list(admission.queue()))
            clock.sleep(10 * LOOK_AGAIN_S)

    clock.at_once([partial(work, job) for job in ("first", "second", "third", "fourth")])
    assert came == ["first", "second", "third", "fourth"]
    assert queues[2] == ["fourth"]
    assert admission.queue() == []


def test_whoever_fails_gives_his_place_back() -> None:
    clock = SharedClock()
    admission = Admission(clock, lambda: Limits(clones_per_volume=1, clones_per_node=1, copies_per_host=1))
    for _ in range(2):
        with pytest.raises(RuntimeError), admission.admitted("job", clone_of(1), "primary-1"):
            raise RuntimeError("The clone failed.")
    assert clock.time() == SharedClock().time(), "The second had to wait for the first."
