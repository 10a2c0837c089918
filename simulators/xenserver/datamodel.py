"""The API's table: classes, fields, messages and enumerations, as facts of xapi's public datamodel.

Read once from datamodel.json. What a message does is in methods*.py; how a value is checked is in shapes.py. Getters,
setters and records are not in the table: they follow from the fields, and `Class.messages` spells out the rest.
"""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

import msgspec


class Access(StrEnum):
    """Who gives a field its value: the pool alone, the client once when it makes the object, or at any time."""

    RUNTIME = "runtime"
    CONSTRUCTOR = "constructor"
    WRITABLE = "RW"


class Role(StrEnum):
    """Whose session may call a message, from the most to the least powerful. ROOT is nobody but local root."""

    ROOT = "root"
    POOL_ADMIN = "pool-admin"
    POOL_OPERATOR = "pool-operator"
    VM_POWER_ADMIN = "vm-power-admin"
    VM_ADMIN = "vm-admin"
    VM_OPERATOR = "vm-operator"
    READ_ONLY = "read-only"

    def includes(self, other: "Role") -> bool:
        """Say whether this role may do whatever `other` may."""
        ranks = list(Role)
        return ranks.index(self) <= ranks.index(other)


class Field(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One field. `default` is there where it differs from the type's natural zero."""

    type: str
    access: Access = Access.RUNTIME
    default: msgspec.Raw = msgspec.Raw(b"")
    writer: Role | None = None


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One message that does not follow from a field. The last `optional` of its parameters may be left out."""

    takes: dict[str, str]
    gives: str = "void"
    optional: int = 0
    session: bool = True
    role: Role = Role.READ_ONLY
    errors: tuple[str, ...] = ()


class Class(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One class, and which of the usual messages it has beside getters and setters."""

    fields: dict[str, Field]
    messages: dict[str, Message]
    writer: Role
    listed: bool = False
    made: bool = False
    named: bool = False
    recorded: bool = False
    removed: tuple[str, ...] = ()
    """Messages that older releases had and this one answers with MESSAGE_REMOVED."""


class Datamodel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    enumerations: dict[str, tuple[str, ...]]
    classes: dict[str, Class]

    def messages(self) -> Mapping[str, Message]:
        """Every message by its full name, those that follow from the fields among them."""
        found: dict[str, Message] = {}
        for name, entry in self.classes.items():
            found |= {
                f"{name}.{verb}": message for verb, message in {**_implied(name, entry), **entry.messages}.items()
            }
        return found


@cache
def datamodel() -> Datamodel:
    """Read the table; it is read once and never changes."""
    text = files("snapproof.simulators.xenserver").joinpath("datamodel.json").read_bytes()
    return msgspec.json.decode(text, type=Datamodel)


def _implied(name: str, entry: Class) -> dict[str, Message]:
    """Name the messages that follow from a class's fields."""
    if not entry.recorded:
        return {}
    one, record = {"self": f"{name} ref"}, f"{name} record"
    found = {"get_record": Message(one, record), "get_by_uuid": Message({"uuid": "string"}, f"{name} ref")}
    if entry.listed:
        everything = f"({name} ref -> {record}) map"
        found |= {
            "get_all": Message({}, f"{name} ref set"),
            "get_all_records": Message({}, everything),
            "get_all_records_where": Message({"expr": "string"}, everything),
        }
    if entry.named:
        found["get_by_name_label"] = Message({"label": "string"}, f"{name} ref set")
    if entry.made:
        found["create"] = Message({"args": record}, f"{name} ref", role=entry.writer)
        found["destroy"] = Message(one, role=entry.writer)
    for label, field in entry.fields.items():
        found[f"get_{label}"] = Message(one, field.type)
        if field.access is Access.WRITABLE:
            found |= _setters(label, field, one, field.writer or entry.writer)
    return found


def _setters(label: str, field: Field, one: dict[str, str], role: Role) -> dict[str, Message]:
    found = {f"set_{label}": Message({**one, "value": field.type}, role=role)}
    if field.type.endswith(" map"):
        key, _, value = field.type.removeprefix("(").removesuffix(") map").partition(" -> ")
        found[f"add_to_{label}"] = Message({**one, "key": key, "value": value}, role=role)
        found[f"remove_from_{label}"] = Message({**one, "key": key}, role=role)
    elif field.type.endswith(" set"):
        member = {**one, "value": field.type.removesuffix(" set")}
        found |= {f"{verb}_{label}": Message(member, role=role) for verb in ("add", "remove")}
    return found
