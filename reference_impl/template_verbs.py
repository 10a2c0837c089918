"""The verbs about templates: made of snapshots, listed, deleted. Volumes are made of them in volume_verbs.py."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.driver import ConflictError, NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.core.locations import require_format
from snapproof.reference_impl.core.orders import EXCLUDED, BackupSource, CreateTemplate, DeleteTemplate, VolumeSource
from snapproof.reference_impl.life import Life
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    SnapshotState,
    Template,
    TemplateId,
    TemplateRequest,
)


class TemplateVerbs(Life):
    """What can be asked about templates."""

    def create_template(self, request: TemplateRequest) -> Template:
        """Make a template of a snapshot at either place (R-017)."""
        return self._read(queries.template, TemplateId(self._order_template(request).template))

    def _order_template(self, request: TemplateRequest) -> CreateTemplate:
        require_format(LocationType.SECONDARY, self._image_format)

        def draw_up(session: Session) -> CreateTemplate:
            found = queries.snapshot(session, request.from_snapshot)
            if found.account != request.account:
                raise NotFoundError(f"There is no snapshot {request.from_snapshot}.")
            queries.require_idle(session, volume=found.volume, kinds=EXCLUDED[CreateTemplate])
            queries.require_idle(session, snapshot=found.id)
            if found.state is not SnapshotState.BACKED_UP:
                raise ConflictError(f"Snapshot {found.id} is {found.state}; only a BackedUp one can be a template.")
            order = CreateTemplate(
                job=request.operation,
                account=request.account,
                template=self._new_uuid("template", request.operation),
                template_name=request.name,
                volume=found.volume,
                snapshot=found.id,
                size_bytes=found.size_bytes,
            )
            source = queries.restore_source(session, found.id)
            if isinstance(source, BackupSource):
                return replace(order, backup_source=source, image_store=source.image_store)
            placed = replace(order, pool=source.pool, image_store=self._image_store_for(order.template))
            if isinstance(source, VolumeSource):
                queries.require_idle(session, snapshot=found.id, cleaned_up=True)
                return replace(placed, volume_source=source)
            self._require_usable_clones(f"A template of snapshot {found.id}")
            return replace(placed, array_source=source, cluster=self._capable_cluster() or "")

        return self._carry_out(
            request.operation, CreateTemplate, draw_up, same=lambda known: known.snapshot == request.from_snapshot
        )

    def list_templates(self, account: AccountId | None = None) -> Sequence[Template]:
        """The templates that were not removed."""
        return self._read(queries.templates, account)

    def delete_template(self, operation: OperationId, template: TemplateId) -> None:
        """Delete a template's image, unless a volume is being made of it."""

        def draw_up(session: Session) -> DeleteTemplate:
            order = queries.delete_template_order(session, template, operation)
            queries.require_idle(session, template=template, cleaned_up=True)
            return order

        self._carry_out(operation, DeleteTemplate, draw_up, same=lambda known: known.template == template)
