"""Hunting: the schedules of one to three faults in the order in which mistakes are likely to show, until one does.

Nothing is left out for good; what is likely comes first: one kind at every call at once, then one call after another,
what changes something before what only reads, each call once before any twice, all kinds of fault mixed; behind a fault
the same once more, then the calls that happen because of it, each with the plain kinds first.
"""

import random
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from snapproof.campaign.applicability import FAULT_KINDS, FINAL, READING, kinds_for
from snapproof.campaign.pooling import everywhere
from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule

TELLING = FINAL | {"lost_after", "crash_after"}
"""What a driver must take back, look for, or take up again; damage tells as much."""
Histories: TypeAlias = dict[int, deque[Iterator[Schedule]]]
"""What may follow from cases that were run, by how many faults it has."""
FIRST_LOOKS = 12
"""How many pools are tried before one call after another."""
TURNS = (1, 1, 2, 1, 2, 3)
"""How many faults the schedules have that are run in turn."""


class Hunt:
    """What is yet to be run, by number of faults. Called with a case that was run, it gives what comes next."""

    def __init__(self, faults_max: int) -> None:
        self._faults_max = faults_max
        self._new: Histories = {many: deque() for many in range(1, faults_max + 1)}
        self._alike: Histories = {many: deque() for many in range(1, faults_max + 1)}
        self._pools: Iterator[Schedule] = iter(())
        self._usual: frozenset[str] = frozenset()
        self._seen: set[Hashable] = set()
        self._turn = 0
        self._over = False

    def __call__(self, case: Case) -> Iterator[Schedule]:
        """Take the case in, and give the next one; nothing any more once something broke."""
        if self._over or (case.violations and case.schedule.faults):
            self._over = True
            return
        self._take_in(case)
        if schedule := next(self._pools, None) or self._next():
            yield schedule

    def _take_in(self, case: Case) -> None:
        many = len(case.schedule.faults) + 1
        if many > self._faults_max or case.schedule.if_met:
            return
        labels = [crossing.label for crossing in case.after_last_fault()]
        if many == 1:
            self._usual = frozenset(labels)
            self._pools = islice(everywhere(case), FIRST_LOOKS)
            self._new[1].append(_meeting(case.schedule, _mixed(labels, kinds_for)))
            return
        key = (many, case.ending, tuple(label.partition("#")[0] for label in labels))
        histories = self._alike if key in self._seen else self._new
        self._seen.add(key)
        unusual = [label for label in labels if label not in self._usual]
        usual = [label for label in labels if label in self._usual]
        first = (*_again(case, labels), *_mixed(unusual, _plain_kinds), *_mixed(usual, _plain_kinds))
        histories[many].append(_meeting(case.schedule, _without_repeating(first, labels)))

    def _next(self) -> Schedule | None:
        """Take turns between numbers of faults, and among histories with as many; those that went like others wait."""
        for histories in (self._new, self._alike):
            for _ in range(len(TURNS)):
                many = min(TURNS[self._turn % len(TURNS)], self._faults_max)
                self._turn += 1
                if schedule := _first_of(histories[many]):
                    return schedule
        return None


def hunt(faults_max: int) -> Callable[[Case], Iterator[Schedule]]:
    """Give schedules of up to so many faults, one after another, until something breaks."""
    return Hunt(faults_max)


def _first_of(histories: deque[Iterator[Schedule]]) -> Schedule | None:
    while histories:
        history = histories.popleft()
        schedule = next(history, None)
        if schedule is not None:
            histories.append(history)
            return schedule
    return None


def _meeting(schedule: Schedule, cells: Iterable[tuple[str, str]]) -> Iterator[Schedule]:
    return (schedule.meeting(call, kind) for call, kind in cells)


def _without_repeating(first: Sequence[tuple[str, str]], labels: Sequence[str]) -> Iterator[tuple[str, str]]:
    """These, then whatever else the calls can meet; that is worked out only if anybody gets so far."""
    cells = dict.fromkeys(first)
    yield from cells
    yield from (cell for cell in _mixed(labels, kinds_for) if cell not in cells)


def _again(case: Case, labels: Sequence[str]) -> Sequence[tuple[str, str]]:
    """The same once more: the next life dies too, as early as it can, or the call that was repeated fails again."""
    call, kind = case.schedule.faults[-1]
    if kind.startswith("crash_"):
        return [(label, "crash_before") for label in labels if "crash_before" in kinds_for(label)]
    repeated = next((label for label in labels if label.partition("#")[0] == call.partition("#")[0]), None)
    return [(repeated, each) for each in _plain_kinds(repeated)] if repeated else []


def _plain_kinds(label: str) -> tuple[str, ...]:
    """Kinds that tell most behind another fault: what else there is differs in its name, or has been the first."""
    kinds = kinds_for(label)
    return tuple(kind for kind in kinds if kind in FAULT_KINDS) or kinds


def _mixed(labels: Sequence[str], kinds: Callable[[str], Sequence[str]]) -> Sequence[tuple[str, str]]:
    """Every label with every kind, in rounds: each label once in a round, with another kind than its neighbour."""
    dice = random.Random(" ".join(labels))
    order = dice.sample(labels, len(labels))
    cells = [
        ((*_dullness(label), turn), (label, kind))
        for place, label in enumerate(order)
        for turn, kind in enumerate(_turned(kinds(label), place))
    ]
    return [cell for _, cell in sorted(cells, key=lambda each: each[0])]


def _turned(kinds: Sequence[str], by: int) -> Sequence[str]:
    """The kinds that tell most first, and of both halves another one first for each neighbour."""
    telling = [kind for kind in kinds if kind in TELLING or kind.startswith("damaged:")]
    other = [kind for kind in kinds if kind not in telling]
    return [half[(by + at) % len(half)] for half in (telling, other) for at in range(len(half))]


def _dullness(label: str) -> tuple[bool, bool]:
    """What is repeated, or only reads, can wait."""
    name, _, occurrence = label.partition("#")
    return bool(READING.match(name)), int(occurrence) > 1
