"""Every class, field and message of the datamodel over the wire: getters, setters, counts, types, `Async.` forms."""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.xenserver.conditions import condition
from snapproof.simulators.xenserver.datamodel import Access, Role, datamodel
from snapproof.simulators.xenserver.failures import CODES, XapiError
from snapproof.simulators.xenserver.methods import RULES, all_methods
from snapproof.simulators.xenserver.records import KINDS
from snapproof.simulators.xenserver.shapes import checked, natural, shape_of

A = "iqn.2010-01.com.array:a"
NULL = "OpaqueRef:NULL"
METHODS = {name: method.entry for name, method in all_methods().items()}


@pytest.fixture
def full(world: Any) -> Any:
    """A world with at least one object of every class; `objects` gives one of each."""
    world.lun(A)
    guest = world.pool.start_guest(target=A, size_bytes=world.mib, name="web")
    vm = guest.vbd.vm.ref
    world.objects = {
        "subject": world.ask("subject.create", {"subject_identifier": "u1"}),
        "secret": world.ask("secret.create", {"value": "hidden"}),
        "console": world.ask("console.create", {"other_config": {}}),
        "VIF": world.ask("VIF.create", {"VM": vm, "network": world.ask("network.get_all")[0], "device": "0"}),
        "task": world.ask("task.create", "label", "description"),
        "message": world.ask("message.create", "N", "3", "VM", world.ask("VM.get_uuid", vm), "body"),
        "session": world.session,
    }
    for kind in KINDS.keys() - world.objects.keys():
        if METHODS.get(f"{kind}.get_all"):
            world.objects[kind] = world.ask(f"{kind}.get_all")[0]
    world.objects["user"] = world.ask("session.get_this_user", world.session)
    return world


def refusal(world: Any, name: str, *arguments: Any) -> list[str]:
    with pytest.raises(world.refused) as refused:
        world.ask(name, *arguments)
    return list(refused.value.description)


