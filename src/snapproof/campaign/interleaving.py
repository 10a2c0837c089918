"""Strategies that hold somebody up: interleavings of callers who act at once, and a driver that was taken for dead.

Each preemption is one more word of the schedule, at a call that really happened after the last. Where nobody is held
up, the one who works goes on until he waits or is over.
"""

from collections.abc import Iterator, Mapping, Sequence

from snapproof.campaign.applicability import ACT_KINDS
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import STRATEGIES, Extend, Strategy, drawn, up_to
from snapproof.campaign.together import TOGETHER
from snapproof.campaign.turning import OVERTAKEN, TURN
from snapproof.campaign.workflows import WORKFLOWS

SHUFFLE_FIRSTS, SHUFFLE_TURNS_MAX, SHUFFLE_GOES_ON = 100, 8, 0.85


def one_turn_more(case: Case) -> Iterator[Schedule]:
    """Give the schedules with one more preemption, behind the last."""
    for chance in case.chances_ahead():
        for other in chance.others:
            yield case.schedule.meeting(chance.label, f"{TURN}:{other}")


def interleavings(most: int) -> Extend:
    """Give all schedules of so many preemptions."""
    return up_to(most, one_turn_more)


def overtaken(case: Case) -> Iterator[Schedule]:
    """Take the driver for dead behind every call that it makes."""
    if not case.schedule.faults:
        for crossing in case.crossings:
            if crossing.label.partition("#")[0] not in ACT_KINDS:
                yield case.schedule.meeting(crossing.label, OVERTAKEN)


OF_SEVERAL: Mapping[str, Strategy] = {
    "turns": Strategy(fresh=lambda _: interleavings(1), faults_max=1),
    "interleavings": Strategy(fresh=lambda _: interleavings(2), faults_max=2),
    "shuffles": Strategy(
        fresh=lambda _: drawn(SHUFFLE_FIRSTS, most=SHUFFLE_TURNS_MAX, goes_on=SHUFFLE_GOES_ON, one_more=one_turn_more),
        faults_max=SHUFFLE_TURNS_MAX,
        by_lot=True,
    ),
}
"""Strategies that have nothing to say of a workflow with one caller."""

EVERY_STRATEGY: Mapping[str, Strategy] = {
    **STRATEGIES,
    "overtaken": Strategy(fresh=lambda _: overtaken, faults_max=1),
    **OF_SEVERAL,
}
NIGHTLY = ("pairs", "triples", "closure", "swarm", "overtaken", "interleavings")
"""The deep ones."""


def suited_workflows(strategy: str, named: Sequence[str] | None = None) -> Sequence[str]:
    """The workflows on which a strategy has something to try: of those that are named, or the usual ones."""
    of_several = strategy in OF_SEVERAL
    if named is None:
        return tuple(TOGETHER if of_several else WORKFLOWS)
    return tuple(workflow for workflow in named if not of_several or workflow not in WORKFLOWS)
