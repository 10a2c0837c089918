"""The facts that break naive mocks, one by one, on the wire: bytes in, bytes out."""

import base64
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from snapproof.simulators.faults import FAULTS, AnswerLostError, CrashedError, fault_named
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.versions import SUPPORTED

GB = 1_000_000_000
MIB = 1 << 20


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_a_success_has_no_error_and_a_failure_no_result(world: Any) -> None:
    assert world.ask("GetAPI").keys() == {"id", "result"}
    failed = world.ask("GetAccountByID", {"accountID": 99})
    assert failed.keys() == {"id", "error"}
    assert failed["error"] == {"code": 500, "name": "xAccountIDDoesNotExist", "message": "Illegal AccountID 99"}


@pytest.mark.parametrize(
    "authorization", ["", "Basic", "Basic !!!", basic("admin:wrong"), basic("admin"), "Bearer x", "Basic \u00fc"]
)
def test_bad_credentials_are_a_page_with_the_dot_that_clients_look_for(world: Any, authorization: str) -> None:
    status, page = world.exchange(b"{}", authorization=authorization)
    assert status == 401
    assert b"401 Unauthorized." in page


def test_the_scheme_of_the_credentials_may_be_in_any_case(world: Any) -> None:
    authorization = basic("admin:not-for-the-journal").replace("Basic", "bASIC")
    assert world.exchange(b'{"method":"GetAPI"}', authorization=authorization)[0] == 200


@pytest.mark.parametrize("path", ["/", "/json-rpc", "/json-rpc/", "/json-rpc/99.0", "/json-rpc/7", "/json-rpc/12.3/x"])
def test_an_unknown_version_is_a_page(world: Any, path: str) -> None:
    status, page = world.exchange(b'{"method":"GetAPI"}', path=path)
    assert status == 404
    assert b"404 Not Found" in page
    assert re.search(rb"<p> .+</p>", page)


@pytest.mark.parametrize("version", SUPPORTED[1:])
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_version_answers_with_and_without_a_slash(world: Any, version: str, slash: str) -> None:
    answer = world.ask("GetAPI", path=f"/json-rpc/{version}{slash}")
    assert answer["result"] == {"currentVersion": "12.3", "supportedVersions": list(SUPPORTED)}


def test_the_versions_that_clients_have_in_their_paths_are_there() -> None:
    assert {"1.0", "5.0", "6.0", "7.0", "8.0", "9.0", "12.3"} <= set(SUPPORTED)


@pytest.mark.parametrize(
    "call_id", [b"0", b"1", b"999", b'"puppet"', b"null", b"123456789012345678901234567890", b"1.0"]
)
def test_the_id_comes_back_as_it_went(world: Any, call_id: bytes) -> None:
    _, answer = world.exchange(b'{"json-rpc":"2.0","id":' + call_id + b',"method":"GetLimits"}')
    assert answer.startswith(b'{"id":' + call_id + b",")


def test_a_missing_id_comes_back_as_null(world: Any) -> None:
    assert world.exchange(b'{"method":"GetAPI"}')[1].startswith(b'{"id":null,')


@pytest.mark.parametrize("params", [b"", b',"params":null', b',"params":{}'])
def test_params_may_be_missing(world: Any, params: Any) -> None:
    _, answer = world.exchange(b'{"method":"ListAccounts"' + params + b"}")
    assert msgspec.json.decode(answer)["result"] == {"accounts": []}


def test_superfluous_params_are_ignored_and_named(world: Any) -> None:
    account_id = world.account()
    volume_id = world.volume(account_id)["volumeID"]
    answer = world.ask(
        "ModifyVolume",
        {"volumeID": volume_id, "name": "new", "sliceCount": 1, "enable512e": True, "totalSize": 2 * GB, "qos": {}},
    )
    assert answer["result"]["volume"]["name"] == "disk"
    assert answer["result"]["volume"]["totalSize"] == 2_000_683_008
    assert answer["warning"]["unusedParameters"].keys() == {"name", "sliceCount", "enable512e"}


