"""Deleting cannot be taken back: what was deleted, or may have been, is never listed as if it were there."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

from snapproof.campaign.invariants import violations
from snapproof.driver import BackendError, ConflictError, UnavailableError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import SimulatedLab
from snapproof.lab import Outcome
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import LocationType, SnapshotState

Callers: TypeAlias = Callable[[str], Caller]


def refused(outcome: Outcome[object], kind: type[Exception]) -> str:
    assert type(outcome.error) is kind, outcome
    return str(outcome.error)


def assert_sound(lab: SimulatedLab) -> None:
    """What a restarted driver finds and says is what is there."""
    lab.repair()
    lab.restart_driver()
    lab.settle()
    assert violations(lab) == ()


@pytest.mark.parametrize(("store", "call"), [("nfs", "nfs.delete"), ("s3", "s3.DeleteObject")])
@pytest.mark.parametrize("fault", ["lost_after", "lost_before", "refused"])
def test_a_backup_that_may_be_gone_is_deleted_at_last(open_caller: Callers, store: str, call: str, fault: str) -> None:
    caller = open_caller(store)
    snapshot = caller.take("backup", caller.used_volume().id, LocationType.SECONDARY).result()
    caller.lab.break_service(call, fault)
    caller.delete("delete", snapshot.id)
    assert_sound(caller.lab)


def test_a_lost_answer_leaves_a_snapshot_destroying_until_it_is_gone(open_caller: Callers) -> None:
    caller = open_caller("s3")
    snapshot = caller.take("backup", caller.used_volume().id, LocationType.SECONDARY).result()
    caller.lab.break_service("s3.DeleteObject", "lost_after")
    assert "reconcile tries again" in refused(caller.delete("delete", snapshot.id), UnavailableError)
    (listed,) = caller.lab.driver.list_snapshots()
    assert listed.state is SnapshotState.DESTROYING
    assert "delete" in refused(caller.delete("again", snapshot.id), ConflictError)
    caller.lab.repair()
    caller.delete("delete", snapshot.id).raise_if_failed()
    assert not caller.lab.driver.list_snapshots()


def test_a_backup_that_is_certainly_there_stays_listed(open_caller: Callers) -> None:
    caller = open_caller("s3")
    snapshot = caller.take("backup", caller.used_volume().id, LocationType.SECONDARY).result()
    caller.lab.break_service("s3.DeleteObject", "refused:AccessDenied")
    refused(caller.delete("delete", snapshot.id), BackendError)
    (listed,) = caller.lab.driver.list_snapshots()
    assert listed.state is SnapshotState.BACKED_UP
    assert_sound(caller.lab)
    caller.delete("again", snapshot.id).raise_if_failed()


def test_a_refusal_after_a_lost_answer_proves_nothing(open_caller: Callers) -> None:
    caller = open_caller("s3")
    snapshot = caller.take("backup", caller.used_volume().id, LocationType.SECONDARY).result()
    caller.lab.watch_calls()
    caller.lab.arm("s3.DeleteObject#1", "lost_after")
    caller.lab.arm("s3.DeleteObject#2", "refused:AccessDenied")
    refused(caller.delete("delete", snapshot.id), UnavailableError)
    assert_sound(caller.lab)
    assert not caller.lab.driver.list_snapshots()


@pytest.mark.parametrize("fault", ["lost_after", "lost_before"])
def test_a_volume_whose_lun_may_be_gone_is_deleted_at_last(caller: Caller, fault: str) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.DeleteVolume", fault)
    refused(caller.discard("discard", volume.id), UnavailableError)
    assert_sound(caller.lab)
    assert not caller.lab.driver.list_volumes()


def test_a_volume_that_the_array_keeps_stays_listed(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.DeleteVolume", "refused:xPermissionDenied")
    refused(caller.discard("discard", volume.id), BackendError)
    assert_sound(caller.lab)
    assert [listed.id for listed in caller.lab.driver.list_volumes()] == [volume.id]


def test_a_snapshot_and_its_kept_lun_go_together_though_the_lun_goes_late(caller: Caller) -> None:
    volume = caller.used_volume()
    snapshot = caller.take("keep", volume.id, LocationType.PRIMARY).result()
    caller.discard("discard", volume.id).raise_if_failed()
    caller.lab.break_service("array.DeleteVolume", "refused:xPermissionDenied")
    refused(caller.delete("delete", snapshot.id), UnavailableError)
    assert_sound(caller.lab)
    assert not caller.lab.driver.list_snapshots()


def test_a_kept_lun_lives_as_long_as_its_last_array_snapshot(caller: Caller) -> None:
    volume = caller.used_volume()
    taken = [caller.take(name, volume.id, LocationType.PRIMARY).result() for name in ("one", "two")]
    caller.discard("discard", volume.id).raise_if_failed()
    assert [lun.active for lun in caller.lab.array_volumes()] == [True]
    caller.delete("delete-one", taken[0].id).raise_if_failed()
    restored = caller.create("restore", source=taken[1].id).result()
    assert caller.lab.content_of(restored) == caller.lab.content_when_taken(taken[1])
    caller.delete("delete-two", taken[1].id).raise_if_failed()
    assert {lun.id: lun.active for lun in caller.lab.array_volumes()} == {
        int(volume.target.rpartition(".")[2]): False,
        int(restored.target.rpartition(".")[2]): True,
    }
    assert_sound(caller.lab)


def test_a_volume_outlives_the_clean_up_of_its_backups(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    snapshot = caller.take("backup", volume.id, LocationType.SECONDARY).result()
    assert "Job backup is still working" in refused(caller.discard("discard", volume.id), ConflictError)
    assert "Job backup is still working" in refused(caller.delete("delete", snapshot.id), ConflictError)
    (listed,) = caller.lab.driver.list_snapshots()
    assert [copy.location for copy in listed.copies] == [LocationType.PRIMARY, LocationType.SECONDARY]
    caller.lab.repair()
    caller.delete("delete", snapshot.id).raise_if_failed()
    assert_sound(caller.lab)
    caller.discard("discard", volume.id).raise_if_failed()
    assert_sound(caller.lab)
    assert not [lun for lun in caller.lab.array_volumes() if lun.active]


def test_nothing_is_deleted_twice_under_two_ids(any_caller: Caller) -> None:
    snapshot = any_caller.take("backup", any_caller.used_volume().id, LocationType.SECONDARY).result()
    any_caller.delete("delete", snapshot.id).raise_if_failed()
    any_caller.lab.watch_calls()
    any_caller.delete("delete", snapshot.id).raise_if_failed()
    assert not any_caller.lab.calls()
    assert "There is no snapshot" in str(any_caller.delete("again", snapshot.id).error)
    assert not any_caller.lab.calls()


def test_an_array_snapshot_that_somebody_removed_counts_as_deleted(caller: Caller) -> None:
    snapshot = caller.take("keep", caller.used_volume().id, LocationType.PRIMARY).result()
    call(caller.lab._world.arrays[0], "DeleteSnapshot", snapshotID=caller.lab.array_snapshots()[0].id)
    caller.delete("delete", snapshot.id).raise_if_failed()
    assert_sound(caller.lab)
