"""A refused call changes nothing: neither known refusals, one by one, nor whatever bytes somebody may send."""

import json
import socket
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.serving import serve
from snapproof.simulators.solidfire.calls import call, methods
from snapproof.simulators.solidfire.documentation import GENERAL_ERRORS
from snapproof.simulators.solidfire.method import Port, Standing
from snapproof.simulators.solidfire.plant import Fullness
from snapproof.simulators.solidfire.wire import BOUNDS

GB = 1_000_000_000
IQN = "iqn.1994-05.com.redhat:host1"
ADMIN = {"username": "reader", "password": "secret", "access": ["read"], "acceptEula": True}
PAGES = Path(__file__).with_name("refusals")
"""Lists of method, parameters and error, by noun."""


@pytest.fixture
def furnished(world: Any) -> Any:
    """A cluster with one of everything: see the ids below."""
    call(world.array, "AddAccount", username="tenant")  # account 1
    call(world.array, "AddAccount", username="other")  # account 2
    for name in ("one", "two", "gone"):  # volumes 1, 2, 3; the third is deleted
        call(world.array, "CreateVolume", name=name, accountID=1, totalSize=GB, qos={"minIOPS": 100})
    call(world.array, "CreateSnapshot", volumeID=1, name="s1")
    call(world.array, "CreateSnapshot", volumeID=2, name="s2")
    call(world.array, "CreateSnapshot", volumeID=3, name="s3")
    call(world.array, "DeleteVolume", volumeID=3)
    call(world.array, "CreateVolumeAccessGroup", name="g1", initiators=[IQN], volumes=[1])
    call(world.array, "CreateVolumeAccessGroup", name="g2")
    call(world.array, "CloneVolume", volumeID=2, snapshotID=2, name="copy")  # volume 4, clone 1, handle 1
    call(world.array, "CreateQoSPolicy", name="gold", qos={"maxIOPS": 1000, "burstIOPS": 1000})  # policy 1
    call(world.array, "CreateGroupSnapshot", volumes=[1, 2], name="both")  # group snapshot 1
    hourly = {"attributes": {"frequency": "Time Interval"}, "hours": 1, "minutes": 0}
    call(world.array, "CreateSchedule", scheduleType="Snapshot", scheduleInfo={"volumes": [1]}, **hourly)  # schedule 1
    vlan = {"addressBlocks": [{"start": "10.0.0.5", "size": 4}], "netmask": "255.255.255.0", "svip": "10.0.0.2"}
    call(world.array, "AddVirtualNetwork", virtualNetworkTag=7, name="storage", **vlan)  # virtual network 1
    call(world.array, "CreateBackupTarget", name="bucket", attributes={})  # backup target 1
    call(world.array, "CreateStorageContainer", name="container")  # account 3
    call(world.array, "CreateInitiators", initiators=[{"name": "bound", "virtualNetworkIDs": [1]}])  # initiator 2
    return world


