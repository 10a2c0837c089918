"""The API and the wire are two doors to one cluster: what happens at one is seen at the other, at once."""

import select
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from snapproof.simulators.faults import FAULTS, Fault, UnfitFaultError, fault_named
from snapproof.simulators.iscsi.troubles import ACTS, DIALECT
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.solidfire.iscsi import ElementTargets, lead_to, serve_iscsi

STRANGER = "iqn.1994-05.com.redhat:stranger"
SECRET = "initiator-sec"
BY_ACCOUNT: Mapping[str, Any] = {"name": STRANGER, "chap": ("tenant", SECRET)}

CUTS: Mapping[str, tuple[Mapping[str, Any], bool, bool]] = {
    "DeleteVolume": ({"volumeID": 1}, True, True),
    "DeleteVolumeAccessGroup": ({"volumeAccessGroupID": 1}, True, False),
    "RemoveVolumesFromVolumeAccessGroup": ({"volumeAccessGroupID": 1, "volumes": [1]}, True, False),
    "RemoveInitiatorsFromVolumeAccessGroup": (
        {"volumeAccessGroupID": 1, "initiators": ["iqn.1994-05.com.redhat:host1"]}, True, False,
    ),
    "ModifyVolume locked": ({"volumeID": 1, "access": "locked"}, True, True),
    "ModifyVolume readOnly": ({"volumeID": 1, "access": "readOnly"}, True, True),
    "ModifyVolume to the other account": ({"volumeID": 1, "accountID": 2}, False, True),
    "ModifyVolume larger": ({"volumeID": 1, "totalSize": 2 * 10**9}, False, False),
    "ModifyAccount locked": ({"accountID": 1, "status": "locked"}, False, True),
    "ModifyAccount with a new secret": ({"accountID": 1, "initiatorSecret": "new-secret-12"}, False, False),
    "CreateSnapshot": ({"volumeID": 1}, False, False),
}  # fmt: skip


@pytest.mark.parametrize("change", CUTS)
def test_sessions_end_at_once_with_what_let_them_in(cluster: Any, change: str) -> None:
    params, group_cut, account_cut = CUTS[change]
    cluster.call("AddAccount", username="other")
    by_group, by_account = cluster.login(), cluster.login(**BY_ACCOUNT)
    cluster.call(change.partition(" ")[0], **params)
    for host, cut in ((by_group, group_cut), (by_account, account_cut)):
        if cut:
            assert host.gone()
        else:
            assert host.ask(0x40, payload=b"ping").payload == b"ping"
    assert len(cluster.call("ListISCSISessions")["sessions"]) == 2 - group_cut - account_cut


def targets_of(cluster: Any) -> ElementTargets:
    return ElementTargets(cluster.array, journal=cluster.journal)


