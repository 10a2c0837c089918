"""The reference driver, as the suite sees it: checks requests, turns them into orders, answers from the catalog.

How orders are carried out is the orchestrator's business; which services stand behind the ports is decided in
`connect`.
"""

import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Concatenate, ParamSpec, TypeVar

import msgspec

from snapproof import __version__
from snapproof.driver import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.leases import Leases
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.connecting import connect
from snapproof.reference_impl.core.locations import read_location, require_format
from snapproof.reference_impl.core.orders import (
    EXCLUDED,
    ArchiveSnapshot,
    ArraySource,
    CreateVolume,
    DeleteSnapshot,
    DeleteVolume,
    Order,
    Persistence,
    RevertVolume,
    TakeSnapshot,
)
from snapproof.reference_impl.fencing import fenced
from snapproof.reference_impl.orchestrator import Orchestrator, Rules
from snapproof.reference_impl.policies import Policies
from snapproof.reference_impl.ports import CallError, Ports
from snapproof.reference_impl.settings import Settings
from snapproof.vocabulary import (
    AccountId,
    Alert,
    AuditEvent,
    Capability,
    Description,
    LocationType,
    OperationId,
    Policy,
    PolicyId,
    PolicyRequest,
    ResourceCounts,
    Site,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    StateChange,
    UsageEvent,
    UsageRecord,
    Volume,
    VolumeId,
    VolumeRequest,
)

P = ParamSpec("P")
T = TypeVar("T")
OrderT = TypeVar("OrderT", bound=Order)
MessageT = TypeVar("MessageT", Alert, AuditEvent, UsageEvent, StateChange)

OF_SNAPSHOTS = (TakeSnapshot, ArchiveSnapshot, DeleteSnapshot, RevertVolume)
_NAMES = uuid.UUID("f2c3c1f0-6f0b-5b7e-8b0a-6a8f5f1f6f11")