REFUSALS: list[tuple[str, dict[str, Any], str]] = [
    ("AddAccount", {}, "xMissingParameter"),
    ("AddAccount", {"username": ""}, "xMissingParameter"),
    ("AddAccount", {"username": "tenant"}, "xDuplicateUsername"),
    ("AddAccount", {"username": "x" * 65}, "xInvalidParameter"),
    ("AddAccount", {"username": "x", "initiatorSecret": "short"}, "xInvalidParameter"),
    ("AddAccount", {"username": "x", "attributes": {"a": "x" * 1000}}, "xInvalidParameter"),
    ("AddAccount", {"username": "x", "attributes": []}, "xInvalidParameterType"),
    ("GetAccountByName", {"username": "nobody"}, "xUnknownAccount"),
    ("AddClusterAdmin", ADMIN | {"access": None}, "xInvalidParameter"),
    ("AddClusterAdmin", ADMIN | {"username": ""}, "xMissingParameter"),
    ("AddClusterAdmin", ADMIN | {"username": "admin"}, "xDuplicateUsername"),
    ("AddClusterAdmin", ADMIN | {"username": "x" * 1025}, "xInvalidParameter"),
    ("AddClusterAdmin", ADMIN | {"access": ["read", "everything"]}, "xUnrecognizedEnumString"),
    ("AddClusterAdmin", ADMIN | {"acceptEula": False}, "xInvalidParameter"),
    ("AddClusterAdmin", ADMIN | {"attributes": {"a": "x" * 1000}}, "xInvalidParameter"),
    ("ModifyClusterAdmin", {"clusterAdminID": 9}, "xInvalidParameter"),
    ("ModifyClusterAdmin", {"clusterAdminID": 1, "access": ["read"], "password": "new"}, "xInvalidParameter"),
    ("ModifyClusterAdmin", {"clusterAdminID": 1, "access": ["Administrator"]}, "xUnrecognizedEnumString"),
    ("RemoveClusterAdmin", {"clusterAdminID": 1}, "xInvalidParameter"),
    ("RemoveClusterAdmin", {"clusterAdminID": 9}, "xInvalidParameter"),
    ("SetLoginSessionInfo", {"timeout": "an hour"}, "xInvalidParameter"),
    ("ModifyAccount", {"accountID": 1, "username": "other"}, "xDuplicateUsername"),
    ("ModifyAccount", {"accountID": 1, "status": "asleep", "username": "new"}, "xUnrecognizedEnumString"),
    ("ModifyAccount", {"accountID": 9}, "xAccountIDDoesNotExist"),
    ("RemoveAccount", {"accountID": 1}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v", "accountID": 1}, "xMissingParameter"),
    ("CreateVolume", {"name": "v", "accountID": 9, "totalSize": GB}, "xAccountIDDoesNotExist"),
    ("CreateVolume", {"name": "a_b", "accountID": 1, "totalSize": GB}, "xInvalidParameter"),
    ("CreateVolume", {"name": "x" * 65, "accountID": 1, "totalSize": GB}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v\n", "accountID": 1, "totalSize": GB}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB - 1}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": 2**63}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": 2**44 + 1}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": True}, "xInvalidParameterType"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": 1.5e9 + 0.5}, "xInvalidParameterType"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB, "qos": {"minIOPS": 49}}, "xInvalidParameter"),
    (
        "CreateVolume",
        {"name": "v", "accountID": 1, "totalSize": GB, "qos": {"minIOPS": 200, "maxIOPS": 150}},
        "xInvalidParameter",
    ),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB, "qosPolicyID": 7}, "xQoSPolicyDoesNotExist"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB, "fifoSize": 33}, "xInvalidParameter"),
    ("CreateVolume", {"name": "v", "accountID": 1, "totalSize": GB, "access": "x"}, "xUnrecognizedEnumString"),
    (
        "CreateVolume",
        {"name": "v", "accountID": 1, "totalSize": GB, "protectionScheme": "x"},
        "xUnrecognizedEnumString",
    ),
    ("ModifyVolume", {"volumeID": 3}, "xVolumeIDDoesNotExist"),
    ("ModifyVolume", {"volumeID": 1, "totalSize": GB // 2, "accountID": 2}, "xVolumeShrinkProhibited"),
    ("ModifyVolume", {"volumeID": 1, "accountID": 9, "access": "locked"}, "xAccountIDDoesNotExist"),
    ("ModifyVolume", {"volumeID": 1, "totalSize": 2 * GB, "attributes": {"a": "x" * 999}}, "xInvalidParameter"),
    ("ModifyVolume", {"volumeID": 1, "totalSize": 2 * GB, "fifoSize": 2, "minFifoSize": 3}, "xInvalidParameter"),
    ("DeleteVolume", {"volumeID": 3}, "xVolumeIDDoesNotExist"),
    ("DeleteVolume", {"volumeID": -1}, "xVolumeIDDoesNotExist"),
    ("RestoreDeletedVolume", {"volumeID": 1}, "xInvalidParameter"),
    ("PurgeDeletedVolume", {"volumeID": 1}, "xInvalidParameter"),
    ("PurgeDeletedVolume", {"volumeID": 9}, "xVolumeIDDoesNotExist"),
    ("ListVolumes", {"volumeIDs": [1], "limit": 1}, "xInvalidParameter"),
    ("ListVolumes", {"volumeStatus": "lost"}, "xUnrecognizedEnumString"),
    ("ListVolumes", {"startVolumeID": -1}, "xInvalidParameter"),
    ("ListVolumesForAccount", {"accountID": 9}, "xAccountIDDoesNotExist"),
    ("CreateSnapshot", {"volumeID": 9}, "xVolumeIDDoesNotExist"),
    ("CreateSnapshot", {"volumeID": 3}, "xVolumeIDDoesNotExist"),
    ("CreateSnapshot", {"volumeID": 4}, "xNotReadyForIO"),
    ("CreateSnapshot", {"volumeID": 1, "snapshotID": 2}, "xSnapshotIDDoesNotExist"),
    ("CreateSnapshot", {"volumeID": 1, "name": "x" * 65}, "xInvalidParameter"),
    ("CreateSnapshot", {"volumeID": 1, "retention": "a day"}, "xInvalidParameter"),
    ("CreateSnapshot", {"volumeID": 1, "retention": "01:00:00", "expirationTime": "fifo"}, "xInvalidParameter"),
    ("CreateSnapshot", {"volumeID": 1, "expirationTime": "tomorrow"}, "xInvalidParameter"),
    ("CreateSnapshot", {"volumeID": 1, "expirationTime": "2020-01-01T00:00:00Z"}, "xInvalidParameter"),
    ("CreateSnapshot", {"volumeID": 1, "expirationTime": "9999-12-31T23:59:59-23:00"}, "xInvalidParameter"),
    ("CreateSnapshot", {"volumeID": 1, "attributes": {"a": "x" * 999}}, "xInvalidParameter"),
    ("ListSnapshots", {"snapshotID": 9}, "xSnapshotIDDoesNotExist"),
    ("ModifySnapshot", {"snapshotID": 1, "expirationTime": "never", "snapMirrorLabel": "l"}, "xInvalidParameter"),
    ("DeleteSnapshot", {"snapshotID": 9}, "xSnapshotIDDoesNotExist"),
    ("DeleteSnapshot", {"snapshotID": 2}, "xNotReadyForIO"),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 2}, "xSnapshotIDDoesNotExist"),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 0}, "xSnapshotIDDoesNotExist"),
    ("RollbackToSnapshot", {"volumeID": 3, "snapshotID": 3}, "xVolumeIDDoesNotExist"),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 1, "saveCurrentState": "maybe"}, "xInvalidParameterType"),
    ("RollbackToSnapshot", {"volumeID": 1, "snapshotID": 1, "name": "x" * 65}, "xInvalidParameter"),
    ("CloneVolume", {"volumeID": 9, "name": "c"}, "xVolumeIDDoesNotExist"),
    ("CloneVolume", {"volumeID": 3, "name": "c"}, "xVolumeIDDoesNotExist"),
    ("CloneVolume", {"volumeID": 4, "name": "c"}, "xNotReadyForIO"),
    ("CloneVolume", {"volumeID": 1, "name": "c", "snapshotID": 2}, "xSnapshotIDDoesNotExist"),
    ("CloneVolume", {"volumeID": 1, "name": "c", "newAccountID": 9}, "xAccountIDDoesNotExist"),
    ("CloneVolume", {"volumeID": 1, "name": "c_c"}, "xInvalidParameter"),
    ("CloneVolume", {"volumeID": 1, "name": "c", "newSize": 5}, "xInvalidParameter"),
    ("CloneVolume", {"volumeID": 1, "name": "c", "access": "x"}, "xUnrecognizedEnumString"),
    ("CancelClone", {"cloneID": 9}, "xDBNoSuchPath"),
    ("GetAsyncResult", {"asyncHandle": 9}, "xDBNoSuchPath"),
    ("ListAsyncResults", {"asyncResultTypes": ["x"]}, "xUnrecognizedEnumString"),
    ("CreateVolumeAccessGroup", {"name": "g", "initiators": [IQN.upper()]}, "xExceededLimit"),
    ("CreateVolumeAccessGroup", {"name": "g", "initiators": ["new", 99]}, "xInitiatorDoesNotExist"),
    ("CreateVolumeAccessGroup", {"name": "g", "volumes": [1, 9]}, "xVolumeIDDoesNotExist"),
    ("CreateVolumeAccessGroup", {"name": "x" * 65}, "xInvalidParameter"),
    ("ModifyVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [2, 3], "name": "n"}, "xVolumeIDDoesNotExist"),
    ("ModifyVolumeAccessGroup", {"volumeAccessGroupID": 2, "volumes": [2], "initiators": [IQN]}, "xExceededLimit"),
    ("ListVolumeAccessGroups", {"volumeAccessGroups": [1], "limit": 1}, "xInvalidParameter"),
    ("DeleteVolumeAccessGroup", {"volumeAccessGroupID": 9}, "xVolumeAccessGroupIDDoesNotExist"),
    ("AddVolumesToVolumeAccessGroup", {"volumeAccessGroupID": 1}, "xMissingParameter"),
    ("AddVolumesToVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [2, 1]}, "xAlreadyInVolumeAccessGroup"),
    ("AddVolumesToVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": 2}, "xInvalidParameterType"),
    ("RemoveVolumesFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [1, 2]}, "xNotInVolumeAccessGroup"),
    ("RemoveVolumesFromVolumeAccessGroup", {"volumeAccessGroupID": 1, "volumes": [1, 9]}, "xVolumeIDDoesNotExist"),
    (
        "AddInitiatorsToVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "initiators": ["n", IQN]},
        "xAlreadyInVolumeAccessGroup",
    ),
    ("AddInitiatorsToVolumeAccessGroup", {"volumeAccessGroupID": 2, "initiators": ["n", IQN]}, "xExceededLimit"),
    ("AddInitiatorsToVolumeAccessGroup", {"volumeAccessGroupID": 2, "initiators": ["x" * 225]}, "xInvalidParameter"),
    (
        "RemoveInitiatorsFromVolumeAccessGroup",
        {"volumeAccessGroupID": 1, "initiators": [IQN, "n"]},
        "xNotInVolumeAccessGroup",
    ),
    ("NoSuchMethod", {}, "xUnknownAPIMethod"),
    *(tuple(row) for page in sorted(PAGES.glob("*.json")) for row in json.loads(page.read_text())),
]


@pytest.mark.parametrize(
    ("method", "params", "error"),
    REFUSALS,
    ids=[f"{number} {method} {error}" for number, (method, _, error) in enumerate(REFUSALS)],
)
def test_a_refused_call_changes_nothing(furnished: Any, method: Any, params: Any, error: Any) -> None:
    before = furnished.fingerprint()
    assert furnished.error(method, **params) == error
    assert furnished.fingerprint() == before


def test_every_method_that_changes_something_has_refusals() -> None:
    refused = {method for method, _, _ in REFUSALS}
    # What takes nothing is not refused; whoever may not call the node's door is turned away there.
    real = {
        name
        for name, method in methods().items()
        if method.standing is Standing.REAL and method.takes.table and method.port is not Port.NODE
    }
    assert {name for name in real - refused if not name.startswith(("List", "Get"))} == set()


def test_a_full_cluster_takes_no_snapshots(furnished: Any) -> None:
    furnished.array.fill(Fullness.CRITICAL)
    before = furnished.fingerprint()
    assert furnished.error("CreateSnapshot", volumeID=1) == "xSnapshotFailed"
    assert furnished.error("RollbackToSnapshot", volumeID=1, snapshotID=1, saveCurrentState=True) == "xSnapshotFailed"
    assert furnished.fingerprint() == before


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "no object": lambda: b"[]",
    "a number": lambda: b"1",
    "half": lambda: b'{"method":"AddAccount","params":{"username":"a"',
    "not a number": lambda: b'{"method":"CreateVolume","params":{"name":"v","accountID":1,"totalSize":NaN}}',
    "infinity": lambda: b'{"method":"CreateVolume","params":{"name":"v","accountID":1,"totalSize":1e999}}',
    "deep params": lambda: b'{"method":"AddAccount","params":{"username":"a","attributes":' + b'{"a":' * 50_000,
    "deep and closed": lambda: (
        b'{"method":"AddAccount","params":{"username":"a","x":' + b"[" * 9999 + b"]" * 9999 + b"}}"
    ),
    "an id that is an object": lambda: b'{"method":"AddAccount","params":{"username":"a"},"id":{"a":1}}',
    "an id that is a list": lambda: b'{"method":"AddAccount","params":{"username":"a"},"id": [1]}',
    "an id that is a boolean": lambda: b'{"method":"AddAccount","params":{"username":"a"},"id":\ttrue}',
    "deep id": lambda: b'{"method":"GetLimits","id":' + b"[" * 99_999 + b"]" * 99_999 + b"}",
    "latin-1": lambda: b'{"method":"AddAccount","params":{"username":"\xe9"}}',
    "a batch": lambda: b'[{"method":"AddAccount","params":{"username":"a"}}]',
    "method a number": lambda: b'{"method":1}',
    "params a list": lambda: b'{"method":"AddAccount","params":["a"]}',
    "no method": lambda: b'{"params":{"username":"a"}}',
    "a method twice": lambda: b'{"method":"AddAccount","method":"GetAccountByID","params":{"accountID":1},"id":1}',
    "an id twice": lambda: b'{"method":"GetAPI","id":1,"id":2}',
    "params twice": lambda: b'{"method":"AddAccount","params":{"username":"a"},"params":{"username":"b"}}',
    "a parameter twice": lambda: b'{"method":"AddAccount","params":{"username":"a","username":"b"}}',
    "a member of attributes twice": lambda: (
        b'{"method":"AddAccount","params":{"username":"a","attributes":{"b":[{"c":1,"c":2}]}}}'
    ),
    "two bodies": lambda: b'{"method":"GetAPI"}{"method":"GetAPI"}',
    "half a surrogate": lambda: b'{"method":"AddAccount","params":{"username":"\\ud800"}}',
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_gets_a_clean_error_and_changes_nothing(furnished: Any, body: Callable[[], bytes]) -> None:
    before = furnished.fingerprint()
    status, answer = furnished.exchange(body())
    assert status == 200
    envelope = json.loads(answer)
    assert envelope["error"]["code"] == 500
    assert "result" not in envelope
    assert furnished.fingerprint() == before


def test_no_depth_of_nesting_falls_between_reading_and_checking(furnished: Any) -> None:
    before = furnished.fingerprint()
    for depth in range(500, 1100):
        nested = b"[" * depth + b"]" * depth
        _, answer = furnished.exchange(
            b'{"method":"AddAccount","params":{"username":"a","attributes":{"a":' + nested + b"}}}"
        )
        assert b'"error"' in answer
    assert furnished.fingerprint() == before


def test_an_oversize_body_is_refused(furnished: Any) -> None:
    before = furnished.fingerprint()
    body = b'{"method":"AddAccount","params":{"username":"a","junk":"' + b"x" * (1 << 20) + b'"}}'
    assert furnished.exchange(body)[0] == 413
    assert furnished.fingerprint() == before


def test_a_body_of_100_megabytes_is_refused_without_a_look_inside(furnished: Any) -> None:
    before = furnished.fingerprint()
    body = b'{"method":"AddAccount","params":{"username":"a","junk":[' + b"0," * 50_000_000 + b"0]}}"
    tracemalloc.start()
    status, _ = furnished.exchange(body)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert status == 413
    assert peak_bytes < 1 << 20
    assert furnished.fingerprint() == before


def test_a_server_refuses_100_megabytes_by_their_announcement(furnished: Any) -> None:
    head = b"POST /json-rpc/12.3 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    with (
        serve(furnished.endpoint, bounds=BOUNDS) as server,
        socket.create_connection((server.host, server.port), timeout=10) as sent,
    ):
        sent.sendall(head)
        assert sent.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "query", ["method=DeleteVolume", "method=DeleteVolume&volumeID=[1]", "volumeID=1", "&=&", "%00"]
)
def test_a_crooked_get_changes_nothing(furnished: Any, query: str) -> None:
    before = furnished.fingerprint()
    status, answer = furnished.exchange(b"", verb="GET", path=f"/json-rpc/9.0?{query}")
    assert (status, "error" in json.loads(answer)) == (200, True)
    assert furnished.fingerprint() == before