def test_a_parameter_newer_than_the_version_is_superfluous(world: Any) -> None:
    answer = world.ask("AddAccount", {"username": "a", "enableChap": False}, path="/json-rpc/9.0")
    assert answer["warning"] == {"unusedParameters": {"enableChap": False}}
    assert answer["result"]["account"]["enableChap"] is True


def test_numbers_and_truths_may_come_as_strings(world: Any) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    snapshot_id = world.result("CreateSnapshot", volumeID=str(volume_id))["snapshotID"]
    listed = world.result("ListVolumes", startVolumeID=str(volume_id), limit="1")["volumes"]
    assert [row["volumeID"] for row in listed] == [volume_id]
    result = world.result(
        "RollbackToSnapshot", accountID=1, volumeID=volume_id, snapshotID=str(snapshot_id), saveCurrentState="false"
    )
    assert result == {}
    assert len(world.result("ListSnapshots")["snapshots"]) == 1


def test_zero_is_the_active_branch_and_empty_is_not_given(world: Any) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    row = world.result("CreateSnapshot", volumeID=volume_id, snapshotID=0, name="", retention="", attributes=None)[
        "snapshot"
    ]
    assert row["name"] == row["createTime"]
    assert row["attributes"] == {}
    assert row["expirationTime"] is None
    clone = world.result("CloneVolume", volumeID=volume_id, snapshotID=0, name="copy")
    assert clone["volume"]["name"] == "copy"


@pytest.mark.parametrize("qos", [{}, None, {"minIOPS": None}])
def test_an_empty_qos_changes_nothing_and_a_partial_one_merges(world: Any, qos: Any) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    before = world.result("ModifyVolume", volumeID=volume_id, qos={"minIOPS": 100})["volume"]["qos"]
    assert (before["minIOPS"], before["maxIOPS"], before["burstIOPS"]) == (100, 15_000, 15_000)
    assert world.result("ModifyVolume", volumeID=volume_id, qos=qos)["volume"]["qos"] == before


def test_a_rollback_without_save_current_state_works(world: Any) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    world.write(volume_id, 0, b"before")
    snapshot_id = world.result("CreateSnapshot", volumeID=volume_id)["snapshotID"]
    world.write(volume_id, 0, b"after!")
    world.result("RollbackToSnapshot", volumeID=volume_id, snapshotID=snapshot_id)
    assert world.content(volume_id, 0, 6) == b"before"


