"""When a policy runs: its schedule read from CloudStack's text, and the next slot after any moment, by its own clock.

A slot of a day that has no such local time is moved by the missing hour; of a time that comes twice, the first counts.
So every hour, day, week or month has exactly one slot. Which slots were run is not known here.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from snapproof.driver import InvalidRequestError

DAYS_OF_MONTH_MAX = 28
"""Every month has them."""


class Interval(StrEnum):
    """How often a policy runs."""

    HOURLY = "HOURLY"
    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


BOUNDS = {
    Interval.HOURLY: (("minute", 0, 59),),
    Interval.DAILY: (("minute", 0, 59), ("hour", 0, 23)),
    Interval.WEEKLY: (("minute", 0, 59), ("hour", 0, 23), ("day of the week", 1, 7)),
    Interval.MONTHLY: (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, DAYS_OF_MONTH_MAX)),
}
"""The parts of each schedule's text, separated by colons. The week begins with Sunday, as 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule, read and checked."""

    interval: Interval
    minute: int
    hour: int
    day: int
    zone: ZoneInfo


def read_schedule(interval: str, text: str, timezone: str) -> Schedule:
    """Read a schedule: `15`, `15:02`, `15:02:7`, minute first. Raises InvalidRequestError with the form."""
    if interval not in tuple(Interval):
        raise InvalidRequestError(f"{interval!r} is no interval; a policy runs {', '.join(Interval)}.")
    bounds = BOUNDS[Interval(interval)]
    parts = [int(part) if part.isascii() and part.isdigit() else -1 for part in text.split(":")]
    fitting = [least <= part <= most for part, (_, least, most) in zip(parts, bounds, strict=False)]
    if len(parts) != len(bounds) or not all(fitting):
        form = ", ".join(f"{name} {least} to {most}" for name, least, most in bounds)
        raise InvalidRequestError(f"{text!r} is no {interval} schedule; write {form}, separated by colons.")
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidRequestError(f"There is no timezone {timezone!r}; write one as Europe/Berlin.") from error
    minute, hour, day = (*parts, 0, 0)[:3]
    return Schedule(interval=Interval(interval), minute=minute, hour=hour, day=day, zone=zone)


def next_slot(schedule: Schedule, after_s: float) -> float:
    """The first slot after a moment, in seconds since the Unix epoch."""
    slots = _hours(schedule, after_s) if schedule.interval is Interval.HOURLY else _days(schedule, after_s)
    return next(slot for slot in slots if slot > after_s)


def _hours(schedule: Schedule, after_s: float) -> list[float]:
    """Each minute of the next two hours that the wall clock calls by the schedule's minute."""
    start = datetime.fromtimestamp(after_s, UTC).replace(second=0, microsecond=0)
    moments = [start + timedelta(minutes=minutes) for minutes in range(121)]
    return [m.timestamp() for m in moments if m.astimezone(schedule.zone).minute == schedule.minute]


def _days(schedule: Schedule, after_s: float) -> list[float]:
    """The schedule's time on each fitting day of the next two months, from the day before on."""
    today = datetime.fromtimestamp(after_s, schedule.zone).date()
    wanted = time(schedule.hour, schedule.minute, tzinfo=schedule.zone)
    days = [today + timedelta(days=days) for days in range(-1, 64)]
    return [datetime.combine(day, wanted).timestamp() for day in days if _fits(schedule, day)]


def _fits(schedule: Schedule, day: date) -> bool:
    if schedule.interval is Interval.WEEKLY:
        return day.isoweekday() % 7 + 1 == schedule.day
    return schedule.interval is Interval.DAILY or day.day == schedule.day


def surplus(taken: list[str], keep_max: int) -> list[str]:
    """Which of a policy's successful snapshots, oldest first, are too many."""
    return taken[: max(0, len(taken) - keep_max)]
