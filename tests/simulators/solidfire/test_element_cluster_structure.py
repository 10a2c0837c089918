"""The configuration as one document: what it shows, what a new cluster makes of it, what it must not change."""

from typing import Any

import pytest

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.rehearsal import rehearsal
from snapproof.simulators.solidfire.surface.checking import strays
from snapproof.simulators.solidfire.surface.pages import surface

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:host1"
UUID = "01234567-89ab-cdef-0123-456789abcdef"
SERVERS_OWN = {
    "accountID", "clusterAdmins", "clusterInfo", "createTime", "ldapConfiguration", "initiatorID", "initiatorIDs",
    "iqn", "qosPolicyID", "scheduleID", "scsiEUIDeviceID", "scsiNAADeviceID", "storageContainerID",
    "virtualNetworkID", "virtualNetworkIDs", "volumeAccessGroupID", "volumeAccessGroups", "volumeConsistencyGroupUUID",
    "volumeID", "volumeIDs", "volumeUUID", "volumes", "deletedLunAssignments",
}  # fmt: skip
"""What differs from cluster to cluster; what it refers to is compared by name."""


def furnish(array: Array) -> None:
    """One of everything that a structure holds, at numbers that a new cluster would not give."""
    call(array, "AddAccount", username="gone")
    call(array, "RemoveAccount", accountID=1)
    call(array, "AddAccount", username="tenant", attributes={"a": "b"})  # account 2
    call(array, "ModifyAccount", accountID=2, status="locked")
    call(array, "CreateStorageContainer", name="container")  # account 3
    call(array, "CreateQoSPolicy", name="gone", qos={"maxIOPS": 900, "burstIOPS": 900})
    call(array, "CreateQoSPolicy", name="gold", qos={"maxIOPS": 1000, "burstIOPS": 1000})
    call(array, "DeleteQoSPolicy", qosPolicyID=1)
    call(array, "SetDefaultQoS", minIOPS=60, maxIOPS=700, burstIOPS=800)
    for name in ("gone", "one", "one"):  # volumes 2 and 3 have one name
        call(array, "CreateVolume", name=name, accountID=2, totalSize=GB, access="readOnly")
    call(array, "CreateVolume", name="led", accountID=2, totalSize=2 * GB, qosPolicyID=2, attributes={"of": "gold"})
    call(array, "DeleteVolume", volumeID=1)
    vlan = {"addressBlocks": [{"start": "10.0.0.5", "size": 4}], "netmask": "255.255.255.0", "svip": "10.0.0.2"}
    call(array, "AddVirtualNetwork", virtualNetworkTag=6, name="gone", **vlan)
    call(array, "AddVirtualNetwork", virtualNetworkTag=7, name="storage", **vlan)
    call(array, "RemoveVirtualNetwork", virtualNetworkID=1)
    bound = {"name": HOST, "virtualNetworkIDs": [2], "requireChap": True}
    call(array, "CreateInitiators", initiators=[{"name": "alone", "alias": "of nobody"}, bound])
    call(array, "CreateVolumeAccessGroup", name="hosts", initiators=[HOST], volumes=[2, 4])
    luns = [{"volumeID": 2, "lun": 8}, {"volumeID": 4, "lun": 5}]
    call(array, "ModifyVolumeAccessGroupLunAssignments", volumeAccessGroupID=1, lunAssignments=luns)
    hourly = {"scheduleType": "Snapshot", "attributes": {"frequency": "Time Interval"}, "hours": 1, "minutes": 0}
    call(array, "CreateSchedule", scheduleName="hourly", scheduleInfo={"volumes": [3, 4]}, **hourly)
    call(array, "CreateSchedule", scheduleInfo={"volumeID": 4}, **hourly)
    call(array, "EnableFeature", feature="Vvols")
    call(array, "SetNtpInfo", servers=["192.0.2.9"], broadcastclient=False)
    call(array, "SetRemoteLoggingHosts", remoteHosts=[{"host": "192.0.2.8", "port": 514}])
    call(array, "EnableSnmp", snmpV3Enabled=False)


