"""Calls that every class has (get_all, get_record, getters, setters): one for each message that needs no rule.

Which messages there are is in the datamodel; what a field holds is told by records.py.
"""

from collections.abc import Callable
from typing import Any

from snapproof.simulators.xenserver.conditions import condition
from snapproof.simulators.xenserver.datamodel import Message, datamodel
from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.kinds import Kind
from snapproof.simulators.xenserver.records import KINDS
from snapproof.simulators.xenserver.rows import Row
from snapproof.simulators.xenserver.state import State


def generic(name: str, entry: Message) -> Callable[..., object] | None:
    """Give what performs a message that follows from its class's fields; None for one that has rules of its own."""
    class_name, _, verb = name.partition(".")
    kind = KINDS.get(class_name)
    if kind is None:
        return None
    if verb in _USUAL:
        return _USUAL[verb](kind)
    fields = datamodel().classes[class_name].fields
    takes = list(entry.takes.values())
    for prefix, (count, make) in _OF_FIELD.items():
        label = verb.removeprefix(prefix)
        if verb.startswith(prefix) and label in fields and len(takes) == count and takes[0] == f"{class_name} ref":
            return make(kind, label)
    return None


def _record(kind: Kind) -> Callable[..., object]:
    def perform(state: State, row: Row) -> object:
        kind.look(state, row)
        return kind.record(state, row)

    return perform


def _all(kind: Kind) -> Callable[..., object]:
    return lambda state: [row.ref for row in kind.rows(state)]


def _all_records(kind: Kind) -> Callable[..., object]:
    return kind.records


def _all_records_where(kind: Kind) -> Callable[..., object]:
    def perform(state: State, text: str) -> object:
        holds = condition(text)
        return {ref: record for ref, record in kind.records(state).items() if holds(record)}

    return perform


def _by_uuid(kind: Kind) -> Callable[..., object]:
    def perform(state: State, uuid: str) -> object:
        row = kind.rows(state).of_uuid(uuid)
        if row is None:
            raise XapiError("UUID_INVALID", kind.name, uuid)
        return row.ref

    return perform


def _by_label(kind: Kind) -> Callable[..., object]:
    def perform(state: State, label: str) -> object:
        return [row.ref for row in kind.rows(state) if kind.field(state, row, kind.label) == label]

    return perform


def _create(kind: Kind) -> Callable[..., object]:
    def perform(state: State, fields: dict[str, object]) -> object:
        row = kind.rows(state).add(state.new_row(kind.constructed(state, fields)))
        state.record(f"{kind.name} created", uuid=row.uuid)
        return row.ref

    return perform


def _destroy(kind: Kind) -> Callable[..., object]:
    def perform(state: State, row: Row) -> None:
        kind.rows(state).remove(row)
        state.record(f"{kind.name} destroyed", uuid=row.uuid)

    return perform


def _getter(kind: Kind, label: str) -> Callable[..., object]:
    def perform(state: State, row: Row) -> object:
        kind.look(state, row)
        return kind.field(state, row, label)

    return perform


def _setter(kind: Kind, label: str) -> Callable[..., object]:
    def perform(state: State, row: Row, value: object) -> None:
        kind.put(state, row, label, value)

    return perform


def _adder_to_map(kind: Kind, label: str) -> Callable[..., object]:
    def perform(state: State, row: Row, key: object, value: object) -> None:
        content: Any = kind.field(state, row, label)
        if key in content:
            raise XapiError("MAP_DUPLICATE_KEY", kind.name, label, row.ref, str(key))
        kind.put(state, row, label, {**content, key: value})

    return perform


def _remover_from_map(kind: Kind, label: str) -> Callable[..., object]:
    def perform(state: State, row: Row, key: object) -> None:
        content: Any = kind.field(state, row, label)
        if key in content:
            kind.put(state, row, label, {one: value for one, value in content.items() if one != key})

    return perform


def _adder(kind: Kind, label: str) -> Callable[..., object]:
    def perform(state: State, row: Row, value: object) -> None:
        members: Any = kind.field(state, row, label)
        if value not in members:
            kind.put(state, row, label, [*members, value])

    return perform


def _remover(kind: Kind, label: str) -> Callable[..., object]:
    def perform(state: State, row: Row, value: object) -> None:
        members: Any = kind.field(state, row, label)
        if value in members:
            kind.put(state, row, label, [member for member in members if member != value])

    return perform


_USUAL: dict[str, Callable[[Kind], Callable[..., object]]] = {
    "get_record": _record,
    "get_all": _all,
    "get_all_records": _all_records,
    "get_all_records_where": _all_records_where,
    "get_by_uuid": _by_uuid,
    "get_by_name_label": _by_label,
    "create": _create,
    "destroy": _destroy,
}
_OF_FIELD: dict[str, tuple[int, Callable[[Kind, str], Callable[..., object]]]] = {
    "get_": (1, _getter),
    "set_": (2, _setter),
    "add_to_": (3, _adder_to_map),
    "remove_from_": (2, _remover_from_map),
    "add_": (2, _adder),
    "remove_": (2, _remover),
}
"""By the beginning of their names: how many parameters such messages take, the object first, and what performs them."""
