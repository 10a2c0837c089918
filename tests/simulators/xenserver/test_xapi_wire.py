"""The wire: xapi's answers in form and type, refusals by code, hostile documents, and faults at the seam."""

import xmlrpc.client
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.faults import AnswerLostError, CrashedError, fault_named
from snapproof.simulators.xenserver.methods import all_methods
from snapproof.simulators.xenserver.records import KINDS
from snapproof.simulators.xenserver.wire import BODY_BYTES_MAX

A = "iqn.2010-01.com.array:a"
NULL = "OpaqueRef:NULL"


def code(world: Any, name: str, *arguments: Any) -> list[str]:
    with pytest.raises(world.refused) as refusal:
        world.ask(name, *arguments)
    return list(refusal.value.description)


def test_a_client_is_let_in_by_name_and_password_and_out_by_logout(world: Any) -> None:
    for wrong in (("root", "guess"), ("admin", "secret-pw"), ("root", "")):
        with pytest.raises(world.refused) as refusal:
            world.call("session.login_with_password", *wrong)
        assert refusal.value.description == ["SESSION_AUTHENTICATION_FAILED", wrong[0], "Authentication failure"]
    assert world.ask("session.get_this_host", world.session) == world.hosts[0]
    world.ask("session.logout")
    assert code(world, "host.get_all") == ["SESSION_INVALID", world.session]


def test_a_session_is_told_from_others_and_never_listed(world: Any) -> None:
    other = world.call("session.login_with_password", "root", "secret-pw")
    assert other != world.session
    assert code(world, "session.get_all")[0] == "MESSAGE_METHOD_UNKNOWN"


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("SR.frobnicate", (), ["MESSAGE_METHOD_UNKNOWN", "SR.frobnicate"]),
        ("Async.session.logout", (), ["MESSAGE_METHOD_UNKNOWN", "Async.session.logout"]),
        ("SR.scan", (), ["MESSAGE_PARAMETER_COUNT_MISMATCH", "SR.scan", "1", "0"]),
        ("SR.scan", (NULL,), ["HANDLE_INVALID", "SR", NULL]),
        ("SR.scan", (7,), ["FIELD_TYPE_ERROR", "SR ref"]),
        ("VDI.create", ({"name_label": "x"},), ["FIELD_TYPE_ERROR", "SR"]),
        ("SR.get_by_uuid", ("nobody",), ["UUID_INVALID", "SR", "nobody"]),
        ("PBD.plug", ("",), ["HANDLE_INVALID", "PBD", ""]),
    ],
)
def test_a_wrong_call_is_refused_by_xapis_code(world: Any, name: str, arguments: Any, expected: list[str]) -> None:
    assert code(world, name, *arguments) == expected


def test_a_call_without_a_session_is_refused(world: Any) -> None:
    with pytest.raises(world.refused) as refusal:
        world.call("host.get_all")
    assert refusal.value.code == "MESSAGE_PARAMETER_COUNT_MISMATCH"


def test_integers_travel_as_strings_and_times_end_in_z(world: Any) -> None:
    assert world.ask("host.get_API_version_major", world.hosts[0]) == "2"
    world.lun(A)
    sr = world.create(world.full_config(A))
    record = world.ask("SR.get_record", sr)
    assert record["physical_size"] == str(40 * world.mib)
    assert record["shared"] is True
    task = world.ask("Async.SR.scan", sr)
    record = world.ask("task.get_record", task)
    assert (record["status"], record["progress"]) == ("success", 1.0)
    assert str(record["created"]) == "20260101T00:00:00Z"


