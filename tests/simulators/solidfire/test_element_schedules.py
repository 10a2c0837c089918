"""Snapshot schedules run by the clock: on five-minute boundaries, in order, however far the clock jumps."""

from typing import Any

import pytest

GB = 1_000_000_000
HOUR_S = 3600
DAY_S = 24 * HOUR_S
INTERVAL = {"frequency": "Time Interval"}
HOST = "iqn.1994-05.com.redhat:Host1"

pytestmark = pytest.mark.usefixtures("disk")


def scheduled(world: Any, *, volumes: Any = (1,), retention: str | None = None, **told: Any) -> int:
    told = {"attributes": INTERVAL, "hours": 1, "minutes": 0, "scheduleName": "hourly", **told}
    contents = {"volumes": list(volumes), "retention": retention, "name": None}
    number: int = world.result("CreateSchedule", scheduleType="Snapshot", scheduleInfo=contents, **told)["scheduleID"]
    return number


def times(world: Any) -> list[str]:
    return [row["createTime"] for row in world.result("ListSnapshots")["snapshots"]]


def test_a_schedule_is_told_in_the_form_of_the_wire(world: Any) -> None:
    assert scheduled(world, retention="01:00:00") == 1
    (row,) = world.result("ListSchedules")["schedules"]
    assert row == world.result("GetSchedule", scheduleID=1)["schedule"]
    assert row == {
        "attributes": INTERVAL,
        "hasError": False,
        "hours": 1,
        "lastRunStatus": "Success",
        "lastRunTimeStarted": None,
        "minutes": 0,
        "monthdays": [],
        "paused": False,
        "recurring": True,
        "runNextInterval": False,
        "scheduleID": 1,
        "scheduleInfo": {"volumes": [1], "name": None, "enableRemoteReplication": False, "retention": "01:00:00"},
        "scheduleName": "hourly",
        "scheduleType": "Snapshot",
        "startingDate": None,
        "toBeDeleted": False,
        "weekdays": [],
    }


def test_an_interval_begins_at_the_next_boundary_and_repeats(world: Any) -> None:
    world.clock.advance(61)
    scheduled(world)
    world.clock.advance(238)
    assert times(world) == []
    world.clock.advance(1)
    assert times(world) == ["2026-01-01T00:05:00Z"]
    world.clock.advance(2 * HOUR_S)
    assert times(world) == ["2026-01-01T00:05:00Z", "2026-01-01T01:05:00Z", "2026-01-01T02:05:00Z"]
    row = world.result("GetSchedule", scheduleID=1)["schedule"]
    assert (row["lastRunTimeStarted"], row["lastRunStatus"]) == ("2026-01-01T02:05:00Z", "Success")


def test_minutes_are_rounded_up_to_boundaries(world: Any) -> None:
    scheduled(world, hours=0, minutes=7)
    world.clock.advance(1500)
    assert times(world) == ["2026-01-01T00:05:00Z", "2026-01-01T00:15:00Z", "2026-01-01T00:25:00Z"]


def test_a_starting_date_is_waited_for(world: Any) -> None:
    scheduled(world, startingDate="2026-01-03T10:02:00Z")
    world.clock.advance(3 * DAY_S - 13 * HOUR_S)
    assert times(world) == ["2026-01-03T10:05:00Z"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # 2026-01-01 is a Thursday
        (
            {
                "attributes": {"frequency": "Days Of Week"},
                "weekdays": [{"day": 0, "offset": 1}, {"day": 4, "offset": 1}],
            },
            ["2026-01-01T06:30:00Z", "2026-01-04T06:30:00Z", "2026-01-08T06:30:00Z", "2026-01-11T06:30:00Z"],
        ),
        (
            {"attributes": {"frequency": "Days Of Month"}, "monthdays": [3, 9]},
            ["2026-01-03T06:30:00Z", "2026-01-09T06:30:00Z"],
        ),
    ],
)
def test_days_of_the_week_and_of_the_month(world: Any, told: dict[str, Any], expected: list[str]) -> None:
    scheduled(world, hours=6, minutes=28, **told)
    world.clock.advance(11 * DAY_S)
    assert times(world) == expected


def test_a_thirty_first_is_skipped_where_there_is_none(world: Any) -> None:
    scheduled(world, hours=0, attributes={"frequency": "Days Of Month"}, monthdays=[31])
    world.clock.advance(130 * DAY_S)
    assert [time[:10] for time in times(world)] == ["2026-01-31", "2026-03-31"]


