"""Pages of what the API lists: rows with all that an answer tells, of the accounts that the caller may see.

What an answer looks like is in the API; who may see what is decided before.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, select

from snapproof.reference_impl.catalog.image_tables import TEMPLATE_STORE_REF, VM_TEMPLATE
from snapproof.reference_impl.catalog.ledger import EVENT
from snapproof.reference_impl.catalog.ownership import DOMAIN, RESOURCE_TAGS, USER
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    ASYNC_JOB,
    SNAPSHOT_POLICY,
    SNAPSHOT_SCHEDULE,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    USAGE_STORAGE,
    VOLUMES,
)
from snapproof.reference_impl.core.states import CopyState

Rows = Sequence[Mapping[str, Any]]
_OWNER = (
    ACCOUNT.c.account_name.label("account"),
    ACCOUNT.c.type.label("account_type"),
    DOMAIN.c.path.label("domain_path"),
    DOMAIN.c.uuid.label("domain_uuid"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Noun:
    """What is listed: how its rows are found, by which columns they are picked, and as what they are tagged."""

    rows: Select[Any]
    key: ColumnElement[Any]
    by: Mapping[str, ColumnElement[Any]]
    tagged: str | None = None


def _owned(*columns: Any, table: FromClause, owner: ColumnElement[Any]) -> Select[Any]:
    return (
        select(*columns, *_OWNER)
        .select_from(table)
        .join(ACCOUNT, owner == ACCOUNT.c.id)
        .outerjoin(DOMAIN, ACCOUNT.c.domain_id == DOMAIN.c.id)
    )


_LYING = (CopyState.READY, CopyState.COPYING, CopyState.DESTROYING)
_PHYSICAL = (
    select(func.max(SNAPSHOT_STORE_REF.c.physical_size))
    .where(SNAPSHOT_STORE_REF.c.snapshot_id == SNAPSHOTS.c.id, SNAPSHOT_STORE_REF.c.state.in_(_LYING))
    .scalar_subquery()
    .label("physical_size")
)

_VOLUMES = Noun(
    rows=_owned(
        *(VOLUMES.c[name] for name in ("uuid", "name", "size", "state", "created", "min_iops", "max_iops", "path")),
        table=VOLUMES,
        owner=VOLUMES.c.account_id,
    ).where(VOLUMES.c.removed.is_(None), VOLUMES.c.iscsi_name.is_not(None)),
    key=VOLUMES.c.id,
    by={"id": VOLUMES.c.uuid, "name": VOLUMES.c.name},
    tagged="Volume",
)
_SNAPSHOTS = Noun(
    rows=_owned(
        *(SNAPSHOTS.c[name] for name in ("uuid", "name", "status", "location_type", "size", "created")),
        *(SNAPSHOTS.c[name] for name in ("type_description", "policy_uuid")),
        VOLUMES.c.uuid.label("volume_uuid"),
        VOLUMES.c.name.label("volume_name"),
        VOLUMES.c.removed.label("volume_removed"),
        _PHYSICAL,
        table=SNAPSHOTS.join(VOLUMES, SNAPSHOTS.c.volume_id == VOLUMES.c.id),
        owner=SNAPSHOTS.c.account_id,
    ).where(SNAPSHOTS.c.removed.is_(None), SNAPSHOTS.c.location_type.is_not(None)),
    key=SNAPSHOTS.c.id,
    by={
        "id": SNAPSHOTS.c.uuid,
        "name": SNAPSHOTS.c.name,
        "volumeid": VOLUMES.c.uuid,
        "locationtype": SNAPSHOTS.c.location_type,
        "intervaltype": SNAPSHOTS.c.type_description,
    },
    tagged="Snapshot",
)
_POLICIES = Noun(
    rows=_owned(
        *(SNAPSHOT_POLICY.c[name] for name in ("uuid", "schedule", "timezone", "interval", "max_snaps")),
        SNAPSHOT_POLICY.c.location_type,
        VOLUMES.c.uuid.label("volume_uuid"),
        table=SNAPSHOT_POLICY.join(VOLUMES, SNAPSHOT_POLICY.c.volume_id == VOLUMES.c.id).join(
            SNAPSHOT_SCHEDULE, SNAPSHOT_SCHEDULE.c.policy_id == SNAPSHOT_POLICY.c.id
        ),
        owner=VOLUMES.c.account_id,
    ).where(SNAPSHOT_POLICY.c.active, SNAPSHOT_POLICY.c.max_snaps > 0, VOLUMES.c.removed.is_(None)),
    key=SNAPSHOT_POLICY.c.id,
    by={"id": SNAPSHOT_POLICY.c.uuid, "volumeid": VOLUMES.c.uuid},
)
_TEMPLATES = Noun(
    rows=_owned(
        *(VM_TEMPLATE.c[name] for name in ("uuid", "name", "size", "created", "format", "hypervisor_type")),
        TEMPLATE_STORE_REF.c.physical_size,
        table=VM_TEMPLATE.join(TEMPLATE_STORE_REF, TEMPLATE_STORE_REF.c.template_id == VM_TEMPLATE.c.id),
        owner=VM_TEMPLATE.c.account_id,
    ).where(VM_TEMPLATE.c.removed.is_(None)),
    key=VM_TEMPLATE.c.id,
    by={"id": VM_TEMPLATE.c.uuid, "name": VM_TEMPLATE.c.name},
    tagged="Template",
)
_EVENTS = Noun(
    rows=_owned(
        *(EVENT.c[name] for name in ("id", "type", "state", "level", "description", "created")),
        USER.c.username,
        table=EVENT.outerjoin(USER, EVENT.c.user_id == USER.c.id),
        owner=EVENT.c.account_id,
    ).where(EVENT.c.archived.is_(False)),
    key=EVENT.c.id,
    by={"type": EVENT.c.type, "level": EVENT.c.level, "state": EVENT.c.state},
)
_USAGE = Noun(
    rows=_owned(
        *(USAGE_STORAGE.c[name] for name in ("source_uuid", "location_type", "size", "created", "deleted")),
        table=USAGE_STORAGE,
        owner=USAGE_STORAGE.c.account_id,
    ),
    key=USAGE_STORAGE.c.id,
    by={"usageid": USAGE_STORAGE.c.source_uuid},
)
_JOBS = Noun(
    rows=_owned(
        *(ASYNC_JOB.c[name] for name in ("uuid", "job_cmd", "job_status", "job_result_code", "created", "error")),
        *(ASYNC_JOB.c[name] for name in ("error_kind", "instance_volume", "instance_snapshot", "instance_template")),
        *(ASYNC_JOB.c[name] for name in ("instance_type", "phase", "job_cmd_info")),
        table=ASYNC_JOB,
        owner=ASYNC_JOB.c.account_id,
    ),
    key=ASYNC_JOB.c.id,
    by={"id": ASYNC_JOB.c.uuid, "pending": ASYNC_JOB.c.job_status},
)

NOUNS: Mapping[str, Noun] = {
    "volume": _VOLUMES,
    "snapshot": _SNAPSHOTS,
    "snapshotpolicy": _POLICIES,
    "template": _TEMPLATES,
    "event": _EVENTS,
    "usagerecord": _USAGE,
    "asyncjobs": _JOBS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which of the rows that are found are wanted: so many of them, after so many others."""

    skip: int = 0
    most: int = 500