def test_the_wire_writes_what_the_api_snapshots_and_clones(cluster: Any) -> None:
    host = cluster.login()
    assert host.write(8, b"before" + bytes(506)).status == 0
    snapshot_id = cluster.call("CreateSnapshot", volumeID=1)["snapshotID"]
    assert host.write(8, b"after!" + bytes(506)).status == 0
    assert cluster.content(4096, 6) == b"after!"
    clone = cluster.call("CloneVolume", volumeID=1, name="clone", snapshotID=snapshot_id)
    cluster.clock.advance(2)
    cluster.call("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[clone["volumeID"]])
    copy = cluster.login(target=cluster.array.volumes[clone["volumeID"]].iqn)
    assert copy.read(8, 1).content[:6] == b"before"
    cluster.call("RollbackToSnapshot", volumeID=1, snapshotID=snapshot_id, saveCurrentState=False)
    assert host.read(8, 1).content[:6] == b"before"


def test_a_read_only_volume_says_so_and_keeps_its_bytes(cluster: Any) -> None:
    cluster.call("ModifyVolume", volumeID=1, access="readOnly")
    host = cluster.login()
    assert host.write(0, b"x" * 512).trouble == (0x7, 0x2700)
    assert host.command("42000000000000001800", out=bytes([0, 22, 0, 16]) + bytes(12) + bytes([0, 0, 0, 1]) + bytes(4)
                        ).trouble == (0x7, 0x2700)  # fmt: skip
    assert host.command("1a083f00ff00", room=255).content[2] & 0x80
    assert cluster.content(0, 512) == bytes(512)


def test_a_volume_that_grew_says_so_once(cluster: Any) -> None:
    host = cluster.login()
    before = int.from_bytes(host.command("9e10" + "00" * 8 + "00000020" + "0000", room=32).content[:8])
    cluster.call("ModifyVolume", volumeID=1, totalSize=2 * 10**9)
    assert host.read(0, 1).trouble == (0x6, 0x2A09)
    after = int.from_bytes(host.command("9e10" + "00" * 8 + "00000020" + "0000", room=32).content[:8])
    assert (before + 1, after + 1) == (1_000_341_504 // 512, 2_000_683_008 // 512)


def test_a_lun_tells_the_identifiers_of_the_api(cluster: Any) -> None:
    host, row = cluster.login(), cluster.array.volumes[1]
    standard = host.command("120000006000", room=96).content
    assert standard[8:32] == b"SolidFirSSD SAN         "
    serial = host.command("12018000ff00", room=255).content
    assert serial[4:].decode() == row.naa[-16:]
    designators, found = host.command("12018300ff00", room=255).content[4:], []
    while designators:
        length = designators[3]
        found.append((designators[1] & 0x3F, designators[4 : 4 + length]))
        designators = designators[4 + length :]
    assert (3, bytes.fromhex(row.naa)) in found
    assert (2, bytes.fromhex(row.eui)) in found
    assert row.naa.startswith("6f47acc1")


@pytest.mark.parametrize(("enable_512e", "size"), [(True, 512), (False, 4096)])
def test_blocks_are_as_large_as_the_volume_was_made_for(cluster: Any, enable_512e: bool, size: int) -> None:  # noqa: FBT001  a table
    made = cluster.call("CreateVolume", name="more", accountID=1, totalSize=10**9, enable512e=enable_512e)["volume"]
    host = cluster.login(name=STRANGER, chap=("tenant", SECRET), target=made["iqn"])
    capacity = host.command("9e10" + "00" * 8 + "00000020" + "0000", room=32).content
    assert int.from_bytes(capacity[8:12]) == size
    assert size << (capacity[13] & 0x0F) == 4096


def test_the_api_lists_who_is_logged_in(cluster: Any) -> None:
    assert cluster.call("ListISCSISessions") == {"sessions": []}
    host = cluster.login()
    session = cluster.call("ListISCSISessions")["sessions"][0]
    address, port = host.socket.getsockname()
    assert session["initiatorIP"] == f"{address}:{port}"
    assert session["initiatorName"] == host.name
    assert session["initiatorPortName"] == f"{host.name},i,0x{host.isid.hex()}"
    assert session["targetIP"] == cluster.portal.portal == cluster.call("GetClusterInfo")["clusterInfo"]["svip"]
    assert session["authentication"]["authMethod"] == "None"
    assert host.ask(0x06).opcode == 0x26
    assert host.gone()
    assert cluster.call("ListISCSISessions") == {"sessions": []}


def test_the_journal_tells_logins_and_logouts(cluster: Any) -> None:
    host = cluster.login()
    host.ask(0x06)
    assert host.gone()
    with pytest.raises(Exception, match="0x0201"):
        cluster.login(name=STRANGER)
    told = [(entry.event, entry.facts.get("session"), entry.facts.get("status"))
            for entry in cluster.journal if entry.side == "iscsi"]  # fmt: skip
    assert told == [("logged in", 1, None), ("logged out", 1, None), ("login refused", None, "AUTHENTICATION_FAILED")]


def test_ordered_troubles_strike_as_often_as_ordered(cluster: Any) -> None:
    host = cluster.login()
    for number in (2, 3):
        cluster.seam.arm(f"iscsi.read#{number}", fault_named("refused"))
    answers = [host.read(0, 1) for _ in range(5)]
    assert [answer.status for answer in answers] == [0, 2, 2, 0, 0]
    assert answers[1].trouble == (0x3, 0x1100)
    cluster.seam.arm("iscsi.write#1", fault_named("refused:SPACE_EXHAUSTED"))
    assert host.write(0, b"x" * 512).trouble == (0x7, 0x2707)
    assert cluster.content(0, 512) == bytes(512)
    assert cluster.seam.unspent() == ()
    struck = [entry.facts["call"] for entry in cluster.journal if entry.side == "fault"]
    assert struck == ["iscsi.read#2", "iscsi.read#3", "iscsi.write#1"]


@pytest.mark.parametrize(("fault", "arrived"), [("lost_before", False), ("lost_after", True)])
def test_a_session_that_is_cut_at_a_write_may_have_written(cluster: Any, fault: str, *, arrived: bool) -> None:
    host = cluster.login()
    cluster.seam.arm("iscsi.write#1", fault_named(fault))
    with pytest.raises(ConnectionError):
        host.write(0, b"x" * 512)
    assert cluster.content(0, 512) == (b"x" * 512 if arrived else bytes(512))
    assert cluster.login().read(0, 1).status == 0


@pytest.mark.parametrize("act", ACTS)
def test_every_act_can_be_ordered_to_fail_and_refuses_what_it_cannot_show(cluster: Any, act: str) -> None:
    for word in FAULTS:
        fault = Fault(FAULTS[word].moment, FAULTS[word].shape, "request-cut" if word == "damaged" else "")
        if word in {"refused", "lost_before", "lost_after"}:
            DIALECT.check("iscsi", act, fault)
        else:
            with pytest.raises(UnfitFaultError, match=rf"iscsi.{act} cannot meet {word}"):
                DIALECT.check("iscsi", act, fault)
    with pytest.raises(UnfitFaultError, match="the nearest are READ_ERROR"):
        cluster.seam.arm_always(f"iscsi.{act}", fault_named("refused:READ_ERR"))


def test_dropped_sessions_may_come_back(cluster: Any) -> None:
    host = cluster.login()
    assert cluster.portal.drop("iqn.2026-11.org.example:other") == 0
    assert cluster.portal.drop(cluster.volume["iqn"]) == 1
    assert host.gone()
    assert cluster.login().read(0, 1).status == 0


def test_a_portal_leads_where_it_is_told_to(cluster: Any) -> None:
    host = cluster.login()
    world = threading.RLock()
    with world:  # whoever begins a world anew holds the turn of the old one
        lead_to(cluster.portal, ElementTargets(cluster.array, journal=cluster.journal, turn=world))
    assert host.gone()
    host = cluster.login()
    with world:
        tag, _ = host.start(bytes(6))
        assert not select.select([host.socket], [], [], 0.05)[0]
    assert host.finish(tag).status == 0


def test_a_portal_ends_with_all_its_sessions_and_threads(cluster: Any) -> None:
    host, before = cluster.login(), threading.active_count()
    with serve_iscsi(targets_of(cluster)) as second:
        assert threading.active_count() == before + 1
        assert cluster.array.svip == second.portal
    cluster.portal.close()
    cluster.portal.close()
    assert host.gone()
    assert cluster.call("ListISCSISessions") == {"sessions": []}
    assert not [thread for thread in threading.enumerate() if "iscsi" in thread.name]


def test_a_portal_is_not_for_other_machines_unless_that_is_said(cluster: Any) -> None:
    with pytest.raises(CannotServeError, match="other machines"):
        serve_iscsi(targets_of(cluster), host="0.0.0.0")
    with pytest.raises(CannotServeError, match="taken by another program"):
        serve_iscsi(targets_of(cluster), port=cluster.portal.port)


def test_snapshots_are_read_only_luns_only_where_the_lab_wants_it(cluster: Any) -> None:
    host = cluster.login()
    host.write(0, b"first" + bytes(507))
    number = cluster.call("CreateSnapshot", volumeID=1)["snapshotID"]
    host.write(0, b"later" + bytes(507))
    assert host.read(0, 1, lun=number).trouble == (0x5, 0x2500)
    cluster.portal.lead_to(ElementTargets(cluster.array, journal=cluster.journal, snapshots=True))
    host = cluster.login()
    listed = host.command("a000000000000000ff000000"[:24], room=255).content
    assert listed[:4] == (16).to_bytes(4)
    assert host.read(0, 1, lun=number).content[:5] == b"first"
    assert host.write(0, b"x" * 512, lun=number).trouble == (0x7, 0x2700)
    cluster.call("DeleteSnapshot", snapshotID=number)
    assert host.read(0, 1, lun=number).trouble == (0x5, 0x2500)
    assert host.read(0, 1).content[:5] == b"later"
