"""Doors of a pool: JSON-RPC of both versions, one door for each host, users and their roles, unix sockets."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import XenAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.clock import WallClock
from snapproof.simulators.faults import AnswerLostError, fault_named
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import serve, serve_unix
from snapproof.simulators.xenserver.datamodel import Role
from snapproof.simulators.xenserver.wire import Endpoint, User, doors

A = "iqn.2010-01.com.array:a"
NULL = "OpaqueRef:NULL"
LOGIN = ("root", "secret-pw", "1.0", "tests")


def posted(door: Any, method: str, *params: Any, **more: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 7} | more).encode()
    status, headers, answer = door("POST", "/jsonrpc", {}, body)
    assert (status, headers["content-type"]) == (200, "application/json")
    return json.loads(answer)


def test_json_gives_numbers_as_numbers_and_times_as_text(world: Any) -> None:
    world.lun(A)
    sr = world.create(world.full_config(A))
    answer = posted(world.wire, "SR.get_record", world.session, sr)
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
    assert answer["result"]["physical_size"] == 40 * world.mib
    assert answer["result"]["shared"] is True
    task = posted(world.wire, "Async.SR.scan", world.session, sr)["result"]
    assert posted(world.wire, "task.get_created", world.session, task)["result"] == "20260101T00:00:00Z"
    assert posted(world.wire, "task.get_progress", world.session, task)["result"] == 1.0
    assert posted(world.wire, "SR.scan", world.session, sr)["result"] == ""


def test_json_tells_a_refusal_by_code_and_arguments_in_both_versions(world: Any) -> None:
    answer = posted(world.wire, "SR.scan", world.session, NULL)
    assert answer["error"] == {"code": 1, "message": "HANDLE_INVALID", "data": ["SR", NULL]}
    assert "result" not in answer
    old = posted(world.wire, "SR.scan", world.session, NULL, jsonrpc="1.0")
    assert old == {"result": None, "error": ["HANDLE_INVALID", "SR", NULL], "id": 7}
    assert posted(world.wire, "host.get_all", world.session, jsonrpc="1.0")["result"] == world.hosts


def test_both_wires_speak_of_the_same_objects(world: Any) -> None:
    session = posted(world.wire, "session.login_with_password", *LOGIN)["result"]
    assert world.call("host.get_all", session) == world.hosts
    assert posted(world.wire, "session.login_with_password", "root", "guess")["error"]["message"] == (
        "SESSION_AUTHENTICATION_FAILED"
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[" * 100_000, -32700),
        (b"[]", -32600),
        (b'{"method": 7}', -32600),
        (b'{"method": "a.b", "params": {"x": 1}}', -32600),
        (b'{"method": "a.b", "params": ' + b"[" * 100 + b"]" * 100 + b"}", -32600),
    ],
)
def test_what_is_no_call_is_told_so_and_changes_nothing(world: Any, body: bytes, code: int) -> None:
    entries = len(world.journal)
    status, _, answer = world.wire("POST", "/jsonrpc", {}, body)
    assert (status, json.loads(answer)["error"]["code"], len(world.journal)) == (200, code, entries)


@given(body=st.binary(max_size=80) | st.text(alphabet='{}[]",:jsonrpcmethod1', max_size=80).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_answered_in_json(world: Any, body: bytes) -> None:
    status, _, answer = world.wire("POST", "/jsonrpc", {}, body)
    assert status == 200
    assert "error" in json.loads(answer)


def test_faults_show_over_json_too(world: Any) -> None:
    world.seam.arm_next("host.SR.get_all", fault_named("refused:SR_BACKEND_FAILURE_47"))
    assert posted(world.wire, "SR.get_all", world.session)["error"]["message"] == "SR_BACKEND_FAILURE_47"
    world.seam.arm_next("host.SR.get_all", fault_named("http500_before"))
    body = json.dumps({"method": "SR.get_all", "params": [world.session], "id": 1}).encode()
    assert world.wire("POST", "/jsonrpc", {}, body)[0] == 500


def door_of(world: Any, number: int, **options: Any) -> Any:
    door = Endpoint(world.pool, username="root", password="secret-pw", host=number, **options)

    def ask(name: str, *arguments: Any) -> Any:
        return door.answer(name, arguments)

    return ask


def test_a_slave_names_its_master_and_answers_nothing_else(world: Any) -> None:
    slave = door_of(world, 1)
    master = world.ask("host.get_address", world.hosts[0])
    refused = {"Status": "Failure", "ErrorDescription": ["HOST_IS_SLAVE", master]}
    assert slave("session.login_with_password", *LOGIN) == refused
    assert slave("host.get_all", world.session) == refused
    assert slave("session.slave_local_login_with_password", "root", "secret-pw")["Status"] == "Success"
    assert slave("system.listMethods")["Status"] == "Success"


def test_over_its_unix_socket_a_slave_passes_calls_on(world: Any) -> None:
    slave = door_of(world, 1, unix=True)
    session = slave("session.login_with_password", *LOGIN)["Value"]
    assert slave("host.get_all", session)["Value"] == world.hosts


def test_a_new_master_takes_over_the_door(world: Any) -> None:
    world.ask("pool.designate_new_master", world.hosts[1])
    assert door_of(world, 1)("session.login_with_password", *LOGIN)["Status"] == "Success"
    old = door_of(world, 0)("session.login_with_password", *LOGIN)
    assert old["ErrorDescription"] == ["HOST_IS_SLAVE", "192.0.2.2"]
    assert (
        world.pool.call("pool.get_master", (world.session, world.pool.call("pool.get_all", (world.session,))[0]))
        == (world.hosts[1])
    )


def test_every_host_has_a_door_and_tells_the_address_it_was_given(new_world: Any) -> None:
    world = new_world(hosts=3, addresses=("127.0.0.1", "127.0.0.2"))
    opened = doors(world.pool, username="root", password="secret-pw")
    told = [door.answer("session.login_with_password", LOGIN)["Status"] for door in opened]
    assert told == ["Success", "Failure", "Failure"]
    assert [world.ask("host.get_address", host) for host in world.hosts] == ["127.0.0.1", "127.0.0.2", "192.0.2.3"]


def test_users_have_passwords_and_roles_of_their_own(world: Any) -> None:
    ask = door_of(world, 0, users={"eve": User(password="eves", role=Role.READ_ONLY)})
    assert ask("session.login_with_password", "eve", "secret-pw")["Status"] == "Failure"
    assert ask("session.login_with_password", "nobody", "")["Status"] == "Failure"
    session = ask("session.login_with_password", "eve", "eves")["Value"]
    assert ask("host.get_all", session)["Value"] == world.hosts
    refused = ask("SR.forget", session, NULL)["ErrorDescription"]
    assert refused[:2] == ["RBAC_PERMISSION_DENIED", "SR.forget"]
    assert "eves" not in repr(User(password="eves"))


def test_a_socket_that_cannot_be_is_refused_with_the_cure(world: Any, tmp_path: Path) -> None:
    with pytest.raises(CannotServeError, match="short new path"):
        serve_unix(world.wire, tmp_path / ("x" * 200))


def test_a_client_waits_for_events_while_another_works(new_world: Any) -> None:
    """Both over sockets and in real time: the wait must not keep the other out."""
    world = new_world(clock=WallClock())
    with serve(world.wire, blocking=True) as server, ThreadPoolExecutor(1) as thread:
        sessions: list[Any] = [XenAPI.Session(server.url), XenAPI.Session(server.url)]
        waiting, working = sessions
        for session in (waiting, working):
            session.login_with_password(*LOGIN)
        token = waiting.xenapi.event.inject("pool", waiting.xenapi.pool.get_all()[0])
        batch = thread.submit(getattr(waiting.xenapi.event, "from"), ["VM"], token, 20.0)
        vm = working.xenapi.VM.create({"name_label": "late"})
        assert [event["ref"] for event in batch.result(10)["events"]] == [vm]
        for session in (waiting, working):
            session("close")()


def test_a_host_without_power_says_nothing(world: Any) -> None:
    world.pool.cut_power(0)
    with pytest.raises(AnswerLostError):
        world.ask("host.get_all")
    world.pool.restore_power(0)
    assert world.ask("host.get_all") == world.hosts


def test_a_served_pool_lets_no_call_wait_longer_than_its_server_may_take_to_end(world: Any) -> None:
    door = Endpoint(world.pool, username="root", password="secret-pw", wait_s_max=5.0)
    token = door.answer("event.from", (world.session, ["*"], "", 0.0))["Value"]["token"]  # type: ignore[index]  # plain
    world.ask("event.register", ["*"])
    before = world.clock.time()
    assert door.answer("event.from", (world.session, ["VM"], token, 3600.0))["Value"]["events"] == []  # type: ignore[index]  # plain
    assert door.answer("event.next", (world.session,))["Value"] == []
    assert world.clock.time() - before == pytest.approx(10.0)
