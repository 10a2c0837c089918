"""The control API: what it shows, what it changes, and how it says no."""

import json
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.clock import EPOCH_S, VirtualClock
from snapproof.simulators.control.api import ControlApi
from snapproof.simulators.control.places import Place
from snapproof.simulators.faults import AnswerLostError
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import serve

CALLS = ("array.CreateSnapshot", "array.DeleteSnapshot", "s3.PutObject")


class Rig:
    """A control API with everything it controls."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock.time)
        self.seam = Seam(self.journal)
        self.api = ControlApi(
            token="t0ken",
            seam=self.seam,
            journal=self.journal,
            clock=self.clock,
            places={"array": Place(lambda: ("volume 1",)), "s3": Place(tuple)},
            calls=CALLS,
        )

    def ask(self, method: str, target: str, body: object = None, *, token: str | None = None) -> tuple[int, Any]:
        octets = b"" if body is None else json.dumps(body).encode()
        status, _, answer = self.api(method, target, {"authorization": f"Bearer {token or 't0ken'}"}, octets)
        return status, json.loads(answer)

    def cross(self, method: str) -> str:
        return self.seam.cross("array", method, lambda: "done", refuse=lambda name: f"refused {name}")


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_a_fault_armed_over_http_strikes_once_and_at_the_right_call(rig: Rig) -> None:
    wanted = {"call": "array.CreateSnapshot", "fault": "lost_after", "times": 1, "skip": 1}
    armed = {"unspent": ["array.CreateSnapshot#2=lost_after"], "standing": [], "fired": []}
    assert rig.ask("POST", "/faults", wanted) == (200, armed)
    assert rig.cross("CreateSnapshot") == "done"
    with pytest.raises(AnswerLostError):
        rig.cross("CreateSnapshot")
    fired = {"call": "array.CreateSnapshot#2", "fault": "lost_after", "time_s": EPOCH_S, "entry": 3}
    assert rig.ask("GET", "/faults") == (200, {"unspent": [], "standing": [], "fired": [fired]})
    assert rig.cross("CreateSnapshot") == "done"


def test_a_standing_fault_strikes_until_it_is_taken_away(rig: Rig) -> None:
    rig.ask("POST", "/faults", {"call": "array.DeleteSnapshot", "fault": "refused:xBusy", "always": True})
    assert [rig.cross("DeleteSnapshot") for _ in range(3)] == ["refused xBusy"] * 3
    assert rig.ask("GET", "/faults")[1]["standing"] == ["array.DeleteSnapshot=refused:xBusy"]
    left = rig.ask("DELETE", "/faults")[1]
    assert (left["unspent"], left["standing"], len(left["fired"])) == ([], [], 3)
    assert rig.cross("DeleteSnapshot") == "done"


def test_the_journal_and_the_inventories_are_shown(rig: Rig) -> None:
    rig.cross("CreateSnapshot")
    rig.journal.record("array", "snapshot created", snapshot_id=1)
    status, shown = rig.ask("GET", "/journal?since=1")
    assert status == 200
    assert shown["entries"] == [{"n": 1, "t": EPOCH_S, "side": "array", "event": "snapshot created", "snapshot_id": 1}]
    assert shown["digest"] == rig.journal.digest()
    assert rig.ask("GET", "/inventory") == (200, {"array": ["volume 1"], "s3": []})


def test_the_clock_moves_forward_only(rig: Rig) -> None:
    assert rig.ask("POST", "/clock", {"advance_s": 5}) == (200, {"time_s": EPOCH_S + 5})
    assert rig.ask("GET", "/clock") == (200, {"time_s": EPOCH_S + 5})
    for wrong in (-1, "5", None, 1e300):
        assert rig.ask("POST", "/clock", {"advance_s": wrong})[0] == 400
    assert rig.clock.time() == EPOCH_S + 5


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "near"),
    [
        ("GET", "/fault", None, 404, ["/faults"]),
        ("PUT", "/faults", None, 405, []),
        ("POST", "/faults", {"call": "array.CreateSnapshto", "fault": "lost_after"}, 400, ["array.CreateSnapshot"]),
        ("POST", "/faults", {"call": "array.CreateSnapshot", "fault": "lost_afer"}, 400, ["lost_after"]),
        ("POST", "/faults", {"call": "array.CreateSnapshot", "fault": "lost_after", "time": 2}, 400, []),
        ("POST", "/faults", {"call": "array.CreateSnapshot", "fault": "lost_after", "times": 0}, 400, []),
        ("POST", "/faults", ["array.CreateSnapshot"], 400, []),
        ("POST", "/faults", {"call": "array.CreateSnapshot", "fault": "crash_after"}, 400, []),
        ("POST", "/faults", {"call": "array.CreateSnapshot", "fault": "truncated:xBusy"}, 400, []),
        ("GET", "/journal?since=-1", None, 400, []),
        ("GET", f"/journal?since={2**63}", None, 400, []),
        ("GET", "/objects?plac=array&kind=volume&id=1", None, 400, ["plac"]),
        ("GET", "/objects?place=aray&kind=volume&id=1", None, 404, ["array"]),
        ("GET", "/objects?place=array&kind=volume&id=1", None, 501, []),
        ("GET", "/objects?place=array&kind=volume&id=one", None, 400, []),
        ("GET", "/dump?place=s3", None, 501, []),
        ("GET", "/dump?place=s3&contents=all", None, 400, []),
        ("POST", "/load?place=s3", {}, 501, []),
        ("PUT", "/transitions", {"change": "clone", "time": "immediate"}, 400, []),
        ("PUT", "/transitions", {"change": "clone", "time": "soon"}, 400, []),
        ("POST", "/reset", None, 501, []),
        ("POST", "/seed", {"seed": 1}, 501, []),
        ("POST", "/seed", {"seed": -1}, 400, []),
        ("POST", "/clock", {"advance_s": 5, "x": "y" * 70_000}, 413, []),
    ],
)
def test_a_mistake_is_answered_with_a_sentence_and_what_was_meant(
    rig: Rig, *, method: str, target: str, body: object, status: int, near: list[str]
) -> None:
    answered, content = rig.ask(method, target, body)
    assert answered == status
    assert content["error"].endswith(".")
    assert content["near"][: len(near)] == near
    assert (rig.seam.unspent(), len(rig.journal), rig.clock.time()) == ((), 0, EPOCH_S)


def test_without_the_token_there_is_only_health(rig: Rig) -> None:
    for method, target in (("GET", "/journal"), ("POST", "/faults"), ("GET", "/nothing"), ("DELETE", "/faults")):
        status, headers, body = rig.api(method, target, {}, b"")
        assert (status, headers["www-authenticate"]) == (401, "Bearer")
        assert b"t0ken" not in body
        assert rig.ask(method, target, token="t0ke")[0] == 401
    assert rig.api("GET", "/health", {}, b"")[0] == 200
    assert rig.api("GET", "/openapi.json", {}, b"")[0] == 200


@given(st.sampled_from(["/faults", "/clock"]), st.binary(max_size=200))
def test_no_body_breaks_the_api(path: str, body: bytes) -> None:
    rig = Rig()
    status, _, answer = rig.api("POST", path, {"authorization": "Bearer t0ken"}, body)
    assert status == 400
    assert json.loads(answer)["error"]
    assert rig.seam.unspent() == ()


def test_it_is_served_like_any_wire(rig: Rig) -> None:
    with serve(rig.api) as server:
        answer = requests.get(f"{server.url}/inventory", headers={"Authorization": "Bearer t0ken"}, timeout=10)
    assert answer.json() == {"array": ["volume 1"], "s3": []}
