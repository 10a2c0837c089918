"""Variants that do not say no as they should. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.driver import BackendError, DriverError, NotFoundError
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.variants.retelling import Retelling
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    PolicyId,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    VolumeId,
)


class RecordsWhatItRefuses(Retelling):
    """Breaks R-062: a row is written before the volume is looked at, and stays when that is not to be had."""

    refused: tuple[Snapshot, ...] = ()

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Write the row first."""
        try:
            return super().take_snapshot(request)
        except DriverError:
            row = Snapshot(
                id=SnapshotId(self._new_uuid("snapshot", request.operation)),
                account=AccountId("team-blue"),
                volume=request.volume,
                name=request.name,
                location=LocationType.PRIMARY,
                state=SnapshotState.ERROR,
                size_bytes=0,
                copies=(),
            )
            self.refused = (*self.refused, row)
            raise

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """List the rows, too."""
        return [*rows, *self.refused]


class IgnoresQuiesce(ReferenceDriver):
    """Breaks R-030: the wish for a quiesced guest is heard by nobody."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Forget it."""
        return super().take_snapshot(replace(request, quiesce=False))


class IgnoresTheSwitch(ReferenceDriver):
    """Breaks R-106 (hazard C23): what may not be backed up stays on the array, and nobody is told."""

    def _take(self, request: SnapshotRequest, policy: PolicyId | None = None) -> Snapshot:
        """Put it elsewhere."""
        wanted = request.location if self.live().secondary_enabled else LocationType.PRIMARY
        return super()._take(replace(request, location=wanted), policy)


class RecordsWhatIsTooLarge(RecordsWhatItRefuses):
    """Breaks R-139: that a volume is too large for a backup is noticed when its row is there."""


class BlamesItsBooks(ReferenceDriver):
    """Breaks R-062: that there is no such volume is told as a failure of the catalog's."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Call it a failure."""
        try:
            return super().take_snapshot(request)
        except NotFoundError as error:
            raise BackendError(f"The catalog failed: {error}") from error
