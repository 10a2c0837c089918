"""Bring the tables of CloudStack 4.8 or 4.9 into our shape: columns that are new, constraints that were never written.

Nothing that is there already goes away, neither a row nor a column nor a table.
"""

from alembic import op

from snapproof.reference_impl.catalog.adopting import adopt, fill_in, forsake
from snapproof.reference_impl.catalog.columns import METADATA

revision = "0001"
down_revision = None

OURS = {
    "snapshots": ("location_type", "policy_uuid"),
    "snapshot_policy": ("location_type",),
    "snapshot_store_ref": ("digest",),
    "template_store_ref": ("digest",),
    "volumes": ("burst_iops",),
    "async_job": (
        "phase", "cursor", "facts", "version", "fence", "leased_until_ms", "instance_volume", "instance_snapshot",
        "instance_template", "not_before", "cancelled", "error", "error_kind",
    ),
}  # fmt: skip
"""The columns that no CloudStack of that age has."""


def upgrade() -> None:
    """Adopt every table that there is, and make those that there are not."""
    for table in METADATA.sorted_tables:
        fill_in(op.get_bind(), table)
        adopt(table)


def downgrade() -> None:
    """Take our columns and tables away, as CloudStack would have it; the bill stays, which nobody else has."""
    for name in ("storage_leak", "outbox"):
        op.drop_table(name)
    for name, columns in OURS.items():
        forsake(METADATA.tables[name], columns)