def test_every_field_of_every_record_has_a_getter_that_agrees(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    world.open_folder()
    world.ask("Async.SR.scan", NULL)
    for kind in ("pool", "host", "SM", "SR", "PBD", "VDI", "VBD", "VM", "task"):
        records = world.ask(f"{kind}.get_all_records")
        assert set(records) == set(world.ask(f"{kind}.get_all"))
        assert records, kind
        for ref, record in records.items():
            assert world.ask(f"{kind}.get_by_uuid", record["uuid"]) == ref
            assert {name: world.ask(f"{kind}.get_{name}", ref) for name in record} == record
    assert guest.name in [record["name_label"] for record in world.ask("VM.get_all_records").values()]


def test_labels_and_keys_can_be_set_and_a_vdis_label_is_kept_in_its_lun(world: Any) -> None:
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    vdi = world.ask("VDI.get_by_uuid", guest.vdi_uuid)
    world.ask("VDI.set_name_label", vdi, "root disk \N{SNOWMAN}")
    world.ask("VDI.add_to_other_config", vdi, "k", "v")
    assert code(world, "VDI.add_to_other_config", vdi, "k", "v")[0] == "MAP_DUPLICATE_KEY"
    world.ask("VDI.remove_from_other_config", vdi, "k")
    assert world.ask("VDI.get_other_config", vdi) == {}
    world.pool.stop_guest(guest)
    again = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    assert world.ask("VDI.get_by_name_label", "root disk \N{SNOWMAN}") == [world.ask("VDI.get_by_uuid", again.vdi_uuid)]


def test_a_plug_in_call_mounts_once_makes_directories_and_refuses_the_rest(world: Any) -> None:
    mount = {"localDir": world.mounted, "remoteDir": f"nfs://user:hush@{world.remote}"}
    for _ in range(2):
        assert world.plugin("mountNfsSecondaryStorage", **mount) == world.mounted
    assert "hush" not in str(world.pool.inventory()) + "".join(entry.line() for entry in world.journal)
    task = world.ask(
        "Async.host.call_plugin", world.hosts[0], "cloud-plugin-storage", "makeDirectory", {"path": world.folder}
    )
    assert world.ask("task.get_result", task) == f"<value>{world.folder}</value>"
    assert world.export.list("snapshots/2") == ["7/"]

    def failed(plugin: str, function: str, arguments: dict[str, str]) -> str:
        return code(world, "host.call_plugin", world.hosts[0], plugin, function, arguments)[0]

    assert failed("nosuch", "makeDirectory", {}) == "XENAPI_MISSING_PLUGIN"
    assert failed("cloud-plugin-storage", "rm", {}) == "UNKNOWN_XENAPI_PLUGIN_FUNCTION"
    for path in ("/etc/x", f"{world.mounted}/../../x", "", f"{world.mounted}x/y"):
        assert failed("cloud-plugin-storage", "makeDirectory", {"path": path}) == "XENAPI_PLUGIN_FAILURE"
    elsewhere = {"localDir": "/mnt", "remoteDir": "nas:/nothing"}
    assert failed("cloud-plugin-storage", "mountNfsSecondaryStorage", elsewhere) == "XENAPI_PLUGIN_FAILURE"
    assert world.plugin("umountNfsSecondaryStorage", **mount) == world.mounted
    assert world.pool.inventory() == ()


def test_an_export_is_not_unmounted_below_a_plugged_sr(world: Any) -> None:
    world.open_folder()
    with pytest.raises(world.refused) as refusal:
        world.plugin("umountNfsSecondaryStorage", localDir=world.mounted, remoteDir=world.remote)
    assert refusal.value.code == "XENAPI_PLUGIN_FAILURE"


def test_a_guest_over_the_api_starts_and_stops(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    vdi = world.ask("VDI.create", {"name_label": "x", "SR": sr, "virtual_size": str(world.mib)})
    vm = world.ask("VM.create", {"name_label": "web"})
    vbd = world.ask("VBD.create", {"VM": vm, "VDI": vdi, "userdevice": "0", "mode": "RW", "type": "Disk"})
    assert code(world, "VBD.plug", vbd)[0] == "VM_BAD_POWER_STATE"
    world.ask("VM.start", vm, False, False)
    assert world.ask("VBD.get_currently_attached", vbd) is True
    assert code(world, "VDI.destroy", vdi)[0] == "VDI_IN_USE"
    assert code(world, "VBD.destroy", vbd)[0] == "OPERATION_NOT_ALLOWED"
    world.ask("VBD.unplug", vbd)
    world.ask("VBD.destroy", vbd)
    world.ask("VM.hard_shutdown", vm)
    world.ask("VM.destroy", vm)
    world.ask("VDI.destroy", vdi)
    assert world.ask("SR.get_VDIs", sr) == []


HOSTILE = {
    "no XML": b"\x00\xff\xfe",
    "half a call": b"<methodCall><methodName>host.get_all",
    "an answer": xmlrpc.client.dumps(("x",), methodresponse=True).encode(),
    "a fault": xmlrpc.client.dumps(xmlrpc.client.Fault(1, "x")).encode(),
    "a bomb": b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>'
    b"<methodCall><methodName>&b;</methodName></methodCall>",
    "a bomb in UTF-16": '<?xml version="1.0"?><!DOCTYPE x><methodCall/>'.encode("utf-16-le"),
    "a file": b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><methodCall><methodName>x</methodName></methodCall>',
    "no number": b"<methodCall><methodName>a.b</methodName><params><param><value><int>x</int></value></param>"
    b"</params></methodCall>",
    "odd tags": b"<methodCall><methodName>a.b</methodName><params><param><value><struct><member><value>1</value>"
    b"</member></struct></value></param></params></methodCall>",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_meets_a_fault_and_changes_nothing(world: Any, body: bytes) -> None:
    before, entries = world.pool.inventory(), len(world.journal)
    status, _, answer = world.wire("POST", "/", {}, body)
    assert status == 200
    with pytest.raises(xmlrpc.client.Fault, match="no XML-RPC call"):
        xmlrpc.client.loads(answer.decode())
    assert (world.pool.inventory(), len(world.journal)) == (before, entries)


@given(body=st.binary(max_size=200) | st.text(alphabet="<>/&;!?x", max_size=60).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered_and_change_nothing(world: Any, body: bytes) -> None:
    """One pool meets all the documents: none of them may change it."""
    status, _, answer = world.wire("POST", "/", {}, body)
    assert (status, answer[:5]) == (200, b"<?xml")
    assert world.pool.inventory() == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.data())
def test_any_call_with_any_arguments_is_answered(world: Any, steps: st.DataObject) -> None:
    """Refs that exist, values of wrong types, records with odd fields: an answer of xapi's form, never a crash."""
    if A not in world.fabric.luns:
        world.lun(A)
        world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
        world.open_folder()
    refs = [ref for kind in KINDS if kind not in {"session", "user"} for ref in world.ask(f"{kind}.get_all")]
    plain = st.sampled_from([*refs, NULL, "", "lvmoiscsi", "file", "512", world.folder, A]) | st.integers(-1, 2**31 - 1)
    plain |= st.booleans() | st.text(alphabet="ab/.0", max_size=4) | st.none()
    keys = st.sampled_from(["SR", "VM", "VDI", "host", "mode", "name_label", "virtual_size", "device_config", "path"])
    value = (
        plain | st.lists(plain, max_size=2) | st.dictionaries(keys, plain | st.dictionaries(keys, plain), max_size=4)
    )
    methods = all_methods()
    name = steps.draw(st.sampled_from(sorted(methods.keys() - {"session.logout"})))
    most = len(methods[name].entry.takes)
    count = steps.draw(st.integers(most - methods[name].entry.optional, most) | st.integers(0, 12))
    arguments = (world.session, *steps.draw(st.lists(value, min_size=count, max_size=count)))
    response = world.wire.answer(name, arguments)
    described = response.get("ErrorDescription", [name])
    assert (response["Status"] == "Success") is ("Value" in response)
    assert all(isinstance(part, str) for part in described), "a description is a list of strings"


def test_other_paths_methods_and_sizes_are_refused(world: Any) -> None:
    assert world.wire("POST", "/nowhere", {}, b"")[0] == 404
    assert world.wire("GET", "/", {}, b"")[0] == 405
    assert world.wire("POST", "/", {}, b"x" * (BODY_BYTES_MAX + 1))[0] == 413


def test_faults_strike_before_after_and_instead_of_a_call(world: Any) -> None:
    world.lun(A)
    uuid = "0c0ffee0-0000-4000-8000-000000000001"
    arguments = (world.session, uuid, "l", "", "lvmoiscsi", "user", True)
    world.seam.arm_next("host.SR.introduce", fault_named("lost_before"))
    with pytest.raises(AnswerLostError):
        world.call("SR.introduce", *arguments)
    assert world.pool.inventory() == ()
    world.seam.arm_next("host.SR.introduce", fault_named("crash_after"))
    with pytest.raises(CrashedError):
        world.call("SR.introduce", *arguments)
    assert world.pool.inventory() == (f"sr {uuid} l lvmoiscsi",)
    world.seam.arm_next("host.SR.forget", fault_named("refused:SR_BACKEND_FAILURE_47"))
    sr = world.ask("SR.get_by_uuid", uuid)
    assert code(world, "SR.forget", sr)[0] == "SR_BACKEND_FAILURE_47"
    world.seam.arm_next("host.SR.forget", fault_named("refused"))
    assert code(world, "SR.forget", sr)[0] == "INTERNAL_ERROR"
    world.ask("SR.forget", sr)
    assert world.seam.unspent() == ()


def test_a_probe_can_be_made_to_answer_nothing_as_through_a_bad_transport(world: Any) -> None:
    world.lun(A)
    world.pool.stop_guest(world.pool.start_guest(target=A, size_bytes=world.mib, name="web"))
    config = world.full_config(A)
    world.seam.arm_next("host.SR.probe", fault_named("refused:EMPTY"))
    assert world.probe(config) == ""
    assert world.probe(config) != ""


def test_the_same_seed_makes_the_same_pool_and_the_same_journal(new_world: Any) -> None:
    worlds = [new_world(), new_world()]
    for world in worlds:
        world.lun(A)
        world.pool.start_guest(target=A, size_bytes=world.mib, name="web").write(0, b"x")
    assert worlds[0].pool.inventory() == worlds[1].pool.inventory()
    assert worlds[0].journal.digest() == worlds[1].journal.digest()
