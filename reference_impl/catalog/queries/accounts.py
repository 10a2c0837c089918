"""Reading what an account is charged and billed, and what was told to users and operators."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

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


def of_account(query: Select[Any], account: AccountId | None) -> Select[Any]:
    """Narrow a query to one account, if there is one."""
    return query if account is None else query.where(ACCOUNT.c.account_name == account)


def resource_counts(connection: Connection, account: AccountId) -> ResourceCounts:
    """What the account is charged; nothing, if it never was."""
    charged = select(RESOURCE_COUNT.c.type, RESOURCE_COUNT.c["count"].label("charged")).join(ACCOUNT)
    rows = connection.execute(charged.where(ACCOUNT.c.account_name == account))
    counts: dict[str, int] = {row.type: row.charged for row in rows}
    return ResourceCounts(
        snapshots=counts.get(SNAPSHOT_COUNT, 0),
        secondary_storage_bytes=counts.get(SECONDARY_BYTES, 0),
        primary_storage_bytes=primary_bytes(connection, account),
    )


def primary_bytes(connection: Connection, name: AccountId) -> int:
    """What an account keeps on primary storage: its volumes, and its snapshots there, each as large as its volume."""
    owned = (VOLUMES.c.removed.is_(None)) & (ACCOUNT.c.account_name == name)
    volumes = select(func.coalesce(func.sum(VOLUMES.c.size), 0)).join(ACCOUNT, VOLUMES.c.account_id == ACCOUNT.c.id)
    there = (SNAPSHOT_STORE_REF.c.store_role == "Primary") & (SNAPSHOT_STORE_REF.c.state != CopyState.DESTROYED)
    snapshots = (
        select(func.coalesce(func.sum(SNAPSHOTS.c.size), 0))
        .join(SNAPSHOT_STORE_REF, SNAPSHOT_STORE_REF.c.snapshot_id == SNAPSHOTS.c.id)
        .join(ACCOUNT, SNAPSHOTS.c.account_id == ACCOUNT.c.id)
        .where(there, ACCOUNT.c.account_name == name)
    )
    return int(connection.execute(volumes.where(owned)).scalar_one()) + int(connection.execute(snapshots).scalar_one())


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
    found = select(OUTBOX.c.message).where(OUTBOX.c.topic == topic).order_by(OUTBOX.c.id)
    return list(connection.execute(found).scalars())


def seconds_of(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
