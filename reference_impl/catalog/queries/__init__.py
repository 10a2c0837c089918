"""Reading the catalog: rows turned into the vocabulary's values, and the checks that an order's opening depends on.

Nothing here writes. This is the one door to it.
"""

from snapproof.reference_impl.catalog.queries.accounts import (
    array_usage,
    messages,
    resource_counts,
    usage_records,
)
from snapproof.reference_impl.catalog.queries.jobs import (
    owner_of_job,
    require_idle,
    running_backup,
    unfinished_clean_up,
)
from snapproof.reference_impl.catalog.queries.listed import Page, listed, tags_of
from snapproof.reference_impl.catalog.queries.manifests import Backup, backup, backups_due
from snapproof.reference_impl.catalog.queries.measures import measures
from snapproof.reference_impl.catalog.queries.orders import (
    archive_order,
    delete_order,
    has_array_snapshots,
    revert_order,
)
from snapproof.reference_impl.catalog.queries.orphans import is_orphan, is_recorded
from snapproof.reference_impl.catalog.queries.ownership import (
    account,
    accounts,
    removal_by,
    removal_of,
    removals,
    require_room,
    require_room_for_volume,
    user_of_key,
    users,
)
from snapproof.reference_impl.catalog.queries.policies import owner_of_policy, policies, require_not_ended
from snapproof.reference_impl.catalog.queries.pools import pools, require_pool_room
from snapproof.reference_impl.catalog.queries.records import recorded
from snapproof.reference_impl.catalog.queries.snapshots import restore_source, snapshot, snapshots
from snapproof.reference_impl.catalog.queries.templates import (
    delete_template_order,
    template,
    template_source,
    templates,
)
from snapproof.reference_impl.catalog.queries.volumes import (
    RemovedVolume,
    lun_of,
    pool_of,
    removed_volume,
    volume,
    volumes,
)

__all__ = [
    "Backup",
    "Page",
    "RemovedVolume",
    "account",
    "accounts",
    "archive_order",
    "array_usage",
    "backup",
    "backups_due",
    "delete_order",
    "delete_template_order",
    "has_array_snapshots",
    "is_orphan",
    "is_recorded",
    "listed",
    "lun_of",
    "measures",
    "messages",
    "owner_of_job",
    "owner_of_policy",
    "policies",
    "pool_of",
    "pools",
    "recorded",
    "removal_by",
    "removal_of",
    "removals",
    "removed_volume",
    "require_idle",
    "require_not_ended",
    "require_pool_room",
    "require_room",
    "require_room_for_volume",
    "resource_counts",
    "restore_source",
    "revert_order",
    "running_backup",
    "snapshot",
    "snapshots",
    "tags_of",
    "template",
    "template_source",
    "templates",
    "unfinished_clean_up",
    "usage_records",
    "user_of_key",
    "users",
    "volume",
    "volumes",
]