def test_retention_ends_each_snapshot_in_its_turn_even_when_the_clock_jumps(world: Any) -> None:
    scheduled(world, retention="03:00:00")
    world.clock.advance(40 * DAY_S)
    rows = world.result("ListSnapshots")["snapshots"]
    assert [row["createTime"] for row in rows] == [f"2026-02-09T{hour}:05:00Z" for hour in (21, 22, 23)]
    assert [row["expirationTime"] for row in rows] == [f"2026-02-10T{hour:02}:05:00Z" for hour in range(3)]
    assert not world.result("GetSchedule", scheduleID=1)["schedule"]["hasError"]


def test_a_volume_without_a_place_is_told_as_an_error_until_there_is_one(world: Any) -> None:
    scheduled(world)
    world.clock.advance(2 * DAY_S)
    assert len(times(world)) == 32
    row = world.result("GetSchedule", scheduleID=1)["schedule"]
    assert (row["hasError"], row["lastRunStatus"]) == (True, "Failed")
    world.result("DeleteSnapshot", snapshotID=1)
    world.clock.advance(HOUR_S)
    row = world.result("GetSchedule", scheduleID=1)["schedule"]
    assert (row["hasError"], row["lastRunStatus"]) == (False, "Success")
    failed = next(entry for entry in world.journal if entry.event == "schedule failed")
    assert failed.facts["error"] == "xMaxSnapshotsPerVolumeExceeded"


def test_several_volumes_make_a_group_snapshot(world: Any) -> None:
    world.volume(1, name="second")
    scheduled(world, volumes=[1, 2])
    world.clock.advance(300)
    (group,) = world.result("ListGroupSnapshots")["groupSnapshots"]
    assert [member["volumeID"] for member in group["members"]] == [1, 2]
    assert group["createTime"] == "2026-01-01T00:05:00Z"


def test_a_paused_schedule_takes_nothing_and_catches_nothing_up(world: Any) -> None:
    scheduled(world, paused=True)
    world.clock.advance(DAY_S)
    assert times(world) == []
    world.result("ModifySchedule", scheduleID=1, paused=False)
    world.clock.advance(HOUR_S)
    assert times(world) == ["2026-01-02T00:05:00Z"]


def test_a_schedule_that_does_not_recur_runs_once_and_is_gone(world: Any) -> None:
    scheduled(world, recurring=False)
    world.clock.advance(DAY_S)
    assert times(world) == ["2026-01-01T00:05:00Z"]
    assert world.result("ListSchedules") == {"schedules": []}


def test_run_next_interval_runs_at_the_next_boundary_and_is_spent(world: Any) -> None:
    scheduled(world)
    world.clock.advance(400)
    world.result("ModifySchedule", scheduleID=1, runNextInterval=True)
    world.clock.advance(HOUR_S)
    assert times(world) == ["2026-01-01T00:05:00Z", "2026-01-01T00:10:00Z"]
    assert world.result("GetSchedule", scheduleID=1)["schedule"]["runNextInterval"] is False
    world.clock.advance(200)
    assert times(world)[-1] == "2026-01-01T01:10:00Z"


def test_a_deleted_schedule_is_listed_until_the_next_boundary(world: Any) -> None:
    scheduled(world)
    assert world.result("ModifySchedule", scheduleID=1, toBeDeleted=True)["schedule"]["toBeDeleted"] is True
    assert len(world.result("ListSchedules")["schedules"]) == 1
    world.clock.advance(300)
    assert world.result("ListSchedules") == {"schedules": []}
    assert times(world) == []


def test_a_new_name_leaves_the_rhythm_alone(world: Any) -> None:
    scheduled(world)
    world.clock.advance(400)
    row = world.result("ModifySchedule", scheduleID=1, scheduleName="other", hasError=True)["schedule"]
    assert (row["scheduleName"], row["hasError"]) == ("other", False)
    world.clock.advance(HOUR_S - 200)
    assert times(world) == ["2026-01-01T00:05:00Z"]


def test_a_snapshot_that_was_due_does_not_see_what_is_written_later(world: Any, disk: dict[str, Any]) -> None:
    device = world.array.login(initiator=HOST, target=disk["iqn"])
    device.write(0, b"before")
    scheduled(world)
    world.clock.advance(400)
    device.write(0, b"after!")
    assert world.array.image_of_snapshot(1).read(0, 6) == b"before"
