"""The corners of recovery: what is settled, taken back or given up where lives, arrays and records disagree."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from snapproof.campaign.invariants import violations
from snapproof.campaign.schedule import Schedule
from snapproof.driver import CancelledError, ConflictError, InvalidRequestError, UnavailableError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.catalog.store import OvertakenError
from snapproof.reference_impl.core.orders import DeleteVolume
from snapproof.reference_impl.core.plans import LUN_SIZE_BYTES_MIN
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import LocationType, OperationId, SnapshotState, TemplateRequest, Volume


@pytest.fixture
def alone() -> Iterator[Caller]:
    """Somebody at a site where no host can re-sign."""
    with lab_opener(ReferenceDriver)(Schedule(workflow="take-array-volume", store="nfs", seed=3)) as lab:
        yield Caller(lab)


def driver_of(caller: Caller) -> ReferenceDriver:
    driver = caller.lab.driver
    assert isinstance(driver, ReferenceDriver)
    return driver


def ask_array(caller: Caller, method: str, **given: Any) -> Mapping[str, Any]:
    return call(caller.lab._world.arrays[0], method, **given)


def lun_of(volume: Volume) -> int:
    return int(volume.target.rpartition(".")[2])


def die_at(caller: Caller, label: str, fault: str = "crash_after") -> None:
    caller.lab.watch_calls()
    caller.lab.arm(label, fault)


def test_of_two_array_snapshots_of_one_job_one_is_adopted_and_the_other_goes(caller: Caller) -> None:
    volume = caller.used_volume()
    die_at(caller, "array.CreateSnapshot#1")
    assert caller.take("take", volume.id).crashed
    (own,) = ask_array(caller, "ListSnapshots", volumeID=lun_of(volume))["snapshots"]
    ask_array(caller, "CreateSnapshot", volumeID=lun_of(volume), name=own["name"], attributes=own["attributes"])
    caller.lab.restart_driver()
    assert [row.state for row in caller.lab.driver.list_snapshots()] == [SnapshotState.BACKED_UP]
    assert [row.id for row in caller.lab.array_snapshots()] == [own["snapshotID"]]
    assert violations(caller.lab) == ()


def test_of_two_luns_of_one_job_one_is_adopted_and_the_other_goes(caller: Caller) -> None:
    die_at(caller, "array.CreateVolume#1")
    assert caller.create("volume").crashed
    (own,) = [row.id for row in caller.lab.array_volumes()]
    (row,) = ask_array(caller, "ListVolumes", volumeIDs=[own])["volumes"]
    alike = {"name": row["name"], "accountID": row["accountID"], "attributes": row["attributes"]}
    ask_array(caller, "CreateVolume", **alike, totalSize=row["totalSize"], enable512e=True)
    caller.lab.restart_driver()
    (volume,) = caller.lab.driver.list_volumes()
    assert [row.id for row in caller.lab.array_volumes() if row.active] == [lun_of(volume)]
    assert violations(caller.lab) == ()


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_disk_that_was_half_copied_is_wiped_and_copied_again(alone: Caller, fault: str) -> None:
    volume = alone.used_volume()
    die_at(alone, "host.Async.VDI.copy#1", fault)
    assert alone.take("take", volume.id).crashed
    alone.lab.restart_driver()
    assert [row.state for row in alone.lab.driver.list_snapshots()] == [SnapshotState.BACKED_UP]
    assert violations(alone.lab) == ()


def test_a_template_of_an_array_volume_that_fails_leaves_nothing(alone: Caller) -> None:
    source = alone.take("take", alone.used_volume().id).result()
    inventory = alone.lab.inventory()
    alone.lab.break_service("host.Async.VDI.copy", "refused:SR_BACKEND_FAILURE_44")
    request = TemplateRequest(
        operation=OperationId("template"), account=alone.account, name="golden", from_snapshot=source.id
    )
    assert alone.lab.attempt(lambda driver: driver.create_template(request)).error is not None
    assert alone.lab.inventory() == inventory
    assert violations(alone.lab) == ()


def test_a_volume_that_vanished_while_it_was_reverted_is_let_go_of(caller: Caller) -> None:
    volume = caller.used_volume()
    goal = caller.take("goal", volume.id).result()
    die_at(caller, "array.AddVolumesToVolumeAccessGroup#1")
    assert caller.lab.attempt(lambda driver: driver.revert_volume(OperationId("revert"), goal.id)).crashed
    ask_array(caller, "DeleteVolume", volumeID=lun_of(volume))
    ask_array(caller, "PurgeDeletedVolume", volumeID=lun_of(volume))
    caller.lab.restart_driver()
    assert driver_of(caller)._catalog.unfinished_jobs() == []
    assert not caller.lab.leftovers()


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_lun_that_was_being_made_larger_is_large_enough_in_the_end(caller: Caller, fault: str) -> None:
    volume = caller.used_volume()
    caller.lab.expect_resize(volume)
    die_at(caller, "array.ModifyVolume#1", fault)
    larger = 2 * LUN_SIZE_BYTES_MIN // 512 * 512
    assert caller.lab.attempt(lambda driver: driver.resize_volume(OperationId("r"), volume.id, larger)).crashed
    caller.lab.restart_driver()
    assert [row.size_bytes for row in caller.lab.driver.list_volumes()] == [larger]
    assert violations(caller.lab) == ()


def test_a_backup_that_is_cancelled_is_in_error_and_taken_back(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.meanwhile("array.CloneVolume#1", lambda driver: driver.cancel(OperationId("take")))
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert type(outcome.error) is CancelledError
    assert driver_of(caller).queued_operations() == []
    assert [row.state for row in caller.lab.driver.list_snapshots()] == [SnapshotState.ERROR]
    assert violations(caller.lab) == ()


def test_a_request_that_no_plan_can_be_made_of_is_refused_before_anything_is_written(caller: Caller) -> None:
    volume = caller.used_volume()
    with closing(sqlite3.connect(caller.lab._state_directory / "catalog.sqlite")) as database, database:
        database.execute("UPDATE account SET account_name = '../etc'")  # as an old release may have allowed
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert type(outcome.error) is InvalidRequestError
    assert "cannot be part of a backup's path" in str(outcome.error)
    assert caller.lab.driver.list_snapshots() == []


def test_a_life_whose_catalog_takes_no_lease_says_so(caller: Caller) -> None:
    volume = caller.used_volume()
    die_at(caller, "array.CreateSnapshot#1")
    assert caller.take("take", volume.id).crashed
    caller.lab._driver.close()
    caller.lab._driver = ReferenceDriver(caller.lab._site)
    caller.lab.break_service("catalog.commit", "refused")
    outcome = caller.lab.attempt(lambda driver: driver.reconcile())
    assert type(outcome.error) is UnavailableError
    caller.lab.repair()
    caller.lab.restart_driver()
    assert [row.state for row in caller.lab.driver.list_snapshots()] == [SnapshotState.BACKED_UP]


class Overtaken:
    """A catalog's answers where another life was faster."""

    def __init__(self, *_given: object, **_named: object) -> None:
        raise OvertakenError("Another life was faster.")


