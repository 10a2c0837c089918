"""What hosts see of the array: who reaches which volume, and when a volume is lost to them."""

import errno
from typing import Any

import pytest

from snapproof.simulators.fabric import Fabric, LoginRefusedError

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:Host1"


def test_an_array_is_a_fabric(world: Any) -> None:
    fabric: Fabric = world.array
    assert not fabric.accessible(initiator=HOST, target="iqn.2010-01.com.solidfire:none.1")


def test_a_host_reads_what_it_wrote_and_its_case_does_not_matter(world: Any, disk: dict[str, Any]) -> None:
    world.array.login(initiator=HOST.upper(), target=disk["iqn"].upper()).write(4096, b"guest")
    device = world.array.login(initiator=HOST, target=disk["iqn"])
    assert device.read(4096, 5) == b"guest"
    assert device.size_bytes == disk["totalSize"]
    assert list(device.extents()) == [(4096, 4096)]


@pytest.mark.usefixtures("disk")
def test_initiators_are_stored_in_lower_case(world: Any) -> None:
    assert world.result("ListVolumeAccessGroups")["volumeAccessGroups"][0]["initiators"] == [HOST.lower()]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("DeleteVolume", {"volumeID": 1}),
        ("ModifyVolume", {"volumeID": 1, "access": "locked"}),
        ("ModifyVolume", {"volumeID": 1, "access": "replicationTarget"}),
        ("RemoveVolumesFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [1]}),
        ("RemoveInitiatorsFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "initiators": [HOST]}),
        ("ModifyVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": []}),
        ("ModifyVolumeAccessGroup", {"volumeAccessGroupID": 1, "initiators": []}),
        ("DeleteVolumeAccessGroup", {"volumeAccessGroupID": 1}),
    ],
)
def test_a_host_loses_the_volume_at_once(world: Any, disk: dict[str, Any], method: str, params: dict[str, Any]) -> None:
    device = world.array.login(initiator=HOST, target=disk["iqn"])
    world.result(method, **params)
    assert not world.array.accessible(initiator=HOST, target=disk["iqn"])
    with pytest.raises(LoginRefusedError):
        world.array.login(initiator=HOST, target=disk["iqn"])
    with pytest.raises(OSError, match="dropped") as caught:
        device.read(0, 1)
    assert caught.value.errno == errno.EIO
    with pytest.raises(OSError, match="dropped"):
        device.write(0, b"x")


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize("target", ["", "x", "iqn.2010-01.com.solidfire:none.1", "1", "iqn.9", "iqn.\u0663"])
def test_there_is_no_login_to_what_is_no_target(world: Any, target: str) -> None:
    with pytest.raises(LoginRefusedError, match="no target"):
        world.array.login(initiator=HOST, target=target)


def test_a_read_only_volume_is_read_but_not_written(world: Any, disk: dict[str, Any]) -> None:
    world.result("ModifyVolume", volumeID=1, access="readOnly")
    device = world.array.login(initiator=HOST, target=disk["iqn"])
    assert device.read(0, 4) == bytes(4)
    with pytest.raises(OSError, match="read-only") as caught:
        device.write(0, b"x")
    assert caught.value.errno == errno.EROFS


def test_growing_is_seen_by_an_open_session(world: Any, disk: dict[str, Any]) -> None:
    device = world.array.login(initiator=HOST, target=disk["iqn"])
    world.result("ModifyVolume", volumeID=1, totalSize=2 * GB)
    device.write(2 * GB - 1, b"x")
    assert device.size_bytes == 2_000_683_008


def test_a_deleted_volume_moves_to_the_deleted_ones_of_its_group_and_back(world: Any, disk: dict[str, Any]) -> None:
    world.result("DeleteVolume", volumeID=1)
    group = world.result("ListVolumeAccessGroups")["volumeAccessGroups"][0]
    assert (group["volumes"], group["deletedVolumes"]) == ([], [1])
    assert world.result("ListDeletedVolumes")["volumes"][0]["volumeAccessGroups"] == []
    world.result("RestoreDeletedVolume", volumeID=1)
    group = world.result("ListVolumeAccessGroups")["volumeAccessGroups"][0]
    assert (group["volumes"], group["deletedVolumes"]) == ([1], [])
    assert world.array.accessible(initiator=HOST, target=disk["iqn"])


@pytest.mark.usefixtures("disk")
def test_a_volume_is_in_four_groups_at_most_and_an_initiator_in_one(world: Any) -> None:
    for name in "bcd":
        world.result("CreateVolumeAccessGroup", name=name, volumes=[1])
    assert world.error("CreateVolumeAccessGroup", name="e", volumes=[1]) == "xExceededLimit"
    refused = world.ask("AddInitiatorsToVolumeAccessGroup", {"volumeAccessGroupID": 2, "initiators": [HOST]})["error"]
    assert refused["name"] == "xExceededLimit"
    assert HOST.lower() in refused["message"]


@pytest.mark.usefixtures("disk")
def test_initiators_are_forgotten_with_their_last_group_unless_kept(world: Any) -> None:
    first = world.result("ListVolumeAccessGroups")["volumeAccessGroups"][0]["initiatorIDs"]
    world.result(
        "RemoveInitiatorsFromVolumeAccessGroup", volumeAccessGroupID=1, initiators=first, deleteOrphanInitiators=False
    )
    again = world.result("AddInitiatorsToVolumeAccessGroup", volumeAccessGroupID=1, initiators=[HOST])
    assert again["volumeAccessGroup"]["initiatorIDs"] == first
    world.result("DeleteVolumeAccessGroup", volumeAccessGroupID=1)
    new = world.result("CreateVolumeAccessGroup", name="n", initiators=[HOST])["volumeAccessGroup"]
    assert new["initiatorIDs"] == [first[0] + 1]


@pytest.mark.usefixtures("disk")
def test_modifying_a_group_replaces_its_lists(world: Any) -> None:
    world.volume(1)
    group = world.result(
        "ModifyVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2], initiators=["Other", HOST], name="n"
    )
    assert group["volumeAccessGroup"]["volumes"] == [2]
    assert group["volumeAccessGroup"]["initiators"] == [HOST.lower(), "other"]
    assert group["volumeAccessGroup"]["name"] == "n"
    assert world.result("ModifyVolumeAccessGroup", volumeAccessGroupID=1, volumes=None) == group
    found = world.result("ListVolumeAccessGroups", volumeAccessGroups=[7, 1])
    assert (len(found["volumeAccessGroups"]), found["volumeAccessGroupsNotFound"]) == (1, [7])
