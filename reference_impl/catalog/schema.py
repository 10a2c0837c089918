"""The tables of volumes, snapshots and jobs, under CloudStack's names; what happened is told in ledger.py.

Declared are the columns that are read or written here, or that an older release reads: it must find what it expects in
rows that we wrote, hence their defaults. What else an upgraded database has is left as it is. `outbox`,
`storage_leak` and `backup_manifest` are ours, and so are the columns of `async_job` that make a step provable.
A change here needs a migration (docs/upgrading.md).
"""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, DateTime, ForeignKey, Index, Integer, UniqueConstraint, false, true

from snapproof.reference_impl.catalog.columns import KEY, UNSIGNED, Prose, Words, one_of, table
from snapproof.reference_impl.core.schedules import Interval
from snapproof.reference_impl.core.states import CopyState, VolumeState
from snapproof.vocabulary import LocationType, SnapshotState

SNAPSHOT_COUNT = "snapshot"
SECONDARY_BYTES = "secondary_storage"
PRIMARY_BYTES = "primary_storage"
"""What accounts are charged for: the values of resource_count.type, and what they have limits of."""

INTERVALS = (Interval.HOURLY, Interval.DAILY, Interval.WEEKLY, Interval.MONTHLY)
"""The values of snapshot_policy.interval, counted from nought."""

TYPE_OF_FIRST_INTERVAL = 3
"""The value of snapshots.snapshot_type for what an hourly policy took; the other intervals follow."""


class StoreRole(StrEnum):
    """Which kind of store a copy is in. ImageCache is CloudStack's staging; nothing here makes such a row."""

    PRIMARY = "Primary"
    IMAGE = "Image"
    IMAGE_CACHE = "ImageCache"


ACCOUNT = table(
    "account",
    Column("id", KEY, primary_key=True),
    Column("account_name", Words(100), nullable=False),
    Column("uuid", Words(40)),
    Column("type", Integer, nullable=False, server_default="0", doc="0 user, 1 root, 2 domain, 4 reader, 5 project"),
    Column("role_id", UNSIGNED, doc="where the type alone does not tell"),
    Column("domain_id", UNSIGNED, nullable=False, server_default="1"),
    Column("state", Words(10), nullable=False, server_default="enabled"),
    Column("removed", DateTime),
    Column("cleanup_needed", Boolean, nullable=False, server_default=false(), doc="its things are being deleted"),
    UniqueConstraint("account_name", name="uc_account__account_name"),
    UniqueConstraint("uuid", name="uc_account__uuid"),
)

STORAGE_POOL = table(
    "storage_pool",
    Column("id", KEY, primary_key=True),
    Column("name", Words(255)),
    Column("uuid", Words(255)),
    Column("pool_type", Words(32), nullable=False),
    Column("capacity_bytes", UNSIGNED),
    Column("used_bytes", UNSIGNED),
    Column("capacity_iops", UNSIGNED),
    Column("storage_provider_name", Words(255)),
    Column("managed", Boolean, nullable=False, server_default=false(), doc="one LUN for each volume"),
    Column("removed", DateTime),
    UniqueConstraint("uuid", name="uc_storage_pool__uuid"),
)

