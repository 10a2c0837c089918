"""QoS policies, initiators, LUNs, networks, backup targets and containers: what is kept, and what follows from it."""

from collections.abc import Callable
from typing import Any

import pytest

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:Host1"
SECRET = "fourteen chars"


def qos_of(world: Any, volume_id: int) -> tuple[int, int, int, int | None]:
    (row,) = world.result("ListVolumes", volumeIDs=[volume_id])["volumes"]
    return row["qos"]["minIOPS"], row["qos"]["maxIOPS"], row["qos"]["burstIOPS"], row["qosPolicyID"]


def followers(world: Any, policy_id: int) -> list[int]:
    found: list[int] = world.result("GetQoSPolicy", qosPolicyID=policy_id)["qosPolicy"]["volumeIDs"]
    return found


@pytest.fixture
def policy(world: Any, disk: dict[str, Any]) -> int:
    """A policy that volume 1 follows."""
    made = world.result("CreateQoSPolicy", name="gold", qos={"minIOPS": 100, "maxIOPS": 200, "burstIOPS": 300})
    world.result("ModifyVolume", volumeID=disk["volumeID"], qosPolicyID=made["qosPolicy"]["qosPolicyID"])
    number: int = made["qosPolicy"]["qosPolicyID"]
    return number


def test_a_policy_leads_its_volumes(world: Any, policy: int) -> None:
    assert qos_of(world, 1) == (100, 200, 300, policy)
    changed = world.result("ModifyQoSPolicy", qosPolicyID=policy, qos={"maxIOPS": 250})["qosPolicy"]
    assert (changed["name"], changed["qos"]["maxIOPS"], changed["volumeIDs"]) == ("gold", 250, [1])
    assert qos_of(world, 1) == (100, 250, 300, policy)


def test_a_deleted_policy_leaves_its_values(world: Any, policy: int) -> None:
    world.result("DeleteQoSPolicy", qosPolicyID=policy)
    assert qos_of(world, 1) == (100, 200, 300, None)
    assert world.result("ListQoSPolicies") == {"qosPolicies": []}


def test_a_qos_of_its_own_ends_following(world: Any, policy: int) -> None:
    world.result("ModifyVolume", volumeID=1, qos={})
    assert followers(world, policy) == [1]
    world.result("ModifyVolume", volumeID=1, qos={"minIOPS": 50})
    assert qos_of(world, 1) == (50, 200, 300, None)
    assert followers(world, policy) == []


def test_a_volume_may_take_the_values_of_a_policy_without_following_it(world: Any, policy: int) -> None:
    made = world.result(
        "CreateVolume", name="v", accountID=1, totalSize=GB, qosPolicyID=policy, associateWithQoSPolicy=False
    )
    assert qos_of(world, made["volumeID"]) == (100, 200, 300, None)
    world.result("ModifyVolume", volumeID=1, associateWithQoSPolicy=False)
    assert qos_of(world, 1) == (100, 200, 300, None)
    assert followers(world, policy) == []


def test_a_purged_volume_follows_no_policy(world: Any, policy: int) -> None:
    world.result("DeleteVolume", volumeID=1)
    assert followers(world, policy) == [1]
    world.result("PurgeDeletedVolume", volumeID=1)
    assert followers(world, policy) == []


def test_there_is_a_most_of_policies(small_array: Callable[..., Array]) -> None:
    array = small_array(qosPolicyCountMax=1)
    call(array, "CreateQoSPolicy", name="a", qos={})
    with pytest.raises(ElementError, match="1 QoS policies already"):
        call(array, "CreateQoSPolicy", name="b", qos={})


@pytest.mark.usefixtures("disk")
def test_the_default_qos_is_for_volumes_to_come(world: Any) -> None:
    told = world.result("SetDefaultQoS", minIOPS=60)
    assert told == {"minIOPS": 60, "maxIOPS": 15_000, "burstIOPS": 15_000}
    assert world.result("GetDefaultQoS")["minIOPS"] == 60
    assert qos_of(world, 1)[0] == 50
    assert qos_of(world, world.volume(1)["volumeID"])[0] == 60


