"""Reading parameters, for every method: what is missing, ill-typed, bent, unknown, or newer than the path."""

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.simulators.solidfire.calls import call, methods
from snapproof.simulators.solidfire.errors import ERRORS, ElementError
from snapproof.simulators.solidfire.method import Method, Port
from snapproof.simulators.solidfire.parameters import read, takes
from snapproof.simulators.solidfire.surface.pages import Members, pages, surface
from snapproof.simulators.solidfire.surface.shapes import Many, Shape, shape

GB = 1_000_000_000
PAGES = sorted(noun for noun, page in pages().items() if page.methods)
FITTING: Mapping[str, Any] = {
    "integer": 1,
    "number": 0.5,
    "string": "x",
    "boolean": True,
    "uuid": str(uuid.UUID(int=7)),
    "object": {"a": 1},
    "name_or_id": "iqn.x",
}
ILL_TYPED: Mapping[str, Any] = {
    "integer": {"a": 1}, "number": "much", "string": 1, "boolean": 1, "uuid": 1, "object": "x", "name_or_id": [1],
}  # fmt: skip


def fitting(looks: Shape) -> Any:
    """Make up a value of the shape, with all that is required in it."""
    tables = surface()
    if looks.word in tables.enumerations:
        one: Any = tables.enumerations[looks.word][0]
    elif looks.word in tables.types:
        one = required(tables.types[looks.word])
    else:
        one = FITTING.get(looks.word, "x")
    return {Many.ONE: one, Many.LIST: [one], Many.MAP: {"a": one}}[looks.many]


def required(members: Members) -> dict[str, Any]:
    """Make up values for all that is required."""
    shapes = {name: shape(text) for name, text in members.items()}
    return {name: fitting(looks) for name, looks in shapes.items() if not looks.optional}


def ill_typed(looks: Shape) -> Any:
    """Make up a value of another type."""
    if looks.many is not Many.ONE:
        return 1
    word = "string" if looks.word in surface().enumerations else looks.word
    return ILL_TYPED.get(word, 1)


def of(page: str) -> list[Method]:
    """The methods of a page of the tables."""
    return [methods()[name] for name in pages()[page].methods]


def refused(method: Method, params: dict[str, Any]) -> ElementError:
    """Read parameters that must be refused."""
    with pytest.raises(ElementError) as error:
        read(params, method.takes)
    return error.value


@pytest.mark.parametrize("page", PAGES)
def test_every_required_parameter_is_missed_by_its_name(page: str) -> None:
    for method in of(page):
        whole = required(method.entry.takes)
        assert read(whole, method.takes)[0].keys() == whole.keys()
        for name in whole:
            without = {key: value for key, value in whole.items() if key != name}
            error = refused(method, without)
            assert (error.name, error.message) == ("xMissingParameter", f"Missing member=[{name}]"), method.name
            lists = shape(method.entry.takes[name]).many is Many.LIST
            assert lists or refused(method, whole | {name: None}).name == "xMissingParameter", method.name


@pytest.mark.parametrize("page", PAGES)
def test_every_parameter_has_a_type_and_complains_without_the_value(page: str) -> None:
    for method in of(page):
        whole = required(method.entry.takes)
        for name, text in method.entry.takes.items():
            error = refused(method, whole | {name: ill_typed(shape(text))})
            assert error.name == "xInvalidParameterType", method.name
            assert error.message.startswith(f"{name} must be of type "), method.name


@pytest.mark.parametrize("page", PAGES)
def test_a_parameter_newer_than_the_path_and_one_of_no_table_are_unused(page: str) -> None:
    for method in of(page):
        whole = required(method.entry.takes)
        newer = {name for name, text in method.entry.takes.items() if shape(text).since > method.since}
        strangers: dict[str, Any] = {name: {"of": ["any type"]} for name in (*sorted(newer), "stranger")}
        given_then, unused = read(whole | strangers, method.takes, method.since)
        assert given_then == read(whole, method.takes, method.since)[0], method.name
        assert unused == list(strangers), method.name


BENT: list[tuple[str, Any, Any]] = [
    ("integer", "12", 12),
    ("integer", " -3 ", -3),
    ("integer", 12.0, 12),
    ("number", "12", 12),
    ("number", 0.25, 0.25),
    ("boolean", "false", False),
    ("boolean", "True", True),
    ("uuid", "0000000A-0000-0000-0000-000000000000", "0000000a-0000-0000-0000-000000000000"),
    ("integer[]", ["1", 2.0], [1, 2]),
    ("integer{}", {"4096": "100"}, {"4096": 100}),
    ("name_or_id[]", ["iqn.x", 3], ["iqn.x", 3]),
    ("QoS", {"minIOPS": "100", "maxIOPS": None, "burstIOPS": "", "unheard": 1}, {"minIOPS": 100}),
    ("VolumeAccess", "readOnly", "readOnly"),
    ("LunAssignment[]", [{"volumeID": "1", "lun": 0.0}], [{"volumeID": 1, "lun": 0}]),
]


@pytest.mark.parametrize(("text", "sent", "read_as"), BENT)
def test_values_are_bent_as_clients_need_it(text: str, sent: Any, read_as: Any) -> None:
    assert read({"p": sent}, takes({"p": text})) == ({"p": read_as}, [])


