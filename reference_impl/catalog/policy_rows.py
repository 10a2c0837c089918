"""Writing policies and their next slots."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, delete, insert, select, update

from snapproof.reference_impl.catalog.schema import (
    INTERVALS,
    SNAPSHOT_POLICY,
    SNAPSHOT_SCHEDULE,
)
from snapproof.reference_impl.catalog.writer import Writer
from snapproof.reference_impl.core.schedules import Interval
from snapproof.vocabulary import Policy, PolicyRequest


class PolicyRows(Writer):
    """The writer of policies."""

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

    def change_policy(self, policy: Policy, next_run_s: int) -> None:
        """Let a policy that is in force be this one from now on."""
        values = {
            "schedule": policy.schedule,
            "timezone": policy.timezone,
            "interval": INTERVALS.index(Interval(policy.interval)),
            "max_snaps": policy.keep_max,
            "location_type": policy.location,
        }
        self._connection.execute(update(SNAPSHOT_POLICY).where(SNAPSHOT_POLICY.c.uuid == policy.id).values(values))
        self.schedule_policy(policy.id, next_run_s)

    def remove_policy(self, uuid: str) -> None:
        """End a policy."""
        self._end_policies(SNAPSHOT_POLICY.c.uuid == uuid)

    def _end_policies(self, which: ColumnElement[bool]) -> None:
        """Let no release find a next slot; the policies' own rows stay."""
        ended = SNAPSHOT_SCHEDULE.c.policy_id.in_(select(SNAPSHOT_POLICY.c.id).where(which))
        self._connection.execute(delete(SNAPSHOT_SCHEDULE).where(ended))
        self._connection.execute(update(SNAPSHOT_POLICY).where(which).values(active=False))


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
