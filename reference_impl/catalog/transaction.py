"""What can be written in one transaction: jobs, snapshots, copies, volumes, counts, and the messages that go with them.

Every state change walks the tables of core/states.py and puts its message into the outbox beside it. Nothing here
commits.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, delete, insert, select, update
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.engines import locked, terms_of
from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.ledger import EVENT, USAGE_EVENT
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    ASYNC_JOB,
    INTERVALS,
    OUTBOX,
    RESOURCE_COUNT,
    SNAPSHOT_POLICY,
    SNAPSHOT_SCHEDULE,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    STORAGE_LEAK,
    TYPE_OF_FIRST_INTERVAL,
    USAGE_STORAGE,
    VOLUMES,
)
from snapproof.reference_impl.catalog.store import Job, OvertakenError, Phase
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import Order
from snapproof.reference_impl.core.schedules import Interval
from snapproof.reference_impl.core.states import (
    COPY_TRANSITIONS,
    SNAPSHOT_TRANSITIONS,
    VOLUME_TRANSITIONS,
    CopyEvent,
    CopyState,
    SnapshotEvent,
    VolumeEvent,
    VolumeState,
    advance,
)
from snapproof.vocabulary import Alert, AuditEvent, PolicyRequest, Qos, SnapshotState, StateChange, UsageEvent

_SNAPSHOTS = select(SNAPSHOTS.c.id, SNAPSHOTS.c.volume_id, SNAPSHOTS.c.status, SNAPSHOTS.c.size)
_LEASES = select(ASYNC_JOB.c.job_executing_msid, ASYNC_JOB.c.leased_until_ms, ASYNC_JOB.c.fence).add_columns(
    ASYNC_JOB.c.version, ASYNC_JOB.c.phase, ASYNC_JOB.c.cursor, ASYNC_JOB.c.facts
)

STATUS: Mapping[Phase, int] = {Phase.RUNNING: 0, Phase.UNDOING: 0, Phase.CLEANING: 1, Phase.DONE: 1, Phase.FAILED: 2}
"""CloudStack's async_job.job_status of a job in each phase."""

FAILED_CODE = 530
"""CloudStack's code of a job that failed for an internal reason."""


