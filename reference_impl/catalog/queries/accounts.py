"""Reading what an account is charged and billed, and what was told to users and operators."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from snapproof.reference_impl.catalog.ledger import USAGE_EVENT
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    OUTBOX,
    RESOURCE_COUNT,
    SECONDARY_BYTES,
    SNAPSHOT_COUNT,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    USAGE_STORAGE,
    VOLUMES,
)
from snapproof.reference_impl.core.states import CopyState
from snapproof.vocabulary import AccountId, LocationType, ResourceCounts, UsageRecord

_OF_ONE = ACCOUNT.c.account_name == bindparam("account")
_CHARGED = select(RESOURCE_COUNT.c.type, RESOURCE_COUNT.c["count"].label("charged")).join(ACCOUNT).where(_OF_ONE)
_VOLUME_BYTES = (
    select(func.coalesce(func.sum(VOLUMES.c.size), 0))
    .join(ACCOUNT, VOLUMES.c.account_id == ACCOUNT.c.id)
    .where(VOLUMES.c.removed.is_(None), _OF_ONE)
)
_SNAPSHOT_BYTES = (
    select(func.coalesce(func.sum(SNAPSHOTS.c.size), 0))
    .join(SNAPSHOT_STORE_REF, SNAPSHOT_STORE_REF.c.snapshot_id == SNAPSHOTS.c.id)
    .join(ACCOUNT, SNAPSHOTS.c.account_id == ACCOUNT.c.id)
    .where(SNAPSHOT_STORE_REF.c.store_role == "Primary", SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED, _OF_ONE)
)
_PRIMARY_BYTES = select(_VOLUME_BYTES.scalar_subquery() + _SNAPSHOT_BYTES.scalar_subquery())
_MESSAGES = select(OUTBOX.c.message).where(OUTBOX.c.topic == bindparam("topic")).order_by(OUTBOX.c.id)


@cache
def of_account(query: Select[Any], *, one: bool) -> Select[Any]:
    """Narrow a query to the account that its parameter `account` names, if it asks for one."""
    return query.where(_OF_ONE) if one else query


def resource_counts(connection: Connection, account: AccountId) -> ResourceCounts:
    """What the account is charged; nothing, if it never was."""
    rows = connection.execute(_CHARGED, {"account": account})
    counts: dict[str, int] = {row.type: row.charged for row in rows}
    return ResourceCounts(
        snapshots=counts.get(SNAPSHOT_COUNT, 0),
        secondary_storage_bytes=counts.get(SECONDARY_BYTES, 0),
        primary_storage_bytes=primary_bytes(connection, account),
    )


def primary_bytes(connection: Connection, name: AccountId) -> int:
    """What an account keeps on primary storage: its volumes, and its snapshots there, each as large as its volume."""
    return int(connection.execute(_PRIMARY_BYTES, {"account": name}).scalar_one())


def array_usage(connection: Connection) -> Sequence[UsageRecord]:
    """The time of copies on the array, oldest first: each from the event that it came to the one that it went."""
    found = select(USAGE_EVENT, ACCOUNT.c.account_name).join(ACCOUNT, USAGE_EVENT.c.account_id == ACCOUNT.c.id)
    came_or_went = USAGE_EVENT.c.type.in_(("SNAPSHOT.ON_PRIMARY", "SNAPSHOT.OFF_PRIMARY"))
    records: dict[int, UsageRecord] = {}
    there: dict[str, int] = {}
    for row in connection.execute(found.where(came_or_went).order_by(USAGE_EVENT.c.id)):
        if row.type == "SNAPSHOT.ON_PRIMARY":
            there[row.resource_name] = row.id
            records[row.id] = UsageRecord(
                account=AccountId(row.account_name),
                subject=row.resource_name,
                location=LocationType.PRIMARY,
                size_bytes=row.size,
                from_s=seconds_of(row.created),
                until_s=None,
            )
        elif row.resource_name in there:
            came = there.pop(row.resource_name)
            records[came] = replace(records[came], until_s=seconds_of(row.created))
    return list(records.values())


def usage_records(connection: Connection) -> Sequence[UsageRecord]:
    """The bill, oldest first."""
    found = select(USAGE_STORAGE, ACCOUNT.c.account_name).join(ACCOUNT).order_by(USAGE_STORAGE.c.id)
    return [
        UsageRecord(
            account=AccountId(row.account_name),
            subject=row.source_uuid,
            location=LocationType(row.location_type),
            size_bytes=row.size,
            from_s=seconds_of(row.created),
            until_s=None if row.deleted is None else seconds_of(row.deleted),
        )
        for row in connection.execute(found)
    ]


def messages(connection: Connection, topic: str) -> Sequence[str]:
    """The outbox, oldest first."""
    return list(connection.execute(_MESSAGES, {"topic": topic}).scalars())


def seconds_of(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
