"""Variants that go wrong when somebody does not wait, or several ask at once. The table of all is zoo.toml."""

from dataclasses import replace

from snapproof.driver import CancelledError, ConflictError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import CreateVolume, TakeSnapshot
from snapproof.reference_impl.core.states import SnapshotEvent
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.recording.snapshots import succeed_take
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.moving import DeletesOneOfTwo, with_recorder
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotId, SnapshotRequest, SnapshotState


class WaitsAnyway(ReferenceDriver):
    """Breaks R-011: whoever wants no wait for the backup waits for it all the same."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Ignore the wish."""
        return super().take_snapshot(replace(request, async_backup=False))


class DeletesUnderRestore(DeletesOneOfTwo):
    """Breaks R-023: a snapshot is deleted although a volume is being made from it."""


class AgreesToMoveWhileCopying(ReferenceDriver):
    """Breaks R-038: asked to archive what is being backed up, it says yes and lets it be."""

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """Agree."""
        found = self._read(queries.snapshot, snapshot)
        return found if found.state is SnapshotState.BACKING_UP else super().archive_snapshot(operation, snapshot)


class IgnoresCancel(ReferenceDriver):
    """Breaks R-039: whoever cancels is told yes, and the backup goes on."""

    def cancel(self, operation: OperationId) -> None:
        """Check that there is something to cancel, and leave it at that."""
        self._read(queries.running_backup, operation)


class OneAtATime(ReferenceDriver):
    """Breaks R-051: whoever wants a snapshot while another is being taken is turned away."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Take only where nothing else is under way."""
        if self._catalog.job(request.operation) is None:
            with self._catalog.reading() as session:
                queries.require_idle(session, volume=request.volume)
        return super().take_snapshot(request)


class AgreesToDeleteWhileCopying(ReferenceDriver):
    """Breaks R-052: asked to delete what is being backed up, it says that it did."""

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Agree."""
        if self._read(queries.snapshot, snapshot).state is not SnapshotState.BACKING_UP:
            super().delete_snapshot(operation, snapshot)


class GivesUpAtOnce(ReferenceDriver):
    """Breaks R-080: a background backup that fails is not tried again (hazard C26)."""

    def settings(self) -> Settings:
        """One try, no repetition."""
        return Settings(backup_retries_max=0)


class BlamesTheSnapshot(ReferenceDriver):
    """Breaks R-092: when a volume cannot be made, the snapshot that it was made from is given up."""

    def rules(self) -> Rules:
        """Call the source destroyed."""

        def fail(tx: Transaction, order: CreateVolume, _facts: Facts) -> None:
            if order.from_snapshot is not None:
                tx.move_snapshot(
                    order.from_snapshot, SnapshotEvent.DESTROY_REQUESTED, SnapshotEvent.OPERATION_SUCCEEDED
                )

        return Rules(recorders=with_recorder(CreateVolume, fail=fail))


class BillsBeforeCopying(ReferenceDriver):
    """Breaks R-094 (hazard C24): a background backup is billed when it begins."""

    def rules(self) -> Rules:
        """Bill, then begin."""

        def succeed(tx: Transaction, order: TakeSnapshot, facts: Facts) -> None:
            if order.in_background is not None:
                tx.bill(order.account, order.snapshot, LocationType.SECONDARY, order.size_bytes)
            succeed_take(tx, order, facts)

        return Rules(recorders=with_recorder(TakeSnapshot, succeed=succeed))


class RegretsItsHaste(ReferenceDriver):
    """Breaks R-051: who asks while another is served is served too, and told that he was not."""

    served = 0

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Say no when it is done."""
        self.served += 1
        try:
            taken = super().take_snapshot(request)
        finally:
            self.served -= 1
        if self.served:
            raise ConflictError("Another snapshot is under way.")
        return taken


class EndsAtLeisure(ReferenceDriver):
    """Breaks R-039: a backup that is cancelled ends, but not soon."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Take five minutes."""
        try:
            return super().take_snapshot(request)
        except CancelledError:
            self._ports.clock.sleep(300)
            raise
