"""What is written about a template that is made or deleted."""

from snapproof.reference_impl.catalog.schema import SECONDARY_BYTES
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.names import template_path
from snapproof.reference_impl.core.orders import CreateTemplate, DeleteTemplate
from snapproof.reference_impl.recording.recorder import Recorder, of_template, usage
from snapproof.vocabulary import LocationType


def succeed_create_template(tx: Transaction, order: CreateTemplate, facts: Facts) -> None:
    """The template exists for users from here on, and its bytes are charged."""
    physical_size = int(facts["physical_size"])
    tx.insert_template(
        uuid=order.template,
        account=order.account,
        name=order.template_name,
        size_bytes=order.size_bytes,
        path=template_path(order.account, order.template),
        physical_size=physical_size,
        digest=str(facts["digest"]),
        store=order.image_store,
    )
    tx.count(order.account, SECONDARY_BYTES, physical_size)
    tx.usage(usage("TEMPLATE.CREATE", order.account, order.template, physical_size, LocationType.SECONDARY))


def succeed_delete_template(tx: Transaction, order: DeleteTemplate, _facts: Facts) -> None:
    """It is gone: give back what was charged."""
    tx.remove_template(order.template)
    tx.count(order.account, SECONDARY_BYTES, -order.physical_size_bytes)
    tx.usage(usage("TEMPLATE.DELETE", order.account, order.template, 0, LocationType.SECONDARY))


CREATE = Recorder(audit="TEMPLATE.CREATE", subject=of_template, succeed=succeed_create_template)

DELETE = Recorder(audit="TEMPLATE.DELETE", subject=of_template, succeed=succeed_delete_template)