def test_a_null_list_of_volumes_is_empty_and_an_empty_filter_lists_all(world: Any) -> None:
    world.volume(world.account())
    group_id = world.result("CreateVolumeAccessGroup", name="g")["volumeAccessGroupID"]
    assert world.result("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=group_id, volumes=None)
    assert len(world.result("ListVolumes", volumeIDs=[], accounts=[])["volumes"]) == 1


def test_an_active_volume_has_empty_strings_for_times_that_have_not_come(world: Any) -> None:
    row = world.volume(world.account())
    assert (row["deleteTime"], row["purgeTime"]) == ("", "")
    assert row["lastAccessTime"] is None
    deleted = world.result("DeleteVolume", volumeID=row["volumeID"])["volume"]
    assert deleted["deleteTime"] == "2026-01-01T00:00:00Z"
    assert deleted["purgeTime"] == "2026-01-01T08:00:00Z"


def test_a_page_starts_at_the_first_id_not_below_and_ids_are_never_used_again(world: Any) -> None:
    account_id = world.account()
    ids = [world.volume(account_id)["volumeID"] for _ in range(4)]
    world.result("DeleteVolume", volumeID=ids[1])
    world.result("PurgeDeletedVolume", volumeID=ids[1])
    page = world.result("ListVolumes", startVolumeID=ids[1], limit=1)["volumes"]
    assert [row["volumeID"] for row in page] == [ids[2]]
    assert world.volume(account_id)["volumeID"] > max(ids)


def test_an_iqn_ends_in_the_volume_id_and_identifiers_carry_it(world: Any) -> None:
    row = world.volume(world.account(), name="Root-Disk")
    unique_id, number = world.array.unique_id, row["volumeID"]
    assert row["iqn"] == f"iqn.2010-01.com.solidfire:{unique_id}.root-disk.{number}"
    assert row["scsiEUIDeviceID"] == f"{unique_id.encode().hex()}{number:08x}f47acc0100000000"
    assert row["scsiNAADeviceID"] == f"6f47acc100000000{unique_id.encode().hex()}{number:08x}"
    assert len(row["scsiEUIDeviceID"]) == len(row["scsiNAADeviceID"]) == 32


def test_an_account_always_shows_both_secrets(world: Any) -> None:
    made = world.result("AddAccount", username="a", initiatorSecret=None)["account"]
    for row in (made, world.result("GetAccountByName", username="a")["account"]):
        assert 12 <= len(row["initiatorSecret"]) <= 16
        assert 12 <= len(row["targetSecret"]) <= 16


def uuids(value: Any) -> list[str]:
    """Collect the values of all members that are UUIDs by their name."""
    if isinstance(value, list):
        return [found for item in value for found in uuids(item)]
    if not isinstance(value, dict):
        return []
    own = [item for name, item in value.items() if name.lower().endswith("uuid") and item is not None]
    return own + [found for item in value.values() for found in uuids(item)]


def test_uuids_are_valid_and_a_snapshot_of_no_group_says_so(world: Any) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    snapshot = world.result("CreateSnapshot", volumeID=volume_id)["snapshot"]
    assert snapshot["groupID"] == 0
    assert snapshot["groupSnapshotUUID"] == str(uuid.UUID(int=0))
    found = uuids([snapshot, world.result("ListVolumes"), world.result("GetClusterInfo")])
    assert len(found) == 6
    assert all(str(uuid.UUID(text)) == text for text in found)
    assert uuid.UUID(snapshot["snapshotUUID"]).version == 4


def test_attributes_are_always_an_object_and_enumerations_are_the_sdks(world: Any) -> None:
    row = world.volume(world.account())
    assert row["attributes"] == {}
    assert row["access"] == "readWrite"
    assert row["currentProtectionScheme"] == "doubleHelix"
    assert world.error("ModifyVolume", volumeID=row["volumeID"], access="sometimes") == "xUnrecognizedEnumString"
    assert world.ask("ModifyVolume", {"volumeID": 1, "access": "sometimes"})["error"]["message"] == "sometimes"


def test_no_number_in_any_answer_is_a_float(world: Any) -> None:
    world.volume(world.account())
    world.result("CloneVolume", volumeID=1, name="c")
    world.result("CreateSnapshot", volumeID=1)
    for method in (
        "ListVolumes",
        "ListSnapshots",
        "GetClusterCapacity",
        "GetLimits",
        "GetDefaultQoS",
        "ListAsyncResults",
    ):
        _, answer = world.exchange(msgspec.json.encode({"method": method}))
        assert not re.search(rb"[:\[,]-?\d+(\.\d|[eE])", answer), method


def test_sizes_are_rounded_up_to_a_mebibyte(world: Any) -> None:
    assert world.volume(world.account(), size=2 * GB)["totalSize"] == 2_000_683_008
    assert world.volume(1, size=1024 * MIB)["totalSize"] == 1024 * MIB
    assert world.volume(1, size=1024 * MIB + 1)["totalSize"] == 1025 * MIB


def test_a_get_with_a_query_is_answered_and_other_verbs_are_not(world: Any) -> None:
    status, answer = world.exchange(b"", verb="GET", path="/json-rpc/9.0?method=ListAccounts&limit=1")
    assert (status, msgspec.json.decode(answer)["result"]) == (200, {"accounts": []})
    assert world.exchange(b"{}", verb="PUT")[0] == 405
    assert world.exchange(b"", verb="GET")[0] == 405


def test_a_fault_speaks_the_dialect_and_the_default_is_a_transient_refusal(world: Any) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    world.seam.arm_next("array.CreateSnapshot", FAULTS["refused"])
    assert world.error("CreateSnapshot", volumeID=volume_id) == "xNotReadyForIO"
    assert world.result("ListSnapshots") == {"snapshots": []}
    world.seam.arm_next("array.CreateSnapshot", fault_named("error_after:xDBVersionMismatch"))
    assert world.error("CreateSnapshot", volumeID=volume_id) == "xDBVersionMismatch"
    assert len(world.result("ListSnapshots")["snapshots"]) == 1
    assert world.seam.unspent() == ()


def test_a_method_that_is_none_leaves_no_words_of_its_own_in_the_journal(world: Any) -> None:
    assert world.error("Scribble#1\n") == "xUnknownAPIMethod"
    assert world.seam.labels() == ("array.UnknownMethod#1",)
    assert "Scribble" not in "".join(entry.line() for entry in world.journal)


@pytest.mark.parametrize(("name", "status"), [("xUnauthorized", 401), ("xUnknownAPIVersion", 404)])
def test_a_fault_that_is_a_page_on_a_real_cluster_is_a_page_here(world: Any, name: str, status: int) -> None:
    world.seam.arm_next("array.GetAPI", fault_named(f"refused:{name}"))
    assert world.exchange(b'{"method":"GetAPI"}')[0] == status


def test_a_fault_that_element_does_not_have_is_refused_with_the_nearest_names(world: Any) -> None:
    world.seam.arm_next("array.GetAPI", fault_named("refused:xNotReadyForIo"))
    with pytest.raises(ValueError, match="nearest are xNotReadyForIO"):
        world.ask("GetAPI")


@pytest.mark.parametrize(("word", "error", "taken"), [
    ("lost_before", AnswerLostError, 0), ("lost_after", AnswerLostError, 1),
    ("crash_before", CrashedError, 0), ("crash_after", CrashedError, 1),
])  # fmt: skip
def test_lost_answers_and_crashes_pass_through_the_wire(world: Any, word: str, error: Any, taken: int) -> None:
    volume_id = world.volume(world.account())["volumeID"]
    world.seam.arm_next("array.CreateSnapshot", FAULTS[word])
    with pytest.raises(error):
        world.ask("CreateSnapshot", {"volumeID": volume_id})
    assert len(world.array.snapshots) == taken


def test_calls_of_many_threads_do_not_mix(world: Any) -> None:
    account_id = world.account()

    def create_and_snapshot(number: int) -> tuple[int, int]:
        volume_id = world.result("CreateVolume", name=f"v-{number}", accountID=account_id, totalSize=GB)["volumeID"]
        return volume_id, world.result("CreateSnapshot", volumeID=volume_id)["snapshot"]["volumeID"]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create_and_snapshot, range(64)))
    assert sorted(volume_id for volume_id, _ in made) == list(range(1, 65))
    assert all(volume_id == of_volume for volume_id, of_volume in made)


def test_no_secret_reaches_journal_inventory_or_repr(world: Any) -> None:
    call(world.array, "AddAccount", username="a", initiatorSecret="INITIATOR-12345", targetSecret="TARGET-1234567")
    call(world.array, "ModifyAccount", accountID=1, initiatorSecret="SECOND-1234567")
    world.volume(1)
    assert world.error("ModifyAccount", accountID=1, targetSecret=["TARGET-1234567"]) == "xInvalidParameterType"
    shown = [entry.line() for entry in world.journal]
    shown += [*world.array.inventory(), repr(world.endpoint), repr(world.array), repr(world.array.accounts[1])]
    shown.append(str(world.ask("ModifyAccount", {"accountID": 1, "targetSecret": {"s": "TARGET-1234567"}})))
    shown.append(str(world.ask("ModifyAccount", {"accountID": 1, "targetSecret": "SHORT"})))
    everything = "\n".join(shown)
    for secret in ("INITIATOR-12345", "TARGET-1234567", "SECOND-1234567", "not-for-the-journal", "SHORT"):
        assert secret not in everything
