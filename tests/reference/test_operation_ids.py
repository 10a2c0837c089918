"""Operation ids: the same one means the same operation, whatever became of it, and never another one."""

import pytest

from snapproof.campaign.invariants import violations
from snapproof.driver import BackendError, ConflictError, DriverError, InvalidRequestError, NotFoundError
from snapproof.fixtures.caller import Caller
from snapproof.vocabulary import LocationType, OperationId, PolicyRequest, SnapshotId, SnapshotState, VolumeId

HOSTILE = ("a:b", "../../up", "with blanks", "İ\n\0", "x" * 300, "'; drop table volumes; --", "")


@pytest.mark.parametrize("location", LocationType)
def test_an_operation_that_succeeded_gives_the_same_answer_and_calls_nothing(
    any_caller: Caller, location: LocationType
) -> None:
    volume = any_caller.used_volume()
    taken = any_caller.take("take", volume.id, location).result()
    restored = any_caller.create("restore", source=taken.id).result()
    any_caller.lab.watch_calls()
    assert any_caller.take("take", volume.id, location).result() == taken
    assert any_caller.create("restore", source=taken.id).result() == restored
    assert not any_caller.lab.calls()


def test_an_operation_that_failed_fails_the_same_way_and_calls_nothing(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm("array.CloneVolume#1", "refused:xPermissionDenied")
    first = caller.take("take", volume.id, LocationType.SECONDARY).error
    caller.lab.watch_calls()
    second = caller.take("take", volume.id, LocationType.SECONDARY).error
    assert not caller.lab.calls()
    assert type(first) is type(second) is BackendError
    assert str(first) == str(second)
    assert [s.state for s in caller.lab.driver.list_snapshots()] == [SnapshotState.ERROR]


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_an_operation_that_died_is_brought_to_its_end_by_asking_again(caller: Caller, fault: str) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm("array.CreateSnapshot#1", fault)
    assert caller.take("take", volume.id, LocationType.PRIMARY).crashed
    assert caller.take("take", volume.id, LocationType.PRIMARY).result().state is SnapshotState.BACKED_UP
    assert len(caller.lab.array_snapshots()) == 1
    assert violations(caller.lab) == ()


def test_an_id_that_stood_for_something_else_is_refused(caller: Caller) -> None:
    volume, other = caller.used_volume("volume"), caller.create("other").result()
    taken = caller.take("take", volume.id).result()
    kept = caller.take("keep", volume.id).result()
    caller.delete("delete", taken.id).raise_if_failed()
    caller.discard("discard", other.id).raise_if_failed()
    caller.lab.watch_calls()
    wrong = [
        caller.take("volume", volume.id),
        caller.take("take", other.id),
        caller.create("take"),
        caller.create("volume", source=taken.id),
        caller.delete("take", taken.id),
        caller.delete("delete", kept.id),
        caller.discard("delete", volume.id),
        caller.discard("discard", volume.id),
        Caller(caller.lab, account="team-red").create("volume"),
    ]
    assert {type(outcome.error) for outcome in wrong} == {InvalidRequestError}
    assert not caller.lab.calls()


@pytest.mark.parametrize("operation", HOSTILE)
def test_any_text_is_an_operation_id(caller: Caller, operation: str) -> None:
    taken = caller.take("take", caller.used_volume().id, LocationType.SECONDARY).result()
    restored = caller.create(operation, source=taken.id).result()
    assert caller.lab.content_of(restored) == caller.lab.content_when_taken(taken)
    caller.lab.restart_driver()
    assert violations(caller.lab) == ()


@pytest.mark.parametrize("account", ["team blue", "../up", "a/b", "É", ""])
def test_an_account_that_no_path_can_hold_is_refused_before_anything_is_written(caller: Caller, account: str) -> None:
    hostile = Caller(caller.lab, account=account)
    caller.lab.watch_calls()
    assert type(hostile.create("create").error) is InvalidRequestError
    assert not caller.lab.calls()
    caller.lab.restart_driver()
    assert not caller.lab.driver.list_volumes()


def test_what_is_not_there_is_not_found_and_nothing_is_written(caller: Caller) -> None:
    caller.take("know-the-hosts", caller.used_volume().id).result()
    caller.lab.watch_calls()
    outcomes = [
        caller.take("take", VolumeId("nowhere")),
        caller.create("create", source=SnapshotId("nowhere")),
        caller.delete("delete", SnapshotId("nowhere")),
        caller.discard("discard", VolumeId("nowhere")),
    ]
    assert {type(outcome.error) for outcome in outcomes} == {NotFoundError}
    assert not caller.lab.calls()


def test_other_peoples_snapshots_do_not_exist(caller: Caller) -> None:
    taken = caller.take("take", caller.used_volume().id).result()
    stranger = Caller(caller.lab, account="team-red")
    theirs = stranger.create("steal", source=taken.id).error
    nobodys = stranger.create("steal", source=SnapshotId("nowhere")).error
    assert type(theirs) is type(nobodys) is NotFoundError
    assert str(theirs).replace(taken.id, "") == str(nobodys).replace("nowhere", "")


def test_while_a_job_rests_nobody_else_touches_what_it_works_on(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm("array.CreateSnapshot#1", "crash_after")
    assert caller.take("take", volume.id).crashed
    (resting,) = caller.lab.driver.list_snapshots()
    caller.take("another", volume.id).result()
    outcomes = [
        caller.discard("discard", volume.id),
        caller.delete("delete", resting.id),
    ]
    assert {type(outcome.error) for outcome in outcomes} == {ConflictError}
    assert all("take" in str(outcome.error) for outcome in outcomes)
    assert isinstance(caller.create("restore", source=resting.id).error, DriverError)
    caller.lab.restart_driver()
    caller.delete("delete-it", resting.id).raise_if_failed()
    caller.discard("discard-it", volume.id).raise_if_failed()


def test_a_snapshot_that_is_being_restored_cannot_be_deleted(caller: Caller) -> None:
    taken = caller.take("take", caller.used_volume().id).result()
    caller.lab.watch_calls()
    caller.lab.arm("array.CloneVolume#1", "crash_after")
    assert caller.create("restore", source=taken.id).crashed
    assert type(caller.delete("delete", taken.id).error) is ConflictError
    caller.lab.restart_driver()
    caller.delete("delete", taken.id).raise_if_failed()
    assert violations(caller.lab) == ()


def test_a_policy_that_was_ended_is_not_brought_back_by_its_operation(caller: Caller) -> None:
    request = PolicyRequest(
        operation=OperationId("begin"),
        volume=caller.used_volume().id,
        interval="HOURLY",
        schedule="30",
        timezone="UTC",
        keep_max=2,
        location=LocationType.PRIMARY,
    )
    made = caller.lab.attempt(lambda driver: driver.create_policy(request)).result()
    assert caller.lab.attempt(lambda driver: driver.create_policy(request)).result() == made
    caller.lab.attempt(lambda driver: driver.delete_policy(OperationId("end"), made.id)).raise_if_failed()
    again = caller.lab.attempt(lambda driver: driver.create_policy(request))
    assert type(again.error) is NotFoundError
    assert made.id in str(again.error)
    assert not caller.lab.driver.list_policies()
