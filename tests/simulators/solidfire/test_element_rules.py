"""What the array does when it accepts a call: time, contents, limits, lists, the journal."""

from collections.abc import Callable
from typing import Any

import pytest

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ERRORS, ElementError, checked_name
from snapproof.simulators.solidfire.guesses import GUESSED

GB = 1_000_000_000
MIB = 1 << 20
HOUR_S = 3600
HOST = "iqn.1994-05.com.redhat:Host1"


def test_every_guessed_error_is_in_the_table() -> None:
    assert all(checked_name(getattr(GUESSED, name)) in ERRORS for name in GUESSED.__slots__)


@pytest.mark.usefixtures("disk")
def test_a_deleted_volume_purges_itself_after_eight_hours(world: Any) -> None:
    world.result("CreateSnapshot", volumeID=1)
    world.result("DeleteVolume", volumeID=1)
    world.clock.advance(8 * HOUR_S - 1)
    assert len(world.result("ListSnapshots")["snapshots"]) == 1
    world.clock.advance(1)
    assert world.array.inventory() == (f"access group 1 g volumes [] initiators ['{HOST.lower()}']",)
    assert world.result("ListVolumeAccessGroups")["volumeAccessGroups"][0]["deletedVolumes"] == []
    assert world.array.blocks.used_blocks() == 0


@pytest.mark.usefixtures("disk")
def test_a_restored_volume_is_not_purged_by_its_old_appointment(world: Any) -> None:
    world.result("DeleteVolume", volumeID=1)
    world.clock.advance(4 * HOUR_S)
    world.result("RestoreDeletedVolume", volumeID=1)
    world.clock.advance(2 * HOUR_S)
    world.result("DeleteVolume", volumeID=1)
    world.clock.advance(3 * HOUR_S)
    assert [row["volumeID"] for row in world.result("ListDeletedVolumes")["volumes"]] == [1]
    world.clock.advance(5 * HOUR_S)
    assert world.result("ListVolumes") == {"volumes": []}


@pytest.mark.usefixtures("disk")
def test_a_purge_lets_go_of_every_block(world: Any) -> None:
    for number in range(5):
        world.write(1, number * MIB, b"content")
        world.result("CreateSnapshot", volumeID=1)
    world.result("CreateSnapshot", volumeID=1, snapshotID=2)
    world.result("DeleteVolume", volumeID=1)
    world.result("PurgeDeletedVolume", volumeID=1)
    assert world.array.blocks.used_blocks() == 0
    assert world.array.provisioned_bytes == 0


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize("end", [{"retention": "01:30:00"}, {"expirationTime": "2026-01-01T01:30:00Z"}])
def test_a_snapshot_expires_by_the_clock(world: Any, end: dict[str, str]) -> None:
    row = world.result("CreateSnapshot", volumeID=1, **end)["snapshot"]
    assert row["expirationTime"] == "2026-01-01T01:30:00Z"
    world.clock.advance(5399)
    assert world.result("ListSnapshots")["snapshots"] == [row]
    world.clock.advance(1)
    assert world.result("ListSnapshots") == {"snapshots": []}


@pytest.mark.usefixtures("disk")
def test_a_snapshot_may_be_given_another_end_or_none(world: Any) -> None:
    for _ in range(2):
        world.result("CreateSnapshot", volumeID=1, retention="01:00:00")
    world.result("ModifySnapshot", snapshotID=1, expirationTime="2026-01-02T00:00:00Z")
    world.result("ModifySnapshot", snapshotID=2, expirationTime="null", snapMirrorLabel="daily")
    world.clock.advance(HOUR_S)
    assert len(world.result("ListSnapshots")["snapshots"]) == 2
    world.clock.advance(24 * HOUR_S)
    (kept,) = world.result("ListSnapshots")["snapshots"]
    assert (kept["snapshotID"], kept["expirationTime"], kept["snapMirrorLabel"]) == (2, None, "daily")


def test_a_fifo_snapshot_pushes_out_the_oldest_of_its_kind(world: Any) -> None:
    call(world.array, "AddAccount", username="a")
    call(world.array, "CreateVolume", name="v", accountID=1, totalSize=GB, fifoSize=2)
    world.result("CreateSnapshot", volumeID=1, name="kept")
    for name in "abc":
        world.result("CreateSnapshot", volumeID=1, name=name, expirationTime="fifo")
    assert [row["name"] for row in world.result("ListSnapshots")["snapshots"]] == ["kept", "b", "c"]


