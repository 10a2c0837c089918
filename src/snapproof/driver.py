"""Port: the driver under test, and its errors by meaning. Nothing here knows how a driver does its work.

Every mutating verb is synchronous (a door to an asynchronous driver polls) and idempotent by its operation id: sent
twice, it acts once and answers the same. A driver may be killed at any moment; `reconcile` then finishes or takes back
what it left, and must itself be harmless when repeated.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from snapproof.accounts import Account
from snapproof.site import Site
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


class DriverError(Exception):
    """A driver's refusal or failure. Never raised itself: the subclass says whose fault it is and what cures it."""

    retry_sensible: ClassVar[bool] = False


class InvalidRequestError(DriverError):
    """The caller asked for something illegal; nothing was begun. (CloudStack: 431.)"""


class NotFoundError(DriverError):
    """There is no such object, or none that this caller may know of. (CloudStack: 431, the same text for both.)"""


class DeniedError(DriverError):
    """The caller may not do that, whatever it is done with. (CloudStack: 531.) Where he may not know of a thing either,
    it is a NotFoundError.
    """


class ConflictError(DriverError):
    """The object is in use or in a state that does not allow this now; nothing was changed."""

    retry_sensible = True


class LimitExceededError(DriverError):
    """A limit of the account, the driver or the array stands in the way; the message names it."""


class NotSupportedError(DriverError):
    """This driver does not do that, and said so in its capabilities."""


class BackendError(DriverError):
    """Array, host or store refused or failed for good; the driver has taken back what it had begun."""


class UnavailableError(DriverError):
    """Array, host or store cannot be reached, or keeps failing; what was begun is taken back or left to `reconcile`."""

    retry_sensible = True


class CancelledError(DriverError):
    """Somebody cancelled it; what was begun has been taken back."""


class DriverUnderTest(Protocol):
    """What the suite asks of any driver. Which verbs a driver serves is said by its capabilities."""

    def describe(self) -> Description:
        """Say who this is and what it can do."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Make an empty volume, or one with the content of a snapshot or a template, ready to be attached."""

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        """Delete a volume. Its array snapshots stay usable."""

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """List the volumes that exist for users."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Take a snapshot and, for SECONDARY, back it up. Returns when it is BackedUp, or BackingUp if asked to."""

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """Move a snapshot from the array to secondary storage, under the same id. If that fails it stays as it was."""

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """List the snapshots that were not deleted, failed ones included."""

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Delete every copy of a snapshot."""

    def revert_volume(self, operation: OperationId, snapshot: SnapshotId, *, keep_present: bool = False) -> Volume:
        """Give a volume that no machine uses the content and size that it had when the snapshot was taken.

        `keep_present` takes a snapshot on the array of what is there before; without that one, nothing is reverted.
        """

    def resize_volume(self, operation: OperationId, volume: VolumeId, size_bytes: int) -> Volume:
        """Make a volume larger that no machine uses. Its snapshots keep their size. What is new reads as zeros."""

    def create_template(self, request: TemplateRequest) -> Template:
        """Make a template with the content of a snapshot. The snapshot stays what and where it is."""

    def list_templates(self, account: AccountId | None = None) -> Sequence[Template]:
        """List the templates that exist for users."""

    def delete_template(self, operation: OperationId, template: TemplateId) -> None:
        """Delete a template. Volumes that were made of it stay."""

    def create_policy(self, request: PolicyRequest) -> Policy:
        """Take snapshots of a volume by schedule from now on, each slot once. They are taken by `run_due_work`."""

    def list_policies(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """List the policies that are in force."""

    def delete_policy(self, operation: OperationId, policy: PolicyId) -> None:
        """End a policy. Its snapshots stay."""

    def put_account(self, account: Account) -> None:
        """Make an account, or make one that there is what is said of it."""

    def delete_account(self, operation: OperationId, account: AccountId) -> None:
        """Delete an account with all that it has: volumes, policies, snapshots and their copies; end its bill."""

    def on_behalf_of(self, caller: AccountId) -> "DriverUnderTest":
        """Give the same driver as this account may use it. What is asked of the driver itself is asked by the lab.

        A call that the caller may not make is denied; what he may not know of is answered as what does not exist.
        """

    def cancel(self, operation: OperationId) -> None:
        """Have a backup that runs stop soon and be taken back. Raises NotFoundError, or ConflictError if it is over."""

    def queued_operations(self) -> Sequence[OperationId]:
        """List the operations that were begun and wait for their turn, whoever is next first."""

    def run_due_work(self) -> None:
        """Do what is due by now without a caller: background backups and their repetitions, and what policies ask for.

        A driver that works in the background by itself waits until it is idle.
        """

    def reconcile(self) -> None:
        """Finish or take back whatever an earlier life of this driver left unfinished. Harmless when repeated."""

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """Say what the account is charged."""

    def list_pools(self) -> Sequence[PoolUse]:
        """Say how full the site's storage pools are, the first one first."""

    def audit_events(self) -> Sequence[AuditEvent]:
        """Every audit event written so far, oldest first."""

    def usage_events(self) -> Sequence[UsageEvent]:
        """Every usage event written so far, oldest first."""

    def usage_records(self) -> Sequence[UsageRecord]:
        """What snapshots are billed for, by place and time, oldest first."""

    def array_usage(self) -> Sequence[UsageRecord]:
        """How long copies of snapshots were on the array, from SNAPSHOT.ON_PRIMARY to OFF_PRIMARY, oldest first."""

    def alerts(self) -> Sequence[Alert]:
        """Every alert raised so far, oldest first."""

    def state_changes(self) -> Sequence[StateChange]:
        """Every state change of a snapshot so far, oldest first."""

    def close(self) -> None:
        """Let go of connections and files. State stays."""


class DriverFactory(Protocol):
    """How a driver is started: called with the site, once per life. A second life gets the same `state_directory`."""

    def __call__(self, site: Site) -> DriverUnderTest:
        """Start the driver."""


class DriverKilledError(BaseException):
    """The lab killed the driver in the middle of a verb. Not an Exception: no step may swallow it."""


class DoorError(Exception):
    """Something is wrong with the driver beside its verbs. Never raised itself; no refusal of a driver is one."""


class FaultyDriverError(DoorError):
    """The driver itself is wrong: it died by itself, fell silent, or said what the contract does not know."""


@runtime_checkable
class OutsideFactory(DriverFactory, Protocol):
    """Starts drivers that live outside this process: services of their site have URLs and no wires."""

    @property
    def killable(self) -> bool:
        """Whether `kill` can be asked for."""

    def kill(self) -> None:
        """End the present life at once, as SIGKILL does; the verb under way then raises DriverKilledError."""


@runtime_checkable
class EquippedFactory(DriverFactory, Protocol):
    """Starts drivers whose environment is ours to set."""

    def equip(self, given: Mapping[str, str]) -> None:
        """Set these variables for every life from now on."""


def get_snapshot(driver: DriverUnderTest, snapshot: SnapshotId) -> Snapshot:
    """Find one snapshot by id in the driver's own list. Raises NotFoundError."""
    for found in driver.list_snapshots():
        if found.id == snapshot:
            return found
    raise NotFoundError(f"The driver lists no snapshot {snapshot}.")