VOLUMES = table(
    "volumes",
    Column("id", KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id", name="fk_volumes__account_id"), nullable=False),
    Column("domain_id", UNSIGNED, nullable=False, server_default="1"),
    Column("data_center_id", UNSIGNED, nullable=False, server_default="1"),
    Column("pool_id", ForeignKey("storage_pool.id", name="fk_volumes__pool_id")),
    Column("name", Words(255)),
    Column("uuid", Words(40), nullable=False),
    Column("size", UNSIGNED, doc="guest-visible bytes"),
    Column("folder", Words(255), doc="the array's id of the LUN"),
    Column("path", Words(255)),
    Column("pool_type", Words(64)),
    Column("iscsi_name", Words(255), doc="/target/0; nothing for a volume that is not a LUN of its own"),
    Column("hv_ss_reserve", UNSIGNED),
    Column("min_iops", UNSIGNED),
    Column("max_iops", UNSIGNED),
    Column("burst_iops", UNSIGNED, doc="CloudStack works it out from max_iops instead"),
    # Unchecked: an upgraded database has volumes in states of CloudStack's that nobody here walks through.
    Column("state", Words(32), server_default=VolumeState.READY),
    Column("created", DateTime),
    Column("removed", DateTime),
    UniqueConstraint("uuid", name="uc_volumes__uuid"),
    Index("i_volumes__account_id", "account_id"),
)

VOLUME_DETAILS = table(
    "volume_details",
    Column("id", KEY, primary_key=True),
    Column("volume_id", ForeignKey("volumes.id", name="fk_volume_details__volume_id"), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("value", Words(1024), nullable=False),
    Column("display", Boolean, nullable=False, server_default=true()),
    Index("i_volume_details__volume_id", "volume_id"),
)

SNAPSHOTS = table(
    "snapshots",
    Column("id", KEY, primary_key=True),
    Column("data_center_id", UNSIGNED, nullable=False, server_default="1"),
    Column("account_id", ForeignKey("account.id", name="fk_snapshots__account_id"), nullable=False),
    Column("domain_id", UNSIGNED, nullable=False, server_default="1"),
    Column("volume_id", ForeignKey("volumes.id", name="fk_snapshots__volume_id"), nullable=False),
    Column("disk_offering_id", UNSIGNED, nullable=False, server_default="1"),
    Column("status", Words(32), nullable=False),
    Column("path", Words(255)),
    Column("name", Words(255), nullable=False),
    Column("uuid", Words(40), nullable=False),
    Column("snapshot_type", Integer, nullable=False, server_default="0", doc="0 manual, 3 and more by policy"),
    Column("type_description", Words(25), server_default="MANUAL"),
    Column("size", UNSIGNED, nullable=False, doc="guest-visible bytes"),
    Column("created", DateTime),
    Column("removed", DateTime),
    Column("backup_snap_id", Words(255)),
    Column("prev_snap_id", UNSIGNED),
    Column("hypervisor_type", Words(32), nullable=False, server_default="XenServer"),
    Column("version", Words(32), server_default="2.2"),
    Column("min_iops", UNSIGNED),
    Column("max_iops", UNSIGNED),
    Column("location_type", Words(32), doc="since 4.10; nothing where the storage is not managed"),
    Column("policy_uuid", Words(40), doc="which policy it is of, even when that is gone; CloudStack goes by the type"),
    UniqueConstraint("uuid", name="uc_snapshots__uuid"),
    one_of("status", SnapshotState, of="snapshots"),
    one_of("location_type", LocationType, of="snapshots"),
    Index("i_snapshots__account_id", "account_id"),
    Index("i_snapshots__volume_id", "volume_id"),
)

KEY_DETAIL = "backupEncryptionKeyId"
"""The detail that names the key by which a backup is encrypted at rest."""

SNAPSHOT_DETAILS = table(
    "snapshot_details",
    Column("id", KEY, primary_key=True),
    Column("snapshot_id", ForeignKey("snapshots.id", name="fk_snapshot_details__snapshot_id"), nullable=False),
    Column("name", Words(255), nullable=False),
    Column("value", Words(255), nullable=False),
    Column("display", Boolean, nullable=False, server_default=true()),
    Index("i_snapshot_details__snapshot_id", "snapshot_id"),
)

SNAPSHOT_STORE_REF = table(
    "snapshot_store_ref",
    Column("id", KEY, primary_key=True),
    Column("store_id", UNSIGNED, nullable=False, server_default="1", doc="a pool or an image store: the role tells"),
    Column("store_role", Words(16), nullable=False),
    Column("snapshot_id", ForeignKey("snapshots.id", name="fk_snapshot_store_ref__snapshot_id"), nullable=False),
    Column("volume_id", UNSIGNED),
    Column("parent_snapshot_id", UNSIGNED, server_default="0", doc="0: a copy is whole by itself"),
    Column("install_path", Words(255)),
    Column("size", UNSIGNED),
    Column("physical_size", UNSIGNED, server_default="0"),
    Column("digest", Words(80), doc="with the name of its algorithm; CloudStack has no such column"),
    Column("state", Words(32), nullable=False),
    Column("update_count", UNSIGNED, nullable=False, server_default="0"),
    Column("ref_cnt", UNSIGNED, nullable=False, server_default="0"),
    Column("job_id", Words(255)),
    Column("created", DateTime),
    Column("updated", DateTime),
    Column("last_updated", DateTime),
    UniqueConstraint("snapshot_id", "store_role", "store_id", name="uc_snapshot_store_ref__place"),
    one_of("store_role", StoreRole, of="snapshot_store_ref"),
    one_of("state", CopyState, of="snapshot_store_ref"),
    Index("i_snapshot_store_ref__snapshot_id", "snapshot_id"),
)

SNAPSHOT_POLICY = table(
    "snapshot_policy",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(40), nullable=False),
    Column("volume_id", ForeignKey("volumes.id", name="fk_snapshot_policy__volume_id"), nullable=False),
    Column("schedule", Words(100), nullable=False),
    Column("timezone", Words(100), nullable=False),
    Column("interval", Integer, nullable=False, server_default="4", doc="0 hourly, 1 daily, 2 weekly, 3 monthly"),
    Column("max_snaps", Integer, nullable=False, server_default="0"),
    Column("active", Boolean, nullable=False, server_default=true(), doc="false: ended"),
    Column("display", Boolean, nullable=False, server_default=true()),
    Column("location_type", Words(32), doc="where its snapshots go; no CloudStack has this column"),
    UniqueConstraint("uuid", name="uc_snapshot_policy__uuid"),
    one_of("location_type", LocationType, of="snapshot_policy"),
    Index("i_snapshot_policy__volume_id", "volume_id"),
)

SNAPSHOT_SCHEDULE = table(
    "snapshot_schedule",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(40), nullable=False),
    Column("volume_id", ForeignKey("volumes.id", name="fk_snapshot_schedule__volume_id"), nullable=False),
    Column("policy_id", ForeignKey("snapshot_policy.id", name="fk_snapshot_schedule__policy_id"), nullable=False),
    Column("scheduled_timestamp", DateTime, nullable=False, doc="the next run, in UTC"),
    Column("async_job_id", UNSIGNED),
    Column("snapshot_id", UNSIGNED),
    UniqueConstraint("uuid", name="uc_snapshot_schedule__uuid"),
    UniqueConstraint("volume_id", "policy_id", name="uc_snapshot_schedule__volume_policy"),
)