def test_a_rollback_restores_size_and_content_and_keeps_the_present_when_asked(
    world: Any, disk: dict[str, Any]
) -> None:
    world.write(1, 0, b"old")
    world.result("CreateSnapshot", volumeID=1, name="s")
    world.result("ModifyVolume", volumeID=1, totalSize=2 * GB)
    world.write(1, 0, b"new")
    saved = world.result("RollbackToSnapshot", volumeID=1, snapshotID=1, saveCurrentState=True)
    assert saved["snapshot"]["name"] == "s-copy"
    assert saved["snapshotID"] == saved["snapshot"]["snapshotID"] == 2
    (row,) = world.result("ListVolumes")["volumes"]
    assert (row["totalSize"], row["iqn"]) == (disk["totalSize"], disk["iqn"])
    assert world.content(1, 0, 3) == b"old"
    assert world.array.image_of_snapshot(2).read(0, 3) == b"new"
    assert world.array.image_of_snapshot(2).size_bytes == saved["snapshot"]["totalSize"] == 2_000_683_008
    assert world.array.provisioned_bytes == disk["totalSize"]


@pytest.mark.parametrize(
    ("limit", "method", "params", "error"),
    [
        ("accountCountMax", "AddAccount", {"username": "b"}, "xExceededLimit"),
        ("volumeCountMax", "CreateVolume", {"name": "w", "accountID": 1, "totalSize": GB}, "xMaxVolumeCountExceeded"),
        ("volumesPerAccountCountMax", "CloneVolume", {"name": "w", "volumeID": 1}, "xMaxVolumeCountExceeded"),
        ("snapshotsPerVolumeMax", "CreateSnapshot", {"volumeID": 1}, "xMaxSnapshotsPerVolumeExceeded"),
        (
            "snapshotsPerVolumeMax",
            "RollbackToSnapshot",
            {"volumeID": 1, "snapshotID": 1, "saveCurrentState": True},
            "xMaxSnapshotsPerVolumeExceeded",
        ),
        ("snapshotsPerVolumeMax", "CreateGroupSnapshot", {"volumes": [1]}, "xMaxSnapshotsPerVolumeExceeded"),
        ("volumeAccessGroupCountMax", "CreateVolumeAccessGroup", {"name": "h"}, "xExceededLimit"),
        ("initiatorCountMax", "CreateVolumeAccessGroup", {"name": "h", "initiators": ["j"]}, "xExceededLimit"),
    ],
)  # fmt: skip
def test_a_limit_of_one_refuses_the_second(
    limit: str, method: str, params: dict[str, Any], error: str, small_array: Callable[..., Array]
) -> None:
    array = small_array(**{limit: 1})
    call(array, "AddAccount", username="a")
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB, fifoSize=1)
    call(array, "CreateSnapshot", volumeID=1)
    call(array, "CreateVolumeAccessGroup", name="g", initiators=["i"], volumes=[1])
    with pytest.raises(ElementError) as caught:
        call(array, method, **params)
    assert caught.value.name == error


def test_a_deleted_volume_counts_until_it_is_purged(small_array: Callable[..., Array]) -> None:
    array = small_array(volumeCountMax=1)
    call(array, "AddAccount", username="a")
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)
    call(array, "DeleteVolume", volumeID=1)
    with pytest.raises(ElementError) as caught:
        call(array, "CreateVolume", name="w", accountID=1, totalSize=GB)
    assert caught.value.name == "xMaxVolumeCountExceeded"
    call(array, "PurgeDeletedVolume", volumeID=1)
    assert call(array, "CreateVolume", name="w", accountID=1, totalSize=GB)["volumeID"] == 2


@pytest.mark.usefixtures("disk")
def test_no_more_is_promised_than_the_cluster_may_promise(world: Any) -> None:
    world.result("CreateSnapshot", volumeID=1)
    world.result("ModifyVolume", volumeID=1, totalSize=2 * GB)
    left = world.array.provisioned_bytes_max - world.array.provisioned_bytes
    whole, rest = divmod(left, 2**44)
    for number in range(whole):
        world.volume(1, f"large-{number}", 2**44)
    world.volume(1, "last", rest)
    before = world.fingerprint()
    assert world.error("CreateVolume", name="more", accountID=1, totalSize=GB) == "xTotalCapacityExceeded"
    assert world.error("CloneVolume", name="more", volumeID=1) == "xTotalCapacityExceeded"
    assert world.error("ModifyVolume", volumeID=1, totalSize=3 * GB) == "xTotalCapacityExceeded"
    assert world.fingerprint() == before
    world.result("RollbackToSnapshot", volumeID=1, snapshotID=1)
    assert world.array.provisioned_bytes < world.array.provisioned_bytes_max


