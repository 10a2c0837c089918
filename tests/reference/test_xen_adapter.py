"""The XenServer adapter: no LUN is formatted on a guess, one disk or none, and no answer is believed for its looks."""

import traceback
import xmlrpc.client
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from snapproof.campaign.invariants import violations
from snapproof.driver import BackendError
from snapproof.fixtures.caller import SIZE_BYTES, Caller
from snapproof.fixtures.site import site_of
from snapproof.fixtures.world import World
from snapproof.reference_impl.adapters.xen import XenHypervisor
from snapproof.reference_impl.adapters.xenapi import ANSWER_BYTES_MAX, MEANINGS, XenApi
from snapproof.reference_impl.ports import CallError, GoneError, RefusedError, TransientError, UnknownOutcomeError
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.clock import VirtualClock
from snapproof.site import Answer, Endpoint
from snapproof.vocabulary import LocationType, Secret

CANARY = "hunter2-canary"


def formatted(caller: Caller) -> list[object]:
    """The LUNs that were formatted over something, by the pool's own book."""
    return [e.facts for e in caller.lab._world.journal if e.event == "lun formatted" and e.facts["destroyed_sr"]]


@pytest.mark.parametrize("probe", [1, 2, 3])
@pytest.mark.parametrize("location", LocationType)
def test_a_probe_that_cannot_be_read_formats_nothing(caller: Caller, location: LocationType, probe: int) -> None:
    taken = caller.take("take", caller.used_volume().id, location).result()
    before = len([e for e in caller.lab._world.journal if e.event == "lun formatted"])
    caller.lab.watch_calls()
    caller.lab.arm(f"host.SR.probe#{probe}", "refused:EMPTY")
    outcome = caller.create("restore", source=taken.id)
    if not caller.lab.unspent_faults():
        assert type(outcome.error) is BackendError
        assert len([e for e in caller.lab._world.journal if e.event == "lun formatted"]) == before
    caller.lab.repair()
    caller.lab.settle()
    assert violations(caller.lab) == ()


@pytest.mark.parametrize("probe", [1, 2, 3])
def test_a_probe_that_cannot_be_read_takes_a_backup_back(caller: Caller, probe: int) -> None:
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm(f"host.SR.probe#{probe}", "refused:EMPTY")
    assert type(caller.take("take", volume.id, LocationType.SECONDARY).error) is BackendError
    assert not caller.lab.unspent_faults()
    assert not formatted(caller)
    caller.lab.settle()
    assert violations(caller.lab) == ()


@pytest.mark.parametrize("fault", ["lost_before", "lost_after", "error_after", "crash_before", "crash_after"])
@pytest.mark.parametrize(
    "call", ["SR.create", "SR.introduce", "PBD.plug", "Async.VDI.copy", "task.get_result", "SR.forget"]
)
def test_a_restore_that_died_half_way_starts_over_on_a_blank_lun(caller: Caller, call: str, fault: str) -> None:
    taken = caller.take("take", caller.used_volume().id, LocationType.SECONDARY).result()
    caller.lab.watch_calls()
    caller.lab.arm(f"host.{call}#1", fault)
    outcome = caller.create("restore", source=taken.id)
    assert not caller.lab.unspent_faults()
    if outcome.crashed:
        caller.lab.restart_driver()
        outcome = caller.create("restore", source=taken.id)
    given_up = call == "SR.create" and fault != "crash_after"
    assert given_up == (type(outcome.error) is BackendError)
    restored = caller.create("again" if given_up else "restore", source=taken.id).result()
    assert caller.lab.content_of(restored) == caller.lab.content_when_taken(taken)
    assert not formatted(caller)
    assert violations(caller.lab) == ()


def test_two_disks_on_one_lun_are_not_copied(caller: Caller) -> None:
    volume = caller.used_volume()
    guest = caller.lab.start_guest(volume)
    pool = caller.lab._world.pool
    (sr,) = [sr for sr in pool._state.srs if volume.target in sr.name_label]
    session = pool.log_in("root")
    record = {"SR": sr.ref, "name_label": "second", "virtual_size": str(SIZE_BYTES), "type": "user", "sharable": False}
    pool.call("VDI.create", (session, {**record, "read_only": False, "other_config": {}}))
    outcome = caller.take("take", volume.id, LocationType.SECONDARY)
    assert type(outcome.error) is BackendError
    assert "holds 2 virtual disks; exactly one is copied, or none" in str(outcome.error)
    guest.stop()
    caller.lab.settle()
    assert not caller.lab.leftovers()
    assert not caller.lab.backups()


def test_a_lun_that_holds_data_is_never_formatted(caller: Caller) -> None:
    volume = caller.used_volume()
    lab = caller.lab
    lab._share(int(volume.target.rpartition(".")[2]), "AddVolumesToVolumeAccessGroup")
    hypervisor = XenHypervisor(
        lab._site.hypervisor,
        lab._site.clock,
        portal="192.0.2.200",
        export_url=lab._site.export_url,
        settings=Settings,
    )
    with pytest.raises(RefusedError, match="holds data already; it is not formatted"):
        hypervisor.copy_in("directory", "file.vhd", volume.target, size_bytes=1)
    assert not formatted(caller)


# What answers look like, whoever gives them.


