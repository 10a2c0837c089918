"""The verbs about volumes: made empty or from a snapshot, deleted, listed, rolled back."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.driver import ConflictError, InvalidRequestError, NotFoundError, UnavailableError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.core.locations import require_format
from snapproof.reference_impl.core.names import NAME_CHARACTERS_MAX, require_account, require_name
from snapproof.reference_impl.core.orders import (
    CHANGING,
    BackupSource,
    CreateVolume,
    DeleteTemplate,
    DeleteVolume,
    ResizeVolume,
    RevertVolume,
    VolumeSource,
)
from snapproof.reference_impl.core.plans import lun_size
from snapproof.reference_impl.ports import CallError
from snapproof.reference_impl.snapshot_verbs import SnapshotVerbs
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    TemplateId,
    Volume,
    VolumeId,
    VolumeRequest,
)


class VolumeVerbs(SnapshotVerbs):
    """What can be asked about volumes."""

    def lun_of(self, volume: str) -> int:
        """The array's id of a volume's LUN."""
        return self._read(queries.lun_of, VolumeId(volume))

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Check the request and its source, then make the LUN."""
        return self._read(queries.volume, VolumeId(self._order_volume(request).volume))

    def _order_volume(self, request: VolumeRequest) -> CreateVolume:
        if request.size_bytes <= 0:
            raise InvalidRequestError(f"A volume of {request.size_bytes} bytes cannot be made.")
        try:
            require_account(request.account)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error
        require_name("volume", request.name)

        def draw_up(session: Session) -> CreateVolume:
            queries.require_room_for_volume(session, request.account, request.size_bytes)
            if request.from_snapshot is not None:
                queries.require_idle(session, snapshot=request.from_snapshot, kinds=CHANGING)
            if request.from_template is not None:
                queries.require_idle(session, template=request.from_template, kinds=(DeleteTemplate,))
            order = self._create_order(session, request)
            queries.require_pool_room(session, order.pool, lun_size(order.size_bytes))
            return order

        return self._carry_out(
            request.operation,
            CreateVolume,
            draw_up,
            same=lambda known: (
                (known.account, known.from_snapshot, known.from_template)
                == (request.account, request.from_snapshot, request.from_template)
            ),
        )

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        """Delete a volume; its LUN stays while array snapshots need it (R-024, R-025)."""

        def draw_up(session: Session) -> DeleteVolume:
            found = queries.volume(session, volume)
            queries.require_idle(session, volume=volume, cleaned_up=True)
            lun = None if queries.has_array_snapshots(session, volume) else queries.lun_of(session, volume)
            return DeleteVolume(job=operation, account=found.account, volume=volume, release_lun=lun, pool=found.pool)

        self._carry_out(operation, DeleteVolume, draw_up, same=lambda known: known.volume == volume)

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """The volumes that were not removed."""
        return self._read(queries.volumes, account)

    def revert_volume(self, operation: OperationId, snapshot: SnapshotId, *, keep_present: bool = False) -> Volume:
        """Roll the volume's LUN back, unless hosts can reach it: a running machine would not notice (R-018)."""

        def draw_up(session: Session) -> RevertVolume:
            found = queries.snapshot(session, snapshot)
            queries.require_idle(session, volume=found.volume, cleaned_up=True)
            queries.require_idle(session, snapshot=snapshot, cleaned_up=True)
            if found.state is not SnapshotState.BACKED_UP:
                raise ConflictError(f"Snapshot {snapshot} is {found.state}; only a BackedUp one can be reverted to.")
            return queries.revert_order(session, found, operation)

        if self._catalog.job(operation) is None:
            wanted = self._read(draw_up)
            self._require_unshared(wanted)
            if keep_present:
                self._keep_present(wanted)
        order = self._carry_out(operation, RevertVolume, draw_up, same=lambda known: known.snapshot == snapshot)
        return self._read(queries.volume, VolumeId(order.volume))

    def _keep_present(self, order: RevertVolume) -> None:
        """Take a snapshot of what the revert will throw away; asked again, it is the same one (R-167)."""
        self._take(
            SnapshotRequest(
                operation=OperationId(self._new_uuid("present", OperationId(order.job))),
                volume=VolumeId(order.volume),
                name=f"before {order.job}"[:NAME_CHARACTERS_MAX],
                location=LocationType.PRIMARY,
            )
        )

    def resize_volume(self, operation: OperationId, volume: VolumeId, size_bytes: int) -> Volume:
        """Make the LUN and the disk on it larger, unless hosts can reach it (R-049)."""

        def draw_up(session: Session) -> ResizeVolume:
            found = queries.volume(session, volume)
            queries.require_idle(session, volume=volume, cleaned_up=True)
            if size_bytes < found.size_bytes:
                raise InvalidRequestError(
                    f"Volume {volume} has {found.size_bytes} bytes; it is never made smaller, as to {size_bytes}."
                )
            queries.require_room_for_volume(session, found.account, size_bytes - found.size_bytes)
            queries.require_pool_room(session, found.pool, lun_size(size_bytes) - lun_size(found.size_bytes))
            return ResizeVolume(
                job=operation,
                account=found.account,
                volume=volume,
                lun_id=queries.lun_of(session, volume),
                size_bytes=size_bytes,
                pool=found.pool,
            )

        if self._catalog.job(operation) is None:
            self._require_unshared(self._read(draw_up))
        self._carry_out(
            operation,
            ResizeVolume,
            draw_up,
            same=lambda known: (known.volume, known.size_bytes) == (volume, size_bytes),
        )
        return self._read(queries.volume, volume)

    def _create_order(self, session: Session, request: VolumeRequest) -> CreateVolume:
        order = CreateVolume(
            job=request.operation,
            account=request.account,
            volume=self._new_uuid("volume", request.operation),
            volume_name=request.name,
            size_bytes=request.size_bytes,
            qos=request.qos,
            from_snapshot=request.from_snapshot,
            from_template=request.from_template,
            pool=self._pool_named(request.pool),
        )
        if request.from_template is not None:
            image = self._template_source(session, request, request.from_template)
            return replace(order, backup_source=image, image_store=image.image_store)
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
        if isinstance(found, BackupSource):
            return replace(order, backup_source=found, image_store=found.image_store)
        if request.pool not in {None, found.pool or self._pools[0]}:
            raise InvalidRequestError(
                f"Snapshot {source.id} is on storage pool {found.pool}; a volume can be made from it there alone, "
                f"not on {request.pool}."
            )
        if isinstance(found, VolumeSource):
            queries.require_idle(session, snapshot=source.id, cleaned_up=True)  # two would let go of it for each other
            return replace(order, volume_source=found, pool=found.pool)
        self._require_usable_clones(f"A volume from snapshot {source.id}")
        return replace(order, array_source=found, pool=found.pool, cluster=self._capable_cluster() or "")

    def _pool_named(self, name: str | None) -> str:
        if name is not None and name not in self._pools:
            raise InvalidRequestError(f"There is no storage pool {name!r}; there are {', '.join(self._pools)}.")
        return name or self._pools[0]

    def _template_source(self, session: Session, request: VolumeRequest, template: TemplateId) -> BackupSource:
        if request.from_snapshot is not None:
            raise InvalidRequestError("A volume is made from a snapshot or from a template, not from both.")
        require_format(LocationType.SECONDARY, self._image_format)
        found = queries.template(session, template)
        if found.account != request.account:
            raise NotFoundError(f"There is no template {template}.")
        if request.size_bytes != found.size_bytes:
            raise InvalidRequestError(
                f"Template {template} holds {found.size_bytes} bytes, not {request.size_bytes}; ask for its own size."
            )
        return queries.template_source(session, template)

    def _require_unshared(self, order: RevertVolume | ResizeVolume) -> None:
        try:
            shared = self._ports.at(order.pool, order.image_store).array.get_lun(order.lun_id).shared
        except CallError as error:
            raise UnavailableError(f"Whether volume {order.volume} is in use cannot be seen: {error}") from error
        if shared:
            raise ConflictError(f"Volume {order.volume} is in use; shut its machine down first.")
