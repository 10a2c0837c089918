"""Reading templates."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.engine import Row

from snapproof.driver import NotFoundError
from snapproof.reference_impl.catalog.image_tables import IMAGE_STORE, TEMPLATE_STORE_REF, VM_TEMPLATE
from snapproof.reference_impl.catalog.queries.accounts import of_account
from snapproof.reference_impl.catalog.schema import ACCOUNT
from snapproof.reference_impl.core.orders import BackupSource, DeleteTemplate
from snapproof.vocabulary import AccountId, OperationId, Template, TemplateId

_TEMPLATES: Select[Any] = (
    select(VM_TEMPLATE.c.uuid, VM_TEMPLATE.c.name, VM_TEMPLATE.c.size, ACCOUNT.c.account_name)
    .add_columns(TEMPLATE_STORE_REF.c.install_path, TEMPLATE_STORE_REF.c.physical_size, TEMPLATE_STORE_REF.c.digest)
    .add_columns(func.coalesce(IMAGE_STORE.c.name, "").label("store_name"))
    .join(ACCOUNT, VM_TEMPLATE.c.account_id == ACCOUNT.c.id)
    .join(TEMPLATE_STORE_REF, TEMPLATE_STORE_REF.c.template_id == VM_TEMPLATE.c.id)
    .outerjoin(IMAGE_STORE, TEMPLATE_STORE_REF.c.store_id == IMAGE_STORE.c.id)
    .where(VM_TEMPLATE.c.removed.is_(None), TEMPLATE_STORE_REF.c.digest.is_not(None))
)
"""Templates whose bytes we know: an upgraded database has others as well."""

_IN_ORDER = _TEMPLATES.order_by(VM_TEMPLATE.c.id)


def templates(connection: Connection, account: AccountId | None) -> Sequence[Template]:
    """The templates that users have, oldest first."""
    found = of_account(_IN_ORDER, one=account is not None)
    return [_template(row) for row in connection.execute(found, {"account": account})]


def template(connection: Connection, uuid: TemplateId) -> Template:
    """One template. Raises NotFoundError."""
    return _template(_row(connection, uuid))


def template_source(connection: Connection, uuid: TemplateId) -> BackupSource:
    """What a volume is made of that is made of a template. Raises NotFoundError."""
    row = _row(connection, uuid)
    return BackupSource(
        path=row.install_path,
        physical_size_bytes=row.physical_size,
        digest=row.digest,
        image_store=row.store_name,
    )


def delete_template_order(connection: Connection, uuid: TemplateId, operation: OperationId) -> DeleteTemplate:
    """What deleting a template takes. Raises NotFoundError."""
    found = template(connection, uuid)
    return DeleteTemplate(
        job=operation,
        account=found.account,
        template=uuid,
        path=found.reference,
        physical_size_bytes=found.physical_size_bytes,
        image_store=found.store,
    )


def _row(connection: Connection, uuid: TemplateId) -> Row[Any]:
    row = connection.execute(_TEMPLATES.where(VM_TEMPLATE.c.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no template {uuid}.")
    return row


def _template(row: Row[Any]) -> Template:
    return Template(
        id=TemplateId(row.uuid),
        account=AccountId(row.account_name),
        name=row.name,
        size_bytes=row.size,
        reference=row.install_path,
        physical_size_bytes=row.physical_size,
        store=row.store_name,
    )
