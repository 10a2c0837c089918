"""Several volumes at once: group clones, copies over a volume, and calls that delete, purge or modify many."""

from typing import Any

import pytest

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:Host1"


@pytest.fixture
def pair(world: Any, disk: dict[str, Any]) -> Any:
    """Volumes 1 and 2 of one account with a word in each."""
    world.volume(disk["accountID"], name="second")
    world.write(1, 0, b"one")
    world.write(2, 0, b"two")
    return world


def test_a_group_clone_is_of_one_moment_and_has_one_handle(pair: Any) -> None:
    started = pair.result("CloneMultipleVolumes", volumes=[{"volumeID": 1, "name": "copy"}, {"volumeID": 2}])
    assert started["members"] == [{"volumeID": 3, "srcVolumeID": 1}, {"volumeID": 4, "srcVolumeID": 2}]
    pair.write(1, 0, b"new")
    running = pair.result("GetAsyncResult", asyncHandle=started["asyncHandle"])
    assert (running["status"], running["details"]["groupCloneID"]) == ("running", started["groupCloneID"])
    pair.clock.advance(60)
    done = pair.result("GetAsyncResult", asyncHandle=started["asyncHandle"])
    assert (done["status"], done["result"]["groupCloneID"]) == ("complete", started["groupCloneID"])
    assert [pair.content(number, 0, 3) for number in (3, 4)] == [b"one", b"two"]
    assert [row["name"] for row in pair.result("ListVolumes")["volumes"]] == ["disk", "second", "copy", "second"]
    assert pair.error("GetAsyncResult", asyncHandle=started["asyncHandle"]) == "xDBNoSuchPath"


def test_a_group_clone_of_a_group_snapshot_takes_what_was_frozen(pair: Any) -> None:
    group = pair.result("CreateGroupSnapshot", volumes=[1, 2])["groupSnapshotID"]
    pair.write(2, 0, b"new")
    asked = [{"volumeID": 2, "newSize": 2 * GB, "access": "readOnly"}]
    pair.result("CloneMultipleVolumes", volumes=asked, groupSnapshotID=group, access="locked")
    assert pair.content(3, 0, 3) == b"two"
    row = pair.result("ListVolumes", volumeIDs=[3])["volumes"][0]
    assert (row["access"], row["totalSize"]) == ("readOnly", 2_000_683_008)
    assert pair.error("DeleteGroupSnapshot", groupSnapshotID=group) == "xNotReadyForIO"
    assert len(pair.result("ListSnapshots")["snapshots"]) == 2


def test_a_cancelled_group_clone_leaves_nothing(pair: Any) -> None:
    before = pair.array.inventory()
    started = pair.result("CloneMultipleVolumes", volumes=[{"volumeID": 1}, {"volumeID": 2}])
    assert pair.error("CancelClone", cloneID=1) == "xDBNoSuchPath"
    pair.result("CancelGroupClone", groupCloneID=started["groupCloneID"])
    assert pair.array.inventory() == before
    assert pair.result("ListAsyncResults") == {"asyncHandles": []}


def test_a_doomed_member_is_told_by_the_handle_of_the_group(pair: Any) -> None:
    pair.array.doom_next_clone("xSliceNotRegistered")
    started = pair.result("CloneMultipleVolumes", volumes=[{"volumeID": 1}, {"volumeID": 2}])
    pair.clock.advance(60)
    done = pair.result("GetAsyncResult", asyncHandle=started["asyncHandle"])
    assert done["error"]["name"] == "xSliceNotRegistered"
    assert [row["volumeID"] for row in pair.result("ListVolumes")["volumes"]] == [1, 2, 4]


