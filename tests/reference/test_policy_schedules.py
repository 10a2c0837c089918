"""Slots of policies: one each hour, day, week or month by the policy's own clock, whatever that clock does."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.driver import InvalidRequestError
from snapproof.reference_impl.core.schedules import Schedule, next_slot, read_schedule, surplus

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Tokyo")
zones = st.sampled_from(ZONES)
moments = st.integers(min_value=1_700_000_000, max_value=1_900_000_000)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def slots(schedule: Schedule, after_s: float, number: int) -> list[float]:
    found = [next_slot(schedule, after_s)]
    while len(found) < number:
        found.append(next_slot(schedule, found[-1]))
    return found


def days(schedule: Schedule, found: list[float]) -> list[date]:
    return [datetime.fromtimestamp(slot, schedule.zone).date() for slot in found]


@given(zones, moments, st.integers(0, 23), st.integers(0, 59))
def test_each_day_has_one_slot(zone: str, after_s: int, hour: int, minute: int) -> None:
    schedule = read_schedule("DAILY", f"{minute}:{hour}", zone)
    found = days(schedule, slots(schedule, after_s, 40))
    assert found == [found[0] + timedelta(days=number) for number in range(40)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 1, 2, 3, 23])
def test_a_year_has_as_many_slots_as_days(zone: str, hour: int) -> None:
    schedule = read_schedule("DAILY", f"30:{hour}", zone)
    found = days(schedule, slots(schedule, datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).timestamp() - 1, 365))
    assert found == [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


@given(zones, moments, st.integers(0, 59))
def test_the_next_hourly_slot_is_at_most_ninety_minutes_away_and_at_its_minute(
    zone: str, after_s: int, minute: int
) -> None:
    schedule = read_schedule("HOURLY", str(minute), zone)
    for before, slot in zip([after_s, *(found := slots(schedule, after_s, 30))], found, strict=False):
        assert 0 < slot - before <= 5_400
        assert datetime.fromtimestamp(slot, schedule.zone).minute == minute


@given(moments, st.integers(1, 7))
def test_weeks_begin_with_sunday(after_s: int, day: int) -> None:
    schedule = read_schedule("WEEKLY", f"0:12:{day}", "Europe/Berlin")
    found = days(schedule, slots(schedule, after_s, 5))
    assert {(when.isoweekday() % 7) + 1 for when in found} == {day}
    assert found == [found[0] + timedelta(weeks=number) for number in range(5)]


@given(moments, st.integers(1, 28))
def test_every_month_has_one_slot(after_s: int, day: int) -> None:
    schedule = read_schedule("MONTHLY", f"0:12:{day}", "Asia/Tokyo")
    found = days(schedule, slots(schedule, after_s, 13))
    assert {when.day for when in found} == {day}
    assert len({(when.year, when.month) for when in found}) == 13


@pytest.mark.parametrize(
    ("after", "slot"),
    [
        ("2026-03-28T12:00", "2026-03-29T01:30"),  # 02:30 does not exist: 03:30 in summer time
        ("2026-03-29T01:30", "2026-03-30T00:30"),
        ("2026-10-24T12:00", "2026-10-25T00:30"),  # 02:30 comes twice: the first counts
        ("2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_summer_time_moves_a_slot_and_loses_none(after: str, slot: str) -> None:
    assert next_slot(read_schedule("DAILY", "30:02", "Europe/Berlin"), seconds(after)) == seconds(slot)


@pytest.mark.parametrize(
    ("interval", "text", "timezone", "words"),
    [
        ("YEARLY", "0", "UTC", "a policy runs HOURLY, DAILY, WEEKLY, MONTHLY"),
        ("HOURLY", "60", "UTC", "minute 0 to 59"),
        ("HOURLY", "0:1", "UTC", "is no HOURLY schedule"),
        ("DAILY", "0", "UTC", "hour 0 to 23"),
        ("DAILY", "-1:2", "UTC", "is no DAILY schedule"),
        ("DAILY", "\u0661:2", "UTC", "is no DAILY schedule"),
        ("WEEKLY", "0:0:0", "UTC", "day of the week 1 to 7"),
        ("MONTHLY", "0:0:29", "UTC", "day of the month 1 to 28"),
        ("DAILY", "0:0", "Mars/Olympus", "There is no timezone"),
        ("DAILY", "0:0", "../etc/passwd", "There is no timezone"),
        ("DAILY", "0:0", "", "There is no timezone"),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_form(interval: str, text: str, timezone: str, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        read_schedule(interval, text, timezone)


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 10))
def test_the_newest_are_kept(taken: list[str], keep_max: int) -> None:
    too_many = surplus(taken, keep_max)
    assert taken[len(too_many) :] == taken[-keep_max:]
    assert too_many + taken[-keep_max:] == taken
