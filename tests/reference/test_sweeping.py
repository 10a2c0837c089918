"""The sweep: late effects go after a grace; whatever somebody needs, or somebody else has made, stays."""

from collections.abc import Mapping, Sequence

import pytest

from snapproof.campaign.invariants import violations
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.sharing import share
from snapproof.reference_impl.adapters.element_owners import OWNER_MARK
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import CallError, Owned, OwnedKind
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import LocationType, Snapshot

SETTINGS = Settings()
PAST_GRACE_S = SETTINGS.sweep_grace_s + SETTINGS.reconcile_interval_s


def driver_of(caller: Caller) -> ReferenceDriver:
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    return driver


def appear_late(caller: Caller, lun: int, tag: Mapping[str, str]) -> tuple[int, int]:
    """Let a snapshot and a clone appear on the array, as of calls that everybody had given up."""
    array = caller.lab._world.arrays[0]
    snapshot = call(array, "CreateSnapshot", volumeID=lun, name="late", attributes=tag)["snapshotID"]
    account = call(array, "ListVolumes", volumeIDs=[lun])["volumes"][0]["accountID"]
    clone = call(array, "CloneVolume", volumeID=lun, newAccountID=account, name="late", attributes=tag)["volumeID"]
    caller.lab.settle()
    return snapshot, clone


def existing(caller: Caller) -> Sequence[tuple[str, int]]:
    lab = caller.lab
    volumes = [("volume", row.id) for row in lab.array_volumes()]
    return volumes + [("snapshot", row.id) for row in lab.array_snapshots()]


def archived_volume(caller: Caller) -> tuple[int, Snapshot, Snapshot]:
    """A volume with a snapshot at either place, and the array's number of it."""
    volume = caller.used_volume()
    here = caller.take("here", volume.id).result()
    there = caller.take("there", volume.id, LocationType.SECONDARY).result()
    return int(volume.target.rpartition(".")[2]), here, there


def test_what_came_late_is_swept_up_after_the_grace_with_an_alert_each(caller: Caller) -> None:
    lun, _, there = archived_volume(caller)
    before = existing(caller)
    late = appear_late(caller, lun, {"owner": OWNER_MARK, "job": "there", "subject": there.id})
    caller.wait(SETTINGS.reconcile_interval_s)
    assert len(existing(caller)) == len(before) + 2, "The grace is not over."
    caller.wait(PAST_GRACE_S)
    assert existing(caller) == before
    texts = [alert.text for alert in caller.lab.driver.alerts() if alert.subject == there.id]
    assert len(texts) == len(late)
    assert all(any(f" {number} (late) of job there" in text for text in texts) for number in late)
    assert violations(caller.lab) == ()
    caller.wait(PAST_GRACE_S)
    assert len(caller.lab.driver.alerts()) == 2, "Nothing is told twice."


@pytest.mark.parametrize(
    "tag",
    [
        {},
        {"owner": "somebody", "job": "there"},
        {"owner": OWNER_MARK, "job": "of another catalog", "subject": "x"},
        {"owner": OWNER_MARK},
    ],
    ids=["untagged", "of somebody", "of another catalog", "of nobody"],
)
def test_what_is_not_ours_stays_for_ever(caller: Caller, tag: Mapping[str, str]) -> None:
    lun, _, _ = archived_volume(caller)
    appear_late(caller, lun, tag)
    before = existing(caller)
    caller.wait(10 * PAST_GRACE_S)
    assert existing(caller) == before


def test_whatever_a_row_speaks_of_stays(caller: Caller) -> None:
    lun, _, _ = archived_volume(caller)
    assert caller.discard("discard", caller.lab.driver.list_volumes()[0].id).error is None
    before = existing(caller)
    assert [kind for kind, _ in before] == ["volume", "snapshot"], "The LUN is kept for its snapshot."
    caller.wait(10 * PAST_GRACE_S)
    assert existing(caller) == before
    assert ("volume", lun) in before


