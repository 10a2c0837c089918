"""Strategies: which schedules follow from a case that has been run, as small generators; one table by name.

Each new schedule is the old one and one more fault, at a call that really happened after the last: in the act, in the
recovery, in the sweep behind it. So labels are stable, short schedules come first, and nothing is planned ahead.
Some strategies remember what they have seen; `fresh` begins one with an empty memory.
"""

import random
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from snapproof.campaign.applicability import ACT_KINDS, LEFT_FOR_LATER, UNTOLD, kinds_for
from snapproof.campaign.hunting import hunt
from snapproof.campaign.pooling import everywhere
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule

Extend: TypeAlias = Callable[[Case], Iterator[Schedule]]

CRASH = "crash_before"
"""The death after a call leaves what the death before the next call finds."""
SWARM_FIRSTS, SWARM_FAULTS_MAX, SWARM_GOES_ON = 200, 6, 0.75
LEAVING_TRACES = ("damaged", "refused:REBOOT")
"""Faults that change contents, which no state shows: what they leave is never taken for what others leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """How to begin one, and whether it looks at the durable state before every call, with a guest that keeps still.

    Nothing follows from a case with `faults_max` faults; None if only the strategy itself can tell. What is drawn
    `by_lot` is drawn anew for each store.
    """

    fresh: Callable[[int], Extend]
    states: bool = False
    faults_max: int | None = None
    by_lot: bool = False

    def leads_on(self, schedule: Schedule) -> bool:
        """Say whether further faults may follow."""
        return self.faults_max is None or len(schedule.faults) < self.faults_max


def one_fault_more(case: Case) -> Iterator[Schedule]:
    """Give the schedules with one more fault, behind the last."""
    for crossing in case.after_last_fault():
        for kind in kinds_for(crossing.label):
            yield case.schedule.meeting(crossing.label, kind)


def up_to(most: int, one_more: Extend = one_fault_more) -> Extend:
    """Give all schedules of so many faults, or of whatever else is added one by one."""

    def extend(case: Case) -> Iterator[Schedule]:
        if len(case.schedule.faults) < most:
            yield from one_more(case)

    return extend


def guided(most: int) -> Extend:
    """Give schedules of so many faults, where the last fault left a state and calls thereafter that no other did."""
    tried = Tried()

    def extend(case: Case) -> Iterator[Schedule]:
        ahead, faults = case.after_last_fault(), len(case.schedule.faults)
        if faults >= most or not ahead:
            return
        key = (ahead[0].state, tuple(crossing.label.partition("#")[0] for crossing in ahead), _traces(case.schedule))
        if tried.is_new(key, case.schedule, faults):
            yield from one_fault_more(case)

    return extend


def closure(others_max: int) -> Extend:
    """Give the graph of durable states: deaths at any points, any number of them, and so many other faults.

    A death at a state in which another death was tried, behind no more other faults, leads nowhere new. What no
    death wipes out may matter to other faults, so those are left out only where, besides, the same calls are ahead.
    """
    died, met = Tried(), Tried()

    def extend(case: Case) -> Iterator[Schedule]:
        if case.violations:
            return  # what is broken may leak without an end
        others = sum(not kind.startswith("crash_") for _, kind in case.schedule.faults)
        ahead = case.after_last_fault()
        names = tuple(crossing.label.partition("#")[0] for crossing in ahead)
        for place, crossing in enumerate(ahead):
            key = (crossing.state, _traces(case.schedule))
            if names[place] not in ACT_KINDS and died.is_new(key, case.schedule, others):
                yield case.schedule.meeting(crossing.label, CRASH)
            if others < others_max and met.is_new((key, names[place:]), case.schedule, others):
                for kind in kinds_for(crossing.label):
                    if not kind.startswith("crash_"):
                        yield case.schedule.meeting(crossing.label, kind)

    return extend


class Tried:
    """What was tried already, and behind how many faults."""

    def __init__(self) -> None:
        self._seen: set[Hashable] = set()

    def is_new(self, key: Hashable, schedule: Schedule, behind: int) -> bool:
        """Note it, unless it was tried behind no more faults, none of which had it judged more mildly."""
        mild = [any(kind in kinds for _, kind in schedule.faults) for kinds in (UNTOLD, LEFT_FOR_LATER)]
        as_strict = product(range(behind + 1), *((False, each) for each in mild))
        if any((key, before) in self._seen for before in as_strict):
            return False
        self._seen.add((key, (behind, *mild)))
        return True


def drawn(firsts: int, *, most: int, goes_on: float, one_more: Extend = one_fault_more) -> Extend:
    """Draw so many first ones, and let a share go on to another, and another; drawn from the schedule itself."""

    def extend(case: Case) -> Iterator[Schedule]:
        dice = random.Random(str(case.schedule))
        ahead = list(one_more(case))
        if not case.schedule.faults:
            yield from dice.sample(ahead, min(firsts, len(ahead)))
        elif ahead and len(case.schedule.faults) < most and dice.random() < goes_on:
            yield dice.choice(ahead)

    return extend


def _traces(schedule: Schedule) -> tuple[tuple[str, str], ...]:
    return tuple(fault for fault in schedule.faults if fault[1].startswith(LEAVING_TRACES))


STRATEGIES: Mapping[str, Strategy] = {
    "singles": Strategy(fresh=lambda _: up_to(1), faults_max=1),
    "everywhere": Strategy(fresh=lambda _: everywhere, faults_max=0),
    "pairs": Strategy(fresh=lambda _: up_to(2), faults_max=2),
    "triples": Strategy(fresh=lambda _: guided(3), states=True, faults_max=3),
    "closure": Strategy(fresh=closure, states=True),
    "hunt": Strategy(fresh=lambda _: hunt(3)),
    "swarm": Strategy(
        fresh=lambda _: drawn(SWARM_FIRSTS, most=SWARM_FAULTS_MAX, goes_on=SWARM_GOES_ON),
        faults_max=SWARM_FAULTS_MAX,
        by_lot=True,
    ),
}
"""Strategies by name. `fresh` is given how many other faults a closure allows beside deaths."""
