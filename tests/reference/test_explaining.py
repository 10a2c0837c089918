"""Explaining a snapshot: what agrees is said to agree, and every way of disagreeing is named."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from snapproof.driver import NotFoundError
from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.adapters.element_owners import OWNER_MARK
from snapproof.reference_impl.core.names import own_file
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.explaining import Explanation
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import LocationType, Snapshot, SnapshotId


def explained(caller: Caller, snapshot: str) -> Explanation:
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    before = caller.lab.inventory()
    found = driver.explain(SnapshotId(snapshot))
    assert caller.lab.inventory() == before, "Looking changes nothing."
    return found


def taken(caller: Caller, location: LocationType) -> Snapshot:
    return caller.take("take", caller.used_volume().id, location).result()


@pytest.mark.requirement(id="R-069")
@pytest.mark.parametrize("location", LocationType)
def test_a_snapshot_that_is_as_it_is_recorded_is_said_to_be(any_caller: Caller, location: LocationType) -> None:
    snapshot = taken(any_caller, location)
    found = explained(any_caller, snapshot.id)
    assert found.mismatches == ()
    page = found.page()
    assert page.endswith("What is recorded and what exists agree.\n")
    for copy in snapshot.copies:
        assert copy.reference in page
    assert f"snapshot     {snapshot.id} 'take' of team-blue: BackedUp {location}" in page
    any_caller.delete("delete", snapshot.id).raise_if_failed()
    assert explained(any_caller, snapshot.id).mismatches == ()


def lose_array_snapshot(caller: Caller, snapshot: Snapshot) -> None:
    caller.lab.lose_array_snapshot(int(snapshot.copies[0].reference.removeprefix("SfSnapshotId=")))


def lose_volume(caller: Caller, _snapshot: Snapshot) -> None:
    caller.lab.lose_array_volume(caller.lab.driver.list_volumes()[0])


def leave_clone(caller: Caller, snapshot: Snapshot) -> None:
    array = caller.lab._world.arrays[0]
    tag = {"owner": OWNER_MARK, "job": "take", "subject": snapshot.id}
    call(array, "CloneVolume", volumeID=71_002, newAccountID=1, name="left", attributes=tag)
    caller.lab.settle()


def leave_snapshot(caller: Caller, snapshot: Snapshot) -> None:
    array = caller.lab._world.arrays[0]
    tag = {"owner": OWNER_MARK, "job": "take", "subject": snapshot.id}
    call(array, "CreateSnapshot", volumeID=71_002, name="left", attributes=tag)


def backup_file(caller: Caller) -> Path:
    (path,) = caller.lab._world.export.paths()
    return caller.lab._world.export.root / path


def lose_backup(caller: Caller, _snapshot: Snapshot) -> None:
    backup_file(caller).unlink()


def cut_backup(caller: Caller, _snapshot: Snapshot) -> None:
    file = backup_file(caller)
    file.write_bytes(file.read_bytes()[:1000])


def flip_backup(caller: Caller, _snapshot: Snapshot) -> None:
    file = backup_file(caller)
    content = bytearray(file.read_bytes())
    content[-600] ^= 1
    file.write_bytes(content)


def forget_copies(caller: Caller, _snapshot: Snapshot) -> None:
    with closing(sqlite3.connect(caller.lab._state_directory / "catalog.sqlite")) as database, database:
        database.execute("DELETE FROM snapshot_store_ref")


def leave_file_of_a_later_try(caller: Caller, snapshot: Snapshot) -> None:
    file = backup_file(caller)
    forget_copies(caller, snapshot)
    file.rename(file.with_name(f"{own_file('take')}.vhd"))


def blind(caller: Caller, _snapshot: Snapshot) -> None:
    caller.lab.break_service("array.ListSnapshots", "refused:xPermissionDenied")


DAMAGE: Mapping[str, tuple[LocationType, Callable[[Caller, Snapshot], None], str]] = {
    "array snapshot lost": (LocationType.PRIMARY, lose_array_snapshot, "is recorded and is not on the array"),
    "volume lost": (LocationType.PRIMARY, lose_volume, "is needed for the array snapshot and is not on the array"),
    "clone left": (LocationType.SECONDARY, leave_clone, "was cloned for it and is still on the array"),
    "snapshot left": (LocationType.SECONDARY, leave_snapshot, "is of it, and no record speaks of it"),
    "backup lost": (LocationType.SECONDARY, lose_backup, "is recorded and is not on secondary storage"),
    "backup cut": (LocationType.SECONDARY, cut_backup, "has 1000 bytes; "),
    "backup flipped": (LocationType.SECONDARY, flip_backup, "is not what was written: its digest is"),
    "records lost": (LocationType.SECONDARY, forget_copies, "lies on secondary storage, and no record speaks of it"),
    "later try left": (LocationType.SECONDARY, leave_file_of_a_later_try, "lies on secondary storage, and no record"),
    "nothing to restore": (LocationType.PRIMARY, forget_copies, "no copy of it is recorded; it cannot be restored"),
    "array is silent": (LocationType.PRIMARY, blind, "Not seen: its snapshots: The array refused ListSnapshots"),
}


@pytest.mark.requirement(id="R-069")
@pytest.mark.parametrize("name", DAMAGE)
def test_every_way_in_which_the_sides_differ_is_named(caller: Caller, name: str) -> None:
    location, damage, said = DAMAGE[name]
    snapshot = taken(caller, location)
    damage(caller, snapshot)
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    found = driver.explain(snapshot.id)
    assert sum(said in each for each in found.mismatches) == 1, found.mismatches
    assert f"MISMATCH     {found.mismatches[0]}" in found.page()


def test_what_a_job_has_in_its_hands_contradicts_nothing_but_its_leak(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.GetAsyncResult", "refused:xPermissionDenied")
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    caller.take("take", volume.id, LocationType.SECONDARY)
    caller.lab.repair()
    (row,) = caller.lab.driver.list_snapshots()
    found = explained(caller, row.id)
    assert found.mismatches == ("A clean-up is left over: The array refused DeleteSnapshot: xPermissionDenied.",)
    assert "job          take (TakeSnapshot, undoing)" in found.page()


def test_a_snapshot_that_never_was_is_not_found(caller: Caller) -> None:
    with pytest.raises(NotFoundError, match="There is no snapshot nobody, nor was there one"):
        explained(caller, "nobody")