def by_name(structure: dict[str, Any]) -> Any:
    """The structure without what a cluster gives itself, its references written as names."""
    names = {row["volumeID"]: row["name"] for row in structure["volumes"]}
    policies = {row["qosPolicyID"]: row["name"] for row in structure["qosPolicies"]}
    references = {
        "groups": [[names[number] for number in row["volumes"]] for row in structure["volumeAccessGroups"]],
        "luns": [
            sorted((names[line["volumeID"]], line["lun"]) for line in row["lunAssignments"])
            for row in structure["volumeAccessGroupLunAssignments"]
        ],
        "followed": [policies.get(row["qosPolicyID"]) for row in structure["volumes"]],
        "scheduled": [[names[number] for number in row["scheduleInfo"]["volumes"]] for row in structure["schedules"]],
        "bound": [len(row["virtualNetworkIDs"]) for row in structure["initiators"]],
        "sizes": [(row["name"], row["totalSize"]) for row in structure["volumes"]],
    }
    rest = {
        part: structure[part] for part in structure if part not in SERVERS_OWN | {"volumeAccessGroupLunAssignments"}
    }
    return references, _without(rest)


def _without(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _without(value) for name, value in found.items() if name not in SERVERS_OWN}
    return [_without(value) for value in found] if isinstance(found, list) else found


def taken(structure: dict[str, Any]) -> dict[str, Any]:
    """Those parts that SetClusterStructure takes."""
    return {part: rows for part, rows in structure.items() if part in surface().methods["SetClusterStructure"].takes}


def test_a_structure_is_of_the_shape_of_the_table_and_holds_no_password(world: Any) -> None:
    furnish(world.array)
    structure = world.result("GetClusterStructure")
    assert list(strays(structure, surface().methods["GetClusterStructure"].gives)) == []
    assert [row["volumeID"] for row in structure["volumes"]] == [2, 3, 4]
    assert [row["username"] for row in structure["clusterAdmins"]] == ["admin"]
    assert "not-for-the-journal" not in str(structure)


def test_a_new_cluster_becomes_like_the_one_that_the_structure_is_of(world: Any, world_maker: Any) -> None:
    furnish(world.array)
    structure, other = world.result("GetClusterStructure"), world_maker()
    answer = other.ask("SetClusterStructure", structure)
    assert sorted(answer["warning"]["unusedParameters"]) == ["clusterAdmins", "clusterInfo", "ldapConfiguration"]
    assert by_name(other.result("GetClusterStructure")) == by_name(structure)


def test_a_cluster_that_has_it_all_stays_as_it_is(world: Any) -> None:
    furnish(world.array)
    structure = world.result("GetClusterStructure")
    world.result("SetClusterStructure", **taken(structure))
    assert world.result("GetClusterStructure") == structure


def test_what_is_missing_is_made_and_refers_to_what_was_there(world: Any) -> None:
    furnish(world.array)
    structure = taken(world.result("GetClusterStructure"))
    call(world.array, "DeleteVolume", volumeID=2)
    world.result("SetClusterStructure", volumes=structure["volumes"])
    names = {row["volumeID"]: (row["name"], row["accountID"]) for row in world.result("ListActiveVolumes")["volumes"]}
    assert names == {3: ("one", 2), 4: ("led", 2), 5: ("one", 2)}


def test_the_handle_completes_later(world: Any) -> None:
    handle = world.result("SetClusterStructure", features=[{"feature": "Vvols", "enabled": True}])["asyncHandle"]
    running = world.result("GetAsyncResult", asyncHandle=handle)
    assert (running["status"], running["resultType"]) == ("running", "SetClusterStructure")
    world.clock.advance(2)
    (line,) = world.result("ListAsyncResults", asyncResultTypes=["SetClusterStructure"])["asyncHandles"]
    assert (line["asyncResultID"], line["completed"], line["success"]) == (handle, True, True)
    assert world.result("GetAsyncResult", asyncHandle=handle)["result"] == {"message": "complete"}
    assert world.error("GetAsyncResult", asyncHandle=handle) == "xDBNoSuchPath"


