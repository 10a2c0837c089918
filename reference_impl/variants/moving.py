"""Variants that go wrong with the moving of snapshots: archives, background backups. The table of all is zoo.toml."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snapproof.driver import ConflictError, NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.queries.snapshots import copies_of
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import ArchiveSnapshot, DeleteSnapshot, Order
from snapproof.reference_impl.core.plans import Lifetime, Plan, plan_for
from snapproof.reference_impl.core.states import CopyEvent, CopyState, SnapshotEvent
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.recording import RECORDERS
from snapproof.reference_impl.recording.backups import begin_archive
from snapproof.reference_impl.recording.recorder import Recorder, audit
from snapproof.reference_impl.rules import Rules
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotId


def with_recorder(kind: type[Order], **changed: Any) -> Mapping[type[Order], Recorder]:
    """The reference's table with moments of one entry changed."""
    return {**RECORDERS, kind: replace(RECORDERS[kind], **changed)}


class CopiesInsteadOfMoving(ReferenceDriver):
    """Breaks R-012: an archived snapshot stays on the array as well."""

    def rules(self) -> Rules:
        """Leave out what comes after success."""

        def plan(order: Order) -> Plan:
            steps = plan_for(order)
            if not isinstance(order, ArchiveSnapshot):
                return steps
            return tuple(step for step in steps if step.lifetime is not Lifetime.LAST)

        return Rules(plan=plan)


class ArchivesTwice(ReferenceDriver):
    """Breaks R-013: asked to archive what is archived, it says yes without a word."""

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """Agree."""
        found = next((row for row in self.list_snapshots() if row.id == snapshot), None)
        if found is None:
            raise NotFoundError(f"There is no snapshot {snapshot}.")
        return found if found.location is LocationType.SECONDARY else super().archive_snapshot(operation, snapshot)


class DeletesOneOfTwo(ReferenceDriver):
    """Breaks R-022: deleting takes the backup and says done, whatever else of the snapshot is still about."""

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Ask nobody what is still to be cleared away."""

        def draw_up(session: Session) -> DeleteSnapshot:
            return queries.delete_order(session, queries.snapshot(session, snapshot), operation)

        self._carry_out(operation, DeleteSnapshot, draw_up, same=lambda known: known.snapshot == snapshot)


class DeletesBeforeCopying(ReferenceDriver):
    """Breaks R-093: the array's snapshot goes as soon as its clone is there, and a failure behind that loses it."""

    def rules(self) -> Rules:
        """Delete early."""

        def plan(order: Order) -> Plan:
            steps = plan_for(order)
            if not isinstance(order, ArchiveSnapshot):
                return steps
            last = [replace(step, lifetime=Lifetime.KEPT) for step in steps if step.lifetime is Lifetime.LAST]
            return (*last, *[step for step in steps if step.lifetime is not Lifetime.LAST])

        return Rules(plan=plan)


class AuditsArchiveAsCreation(ReferenceDriver):
    """Breaks R-072: an archive leaves the audit events of a new snapshot, as CloudStack's does."""

    def rules(self) -> Rules:
        """Take the other type."""
        return Rules(recorders=with_recorder(ArchiveSnapshot, audit="SNAPSHOT.CREATE"))


class ForgetsOffPrimary(ReferenceDriver):
    """Breaks R-073: nobody is told that the clean-up after an archive removed an array snapshot."""

    def rules(self) -> Rules:
        """Move the copy's row alone."""

        def cleaned(tx: Transaction, order: ArchiveSnapshot, _facts: Facts) -> None:
            tx.move_copy(order.snapshot, "Primary", CopyEvent.SUCCESS)

        return Rules(recorders=with_recorder(ArchiveSnapshot, cleaned=cleaned))


class StopsBillingWhileCopying(ReferenceDriver):
    """Breaks R-182: nobody pays for a snapshot while it is being archived."""

    def rules(self) -> Rules:
        """End the old line at the beginning."""

        def begin(tx: Transaction, order: ArchiveSnapshot) -> None:
            begin_archive(tx, order)
            tx.end_bill(order.snapshot)

        return Rules(recorders=with_recorder(ArchiveSnapshot, begin=begin))


class StumblesOverItsFailure(ReferenceDriver):
    """Breaks R-093 (hazard C21): an archive that fails is not written down, and is under way for ever."""

    def rules(self) -> Rules:
        """Write nothing."""

        def fail(_tx: Transaction, _order: ArchiveSnapshot, _facts: Facts) -> None: ...

        return Rules(recorders=with_recorder(ArchiveSnapshot, fail=fail))


class LeavesTheRowCopying(ReferenceDriver):
    """Breaks R-082 (hazard C20): a failed archive leaves the row in Copying, from where nothing can be deleted."""

    def rules(self) -> Rules:
        """Think of the snapshot, not of its copy."""

        def fail(tx: Transaction, order: ArchiveSnapshot, _facts: Facts) -> None:
            tx.move_snapshot(order.snapshot, SnapshotEvent.OPERATION_NOT_PERFORMED)

        return Rules(recorders=with_recorder(ArchiveSnapshot, fail=fail))

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Go by a table without that way."""
        copies = self._read(copies_of, snapshot)
        if any(copy.state == CopyState.COPYING for copy in copies):
            raise ConflictError(f"Snapshot {snapshot} is Copying and cannot be deleted.")
        super().delete_snapshot(operation, snapshot)


class CallsBackTwice(ReferenceDriver):
    """Breaks R-012 (hazard C19): that an archive is complete is said when it is, and again when all is cleared away."""

    def rules(self) -> Rules:
        """Say it once more."""

        def cleaned(tx: Transaction, order: ArchiveSnapshot, facts: Facts) -> None:
            recorder = RECORDERS[ArchiveSnapshot]
            recorder.cleaned(tx, order, facts)
            tx.audit(audit(recorder, order, "Completed"))

        return Rules(recorders=with_recorder(ArchiveSnapshot, cleaned=cleaned))