def test_every_error_of_these_is_in_the_table_of_its_method() -> None:
    for method, _, error in REFUSALS:
        told = methods()[method].entry.errors if method in methods() else ()
        assert error in (*told, *GENERAL_ERRORS), f"Add {error} to the errors of {method} in the surface."


_SCALARS = st.none() | st.booleans() | st.integers(-3, 5) | st.floats(allow_nan=False, allow_infinity=False)
_VALUES = st.recursive(
    _SCALARS | st.sampled_from(["", "1", "true", "fifo", "x", IQN, str(2**70)]) | st.text(max_size=3) | st.just(2**65),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A method with values of any type under its own parameters' names."""
    method = draw(st.sampled_from(sorted(methods())))
    names = [*methods()[method].takes.table, "stray"]
    return method, draw(st.dictionaries(st.sampled_from(names), _VALUES, max_size=len(names)))


@given(calls=st.lists(requests(), min_size=1, max_size=8))
def test_no_request_breaks_the_cluster_and_errors_leave_no_trace(
    world_maker: Any, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    world = world_maker()
    call(world.array, "AddAccount", username="tenant")
    call(world.array, "CreateVolume", name="one", accountID=1, totalSize=GB)
    call(world.array, "CreateSnapshot", volumeID=1)
    call(world.array, "CreateVolumeAccessGroup", name="g1", initiators=[IQN], volumes=[1])
    for method, params in calls:
        before = world.fingerprint()
        _, answer = world.exchange(msgspec.json.encode({"method": method, "params": params}))
        envelope = json.loads(answer)
        assert ("result" in envelope) != ("error" in envelope)
        if "error" in envelope:
            assert world.fingerprint() == before


@given(body=st.binary(max_size=60))
def test_no_bytes_break_the_wire(world_maker: Any, body: bytes) -> None:
    assert world_maker().exchange(body)[0] == 200