RESOURCE_COUNT = table(
    "resource_count",
    Column("id", KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id", name="fk_resource_count__account_id")),
    Column("domain_id", UNSIGNED, doc="a row counts for an account or for a domain"),
    Column("type", Words(255)),
    Column("count", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("type", "account_id", name="uc_resource_count__type_account"),
)

USAGE_STORAGE = table(
    "usage_storage",
    Column("id", KEY, primary_key=True),
    Column("account_id", ForeignKey("account.id", name="fk_usage_storage__account_id"), nullable=False),
    Column("source_uuid", Words(40), nullable=False, doc="CloudStack has the number source_id"),
    Column("location_type", Words(32), nullable=False, doc="CloudStack has storage_type, 3 for every snapshot"),
    Column("size", UNSIGNED, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("deleted", DateTime),
    one_of("location_type", LocationType, of="usage_storage"),
    Index("i_usage_storage__source_uuid", "source_uuid"),
)

ASYNC_JOB = table(
    "async_job",
    Column("id", KEY, primary_key=True),
    Column("uuid", Words(80), nullable=False, doc="the caller's operation id"),
    Column("user_id", UNSIGNED, nullable=False, server_default="1"),
    Column("account_id", UNSIGNED, nullable=False, server_default="1"),
    Column("job_cmd", Words(255), nullable=False),
    Column("job_cmd_info", Prose, doc="the order, without any secret"),
    Column("job_status", Integer, nullable=False, server_default="0", doc="0 on its way, 1 done, 2 failed"),
    Column("job_result_code", Integer, nullable=False, server_default="0"),
    Column("job_result", Prose),
    Column("instance_type", Words(64)),
    Column("instance_id", UNSIGNED),
    Column("job_init_msid", UNSIGNED, doc="the management server that opened it"),
    Column("job_complete_msid", UNSIGNED, doc="the one that ended it"),
    Column("job_executing_msid", UNSIGNED, doc="the one that holds its lease"),
    Column("created", DateTime),
    Column("last_updated", DateTime),
    Column("removed", DateTime),
    Column("phase", Words(16), doc="nothing for a job that an older release carries out"),
    Column("cursor", Integer, nullable=False, server_default="0", doc="steps done; the one here may have begun"),
    Column("facts", Prose),
    Column("version", Integer, nullable=False, server_default="0", doc="compare-and-swap guard"),
    Column("fence", Integer, nullable=False, server_default="0", doc="how many lives have held the lease so far"),
    Column("leased_until_ms", BigInteger, nullable=False, server_default="0", doc="milliseconds since the epoch"),
    Column("instance_volume", Words(40)),
    Column("instance_snapshot", Words(40)),
    Column("instance_template", Words(40)),
    Column("not_before", DateTime, doc="nobody touches the job earlier"),
    Column("cancelled", DateTime, doc="when somebody asked for its end"),
    Column("error", Prose),
    Column("error_kind", Words(64)),
    UniqueConstraint("uuid", name="uc_async_job__uuid"),
    Index("i_async_job__instance_volume", "instance_volume"),
    Index("i_async_job__instance_snapshot", "instance_snapshot"),
    Index("i_async_job__phase", "phase"),
)

OUTBOX = table(
    "outbox",
    Column("id", KEY, primary_key=True),
    Column("topic", Words(16), nullable=False, doc="audit, usage or state"),
    Column("message", Prose, nullable=False),
    Column("created", DateTime),
    Index("i_outbox__created", "created"),
)

STORAGE_LEAK = table(
    "storage_leak",
    Column("id", KEY, primary_key=True),
    Column("job_id", ForeignKey("async_job.id", name="fk_storage_leak__job_id"), nullable=False),
    Column("reason", Prose, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("cleared", DateTime),
    UniqueConstraint("job_id", name="uc_storage_leak__job_id"),
)

BACKUP_MANIFEST = table(
    "backup_manifest",
    Column("id", KEY, primary_key=True),
    Column("snapshot_id", ForeignKey("snapshots.id", name="fk_backup_manifest__snapshot_id"), nullable=False),
    Column("chunk_bytes", UNSIGNED, nullable=False),
    Column("digests", Prose, nullable=False, doc="of each chunk, one behind the other; nothing for an older backup"),
    Column("verified", DateTime, doc="when chunks were last read again"),
    Column("damage", Prose, doc="what was found then; nothing while all is as it was written"),
    UniqueConstraint("snapshot_id", name="uc_backup_manifest__snapshot_id"),
)