def test_a_rollback_never_displaces_what_it_rolls_back_to(small_array: Callable[..., Array]) -> None:
    array = small_array(snapshotsPerVolumeMax=2)
    call(array, "AddAccount", username="a")
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)
    for _ in range(2):
        call(array, "CreateSnapshot", volumeID=1, expirationTime="fifo")
    with pytest.raises(ElementError) as caught:
        call(array, "RollbackToSnapshot", volumeID=1, snapshotID=1, saveCurrentState=True)
    assert caught.value.name == "xMaxSnapshotsPerVolumeExceeded"
    call(array, "RollbackToSnapshot", volumeID=1, snapshotID=2, saveCurrentState=True)
    assert [row["snapshotID"] for row in call(array, "ListSnapshots")["snapshots"]] == [2, 3]


def _attributes(world: Any, method: str, rows: str) -> list[dict[str, Any]]:
    return [row["attributes"] for row in world.result(method)[rows]]


def test_attributes_are_kept_until_others_are_given(world: Any) -> None:
    owner, other = {"owner": "us"}, {"owner": "them", "more": 2}
    world.result("AddAccount", username="a", attributes=owner)
    world.result("CreateVolume", name="v", accountID=1, totalSize=GB, attributes=owner)
    world.result("CreateSnapshot", volumeID=1, attributes=owner)
    world.result("CreateVolumeAccessGroup", name="g", volumes=[1], attributes=owner)
    world.result("ModifyAccount", accountID=1, username="b")
    world.result("ModifyVolume", volumeID=1, totalSize=2 * GB)
    world.result("ModifyVolumeAccessGroup", volumeAccessGroupID=1, name="h")
    listed = {"ListAccounts": "accounts", "ListVolumes": "volumes", "ListSnapshots": "snapshots"}
    listed["ListVolumeAccessGroups"] = "volumeAccessGroups"
    found = {method: _attributes(world, method, rows) for method, rows in listed.items()}
    assert found == {method: [owner] for method in listed}
    world.result("ModifyVolume", volumeID=1, attributes=other)
    world.result("ModifyAccount", accountID=1, attributes={})
    assert _attributes(world, "ListVolumes", "volumes") == [other]
    assert _attributes(world, "ListAccounts", "accounts") == [{}]


@pytest.mark.usefixtures("disk")
def test_a_policy_is_changed_for_all_that_follow_it(world: Any) -> None:
    world.result("CreateQoSPolicy", name="gold", qos={"minIOPS": 100, "maxIOPS": 2000, "burstIOPS": 3000})
    world.result("ModifyVolume", volumeID=1, qosPolicyID=1)
    world.volume(1, "own")
    world.result("ModifyQoSPolicy", qosPolicyID=1, qos={"minIOPS": 500})
    qos = [row["qos"]["minIOPS"] for row in world.result("ListVolumes")["volumes"]]
    assert qos == [500, 50]


