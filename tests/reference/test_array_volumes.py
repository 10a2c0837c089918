"""Snapshots that are array volumes of their own: no sweep takes them, and what is explained of them is true."""

from collections.abc import Iterator

import pytest

from snapproof.campaign.invariants import violations
from snapproof.campaign.running import run
from snapproof.campaign.schedule import Schedule, read_schedule
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.vocabulary import LocationType, Snapshot, VolumeId

OPEN = lab_opener(ReferenceDriver)


@pytest.fixture
def alone() -> Iterator[Caller]:
    """Somebody at a site where no host can re-sign."""
    with OPEN(Schedule(workflow="take-array-volume", store="nfs", seed=3)) as lab:
        yield Caller(lab)


def taken(caller: Caller) -> Snapshot:
    volume: VolumeId = caller.used_volume().id
    snapshot = caller.take("take", volume, LocationType.PRIMARY).result()
    assert snapshot.copies[0].reference.startswith("SfVolumeId=")
    return snapshot


def test_no_sweep_takes_the_array_volume_of_a_snapshot(alone: Caller) -> None:
    """Its owner tag says that a job which is over made it, and no volume's row speaks of it."""
    snapshot, settings, lab = taken(alone), Settings(), alone.lab
    number = int(snapshot.copies[0].reference.removeprefix("SfVolumeId="))
    lab.advance(2 * (settings.sweep_grace_s + settings.reconcile_interval_s))
    lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
    assert [row.active for row in lab.array_volumes() if row.id == number] == [True]
    assert violations(lab) == ()
    alone.delete("delete", snapshot.id).raise_if_failed()
    lab.advance(2 * (settings.sweep_grace_s + settings.reconcile_interval_s))
    lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
    assert violations(lab) == ()


def test_what_reaches_the_lun_of_a_snapshot_too_late_keeps_nobody_from_a_restore() -> None:
    """The source of a restore is granted when its job has been given up: that LUN is no machine's all the same."""
    faults = "array.AddVolumesToVolumeAccessGroup#2=lost_late; host.SR.get_by_name_label#2=crash_before"
    case = run(read_schedule(f"restore-array-volume/v1 store=nfs seed=0 guest=still :: {faults}"), OPEN)
    assert (case.ending, case.violations) == ("crashed", ())


def test_the_array_volume_of_a_snapshot_is_no_mismatch(alone: Caller) -> None:
    snapshot, driver = taken(alone), alone.lab.driver
    assert isinstance(driver, ReferenceDriver)
    assert driver.explain(snapshot.id).mismatches == ()
