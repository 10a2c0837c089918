"""Variants that go wrong with policies. Each class breaks one rule; the table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.schedules import next_slot, read_schedule
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import (
    AuditEvent,
    OperationId,
    Policy,
    PolicyId,
    PolicyRequest,
    Snapshot,
    SnapshotRequest,
    SnapshotState,
)


class SchedulesOnPrimary(ReferenceDriver):
    """Breaks R-027: whatever place a policy is made for, its snapshots stay on the array, as CloudStack's do."""

    def create_policy(self, request: PolicyRequest) -> Policy:
        """Lose the place."""
        return super().create_policy(replace(request, location=None))


class CountsFailures(ReferenceDriver):
    """Breaks R-028 (hazard C18): failed runs are counted as if there were something to keep of them."""

    def _runs(self, policy: Policy) -> Sequence[Snapshot]:
        """Call failures successes."""
        return [replace(row, state=SnapshotState.BACKED_UP) for row in super()._runs(policy)]


class RunsTwice(ReferenceDriver):
    """Breaks R-054: each slot is run by two that know nothing of one another."""

    def _take(self, request: SnapshotRequest, policy: PolicyId | None = None) -> Snapshot:
        """Run for the twin as well."""
        if policy is not None:
            super()._take(replace(request, operation=OperationId(f"{request.operation}/twin")), policy)
        return super()._take(request, policy)


class GoesByTheClockAlone(ReferenceDriver):
    """Breaks R-054: which slot comes next is reckoned from the clock each time, and that it was run is not known."""

    def _take(self, request: SnapshotRequest, policy: PolicyId | None = None) -> Snapshot:
        """Call each run by its number."""
        run = OperationId(f"{request.operation}/{len(self.list_snapshots())}")
        return super()._take(request if policy is None else replace(request, operation=run), policy)

    def run_due_work(self) -> None:
        """Forget what was scheduled, unless it is due."""
        super().run_due_work()
        for policy in self.list_policies():
            schedule = read_schedule(policy.interval, policy.schedule, policy.timezone)
            following = int(next_slot(schedule, self._ports.clock.time()))
            with self._catalog.transaction() as session:
                Transaction(session, self._catalog.now()).schedule_policy(policy.id, following)


class HidesPolicies(ReferenceDriver):
    """Breaks R-074: audit events do not tell which policy was at work."""

    def audit_events(self) -> Sequence[AuditEvent]:
        """Leave it out."""
        return [replace(event, policy=None) for event in super().audit_events()]


class IgnoresSummerTime(ReferenceDriver):
    """Breaks R-128: a policy's clock is that of the winter, all the year."""

    def create_policy(self, request: PolicyRequest) -> Policy:
        """Take one offset for Berlin."""
        winter = {"Europe/Berlin": "Etc/GMT-1"}
        return super().create_policy(replace(request, timezone=winter.get(request.timezone, request.timezone)))