def api_answering(answer: Callable[[str], Answer]) -> XenApi:
    """A session with a host that answers a login well and everything else like this."""

    def wire(_method: str, _target: str, _headers: Mapping[str, str], body: bytes) -> Answer:
        _, name = xmlrpc.client.loads(body.decode())
        if name == "session.login_with_password":
            return 200, {}, written({"Status": "Success", "Value": "session"})
        return answer(str(name))

    endpoint = Endpoint(url="https://pool.invalid", username="root", password=Secret(CANARY), wire=wire)
    return XenApi(endpoint, VirtualClock())


def written(value: Any) -> bytes:
    return xmlrpc.client.dumps((value,), methodresponse=True).encode()


def failing(*description: str) -> XenApi:
    return api_answering(lambda _name: (200, {}, written({"Status": "Failure", "ErrorDescription": list(description)})))


BOMB = b"""<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<methodResponse><params><param><value>&b;</value></param></params></methodResponse>"""


DEEP = b"<methodResponse>" + b"<value><array><data>" * 10_000
UTF_16 = "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>".encode("utf-16")
FILE = b"<!DOCTYPE x SYSTEM 'file:///etc/passwd'><x/>"


@pytest.mark.parametrize("text", [BOMB, FILE, DEEP, UTF_16, b" " * (ANSWER_BYTES_MAX + 1)])
def test_a_document_that_no_host_would_send_is_refused_unread(text: bytes) -> None:
    with pytest.raises(RefusedError, match=r"(too large|declares a document type|nested too deeply); it is refused"):
        api_answering(lambda _name: (200, {}, text)).call("SR.scan", "ref")


@pytest.mark.parametrize(
    "text", [b"", b"<x>", b"\xff\xfe", written("text"), written(7), b"<methodResponse/>", written({})]
)
def test_an_answer_that_cannot_be_read_leaves_the_outcome_open(text: bytes) -> None:
    with pytest.raises(UnknownOutcomeError):
        api_answering(lambda _name: (200, {}, text)).call("SR.scan", "ref")


@pytest.mark.parametrize(("code", "kind"), [*MEANINGS.items(), ("SR_NOT_EMPTY", RefusedError), ("", RefusedError)])
def test_a_code_means_what_the_table_says_and_else_a_final_no(code: str, kind: type[CallError]) -> None:
    with pytest.raises(kind, match=f"The host refused SR.scan: {code}"):
        failing(code, "detail").call("SR.scan", "ref")


def test_what_a_refusal_quotes_is_not_repeated() -> None:
    with pytest.raises(RefusedError) as refusal:
        failing("SR_BACKEND_FAILURE_68", "", f"chappassword={CANARY}").call("SR.create", "ref")
    assert CANARY not in "".join(traceback.format_exception(refusal.value))


def test_a_session_that_was_forgotten_is_opened_again_once() -> None:
    calls: list[str] = []

    def forgetful(name: str) -> Answer:
        calls.append(name)
        return 200, {}, written({"Status": "Failure", "ErrorDescription": ["SESSION_INVALID", "ref"]})

    with pytest.raises(RefusedError, match="SESSION_INVALID"):
        api_answering(forgetful).call("SR.scan", "ref")
    assert calls == ["SR.scan", "SR.scan"]


@pytest.mark.parametrize("status", [404, 500, 503])
def test_a_page_instead_of_an_answer_leaves_the_outcome_open(status: int) -> None:
    with pytest.raises(UnknownOutcomeError, match=f"HTTP {status}"):
        api_answering(lambda _name: (status, {}, b"<html>")).call("SR.scan", "ref")


def test_a_gone_reference_and_a_busy_one_are_told_apart() -> None:
    assert MEANINGS["HANDLE_INVALID"] is GoneError
    assert MEANINGS["OTHER_OPERATION_IN_PROGRESS"] is TransientError


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World.build(seed=1, clock=VirtualClock(), directory=tmp_path) as world:
        yield world


@pytest.mark.parametrize(
    "document", ["", "<LUN></LUN>", "<LUN><LUNid>1</LUNid><SCSIid>abc</SCSIid></LUN>", BOMB.decode()]
)
def test_a_list_of_luns_without_ours_attaches_nothing(world: World, tmp_path: Path, document: str) -> None:
    site = site_of(world, store="nfs", seed=1, state_directory=tmp_path)
    asked: list[str] = []

    def wire(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        assert site.hypervisor.wire is not None
        name = str(xmlrpc.client.loads(body.decode())[1])
        asked.append(name)
        if name == "SR.probe":
            text = {
                "Status": "Failure",
                "ErrorDescription": ["SR_BACKEND_FAILURE_107", "", "", document.replace("&", "+")],
            }
            return 200, {}, written(text)
        return site.hypervisor.wire(method, target, headers, body)

    door = Endpoint(url="x", username=site.hypervisor.username, password=site.hypervisor.password, wire=wire)
    hypervisor = XenHypervisor(door, VirtualClock(), portal="p", export_url="e", settings=Settings)
    for verb in (hypervisor.attach, hypervisor.resign):
        with pytest.raises(RefusedError):
            verb("iqn.x")
    assert not {name for name in asked if name in {"SR.create", "SR.introduce", "PBD.create"}}