def test_every_class_has_an_object_to_look_at(full: Any) -> None:
    assert full.objects.keys() == KINDS.keys() == datamodel().classes.keys() - {"event"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_has_a_getter_that_agrees_with_the_record_and_with_its_type(full: Any, kind: str) -> None:
    ref = full.objects[kind]
    fields = datamodel().classes[kind].fields
    record = full.ask(f"{kind}.get_record", ref)
    assert record.keys() == fields.keys()
    if datamodel().classes[kind].recorded:
        assert {name: full.ask(f"{kind}.get_{name}", ref) for name in fields} == record
    for name, field in fields.items():
        checked(shape_of(field.type), record[name], lambda _kind, _ref: None)


@pytest.mark.parametrize("kind", sorted(name for name in KINDS if datamodel().classes[name].listed))
def test_every_list_names_the_object_and_conditions_find_it(full: Any, kind: str) -> None:
    ref = full.objects[kind]
    record = full.ask(f"{kind}.get_record", ref)
    assert ref in full.ask(f"{kind}.get_all")
    assert full.ask(f"{kind}.get_all_records")[ref] == record
    assert full.ask(f"{kind}.get_by_uuid", record["uuid"]) == ref
    assert full.ask(f"{kind}.get_all_records_where", f'field "uuid" = "{record["uuid"]}"') == {ref: record}
    assert full.ask(f"{kind}.get_all_records_where", "not true") == {}
    if datamodel().classes[kind].named:
        assert ref in full.ask(f"{kind}.get_by_name_label", record["name_label"])
    assert refusal(full, f"{kind}.get_by_uuid", "nobody") == ["UUID_INVALID", kind, "nobody"]
    assert refusal(full, f"{kind}.get_record", "OpaqueRef:gone") == ["HANDLE_INVALID", kind, "OpaqueRef:gone"]


SAMPLES = {
    "string": "7",
    "int": "7",
    "float": 0.5,
    "bool": True,
    "datetime": "20260102T03:04:05Z",
    "ref": NULL,
}


def sample(text: str) -> Any:
    """A value of a type that no field begins with."""
    shape = shape_of(text)
    match shape.kind:
        case "enum":
            return datamodel().enumerations[shape.name][-1]
        case "set":
            return [sample(shape.parts[0].text)]
        case "map":
            return {str(sample(shape.parts[0].text)): sample(shape.parts[1].text)}
        case "record" | "option":
            return {}
        case kind:
            return SAMPLES[kind]


def settable() -> Iterator[tuple[str, str]]:
    for kind, entry in datamodel().classes.items():
        for name, field in entry.fields.items():
            setter = METHODS.get(f"{kind}.set_{name}")
            if setter and kind in KINDS and setter.takes.get("value") == field.type:
                yield kind, name


UNSETTABLE = {("SR", "physical_size")}
"""Fields that xapi lets a client set and this pool reads from the storage itself."""


@pytest.mark.parametrize("kind", sorted({kind for kind, _ in settable()}))
def test_every_settable_field_keeps_what_it_is_given(full: Any, kind: str) -> None:
    for name in [name for of, name in settable() if of == kind and (kind, name) not in UNSETTABLE]:
        ref, field = full.objects[kind], datamodel().classes[kind].fields[name]
        value = "cancelled" if (kind, name) == ("task", "status") else sample(field.type)
        before = full.ask(f"{kind}.get_record", ref)
        full.ask(f"{kind}.set_{name}", ref, value)
        now = full.ask(f"{kind}.get_record", ref)
        assert full.ask(f"{kind}.get_{name}", ref) == now[name] == value
        assert {other for other in now if now[other] != before[other]} <= {name, *FOLLOWING.get((kind, name), ())}
        add_and_remove(full, kind, name, value)


FOLLOWING = {
    ("task", "status"): {"finished", "allowed_operations", "progress"},
    ("host", "iscsi_iqn"): {"other_config"},
    ("VBD", "userdevice"): {"device"},
}
"""Fields that change along with one that is set."""


def add_and_remove(world: Any, kind: str, name: str, value: Any) -> None:
    """Take the one member of a map or set out again and put it back, where there are messages for it."""
    ref = world.objects[kind]
    if METHODS.get(f"{kind}.add_to_{name}"):
        ((key, content),) = value.items()
        assert refusal(world, f"{kind}.add_to_{name}", ref, key, content) == ["MAP_DUPLICATE_KEY", kind, name, ref, key]
        world.ask(f"{kind}.remove_from_{name}", ref, key)
        assert world.ask(f"{kind}.get_{name}", ref) == {}
        world.ask(f"{kind}.add_to_{name}", ref, key, content)
    elif METHODS.get(f"{kind}.add_{name}"):
        world.ask(f"{kind}.remove_{name}", ref, value[0])
        assert world.ask(f"{kind}.get_{name}", ref) == []
        for _ in range(2):
            world.ask(f"{kind}.add_{name}", ref, value[0])
    assert world.ask(f"{kind}.get_{name}", ref) == value


@pytest.mark.parametrize(("kind", "name"), sorted(UNSETTABLE))
def test_what_is_read_from_the_storage_cannot_be_set(full: Any, kind: str, name: str) -> None:
    description = refusal(full, f"{kind}.set_{name}", full.objects[kind], "7")
    assert description == ["NOT_IMPLEMENTED", f"{kind}.set_{name}"]


def messages_of(kind: str) -> list[str]:
    return sorted(name for name in METHODS if name.startswith(f"{kind}."))


@pytest.mark.parametrize("kind", sorted(datamodel().classes))
def test_every_message_counts_its_parameters(world: Any, kind: str) -> None:
    for name in messages_of(kind):
        entry = METHODS[name]
        most, least = len(entry.takes), len(entry.takes) - entry.optional
        for count in {most + 1, least - 1} - {-1}:
            expected = ["MESSAGE_PARAMETER_COUNT_MISMATCH", name, str(most), str(count)]
            assert refusal(world, name, *["x"] * count) == expected
            if kind not in {"session", "task", "event"}:
                assert refusal(world, f"Async.{name}", *["x"] * count) == expected


WRONG = {"string": 7, "bool": "yes", "float": "much", "int": "much", "datetime": "noon", "record": 7}


def wrong(text: str) -> Any:
    """A value that is not of a type, whatever wire it came over."""
    shape = shape_of(text)
    return WRONG.get(shape.kind, 7)


@pytest.mark.parametrize("kind", sorted(datamodel().classes))
def test_every_message_refuses_a_parameter_of_the_wrong_type(full: Any, kind: str) -> None:
    """One after the other: all parameters but the wrong one are right."""
    before = full.pool.inventory()
    for name in messages_of(kind):
        types = list(METHODS[name].takes.values())
        right = [sample_argument(full, text) for text in types]
        for number, text in enumerate(types):
            description = refusal(full, name, *right[:number], wrong(text), *right[number + 1 :])
            assert description[0] == "FIELD_TYPE_ERROR", name
            assert description[1] in text
    assert full.pool.inventory() == before


def sample_argument(world: Any, text: str) -> Any:
    shape = shape_of(text)
    if shape.kind == "ref":
        return world.objects.get(shape.name, NULL)
    if shape.kind == "set" and shape.parts[0].kind == "ref":
        return []
    return {} if shape.kind == "map" else sample(text)


KNOWN = {"NOT_IMPLEMENTED", "UUID_INVALID", "INVALID_VALUE", "HANDLE_INVALID", "MAP_DUPLICATE_KEY"}


@pytest.mark.parametrize("kind", sorted(datamodel().classes))
def test_a_message_without_a_rule_of_its_own_works_or_says_that_it_is_not_there(full: Any, kind: str) -> None:
    for name in set(messages_of(kind)) - RULES.keys() - {f"{kind}.destroy"}:
        arguments = [sample_argument(full, text) for text in METHODS[name].takes.values()]
        code, *rest = full.wire.answer(name, (full.session, *arguments)).get("ErrorDescription", [""])
        assert code in {"", *KNOWN}, name
        assert code != "NOT_IMPLEMENTED" or rest == [name]


def test_what_older_releases_had_is_removed_and_what_nobody_had_is_unknown(world: Any) -> None:
    removed = [f"{kind}.{name}" for kind, entry in datamodel().classes.items() for name in entry.removed]
    assert len(removed) > 4
    for name in removed:
        assert refusal(world, name) == ["MESSAGE_REMOVED"]
    assert refusal(world, "VDI.frobnicate") == ["MESSAGE_METHOD_UNKNOWN", "VDI.frobnicate"]
    assert refusal(world, "VDI.get_frobnicate", NULL)[0] == "MESSAGE_METHOD_UNKNOWN"


def test_the_names_of_all_calls_are_told_to_anybody(world: Any) -> None:
    told = world.call("system.listMethods")
    assert set(METHODS) < set(told)
    assert "session.login_with_password" in told


def test_every_rule_is_of_a_message_of_the_table_and_takes_its_parameters() -> None:
    assert RULES.keys() <= METHODS.keys()


def test_a_field_that_nobody_set_holds_what_the_table_says(full: Any) -> None:
    vm = full.ask("VM.create", {"name_label": "plain"})
    record = full.ask("VM.get_record", vm)
    assert (record["actions_after_softreboot"], record["generation_id"]) == ("soft_reboot", "0:0")
    assert (record["has_vendor_device"], record["power_state"], record["tags"]) == (True, "Halted", [])
    vdi = full.objects["VDI"]
    assert full.ask("VDI.get_on_boot", vdi) == "persist"


def test_what_a_create_call_gives_is_checked_and_kept(full: Any) -> None:
    sr = full.objects["SR"]
    record = {"name_label": "d", "SR": sr, "virtual_size": "4096", "type": "system", "tags": ["a"], "read_only": True}
    for field, value in (("tags", "a"), ("type", "sofa"), ("read_only", "yes"), ("virtual_size", "big")):
        assert refusal(full, "VDI.create", {**record, field: value})[0] == "FIELD_TYPE_ERROR"
    assert refusal(full, "VDI.create", {**record, "SR": "OpaqueRef:x"})[0] == "HANDLE_INVALID"


def test_roles_open_and_close_messages(new_world: Any) -> None:
    world = new_world()
    session = world.pool.log_in("reader", Role.READ_ONLY)
    for name, entry in METHODS.items():
        count = len(entry.takes)
        with pytest.raises(XapiError) as refused:
            world.pool.call(name, (session, *["x"] * (count if entry.role is not Role.READ_ONLY else count + 1)))
        expected = "MESSAGE_PARAMETER_COUNT_MISMATCH" if entry.role is Role.READ_ONLY else "RBAC_PERMISSION_DENIED"
        assert refused.value.code == expected, name
    operator = world.pool.log_in("operator", Role.POOL_OPERATOR)
    assert world.pool.call("SR.get_supported_types", (operator,))


TYPES = sorted(
    {field.type for entry in datamodel().classes.values() for field in entry.fields.values()} - {"<class> record"}
)


@pytest.mark.parametrize("text", TYPES)
def test_the_natural_value_of_every_type_is_of_that_type(text: str) -> None:
    if shape_of(text).kind not in {"datetime", "option"}:
        assert checked(shape_of(text), natural(text), lambda _kind, _ref: None) == natural(text)


@given(text=st.text(alphabet="field\"uuid ()=andotrue'_", max_size=60))
def test_any_condition_is_read_or_refused(text: str) -> None:
    try:
        holds = condition(text)
    except XapiError as error:
        refused = error.code
    else:
        refused = "" if holds({"uuid": "x"}) in {True, False} else "odd"
    assert refused in {"", "INVALID_VALUE"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ('field "name__label" = "web"', True),
        ("field 'name__label' = \"db\"", False),
        ('field "on" = "true" and not field "name__label" = "db"', True),
        ('(field "name__label" = "db" or true) and false', False),
        ('"a" = "a"', True),
        ("not not true", True),
    ],
)
def test_conditions_mean_what_they_say(text: str, *, holds: bool) -> None:
    assert condition(text)({"name_label": "web", "on": True}) is holds


def test_a_condition_cannot_be_deep_enough_to_hurt() -> None:
    with pytest.raises(XapiError):
        condition("not " * 100_000 + "true")
    with pytest.raises(XapiError):
        condition("(" * 10_000)


def test_a_field_of_the_pools_own_cannot_be_given_by_a_client(full: Any) -> None:
    vm = full.ask("VM.create", {"name_label": "x", "power_state": "Running", "is_a_snapshot": True, "domid": "7"})
    record = full.ask("VM.get_record", vm)
    assert (record["power_state"], record["is_a_snapshot"], record["domid"]) == ("Halted", False, "-1")
    assert datamodel().classes["VM"].fields["domid"].access is Access.RUNTIME


def test_every_code_that_the_pool_raises_can_be_armed_as_a_fault() -> None:
    folder = files("snapproof.simulators.xenserver")
    sources = [page.read_text() for page in folder.iterdir() if page.name.endswith(".py")]
    raised = {code for source in sources for code in re.findall(r'XapiError\(\s*"([A-Z_]+)"', source)}
    assert len(raised) > 40
    assert raised <= CODES