@pytest.mark.usefixtures("disk")
def test_the_lun_of_a_deleted_volume_is_kept_for_it(world: Any) -> None:
    world.volume(1, "other")
    world.result("DeleteVolume", volumeID=1)
    world.result("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2])
    world.result("RestoreDeletedVolume", volumeID=1)
    luns = world.result("GetVolumeAccessGroupLunAssignments", volumeAccessGroupID=1)
    assert luns["volumeAccessGroupLunAssignments"]["lunAssignments"] == [
        {"volumeID": 1, "lun": 0},
        {"volumeID": 2, "lun": 1},
    ]


@pytest.mark.usefixtures("disk")
def test_an_account_with_deleted_volumes_is_not_removed(world: Any) -> None:
    world.result("DeleteVolume", volumeID=1)
    assert world.error("RemoveAccount", accountID=1) == "xInvalidParameter"
    world.result("PurgeDeletedVolume", volumeID=1)
    world.result("RemoveAccount", accountID=1)


@pytest.mark.usefixtures("disk")
def test_an_account_that_moves_its_last_volume_may_be_removed(world: Any) -> None:
    other = world.account("other")
    world.result("ModifyVolume", volumeID=1, accountID=other)
    assert world.result("GetAccountByID", accountID=other)["account"]["volumes"] == [1]
    assert world.result("RemoveAccount", accountID=1) == {}
    assert world.error("GetAccountByName", username="tenant") == "xUnknownAccount"
    renamed = world.result("ModifyAccount", accountID=other, username="tenant", status="locked")["account"]
    assert (renamed["username"], renamed["status"]) == ("tenant", "locked")
    assert world.error("GetAccountByName", username="other") == "xUnknownAccount"
    assert [row["accountID"] for row in world.result("ListAccounts", startAccountID=2, limit=1)["accounts"]] == [other]


@pytest.mark.usefixtures("disk")
def test_lists_of_volumes_filter(world: Any) -> None:
    other = world.account("other")
    world.volume(other, "named")
    world.volume(1, "disk")
    world.result("DeleteVolume", volumeID=1)
    filters: list[tuple[dict[str, Any], list[int]]] = [
        ({}, [1, 2, 3]),
        ({"volumeName": "disk"}, [1, 3]),
        ({"volumeName": "absent"}, []),
        ({"accounts": [other]}, [2]),
        ({"volumeStatus": "deleted"}, [1]),
        ({"volumeIDs": [3, 99, 1]}, [1, 3]),
        ({"isPaired": True}, []),
        ({"protectionSchemes": ["doubleHelix"], "limit": 2}, [1, 2]),
        ({"volumeStatus": "active", "startVolumeID": 1, "limit": 1}, [2]),
    ]
    for params, expected in filters:
        assert [row["volumeID"] for row in world.result("ListVolumes", **params)["volumes"]] == expected, params
    assert [row["volumeID"] for row in world.result("ListActiveVolumes", startVolumeID=3)["volumes"]] == [3]
    assert [row["volumeID"] for row in world.result("ListVolumesForAccount", accountID=1, limit=1)["volumes"]] == [1]


def test_capacity_is_all_zero_or_all_positive(world: Any, disk: dict[str, Any]) -> None:
    names = ("uniqueBlocks", "uniqueBlocksUsedSpace", "zeroBlocks", "nonZeroBlocks")
    assert [world.result("GetClusterCapacity")["clusterCapacity"][name] for name in names] == [0, 0, 0, 0]
    world.write(1, 0, b"x" * 8192)
    capacity = world.result("GetClusterCapacity")["clusterCapacity"]
    assert capacity["nonZeroBlocks"] == capacity["uniqueBlocks"] == 2
    assert capacity["zeroBlocks"] == disk["totalSize"] // 4096 - 2
    assert capacity["provisionedSpace"] == disk["totalSize"]


@pytest.mark.usefixtures("disk")
def test_every_change_is_in_the_journal_in_order(world: Any) -> None:
    start = len(world.journal)
    call(world.array, "CreateSnapshot", volumeID=1, name="s")
    call(world.array, "CloneVolume", volumeID=1, name="c", snapshotID=1)
    call(world.array, "ModifyVolume", volumeID=2, totalSize=2 * GB)
    world.clock.advance(1)
    call(world.array, "GetAsyncResult", asyncHandle=1)
    call(world.array, "RollbackToSnapshot", volumeID=1, snapshotID=1)
    call(world.array, "DeleteSnapshot", snapshotID=1)
    call(world.array, "DeleteVolume", volumeID=2)
    call(world.array, "RestoreDeletedVolume", volumeID=2)
    call(world.array, "DeleteVolume", volumeID=2)
    call(world.array, "PurgeDeletedVolume", volumeID=2)
    call(world.array, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=1, volumes=[1])
    entries = list(world.journal)[start:]
    assert [entry.event for entry in entries] == [
        "snapshot created", "volume created", "clone started", "volume modified", "clone finished", "rolled back",
        "snapshot deleted", "volume deleted", "volume restored", "volume deleted", "volume purged", "access revoked",
    ]  # fmt: skip
    assert entries[0].facts == {"snapshot_id": 1, "volume_id": 1, "name": "s"}
    assert {entry.side for entry in entries} == {"array"}


def test_a_judge_asking_for_what_is_not_there_is_told(world: Any) -> None:
    with pytest.raises(LookupError, match="no snapshot 4"):
        world.array.image_of_snapshot(4)
    with pytest.raises(LookupError, match="no volume 4"):
        world.array.image_of_volume(4)


@pytest.mark.usefixtures("disk")
def test_an_arrangers_answer_is_a_copy(world: Any) -> None:
    call(world.array, "ListVolumes")["volumes"][0]["name"] = "scribbled"
    assert call(world.array, "ListVolumes")["volumes"][0]["name"] == "disk"


def test_one_seed_makes_one_cluster(small_array: Callable[..., Array]) -> None:
    first, second = small_array(), small_array()
    for array in (first, second):
        call(array, "AddAccount", username="a")
    assert call(first, "ListAccounts") == call(second, "ListAccounts")
    assert call(first, "GetClusterInfo") == call(second, "GetClusterInfo")
