"""Snapshot schedules: when they run, on five-minute boundaries, and what they do then.

Whether a schedule makes sense was checked by its method; whether it can be carried out is seen when it runs.
"""

import math
from datetime import UTC, datetime, timedelta

from snapproof.simulators.clock import iso
from snapproof.simulators.solidfire import checks, snapshots
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.settings import Schedule, ScheduleRow
from snapproof.simulators.solidfire.snapshot_checks import admit_snapshots, moment, seconds_of
from snapproof.simulators.solidfire.state import State

TICK_S = 300
INTERVAL, WEEKDAYS, MONTHDAYS = "Time Interval", "Days Of Week", "Days Of Month"
FREQUENCIES = (INTERVAL, WEEKDAYS, MONTHDAYS)
_DAYS_AHEAD_MAX = 62
"""Two months in a row lack a thirty-first day at most once, so that every day of a month comes within so many days."""


def create(state: State, row: ScheduleRow) -> Schedule:
    """Add a schedule."""
    schedule = Schedule(row=row, next_s=0.0)
    state.settings.schedules.put(row.schedule_id, schedule)
    plan(state, schedule)
    state.record("schedule created", schedule_id=row.schedule_id, name=row.schedule_name)
    return schedule


def plan(state: State, schedule: Schedule) -> None:
    """Work out when a new or changed schedule runs next."""
    row, now_s = schedule.row, state.clock.time()
    begins_s = moment("startingDate", row.starting_date) if row.starting_date else now_s
    if row.to_be_deleted or row.run_next_interval:
        _set(state, schedule, _boundary(now_s))
    elif row.attributes["frequency"] == INTERVAL:
        _set(state, schedule, max(_boundary(now_s), math.ceil(begins_s / TICK_S) * TICK_S))
    else:
        _set(state, schedule, _next_day(row, max(now_s, begins_s - 1)))


def _set(state: State, schedule: Schedule, at_s: float) -> None:
    schedule.next_s = at_s
    state.remind(at_s, schedule_id=schedule.row.schedule_id)


def _boundary(after_s: float) -> float:
    return float((math.floor(after_s / TICK_S) + 1) * TICK_S)


def _following(row: ScheduleRow, ran_s: float) -> float:
    if row.attributes["frequency"] != INTERVAL:
        return _next_day(row, ran_s)
    return ran_s + max(1, math.ceil((row.hours * 60 + row.minutes) * 60 / TICK_S)) * TICK_S


def _next_day(row: ScheduleRow, after_s: float) -> float:
    """Find the next boundary at the hour and minute of a day of the week or of the month."""
    midnight = datetime.fromtimestamp(after_s, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    within_s = math.ceil((row.hours * 60 + row.minutes) * 60 / TICK_S) * TICK_S
    for ahead in range(_DAYS_AHEAD_MAX + 1):
        day = midnight + timedelta(days=ahead)
        at_s = day.timestamp() + within_s
        if at_s > after_s and _falls_on(row, day):
            return at_s
    raise AssertionError(f"Schedule {row.schedule_id} names no day that ever comes; its method should have refused it.")


def _falls_on(row: ScheduleRow, day: datetime) -> bool:
    if row.attributes["frequency"] == MONTHDAYS:
        return day.day in row.monthdays
    return any(weekday.day == day.isoweekday() % 7 for weekday in row.weekdays)


def run(state: State, schedule: Schedule, at_s: float) -> None:
    """A boundary has come: take the snapshots, unless the schedule is paused, and plan the next time, if any."""
    row = schedule.row
    if row.to_be_deleted:
        _delete(state, schedule)
        return
    if not row.paused:
        row.run_next_interval = False
        row.last_run_time_started = iso(at_s)
        _try(state, row, at_s)
        if not row.recurring:
            _delete(state, schedule)
            return
    _set(state, schedule, _following(row, at_s))


def _try(state: State, row: ScheduleRow, at_s: float) -> None:
    try:
        _take(state, row, at_s)
    except ElementError as refused:
        row.has_error, row.last_run_status = True, "Failed"
        state.record("schedule failed", schedule_id=row.schedule_id, name=row.schedule_name, error=refused.name)
    else:
        row.has_error, row.last_run_status = False, "Success"
        state.record("schedule ran", schedule_id=row.schedule_id, name=row.schedule_name)


def _take(state: State, row: ScheduleRow, at_s: float) -> None:
    contents = row.schedule_info
    members = [checks.settled_volume(state, number) for number in contents.volumes]
    displaced = admit_snapshots(state, members)
    ends_s = at_s + seconds_of(contents.retention) if contents.retention else None
    order = snapshots.Order(
        name=contents.name or iso(at_s),
        attributes={},
        expires=None if ends_s is None else iso(ends_s),
        expires_at_s=ends_s,
        enable_remote_replication=contents.enable_remote_replication,
        create_time=iso(at_s),
    )
    if len(members) > 1:
        snapshots.take_together(state, members, order, displaced=displaced)
        return
    snapshots.take(state, members[0], order)
    for snapshot in displaced:
        snapshots.delete(state, snapshot, event="snapshot displaced")


def _delete(state: State, schedule: Schedule) -> None:
    row = schedule.row
    state.settings.schedules.drop(row.schedule_id)
    state.record("schedule deleted", schedule_id=row.schedule_id, name=row.schedule_name)
