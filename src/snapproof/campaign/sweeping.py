"""The sweep over single cells: every call that a workflow makes, every act that it causes, times every kind of fault.

Each cell is a run of its own. Cells are numbered by a pure function of what was seen without faults, so that a shard is
a remainder and needs no coordinator. How a matrix is shown is not decided here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snapproof.campaign.running import Case, OpenLab, run
from snapproof.campaign.schedule import Schedule, kinds_for


@dataclass(frozen=True, slots=True)
class Shard:
    """The share of the cells that one of several processes runs: those whose number leaves `index` over `count`."""

    index: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        """Refuse a share that nobody would run."""
        if not 0 <= self.index < self.count:
            raise ValueError(f"Shard {self.index} of {self.count} does not exist; shards are 0 to count - 1.")


def cells(workflow: str, store: str, seed: int, open_lab: OpenLab) -> tuple[Schedule, ...]:
    """Name every cell of a workflow. Raises RuntimeError if the workflow fails without any fault."""
    clean = run(Schedule(workflow=workflow, store=store, seed=seed), open_lab)
    if clean.violations or clean.ending != "succeeded":
        reasons = "; ".join(map(str, clean.violations)) or clean.ending
        raise RuntimeError(f"{clean.schedule} fails without any fault: {reasons}")
    return tuple(
        Schedule(workflow=workflow, store=store, seed=seed, faults=((call, kind),))
        for call in (*clean.calls, *clean.acts)
        for kind in kinds_for(call)
    )


def sweep(schedules: Sequence[Schedule], open_lab: OpenLab, shard: Shard) -> Iterator[Case]:
    """Run this shard's cells, one after another."""
    for schedule in schedules[shard.index :: shard.count]:
        yield run(schedule, open_lab)
