"""Replies as Go's encoding/json would read them for Trident and the Prometheus exporter, which are no Python packages.

Requests are written as those programs send them, zero values included. Go is strict where Python is not: an int is no
1.0, a time is never an empty string. Missing fields, which Go passes over in silence, are findings here.
"""

import base64
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from snapproof.fixtures.world import World
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.solidfire.calls import call

STRUCTURES: Mapping[str, Mapping[str, list[str]]] = tomllib.loads(
    (Path(__file__).parent / "go_structures.toml").read_text(encoding="utf-8")
)
GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:exporter"


def is_int(value: object) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def is_time(value: object) -> bool:
    """RFC 3339 with a zone; Python also takes a date alone, and a space for the T."""
    if not isinstance(value, str) or "T" not in value:
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


SCALARS: Mapping[str, Callable[[Any], bool]] = {
    "int": is_int,
    "uint": lambda value: is_int(value) and value >= 0,
    "float": lambda value: type(value) in {int, float},
    "string": lambda value: type(value) is str,
    "bool": lambda value: type(value) is bool,
    "time": is_time,
    "object": lambda value: type(value) is dict,
    "any": lambda _: True,
}


def findings(go_type: str, value: Any, at: str = "result") -> Iterator[str]:
    """Name what Go could not decode, and what it would leave zero because it is missing. Null leaves zero by intent."""
    if value is None:
        return
    if go_type.startswith("[]"):
        if type(value) is not list:
            yield f"{at} is no array"
            return
        for number, item in enumerate(value):
            yield from findings(go_type[2:], item, f"{at}[{number}]")
    elif check := SCALARS.get(go_type):
        if not check(value):
            yield f"{at} is no {go_type}: {value!r}"
    elif type(value) is not dict:
        yield f"{at} is no object"
    else:
        yield from in_structure(STRUCTURES[go_type], value, at)


def in_structure(structure: Mapping[str, list[str]], value: dict[str, Any], at: str) -> Iterator[str]:
    spared = structure.get("absent", [])
    for go_type, names in structure.items():
        for name in names if go_type != "absent" else ():
            if name in value:
                yield from findings(go_type, value[name], f"{at}.{name}")
            elif name not in spared:
                yield f"{at}.{name} is missing"


