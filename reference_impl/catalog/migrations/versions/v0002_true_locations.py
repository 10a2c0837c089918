"""Say of every snapshot on managed storage that it is there: PRIMARY was the only place before there were locations.

A snapshot on other storage has no location, then and now. Volumes get the burst that CloudStack worked out each time.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

PLACES = """
    UPDATE snapshots SET location_type = 'PRIMARY'
    WHERE location_type IS NULL AND volume_id IN
        (SELECT volumes.id FROM volumes JOIN storage_pool ON volumes.pool_id = storage_pool.id
         WHERE storage_pool.managed)
"""
BURST = """
    UPDATE volumes SET burst_iops = max_iops * 3 / 2
    WHERE burst_iops IS NULL AND max_iops IS NOT NULL AND iscsi_name IS NOT NULL
"""
"""The plug-in's own factor, 1.5, which a pool may override: an array's volume keeps what it has either way."""


def upgrade() -> None:
    """Fill in what is missing; a place that is said already stays."""
    op.execute(PLACES)
    op.execute(BURST)


def downgrade() -> None:
    """Leave it: an older release reads neither column."""
