"""Clients built on requests reach a simulator without a socket, and meet its faults as they would over one."""

from pathlib import Path

import pytest
import requests

from snapproof.fixtures.requests_door import answering
from snapproof.fixtures.world import World
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import fault_named

URL = "https://cluster.invalid"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.build(seed=1, clock=VirtualClock(), directory=tmp_path)


def ask(world: World, method: str, **params: object) -> requests.Response:
    login = world.secrets.clusters[0]
    return requests.post(
        f"{URL}/json-rpc/9.0",
        json={"method": method, "params": params},
        auth=(login.username, login.password),
        timeout=5,
    )


def test_a_requests_client_is_answered_by_the_wire(world: World) -> None:
    with world, answering(URL, world.wires().clusters[0]):
        answer = ask(world, "GetClusterInfo")
    assert answer.status_code == 200
    assert answer.json()["result"]["clusterInfo"]["name"] == "cluster-1"


def test_a_lost_answer_is_a_connection_error_and_the_effect_stays(world: World) -> None:
    world.seam.arm("array.AddAccount#1", fault_named("lost_after"))
    with world, answering(URL, world.wires().clusters[0]):
        with pytest.raises((requests.ConnectionError, ConnectionError)):
            ask(world, "AddAccount", username="somebody")
        listed = ask(world, "ListAccounts").json()["result"]["accounts"]
    assert [account["username"] for account in listed] == ["somebody"]


def test_any_other_address_stays_unreachable(world: World) -> None:
    with world, answering(URL, world.wires().clusters[0]), pytest.raises(requests.ConnectionError):
        requests.get("https://elsewhere.invalid", timeout=5)
