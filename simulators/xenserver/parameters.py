"""How arguments of a call are read, by the datamodel's types: counted, checked, and refs made the objects they name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from snapproof.simulators.xenserver.datamodel import Access, Message, datamodel
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.rows import R, Row, Table
from snapproof.simulators.xenserver.shapes import NULL, checked, shape_of
from snapproof.simulators.xenserver.state import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OfSession:
    """A rule that is told whose call it performs, before everything else."""

    perform: Callable[..., object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One call: its entry in the table and what performs it, state first, then a value for each parameter."""

    name: str
    entry: Message
    perform: Callable[..., object]
    of_session: bool = False
    plain: bool = False
    """Only the first ref is made an object; the others stay text, and may be NULL."""


def counted(method: Method, arguments: tuple[object, ...]) -> None:
    """Refuse a wrong number of arguments."""
    most = len(method.entry.takes)
    if not most - method.entry.optional <= len(arguments) <= most:
        raise XapiError("MESSAGE_PARAMETER_COUNT_MISMATCH", method.name, str(most), str(len(arguments)))


def read_arguments(method: Method, state: State, arguments: tuple[object, ...]) -> list[object]:
    """Check each argument by its type and look up what it refers to. Raises FIELD_TYPE_ERROR or HANDLE_INVALID."""
    least = len(method.entry.takes) - method.entry.optional
    return [
        value_of(state, text, value, maybe=number >= least, plain=method.plain and number > 0)
        for number, (text, value) in enumerate(zip(method.entry.takes.values(), arguments, strict=False))
    ]


def value_of(state: State, text: str, value: object, *, maybe: bool = False, plain: bool = False) -> object:
    """Read one value. `maybe` lets a ref be NULL; with `plain` refs stay text."""
    shape = shape_of(text)
    if plain or shape.kind not in {"ref", "set"} or (shape.kind == "set" and shape.parts[0].kind != "ref"):
        return checked(shape, value, state.require)
    if shape.kind == "set":
        return [row_of(state, shape.parts[0].name, str(ref)) for ref in _members(text, value)]
    if maybe and (value is None or value in ("", NULL)):
        return None
    if not isinstance(value, str):
        raise XapiError("FIELD_TYPE_ERROR", text)
    return row_of(state, shape.name, value)


def row_of(state: State, kind: str, ref: str) -> Row:
    """Find an object by class and ref. Raises HANDLE_INVALID."""
    table = state.tables.get(kind)
    if table is None:
        raise XapiError("HANDLE_INVALID", kind, ref)
    row: Row = table.find(ref)
    return row


def field(state: State, kind: str, fields: Mapping[str, object], name: str) -> object:
    """Read one field of the record that a create call takes; a missing one is refused by its name."""
    if name not in fields:
        raise XapiError("FIELD_TYPE_ERROR", name)
    return checked(shape_of(datamodel().classes[kind].fields[name].type), fields[name], state.require)


def text_field(state: State, kind: str, fields: Mapping[str, object], name: str, otherwise: str | None = None) -> str:
    """Read a field that holds text or a name of an enumeration; `otherwise` makes it optional."""
    if otherwise is not None and name not in fields:
        return otherwise
    return str(field(state, kind, fields, name))


def number_field(state: State, kind: str, fields: Mapping[str, object], name: str) -> int:
    """Read a field that holds a whole number."""
    value = field(state, kind, fields, name)
    if not isinstance(value, int):
        raise XapiError("FIELD_TYPE_ERROR", name)
    return value


def ref_field(state: State, kind: str, fields: Mapping[str, object], name: str, table: Table[R]) -> R:
    """Read a field that refers to an object of this table."""
    return table.find(text_field(state, kind, fields, name))


def given(state: State, kind: str, fields: Mapping[str, object], *, but: tuple[str, ...] = ()) -> dict[str, object]:
    """Check and keep what a create call gives beyond the fields that its own rule reads.

    What a client may not choose is passed over: clients send whole records back, as they read them.
    """
    return {
        name: field(state, kind, fields, name)
        for name, entry in datamodel().classes[kind].fields.items()
        if name in fields and entry.access is not Access.RUNTIME and name not in but
    }


def _members(text: str, value: object) -> list[object]:
    members = checked(shape_of(text), value, lambda _kind, _ref: None)
    assert isinstance(members, list)
    return members
