"""Variants that are wrong about what was done, and what is to be paid for it. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import (
    AccountId,
    Alert,
    AuditEvent,
    LocationType,
    OperationId,
    Policy,
    ResourceCounts,
    UsageRecord,
    VolumeId,
)


class BillsForEver(ReferenceDriver):
    """Breaks R-181: what was deleted is paid for all the same."""

    def usage_records(self) -> Sequence[UsageRecord]:
        """End no line."""
        return [replace(line, until_s=None) for line in super().usage_records()]


class CriesWolf(ReferenceDriver):
    """Breaks R-056: whatever it deletes itself, it is alarmed that it is gone."""

    def alerts(self) -> Sequence[Alert]:
        """One more for each deletion."""
        gone = [event.subject for event in self.audit_events() if event.type == "SNAPSHOT.DELETE"]
        return [*super().alerts(), *(Alert(subject=subject, text="The array copy is gone.") for subject in gone)]


class TellsRunsTwice(ReferenceDriver):
    """Breaks R-054: each run of a policy stands in the audit twice, as by two servers."""

    def audit_events(self) -> Sequence[AuditEvent]:
        """Repeat what policies did."""
        events = super().audit_events()
        runs = [event for event in events if event.policy is not None]
        return [*events, *(replace(event, operation=OperationId(f"{event.operation}/2")) for event in runs)]


class HidesWhoDeleted(ReferenceDriver):
    """Breaks R-074: the audit does not tell that a deletion was a policy's."""

    def audit_events(self) -> Sequence[AuditEvent]:
        """Leave the policy out."""
        return [
            replace(event, policy=None) if event.type == "SNAPSHOT.DELETE" else event
            for event in super().audit_events()
        ]


class TellsLocalTime(ReferenceDriver):
    """Breaks R-128: when a policy runs next is told by the clock of the office."""

    def list_policies(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """Two hours ahead."""
        office = timezone(timedelta(hours=2))
        return [
            replace(row, next_run=datetime.fromisoformat(row.next_run).astimezone(office).isoformat())
            for row in super().list_policies(volume)
        ]


class ChargesVolumesAlone(ReferenceDriver):
    """Breaks R-049: what an account is charged on primary storage is its volumes, and none of its snapshots there."""

    def resource_counts(self, account: AccountId) -> ResourceCounts:
        """Take the snapshots off."""
        held = [row for row in self.list_snapshots(account) if row.location is LocationType.PRIMARY]
        counts = super().resource_counts(account)
        return replace(counts, primary_storage_bytes=counts.primary_storage_bytes - sum(row.size_bytes for row in held))
