"""Exploring: a strategy's schedules are run in waves, fewest faults first, from the case without any on.

Who runs a schedule, and on how many processes, is the caller's business. Shards share the first faults out by their
number, and each follows up its own: they need no coordinator, and no case with faults belongs to two of them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from snapproof.campaign.running import Case
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import Extend

RunAll: TypeAlias = Callable[[Sequence[Schedule]], Iterator[Case]]
"""Runs schedules and gives their cases in the same order."""

AT_ONCE = 256
"""How many schedules are handed out together."""


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of the first faults that one of several processes takes: whose number leaves `index` over `count`."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse a share that nobody would run."""
        if not 0 <= self.index < self.count:
            raise ValueError(f"Shard {self.index} of {self.count} does not exist; shards are 0 to count - 1.")


WHOLE = Shard()


def explore(clean: Case, extend: Extend, run_all: RunAll, shard: Shard = WHOLE) -> Iterator[Case]:
    """Run what follows from the case without faults, and what follows from that, until nothing does."""
    wave = list(extend(clean))[shard.index :: shard.count]
    while wave:
        following: list[Schedule] = []
        remaining = iter(wave)
        while part := list(islice(remaining, AT_ONCE)):
            for case in run_all(part):
                yield case
                following += extend(case)
        wave = following


def require_clean(case: Case) -> Case:
    """Give the case back. Raises RuntimeError if its workflow fails without any fault."""
    if case.violations or case.ending != "succeeded":
        reasons = "; ".join(map(str, case.violations)) or case.ending
        raise RuntimeError(f"{case.schedule} fails without any fault: {reasons}")
    return case
