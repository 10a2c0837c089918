"""Exploring: a strategy's schedules are run in waves, fewest faults first, from the case without any on.

Who runs a schedule, and on how many processes, is the caller's business. Shards share the first faults out by their
number, and each follows up its own: they need no coordinator, and no case with faults belongs to two of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from snapproof.campaign.running import Case, NotCleanError
from snapproof.campaign.schedule import Schedule
from snapproof.campaign.strategies import Extend

RunAll: TypeAlias = Callable[[Sequence[Schedule]], Iterator[Case]]
"""Runs schedules and gives their cases in the same order. Raises WorkerDiedError where no case can be had."""


class WorkerDiedError(Exception):
    """A process that ran cases is gone, and nobody else can run them; the message says which they were."""

    def __init__(self, schedules: Iterable[Schedule]) -> None:
        tried = "".join(f"\n  snapproof replay '{schedule}'" for schedule in schedules)
        super().__init__(
            "A process died that ran cases: killed, out of memory, or ended by the driver. "
            f"Replay what it may have been in, with the same --driver:{tried}"
        )


REFUSED = ("ConflictError", "NotFoundError")
"""What a caller may be told who comes upon the work of another."""

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


@dataclass(slots=True)
class Outlook:
    """How far an exploration is, and how many cases are to come as far as anybody can know.

    What follows from the rest of a wave is taken to be as much, case for case, as followed from its beginning.
    """

    done: int = 0
    in_wave: int = 0
    done_in_wave: int = 0
    following: int = 0

    @property
    def expected(self) -> int:
        """How many cases it will have been."""
        share = self.in_wave / self.done_in_wave if self.done_in_wave else 1.0
        return self.done + self.in_wave - self.done_in_wave + round(self.following * share)

    def begin_wave(self, cases: int) -> None:
        """So many are to be run next."""
        self.in_wave, self.done_in_wave, self.following = cases, 0, 0

    def count(self, following: int) -> None:
        """One was run, and so many follow from it."""
        self.done += 1
        self.done_in_wave += 1
        self.following += following


def explore(
    clean: Case, extend: Extend, run_all: RunAll, shard: Shard = WHOLE, outlook: Outlook | None = None
) -> Iterator[Case]:
    """Run what follows from the case without faults, and what follows from that, until nothing does."""
    outlook = outlook or Outlook()
    wave = list(extend(clean))[shard.index :: shard.count]
    while wave:
        outlook.begin_wave(len(wave))
        following: list[Schedule] = []
        remaining = iter(wave)
        while part := list(islice(remaining, AT_ONCE)):
            for case in run_all(part):
                more = list(extend(case))
                following += more
                outlook.count(len(more))
                yield case
        wave = following


def require_clean(case: Case) -> Case:
    """Give the case back. Raises NotCleanError if its workflow fails without any fault.

    Of several callers one may have to be refused, by no more than what he comes upon.
    """
    endings = set(case.ending.split(", "))
    if case.violations or "succeeded" not in endings or not endings <= {"succeeded", *REFUSED}:
        reasons = "; ".join(map(str, case.violations)) or case.ending
        raise NotCleanError(f"{case.schedule} fails without any fault: {reasons}")
    return case