def test_what_an_unfinished_job_has_made_is_the_jobs_own(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.GetAsyncResult", "refused:xPermissionDenied")
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    assert caller.take("take", volume.id, LocationType.SECONDARY).error is not None
    assert driver_of(caller)._sweeper.orphans() == []


def test_a_sweep_that_fails_is_told_and_tried_again(caller: Caller) -> None:
    lun, _, there = archived_volume(caller)
    before = existing(caller)
    appear_late(caller, lun, {"owner": OWNER_MARK, "job": "there", "subject": there.id})
    caller.lab.break_service("array.DeleteVolume", "refused:xPermissionDenied")
    caller.wait(PAST_GRACE_S)
    assert "could not be swept up yet: The array refused DeleteVolume" in caller.lab.captured_text()
    assert [kind for kind, _ in set(existing(caller)) - set(before)] == ["volume"], "One that resists saves no other."
    caller.lab.repair()
    caller.wait(PAST_GRACE_S)
    assert existing(caller) == before


def test_a_look_that_fails_holds_up_neither_the_purge_nor_the_next_sweep(caller: Caller) -> None:
    lun, _, there = archived_volume(caller)
    before = existing(caller)
    appear_late(caller, lun, {"owner": OWNER_MARK, "job": "there", "subject": there.id})
    caller.lab.break_service("array.ListVolumes", "refused:xPermissionDenied")
    caller.wait(SETTINGS.history_s + PAST_GRACE_S)
    assert "the sweep was given up for now: The array refused ListVolumes" in caller.lab.captured_text()
    caller.lab.repair()
    caller.wait(PAST_GRACE_S)
    assert existing(caller) == before


def test_a_purge_that_fails_is_told_and_tried_again(caller: Caller) -> None:
    _, _, there = archived_volume(caller)
    caller.delete("delete", there.id).raise_if_failed()
    caller.lab.advance(SETTINGS.history_s + PAST_GRACE_S)
    caller.lab.break_service("catalog.commit", "refused")
    caller.lab.driver.run_due_work()
    assert "the purge was given up for now: The catalog cannot be written" in caller.lab.captured_text()
    history = len(caller.lab.driver.audit_events())
    caller.lab.repair()
    caller.wait(PAST_GRACE_S)
    assert len(caller.lab.driver.audit_events()) < history


def test_a_clone_that_hosts_could_reach_is_taken_from_them_first(caller: Caller) -> None:
    lun, _, there = archived_volume(caller)
    before = existing(caller)
    _, clone = appear_late(caller, lun, {"owner": OWNER_MARK, "job": "there", "subject": there.id})
    share(caller.lab._world.arrays[0], caller.lab._site.hosts_group, clone, "AddVolumesToVolumeAccessGroup")
    assert any("in access groups" in line for line in caller.lab.leftovers())
    caller.wait(PAST_GRACE_S)
    assert existing(caller) == before
    assert violations(caller.lab) == ()


class SweepsByName(ReferenceDriver):
    """A planted defect: what is called as if it were ours is swept up, whoever it belongs to."""

    def run_due_work(self) -> None:
        for row in self._ports.array.list_owned():
            try:
                self._sweeper._remove(self._ports, row)
            except CallError:
                continue


def test_a_sweep_of_what_somebody_needs_is_found(caller: Caller) -> None:
    caller.lab._factory = SweepsByName
    caller.lab.restart_driver()
    archived_volume(caller)
    caller.wait(PAST_GRACE_S)
    assert violations(caller.lab) != ()


def test_orphans_are_seen_before_their_grace_is_over(caller: Caller) -> None:
    lun, _, there = archived_volume(caller)
    snapshot, clone = appear_late(caller, lun, {"owner": OWNER_MARK, "job": "there", "subject": there.id})
    found: Sequence[Owned] = [owned for _, owned in driver_of(caller)._sweeper.orphans()]
    assert {(row.kind, row.id) for row in found} == {(OwnedKind.SNAPSHOT, snapshot), (OwnedKind.LUN, clone)}
