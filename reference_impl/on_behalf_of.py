"""The driver as one account may use it: every verb asks the caller's rights first, then does what the driver does."""

from collections.abc import Sequence

from snapproof.accounts import Account
from snapproof.driver import DriverUnderTest
from snapproof.reference_impl.core.access import Operation, Service
from snapproof.reference_impl.rights import Rights, Thing
from snapproof.vocabulary import (
    AccountId,
    Alert,
    AuditEvent,
    Description,
    LocationType,
    OperationId,
    Policy,
    PolicyId,
    PolicyRequest,
    PoolUse,
    ResourceCounts,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    StateChange,
    Template,
    TemplateId,
    TemplateRequest,
    UsageEvent,
    UsageRecord,
    Volume,
    VolumeId,
    VolumeRequest,
)


class OnBehalfOf:
    """A driver behind the rights of a caller. `driver` is the driver that writes down who asked."""

    def __init__(self, driver: DriverUnderTest, rights: Rights) -> None:
        self._driver, self._rights = driver, rights

    def describe(self) -> Description:
        """Everybody may know."""
        return self._driver.describe()

    def create_volume(self, request: VolumeRequest) -> Volume:
        """For an account that the caller may act for, from a snapshot that he may use."""
        self._rights.require(Operation.CREATE_VOLUME, Thing.ACCOUNT, request.account)
        if request.from_snapshot is not None:
            source, job = request.from_snapshot, request.operation
            self._rights.require(Operation.VOLUME_FROM_SNAPSHOT, Thing.SNAPSHOT, source, job=job)
        if request.from_template is not None:
            self._rights.require(Operation.CREATE_VOLUME, Thing.TEMPLATE, request.from_template, job=request.operation)
        return self._driver.create_volume(request)

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        """One of a volume that he may delete."""
        self._rights.require(Operation.DELETE_VOLUME, Thing.VOLUME, volume, job=operation)
        self._driver.delete_volume(operation, volume)

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """Those that he may see."""
        seen = self._rights.visible()
        return [row for row in self._driver.list_volumes(account) if row.account in seen]

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Of a volume that he may use."""
        self._rights.require(Operation.TAKE_SNAPSHOT, Thing.VOLUME, request.volume, job=request.operation)
        return self._driver.take_snapshot(request)

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """One that he may archive."""
        self._rights.require(Operation.ARCHIVE_SNAPSHOT, Thing.SNAPSHOT, snapshot, job=operation)
        return self._driver.archive_snapshot(operation, snapshot)

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """Those that he may see."""
        seen = self._rights.visible()
        found = self._driver.list_snapshots(account, volume=volume, location=location)
        return [row for row in found if row.account in seen]

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """One that he may delete."""
        self._rights.require(Operation.DELETE_SNAPSHOT, Thing.SNAPSHOT, snapshot, job=operation)
        self._driver.delete_snapshot(operation, snapshot)

    def revert_volume(self, operation: OperationId, snapshot: SnapshotId, *, keep_present: bool = False) -> Volume:
        """To a snapshot that he may revert to."""
        self._rights.require(Operation.REVERT_SNAPSHOT, Thing.SNAPSHOT, snapshot, job=operation)
        return self._driver.revert_volume(operation, snapshot, keep_present=keep_present)

    def resize_volume(self, operation: OperationId, volume: VolumeId, size_bytes: int) -> Volume:
        """One that he may resize."""
        self._rights.require(Operation.RESIZE_VOLUME, Thing.VOLUME, volume, job=operation)
        return self._driver.resize_volume(operation, volume, size_bytes)

    def create_template(self, request: TemplateRequest) -> Template:
        """Of a snapshot that he may use, for an account that he may act for."""
        self._rights.require(Operation.TEMPLATE_FROM_SNAPSHOT, Thing.ACCOUNT, request.account)
        source, job = request.from_snapshot, request.operation
        self._rights.require(Operation.TEMPLATE_FROM_SNAPSHOT, Thing.SNAPSHOT, source, job=job)
        return self._driver.create_template(request)

    def list_templates(self, account: AccountId | None = None) -> Sequence[Template]:
        """Those that he may see."""
        seen = self._rights.visible()
        return [row for row in self._driver.list_templates(account) if row.account in seen]

    def delete_template(self, operation: OperationId, template: TemplateId) -> None:
        """One that he may delete."""
        self._rights.require(Operation.DELETE_TEMPLATE, Thing.TEMPLATE, template, job=operation)
        self._driver.delete_template(operation, template)

    def create_policy(self, request: PolicyRequest) -> Policy:
        """For a volume that he may use."""
        self._rights.require(Operation.MAKE_POLICY, Thing.VOLUME, request.volume)
        return self._driver.create_policy(request)

    def list_policies(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """Those of volumes that he may see."""
        seen = {row.id for row in self.list_volumes()}
        return [row for row in self._driver.list_policies(volume) if row.volume in seen]

    def delete_policy(self, operation: OperationId, policy: PolicyId) -> None:
        """One that he may delete."""
        self._rights.require(Operation.DELETE_POLICY, Thing.POLICY, policy)
        self._driver.delete_policy(operation, policy)

    def put_account(self, account: Account) -> None:
        """One that he looks after, in a domain that he looks after."""
        self._rights.require_management(account)
        self._driver.put_account(account)

    def delete_account(self, operation: OperationId, account: AccountId) -> None:
        """One that he looks after."""
        self._rights.require(Operation.MANAGE_ACCOUNT, Thing.ACCOUNT, account)
        self._driver.delete_account(operation, account)

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Nobody speaks for others through this."""
        self._rights.require(Operation.MANAGE_ACCOUNT, Thing.ACCOUNT, caller)
        return self._driver.on_behalf_of(caller)

    def cancel(self, operation: OperationId) -> None:
        """A backup of a snapshot that he may use."""
        self._rights.require(Operation.CANCEL, Thing.JOB, operation)
        self._driver.cancel(operation)

    def queued_operations(self) -> Sequence[OperationId]:
        """The operator's business: whose they are is not told."""
        self._rights.require_service(Service.CHANGE_CONFIGURATION)
        return self._driver.queued_operations()

    def run_due_work(self) -> None:
        """The operator's business."""
        self._rights.require_service(Service.CHANGE_CONFIGURATION)
        self._driver.run_due_work()

    def reconcile(self) -> None:
        """The operator's business."""
        self._rights.require_service(Service.CHANGE_CONFIGURATION)
        self._driver.reconcile()

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """Of an account that he may see; others have nothing."""
        if account not in self._rights.visible():
            return ResourceCounts(snapshots=0, secondary_storage_bytes=0)
        return self._driver.resource_counts(account)

    def list_pools(self) -> Sequence[PoolUse]:
        """The operator's business, and of those who help him."""
        self._rights.require_service(Service.READ_CONFIGURATION)
        return self._driver.list_pools()

    def audit_events(self) -> Sequence[AuditEvent]:
        """Of accounts whose events he may read."""
        seen = self._rights.visible(Operation.READ_EVENTS)
        return [event for event in self._driver.audit_events() if event.account in seen]

    def usage_events(self) -> Sequence[UsageEvent]:
        """Of accounts whose usage he may read."""
        seen = self._rights.visible(Operation.READ_USAGE)
        return [event for event in self._driver.usage_events() if event.account in seen]

    def usage_records(self) -> Sequence[UsageRecord]:
        """Of accounts whose usage he may read."""
        seen = self._rights.visible(Operation.READ_USAGE)
        return [line for line in self._driver.usage_records() if line.account in seen]

    def array_usage(self) -> Sequence[UsageRecord]:
        """Of accounts whose usage he may read."""
        seen = self._rights.visible(Operation.READ_USAGE)
        return [line for line in self._driver.array_usage() if line.account in seen]

    def alerts(self) -> Sequence[Alert]:
        """The operator's business, and of those who help him."""
        self._rights.require_service(Service.READ_ALERTS)
        return self._driver.alerts()

    def state_changes(self) -> Sequence[StateChange]:
        """The operator's business, and of those who help him."""
        self._rights.require_service(Service.READ_ALERTS)
        return self._driver.state_changes()

    def close(self) -> None:
        """The driver lives on: this was only a way to look at it."""