@pytest.mark.usefixtures("disk")
def test_histograms_have_the_form_of_the_wire(world: Any) -> None:
    (row,) = world.result("ListVolumeQoSHistograms", volumeIDs=[1])["qosHistograms"]
    assert set(row) == {"histograms", "timestamp", "volumeID"}
    assert row["histograms"]["belowMinIopsPercentages"]["Bucket1To19"] == 0
    assert world.result("ListVolumeQoSHistograms", volumeIDs=[])["qosHistograms"] == [row]


@pytest.mark.usefixtures("disk")
def test_initiators_are_created_moved_and_deleted(world: Any) -> None:
    (made,) = world.result(
        "CreateInitiators", initiators=[{"name": "IQN.New", "alias": "db", "requireChap": True, "targetSecret": SECRET}]
    )["initiators"]
    assert (made["initiatorName"], made["alias"], made["volumeAccessGroups"]) == ("iqn.new", "db", [])
    assert (made["chapUsername"], len(made["initiatorSecret"]), made["targetSecret"]) == ("iqn.new", 16, SECRET)
    assert f"initiator {made['initiatorID']} iqn.new in no access group" in world.array.inventory()
    moved = {"initiatorID": made["initiatorID"], "volumeAccessGroupID": 1, "attributes": {"rack": 4}}
    assert world.result("ModifyInitiators", initiators=[moved])["initiators"][0]["volumeAccessGroups"] == [1]
    assert world.array.accessible(initiator="iqn.new", target=world.array.volumes[1].iqn)
    assert world.result("DeleteInitiators", initiators=[made["initiatorID"]]) == {}
    assert not world.array.accessible(initiator="iqn.new", target=world.array.volumes[1].iqn)
    assert [row["initiatorName"] for row in world.result("ListInitiators")["initiators"]] == [HOST.lower()]
    assert SECRET not in "".join(entry.line() for entry in world.journal)


@pytest.mark.usefixtures("disk")
def test_moving_an_initiator_drops_its_sessions(world: Any) -> None:
    world.result("CreateVolumeAccessGroup", name="other")
    device = world.array.login(initiator=HOST, target=world.array.volumes[1].iqn)
    world.result("ModifyInitiators", initiators=[{"initiatorID": 1, "volumeAccessGroupID": 2}])
    with pytest.raises(OSError, match="dropped"):
        device.read(0, 1)
    groups = world.result("ListVolumeAccessGroups")["volumeAccessGroups"]
    assert [group["initiators"] for group in groups] == [[], [HOST.lower()]]


@pytest.mark.usefixtures("disk")
@pytest.mark.parametrize(("told", "left"), [({}, []), ({"deleteOrphanInitiators": False}, [1])])
def test_an_orphan_is_forgotten_unless_asked_otherwise(world: Any, told: dict[str, bool], left: list[int]) -> None:
    world.result("RemoveInitiatorsFromVolumeAccessGroup", volumeAccessGroupID=1, initiators=[HOST], **told)
    assert [row["initiatorID"] for row in world.result("ListInitiators")["initiators"]] == left


def luns(world: Any, kind: str = "lunAssignments") -> dict[int, int]:
    told = world.result("GetVolumeAccessGroupLunAssignments", volumeAccessGroupID=1)["volumeAccessGroupLunAssignments"]
    return {row["volumeID"]: row["lun"] for row in told[kind]}


