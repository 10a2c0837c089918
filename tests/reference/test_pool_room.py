"""A pool's room is promised once: to snapshots that are being taken as to those that are there, on every database."""

from dataclasses import replace
from functools import partial

from snapproof.driver import DriverUnderTest, LimitExceededError
from snapproof.fixtures.caller import SIZE_BYTES, Caller
from snapproof.reference_impl.configuring import FILE
from snapproof.reference_impl.core.plans import lun_size
from snapproof.vocabulary import OperationId, Snapshot, SnapshotRequest, VolumeId

FOR_ONE_SNAPSHOT = lun_size(SIZE_BYTES) + SIZE_BYTES


def with_room(caller: Caller, capacity_bytes: int, database: str) -> VolumeId:
    """A volume on a pool that holds so much."""
    (caller.lab._state_directory / FILE).write_text(f"snapshot.catalog.url = {database}\n", encoding="utf-8")
    caller.lab._site = replace(caller.lab._site, capacity_bytes=capacity_bytes)
    caller.lab.restart_driver()
    return caller.used_volume().id


def test_what_does_not_fit_is_refused_with_what_is_free_and_fits_when_there_is_room(
    caller: Caller, database: str
) -> None:
    volume = with_room(caller, FOR_ONE_SNAPSHOT, database)
    first = caller.take("first", volume).result()
    refused = caller.take("second", volume)
    assert isinstance(refused.error, LimitExceededError)
    assert f"has 0 of {FOR_ONE_SNAPSHOT} bytes free, and this takes {SIZE_BYTES}" in str(refused.error)
    assert isinstance(caller.create("third").error, LimitExceededError)
    assert caller.delete("delete", first.id).error is None
    assert caller.take("second", volume).error is None
    caller.lab._site = replace(caller.lab._site, capacity_bytes=2 * FOR_ONE_SNAPSHOT)
    caller.lab.restart_driver()
    assert caller.take("fourth", volume).error is None
    caller.lab.driver.close()


def test_of_several_at_once_no_more_are_taken_than_there_is_room_for(caller: Caller) -> None:
    database = f"sqlite:///{caller.lab._state_directory / 'catalog.sqlite'}"
    volume = with_room(caller, FOR_ONE_SNAPSHOT + SIZE_BYTES, database)
    caller.lab.slow_down("array", 1)

    def take(number: int, driver: DriverUnderTest) -> Snapshot:
        return driver.take_snapshot(SnapshotRequest(operation=OperationId(f"take {number}"), volume=volume))

    outcomes = caller.lab.at_once([partial(take, number) for number in range(4)])
    assert [type(outcome.error) for outcome in outcomes if outcome.error] == [LimitExceededError] * 2
    assert len(caller.lab.array_snapshots()) == 2
