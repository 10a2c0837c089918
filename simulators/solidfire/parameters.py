"""Reading the parameters of a call: what is missing, of the wrong type, a number in a string, unknown, or not given.

Driven by the tables of the surface; what the values mean is the rules' business.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.surface.pages import Members, surface
from snapproof.simulators.solidfire.surface.shapes import Many, Shape, Version, shape

Given: TypeAlias = dict[str, Any]
Reader: TypeAlias = Callable[[str, Any], Any]
"""Turns what came under a name into the type of the table. Raises ElementError."""

INTEGER_MAX = 2**63 - 1
_NEWEST: Version = (99, 0)
_TRUTHS = {"true": True, "false": False}
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter of a method, or one member of an object that is passed in."""

    name: str
    read: Reader
    since: Version
    listed: bool
    """Whether null stands for an empty list where the parameter is required."""


@dataclass(frozen=True, slots=True)
class Takes:
    """All parameters of a method, and those that must be there."""

    table: Mapping[str, Parameter]
    required: tuple[Parameter, ...]


def takes(members: Members) -> Takes:
    """Make a table of the shapes of a method's parameters or a type's members."""
    shapes = {name: shape(text) for name, text in members.items()}
    table = {name: _parameter(name, looks) for name, looks in shapes.items()}
    return Takes(table, tuple(table[name] for name, looks in shapes.items() if not looks.optional))


def _parameter(name: str, looks: Shape) -> Parameter:
    read_it = _reader(looks.word, looks.many)
    return Parameter(name=name, read=read_it, since=looks.since, listed=looks.many is Many.LIST)


def read(params: Mapping[str, Any], expected: Takes, version: Version = _NEWEST) -> tuple[Given, list[str]]:
    """Return what was given, in the types of the table, and the names that mean nothing at this version.

    Null and the empty string count as not given; a required list that is one of them is empty.
    Raises ElementError.
    """
    given: Given = {}
    unused: list[str] = []
    table = expected.table
    for name, value in params.items():
        parameter = table.get(name)
        if parameter is None or parameter.since > version:
            unused.append(name)
        elif value is not None and value != "":
            given[name] = parameter.read(name, value)
    for parameter in expected.required:
        if parameter.name not in given:
            if parameter.name not in params or not parameter.listed:
                raise ElementError("xMissingParameter", member=parameter.name)
            given[parameter.name] = []
    return given, unused


@cache
def _reader(word: str, many: Many) -> Reader:
    one = _READERS.get(word) or _enumerated(word) or _typed(word)
    if many is Many.LIST:
        return _list_of(one, nulls=word in surface().types)
    return _map_of(one) if many is Many.MAP else one


def _enumerated(word: str) -> Reader | None:
    words = surface().enumerations.get(word)

    def read_word(name: str, value: object) -> str:
        text = _text(name, value)
        if text not in (words or ()):
            raise ElementError("xUnrecognizedEnumString", value=text)
        return text

    return read_word if words else None


def _typed(word: str) -> Reader:
    members = takes(surface().types[word])

    def read_members(name: str, value: object) -> Given:
        return read(_object(name, value), members)[0]

    return read_members


def _list_of(one: Reader, *, nulls: bool) -> Reader:
    """Read a list. With `nulls`, a null in it is no item: Ansible's SNMP module sends [null] for no users."""

    def read_list(name: str, value: object) -> list[Any]:
        if type(value) is not list:
            raise _wrong(name, "array", value)
        return [one(name, item) for item in value if item is not None or not nulls]

    return read_list


def _map_of(one: Reader) -> Reader:
    def read_map(name: str, value: object) -> dict[str, Any]:
        return {key: one(name, item) for key, item in _object(name, value).items()}

    return read_map


def _integer(name: str, value: object) -> int:
    number = value
    if type(value) is str:
        number = _number_in(value)
    elif type(value) is float and value.is_integer():
        number = int(value)
    if type(number) is not int:
        raise _wrong(name, "integer", value)
    if abs(number) > INTEGER_MAX:
        raise ElementError(GUESSED.bad_value, f"{name} is beyond 64 bits.")
    return number


def _number_in(text: str) -> int | None:
    digits = text.strip()
    unsigned = digits.removeprefix("-")
    return int(digits) if len(unsigned) <= 20 and unsigned.isascii() and unsigned.isdigit() else None


def _number(name: str, value: object) -> float:
    return value if type(value) is float else _integer(name, value)


def _truth(name: str, value: object) -> bool:
    truth = _TRUTHS.get(value.lower()) if type(value) is str else value
    if type(truth) is not bool:
        raise _wrong(name, "boolean", value)
    return truth


def _text(name: str, value: object) -> str:
    if type(value) is not str:
        raise _wrong(name, "string", value)
    return value


def _uuid(name: str, value: object) -> str:
    text = _text(name, value)
    if not _UUID.fullmatch(text):
        raise ElementError(GUESSED.bad_value, f"{name} must be a UUID.")
    return text.lower()


def _name_or_id(name: str, value: object) -> str | int:
    if type(value) is not str and type(value) is not int:
        raise _wrong(name, "string or integer", value)
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise _wrong(name, "object", value)
    return value


def _wrong(name: str, kind: str, value: object) -> ElementError:
    """Complain without repeating the value, which may be a secret."""
    return ElementError(GUESSED.bad_type, f"{name} must be of type {kind}, not {type(value).__name__}.")


_READERS: Mapping[str, Reader] = {
    "integer": _integer,
    "number": _number,
    "string": _text,
    "time": _text,
    "boolean": _truth,
    "uuid": _uuid,
    "name_or_id": _name_or_id,
    "object": _object,
}
