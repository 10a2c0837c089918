"""Reading policies."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from snapproof.driver import NotFoundError
from snapproof.reference_impl.catalog.schema import ACCOUNT, INTERVALS, SNAPSHOT_POLICY, SNAPSHOT_SCHEDULE, VOLUMES
from snapproof.vocabulary import AccountId, LocationType, Policy, PolicyId, VolumeId

_OF_A_POLICY = ("uuid", "interval", "schedule", "timezone", "max_snaps", "location_type")

_POLICIES: Select[Any] = (
    select(*(SNAPSHOT_POLICY.c[name] for name in _OF_A_POLICY), SNAPSHOT_SCHEDULE.c.scheduled_timestamp)
    .add_columns(VOLUMES.c.uuid.label("volume_uuid"))
    .join(SNAPSHOT_SCHEDULE, SNAPSHOT_SCHEDULE.c.policy_id == SNAPSHOT_POLICY.c.id)
    .join(VOLUMES, SNAPSHOT_POLICY.c.volume_id == VOLUMES.c.id)
    .where(SNAPSHOT_POLICY.c.active, SNAPSHOT_POLICY.c.max_snaps > 0)
    .where(SNAPSHOT_POLICY.c.interval.between(0, len(INTERVALS) - 1))
    .where(VOLUMES.c.removed.is_(None), VOLUMES.c.iscsi_name.is_not(None))
)
"""CloudStack's own policies too, if for managed storage. Its defaults for interval and number say nothing."""

_NARROWED = {
    "volume": VOLUMES.c.uuid == bindparam("volume"),
    "policy": SNAPSHOT_POLICY.c.uuid == bindparam("policy"),
    "due": SNAPSHOT_SCHEDULE.c.scheduled_timestamp <= bindparam("due"),
}


def owner_of_policy(connection: Connection, uuid: PolicyId) -> AccountId:
    """Whose volume a policy is about. Raises NotFoundError."""
    found = _POLICIES.join(ACCOUNT, VOLUMES.c.account_id == ACCOUNT.c.id).where(SNAPSHOT_POLICY.c.uuid == uuid)
    row = connection.execute(found.add_columns(ACCOUNT.c.account_name)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no snapshot policy {uuid}.")
    return AccountId(row.account_name)


def require_not_ended(connection: Connection, uuid: str) -> None:
    """Refuse to bring a policy back that somebody ended: its row stays, and its id is taken. Raises NotFoundError."""
    if connection.execute(select(SNAPSHOT_POLICY.c.id).where(SNAPSHOT_POLICY.c.uuid == uuid)).first() is not None:
        raise NotFoundError(f"Snapshot policy {uuid}, which this operation made, is in force no longer.")


def policies(
    connection: Connection,
    volume: VolumeId | None = None,
    *,
    policy: PolicyId | None = None,
    due: datetime | None = None,
) -> Sequence[Policy]:
    """The policies in force, oldest first; those `due` by a moment in the order of their slots.

    One of CloudStack's names no place: PRIMARY was the only one.
    """
    asked = {"volume": volume, "policy": policy, "due": due}
    given = {name: value for name, value in asked.items() if value is not None}
    return [
        Policy(
            id=PolicyId(row.uuid),
            volume=VolumeId(row.volume_uuid),
            interval=INTERVALS[row.interval],
            schedule=row.schedule,
            timezone=row.timezone,
            keep_max=row.max_snaps,
            location=LocationType(row.location_type or LocationType.PRIMARY),
            next_run=row.scheduled_timestamp.replace(tzinfo=UTC).isoformat(),
        )
        for row in connection.execute(_narrowed(*given), given)
    ]


@cache
def _narrowed(*given: str) -> Select[Any]:
    by_slot = (SNAPSHOT_SCHEDULE.c.scheduled_timestamp,) if "due" in given else ()
    return _POLICIES.where(*(_NARROWED[name] for name in given)).order_by(*by_slot, SNAPSHOT_POLICY.c.id)