class GoClient:
    """Sends requests through the wire and reads replies strictly."""

    def __init__(self, world: World, path: str, content_type: str) -> None:
        login = world.secrets.clusters[0]
        credentials = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        self._wire = world.wires().clusters[0]
        self._path = path
        self._headers = {"authorization": f"Basic {credentials}", "content-type": content_type}

    def envelope(self, method: str, params: Any) -> dict[str, Any]:
        """Exchange one request; anything but 200 is a failure of transport to these programs."""
        body = json.dumps({"method": method, "params": params, "id": 637}).encode()
        status, _, answer = self._wire("POST", self._path, self._headers, body)
        assert status == 200, answer
        envelope: dict[str, Any] = json.loads(answer)
        assert envelope["id"] == 637
        return envelope

    def ask(self, method: str, params: Any, structure: str) -> Any:
        """Exchange a request that must succeed, its reply decoding into the structure without a finding."""
        envelope = self.envelope(method, params)
        assert "error" not in envelope, f"{method}: {envelope['error']}"
        found = list(findings(structure, envelope["result"], method))
        assert not found, "\n".join(found)
        return envelope["result"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.build(seed=7, clock=VirtualClock(), directory=tmp_path, hosts=1) as built:
        yield built


@pytest.fixture
def trident(world: World) -> GoClient:
    return GoClient(world, "/json-rpc/8.0", "json-rpc")


@pytest.fixture
def exporter(world: World) -> GoClient:
    """Its cluster holds a volume with a snapshot, a session and some bytes."""
    array = world.arrays[0]
    account = call(array, "AddAccount", username="tenant")["accountID"]
    row = call(array, "CreateVolume", name="disk", accountID=account, totalSize=GB)["volume"]
    call(array, "CreateVolumeAccessGroup", name="hosts", initiators=[HOST], volumes=[row["volumeID"]])
    call(array, "CreateSnapshot", volumeID=row["volumeID"])
    array.login(initiator=HOST, target=row["iqn"]).write(0, b"bytes of a guest")
    return GoClient(world, "/json-rpc/11.3", "application/json")


@pytest.mark.parametrize(
    ("go_type", "value", "finding"),
    [
        ("int", 1.0, "result is no int: 1.0"),
        ("int", "1", "result is no int: '1'"),
        ("int", True, "result is no int: True"),
        ("int", 2**63, f"result is no int: {2**63}"),
        ("uint", -1, "result is no uint: -1"),
        ("float", "1.5", "result is no float: '1.5'"),
        ("string", 7, "result is no string: 7"),
        ("bool", "true", "result is no bool: 'true'"),
        ("time", "", "result is no time: ''"),
        ("time", "2026-01-01", "result is no time: '2026-01-01'"),
        ("time", "2026-01-01T00:00:00", "result is no time: '2026-01-01T00:00:00'"),
        ("object", [], "result is no object: []"),
        ("[]int", {}, "result is no array"),
        ("[]int", [1, "2"], "result[1] is no int: '2'"),
        ("VolumeID", [], "result is no object"),
        ("VolumeID", {}, "result.volumeID is missing"),
        ("Volumes", {"volumes": [{"volumeID": 1.5}]}, "result.volumes[0].volumeID is no int: 1.5"),
    ],
)
def test_the_decoder_finds_what_go_would_refuse(go_type: str, value: Any, finding: str) -> None:
    assert next(findings(go_type, value)) == finding


@pytest.mark.parametrize(
    ("go_type", "value"),
    [
        ("int", None), ("int", 0), ("float", 1), ("time", "2026-01-01T00:00:00.000123Z"), ("time", None),
        ("any", []), ("[]any", [1, {}]), ("object", {"a": 1}), ("VolumeID", {"volumeID": 1, "volume": {}}),
        ("RolledBack", {}),
    ],
)  # fmt: skip
def test_the_decoder_takes_what_go_takes(go_type: str, value: Any) -> None:
    assert list(findings(go_type, value)) == []


def test_every_structure_is_made_of_types_that_exist() -> None:
    for structure in STRUCTURES.values():
        for go_type in structure.keys() - {"absent"}:
            assert go_type.removeprefix("[]") in SCALARS.keys() | STRUCTURES.keys()


def prepared(trident: GoClient) -> int:
    """Do what Trident does when it starts; give the tenant."""
    refused = trident.envelope("GetAccountByName", {"username": "trident"})
    assert refused["error"]["name"] == "xUnknownAccount"
    assert refused["error"]["code"] == 500
    tenant: int = trident.ask("AddAccount", {"username": "trident"}, "AccountID")["accountID"]
    trident.ask("GetAccountByName", {"username": "trident"}, "AccountResult")
    trident.ask("GetAccountByID", {"accountID": tenant}, "AccountResult")
    trident.ask("GetDefaultQoS", {}, "QoS")
    return tenant


def created(trident: GoClient, tenant: int) -> int:
    """Create a volume with the attributes by which Trident knows it again."""
    wanted = {
        "name": "pvc-1",
        "accountID": tenant,
        "totalSize": GB,
        "enable512e": False,
        "qos": {"minIOPS": 1000, "maxIOPS": 2000, "burstIOPS": 4000},
        "attributes": {"trident": '{"platform":"kubernetes"}', "docker-name": "pvc-1"},
    }
    number: int = trident.ask("CreateVolume", wanted, "VolumeID")["volumeID"]
    page = {"accounts": [tenant], "startVolumeID": number, "limit": 1}
    assert [row["volumeID"] for row in trident.ask("ListVolumes", page, "Volumes")["volumes"]] == [number]
    return number


def test_trident_snapshots_clones_resizes_and_deletes(trident: GoClient, world: World) -> None:
    tenant = prepared(trident)
    volume = created(trident, tenant)
    taken = trident.ask(
        "CreateSnapshot",
        {
            "volumeID": volume, "snapshotID": 0, "name": "first", "enableRemoteReplication": False, "retention": "",
            "attributes": None,
        },
        "SnapshotTaken",
    )["snapshotID"]  # fmt: skip
    trident.ask("ListSnapshots", {"volumeID": volume}, "Snapshots")
    clone = trident.ask(
        "CloneVolume",
        {
            "volumeID": volume, "name": "pvc-2", "newAccountID": 0, "newSize": 0, "access": "", "snapshotID": taken,
            "attributes": {"trident": "", "docker-name": "pvc-2"},
        },
        "CloneStarted",
    )["volumeID"]  # fmt: skip
    world.clock.advance(60)
    trident.ask("ModifyVolume", {"volumeID": clone, "qos": {}, "totalSize": 2 * GB}, "EmptyResult")
    trident.ask(
        "RollbackToSnapshot",
        {"volumeID": volume, "snapshotID": taken, "saveCurrentState": False, "name": "", "attributes": None},
        "RolledBack",
    )
    trident.ask("DeleteSnapshot", {"snapshotID": taken}, "EmptyResult")
    rows = trident.ask("ListVolumesForAccount", {"accountID": tenant}, "Volumes")["volumes"]
    assert [row["attributes"]["docker-name"] for row in rows] == ["pvc-1", "pvc-2"]
    assert [row["qos"]["minIOPS"] for row in rows] == [1000, 1000]
    assert [row["totalSize"] for row in rows] == [1_000_341_504, 2_000_683_008]
    for number in (volume, clone):
        trident.ask("DeleteVolume", {"volumeID": number}, "EmptyResult")
        trident.ask("PurgeDeletedVolume", {"volumeID": number}, "EmptyResult")
    assert not list(world.arrays[0].volumes)


def test_trident_keeps_its_volumes_in_an_access_group(trident: GoClient) -> None:
    volume = created(trident, prepared(trident))
    group = trident.ask("CreateVolumeAccessGroup", {"name": "trident"}, "AccessGroupID")["volumeAccessGroupID"]
    trident.ask("AddInitiatorsToVolumeAccessGroup", {"initiators": [HOST], "volumeAccessGroupID": group}, "EmptyResult")
    for volumes in (None, [volume]):
        asked = {"volumeAccessGroupID": group, "volumes": volumes}
        trident.ask("AddVolumesToVolumeAccessGroup", asked, "EmptyResult")
    rows = trident.ask("ListVolumeAccessGroups", {}, "AccessGroups")["volumeAccessGroups"]
    assert [row["volumes"] for row in rows if row["name"] == "trident"] == [[volume]]
    again = trident.envelope("AddVolumesToVolumeAccessGroup", {"volumeAccessGroupID": group, "volumes": [volume]})
    assert again.get("error", {"name": "xAlreadyInVolumeAccessGroup"})["name"] == "xAlreadyInVolumeAccessGroup"


def test_trident_reads_the_capacity(trident: GoClient) -> None:
    trident.ask("GetClusterCapacity", {}, "CapacityResult")


def test_trident_reads_the_serial_number_of_every_node(trident: GoClient) -> None:
    nodes = trident.ask("GetClusterHardwareInfo", {}, "HardwareResult")["clusterHardwareInfo"]["nodes"]
    assert nodes
    assert all(type(node["serial"]) is str and node["serial"] for node in nodes.values())


SCRAPE = [
    pytest.param(method, params, structure, filled, id=method)
    for method, params, structure, filled in (
        ("ListVolumes", {"includeVirtualVolumes": True}, "MeteredVolumes", "volumes"),
        ("ListVolumeStats", {"volumeIDs": [], "includeVirtualVolumes": True}, "VolumesStatistics", "volumeStats"),
        ("GetClusterCapacity", {}, "MeteredCapacityResult", "clusterCapacity"),
        ("ListClusterFaults", {"faultTypes": "current", "bestPractices": True}, "ClusterFaults", ""),
        ("ListNodeStats", {}, "NodesStatisticsResult", "nodeStats"),
        ("ListVolumeQoSHistograms", {"volumeIDs": []}, "VolumesHistograms", "qosHistograms"),
        ("ListAllNodes", {}, "Nodes", "nodes"),
        ("GetClusterStats", {}, "ClusterStatisticsResult", "clusterStats"),
        ("GetClusterFullThreshold", {}, "Threshold", "fullness"),
        ("ListDrives", {}, "Drives", "drives"),
        ("ListISCSISessions", {}, "ISCSISessions", "sessions"),
        ("ListBulkVolumeJobs", {}, "BulkVolumeJobs", ""),
    )
]


@pytest.mark.parametrize(("method", "params", "structure", "filled"), SCRAPE)
def test_the_exporter_reads_every_reply_of_a_scrape(
    exporter: GoClient, method: str, params: Any, structure: str, filled: str
) -> None:
    told = exporter.ask(method, params, structure)
    assert not filled or told[filled], f"{method} tells nothing of a cluster that holds a volume and has a session."