def test_a_copy_overwrites_a_volume_that_hosts_cannot_reach_meanwhile(pair: Any) -> None:
    device = pair.array.login(initiator=HOST, target=pair.array.volumes[1].iqn)
    started = pair.result("CopyVolume", volumeID=2, dstVolumeID=1)
    pair.write(2, 0, b"new")
    with pytest.raises(OSError, match="overwritten"):
        device.read(0, 3)
    assert not pair.array.accessible(initiator=HOST, target=pair.array.volumes[1].iqn)
    pair.clock.advance(60)
    done = pair.result("GetAsyncResult", asyncHandle=started["asyncHandle"])
    assert done["result"]["cloneID"] == started["cloneID"]
    assert pair.array.login(initiator=HOST, target=pair.array.volumes[1].iqn).read(0, 3) == b"two"


def test_a_copy_of_a_snapshot_takes_what_was_frozen(pair: Any) -> None:
    pair.result("CreateSnapshot", volumeID=2)
    pair.write(2, 0, b"new")
    pair.result("CopyVolume", volumeID=2, dstVolumeID=1, snapshotID=1)
    assert pair.content(1, 0, 3) == b"two"


@pytest.mark.parametrize("failing", [True, False])
def test_a_copy_that_ends_badly_leaves_the_volume(pair: Any, *, failing: bool) -> None:
    if failing:
        pair.array.doom_next_clone("xSliceNotRegistered")
    started = pair.result("CopyVolume", volumeID=2, dstVolumeID=1)
    if not failing:
        pair.result("CancelClone", cloneID=started["cloneID"])
    pair.clock.advance(60)
    assert [row["volumeID"] for row in pair.result("ListActiveVolumes")["volumes"]] == [1, 2]
    assert pair.array.accessible(initiator=HOST, target=pair.array.volumes[1].iqn)


def test_a_copy_needs_a_volume_of_the_same_size(pair: Any) -> None:
    pair.result("ModifyVolume", volumeID=2, totalSize=2 * GB)
    before = pair.fingerprint()
    assert pair.error("CopyVolume", volumeID=2, dstVolumeID=1) == "xInvalidParameter"
    assert pair.fingerprint() == before


@pytest.mark.parametrize("told", [{"volumeIDs": [1, 2, 1]}, {"accountIDs": [1]}])
def test_many_volumes_are_deleted_and_purged_by_one_call_each(pair: Any, told: dict[str, list[int]]) -> None:
    rows = pair.result("DeleteVolumes", **told)["volumes"]
    assert [(row["volumeID"], row["status"]) for row in rows] == [(1, "deleted"), (2, "deleted")]
    assert pair.result("PurgeDeletedVolumes", **told) == {}
    assert pair.result("ListVolumes") == {"volumes": []}
    assert pair.array.blocks.used_blocks() == 0


def test_an_access_group_names_its_active_and_its_deleted_volumes(pair: Any) -> None:
    assert [row["volumeID"] for row in pair.result("DeleteVolumes", volumeAccessGroupIDs=[1])["volumes"]] == [1]
    pair.result("PurgeDeletedVolumes", volumeAccessGroupIDs=[1])
    assert [row["volumeID"] for row in pair.result("ListVolumes")["volumes"]] == [2]


def test_many_volumes_are_modified_to_the_same_end(pair: Any) -> None:
    changed = pair.result("ModifyVolumes", volumeIDs=[1, 2], qos={"minIOPS": 60}, attributes={"a": 1}, totalSize=2 * GB)
    assert changed["qos"]["minIOPS"] == 60
    assert changed["volumes"] == pair.result("ListVolumes")["volumes"]
    assert {(row["qos"]["minIOPS"], row["totalSize"]) for row in changed["volumes"]} == {(60, 2_000_683_008)}


def test_a_call_takes_at_most_five_hundred_volumes(pair: Any) -> None:
    for _ in range(499):
        pair.volume(1)
    before = pair.fingerprint()
    assert pair.error("DeleteVolumes", accountIDs=[1]) == "xExceededLimit"
    assert pair.error("ModifyVolumes", volumeIDs=list(range(1, 502)), access="locked") == "xExceededLimit"
    assert pair.fingerprint() == before
