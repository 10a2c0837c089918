"""Calls that every class has (get_all, get_record, getters, setters), made from the tables of records.py."""

from collections.abc import Callable
from typing import Any

from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.parameters import Method, mapping, ref, text
from snapproof.simulators.xenserver.records import CLASSES, Class
from snapproof.simulators.xenserver.state import State

NOT_LISTED = frozenset({"session"})  # nobody may list the sessions of others


def generic_methods() -> dict[str, Method]:
    """Every call that needs no rule of its own, by its full name."""
    return {
        f"{name}.{verb}": method for name, kind in CLASSES.items() for verb, method in _of_class(name, kind).items()
    }


def _of_class(name: str, kind: Class[Any]) -> dict[str, Method]:
    one = (ref(kind.table),)
    methods = {"get_record": Method(perform=_record(kind), kinds=one)}
    if name not in NOT_LISTED:
        methods |= {
            "get_all": Method(perform=lambda state: [row.ref for row in kind.table(state)]),
            "get_all_records": Method(perform=_all_records(kind)),
            "get_by_uuid": Method(perform=_by_uuid(name, kind), kinds=(text,)),
        }
    if "name_label" in kind.fields:
        methods["get_by_name_label"] = Method(perform=_by_label(kind), kinds=(text,))
    for field in kind.fields:
        methods[f"get_{field}"] = Method(perform=_getter(kind, field), kinds=one)
    for field in kind.writable & {"name_label", "name_description"} & kind.fields.keys():
        methods[f"set_{field}"] = Method(perform=_setter(field), kinds=(*one, text))
    if "other_config" in kind.writable:
        methods |= {
            "set_other_config": Method(perform=_setter("other_config"), kinds=(*one, mapping)),
            "add_to_other_config": Method(perform=_add_to_other_config, kinds=(*one, text, text)),
            "remove_from_other_config": Method(perform=_remove_from_other_config, kinds=(*one, text)),
        }
    return methods


def _record(kind: Class[Any]) -> Callable[..., object]:
    def perform(state: State, row: Any) -> object:
        kind.look(state, row)
        return kind.record(state, row)

    return perform


def _all_records(kind: Class[Any]) -> Callable[..., object]:
    def perform(state: State) -> object:
        for row in kind.table(state):
            kind.look(state, row)
        return {row.ref: kind.record(state, row) for row in kind.table(state)}

    return perform


def _by_uuid(name: str, kind: Class[Any]) -> Callable[..., object]:
    def perform(state: State, uuid: str) -> object:
        row = kind.table(state).of_uuid(uuid)
        if row is None:
            raise XapiError("UUID_INVALID", name, uuid)
        return row.ref

    return perform


def _by_label(kind: Class[Any]) -> Callable[..., object]:
    def perform(state: State, label: str) -> object:
        return [row.ref for row in kind.table(state) if row.name_label == label]

    return perform


def _getter(kind: Class[Any], field: str) -> Callable[..., object]:
    read = kind.fields[field]

    def perform(state: State, row: Any) -> object:
        kind.look(state, row)
        return read(state, row)

    return perform


def _setter(field: str) -> Callable[..., object]:
    def perform(state: State, row: Any, value: object) -> None:
        setattr(row, field, value)
        state.record("field set", field=field, uuid=row.uuid)

    return perform


def _add_to_other_config(_state: State, row: Any, key: str, value: str) -> None:
    if key in row.other_config:
        raise XapiError("MAP_DUPLICATE_KEY", "other_config", row.ref, key)
    row.other_config[key] = value


def _remove_from_other_config(_state: State, row: Any, key: str) -> None:
    row.other_config.pop(key, None)