def listed(
    connection: Connection,
    noun: str,
    *,
    owners: Collection[str] | None,
    exactly: Mapping[str, object],
    keyword: str | None = None,
    tags: Mapping[str, str] | None = None,
    page: Page | None = None,
) -> tuple[int, Rows]:
    """How many rows there are, and those of the page, oldest first. `owners` is None where nothing is hidden."""
    kind, wanted = NOUNS[noun], page or Page()
    found = kind.rows
    if owners is not None:
        found = found.where(ACCOUNT.c.account_name.in_(sorted(owners)))
    for name, value in exactly.items():
        column = kind.by[name]
        found = found.where(column.in_(list(value)) if isinstance(value, list | tuple) else column == value)
    if keyword is not None and "name" in kind.by:
        found = found.where(kind.by["name"].contains(keyword, autoescape=True))
    for key, value in (tags or {}).items():
        tagged = select(RESOURCE_TAGS.c.resource_uuid).where(
            RESOURCE_TAGS.c.key == key, RESOURCE_TAGS.c.value == value, RESOURCE_TAGS.c.resource_type == kind.tagged
        )
        found = found.where(kind.by["id"].in_(tagged))
    counted = found.with_only_columns(kind.key).subquery()
    total = connection.execute(select(func.count()).select_from(counted)).scalar_one()
    rows = connection.execute(found.order_by(kind.key).offset(wanted.skip).limit(wanted.most)).mappings()
    return int(total), [dict(row) for row in rows]


def tags_of(connection: Connection, uuids: Sequence[str]) -> Mapping[str, list[tuple[str, str]]]:
    """The tags of things, by their ids, in the order of their keys."""
    found = select(RESOURCE_TAGS.c.resource_uuid, RESOURCE_TAGS.c.key, RESOURCE_TAGS.c.value)
    told: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(found.where(RESOURCE_TAGS.c.resource_uuid.in_(uuids)).order_by(RESOURCE_TAGS.c.key)):
        told.setdefault(row.resource_uuid, []).append((row.key, row.value))
    return told
