"""Which door serves which method, and from which version on: all of the surface, everywhere it is and is not."""

from typing import Any

import pytest

from snapproof.simulators.solidfire.calls import merge, methods
from snapproof.simulators.solidfire.method import Method, Standing
from snapproof.simulators.solidfire.surface.pages import Served
from snapproof.simulators.solidfire.versions import PAIRS


@pytest.mark.parametrize("method", methods().values(), ids=methods())
def test_a_method_answers_at_its_doors_from_its_version_on_and_nowhere_else(world: Any, method: Method) -> None:
    entry = method.entry
    doors = {Served.CLUSTER: world.endpoint, Served.NODE: world.node()}
    for version, pair in PAIRS.items():
        for place, door in doors.items():
            error = world.ask(method.name, path=f"/json-rpc/{version}", door=door).get("error", {})
            served = entry.endpoint in {place, Served.BOTH} and pair >= PAIRS[entry.since] and not entry.refused
            assert (error.get("name") != "xUnknownAPIMethod") is served, (version, place)
            if not served:
                assert error["message"] == f"xUnknownAPIMethod method={method.name}"


@pytest.mark.parametrize(
    ("method", "version", "before"),
    [("ListVolumes", "8.0", "7.4"), ("CreateSnapshot", "6.0", "5.0"), ("CreateQoSPolicy", "10.0", "9.4")],
)
def test_what_clients_call_is_there_at_the_version_that_they_call(
    world: Any, method: str, version: str, before: str
) -> None:
    assert world.ask(method, path=f"/json-rpc/{before}")["error"]["name"] == "xUnknownAPIMethod"
    assert world.ask(method, path=f"/json-rpc/{version}").get("error", {}).get("name") != "xUnknownAPIMethod"


def test_no_rule_is_behind_a_method_that_the_tables_refuse() -> None:
    ruled = [name for name, method in methods().items() if method.entry.refused and method.standing is Standing.REAL]
    assert ruled == [], "Take the reason for the refusal out of the surface: these methods answer."


def test_a_rule_belongs_to_a_method_and_to_one_only() -> None:
    def rule(_array: Any, _given: Any) -> dict[str, Any]:
        return {}

    assert merge([{"GetAPI": rule}, {"GetLimits": rule}]).keys() == {"GetAPI", "GetLimits"}
    with pytest.raises(ValueError, match="no method of the surface"):
        merge([{"GetApi": rule}])
    with pytest.raises(ValueError, match="has two rules"):
        merge([{"GetAPI": rule}, {"GetAPI": rule}])