def test_whoever_is_overtaken_is_told_to_ask_again(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    orchestrator = driver_of(caller)._orchestrator
    order = DeleteVolume(job="job", account="blue", volume="v", release_lun=None)
    with monkeypatch.context() as patched:
        patched.setattr(orchestrator, "_open", Overtaken)
        with pytest.raises(ConflictError, match="Somebody else opens job job at this moment; ask again"):
            orchestrator.accept(order, volume="v", snapshot=None, check=lambda _session: None)
    for _ in range(2):
        orchestrator.accept(order, volume="v", snapshot=None, check=lambda _session: None)
    with monkeypatch.context() as patched:
        patched.setattr(orchestrator, "_run", Overtaken)
        with pytest.raises(ConflictError, match="Somebody else carries out job job at this moment; ask again"):
            orchestrator.finish(OperationId("job"))


def test_a_change_that_is_gone_after_its_commit_was_somebody_elses(caller: Caller) -> None:
    with pytest.raises(OvertakenError, match="has been changed again by somebody else"):
        driver_of(caller)._orchestrator.write(lambda _session, _tx: None, lambda: None)


def test_an_array_that_does_not_answer_has_no_orphans_to_tell(caller: Caller) -> None:
    caller.lab.break_service("array.ListVolumes", "refused:xPermissionDenied")
    with pytest.raises(UnavailableError, match="An array could not be looked through"):
        driver_of(caller).find_orphans()


def test_a_volume_that_the_array_has_restored_already_only_gets_its_record_back(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.discard("mistake", volume.id).raise_if_failed()
    ask_array(caller, "RestoreDeletedVolume", volumeID=lun_of(volume))
    caller.lab.watch_calls()
    assert driver_of(caller).recover_volume(volume.id) == volume
    assert not any("RestoreDeletedVolume" in label for label in caller.lab.calls())


def test_a_volume_that_the_array_keeps_deleted_is_not_said_to_be_back(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = caller.used_volume()
    caller.discard("mistake", volume.id).raise_if_failed()
    monkeypatch.setattr(driver_of(caller)._ports.array, "restore_lun", lambda _lun: None)
    with pytest.raises(UnavailableError, match=r"The array keeps volume .* deleted; ask again"):
        driver_of(caller).recover_volume(volume.id)
    assert caller.lab.driver.list_volumes() == []


def test_a_volume_that_is_there_is_left_as_it_is(caller: Caller) -> None:
    volume = caller.used_volume()
    assert driver_of(caller).recover_volume(volume.id) == volume


def test_a_volume_is_not_brought_back_where_the_array_says_no(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.discard("mistake", volume.id).raise_if_failed()
    caller.lab.watch_calls()
    caller.lab.arm("array.ListVolumes#1", "refused:xPermissionDenied")
    with pytest.raises(UnavailableError, match="cannot be brought back on the array"):
        driver_of(caller).recover_volume(volume.id)


def test_a_volume_whose_number_is_anothers_by_now_is_not_brought_back(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = caller.used_volume()
    caller.discard("mistake", volume.id).raise_if_failed()
    array = driver_of(caller)._ports.array
    found = array.get_lun(lun_of(volume))
    monkeypatch.setattr(array, "get_lun", lambda _lun: replace(found, owner=None))
    with pytest.raises(ConflictError, match="nothing was brought back"):
        driver_of(caller).recover_volume(volume.id)


def test_a_commit_whose_answer_was_lost_is_not_made_again(caller: Caller) -> None:
    volume, commits = caller.used_volume(), []
    for operation in ("plain", "unheard"):
        caller.lab.watch_calls()
        if operation == "unheard":
            caller.lab.arm("catalog.commit#2", "lost_after")
        caller.take(operation, volume.id).raise_if_failed()
        commits.append([label for label in caller.lab.calls() if label.startswith("catalog.commit")])
    assert len(commits[0]) > 1
    assert commits[0] == commits[1]
    assert caller.lab.unspent_faults() == ()
    assert violations(caller.lab) == ()


@pytest.mark.parametrize("label", ["nfs.rename#1", "array.DeleteVolume#1"])
def test_what_a_life_had_done_when_it_died_is_found_done_by_the_next(caller: Caller, label: str) -> None:
    """An image lies there whole: nothing is written. A clone is deleted: it has only to be purged."""
    volume = caller.used_volume()
    die_at(caller, label)
    assert caller.take("take", volume.id, LocationType.SECONDARY).crashed
    caller.lab.restart_driver()
    assert caller.lab.calls().count(label) == 1
    assert caller.lab.calls().count(label.replace("#1", "#2")) == 0
    assert [row.state for row in caller.lab.driver.list_snapshots()] == [SnapshotState.BACKED_UP]
    assert violations(caller.lab) == ()
