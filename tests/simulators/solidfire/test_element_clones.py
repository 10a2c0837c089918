"""Clone jobs: the moment they copy, when they are done, how they fail, how many run at once."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.fabric import LoginRefusedError
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:Host1"


@pytest.mark.usefixtures("disk")
def test_a_clone_is_the_moment_of_the_call_and_reachable_when_finished(world: Any) -> None:
    world.write(1, 0, b"then")
    clone = world.result("CloneVolume", volumeID=1, name="copy", newSize=2 * GB)
    world.write(1, 0, b"now!")
    world.result("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[clone["volumeID"]])
    assert world.result("ModifyVolume", volumeID=clone["volumeID"], attributes={"a": 1})["volume"]["status"] == "active"
    assert world.result("GetAsyncResult", asyncHandle=clone["asyncHandle"])["status"] == "running"
    with pytest.raises(LoginRefusedError, match="still being cloned"):
        world.array.login(initiator=HOST, target=clone["volume"]["iqn"])
    world.clock.advance(1)
    device = world.array.login(initiator=HOST, target=clone["volume"]["iqn"])
    assert device.read(0, 4) == b"then"
    assert device.size_bytes == 2_000_683_008


@pytest.mark.usefixtures("disk")
def test_a_clone_of_a_snapshot_is_the_moment_of_the_snapshot(world: Any) -> None:
    world.write(1, 0, b"then")
    world.result("CreateSnapshot", volumeID=1)
    world.write(1, 0, b"now!")
    assert world.result("CloneVolume", volumeID=1, name="copy", snapshotID=1)["volumeID"] == 2
    assert world.content(2, 0, 4) == b"then"


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize(("size", "rounded"), [(GB, 1_000_341_504), (2 * GB, 2_000_683_008), (3 * GB, 3_001_024_512)])
def test_a_clone_may_be_larger_or_smaller(world: Any, size: int, rounded: int) -> None:
    world.result("ModifyVolume", volumeID=1, totalSize=2 * GB)
    assert world.result("CloneVolume", volumeID=1, name="copy", newSize=size)["volume"]["totalSize"] == rounded
    assert world.array.image_of_volume(2).size_bytes == rounded
    assert world.array.provisioned_bytes == 2_000_683_008 + rounded


def test_a_clone_inherits_all_but_the_access_groups(world: Any) -> None:
    call(world.array, "AddAccount", username="a")
    call(
        world.array, "CreateVolume", name="v", accountID=1, totalSize=GB, enable512e=True, attributes={"k": "v"},
        qos={"minIOPS": 500}, access="readOnly",
    )  # fmt: skip
    call(world.array, "CreateVolumeAccessGroup", name="g", volumes=[1])
    parent, clone = call(world.array, "ListVolumes")["volumes"][0], world.result("CloneVolume", volumeID=1, name="c")
    inherited = ("accountID", "access", "enable512e", "qos", "attributes", "totalSize")
    assert {name: clone["volume"][name] for name in inherited} == {name: parent[name] for name in inherited}
    assert clone["volume"]["volumeAccessGroups"] == []
    other = world.result("CloneVolume", volumeID=1, name="d", attributes={}, access="readWrite", enable512e=False)[
        "volume"
    ]
    assert (other["attributes"], other["access"], other["enable512e"]) == ({}, "readWrite", False)


@pytest.mark.usefixtures("disk")
def test_a_handle_dies_with_its_first_complete_answer_unless_kept(world: Any) -> None:
    handle = world.result("CloneVolume", volumeID=1, name="c")["asyncHandle"]
    running = world.result("GetAsyncResult", asyncHandle=handle)
    assert running.keys() == {"status", "resultType", "createTime", "lastUpdateTime", "details"}
    world.clock.advance(1)
    for _ in range(2):
        complete = world.result("GetAsyncResult", asyncHandle=handle, keepResult="true")
        assert complete["result"] == {"cloneID": 1, "message": "Clone complete.", "volumeID": 2}
        assert "error" not in complete
    (line,) = world.result("ListAsyncResults", asyncResultTypes=["Clone"])["asyncHandles"]
    assert (line["asyncResultID"], line["completed"], line["success"]) == (handle, True, True)
    assert (
        world.result("GetAsyncResult", asyncHandle=handle, keepResult=False)["lastUpdateTime"] == "2026-01-01T00:00:01Z"
    )
    assert world.ask("GetAsyncResult", {"asyncHandle": handle})["error"]["message"] == (
        f"DBClient operation requested on a non-existent path at [/asyncresults/{handle}]"
    )
    assert world.result("ListAsyncResults") == {"asyncHandles": []}


def test_a_clone_by_polls_takes_as_many_questions() -> None:
    clock = VirtualClock()
    array = Array(
        clock=clock,
        journal=Journal(clock.time),
        blocks=BlockStore(),
        dice=random.Random(1),
        clone_time=Transition(polls=2),
    )
    call(array, "AddAccount", username="a")
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)
    call(array, "CloneVolume", volumeID=1, name="c")
    said = [call(array, "GetAsyncResult", asyncHandle=1)["status"] for _ in range(3)]
    assert said == ["running", "running", "complete"]


@pytest.mark.usefixtures("disk")
def test_a_clone_that_fails_says_so_inside_a_complete_result_and_leaves_nothing(world: Any) -> None:
    before = world.array.inventory()
    world.array.doom_next_clone("xSliceNotRegistered")
    handle = world.result("CloneVolume", volumeID=1, name="c")["asyncHandle"]
    world.clock.advance(1)
    found = world.result("GetAsyncResult", asyncHandle=handle)
    assert found["status"] == "complete"
    assert found["error"]["name"] == "xSliceNotRegistered"
    assert "result" not in found
    assert world.array.inventory() == before


@pytest.mark.usefixtures("disk")
def test_a_cancelled_clone_leaves_nothing(world: Any) -> None:
    before = world.array.inventory()
    clone = world.result("CloneVolume", volumeID=1, name="c")
    assert f"clone {clone['cloneID']} of volume 1 to volume 2" in world.array.inventory()
    world.result("CancelClone", cloneID=clone["cloneID"])
    assert world.array.inventory() == before
    assert world.error("GetAsyncResult", asyncHandle=clone["asyncHandle"]) == "xDBNoSuchPath"


@pytest.mark.usefixtures("disk")
def test_a_clone_outlives_its_source(world: Any) -> None:
    world.write(1, 0, b"parent")
    world.result("CloneVolume", volumeID=1, name="c")
    world.result("DeleteVolume", volumeID=1)
    world.result("PurgeDeletedVolume", volumeID=1)
    world.clock.advance(1)
    assert world.result("GetAsyncResult", asyncHandle=1)["result"]["volumeID"] == 2
    assert world.content(2, 0, 6) == b"parent"


@pytest.mark.usefixtures("disk")
def test_deleting_what_is_cloned_into_ends_the_job_with_an_error(world: Any) -> None:
    world.result("CloneVolume", volumeID=1, name="c")
    world.result("DeleteVolume", volumeID=2)
    assert world.result("GetAsyncResult", asyncHandle=1)["error"]["name"] == "xVolumeIDDoesNotExist"
    world.result("CloneVolume", volumeID=1, name="d")
    world.result("CloneVolume", volumeID=1, name="e")


def test_two_clones_a_volume_and_eight_a_node_run_at_once(small_array: Callable[..., Array]) -> None:
    array = small_array()
    call(array, "AddAccount", username="a")
    for name in "abcde":
        call(array, "CreateVolume", name=name, accountID=1, totalSize=GB)
    for number in (1, 2, 3, 4):
        for _ in range(2):
            call(array, "CloneVolume", volumeID=number, name="c")
    with pytest.raises(ElementError) as caught:
        call(array, "CloneVolume", volumeID=1, name="c")
    assert caught.value.name == "xMaxClonesPerVolumeExceeded"
    with pytest.raises(ElementError) as caught:
        call(array, "CloneVolume", volumeID=5, name="c")
    assert caught.value.name == "xMaxClonesPerNodeExceeded"
    array.clock.sleep(60)
    call(array, "CloneVolume", volumeID=5, name="c")


@pytest.mark.usefixtures("disk")
def test_a_snapshot_that_is_being_cloned_outlives_its_expiry(world: Any) -> None:
    world.result("CreateSnapshot", volumeID=1, retention="00:00:01")
    world.array.clone_time = Transition(seconds=10)
    world.result("CloneVolume", volumeID=1, snapshotID=1, name="c")
    world.clock.advance(5)
    assert len(world.result("ListSnapshots")["snapshots"]) == 1
    world.clock.advance(6)
    assert world.result("ListSnapshots") == {"snapshots": []}