@pytest.mark.parametrize("text", ["integer?", "string?", "boolean?", "object?", "uuid?", "QoS?", "integer[]?"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_the_empty_string_are_not_given(text: str, nothing: Any) -> None:
    assert read({"p": nothing}, takes({"p": text})) == ({}, [])


def test_a_required_list_may_be_null_but_not_missing() -> None:
    assert read({"p": None}, takes({"p": "integer[]"})) == ({"p": []}, [])
    with pytest.raises(ElementError, match=r"xMissingParameter: Missing member=\[p\]"):
        read({}, takes({"p": "integer[]"}))


UNBENDABLE: list[tuple[str, Any, str]] = [
    ("integer", "twelve", "xInvalidParameterType"),
    ("integer", "1" * 30, "xInvalidParameterType"),
    ("integer", "\u0663", "xInvalidParameterType"),
    ("integer", 1.5, "xInvalidParameterType"),
    ("integer", True, "xInvalidParameterType"),
    ("integer", 2**63, "xInvalidParameter"),
    ("number", True, "xInvalidParameterType"),
    ("boolean", "yes", "xInvalidParameterType"),
    ("boolean", 0, "xInvalidParameterType"),
    ("uuid", "7", "xInvalidParameter"),
    ("name_or_id", True, "xInvalidParameterType"),
    ("VolumeAccess", "sometimes", "xUnrecognizedEnumString"),
    ("LunAssignment", {"volumeID": 1}, "xMissingParameter"),
    ("LunAssignment[]", [{"volumeID": 1, "lun": "first"}], "xInvalidParameterType"),
]


@pytest.mark.parametrize(("text", "sent", "error"), UNBENDABLE)
def test_other_values_are_refused(text: str, sent: Any, error: str) -> None:
    with pytest.raises(ElementError, match=f"^{error}:"):
        read({"p": sent}, takes({"p": text}))


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**64) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_WORDS: Mapping[str, st.SearchStrategy[Any]] = {
    "integer": st.integers(-2, 4) | st.sampled_from(["0", "1", GB, 2**62]),
    "number": st.floats(-1, 1) | st.integers(0, 3),
    "string": st.sampled_from(["", "tenant", "active", "fifo", "00:05:00", "2027-01-01T00:00:00Z"])
    | st.text(max_size=70),
    "boolean": st.booleans() | st.sampled_from(["true", "false"]),
    "uuid": st.uuids().map(str),
    "object": st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4), max_size=2),
    "name_or_id": st.integers(0, 3) | st.sampled_from(["iqn.1994-05.com.redhat:host1", "iqn.x"]),
}


def fitting_values(looks: Shape) -> st.SearchStrategy[Any]:
    """Any value of the shape."""
    tables = surface()
    if looks.word in tables.enumerations:
        one: st.SearchStrategy[Any] = st.sampled_from(tables.enumerations[looks.word])
    elif looks.word in tables.types:
        one = fitting_params(tables.types[looks.word])
    else:
        one = _WORDS.get(looks.word, _WORDS["string"])
    lists, maps = st.lists(one, max_size=2), st.dictionaries(st.text(max_size=3), one, max_size=2)
    return {Many.ONE: one, Many.LIST: lists, Many.MAP: maps}[looks.many]


def fitting_params(members: Members) -> st.SearchStrategy[dict[str, Any]]:
    """Any parameters that the table allows."""
    shapes = {name: shape(text) for name, text in members.items()}
    return st.fixed_dictionaries(
        {name: fitting_values(looks) for name, looks in shapes.items() if not looks.optional},
        optional={name: fitting_values(looks) for name, looks in shapes.items() if looks.optional},
    )


def any_params(members: Members) -> st.SearchStrategy[dict[str, Any]]:
    """Anything under the names of the table."""
    return st.dictionaries(st.sampled_from([*members, "stranger"]), _ANYTHING, max_size=6)


def furnished(world_maker: Any) -> Any:
    world = world_maker()
    call(world.array, "AddAccount", username="tenant")
    call(world.array, "CreateVolume", name="one", accountID=1, totalSize=GB)
    call(world.array, "CreateSnapshot", volumeID=1)
    call(world.array, "CreateVolumeAccessGroup", name="g1", initiators=["iqn.1994-05.com.redhat:host1"], volumes=[1])
    return world


@pytest.mark.parametrize("page", PAGES)
@settings(max_examples=25, deadline=None)
@given(choice=st.data())
def test_no_parameters_break_a_method_and_refused_calls_leave_no_trace(
    world_maker: Any, page: str, choice: st.DataObject
) -> None:
    world = furnished(world_maker)
    doors = {Port.CLUSTER: world.endpoint, Port.BOTH: world.endpoint, Port.NODE: world.node()}
    first = world.array.administrators[1]
    for method in choice.draw(st.lists(st.sampled_from(of(page)), min_size=1, max_size=6)):
        members = method.entry.takes
        params = choice.draw(fitting_params(members) | any_params(members))
        world.array.administrators.put(1, first)  # a call may have changed the password; the next one must get in
        before = world.fingerprint()
        answer = world.ask(method.name, params, door=doors[method.port])
        assert ("result" in answer) != ("error" in answer)
        if "error" in answer:
            assert answer["error"]["name"] in ERRORS
            assert world.fingerprint() == before
