"""Which door serves which method, and from which version on: all of the surface, everywhere it is and is not."""

from typing import Any

import pytest

from snapproof.simulators.solidfire.calls import merge, methods
from snapproof.simulators.solidfire.method import Method, Port, Standing
from snapproof.simulators.solidfire.surface.pages import Served
from snapproof.simulators.solidfire.versions import PAIRS


@pytest.mark.parametrize("method", methods().values(), ids=methods())
def test_a_method_answers_at_its_doors_from_its_version_on_and_nowhere_else(world: Any, method: Method) -> None:
    doors = {Port.CLUSTER: world.endpoint, Port.NODE: world.node()}
    for version, pair in PAIRS.items():
        for port, door in doors.items():
            error = world.ask(method.name, path=f"/json-rpc/{version}", door=door).get("error", {})
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
