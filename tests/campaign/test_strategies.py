"""Strategies over a small machine of this file: what is enumerated, what is pruned, and that pruning loses nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

import pytest

from snapproof.campaign.applicability import kinds_for
from snapproof.campaign.exploring import WHOLE, Outlook, Shard, explore, require_clean
from snapproof.campaign.hunting import hunt
from snapproof.campaign.invariants import Violation
from snapproof.campaign.pooling import everywhere
from snapproof.campaign.results import restored, resuming, told
from snapproof.campaign.running import Case, NotCleanError
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import (
    STRATEGIES,
    SWARM_FAULTS_MAX,
    SWARM_FIRSTS,
    Extend,
    closure,
    guided,
    one_fault_more,
    up_to,
)
from snapproof.lab import Crossing

BARE = Schedule(workflow="toy", store="nfs", seed=0, still=True)
STEPS = ("array.CreateSnapshot", "catalog.commit", "array.CloneVolume")

Bug = Callable[[Sequence[int], int], bool]
"""Whether a machine breaks that has died at these steps and met so many other faults."""


def no_bug(_deaths: Sequence[int], _others: int) -> bool:
    return False


class Toy:
    """A driver of three steps. A life that begins goes on behind the last commit; other faults are simply repeated."""

    def __init__(self, bug: Bug = no_bug) -> None:
        self.ran: list[Schedule] = []
        self._bug = bug

    def __call__(self, schedule: Schedule) -> Case:
        self.ran.append(schedule)
        armed = dict(schedule.faults)
        counts, crossings = Counter[str](), list[Crossing]()
        deaths, others, done, at = list[int](), 0, 0, 0
        while at < len(STEPS):
            counts[STEPS[at]] += 1
            label = f"{STEPS[at]}#{counts[STEPS[at]]}"
            crossings.append(Crossing(label, f"{done} {at} {self._remembered(deaths, others)}"))
            fault = armed.pop(label, "")
            if fault.startswith("crash_"):
                deaths.append(at)
                at = done
            elif fault:
                others += 1
            else:
                at += 1
                done = at if STEPS[at - 1] == "catalog.commit" else done
        assert not armed, f"{schedule} was enumerated, and {armed} never happened."
        broken = (Violation("toy", "It broke."),) if self._bug(deaths, others) else ()
        labels = tuple(crossing.label for crossing in crossings)
        return Case(
            schedule=schedule,
            ending="succeeded",
            violations=broken,
            calls=labels,
            acts=(),
            crossings=tuple(crossings),
            digest="",
        )

    def _remembered(self, deaths: Sequence[int], others: int) -> Sequence[int]:
        """What a broken machine knows of its faults is durable, and finite: two are as good as many."""
        return () if self._bug is no_bug else [min(2, n) for n in (others, *map(deaths.count, range(len(STEPS))))]


def found(toy: Toy, name: str, *, others: int = 1, shard: Shard = WHOLE) -> list[Case]:
    extend = STRATEGIES[name].fresh(others)
    return list(explore(toy(BARE), extend, lambda schedules: map(toy, schedules), shard))


def test_singles_are_every_call_times_every_kind_that_it_can_meet() -> None:
    cells = [case.schedule.faults for case in found(Toy(), "singles")]
    assert cells == [((label.label, kind),) for label in Toy()(BARE).crossings for kind in kinds_for(label.label)]


def test_a_second_fault_strikes_wherever_the_first_has_led() -> None:
    cases = found(Toy(), "pairs")
    pairs = [case for case in cases if len(case.schedule.faults) == 2]
    assert {len(case.schedule.faults) for case in cases} == {1, 2}
    repeated = ("array.CloneVolume#1", "crash_after"), ("array.CloneVolume#2", "lost_after")
    assert repeated in [case.schedule.faults for case in pairs]  # a call that happens in the recovery alone
    assert len({case.schedule for case in cases}) == len(cases)


@pytest.mark.parametrize("name", ["singles", "pairs", "swarm"])
def test_shards_share_the_cases_out_without_overlap(name: str) -> None:
    whole = [case.schedule for case in found(Toy(), name)]
    shares = [case.schedule for index in range(3) for case in found(Toy(), name, shard=Shard(index, 3))]
    assert sorted(map(str, shares)) == sorted(map(str, whole))


@pytest.mark.parametrize("name", ["singles", "pairs", "triples", "closure", "hunt", "swarm"])
def test_an_exploration_that_was_interrupted_goes_on_where_it_was(name: str) -> None:
    strategy, whole = STRATEGIES[name], found(Toy(), name)
    leads_on = strategy.leads_on
    told_first = [told(case, leads_on=leads_on(case.schedule)) for case in whole[: len(whole) // 2]]
    known = {each.case: each for each in told_first}
    toy = Toy()
    run_all = resuming(lambda schedules: map(toy, schedules), known, leads_on)
    resumed = list(explore(Toy()(BARE), strategy.fresh(1), run_all))
    assert [case.schedule for case in resumed] == [case.schedule for case in whole]
    assert {str(schedule) for schedule in toy.ran} == {str(case.schedule) for case in whole} - known.keys()


def test_what_was_told_without_what_is_ahead_is_run_again_where_more_follows() -> None:
    known = {each.case: each for each in map(told, found(Toy(), "singles"))}
    toy = Toy()
    run_all = resuming(lambda schedules: map(toy, schedules), known, STRATEGIES["pairs"].leads_on)
    list(explore(Toy()(BARE), STRATEGIES["pairs"].fresh(1), run_all))
    assert {str(schedule) for schedule in toy.ran} >= known.keys()


def test_what_broke_is_told_as_it_was_when_it_is_resumed() -> None:
    broken = Toy(lambda deaths, _: bool(deaths))(BARE.meeting("array.CreateSnapshot#1", "crash_before"))
    back = restored(broken.schedule, told(broken, leads_on=True))
    assert back.violations == broken.violations
    assert back.after_last_fault() == broken.after_last_fault()


def test_an_outlook_knows_how_many_cases_are_to_come() -> None:
    outlook, expected = Outlook(), list[int]()
    toy = Toy()
    for _ in explore(toy(BARE), up_to(2), lambda schedules: map(toy, schedules), outlook=outlook):
        expected.append(outlook.expected)
    firsts = len(found(Toy(), "singles"))
    assert expected[firsts - 1 :] == [len(expected)] * (len(expected) - firsts + 1)
    assert all(len(expected) / 4 < guess < len(expected) * 4 for guess in expected[:firsts])


def brute_force(toy: Toy, deaths_max: int, others_max: int) -> Iterator[Case]:
    """Every schedule of so many deaths and so many other faults, in any order."""
    wave = [toy(BARE)]
    while wave:
        yield from wave
        wave = [
            toy(case.schedule.meeting(crossing.label, kind))
            for case in wave
            for crossing in case.after_last_fault()
            for kind in ("crash_before", "refused")
            if sum(k == kind for _, k in case.schedule.faults) < (deaths_max if kind == "crash_before" else others_max)
        ]


BUGS: dict[str, tuple[Bug, int]] = {
    "one death": (lambda deaths, _: 2 in deaths, 0),
    "two deaths at one step": (lambda deaths, _: deaths.count(2) == 2, 0),
    "three deaths": (lambda deaths, _: {*deaths} == {0, 1, 2}, 0),
    "a death behind a fault": (lambda deaths, others: others == 1 and 2 in deaths, 1),
    "two faults and a death": (lambda deaths, others: others == 2 and 0 in deaths, 2),
    "none": (no_bug, 1),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_closure_finds_what_brute_force_finds(bug: str) -> None:
    breaks, others = BUGS[bug]
    brute = [case for case in brute_force(Toy(breaks), 3, min(others, 1)) if case.violations]
    closed = [case for case in found(Toy(breaks), "closure", others=others) if case.violations]
    assert bool(closed) == (bug != "none")
    if others < 2:
        assert bool(brute) == bool(closed)
    if brute:
        assert len(closed[0].schedule.faults) == min(len(case.schedule.faults) for case in brute)


@pytest.mark.parametrize("bug", BUGS)
def test_a_hunt_finds_the_same_and_ends_there(bug: str) -> None:
    cases = found(Toy(BUGS[bug][0]), "hunt")
    assert [bool(case.violations) for case in cases[:-1]] == [False] * (len(cases) - 1)
    assert bool(cases[-1].violations) == (bug != "none")


def test_a_hunt_that_finds_nothing_has_met_every_triple_of_faults_and_nothing_twice() -> None:
    cases = [case.schedule for case in found(Toy(), "hunt")]
    assert len(set(cases)) == len(cases)
    toy = Toy()
    triples = explore(toy(BARE), up_to(3), lambda schedules: map(toy, schedules))
    assert {schedule for schedule in cases if not schedule.if_met} == {case.schedule for case in triples}


def test_a_pool_is_one_kind_at_every_call_that_can_meet_it() -> None:
    clean = Toy()(BARE)
    pools = list(everywhere(clean))
    assert all(pool.if_met for pool in pools)
    assert list(everywhere(replace(clean, schedule=pools[0]))) == []
    singles = {fault for schedule in one_fault_more(clean) for fault in schedule.faults if fault[0].endswith("#1")}
    whole: dict[str, tuple[tuple[str, str], ...]] = {}
    for pool in pools:
        ((kind,),) = [{kind for _, kind in pool.faults}]
        assert set(pool.faults) <= set(whole.setdefault(kind, pool.faults))
    assert {fault for faults in whole.values() for fault in faults} == singles
    halves = [pool.faults for pool in pools if len(pool.faults) < len(whole[pool.faults[0][1]])]
    assert sorted(fault for half in halves for fault in half) == sorted(
        fault for faults in whole.values() if len(faults) > 1 for fault in faults
    )


def test_a_hunt_begins_with_calls_that_change_something() -> None:
    labels = ("array.ListVolumes#1", "array.CreateSnapshot#2", "array.CreateSnapshot#1", "host.task.get_status#1")
    clean = replace(Toy()(BARE), crossings=tuple(map(Crossing, labels)))
    extend = hunt(1)
    alone = [schedule for schedule in _one_after_another(extend, clean) if not schedule.if_met]
    order = [schedule.faults[0][0] for schedule in alone]
    assert [*dict.fromkeys(order)][:2] == ["array.CreateSnapshot#1", "array.CreateSnapshot#2"]


def _one_after_another(extend: Extend, clean: Case) -> Iterator[Schedule]:
    following = list(extend(clean))
    while following:
        yield from following
        following = [more for schedule in following for more in extend(replace(clean, schedule=schedule))]


def test_a_closure_ends_by_itself_and_dies_once_in_a_state() -> None:
    toy = Toy()
    cases = found(toy, "closure", others=0)
    states = {crossing.state for case in (toy(BARE), *cases) for crossing in case.crossings}
    assert len(cases) == len(states)
    assert {kind for case in cases for _, kind in case.schedule.faults} == {"crash_before"}


def test_a_closure_with_another_fault_reaches_every_state_that_brute_force_reaches() -> None:
    def remembering() -> Toy:
        return Toy(lambda _deaths, _others: False)  # its deaths are durable, and it never breaks

    brute = list(brute_force(remembering(), 3, 1))
    closed = found(remembering(), "closure", others=1)
    states = [{crossing.state for case in cases for crossing in case.crossings} for cases in (brute, closed)]
    assert states[0] <= states[1]
    assert len({case.schedule for case in closed}) == len(closed)


def test_what_is_broken_leads_nowhere() -> None:
    toy = Toy(lambda deaths, _: bool(deaths))
    assert {len(case.schedule.faults) for case in found(toy, "closure", others=0)} == {1}


def test_damage_is_never_taken_for_its_absence() -> None:
    extend = closure(1)
    case = Toy()(BARE)
    first = list(extend(case))
    assert not [kind for s in extend(case) for _, kind in s.faults if kind == "crash_before"]
    hurt = replace(case, schedule=replace(BARE, faults=(("s3.PutObject#1", "damaged:stored-cut"),)))
    hurt = replace(hurt, crossings=(Crossing("s3.PutObject#1"), *case.crossings))
    deaths = [s for s in extend(hurt) if s.faults[-1][1] == "crash_before"]
    assert len(deaths) == len([s for s in first if s.faults[-1][1] == "crash_before"])


def test_guided_schedules_are_fewer_and_reach_the_same_states() -> None:
    def reached(extend_name: str) -> set[str]:
        toy = Toy()
        extend = guided(2) if extend_name == "guided" else up_to(2)
        cases = explore(toy(BARE), extend, lambda schedules: map(toy, schedules))
        return {crossing.state for case in cases for crossing in case.after_last_fault()}

    toy = Toy()
    assert len(list(explore(toy(BARE), guided(2), lambda s: map(toy, s)))) < len(found(Toy(), "pairs"))
    assert reached("guided") == reached("all")


def test_a_swarm_is_drawn_from_the_schedules_themselves() -> None:
    first, second = ([case.schedule for case in found(Toy(), "swarm")] for _ in range(2))
    assert first == second
    assert len(first) == len(set(first))
    assert max(len(schedule.faults) for schedule in first) in range(3, SWARM_FAULTS_MAX + 1)
    assert len([s for s in first if len(s.faults) == 1]) == min(SWARM_FIRSTS, len(list(one_fault_more(Toy()(BARE)))))


def test_a_workflow_that_fails_by_itself_is_not_explored() -> None:
    toy = Toy(lambda _deaths, _others: True)
    with pytest.raises(NotCleanError, match="fails without any fault: toy: It broke"):
        require_clean(toy(BARE))


def test_nothing_is_run_before_it_is_asked_for() -> None:
    toy = Toy()
    list(islice(explore(toy(BARE), up_to(3), lambda schedules: map(toy, schedules)), 7))
    assert len(toy.ran) == 8