@pytest.mark.parametrize(
    ("part", "change", "error"),
    [
        ("accounts", {"status": "asleep"}, "xUnrecognizedEnumString"),
        ("features", {"feature": "Wings"}, "xUnrecognizedEnumString"),
        ("initiators", {"initiatorName": "x" * 225}, "xInvalidParameter"),
        ("qosPolicies", {"name": "x" * 65}, "xInvalidParameter"),
        ("schedules", {"scheduleInfo": {"volumes": [99]}}, "xVolumeIDDoesNotExist"),
        ("storageContainers", {"name": "x" * 65}, "xInvalidParameter"),
        ("virtualNetworks", {"virtualNetworkTag": 4095}, "xInvalidParameter"),
        ("volumeAccessGroupLunAssignments", {"volumeAccessGroupID": 99}, "xVolumeAccessGroupIDDoesNotExist"),
        ("volumeAccessGroups", {"volumes": [99]}, "xVolumeIDDoesNotExist"),
        ("volumes", {"accountID": 99}, "xAccountIDDoesNotExist"),
    ],
)
def test_one_part_that_is_wrong_leaves_a_cluster_empty(
    world: Any, world_maker: Any, part: str, change: dict[str, Any], error: str
) -> None:
    furnish(world.array)
    structure, other = taken(world.result("GetClusterStructure")), world_maker()
    structure[part][-1] |= change
    before, settings = other.fingerprint(), dict(other.array.plant.settings)
    assert other.error("SetClusterStructure", **structure) == error
    assert (other.fingerprint(), other.array.plant.settings) == (before, settings)


def test_a_structure_of_paired_volumes_can_be_set(site: Any, paired: tuple[Array, Array]) -> None:
    source, target = paired
    site.pair_volumes(source, target)
    structure = taken(call(source, "GetClusterStructure"))
    call(source, "SetClusterStructure", **structure)
    assert taken(call(source, "GetClusterStructure")) == structure


def test_a_rehearsal_leaves_the_cluster_as_it_was(world: Any, disk: dict[str, Any]) -> None:
    world.array.login(initiator=HOST, target=disk["iqn"]).write(0, b"here")
    call(world.array, "CreateSnapshot", volumeID=1)
    usual = world.volume(1, "usual")["volumeID"]
    before = world.fingerprint()
    world.array.volumes[usual].seldom = world.array.volumes[usual].USUAL  # reading for the fingerprint filled it
    twin = rehearsal(world.array)
    assert world.array.volumes[usual].seldom is world.array.volumes[usual].USUAL
    new = call(twin, "CreateVolume", name="new", accountID=1, totalSize=GB)["volumeID"]
    call(twin, "AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[new])
    call(twin, "SetDefaultQoS", maxIOPS=500, burstIOPS=600)
    call(twin, "EnableFeature", feature="Vvols")
    assert (world.fingerprint(), world.array.plant.settings) == (before, {})
    assert len(twin.volumes) == 3


def test_the_hardware_of_drives_is_that_of_the_drives(world: Any) -> None:
    (node,) = world.result("ListDriveHardware", force=True)["nodes"]
    listed = [(row["slot"], row["serial"], row["driveType"], row["size"]) for row in node["result"]["driveHardware"]]
    drives = world.result("ListDrives")["drives"]
    assert listed == [(row["slot"], row["serial"], row["type"], row["capacity"]) for row in drives]
    alone = world.result("GetDriveHardwareInfo", driveID=2)["driveHardwareInfo"]
    assert node["result"]["driveHardware"][1]["uuid"] == alone["uuid"]
    assert world.error("ListDriveHardware") == "xMissingParameter"


@pytest.mark.parametrize(
    ("method", "parameter", "listed"),
    [
        ("ListVirtualVolumeTasks", "virtualVolumeTaskIDs", "tasks"),
        ("ListProtocolEndpoints", "protocolEndpointIDs", "protocolEndpoints"),
    ],
)
def test_there_are_no_virtual_volumes(world: Any, method: str, parameter: str, listed: str) -> None:
    assert world.result(method) == {listed: []}
    assert world.result(method, **{parameter: [UUID]}) == {listed: []}
    assert world.error(method, **{parameter: [7]}) == "xInvalidParameterType"
