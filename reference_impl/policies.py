"""Policies: put into force, run once each slot, and kept within their number of snapshots. When a slot is, core/ says.

A run is an operation named after policy and slot, so that the next life cannot run the slot again.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from snapproof.driver import DriverError, InvalidRequestError, NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.locations import read_location
from snapproof.reference_impl.core.schedules import Schedule, next_slot, read_schedule, surplus
from snapproof.reference_impl.orchestrator import Orchestrator
from snapproof.reference_impl.recording.recorder import BEGINNING
from snapproof.reference_impl.settings import Settings
from snapproof.site import Clock
from snapproof.vocabulary import (
    AccountId,
    Alert,
    AuditEvent,
    OperationId,
    Policy,
    PolicyId,
    PolicyRequest,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    VolumeId,
)

LOG = logging.getLogger("snapproof.policies")
BACKLOG_S = 3_600.0
"""How late a run may begin before an operator hears of it."""


class Policies:
    """The policies of one life of the driver. `take` and `delete` are the driver's own verbs, for a policy."""

    def __init__(
        self,
        catalog: Catalog,
        orchestrator: Orchestrator,
        clock: Clock,
        *,
        settings: Callable[[], Settings],
        take: Callable[[SnapshotRequest, PolicyId], object],
        delete: Callable[[OperationId, SnapshotId, PolicyId], None],
        runs: Callable[[Policy], Sequence[Snapshot]],
    ) -> None:
        self._catalog = catalog
        self._orchestrator = orchestrator
        self._clock = clock
        self._settings = settings
        self._take = take
        self._delete = delete
        self._runs = runs
        self._admitted_s = 0.0

    def create(self, request: PolicyRequest, uuid: str) -> Policy:
        """Put a policy into force; the same operation again gives the same policy. Raises DriverError."""
        location = read_location(request.location, self._settings().location_default)
        schedule = read_schedule(request.interval, request.schedule, request.timezone)
        if request.keep_max < 1:
            raise InvalidRequestError(f"A policy that keeps {request.keep_max} snapshots is none; keep one at least.")
        first = int(next_slot(schedule, self._clock.time()))

        def write(session: Session, tx: Transaction) -> None:
            owner = queries.volume(session, request.volume).account
            queries.require_not_ended(session, uuid)
            tx.insert_policy(request, uuid=uuid, location=location, next_run_s=first)
            for phase in (*BEGINNING, "Completed"):
                tx.audit(_audit(request.operation, "SNAPSHOTPOLICY.CREATE", phase, owner, uuid))

        return self._known(PolicyId(uuid)) or self._orchestrator.write(write, lambda: self._known(PolicyId(uuid)))

    def change(self, operation: OperationId, wanted: Policy) -> Policy:
        """Let a policy be another from now on; snapshots that it took stay its own. Raises DriverError."""
        if wanted.keep_max < 1:
            raise InvalidRequestError(f"A policy that keeps {wanted.keep_max} snapshots is none; keep one at least.")
        schedule = read_schedule(wanted.interval, wanted.schedule, wanted.timezone)
        following = int(next_slot(schedule, self._clock.time()))

        def write(session: Session, tx: Transaction) -> None:
            owner = queries.volume(session, wanted.volume).account
            tx.change_policy(wanted, following)
            for phase in (*BEGINNING, "Completed"):
                tx.audit(_audit(operation, "SNAPSHOTPOLICY.UPDATE", phase, owner, wanted.id))

        return self._orchestrator.write(write, lambda: self._known(wanted.id))

    def delete(self, operation: OperationId, policy: PolicyId) -> None:
        """End a policy. Raises NotFoundError."""
        known = self._known(policy)
        if known is None:
            raise NotFoundError(f"There is no snapshot policy {policy}.")

        def write(session: Session, tx: Transaction) -> None:
            owner = queries.volume(session, known.volume).account
            tx.remove_policy(policy)
            for phase in (*BEGINNING, "Completed"):
                tx.audit(_audit(operation, "SNAPSHOTPOLICY.DELETE", phase, owner, policy))

        self._orchestrator.write(write, lambda: None if self._known(policy) else True)

    def listed(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """The policies in force."""
        with self._catalog.reading() as session:
            return queries.policies(session, volume)

    def run_due(self) -> None:
        """Run each policy whose slot has come, oldest slot first. Slots that were slept through take one run."""
        with self._catalog.reading() as session:
            due = queries.policies(session, due=self._catalog.now())
        for number, policy in enumerate(due):
            slot = datetime.fromisoformat(policy.next_run).timestamp()
            self._admit_backlog(policy, slot, len(due) - number)
            try:
                schedule = read_schedule(policy.interval, policy.schedule, policy.timezone)
            except InvalidRequestError as error:  # written by an older release, which may know other timezones
                LOG.warning("policy %s is left alone: %s", policy.id, error)
            else:
                self._run(policy, schedule, int(slot))

    def _admit_backlog(self, policy: Policy, slot: float, waiting: int) -> None:
        """Say once an hour, in each life, that runs begin more than an hour late (R-138)."""
        now_s = self._clock.time()
        if now_s - slot > BACKLOG_S and now_s - self._admitted_s > BACKLOG_S:
            self._admitted_s = now_s
            self._complain(policy, f"{waiting} policies are overdue, the first of them since {policy.next_run}.")

    def _run(self, policy: Policy, schedule: Schedule, slot: int) -> None:
        request = SnapshotRequest(
            operation=OperationId(f"{policy.id}/{slot}"), volume=policy.volume, location=policy.location
        )
        try:
            self._take(request, policy.id)
        except DriverError as error:
            self._complain(policy, f"The run of policy {policy.id} at {policy.next_run} failed: {error}")
        self._retire(policy, slot)
        following = int(next_slot(schedule, max(float(slot), self._clock.time())))

        def scheduled() -> bool | None:
            now = self._known(policy.id)
            return True if now is None or now.next_run != policy.next_run else None

        self._orchestrator.write(lambda _session, tx: tx.schedule_policy(policy.id, following), scheduled)

    def _retire(self, policy: Policy, slot: int) -> None:
        """Delete the oldest successful ones; one that cannot be deleted does not save the others (hazard C18)."""
        good = [row.id for row in self._runs(policy) if row.state is SnapshotState.BACKED_UP]
        for snapshot in surplus(list(good), policy.keep_max):
            try:
                self._delete(OperationId(f"{policy.id}/{slot}/{snapshot[:8]}"), SnapshotId(snapshot), policy.id)
            except DriverError as error:
                LOG.warning("policy %s could not delete snapshot %s: %s", policy.id, snapshot, error)

    def _complain(self, policy: Policy, text: str) -> None:
        LOG.warning("%s", text)
        self._orchestrator.alert(Alert(subject=policy.id, text=text))

    def _known(self, uuid: PolicyId) -> Policy | None:
        with self._catalog.reading() as session:
            return next(iter(queries.policies(session, policy=uuid)), None)


def _audit(operation: OperationId, kind: str, phase: str, account: AccountId, policy: str) -> AuditEvent:
    return AuditEvent(
        operation=operation,
        type=kind,
        phase=phase,
        level="INFO",
        account=account,
        subject=policy,
        policy=PolicyId(policy),
    )