class ReferenceDriver:
    """CloudStack's snapshot orchestration for managed storage, made crash-proof. One instance is one life."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        self._settings = settings or self.settings()
        url, terms = self._settings.catalog_url_for(site.state_directory), self._settings.terms
        self._catalog = Catalog(url, call_point=site.call_point, clock=site.clock, terms=terms)
        leases = Leases(self._catalog, terms)
        self.site = fenced(site, leases.require)
        self._ports = ports = self.ports()
        self._image_format = ports.hypervisor.image_format
        dice = random.Random(f"pauses of {site.seed}")
        self._orchestrator = Orchestrator(
            self._catalog, ports, leases=leases, settings=self._settings, rules=self.rules(), dice=dice
        )
        self._policies = Policies(
            self._catalog,
            self._orchestrator,
            ports.clock,
            take=self._take,
            delete=self._delete,
            listed=lambda volume: self.list_snapshots(volume=volume),
        )

    def settings(self) -> Settings:
        """The bounds of waiting and repeating, where nobody gives others."""
        return Settings()

    def ports(self) -> Ports:
        """The world; a variant of the zoo may wrap one of its ports."""
        return connect(self.site, self._settings)

    def rules(self) -> Rules:
        """The tables; a variant of the zoo may replace an entry."""
        return Rules()

    def lun_of(self, volume: str) -> int:
        """The array's id of a volume's LUN."""
        return self._read(queries.lun_of, VolumeId(volume))

    def describe(self) -> Description:
        """Everything that the port knows."""
        return Description(name="reference", version=__version__, capabilities=frozenset(Capability))

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Check the request and its source, then make the LUN."""
        if request.size_bytes <= 0:
            raise InvalidRequestError(f"A volume of {request.size_bytes} bytes cannot be made.")

        def draw_up(session: Session) -> CreateVolume:
            if request.from_snapshot is not None:
                queries.require_idle(session, snapshot=request.from_snapshot)
            return self._create_order(session, request)

        order = self._carry_out(
            request.operation,
            CreateVolume,
            draw_up,
            same=lambda known: (known.account, known.from_snapshot) == (request.account, request.from_snapshot),
        )
        return self._read(queries.volume, VolumeId(order.volume))

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        """Delete a volume; its LUN stays while array snapshots need it (R-024, R-025)."""

        def draw_up(session: Session) -> DeleteVolume:
            found = queries.volume(session, volume)
            queries.require_idle(session, volume=volume, cleaned_up=True)
            lun = None if queries.has_array_snapshots(session, volume) else queries.lun_of(session, volume)
            return DeleteVolume(job=operation, account=found.account, volume=volume, release_lun=lun)

        self._carry_out(operation, DeleteVolume, draw_up, same=lambda known: known.volume == volume)

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """The volumes that were not removed."""
        return self._read(queries.volumes, account)

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Check the request, then take and, for SECONDARY, back up."""
        return self._take(request)

    def create_policy(self, request: PolicyRequest) -> Policy:
        """Put a policy into force."""
        return self._policies.create(request, self._new_uuid("policy", request.operation))

    def list_policies(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """The policies in force."""
        return self._policies.listed(volume)

    def delete_policy(self, operation: OperationId, policy: PolicyId) -> None:
        """End a policy."""
        self._policies.delete(operation, policy)

    def _take(self, request: SnapshotRequest, policy: PolicyId | None = None) -> Snapshot:
        location = read_location(request.location)
        require_format(location, self._image_format)
        now = self._catalog.now()

        def draw_up(session: Session) -> TakeSnapshot:
            queries.require_idle(session, volume=request.volume, kinds=EXCLUDED[TakeSnapshot])
            return replace(self._take_order(session, request, location, now), policy=policy)

        order = self._carry_out(
            request.operation, TakeSnapshot, draw_up, same=lambda known: known.volume == request.volume
        )
        return self._read(queries.snapshot, SnapshotId(order.snapshot))

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """Back up a snapshot that stayed on the array, then delete it there (R-012)."""
        require_format(LocationType.SECONDARY, self._image_format)

        def draw_up(session: Session) -> ArchiveSnapshot:
            found = queries.snapshot(session, snapshot)
            queries.require_idle(session, volume=found.volume, kinds=EXCLUDED[ArchiveSnapshot])
            queries.require_idle(session, snapshot=snapshot, cleaned_up=True)
            if found.location is LocationType.SECONDARY:
                raise InvalidRequestError(f"Snapshot {snapshot} is on SECONDARY already; there is nothing to archive.")
            if found.state is not SnapshotState.BACKED_UP:
                raise ConflictError(f"Snapshot {snapshot} is {found.state}; only a BackedUp one can be archived.")
            return queries.archive_order(session, found, operation)

        self._carry_out(operation, ArchiveSnapshot, draw_up, same=lambda known: known.snapshot == snapshot)
        return self._read(queries.snapshot, snapshot)

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """The snapshots that were not removed."""
        found = self._read(queries.snapshots, account)
        return [s for s in found if volume in {None, s.volume} and location in {None, s.location}]

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Delete every copy, and the LUN of a deleted volume with its last array snapshot.

        A copy that an earlier job could not clear away yet is cleared first: deleted means gone from everywhere.
        """
        self._delete(operation, snapshot)

    def _delete(self, operation: OperationId, snapshot: SnapshotId, policy: PolicyId | None = None) -> None:
        for job in self._read(queries.unfinished_clean_up, snapshot):
            self._orchestrator.resume_job(job)

        def draw_up(session: Session) -> DeleteSnapshot:
            found = queries.snapshot(session, snapshot)
            queries.require_idle(session, volume=found.volume, kinds=EXCLUDED[DeleteSnapshot])
            queries.require_idle(session, snapshot=snapshot, cleaned_up=True)
            if found.state not in {SnapshotState.BACKED_UP, SnapshotState.ERROR}:
                raise ConflictError(f"Snapshot {snapshot} is {found.state}; only BackedUp or Error can be deleted.")
            return replace(queries.delete_order(session, found, operation), policy=policy)

        self._carry_out(operation, DeleteSnapshot, draw_up, same=lambda known: known.snapshot == snapshot)

    def revert_volume(self, operation: OperationId, snapshot: SnapshotId) -> Volume:
        """Roll the volume's LUN back, unless hosts can reach it: a running machine would not notice (R-018)."""

        def draw_up(session: Session) -> RevertVolume:
            found = queries.snapshot(session, snapshot)
            queries.require_idle(session, volume=found.volume, cleaned_up=True)
            queries.require_idle(session, snapshot=snapshot, cleaned_up=True)
            if found.state is not SnapshotState.BACKED_UP:
                raise ConflictError(f"Snapshot {snapshot} is {found.state}; only a BackedUp one can be reverted to.")
            return queries.revert_order(session, found, operation)

        if self._catalog.job(operation) is None:
            self._require_unshared(self._read(draw_up))
        order = self._carry_out(operation, RevertVolume, draw_up, same=lambda known: known.snapshot == snapshot)
        return self._read(queries.volume, VolumeId(order.volume))

    def cancel(self, operation: OperationId) -> None:
        """Stop the backup that an operation began, whichever of its jobs runs by now."""
        self._orchestrator.cancel(self._read(queries.running_backup, operation))

    def run_due_work(self) -> None:
        """Background backups whose time has come, whatever else is unfinished, and what policies ask for."""
        self._orchestrator.resume()
        self._policies.run_due()

    def reconcile(self) -> None:
        """Bring every unfinished job to its end."""
        self._orchestrator.resume()

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """What the account is charged."""
        return self._read(queries.resource_counts, account)

    def audit_events(self) -> Sequence[AuditEvent]:
        """From the outbox."""
        return self._messages("audit", AuditEvent)

    def usage_events(self) -> Sequence[UsageEvent]:
        """From the outbox."""
        return self._messages("usage", UsageEvent)

    def usage_records(self) -> Sequence[UsageRecord]:
        """The bill."""
        return self._read(queries.usage_records)

    def alerts(self) -> Sequence[Alert]:
        """From the outbox."""
        return self._messages("alert", Alert)

    def state_changes(self) -> Sequence[StateChange]:
        """From the outbox."""
        return self._messages("state", StateChange)

    def close(self) -> None:
        """Let go of the catalog; connections close with their ports."""
        self._catalog.close()

    def _carry_out(
        self,
        operation: OperationId,
        kind: type[OrderT],
        draw_up: Callable[[Session], OrderT],
        *,
        same: Callable[[OrderT], bool],
    ) -> OrderT:
        """Run an order to its end. It is drawn up again in the opening transaction: what it rests on may have changed.

        An operation id that is known means the order which it stood for, and nothing else.
        """
        job = self._catalog.job(operation)
        order = self._read(draw_up) if job is None else job.order
        if not isinstance(order, kind) or (job is not None and not same(order)):
            raise InvalidRequestError(f"Operation {operation} was another request; choose an id of its own for this.")

        def check(session: Session) -> None:
            if draw_up(session) != order:
                raise ConflictError(f"What operation {operation} is about has changed meanwhile; ask again.")

        snapshot = order.snapshot if isinstance(order, OF_SNAPSHOTS) else None
        source = order.from_snapshot if isinstance(order, CreateVolume) else None
        self._orchestrator.submit(order, volume=order.volume, snapshot=snapshot or source, check=check)
        return order

    def _create_order(self, session: Session, request: VolumeRequest) -> CreateVolume:
        order = CreateVolume(
            job=request.operation,
            account=request.account,
            volume=self._new_uuid("volume", request.operation),
            volume_name=request.name,
            size_bytes=request.size_bytes,
            qos=request.qos,
            from_snapshot=request.from_snapshot,
        )
        if request.from_snapshot is None:
            return order
        source = queries.snapshot(session, request.from_snapshot)
        if source.account != request.account:
            raise NotFoundError(f"There is no snapshot {request.from_snapshot}.")
        if source.state is not SnapshotState.BACKED_UP:
            raise ConflictError(f"Snapshot {source.id} is {source.state}; only a BackedUp one can be restored.")
        if request.size_bytes != source.size_bytes:
            raise InvalidRequestError(
                f"Snapshot {source.id} holds {source.size_bytes} bytes, not {request.size_bytes}; ask for its own size."
            )
        found = queries.restore_source(session, source.id)
        if isinstance(found, ArraySource):
            return replace(order, array_source=found)
        return replace(order, backup_source=found)

    def _take_order(
        self, session: Session, request: SnapshotRequest, location: LocationType, now: datetime
    ) -> TakeSnapshot:
        volume = queries.volume(session, request.volume)
        background = Persistence(
            retries_max=self._settings.backup_retries_max, interval_s=self._settings.backup_retry_interval_s
        )
        return TakeSnapshot(
            job=request.operation,
            account=volume.account,
            volume=volume.id,
            volume_name=volume.name,
            snapshot=self._new_uuid("snapshot", request.operation),
            snapshot_name=request.name or f"{volume.name}_{now:%Y%m%d%H%M%S}",
            lun_id=queries.lun_of(session, volume.id),
            size_bytes=volume.size_bytes,
            location=location,
            in_background=background if location is LocationType.SECONDARY and request.async_backup else None,
        )

    def _require_unshared(self, order: RevertVolume) -> None:
        try:
            shared = self._ports.array.get_lun(order.lun_id).shared
        except CallError as error:
            raise UnavailableError(f"Whether volume {order.volume} is in use cannot be seen: {error}") from error
        if shared:
            raise ConflictError(f"Volume {order.volume} is in use; shut its machine down before reverting it.")

    def _new_uuid(self, kind: str, operation: OperationId) -> str:
        """Derived from the operation, so that a request sent again after a lost answer means the same object."""
        return str(uuid.uuid5(_NAMES, f"{self.site.seed} {kind} {operation}"))

    def _read(self, query: Callable[Concatenate[Session, P], T], *given: P.args, **named: P.kwargs) -> T:
        with self._catalog.reading() as session:
            return query(session, *given, **named)

    def _messages(self, topic: str, kind: type[MessageT]) -> Sequence[MessageT]:
        return [msgspec.json.decode(text, type=kind) for text in self._read(queries.messages, topic)]