class Transaction:
    """The writer of one transaction. `now` is the one time that all its rows carry."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._accounts: dict[str, int] = {}

    def open_job(
        self,
        order: Order,
        *,
        volume: str,
        snapshot: str | None,
        phase: Phase = Phase.RUNNING,
        cursor: int = 0,
        facts: Facts = MappingProxyType({}),
        delay_s: float = 0,
    ) -> None:
        """Write down an order; from now on the job exists and will be brought to an end. Raises OvertakenError."""
        row = {
            "uuid": order.job,
            "account_id": self.ensure_account(order.account),
            "job_cmd": type(order).__name__,
            "job_cmd_info": msgspec.json.encode(order).decode(),
            "phase": phase,
            "cursor": cursor,
            "facts": msgspec.json.encode(dict(facts)).decode(),
            "fence": 1,
            "job_init_msid": terms_of(self._connection).node,
            **({} if delay_s else self._lease()),  # what is put off is anybody's when its time comes
            "instance_type": "Volume" if snapshot is None else "Snapshot",
            "not_before": self._now + timedelta(seconds=delay_s) if delay_s else None,
            "instance_volume": volume,
            "instance_snapshot": snapshot,
            "created": self._now,
            "last_updated": self._now,
        }
        if not insert_unless_there(self._connection, ASYNC_JOB, row):
            raise OvertakenError(f"Job {order.job} was opened by somebody else.")

    def advance_job(self, job: Job, phase: Phase, cursor: int, facts: Facts, error: Exception | None) -> None:
        """Move a job on, if nobody else has since `job` was read. Raises OvertakenError."""
        values: dict[str, Any] = {"phase": phase, "cursor": cursor, "facts": msgspec.json.encode(facts).decode()}
        values |= self._lease() | {"job_status": STATUS[phase]}
        if STATUS[phase]:
            values |= {"job_complete_msid": terms_of(self._connection).node}
        if error is not None:
            values |= {"error": str(error), "error_kind": type(error).__name__, "job_result_code": FAILED_CODE}
        moved = self._connection.execute(
            update(ASYNC_JOB)
            .where(ASYNC_JOB.c.id == job.id, ASYNC_JOB.c.version == job.version)
            .values(version=job.version + 1, last_updated=self._now, **values)
        )
        if moved.rowcount != 1:
            raise OvertakenError(f"Job {job.uuid} is no longer at version {job.version}.")

    def cancel_job(self, uuid: str) -> None:
        """Ask for the end of a job. Whoever runs it learns it at his next wait; he is not overtaken."""
        which = ASYNC_JOB.c.uuid == uuid
        self._connection.execute(update(ASYNC_JOB).where(which).values(cancelled=self._now, not_before=None))

    def take_over(self, job: Job) -> Job:
        """Hold a job's lease from now on: one that ran out, or one that an earlier life of this server held.

        Whoever held it meets the new fence before its next external call. Raises OvertakenError while another server
        holds the lease, or when somebody was faster.
        """
        row = self._connection.execute(locked(self._connection, _LEASES.where(ASYNC_JOB.c.id == job.id))).one()
        terms = terms_of(self._connection)
        if row.job_executing_msid not in {None, terms.node} and row.leased_until_ms > self._now_ms:
            raise OvertakenError(f"Job {job.uuid} is carried out by management server {row.job_executing_msid}.")
        if row.version < job.version or row.phase != job.phase:
            raise OvertakenError(f"Job {job.uuid} is no longer at version {job.version}.")
        held = replace(job, version=row.version + 1, fence=row.fence + 1, cursor=row.cursor, facts=_facts(row))
        values = {"version": held.version, "fence": held.fence, **self._lease()}
        self._connection.execute(update(ASYNC_JOB).where(ASYNC_JOB.c.id == job.id).values(values))
        return held

    def keep(self, job: Job) -> None:
        """Let the lease of a job run on from now. Raises OvertakenError if somebody else holds it."""
        held = (ASYNC_JOB.c.id == job.id) & (ASYNC_JOB.c.fence == job.fence)
        if self._connection.execute(update(ASYNC_JOB).where(held).values(self._lease())).rowcount != 1:
            raise OvertakenError(f"Job {job.uuid} is carried out by another life.")

    def record_leak(self, job: Job, subject: str, reason: str) -> None:
        """Say openly that a job could not clean up, with one alert; recording it again changes the reason only."""
        known = self._connection.execute(select(STORAGE_LEAK.c.id).where(STORAGE_LEAK.c.job_id == job.id)).scalar()
        if known is None:
            values = {"job_id": job.id, "reason": reason, "created": self._now}
            self._connection.execute(insert(STORAGE_LEAK).values(values))
            self.alert(Alert(subject=subject, text=f"Job {job.uuid} could not clean up yet: {reason}"))
        else:
            self._connection.execute(update(STORAGE_LEAK).where(STORAGE_LEAK.c.id == known).values(reason=reason))

    def clear_leak(self, job: Job) -> None:
        """The job has cleaned up after all."""
        leak = (STORAGE_LEAK.c.job_id == job.id) & STORAGE_LEAK.c.cleared.is_(None)
        self._connection.execute(update(STORAGE_LEAK).where(leak).values(cleared=self._now))

    def ensure_account(self, name: str) -> int:
        """Find or make an account row."""
        if name not in self._accounts:
            which = select(ACCOUNT.c.id).where(ACCOUNT.c.account_name == name)
            known = self._connection.execute(which).scalar()
            if known is None:
                insert_unless_there(self._connection, ACCOUNT, {"account_name": name})
                known = self._connection.execute(which).scalar_one()
            self._accounts[name] = int(known)
        return self._accounts[name]

    def insert_volume(
        self, *, uuid: str, account: str, name: str, lun_id: int, target: str, size_bytes: int, qos: Qos
    ) -> None:
        """Write a volume that is ready for use."""
        self._connection.execute(
            insert(VOLUMES).values(
                uuid=uuid,
                account_id=self.ensure_account(account),
                name=name,
                folder=str(lun_id),
                iscsi_name=f"/{target}/0",
                size=size_bytes,
                min_iops=qos.min_iops,
                max_iops=qos.max_iops,
                burst_iops=qos.burst_iops,
                created=self._now,
            )
        )

    def move_volume(self, uuid: str, event: VolumeEvent, *, size_bytes: int | None = None) -> None:
        """Walk a volume along its state table. Raises IllegalTransitionError."""
        which = VOLUMES.c.uuid == uuid
        found = locked(self._connection, select(VOLUMES.c.state).where(which))
        state = VolumeState(self._connection.execute(found).scalar_one())
        sized = {} if size_bytes is None else {"size": size_bytes}
        moved = advance(VOLUME_TRANSITIONS, state, event)
        self._connection.execute(update(VOLUMES).where(which).values(state=moved, **sized))

    def remove_volume(self, uuid: str) -> None:
        """Mark a volume as removed, and end its policies; its row stays, its snapshots refer to it."""
        self._end_policies(SNAPSHOT_POLICY.c.volume_id == self._volume_id(uuid))
        self._connection.execute(update(VOLUMES).where(VOLUMES.c.uuid == uuid).values(removed=self._now))

    def insert_snapshot(
        self, *, uuid: str, account: str, volume: str, name: str, location: str, size_bytes: int, policy: str | None
    ) -> None:
        """Allocate a snapshot. An older release knows by its type of which policy it is."""
        interval = self._connection.execute(
            select(SNAPSHOT_POLICY.c.interval).where(SNAPSHOT_POLICY.c.uuid == policy)
        ).scalar()
        kind = {} if interval is None else {"snapshot_type": TYPE_OF_FIRST_INTERVAL + interval}
        self._connection.execute(
            insert(SNAPSHOTS).values(
                uuid=uuid,
                account_id=self.ensure_account(account),
                volume_id=self._volume_id(volume),
                name=name,
                status=SnapshotState.ALLOCATED,
                **kind,
                type_description="MANUAL" if interval is None else INTERVALS[interval],
                location_type=location,
                policy_uuid=policy,
                size=size_bytes,
                created=self._now,
            )
        )

    def move_snapshot(self, uuid: str, *events: SnapshotEvent) -> None:
        """Walk a snapshot along its state table, one message a step. Raises IllegalTransitionError."""
        row = self.snapshot(uuid)
        state = SnapshotState(row.status)
        for event in events:
            before, state = state, advance(SNAPSHOT_TRANSITIONS, state, event)
            self._send("state", StateChange(subject=uuid, event=event, before=before, after=state))
        gone = {"removed": self._now} if state is SnapshotState.DESTROYED else {}
        self._connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.id == row.id).values(status=state, **gone))

    def relocate(self, uuid: str, location: str) -> None:
        """Write down another location of a snapshot."""
        self._connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.uuid == uuid).values(location_type=location))

    def insert_copy(self, snapshot: str, role: str, *, path: str, physical_size: int, digest: str | None) -> None:
        """Write the row of a copy that is complete: it walks from Allocated to Ready at once."""
        state = advance(COPY_TRANSITIONS, CopyState.ALLOCATED, CopyEvent.CREATE_ONLY_REQUESTED, CopyEvent.SUCCESS)
        row = self.snapshot(snapshot)
        self._connection.execute(
            insert(SNAPSHOT_STORE_REF).values(
                snapshot_id=row.id,
                volume_id=row.volume_id,
                store_role=role,
                install_path=path,
                size=row.size,
                physical_size=physical_size,
                digest=digest,
                state=state,
                created=self._now,
            )
        )

    def move_copy(self, snapshot: str, role: str, *events: CopyEvent) -> None:
        """Walk a copy row along its state table, if there is such a row."""
        which = (SNAPSHOT_STORE_REF.c.snapshot_id == self.snapshot(snapshot).id) & (
            SNAPSHOT_STORE_REF.c.store_role == role
        )
        state = self._connection.execute(
            locked(self._connection, select(SNAPSHOT_STORE_REF.c.state).where(which))
        ).scalar()
        if state is not None:
            moved = advance(COPY_TRANSITIONS, CopyState(state), *events)
            values = {"state": moved, "update_count": SNAPSHOT_STORE_REF.c.update_count + 1, "updated": self._now}
            self._connection.execute(update(SNAPSHOT_STORE_REF).where(which).values(values))

    def snapshot(self, uuid: str) -> Row[Any, Any, Any, Any]:
        """One row of snapshots, held until the end of the transaction."""
        return self._connection.execute(locked(self._connection, _SNAPSHOTS.where(SNAPSHOTS.c.uuid == uuid))).one()

    def count(self, account: str, resource: str, change: int) -> None:
        """Charge an account, or give back."""
        account_id = self.ensure_account(account)
        which = (RESOURCE_COUNT.c.account_id == account_id) & (RESOURCE_COUNT.c.type == resource)
        charge = update(RESOURCE_COUNT).where(which).values(count=RESOURCE_COUNT.c["count"] + change)
        if self._connection.execute(charge).rowcount == 0:
            values = {"account_id": account_id, "type": resource, "count": change}
            if not insert_unless_there(self._connection, RESOURCE_COUNT, values):
                self._connection.execute(charge)

    def insert_policy(self, request: PolicyRequest, *, uuid: str, location: str, next_run_s: int) -> None:
        """Put a policy into force."""
        values = {
            "uuid": uuid,
            "volume_id": self._volume_id(request.volume),
            "schedule": request.schedule,
            "timezone": request.timezone,
            "interval": INTERVALS.index(Interval(request.interval)),
            "max_snaps": request.keep_max,
            "location_type": location,
        }
        self._connection.execute(insert(SNAPSHOT_POLICY).values(values))
        slot = {"uuid": uuid, "volume_id": values["volume_id"], "scheduled_timestamp": _moment(next_run_s)}
        policy_id = select(SNAPSHOT_POLICY.c.id).where(SNAPSHOT_POLICY.c.uuid == uuid).scalar_subquery()
        self._connection.execute(insert(SNAPSHOT_SCHEDULE).values(policy_id=policy_id, **slot))

    def schedule_policy(self, uuid: str, next_run_s: int) -> None:
        """Write down a policy's next slot."""
        which = SNAPSHOT_SCHEDULE.c.policy_id.in_(select(SNAPSHOT_POLICY.c.id).where(SNAPSHOT_POLICY.c.uuid == uuid))
        self._connection.execute(update(SNAPSHOT_SCHEDULE).where(which).values(scheduled_timestamp=_moment(next_run_s)))

    def remove_policy(self, uuid: str) -> None:
        """End a policy."""
        self._end_policies(SNAPSHOT_POLICY.c.uuid == uuid)

    def _end_policies(self, which: ColumnElement[bool]) -> None:
        """Let no release find a next slot; the policies' own rows stay."""
        ended = SNAPSHOT_SCHEDULE.c.policy_id.in_(select(SNAPSHOT_POLICY.c.id).where(which))
        self._connection.execute(delete(SNAPSHOT_SCHEDULE).where(ended))
        self._connection.execute(update(SNAPSHOT_POLICY).where(which).values(active=False))

    def _volume_id(self, uuid: str) -> int:
        found = self._connection.execute(select(VOLUMES.c.id).where(VOLUMES.c.uuid == uuid)).scalar_one()
        return int(found)

    def bill(self, account: str, subject: str, location: str, size_bytes: int) -> None:
        """Begin a line of the bill."""
        values = {"source_uuid": subject, "location_type": location, "size": size_bytes, "created": self._now}
        self._connection.execute(insert(USAGE_STORAGE).values(account_id=self.ensure_account(account), **values))

    def end_bill(self, subject: str) -> None:
        """End the line of the bill that is open for a snapshot."""
        line = (USAGE_STORAGE.c.source_uuid == subject) & USAGE_STORAGE.c.deleted.is_(None)
        self._connection.execute(update(USAGE_STORAGE).where(line).values(deleted=self._now))

    def audit(self, event: AuditEvent) -> None:
        """Write an audit event where CloudStack lists them, and put it into the outbox."""
        self._connection.execute(
            insert(EVENT).values(
                type=event.type,
                state=event.phase,
                level=event.level,
                description=f"{event.type} of {event.subject}"[:1024],
                account_id=self.ensure_account(event.account),
                parameters=f"operation={event.operation}"[:1024],
                created=self._now,
            )
        )
        self._send("audit", event)

    def alert(self, alert: Alert) -> None:
        """Put an alert into the outbox."""
        self._send("alert", alert)

    def usage(self, event: UsageEvent) -> None:
        """Write a usage event where CloudStack's usage server finds it, and put it into the outbox."""
        self._connection.execute(
            insert(USAGE_EVENT).values(
                type=event.type,
                account_id=self.ensure_account(event.account),
                resource_name=event.subject,
                size=event.size_bytes,
                created=self._now,
            )
        )
        self._send("usage", event)

    def _send(self, topic: str, message: AuditEvent | UsageEvent | StateChange | Alert) -> None:
        text = msgspec.json.encode(message).decode()
        self._connection.execute(insert(OUTBOX).values(topic=topic, message=text))

    @property
    def _now_ms(self) -> int:
        return int(self._now.replace(tzinfo=UTC).timestamp() * 1000)

    def _lease(self) -> dict[str, int]:
        """What makes this life the holder of a job's lease from now on, for a while."""
        terms = terms_of(self._connection)
        return {"job_executing_msid": terms.node, "leased_until_ms": self._now_ms + int(terms.lease_s * 1000)}


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _facts(row: Row[Any]) -> Facts:
    facts: Facts = msgspec.json.decode(row.facts or "{}")
    return facts
