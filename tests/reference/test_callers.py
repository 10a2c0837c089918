"""Callers of the driver itself: an operation id of one's own opens no door to others' things; repeats are answered."""

from collections.abc import Callable

import pytest

from snapproof.driver import DriverUnderTest, NotFoundError
from snapproof.fixtures.caller import Caller
from snapproof.vocabulary import AccountId, OperationId, SnapshotId, VolumeId

MINE = OperationId("mine")
NOTHING = "nothing"


def told(act: Callable[[], object]) -> tuple[type[Exception], str]:
    """How an act was refused."""
    with pytest.raises(Exception) as refusal:  # noqa: PT011  whatever it is, it is compared
        act()
    return refusal.type, str(refusal.value)


@pytest.fixture
def sue(caller: Caller) -> DriverUnderTest:
    """Somebody with a volume, and with an operation that took a snapshot of it."""
    hers = Caller(caller.lab, account="sue")
    hers.take(MINE, hers.used_volume("hers").id).result()
    return caller.lab.driver.on_behalf_of(AccountId("sue"))


ACTS: dict[str, Callable[[DriverUnderTest, str], object]] = {
    "delete": lambda driver, thing: driver.delete_snapshot(MINE, SnapshotId(thing)),
    "archive": lambda driver, thing: driver.archive_snapshot(MINE, SnapshotId(thing)),
    "revert": lambda driver, thing: driver.revert_volume(MINE, SnapshotId(thing)),
    "delete volume": lambda driver, thing: driver.delete_volume(MINE, VolumeId(thing)),
    "resize": lambda driver, thing: driver.resize_volume(MINE, VolumeId(thing), 2**30),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_known_operation_tells_nothing_of_what_others_have(caller: Caller, sue: DriverUnderTest, act: str) -> None:
    volume = caller.used_volume().id
    theirs = volume if act in {"delete volume", "resize"} else caller.take("theirs", volume).result().id
    kind, text = told(lambda: ACTS[act](sue, theirs))
    assert kind is NotFoundError
    assert (kind, text.replace(theirs, NOTHING)) == told(lambda: ACTS[act](sue, NOTHING))


def test_whoever_asks_again_for_what_is_done_hears_that_it_is(sue: DriverUnderTest) -> None:
    (snapshot,) = sue.list_snapshots()
    for _ in range(2):
        sue.delete_snapshot(OperationId("delete"), snapshot.id)
    (volume,) = sue.list_volumes()
    for _ in range(2):
        sue.delete_volume(OperationId("discard"), volume.id)
    assert (sue.list_volumes(), sue.list_snapshots()) == ([], [])


def test_a_repeat_is_nobody_elses(caller: Caller, sue: DriverUnderTest) -> None:
    (snapshot,) = sue.list_snapshots()
    sue.delete_snapshot(OperationId("delete"), snapshot.id)
    other = caller.lab.driver.on_behalf_of(AccountId("ray"))
    assert told(lambda: other.delete_snapshot(OperationId("delete"), snapshot.id)) == (
        NotFoundError,
        f"There is no snapshot {snapshot.id}.",
    )
