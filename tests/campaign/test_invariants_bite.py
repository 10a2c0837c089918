"""The invariants bite: each damage that is done behind the driver's back is told in one sentence, and no other is."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from snapproof.campaign.invariants import INVARIANTS, violations
from snapproof.campaign.schedule import Schedule
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.lab import SimulatedLab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import BLOCK_BYTES, LocationType, OperationId, TemplateRequest


@pytest.fixture
def caller() -> Iterator[Caller]:
    """A volume with a snapshot of each kind, in a lab where all is well."""
    with lab_opener(ReferenceDriver)(Schedule(workflow="damage", store="nfs", seed=2)) as lab:
        caller = Caller(lab)
        volume = caller.used_volume()
        caller.take("on-array", volume.id, LocationType.PRIMARY).result()
        caller.take("on-secondary", volume.id, LocationType.SECONDARY).result()
        assert violations(lab) == ()
        yield caller


def of_array(lab: SimulatedLab, method: str, **params: object) -> None:
    call(lab._world.arrays[0], method, **params)


def in_catalog(lab: SimulatedLab, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(lab._state_directory / "catalog.sqlite")) as database, database:
        database.execute(statement, values)


def volume_id(lab: SimulatedLab) -> int:
    return lab.array_volumes()[0].id


def write_to_parent(lab: SimulatedLab) -> None:
    guest = lab.start_guest(lab.driver.list_volumes()[0])
    guest._machine.write(BLOCK_BYTES, b"somebody was here")
    guest.stop()


def empty_parent(lab: SimulatedLab) -> None:
    volume = lab._world.arrays[0].volumes.get(volume_id(lab))
    assert volume is not None
    volume.disk.write(0, bytes(1 << 20))


def lose_parent(lab: SimulatedLab) -> None:
    of_array(lab, "DeleteSnapshot", snapshotID=lab.array_snapshots()[0].id)
    in_catalog(lab, "DELETE FROM snapshot_store_ref WHERE store_role = 'Primary'")
    in_catalog(lab, "UPDATE snapshots SET status = 'Destroyed', removed = '2026-01-01' WHERE name = 'on-array'")
    in_catalog(lab, "UPDATE resource_count SET count = 1 WHERE type = 'snapshot'")
    of_array(lab, "DeleteVolume", volumeID=volume_id(lab))


def grow_memory(lab: SimulatedLab) -> None:
    memory = lab._memories[volume_id(lab)]
    memory._size_bytes += BLOCK_BYTES


def make_orphan_lun(lab: SimulatedLab) -> None:
    account = lab._world.arrays[0].volumes.get(volume_id(lab))
    assert account is not None
    of_array(
        lab,
        "CreateVolume",
        name="stray",
        accountID=account.row.account_id,
        totalSize=10**9,
        enable512e=True,
        attributes={},
    )


def touch_others(lab: SimulatedLab) -> None:
    of_array(lab, "DeleteVolume", volumeID=lab._others.volume_id)


def take_orphan_snapshot(lab: SimulatedLab) -> None:
    of_array(lab, "CreateSnapshot", volumeID=volume_id(lab), name="stray")


def lose_array_snapshot(lab: SimulatedLab) -> None:
    of_array(lab, "DeleteSnapshot", snapshotID=lab.array_snapshots()[0].id)


def leave_in_group(lab: SimulatedLab) -> None:
    lab._share(volume_id(lab), "AddVolumesToVolumeAccessGroup")


def backup_path(lab: SimulatedLab) -> str:
    return lab.backups()[0].path


def add_orphan_file(lab: SimulatedLab) -> None:
    (lab._world.export.root / "stray.vhd").write_bytes(b"x")


def lose_backup(lab: SimulatedLab) -> None:
    (lab._world.export.root / backup_path(lab)).unlink()


def flip_backup(lab: SimulatedLab) -> None:
    flip(lab, backup_path(lab))


def flip(lab: SimulatedLab, image: str) -> None:
    path = lab._world.export.root / image
    text = bytearray(path.read_bytes())
    at = text.index(b"snapproof block")
    text[at] ^= 0x20
    path.write_bytes(text)


def take_another(lab: SimulatedLab, location: LocationType, *, writing: bool = False) -> None:
    """Of the same content as the one before, or of another."""
    volume = lab.driver.list_volumes()[0]
    guest = lab.start_guest(volume)
    if writing:
        guest.fill(blocks=2)
    guest.stop()
    Caller(lab).take("another", volume.id, location).result()


def places(lab: SimulatedLab, location: LocationType) -> list[str]:
    copies = [copy for snapshot in lab.driver.list_snapshots() for copy in snapshot.copies]
    return [copy.reference for copy in copies if copy.location is location]


def list_at(lab: SimulatedLab, listed: str, place: str) -> None:
    in_catalog(lab, "UPDATE snapshot_store_ref SET install_path = ? WHERE install_path = ?", place, listed)


def swap(lab: SimulatedLab, location: LocationType) -> None:
    one, other = places(lab, location)
    for listed, place in ((one, "nowhere"), (other, one), ("nowhere", other)):
        list_at(lab, listed, place)


def share_array_snapshot(lab: SimulatedLab) -> None:
    take_another(lab, LocationType.PRIMARY)
    one, other = places(lab, LocationType.PRIMARY)
    list_at(lab, one, other)
    of_array(lab, "DeleteSnapshot", snapshotID=int(one.removeprefix("SfSnapshotId=")))


def share_backup(lab: SimulatedLab) -> None:
    take_another(lab, LocationType.SECONDARY)
    one, other = places(lab, LocationType.SECONDARY)
    list_at(lab, one, other)
    (lab._world.export.root / one).unlink()


def make_template(lab: SimulatedLab) -> str:
    source = lab.driver.list_snapshots()[0]
    request = TemplateRequest(
        operation=OperationId("golden"), account=source.account, name="golden", from_snapshot=source.id
    )
    return lab.attempt(lambda driver: driver.create_template(request)).result().reference


def flip_template(lab: SimulatedLab) -> None:
    flip(lab, make_template(lab))


def leave_staging(lab: SimulatedLab) -> None:
    lab._world.export.make_directories("snapshots/blue/v/s.part")


def miscount(lab: SimulatedLab) -> None:
    in_catalog(lab, "UPDATE resource_count SET count = count + 1 WHERE type = 'snapshot'")


def misbill(lab: SimulatedLab) -> None:
    in_catalog(lab, "UPDATE resource_count SET count = 0 WHERE type = 'secondary_storage'")


def end_twice(lab: SimulatedLab) -> None:
    in_catalog(
        lab,
        "INSERT INTO outbox (topic, message) SELECT topic, message FROM outbox"
        " WHERE topic = 'audit' AND message LIKE '%\"on-array\"%Completed%'",
    )


def never_end(lab: SimulatedLab) -> None:
    in_catalog(lab, "DELETE FROM outbox WHERE topic = 'audit' AND message LIKE '%\"on-array\"%Completed%'")


def tell_a_secret(lab: SimulatedLab) -> None:
    logging.getLogger("somebody").warning("the password is %s", lab.secrets()[0])


def write_a_secret_down(lab: SimulatedLab) -> None:
    (lab._state_directory / "debug.txt").write_text(f"token={lab.secrets()[-1]}")


def walk_illegally(lab: SimulatedLab) -> None:
    in_catalog(
        lab,
        "INSERT INTO outbox (topic, message) VALUES ('state',"
        ' \'{"subject":"s","event":"x","before":"Destroyed","after":"BackedUp"}\')',
    )


def rest_halfway(lab: SimulatedLab) -> None:
    in_catalog(lab, "UPDATE snapshots SET status = 'BackingUp' WHERE name = 'on-secondary'")


DAMAGES: dict[Callable[[SimulatedLab], None], tuple[str, str]] = {
    write_to_parent: ("I1", "Volume database differs from what its guest wrote in 1 blocks, from 1 on."),
    empty_parent: ("I1", "Volume database cannot be read: Array volume "),
    lose_parent: ("I1", "The LUN of volume database ("),
    grow_memory: ("I1", "Volume database has "),
    make_orphan_lun: ("I2", "(stray, active) is an orphan."),
    take_orphan_snapshot: ("I2", "(stray) of volume "),
    lose_array_snapshot: ("I2", "The driver lists a copy at SfSnapshotId="),
    share_array_snapshot: ("I2", "is listed as the copy of several: snapshot on-array, snapshot another."),
    touch_others: ("I2b", "Other people's volume is not as it was."),
    leave_in_group: ("I3", "in access groups"),
    add_orphan_file: ("I4", "stray.vhd (1 bytes) is an orphan"),
    lose_backup: ("I4", ", but there is none."),
    flip_backup: ("I4", "is not what the guest had on its disk when snapshot on-secondary was taken."),
    share_backup: ("I4", "is listed as the copy of several: snapshot on-secondary, snapshot another."),
    flip_template: ("I4", "on its disk when the snapshot was taken that template golden is made of."),
    leave_staging: ("I4", "Left behind: snapshots/blue/v/s.part/."),
    miscount: ("I5", "is charged 3 snapshots and has 2."),
    misbill: ("I5", "is charged 0 bytes on secondary and has "),
    end_twice: ("I6", "Operation on-array has 1 beginnings and 2 ends"),
    never_end: ("I6", "Operation on-array has 1 beginnings and 0 ends"),
    tell_a_secret: ("I7", "Credential number 0 of this world stands in the captured text"),
    write_a_secret_down: ("I7", "of this world stands in the captured text"),
    walk_illegally: ("I8", "Snapshot s went from Destroyed to BackedUp, which no way leads to."),
    rest_halfway: ("I8", "Snapshot on-secondary rests in BackingUp."),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damage_is_told_by_its_own_sentence(caller: Caller, damage: Callable[[SimulatedLab], None]) -> None:
    damage(caller.lab)
    (found,) = violations(caller.lab)
    invariant, words = DAMAGES[damage]
    assert found.invariant == invariant
    assert words in found.sentence


@pytest.mark.parametrize(("location", "invariant"), [(LocationType.PRIMARY, "I2"), (LocationType.SECONDARY, "I4")])
def test_two_copies_that_are_listed_for_each_other_are_told_both(
    caller: Caller, location: LocationType, invariant: str
) -> None:
    take_another(caller.lab, location, writing=True)
    assert violations(caller.lab) == ()
    swap(caller.lab, location)
    found = violations(caller.lab)
    assert [one.invariant for one in found] == [invariant] * 2
    assert all("is not what the guest had on its disk when snapshot" in one.sentence for one in found)


def test_a_template_of_another_snapshot_than_was_asked_for_is_told(caller: Caller) -> None:
    take_another(caller.lab, LocationType.SECONDARY, writing=True)
    made = make_template(caller.lab)
    assert violations(caller.lab) == ()
    root = caller.lab._world.export.root
    (root / made).write_bytes((root / places(caller.lab, LocationType.SECONDARY)[-1]).read_bytes())
    assert "is not what the guest had" in " ".join(map(str, violations(caller.lab)))


def test_every_invariant_has_a_damage() -> None:
    assert {invariant for invariant, _ in DAMAGES.values()} == set(INVARIANTS)
