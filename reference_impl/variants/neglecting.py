"""Variants that neglect what could not be ended at once, or what is told of snapshots. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.driver import DriverError
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.sweeping import Sweeper
from snapproof.reference_impl.variants.retelling import Retelling
from snapproof.site import Site
from snapproof.vocabulary import (
    Alert,
    AuditEvent,
    Copy,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotId,
    SnapshotState,
    UsageEvent,
    UsageRecord,
    VolumeId,
)


class WeighsNothing(Retelling):
    """Breaks R-029: a snapshot on the array is listed with a physical size of zero, as CloudStack's is."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Forget what the array's copies weigh."""
        return [replace(row, copies=tuple(map(_weightless, row.copies))) for row in rows]


def _weightless(copy: Copy) -> Copy:
    return replace(copy, physical_size_bytes=0) if copy.location is LocationType.PRIMARY else copy


class NeverLooksAgain(ReferenceDriver):
    """Breaks R-082 (hazard C13): what rests on the way rests there until the next start."""

    def run_due_work(self) -> None:
        """Do nothing."""


class SweepsTagsOnly(ReferenceDriver):
    """Breaks R-081: sweeps up what carries its tag, and nothing of what calls leave on hosts that come late."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        super().__init__(site, settings)
        self._sweeper = _SeesTags(self._catalog, self._orchestrator, self._ports, self.live)


class _SeesTags(Sweeper):
    def look_again(self) -> None:
        """Look nowhere."""


class CollectsThroughImageRole(ReferenceDriver):
    """Breaks R-083 (hazard C2): collecting an array copy deletes the good backup of the same snapshot."""

    def run_due_work(self) -> None:
        """Collect what lies at two places, at the wrong one."""
        for row in self.list_snapshots():
            paths = [copy.reference for copy in row.copies if copy.location is LocationType.SECONDARY]
            if len(row.copies) > len(paths):
                for path in paths:
                    self._ports.store.delete(path)
        super().run_due_work()


class ForgetsFailures(Retelling):
    """Breaks R-084: a failed snapshot disappears from the lists at once, whatever it left on storage."""

    forgotten: frozenset[SnapshotId] = frozenset()

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Forget what cannot be deleted now."""
        try:
            super().delete_snapshot(operation, snapshot)
        except DriverError:
            self.forgotten |= {snapshot}

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Leave out what was forgotten."""
        return [row for row in rows if row.id not in self.forgotten or row.state is SnapshotState.BACKED_UP]


class TellsNobody(ReferenceDriver):
    """Breaks R-087: that a backup could not be deleted is no alert to anybody."""

    def alerts(self) -> Sequence[Alert]:
        """Keep silent."""
        return []


class NamesNoPlace(ReferenceDriver):
    """Breaks R-181: what is billed does not say where the snapshot was."""

    def usage_events(self) -> Sequence[UsageEvent]:
        """Leave the place out."""
        return [replace(event, location=None) for event in super().usage_events()]


class NeverLeavesAlone(ReferenceDriver):
    """Breaks R-043: a store that has failed all day is asked as patiently as ever."""

    def settings(self) -> Settings:
        """As many failures as nobody lives to see."""
        return Settings(breaker_failures=10_000)


class TellsFailuresAsNews(ReferenceDriver):
    """Breaks R-071: an act that failed has ended like any other, as far as the audit tells."""

    def audit_events(self) -> Sequence[AuditEvent]:
        """Call every level INFO."""
        return [replace(event, level="INFO") for event in super().audit_events()]


class SumsUpWhatIsThere(ReferenceDriver):
    """Breaks R-184: copies that the array has no longer are not summed up."""

    def array_usage(self) -> Sequence[UsageRecord]:
        """Leave out what has ended."""
        return [line for line in super().array_usage() if line.until_s is None]


class NeverReadsAgain(ReferenceDriver):
    """Breaks R-164: that a backup has rotted is found out by whoever needs it."""

    def settings(self) -> Settings:
        """Read none of any backup."""
        return Settings(verify_share=0)
