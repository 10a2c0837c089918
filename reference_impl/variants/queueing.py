"""Variants that go wrong when many ask at once: they push, block, or keep silent. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.reference_impl.core.admission import Limits
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.vocabulary import AccountId, LocationType, OperationId, Snapshot, VolumeId

MANY = 1_000
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


class LooksAtTheArrayFirst(ReferenceDriver):
    """Breaks R-041: before anything is listed or deleted, the array is asked how it does."""

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """Compare with what the array has."""
        self._ports.array.list_owned()
        return super().list_snapshots(account, volume=volume, location=location)


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
