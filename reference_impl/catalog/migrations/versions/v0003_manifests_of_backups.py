"""Make room for what backups are held against when they are read again. Backups that there are get theirs by and by."""

from alembic import op

from snapproof.reference_impl.catalog.adopting import adopt
from snapproof.reference_impl.catalog.columns import METADATA

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table, unless there is one."""
    adopt(METADATA.tables["backup_manifest"])


def downgrade() -> None:
    """Forget it: an older release reads backups through, or not at all."""
    op.drop_table("backup_manifest")
