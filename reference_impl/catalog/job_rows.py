"""Writing jobs: opened, moved on under their lease, ended, and what they could not clean up.

Who may carry out a job is in leases.py.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.engines import locked, terms_of
from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.message_rows import MessageRows
from snapproof.reference_impl.catalog.schema import (
    ASYNC_JOB,
    STORAGE_LEAK,
)
from snapproof.reference_impl.catalog.store import Job, OvertakenError, Phase
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import Order, template_of
from snapproof.vocabulary import Alert

_THIS = ASYNC_JOB.c.id == bindparam("job")
_LEASE = (
    select(ASYNC_JOB.c.job_executing_msid, ASYNC_JOB.c.leased_until_ms, ASYNC_JOB.c.fence)
    .add_columns(ASYNC_JOB.c.version, ASYNC_JOB.c.phase, ASYNC_JOB.c.cursor, ASYNC_JOB.c.facts)
    .where(_THIS)
)
_MOVING = update(ASYNC_JOB).where(_THIS)
_MOVING_AS_SEEN = _MOVING.where(ASYNC_JOB.c.version == bindparam("seen"))
_KEEPING = _MOVING.where(ASYNC_JOB.c.fence == bindparam("held"))

_LEAK = STORAGE_LEAK.c.job_id == bindparam("job")
_LEAKS = select(STORAGE_LEAK.c.id).where(_LEAK)
_CLEARING = update(STORAGE_LEAK).where(_LEAK, STORAGE_LEAK.c.cleared.is_(None))

STATUS: Mapping[Phase, int] = {Phase.RUNNING: 0, Phase.UNDOING: 0, Phase.CLEANING: 1, Phase.DONE: 1, Phase.FAILED: 2}
"""CloudStack's async_job.job_status of a job in each phase."""

FAILED_CODE = 530
"""CloudStack's code of a job that failed for an internal reason."""


class JobRows(MessageRows):
    """The writer of jobs and of their leaks."""

    def open_job(
        self,
        order: Order,
        *,
        volume: str | None,
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
            "instance_template": template_of(order),
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
        values |= {"version": job.version + 1, "last_updated": self._now}
        if self._connection.execute(_MOVING_AS_SEEN, {"job": job.id, "seen": job.version, **values}).rowcount != 1:
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
        row = self._connection.execute(locked(self._connection, _LEASE), {"job": job.id}).one()
        terms = terms_of(self._connection)
        if row.job_executing_msid not in {None, terms.node} and row.leased_until_ms > self._now_ms:
            raise OvertakenError(f"Job {job.uuid} is carried out by management server {row.job_executing_msid}.")
        if row.version < job.version or row.phase != job.phase:
            raise OvertakenError(f"Job {job.uuid} is no longer at version {job.version}.")
        held = replace(job, version=row.version + 1, fence=row.fence + 1, cursor=row.cursor, facts=_facts(row))
        values = {"version": held.version, "fence": held.fence, **self._lease()}
        self._connection.execute(_MOVING, {"job": job.id, **values})
        return held

    def keep(self, job: Job) -> None:
        """Let the lease of a job run on from now. Raises OvertakenError if somebody else holds it."""
        if self._connection.execute(_KEEPING, {"job": job.id, "held": job.fence, **self._lease()}).rowcount != 1:
            raise OvertakenError(f"Job {job.uuid} is carried out by another life.")

    def record_leak(self, job: Job, subject: str, reason: str) -> None:
        """Say openly that a job could not clean up, with one alert; recording it again changes the reason only."""
        known = self._connection.execute(_LEAKS, {"job": job.id}).scalar()
        if known is None:
            values = {"job_id": job.id, "reason": reason, "created": self._now}
            self._connection.execute(insert(STORAGE_LEAK).values(values))
            self.alert(Alert(subject=subject, text=f"Job {job.uuid} could not clean up yet: {reason}"))
        else:
            self._connection.execute(update(STORAGE_LEAK).where(STORAGE_LEAK.c.id == known).values(reason=reason))

    def clear_leak(self, job: Job) -> None:
        """The job has cleaned up after all."""
        self._connection.execute(_CLEARING, {"job": job.id, "cleared": self._now})

    @property
    def _now_ms(self) -> int:
        return int(self._now.replace(tzinfo=UTC).timestamp() * 1000)

    def _lease(self) -> dict[str, int]:
        """What makes this life the holder of a job's lease from now on, for a while."""
        terms = terms_of(self._connection)
        return {"job_executing_msid": terms.node, "leased_until_ms": self._now_ms + int(terms.lease_s * 1000)}


def _facts(row: Row[Any]) -> Facts:
    facts: Facts = msgspec.json.decode(row.facts or "{}")
    return facts
