"""Snapshot schedules: create, get, list, modify; deleting one is a modification. They run in schedules.py."""

from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire import checks, schedules
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.settings import Schedule, ScheduleRow
from snapproof.simulators.solidfire.snapshot_checks import moment, seconds_of
from snapproof.simulators.solidfire.state import Numbered

HOURS_MAX = 366 * 24
_SERVERS_OWN = frozenset({"scheduleID", "hasError", "lastRunStatus", "lastRunTimeStarted"})
"""Clients send back what they read, these members too; they are told, never taken."""

_TOLD = ("name", "enableRemoteReplication", "retention")
_TIMING = (
    "attributes", "hours", "minutes", "monthdays", "weekdays", "starting_date", "run_next_interval", "to_be_deleted",
)  # fmt: skip
"""What a change of makes a schedule begin anew; whatever else changes, it runs when it would have run."""


def create_schedule(array: Array, given: Given) -> Mapping[str, Any]:
    """Create a schedule; a frequency, at least one volume and a name must be told."""
    wanted: Given = {"scheduleName": "", "attributes": {}, "monthdays": [], "weekdays": [], **_chosen(array, given)}
    row = _checked(array, msgspec.convert({**wanted, "scheduleID": 0}, ScheduleRow))
    row.schedule_id = array.next_number(Numbered.SCHEDULE)
    schedules.create(array, row)
    return {"scheduleID": row.schedule_id}


def _chosen(array: Array, given: Given) -> Given:
    """Keep what a client may choose, the volumes always as a list."""
    chosen = {name: value for name, value in given.items() if name not in _SERVERS_OWN}
    checks.attributes(chosen)
    if "scheduleInfo" in chosen:
        chosen["scheduleInfo"] = _contents(array, chosen["scheduleInfo"])
    return chosen


def _contents(array: Array, told: Given) -> Given:
    alone = [told["volumeID"]] if "volumeID" in told else []
    volume_ids = list(dict.fromkeys([*alone, *told.get("volumes", [])]))
    checks.members_of_group_snapshot(array, volume_ids)
    checks.name_within(array, told.get("name", ""), "snapshotNameLengthMax")
    if "retention" in told:
        seconds_of(told["retention"])
    return {"volumes": volume_ids, **{name: value for name, value in told.items() if name in _TOLD}}


def _checked(array: Array, row: ScheduleRow) -> ScheduleRow:
    checks.name_within(array, row.schedule_name, "scheduleNameLengthMax")
    frequency = checks.one_of(str(row.attributes.get("frequency", "")), schedules.FREQUENCIES)
    if row.schedule_type.lower() != "snapshot":
        raise ElementError("xUnrecognizedEnumString", value=row.schedule_type)
    if row.starting_date:
        moment("startingDate", row.starting_date)
    interval = frequency == schedules.INTERVAL
    if not 0 <= row.hours <= (HOURS_MAX if interval else 23) or not 0 <= row.minutes <= 59:
        raise ElementError(GUESSED.bad_value, "hours and minutes are out of range.")
    if interval and not row.hours and not row.minutes:
        raise ElementError(GUESSED.bad_value, "A time interval needs hours or minutes.")
    if frequency == schedules.WEEKDAYS:
        _refuse_days([weekday.day for weekday in row.weekdays], 0, 6)
    if frequency == schedules.MONTHDAYS:
        _refuse_days(row.monthdays, 1, 31)
    return row


def _refuse_days(days: list[int], low: int, high: int) -> None:
    if not days or not all(low <= day <= high for day in days):
        raise ElementError(GUESSED.bad_value, f"A schedule by days needs days from {low} to {high}.")


def get_schedule(array: Array, given: Given) -> Mapping[str, Any]:
    """Show one schedule."""
    return {"schedule": _schedule(array, given).row}


def _schedule(array: Array, given: Given) -> Schedule:
    schedule = array.settings.schedules.get(given["scheduleID"])
    if schedule is None:
        raise ElementError(GUESSED.unknown_id, f"ScheduleID {given['scheduleID']} does not exist.")
    return schedule


def list_schedules(array: Array, _given: Given) -> Mapping[str, Any]:
    """List all schedules, those too that will be deleted at the next boundary."""
    return {"schedules": [schedule.row for schedule in array.settings.schedules]}


def modify_schedule(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given; `toBeDeleted` ends a schedule at the next boundary."""
    schedule = _schedule(array, given)
    doomed = given.get("toBeDeleted", False)
    chosen: Given = {"toBeDeleted": True} if doomed else _chosen(array, given)
    held: Given = msgspec.to_builtins(schedule.row)
    row = msgspec.convert({**held, **chosen}, ScheduleRow)
    before, schedule.row = schedule.row, row if doomed else _checked(array, row)
    if any(getattr(before, name) != getattr(row, name) for name in _TIMING):
        schedules.plan(array, schedule)
    array.record("schedule modified", schedule_id=row.schedule_id, name=row.schedule_name, to_be_deleted=doomed)
    return {"schedule": schedule.row}


RULES: Rules = {
    "CreateSchedule": create_schedule,
    "GetSchedule": get_schedule,
    "ListSchedules": list_schedules,
    "ModifySchedule": modify_schedule,
}
