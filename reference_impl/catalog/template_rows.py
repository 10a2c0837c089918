"""Writing templates: there as soon as their image is, and gone with it."""

from sqlalchemy import insert, select, update

from snapproof.reference_impl.catalog.image_tables import TEMPLATE_STORE_REF, VM_TEMPLATE
from snapproof.reference_impl.catalog.message_rows import MessageRows
from snapproof.reference_impl.catalog.places import store_id_of
from snapproof.reference_impl.catalog.schema import StoreRole


class TemplateRows(MessageRows):
    """The writer of templates."""

    def insert_template(
        self,
        *,
        uuid: str,
        account: str,
        name: str,
        size_bytes: int,
        path: str,
        physical_size: int,
        digest: str,
        store: str,
    ) -> None:
        """Write a template that is ready for use."""
        row = {"uuid": uuid, "unique_name": uuid, "name": name, "size": size_bytes, "created": self._now}
        self._connection.execute(insert(VM_TEMPLATE).values(account_id=self.ensure_account(account), **row))
        template_id = select(VM_TEMPLATE.c.id).where(VM_TEMPLATE.c.uuid == uuid).scalar_subquery()
        file = {"install_path": path, "size": size_bytes, "physical_size": physical_size, "digest": digest}
        self._connection.execute(
            insert(TEMPLATE_STORE_REF).values(
                template_id=template_id, store_id=store_id_of(StoreRole.IMAGE, store), created=self._now, **file
            )
        )

    def remove_template(self, uuid: str) -> None:
        """Mark a template and its file as gone; the rows stay."""
        which = VM_TEMPLATE.c.uuid == uuid
        files = TEMPLATE_STORE_REF.c.template_id.in_(select(VM_TEMPLATE.c.id).where(which))
        self._connection.execute(update(VM_TEMPLATE).where(which).values(removed=self._now, state="Inactive"))
        self._connection.execute(update(TEMPLATE_STORE_REF).where(files).values(destroyed=True, state="Destroyed"))
