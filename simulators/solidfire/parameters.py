"""Reading the parameters of a call: what is missing, of the wrong type, a number in a string, unknown, or not given.

Driven by each method's table; what the values mean is the methods' business.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED

Version: TypeAlias = tuple[int, int]
Given: TypeAlias = dict[str, Any]

INTEGER_MAX = 2**63 - 1
_TRUTHS = {"true": True, "false": False}


class Kind(Enum):
    """The types of Element's parameter tables."""

    INTEGER = "integer"
    TEXT = "string"
    TRUTH = "boolean"
    OBJECT = "object"
    INTEGERS = "array of integers"
    TEXTS = "array of strings"
    MIXED = "array of strings or integers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One row of a parameter table."""

    name: str
    kind: Kind
    required: bool = False
    since: Version = (1, 0)


def need(name: str, kind: Kind) -> Parameter:
    """Write the row of a required parameter."""
    return Parameter(name=name, kind=kind, required=True)


def may(name: str, kind: Kind, *, since: Version = (1, 0)) -> Parameter:
    """Write the row of an optional parameter."""
    return Parameter(name=name, kind=kind, since=since)


def read(
    params: Mapping[str, Any], table: Mapping[str, Parameter], required: tuple[Parameter, ...], version: Version
) -> tuple[Given, list[str]]:
    """Return what was given, in the types of the table, and the names that mean nothing at this version.

    Null and the empty string count as not given, except that a required list may be null: it is empty then.
    Raises ElementError.
    """
    given: Given = {}
    unused: list[str] = []
    for name, value in params.items():
        parameter = table.get(name)
        if parameter is None or parameter.since > version:
            unused.append(name)
        elif value is not None and value != "":
            given[name] = _READERS[parameter.kind](name, value)
    for parameter in required:
        if parameter.name not in given:
            if parameter.name not in params or parameter.kind not in _LISTS:
                raise ElementError("xMissingParameter", member=parameter.name)
            given[parameter.name] = []
    return given, unused


def _integer(name: str, value: object) -> int:
    number = value
    if type(value) is str:
        number = _number_in(value)
    elif type(value) is float and value.is_integer():
        number = int(value)
    if type(number) is not int:
        raise _wrong(name, Kind.INTEGER, value)
    if abs(number) > INTEGER_MAX:
        raise ElementError(GUESSED.bad_value, f"{name} is beyond 64 bits.")
    return number


def _number_in(text: str) -> int | None:
    digits = text.strip()
    unsigned = digits.removeprefix("-")
    return int(digits) if len(unsigned) <= 20 and unsigned.isascii() and unsigned.isdigit() else None


def _truth(name: str, value: object) -> bool:
    truth = _TRUTHS.get(value.lower()) if type(value) is str else value
    if type(truth) is not bool:
        raise _wrong(name, Kind.TRUTH, value)
    return truth


def _text(name: str, value: object) -> str:
    if type(value) is not str:
        raise _wrong(name, Kind.TEXT, value)
    return value


def _object(name: str, value: object) -> dict[str, Any]:
    if type(value) is not dict:
        raise _wrong(name, Kind.OBJECT, value)
    return value


def _integers(name: str, value: object) -> list[int]:
    if type(value) is not list:
        raise _wrong(name, Kind.INTEGERS, value)
    return [_integer(name, item) for item in value]


def _texts(name: str, value: object) -> list[str]:
    if type(value) is not list:
        raise _wrong(name, Kind.TEXTS, value)
    return [_text(name, item) for item in value]


def _mixed(name: str, value: object) -> list[str | int]:
    if type(value) is not list or any(type(item) not in {str, int} for item in value):
        raise _wrong(name, Kind.MIXED, value)
    return value


def _wrong(name: str, kind: Kind, value: object) -> ElementError:
    """Complain without repeating the value, which may be a secret."""
    return ElementError(GUESSED.bad_type, f"{name} must be of type {kind.value}, not {type(value).__name__}.")


_READERS: Mapping[Kind, Callable[[str, Any], Any]] = {
    Kind.INTEGER: _integer,
    Kind.TEXT: _text,
    Kind.TRUTH: _truth,
    Kind.OBJECT: _object,
    Kind.INTEGERS: _integers,
    Kind.TEXTS: _texts,
    Kind.MIXED: _mixed,
}
_LISTS = frozenset({Kind.INTEGERS, Kind.TEXTS, Kind.MIXED})
