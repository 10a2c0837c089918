"""The verbs about snapshots: taken, archived, listed, deleted, cancelled."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from snapproof.driver import ConflictError, InvalidRequestError
from snapproof.reference_impl.breaking import require_store
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.core.locations import read_location, require_enabled, require_fits, require_format
from snapproof.reference_impl.core.names import require_name
from snapproof.reference_impl.core.orders import (
    EXCLUDED,
    ArchiveSnapshot,
    DeleteSnapshot,
    Persistence,
    TakeSnapshot,
)
from snapproof.reference_impl.core.plans import lun_size
from snapproof.reference_impl.life import Life
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    PolicyId,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    VolumeId,
)


class SnapshotVerbs(Life):
    """What can be asked about snapshots."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Check the request, then take and, for SECONDARY, back up."""
        return self._take(request)

    def _take(self, request: SnapshotRequest, policy: PolicyId | None = None) -> Snapshot:
        if request.quiesce:
            raise InvalidRequestError("No guest can be quiesced for a snapshot on the array; ask without quiescevm.")
        location = read_location(request.location, self.live().location_default)
        require_format(location, self._image_format)
        require_name("snapshot", request.name)
        if location is LocationType.SECONDARY:
            self._require_usable_clones("A backup")
        as_volume = not self._clones_are_usable()
        now = self._catalog.now()

        def draw_up(session: Session) -> TakeSnapshot:
            require_enabled(location, secondary_enabled=self.live().secondary_enabled)
            if location is LocationType.SECONDARY:
                require_store(self._ports.store)
            queries.require_idle(session, volume=request.volume, kinds=EXCLUDED[TakeSnapshot])
            order = self._take_order(session, request, location, now)
            require_fits(location, order.size_bytes)
            taken_bytes = lun_size(order.size_bytes) if as_volume else order.size_bytes
            queries.require_pool_room(session, order.pool, taken_bytes)
            return replace(order, policy=policy, as_volume=as_volume)

        order = self._carry_out(
            request.operation, TakeSnapshot, draw_up, same=lambda known: known.volume == request.volume
        )
        return self._read(queries.snapshot, SnapshotId(order.snapshot))

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """Back up a snapshot that stayed on the array, then delete it there (R-012)."""
        require_format(LocationType.SECONDARY, self._image_format)
        self._require_usable_clones("A backup")

        def draw_up(session: Session) -> ArchiveSnapshot:
            require_enabled(LocationType.SECONDARY, secondary_enabled=self.live().secondary_enabled)
            require_store(self._ports.store)
            found = queries.snapshot(session, snapshot)
            queries.require_idle(session, volume=found.volume, kinds=EXCLUDED[ArchiveSnapshot])
            queries.require_idle(session, snapshot=snapshot, cleaned_up=True)
            if found.location is LocationType.SECONDARY:
                raise InvalidRequestError(f"Snapshot {snapshot} is on SECONDARY already; there is nothing to archive.")
            if found.state is not SnapshotState.BACKED_UP:
                raise ConflictError(f"Snapshot {snapshot} is {found.state}; only a BackedUp one can be archived.")
            require_fits(LocationType.SECONDARY, found.size_bytes)
            order = queries.archive_order(session, found, operation, self._image_store_for(snapshot))
            return replace(order, cluster=self._capable_cluster() or "")

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
        found = self._read(queries.snapshots, account, volume=volume)
        return [s for s in found if location in {None, s.location}]

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

    def cancel(self, operation: OperationId) -> None:
        """Stop the backup that an operation began, whichever of its jobs runs by now."""
        self._orchestrator.cancel(self._read(queries.running_backup, operation))

    def _take_order(
        self, session: Session, request: SnapshotRequest, location: LocationType, now: datetime
    ) -> TakeSnapshot:
        volume = queries.volume(session, request.volume)
        queries.require_room(session, volume.account, location, volume.size_bytes)
        settings = self.live()
        background = Persistence(retries_max=settings.backup_retries_max, interval_s=settings.backup_retry_interval_s)
        snapshot = self._new_uuid("snapshot", request.operation)
        return TakeSnapshot(
            job=request.operation,
            account=volume.account,
            volume=volume.id,
            volume_name=volume.name,
            snapshot=snapshot,
            snapshot_name=request.name or f"{volume.name}_{now:%Y%m%d%H%M%S}",
            lun_id=queries.lun_of(session, volume.id),
            size_bytes=volume.size_bytes,
            location=location,
            pool=queries.pool_of(session, volume.id),
            image_store=self._image_store_for(snapshot),
            cluster=self._capable_cluster() or "",
            in_background=background if location is LocationType.SECONDARY and request.async_backup else None,
        )
