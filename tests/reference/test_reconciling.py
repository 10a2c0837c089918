"""Reconciling: leaks are on record until they are gone, unfinished jobs end, and doing it again changes nothing."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager

import pytest

from snapproof.campaign.invariants import violations
from snapproof.campaign.schedule import Schedule
from snapproof.driver import ConflictError, UnavailableError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.lab import SimulatedLab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.journal import Entry
from snapproof.vocabulary import LocationType, SnapshotState


def leaks(caller: Caller) -> Sequence[tuple[str, str | None]]:
    """The reasons on record and when each was settled, read past the driver."""
    with closing(sqlite3.connect(caller.lab._state_directory / "catalog.sqlite")) as database:
        return database.execute("SELECT reason, cleared FROM storage_leak ORDER BY id").fetchall()


def broken_while_undoing(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.GetAsyncResult", "refused:xPermissionDenied")
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert type(outcome.error) is UnavailableError
    assert "could not yet be taken back" in str(outcome.error)


def test_what_cannot_be_taken_back_is_a_leak_on_record_until_it_is(caller: Caller) -> None:
    broken_while_undoing(caller)
    assert leaks(caller) == [("The array refused DeleteSnapshot: xPermissionDenied.", None)]
    assert len(caller.lab.array_snapshots()) == 1
    caller.lab.restart_driver()
    assert [cleared for _, cleared in leaks(caller)] == [None]
    caller.lab.repair()
    caller.lab.restart_driver()
    assert [bool(cleared) for _, cleared in leaks(caller)] == [True]
    assert [s.state for s in caller.lab.driver.list_snapshots()] == [SnapshotState.ERROR]
    assert violations(caller.lab) == ()


def test_a_snapshot_is_not_in_error_before_everything_is_taken_back(caller: Caller) -> None:
    broken_while_undoing(caller)
    (resting,) = caller.lab.driver.list_snapshots()
    assert resting.state is not SnapshotState.ERROR
    assert caller.lab.driver.resource_counts(caller.account).snapshots == 1


def test_a_success_stands_though_its_clean_up_has_to_wait(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    taken = caller.take("take", volume.id, LocationType.SECONDARY).result()
    assert taken.state is SnapshotState.BACKED_UP
    assert [bool(cleared) for _, cleared in leaks(caller)] == [False]
    caller.lab.repair()
    caller.lab.driver.reconcile()
    assert [bool(cleared) for _, cleared in leaks(caller)] == [True]
    assert violations(caller.lab) == ()


@pytest.mark.parametrize("call", ["array.CreateSnapshot#1", "array.CloneVolume#1", "host.Async.VDI.copy#1"])
@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_second_reconcile_calls_nothing(any_caller: Caller, call: str, fault: str) -> None:
    volume = any_caller.used_volume()
    any_caller.lab.watch_calls()
    any_caller.lab.arm(call, fault)
    assert any_caller.take("take", volume.id, LocationType.SECONDARY).crashed
    any_caller.lab.restart_driver()
    inventory = any_caller.lab.inventory()
    any_caller.lab.watch_calls()
    any_caller.lab.driver.reconcile()
    assert not any_caller.lab.calls()
    assert any_caller.lab.inventory() == inventory


def died_while_copying() -> AbstractContextManager[SimulatedLab]:
    """A lab whose driver died in the middle of a backup; the next life begins and nothing is reconciled yet."""

    @contextmanager
    def opened() -> Iterator[SimulatedLab]:
        schedule = Schedule(workflow="take-secondary", store="nfs", seed=5)
        with lab_opener(ReferenceDriver)(schedule) as lab:
            caller = Caller(lab)
            volume = caller.used_volume()
            lab.watch_calls()
            lab.arm("host.Async.VDI.copy#1", "crash_after")
            assert caller.take("take", volume.id, LocationType.SECONDARY).crashed
            lab._driver.close()
            lab._driver = ReferenceDriver(lab._site)
            lab.watch_calls()
            yield lab

    return opened()


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_reconciling_can_itself_die_anywhere(fault: str) -> None:
    with died_while_copying() as lab:
        lab.driver.reconcile()
        calls = lab.calls()
    for label in calls[::5]:
        with died_while_copying() as lab:
            lab.arm(label, fault)
            assert lab.attempt(lambda driver: driver.reconcile()).crashed
            lab.restart_driver()
            lab.settle()
            assert violations(lab) == (), label


def let_another_life_overtake(caller: Caller, call: str) -> None:
    """When the present life makes this call, let another one bring every job to its end first."""
    lab = caller.lab
    done: list[Entry] = []

    def hear(entry: Entry) -> None:
        if entry.event == call and not done:
            done.append(entry)
            other = ReferenceDriver(lab._site)
            other.reconcile()
            other.close()

    lab.watch_calls()
    lab._world.journal.watch(hear)


def test_a_life_that_was_overtaken_says_so_and_stops(caller: Caller) -> None:
    taken = caller.take("take", caller.used_volume().id, LocationType.SECONDARY).result()
    let_another_life_overtake(caller, "nfs.delete#1")
    outcome = caller.delete("delete", taken.id)
    assert type(outcome.error) is ConflictError
    assert "Somebody else carries out job delete at this moment; ask again." in str(outcome.error)
    caller.delete("delete", taken.id).raise_if_failed()
    assert violations(caller.lab) == ()


def test_a_life_that_was_overtaken_while_reconciling_goes_on_with_the_next_job(caller: Caller) -> None:
    volume, other = caller.used_volume(), caller.create("other").result()
    taken = caller.take("take", volume.id, LocationType.SECONDARY).result()
    caller.lab.watch_calls()
    caller.lab.arm("nfs.delete#1", "crash_before")
    caller.lab.arm("array.DeleteVolume#1", "crash_before")
    assert caller.delete("delete", taken.id).crashed
    assert caller.discard("discard", other.id).crashed
    let_another_life_overtake(caller, "nfs.delete#1")
    caller.lab.restart_driver()
    assert "job delete is carried out by another life" in caller.lab.captured_text()
    assert [listed.id for listed in caller.lab.driver.list_volumes()] == [volume.id]
    assert violations(caller.lab) == ()


def test_a_catalog_that_takes_no_commit_leaves_the_job_to_reconcile(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("catalog.commit", "refused")
    outcome = caller.take("take", volume.id)
    assert type(outcome.error) is UnavailableError
    assert "The catalog cannot be written" in str(outcome.error)
    assert not caller.lab.array_snapshots()
    caller.lab.repair()
    assert caller.take("take", volume.id).error is None
