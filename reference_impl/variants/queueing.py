"""Variants that go wrong when many ask at once: they push, block, or keep silent. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.driver import UnavailableError
from snapproof.reference_impl.core.admission import Limits
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.retelling import Retelling
from snapproof.vocabulary import OperationId, Snapshot, SnapshotRequest, VolumeId

MANY = 1_000
WAIT_S = 5
LOOKS = 50


class AsksForAllAtOnce(ReferenceDriver):
    """Breaks R-132: the array is asked for every clone at once, and what it refuses is tried once more at most."""

    def settings(self) -> Settings:
        """Have little patience."""
        return Settings(attempts_max=2)

    def limits(self) -> Limits:
        """Know no limits of clones."""
        return replace(super().limits(), clones_per_volume=MANY, clones_per_node=MANY)


class OneAfterTheOther(ReferenceDriver):
    """Breaks R-133: whoever re-signs a clone keeps the pool for himself until it has been copied."""

    def settings(self) -> Settings:
        """Let nobody in before."""
        return Settings(backup_parallel=1)


class KnowsNoThreshold(ReferenceDriver):
    """Breaks R-134: a host is given whatever there is to do."""

    def limits(self) -> Limits:
        """Give it all."""
        return replace(super().limits(), copies_per_host=None)


class TellsOfNoQueue(ReferenceDriver):
    """Breaks R-044: whoever waits is not told of it."""

    def queued_operations(self) -> Sequence[OperationId]:
        """Call the queue empty."""
        return []


class LooksAtTheArrayFirst(Retelling):
    """Breaks R-041: before anything is listed or deleted, the array is asked how it does."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Compare with what the array has."""
        self._ports.array.list_owned()
        return rows


class OverrunsTheArray(ReferenceDriver):
    """Breaks R-141: after a restart it looks at the array for each snapshot, time and again, before anything else."""

    def settings(self) -> Settings:
        """Keep no tempo."""
        return Settings(array_calls_per_second=100_000)

    def reconcile(self) -> None:
        """Look first."""
        for row in self.list_snapshots():
            for _ in range(LOOKS):
                self._ports.array.get_lun(self.lun_of(row.volume))
        super().reconcile()


class ComplainsOfTheWait(ReferenceDriver):
    """Breaks R-041: whoever had to wait for the array is told that it failed, although it was done."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Look at the clock."""
        began_s = self._ports.clock.time()
        taken = super().take_snapshot(request)
        if self._ports.clock.time() - began_s > WAIT_S:
            raise UnavailableError("The array took too long.")
        return taken


class TwoAtATime(ReferenceDriver):
    """Breaks R-133: no more than two backups are made at once, whatever hosts and array could bear."""

    def settings(self) -> Settings:
        """Be careful."""
        return Settings(backup_parallel=2)


class AddsOneMore(ReferenceDriver):
    """Breaks R-134: a host is given one copy more than it may have."""

    def limits(self) -> Limits:
        """One will not matter."""
        limits = super().limits()
        return replace(limits, copies_per_host=None if limits.copies_per_host is None else limits.copies_per_host + 1)


class RemembersTheQueue(ReferenceDriver):
    """Breaks R-044: whoever was in the queue once is in it for ever."""

    seen: tuple[OperationId, ...] = ()

    def queued_operations(self) -> Sequence[OperationId]:
        """With all who were."""
        self.seen = tuple(dict.fromkeys([*self.seen, *super().queued_operations()]))
        return self.seen


class RestsAfterItsStart(ReferenceDriver):
    """Breaks R-141: a life begins with a look at the array and a rest, whatever the one before has left to do."""

    rested = False

    def reconcile(self) -> None:
        """Look, and rest."""
        self._ports.array.list_owned()

    def run_due_work(self) -> None:
        """Rest once more before the first time."""
        if self.rested:
            super().run_due_work()
        self.rested = True


class StartsSlowly(ReferenceDriver):
    """Breaks R-141: before it looks at what the life before has left, it waits for ten minutes, in case others come."""

    def reconcile(self) -> None:
        """Wait."""
        self._ports.clock.sleep(600)
        super().reconcile()
