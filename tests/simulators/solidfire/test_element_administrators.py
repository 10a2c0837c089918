"""Who may log in to a cluster and do what: administrators, their rights, and refusals that change nothing."""

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.simulators.solidfire import rights
from snapproof.simulators.solidfire.calls import call, methods
from snapproof.simulators.solidfire.method import Port, Standing
from snapproof.simulators.solidfire.surface.pages import pages
from snapproof.simulators.solidfire.wire import Endpoint

GB = 10**9
PASSWORD = "never-to-be-shown"
EULA = {"password": PASSWORD, "acceptEula": True}


def header(username: str, password: str = PASSWORD) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class Caller:
    """An administrator of a cluster, as a client."""

    def __init__(self, world: Any, *access: str, username: str = "somebody") -> None:
        self.world, self.username = world, username
        self.number = call(world.array, "AddClusterAdmin", username=username, access=list(access), **EULA)[
            "clusterAdminID"
        ]

    def page(self, method: str, *, password: str = PASSWORD, **params: Any) -> tuple[int, bytes]:
        body = msgspec.json.encode({"method": method, "params": params, "id": 1})
        answer: tuple[int, bytes] = self.world.exchange(body, authorization=header(self.username, password))
        return answer

    def error(self, method: str, **params: Any) -> str:
        """Name the error, empty for success."""
        status, answer = self.page(method, **params)
        assert status == 200
        name: str = msgspec.json.decode(answer).get("error", {}).get("name", "")
        return name


def test_the_first_administrator_is_the_one_of_the_door(world: Any) -> None:
    shown = world.result("ListClusterAdmins")["clusterAdmins"]
    assert shown == [
        {
            "access": ["administrator"],
            "attributes": {},
            "authMethod": "Cluster",
            "clusterAdminID": 1,
            "username": "admin",
        }
    ]
    again = Endpoint(world.array, username="admin", password="another", node=True)
    assert world.result("ListClusterAdmins")["clusterAdmins"] == shown, "a second door makes nobody"
    assert again("POST", "/json-rpc/12.3", {"authorization": header("admin", "another")}, b"")[0] == 401


def test_everybody_may_ask_who_they_are(world: Any) -> None:
    nobody = Caller(world, "repositories")
    status, answer = nobody.page("GetCurrentClusterAdmin")
    assert (status, msgspec.json.decode(answer)["result"]["clusterAdmin"]["username"]) == (200, "somebody")
    assert world.result("GetCurrentClusterAdmin")["clusterAdmin"]["username"] == "admin"
    assert nobody.error("GetLoginSessionInfo") == ""
    assert nobody.error("GetAPI") == ""
    assert nobody.error("ListVolumes") == "xPermissionDenied"


def test_a_reader_reads_everything_and_changes_nothing(world: Any) -> None:
    world.volume(world.account())
    reader = Caller(world, "read")
    before = world.fingerprint()
    for name, method in methods().items():
        if method.standing is Standing.REAL and Port.CLUSTER in method.port:
            error = reader.error(name, volumeID=1, accountID=1, username="x", name="x", totalSize=GB)
            looks = name.startswith(("Get", "List"))
            assert looks != (error == "xPermissionDenied"), name
    assert world.fingerprint() == before


ALLOWED = {
    "accounts": ["AddAccount", "ListAccounts"],
    "clusterAdmins": ["AddClusterAdmin", "ListClusterAdmins"],
    "drives": ["ListDrives", "GetAsyncResult"],
    "nodes": ["ListActiveNodes"],
    "reporting": ["GetClusterCapacity", "ListEvents"],
    "volumes": ["CreateVolume", "CreateSnapshot", "CloneVolume", "GetAsyncResult", "CreateVolumeAccessGroup"],
    "write": ["CreateVolume", "AddAccount"],
    "administrator": ["CreateVolume", "AddAccount", "AddClusterAdmin", "ListVolumes"],
}
DENIED = {
    "accounts": ["CreateVolume", "AddClusterAdmin", "ListVolumes"],
    "clusterAdmins": ["CreateVolume", "AddAccount"],
    "drives": ["CreateVolume", "ListVolumes"],
    "nodes": ["AddAccount"],
    "reporting": ["CreateSnapshot", "ListAccounts"],
    "volumes": ["AddAccount", "AddClusterAdmin", "ListAccounts"],
    "write": ["ListVolumes", "AddClusterAdmin", "ModifyClusterAdmin"],
}


@pytest.mark.parametrize("right", ALLOWED)
def test_a_right_opens_its_methods_and_no_others(world: Any, right: str) -> None:
    caller = Caller(world, right)
    assert [name for name in ALLOWED[right] if caller.error(name) == "xPermissionDenied"] == []
    before = world.fingerprint()
    assert {name: caller.error(name) for name in DENIED.get(right, [])} == dict.fromkeys(
        DENIED.get(right, []), "xPermissionDenied"
    )
    assert world.fingerprint() == before


