"""What can be written in one transaction: jobs, snapshots, copies, volumes, counts, and the messages that go with them.

Every state change walks the tables of core/states.py and puts its message into the outbox beside it. Nothing here
commits.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    ASYNC_JOB,
    OUTBOX,
    RESOURCE_COUNT,
    SNAPSHOT_POLICY,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    STORAGE_LEAK,
    USAGE_STORAGE,
    VOLUMES,
)
from snapproof.reference_impl.catalog.store import Job, OvertakenError, Phase
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import Order
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


class Transaction:
    """The writer of one transaction. `now` is the one time that all its rows carry."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now

    def open_job(self, order: Order, *, volume: str, snapshot: str | None, delay_s: float = 0) -> None:
        """Write down an order; from now on the job exists and will be brought to an end. Raises OvertakenError."""
        if self._connection.execute(select(ASYNC_JOB.c.id).where(ASYNC_JOB.c.uuid == order.job)).scalar() is not None:
            raise OvertakenError(f"Job {order.job} was opened by somebody else.")
        self._connection.execute(
            insert(ASYNC_JOB).values(
                uuid=order.job,
                job_cmd=type(order).__name__,
                job_cmd_info=msgspec.json.encode(order).decode(),
                phase=Phase.RUNNING,
                cursor=0,
                facts="{}",
                version=0,
                not_before=self._now + timedelta(seconds=delay_s) if delay_s else None,
                instance_volume=volume,
                instance_snapshot=snapshot,
                created=self._now,
                last_updated=self._now,
            )
        )

    def advance_job(self, job: Job, phase: Phase, cursor: int, facts: Facts, error: Exception | None) -> None:
        """Move a job on, if nobody else has since `job` was read. Raises OvertakenError."""
        values: dict[str, Any] = {"phase": phase, "cursor": cursor, "facts": msgspec.json.encode(facts).decode()}
        if error is not None:
            values |= {"error": str(error), "error_kind": type(error).__name__}
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
        known = self._connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.account_name == name)).scalar()
        if known is not None:
            return int(known)
        return self._inserted(insert(ACCOUNT).values(account_name=name))

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
        state = VolumeState(self._connection.execute(select(VOLUMES.c.state).where(which)).scalar_one())
        sized = {} if size_bytes is None else {"size": size_bytes}
        moved = advance(VOLUME_TRANSITIONS, state, event)
        self._connection.execute(update(VOLUMES).where(which).values(state=moved, **sized))

    def remove_volume(self, uuid: str) -> None:
        """Mark a volume as removed, and end its policies; its row stays, its snapshots refer to it."""
        policies = SNAPSHOT_POLICY.c.volume_id.in_(select(VOLUMES.c.id).where(VOLUMES.c.uuid == uuid))
        self._connection.execute(update(SNAPSHOT_POLICY).where(policies).values(removed=self._now))
        self._connection.execute(update(VOLUMES).where(VOLUMES.c.uuid == uuid).values(removed=self._now))

    def insert_snapshot(
        self, *, uuid: str, account: str, volume: str, name: str, location: str, size_bytes: int, policy: str | None
    ) -> None:
        """Allocate a snapshot."""
        volume_id = self._connection.execute(select(VOLUMES.c.id).where(VOLUMES.c.uuid == volume)).scalar_one()
        self._connection.execute(
            insert(SNAPSHOTS).values(
                uuid=uuid,
                account_id=self.ensure_account(account),
                volume_id=volume_id,
                name=name,
                status=SnapshotState.ALLOCATED,
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
        self._connection.execute(
            insert(SNAPSHOT_STORE_REF).values(
                snapshot_id=self.snapshot(snapshot).id,
                store_role=role,
                install_path=path,
                physical_size=physical_size,
                digest=digest,
                state=state,
            )
        )

    def move_copy(self, snapshot: str, role: str, *events: CopyEvent) -> None:
        """Walk a copy row along its state table, if there is such a row."""
        which = (SNAPSHOT_STORE_REF.c.snapshot_id == self.snapshot(snapshot).id) & (
            SNAPSHOT_STORE_REF.c.store_role == role
        )
        state = self._connection.execute(select(SNAPSHOT_STORE_REF.c.state).where(which)).scalar()
        if state is not None:
            moved = advance(COPY_TRANSITIONS, CopyState(state), *events)
            self._connection.execute(update(SNAPSHOT_STORE_REF).where(which).values(state=moved))

    def snapshot(self, uuid: str) -> Row[Any]:
        """One row of snapshots."""
        return self._connection.execute(select(SNAPSHOTS).where(SNAPSHOTS.c.uuid == uuid)).one()

    def count(self, account: str, resource: str, change: int) -> None:
        """Charge an account, or give back."""
        account_id = self.ensure_account(account)
        which = (RESOURCE_COUNT.c.account_id == account_id) & (RESOURCE_COUNT.c.type == resource)
        changed = self._connection.execute(
            update(RESOURCE_COUNT).where(which).values(count=RESOURCE_COUNT.c["count"] + change)
        )
        if changed.rowcount == 0:
            values = {"account_id": account_id, "type": resource, "count": change}
            self._connection.execute(insert(RESOURCE_COUNT).values(values))

    def insert_policy(self, request: PolicyRequest, *, uuid: str, location: str, next_run_s: int) -> None:
        """Put a policy into force."""
        volume_id = self._connection.execute(select(VOLUMES.c.id).where(VOLUMES.c.uuid == request.volume)).scalar_one()
        self._connection.execute(
            insert(SNAPSHOT_POLICY).values(
                uuid=uuid,
                volume_id=volume_id,
                schedule=request.schedule,
                timezone=request.timezone,
                interval=request.interval,
                max_snaps=request.keep_max,
                location_type=location,
                next_run=next_run_s,
            )
        )

    def schedule_policy(self, uuid: str, next_run_s: int) -> None:
        """Write down a policy's next slot."""
        which = SNAPSHOT_POLICY.c.uuid == uuid
        self._connection.execute(update(SNAPSHOT_POLICY).where(which).values(next_run=next_run_s))

    def remove_policy(self, uuid: str) -> None:
        """End a policy."""
        which = SNAPSHOT_POLICY.c.uuid == uuid
        self._connection.execute(update(SNAPSHOT_POLICY).where(which).values(removed=self._now))

    def bill(self, account: str, subject: str, location: str, size_bytes: int) -> None:
        """Begin a line of the bill."""
        values = {"source_uuid": subject, "location_type": location, "size": size_bytes, "created": self._now}
        self._connection.execute(insert(USAGE_STORAGE).values(account_id=self.ensure_account(account), **values))

    def end_bill(self, subject: str) -> None:
        """End the line of the bill that is open for a snapshot."""
        line = (USAGE_STORAGE.c.source_uuid == subject) & USAGE_STORAGE.c.deleted.is_(None)
        self._connection.execute(update(USAGE_STORAGE).where(line).values(deleted=self._now))

    def audit(self, event: AuditEvent) -> None:
        """Put an audit event into the outbox."""
        self._send("audit", event)

    def alert(self, alert: Alert) -> None:
        """Put an alert into the outbox."""
        self._send("alert", alert)

    def usage(self, event: UsageEvent) -> None:
        """Put a usage event into the outbox."""
        self._send("usage", event)

    def _send(self, topic: str, message: AuditEvent | UsageEvent | StateChange | Alert) -> None:
        text = msgspec.json.encode(message).decode()
        self._connection.execute(insert(OUTBOX).values(topic=topic, message=text))

    def _inserted(self, statement: Any) -> int:
        key = self._connection.execute(statement).inserted_primary_key
        assert key is not None
        return int(key[0])
