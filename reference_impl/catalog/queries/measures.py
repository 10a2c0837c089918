"""Counting what is under way, for metrics: every figure is of the rows as they are now, so that none can drift."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from snapproof.reference_impl.catalog.schema import (
    ASYNC_JOB,
    BACKUP_MANIFEST,
    SNAPSHOT_POLICY,
    SNAPSHOT_SCHEDULE,
    SNAPSHOTS,
    STORAGE_LEAK,
)
from snapproof.reference_impl.catalog.store import Phase
from snapproof.vocabulary import SnapshotState


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """The figures of one moment. Ages are in seconds; nought where there is nothing."""

    snapshots: Mapping[str, int]
    jobs: Mapping[str, int]
    backups_in_flight: int
    retries_waiting: int
    oldest_backing_up_s: float
    leaks: int
    backups_damaged: int
    policies_overdue: int
    most_overdue_s: float


def measures(connection: Connection, now: datetime) -> Measures:
    """Count."""
    present = SNAPSHOTS.c.removed.is_(None)
    states = select(SNAPSHOTS.c.status, func.count()).where(present).group_by(SNAPSHOTS.c.status)
    unfinished = ASYNC_JOB.c.phase.in_([Phase.RUNNING, Phase.CLEANING, Phase.UNDOING])
    phases = select(ASYNC_JOB.c.phase, func.count()).where(unfinished).group_by(ASYNC_JOB.c.phase)
    backing_up = (SNAPSHOTS.c.status == SnapshotState.BACKING_UP) & present
    waiting = unfinished & (ASYNC_JOB.c.not_before > now)
    due = ASYNC_JOB.c.not_before.is_(None) | (ASYNC_JOB.c.not_before <= now)
    works_on = (ASYNC_JOB.c.instance_snapshot == SNAPSHOTS.c.uuid) & unfinished & due
    in_flight = select(func.count(SNAPSHOTS.c.id.distinct())).select_from(SNAPSHOTS.join(ASYNC_JOB, works_on))
    overdue = SNAPSHOT_POLICY.c.active & (SNAPSHOT_SCHEDULE.c.scheduled_timestamp < now)
    schedule = select(func.count(), func.min(SNAPSHOT_SCHEDULE.c.scheduled_timestamp)).select_from(
        SNAPSHOT_SCHEDULE.join(SNAPSHOT_POLICY, SNAPSHOT_SCHEDULE.c.policy_id == SNAPSHOT_POLICY.c.id)
    )
    number, first = connection.execute(schedule.where(overdue)).one()
    oldest = connection.execute(select(func.min(SNAPSHOTS.c.created)).where(backing_up)).scalar()
    return Measures(
        snapshots={row[0]: row[1] for row in connection.execute(states)},
        jobs={row[0]: row[1] for row in connection.execute(phases)},
        backups_in_flight=int(connection.execute(in_flight.where(backing_up)).scalar_one()),
        retries_waiting=int(connection.execute(select(func.count(ASYNC_JOB.c.id)).where(waiting)).scalar_one()),
        oldest_backing_up_s=_age(oldest, now),
        leaks=int(
            connection.execute(
                select(func.count(STORAGE_LEAK.c.id)).where(STORAGE_LEAK.c.cleared.is_(None))
            ).scalar_one()
        ),
        backups_damaged=int(
            connection.execute(
                select(func.count(BACKUP_MANIFEST.c.id)).where(BACKUP_MANIFEST.c.damage.is_not(None))
            ).scalar_one()
        ),
        policies_overdue=int(number),
        most_overdue_s=_age(first, now),
    )


def _age(moment: datetime | None, now: datetime) -> float:
    return 0.0 if moment is None else (now - moment).total_seconds()