@given(st.sets(st.sampled_from(rights.RIGHTS), min_size=1), st.sampled_from(sorted(methods())))
@settings(max_examples=200)
def test_more_rights_never_allow_less(access: set[str], method: str) -> None:
    allowed = method in rights.FOR_EVERYBODY or bool(rights.needed(method) & access)
    alone = [method in rights.FOR_EVERYBODY or right in rights.needed(method) for right in access]
    assert allowed == any(alone)
    assert "administrator" in rights.needed(method)


def test_the_tables_of_rights_name_what_exists() -> None:
    assert rights.OF_PAGES.keys() | rights.NOT_BY_WRITE <= pages().keys()
    assert rights.FOR_EVERYBODY | rights.ALSO.keys() <= methods().keys()
    named = {*rights.OF_PAGES.values(), *(right for also in rights.ALSO.values() for right in also)}
    assert named <= set(rights.RIGHTS)


def test_an_unknown_method_is_unknown_to_everybody(world: Any) -> None:
    assert Caller(world, "read").error("CreateEverything") == "xUnknownAPIMethod"


def test_rights_and_passwords_change_at_once(world: Any) -> None:
    caller = Caller(world, "read")
    assert caller.error("AddAccount", username="a") == "xPermissionDenied"
    call(world.array, "ModifyClusterAdmin", clusterAdminID=caller.number, access=["accounts"])
    assert caller.error("AddAccount", username="a") == ""
    call(world.array, "ModifyClusterAdmin", clusterAdminID=caller.number, password="another")
    assert caller.page("ListAccounts")[0] == 401
    assert caller.page("ListAccounts", password="another")[0] == 200
    call(world.array, "RemoveClusterAdmin", clusterAdminID=caller.number)
    assert caller.page("ListAccounts", password="another")[0] == 401


@pytest.mark.parametrize("authorization", [
    "", "Basic", "Basic ", "Basic !!!", "Bearer abc", header("admin", "wrong"), header("nobody"), header("", ""),
    "Basic " + base64.b64encode(b"admin").decode(), "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Basic \xff",
])  # fmt: skip
def test_whoever_is_not_known_gets_the_page_that_clients_look_for_and_changes_nothing(
    world: Any, authorization: str
) -> None:
    before = world.fingerprint()
    status, body = world.exchange(b'{"method":"AddAccount","params":{"username":"a"}}', authorization=authorization)
    assert status == 401
    assert b"<p> 401 Unauthorized. </p>" in body
    assert world.fingerprint() == before


@pytest.mark.requirement(id="R-150")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("authorization", ["", header("admin", "wrong"), header("nobody")])
def test_nobody_is_let_in_without_valid_credentials_and_each_try_is_counted(
    world: Any, method: str, authorization: str
) -> None:
    before = world.fingerprint()
    body = b'{"method":"AddAccount","params":{"username":"a"}}'
    status, _, _ = world.endpoint(method, "/json-rpc/12.3?method=AddAccount", {"authorization": authorization}, body)
    assert status == 401
    assert world.array.logins_refused == 1
    assert world.fingerprint() == before


@pytest.mark.requirement(id="R-150")
def test_credentials_that_have_ended_let_nobody_in_any_more(world: Any) -> None:
    caller = Caller(world, "administrator")
    assert caller.page("ListAccounts")[0] == 200, "and the door remembers who that was"
    call(world.array, "ModifyClusterAdmin", clusterAdminID=caller.number, password="another")
    assert caller.page("AddAccount", username="replayed")[0] == 401
    call(world.array, "RemoveClusterAdmin", clusterAdminID=caller.number)
    assert caller.page("AddAccount", password="another", username="replayed")[0] == 401
    assert world.array.logins_refused == 2
    assert call(world.array, "ListAccounts")["accounts"] == []


def test_no_password_is_shown_by_answers_journal_or_repr(world: Any) -> None:
    caller = Caller(world, "administrator")
    call(world.array, "ModifyClusterAdmin", clusterAdminID=caller.number, password="a-second-" + PASSWORD)
    shown = [str(world.ask("ListClusterAdmins")), repr(list(world.array.administrators)), repr(world.endpoint)]
    shown += [entry.line() for entry in world.journal]
    shown.append(str(world.ask("AddClusterAdmin", {"username": "x", "password": [PASSWORD], "access": ["read"]})))
    assert PASSWORD not in "".join(shown)


def test_the_idle_time_of_sessions_can_be_set(world: Any) -> None:
    assert world.result("GetLoginSessionInfo") == {"loginSessionInfo": {"timeout": "00:30:00"}}
    world.result("SetLoginSessionInfo", timeout="02:00:00")
    assert world.result("GetLoginSessionInfo") == {"loginSessionInfo": {"timeout": "02:00:00"}}