@pytest.mark.usefixtures("disk")
def test_luns_are_the_lowest_that_are_free_and_come_back_with_their_volumes(world: Any) -> None:
    for _ in range(3):
        world.volume(1)
    world.result("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2, 3])
    assert luns(world) == {1: 0, 2: 1, 3: 2}
    world.result("DeleteVolume", volumeID=2)
    assert (luns(world), luns(world, "deletedLunAssignments")) == ({1: 0, 3: 2}, {2: 1})
    world.result("RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=1, volumes=[1])
    world.result("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[4])
    world.result("RestoreDeletedVolume", volumeID=2)
    assert (luns(world), luns(world, "deletedLunAssignments")) == ({4: 0, 2: 1, 3: 2}, {})


@pytest.mark.usefixtures("disk")
def test_luns_may_be_exchanged_in_one_call(world: Any) -> None:
    world.volume(1)
    world.result("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2])
    exchanged = [{"volumeID": 1, "lun": 1}, {"volumeID": 2, "lun": 0}]
    world.result("ModifyVolumeAccessGroupLunAssignments", volumeAccessGroupID=1, lunAssignments=exchanged)
    assert luns(world) == {1: 1, 2: 0}
    before = world.fingerprint()
    assert (
        world.error(
            "ModifyVolumeAccessGroupLunAssignments", volumeAccessGroupID=1, lunAssignments=[{"volumeID": 1, "lun": 0}]
        )
        == "xInvalidParameter"
    )
    assert world.fingerprint() == before


def test_a_virtual_network_is_found_by_id_and_by_tag(world: Any) -> None:
    block = {"start": "10.0.0.5", "size": 3}
    told = {"name": "storage", "addressBlocks": [block], "netmask": "255.255.255.0", "svip": "10.0.0.2"}
    assert world.result("AddVirtualNetwork", virtualNetworkTag=7, **told) == {"virtualNetworkID": 1}
    (row,) = world.result("ListVirtualNetworks", virtualNetworkTag=7)["virtualNetworks"]
    assert row["addressBlocks"] == [{**block, "available": "111"}]
    assert world.result("ListVirtualNetworks", virtualNetworkIDs=[2]) == {"virtualNetworks": []}
    world.result("ModifyVirtualNetwork", virtualNetworkTag=7, name="backup")
    assert world.result("ListVirtualNetworks")["virtualNetworks"] == [{**row, "name": "backup"}]
    world.result("CreateInitiators", initiators=[{"name": "n", "virtualNetworkIDs": [1]}])
    assert world.result("ListVirtualNetworks")["virtualNetworks"][0]["initiatorIDs"] == [1]
    world.result("DeleteInitiators", initiators=[1])
    world.result("RemoveVirtualNetwork", virtualNetworkID=1)
    assert world.array.inventory() == ()


def test_a_backup_target_is_kept_as_it_was_given_and_told_to_nobody_else(world: Any) -> None:
    attributes = {"endpoint": "s3", "secretAccessKey": SECRET}
    assert world.result("CreateBackupTarget", name="bucket", attributes=attributes) == {"backupTargetID": 1}
    world.result("ModifyBackupTarget", backupTargetID=1, name="pail")
    kept = {"backupTargetID": 1, "name": "pail", "attributes": attributes}
    assert world.result("ListBackupTargets") == {"backupTargets": [kept]}
    assert world.result("GetBackupTarget", backupTargetID=1) == {"backupTarget": kept}
    assert SECRET not in "".join(entry.line() for entry in world.journal) + "".join(world.array.inventory())
    assert SECRET not in repr(world.array.settings.backup_targets[1])
    world.result("RemoveBackupTarget", backupTargetID=1)
    assert world.result("ListBackupTargets") == {"backupTargets": []}


def test_a_storage_container_is_an_account(world: Any) -> None:
    world.account()
    made = world.result("CreateStorageContainer", name="vvols", initiatorSecret=SECRET)["storageContainer"]
    assert (made["accountID"], made["initiatorSecret"], made["status"]) == (2, SECRET, "active")
    uuid = made["storageContainerID"]
    assert world.result("GetAccountByName", username="vvols")["account"]["storageContainerID"] == uuid
    plain = world.result("ListAccounts", includeStorageContainers=False)["accounts"]
    assert [account["accountID"] for account in plain] == [1]
    changed = world.result("ModifyStorageContainer", storageContainerID=uuid, targetSecret=SECRET)["storageContainer"]
    assert changed == {**made, "targetSecret": SECRET}
    assert world.result("ListStorageContainers", storageContainerIDs=[uuid])["storageContainers"] == [changed]
    world.result("DeleteStorageContainers", storageContainerIDs=[uuid])
    assert world.result("ListStorageContainers") == {"storageContainers": []}
    assert len(world.result("ListAccounts", includeStorageContainers=False)["accounts"]) == 2
