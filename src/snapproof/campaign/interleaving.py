"""Strategies that hold somebody up: interleavings of callers who act at once, and a driver that was taken for dead.

Each preemption is one more word of the schedule, at a call that really happened after the last. Where nobody is held
up, the one who works goes on until he waits or is over.
"""

import random
from collections.abc import Iterator, Mapping, Sequence

from snapproof.campaign.applicability import ACT_KINDS
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import STRATEGIES, Extend, Strategy
from snapproof.campaign.together import TOGETHER
from snapproof.campaign.turning import OVERTAKEN, TURN
from snapproof.campaign.workflows import WORKFLOWS, Workflow
from snapproof.lab import Crossing

DRAWN, DRAWN_TURNS_MAX, DRAWN_GOES_ON = 100, 8, 0.85


def interleavings(most: int) -> Extend:
    """Give all schedules of so many preemptions."""

    def extend(case: Case) -> Iterator[Schedule]:
        if len(case.schedule.faults) < most:
            yield from _one_more(case)

    return extend


def drawn(count: int) -> Extend:
    """Draw so many first preemptions, and let most of them go on to another, and another."""

    def extend(case: Case) -> Iterator[Schedule]:
        dice = random.Random(str(case.schedule))
        ahead = list(_one_more(case))
        if not case.schedule.faults:
            yield from dice.sample(ahead, min(count, len(ahead)))
        elif ahead and len(case.schedule.faults) < DRAWN_TURNS_MAX and dice.random() < DRAWN_GOES_ON:
            yield dice.choice(ahead)

    return extend


def overtaken(case: Case) -> Iterator[Schedule]:
    """Take the driver for dead behind every call that it makes."""
    if not case.schedule.faults:
        for crossing in case.crossings:
            if crossing.label.partition("#")[0] not in ACT_KINDS:
                yield case.schedule.meeting(crossing.label, OVERTAKEN)


def _one_more(case: Case) -> Iterator[Schedule]:
    for chance in _ahead(case):
        for other in chance.others:
            yield case.schedule.meeting(chance.label, f"{TURN}:{other}")


def _ahead(case: Case) -> Sequence[Crossing]:
    """What came after the last preemption; nothing if it never came to that."""
    if not case.schedule.faults:
        return case.chances
    labels = [chance.label for chance in case.chances]
    last, _ = case.schedule.faults[-1]
    return case.chances[labels.index(last) + 1 :] if last in labels else ()


OF_SEVERAL: Mapping[str, Strategy] = {
    "turns": Strategy(fresh=lambda _: interleavings(1), faults_max=1),
    "interleavings": Strategy(fresh=lambda _: interleavings(2), faults_max=2),
    "shuffles": Strategy(fresh=lambda _: drawn(DRAWN), faults_max=DRAWN_TURNS_MAX),
}
"""Strategies that have nothing to say of a workflow with one caller."""

EVERY_STRATEGY: Mapping[str, Strategy] = {
    **STRATEGIES,
    "overtaken": Strategy(fresh=lambda _: overtaken, faults_max=1),
    **OF_SEVERAL,
}
EVERY_WORKFLOW: Mapping[str, Workflow] = {**WORKFLOWS, **TOGETHER}


def usual_workflows(strategy: str) -> Sequence[str]:
    """On which workflows a strategy is tried where nobody says on which."""
    return tuple(TOGETHER if strategy in OF_SEVERAL else WORKFLOWS)
