"""The tables, under CloudStack's names. `job_step`, `outbox` and `storage_leak` are ours: what makes a step provable.

Columns that nothing here reads or writes yet are not declared; rows of an older CloudStack keep them.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from snapproof.reference_impl.core.states import CopyState, VolumeState
from snapproof.vocabulary import LocationType, SnapshotState

METADATA = MetaData()

SNAPSHOT_COUNT = "snapshot"
SECONDARY_BYTES = "secondary_storage"
"""What accounts are charged for: the values of resource_count.type."""

_KEY = BigInteger().with_variant(Integer, "sqlite")


def _one_of(
    column: str, values: type[SnapshotState] | type[CopyState] | type[VolumeState] | type[LocationType]
) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(value)) for value in values)})")


ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("account_name", String(100), nullable=False, unique=True),
)

VOLUMES = Table(
    "volumes",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("uuid", String(40), nullable=False, unique=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("name", String(255), nullable=False),
    Column("folder", String(255), nullable=False, doc="the array's id of the LUN"),
    Column("iscsi_name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False, doc="guest-visible bytes"),
    Column("min_iops", BigInteger, nullable=False),
    Column("max_iops", BigInteger, nullable=False),
    Column("burst_iops", BigInteger, nullable=False),
    Column("state", String(32), nullable=False, server_default=VolumeState.READY),
    Column("created", DateTime, nullable=False),
    Column("removed", DateTime),
    _one_of("state", VolumeState),
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("uuid", String(40), nullable=False, unique=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("volume_id", ForeignKey("volumes.id"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("status", String(32), nullable=False),
    Column("location_type", String(32)),
    Column("policy_uuid", String(40), index=True, doc="CloudStack has snapshot_policy_ref"),
    Column("size", BigInteger, nullable=False, doc="guest-visible bytes"),
    Column("created", DateTime, nullable=False),
    Column("removed", DateTime),
    _one_of("status", SnapshotState),
    _one_of("location_type", LocationType),
)

SNAPSHOT_POLICY = Table(
    "snapshot_policy",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("uuid", String(40), nullable=False, unique=True),
    Column("volume_id", ForeignKey("volumes.id"), nullable=False, index=True),
    Column("schedule", String(100), nullable=False),
    Column("timezone", String(100), nullable=False),
    Column("interval", String(16), nullable=False, doc="CloudStack keeps a number"),
    Column("max_snaps", Integer, nullable=False),
    Column("location_type", String(32), nullable=False, doc="CloudStack has no such column"),
    Column("next_run", BigInteger, nullable=False, doc="seconds; CloudStack keeps it in snapshot_schedule"),
    Column("removed", DateTime),
    _one_of("location_type", LocationType),
)

SNAPSHOT_STORE_REF = Table(
    "snapshot_store_ref",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("snapshot_id", ForeignKey("snapshots.id"), nullable=False, index=True),
    Column("store_role", String(16), nullable=False, doc="Primary or Image"),
    Column("install_path", String(255), nullable=False),
    Column("physical_size", BigInteger, nullable=False),
    Column(
        "digest", String(80), doc="digest of the backup, with the name of its algorithm; CloudStack has no such column"
    ),
    Column("state", String(32), nullable=False),
    UniqueConstraint("snapshot_id", "store_role"),
    CheckConstraint("store_role IN ('Primary', 'Image')"),
    _one_of("state", CopyState),
)

RESOURCE_COUNT = Table(
    "resource_count",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("type", String(64), nullable=False),
    Column("count", BigInteger, nullable=False),
    UniqueConstraint("account_id", "type"),
)

USAGE_STORAGE = Table(
    "usage_storage",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("source_uuid", String(40), nullable=False, index=True, doc="CloudStack has the number source_id"),
    Column("location_type", String(32), nullable=False, doc="CloudStack has storage_type, 3 for every snapshot"),
    Column("size", BigInteger, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("deleted", DateTime),
    _one_of("location_type", LocationType),
)

ASYNC_JOB = Table(
    "async_job",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("uuid", String(80), nullable=False, unique=True, doc="the caller's operation id"),
    Column("job_cmd", String(64), nullable=False),
    Column("job_cmd_info", Text, nullable=False, doc="the order, without any secret"),
    Column("phase", String(16), nullable=False),
    Column("cursor", Integer, nullable=False, doc="steps done; the step at this place may have begun"),
    Column("facts", Text, nullable=False),
    Column("version", Integer, nullable=False, doc="compare-and-swap guard"),
    Column("instance_volume", String(40), nullable=False, index=True),
    Column("instance_snapshot", String(40), index=True),
    Column("not_before", DateTime, doc="nobody touches the job earlier"),
    Column("cancelled", DateTime, doc="when somebody asked for its end"),
    Column("error", Text),
    Column("error_kind", String(64)),
    Column("created", DateTime, nullable=False),
    Column("last_updated", DateTime, nullable=False),
)

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("topic", String(16), nullable=False, doc="audit, usage or state"),
    Column("message", Text, nullable=False),
)

STORAGE_LEAK = Table(
    "storage_leak",
    METADATA,
    Column("id", _KEY, primary_key=True),
    Column("job_id", ForeignKey("async_job.id"), nullable=False, unique=True),
    Column("reason", Text, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("cleared", DateTime),
)
