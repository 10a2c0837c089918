"""Which door serves which method, and from which version on: all of the surface, everywhere it is and is not."""

from typing import Any

import msgspec
import pytest

from snapproof.simulators.solidfire.calls import merge, methods
from snapproof.simulators.solidfire.method import Method, Port, Standing
from snapproof.simulators.solidfire.surface.pages import Served
from snapproof.simulators.solidfire.versions import PAIRS
from snapproof.simulators.solidfire.wire import Endpoint

DOORS = (Port.CLUSTER, Port.NODE)


@pytest.fixture
def doors(world: Any) -> dict[Port, Endpoint]:
    """The door of the cluster and that of its node."""
    node = Endpoint(world.array, username="admin", password="not-for-the-journal", node=True)
    return {Port.CLUSTER: world.endpoint, Port.NODE: node}


def error_at(door: Endpoint, method: str, version: str, authorization: str) -> dict[str, Any]:
    """Call without parameters; the error, or nothing when there is none."""
    body = msgspec.json.encode({"method": method})
    status, _, answer = door("POST", f"/json-rpc/{version}", {"authorization": authorization}, body)
    assert status == 200
    found: dict[str, Any] = msgspec.json.decode(answer).get("error", {})
    return found


@pytest.mark.parametrize("method", methods().values(), ids=methods())
def test_a_method_answers_at_its_doors_from_its_version_on_and_nowhere_else(
    doors: dict[Port, Endpoint], authorization: str, method: Method
) -> None:
    for version, pair in PAIRS.items():
        for port in DOORS:
            error = error_at(doors[port], method.name, version, authorization)
            served = port in method.port and pair >= method.since and method.standing is not Standing.REFUSED
            assert (error.get("name") != "xUnknownAPIMethod") is served, (version, port)
            if not served:
                assert error["message"] == f"xUnknownAPIMethod method={method.name}"


def test_every_door_has_methods_and_every_method_a_door() -> None:
    assert {method.entry.endpoint for method in methods().values()} == set(Served)
    assert all(method.port for method in methods().values())


def test_a_rule_belongs_to_a_method_and_to_one_only() -> None:
    def rule(_array: Any, _given: Any) -> dict[str, Any]:
        return {}

    assert merge([{"GetAPI": rule}, {"GetLimits": rule}]).keys() == {"GetAPI", "GetLimits"}
    with pytest.raises(ValueError, match="no method of the surface"):
        merge([{"GetApi": rule}])
    with pytest.raises(ValueError, match="has two rules"):
        merge([{"GetAPI": rule}, {"GetAPI": rule}])
