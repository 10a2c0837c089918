"""What the driver tells: counts, the bill, and the messages of its outbox."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.life import Life
from snapproof.vocabulary import (
    AccountId,
    Alert,
    AuditEvent,
    PoolUse,
    ResourceCounts,
    StateChange,
    UsageEvent,
    UsageRecord,
)

MessageT = TypeVar("MessageT", Alert, AuditEvent, UsageEvent, StateChange)


class Telling(Life):
    """What can be read of what was done."""

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """What the account is charged."""
        return self._read(queries.resource_counts, account)

    def list_pools(self) -> Sequence[PoolUse]:
        """By the catalog's own rows."""
        return self._read(queries.pools, self._pools)

    def audit_events(self) -> Sequence[AuditEvent]:
        """From the outbox."""
        return self._messages("audit", AuditEvent)

    def usage_events(self) -> Sequence[UsageEvent]:
        """From the outbox."""
        return self._messages("usage", UsageEvent)

    def usage_records(self) -> Sequence[UsageRecord]:
        """The bill."""
        return self._read(queries.usage_records)

    def array_usage(self) -> Sequence[UsageRecord]:
        """As the usage server sums it up, from the events."""
        return self._read(queries.array_usage)

    def alerts(self) -> Sequence[Alert]:
        """From the outbox."""
        return self._messages("alert", Alert)

    def state_changes(self) -> Sequence[StateChange]:
        """From the outbox."""
        return self._messages("state", StateChange)

    def _messages(self, topic: str, kind: type[MessageT]) -> Sequence[MessageT]:
        return [msgspec.json.decode(text, type=kind) for text in self._read(queries.messages, topic)]
