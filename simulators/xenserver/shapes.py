"""Types of the datamodel: reading what they are, checking values against them, and the value of a field never set.

References stay text here; whether an object stands behind one is asked of `exists`. Nothing is known of messages.
"""

import math
import re
import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TypeAlias

from snapproof.simulators.xenserver.datamodel import datamodel
from snapproof.simulators.xenserver.failures import XapiError

NULL = "OpaqueRef:NULL"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INT_BITS = 64
Exists: TypeAlias = Callable[[str, str], None]
"""Called with a class and a reference; raises HANDLE_INVALID where there is no such object."""

_TIMES = ("%Y%m%dT%H:%M:%SZ", "%Y%m%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ")
_MAP = re.compile(r"\((?P<key>.+?) -> (?P<value>.+)\) map")


@dataclass(frozen=True, slots=True)
class Shape:
    """One type. `parts` are the member of a set or an option, or key and value of a map."""

    text: str
    kind: str
    name: str = ""
    parts: tuple["Shape", ...] = ()


@cache
def shape_of(text: str) -> Shape:
    """Read a type as the datamodel writes it: `(string -> VDI ref) map`, `enum vbd_mode`, `int set`."""
    if found := _MAP.fullmatch(text):
        return Shape(text, "map", parts=(shape_of(found["key"]), shape_of(found["value"])))
    word, _, rest = text.partition(" ")
    if text.endswith((" set", " option")):
        member, _, kind = text.rpartition(" ")
        return Shape(text, kind, parts=(shape_of(member),))
    if word == "enum":
        return Shape(text, "enum", rest)
    if rest in {"ref", "record"}:
        return Shape(text, rest, word)
    return Shape(text, text)


def natural(text: str) -> object:
    """What a field of this type holds when nobody gave it a value."""
    shape = shape_of(text)
    if shape.kind == "enum":
        return datamodel().enumerations[shape.name][0]
    return _NATURAL[shape.kind]()


def checked(shape: Shape, value: object, exists: Exists) -> object:
    """Take a value as it came over a wire. Raises FIELD_TYPE_ERROR, or HANDLE_INVALID for an object that is not."""
    return _CHECKS[shape.kind](shape, value, exists)


def _wrong(shape: Shape) -> XapiError:
    return XapiError("FIELD_TYPE_ERROR", shape.text)


def _string(shape: Shape, value: object, _exists: Exists) -> str:
    if not isinstance(value, str):
        raise _wrong(shape)
    return value


def _int(shape: Shape, value: object, _exists: Exists) -> int:
    """Xapi writes integers as strings and takes both."""
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value.bit_length() >= INT_BITS:
        raise _wrong(shape)
    return value


def _float(shape: Shape, value: object, _exists: Exists) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(shape)
    try:
        number = float(value)
    except OverflowError:
        raise _wrong(shape) from None
    if not math.isfinite(number):
        raise _wrong(shape)
    return number


def _bool(shape: Shape, value: object, _exists: Exists) -> bool:
    if not isinstance(value, bool):
        raise _wrong(shape)
    return value


def _datetime(shape: Shape, value: object, _exists: Exists) -> datetime:
    text = value.value if isinstance(value, xmlrpc.client.DateTime) else value
    if isinstance(text, str):
        for form in _TIMES:
            try:
                return datetime.strptime(text, form).replace(tzinfo=UTC)
            except ValueError:
                continue
    raise _wrong(shape)


def _enum(shape: Shape, value: object, _exists: Exists) -> str:
    """Take a name of the enumeration in any case, as old clients write some of them."""
    names = {name.lower(): name for name in datamodel().enumerations[shape.name]}
    if not isinstance(value, str) or value.lower() not in names:
        raise _wrong(shape)
    return names[value.lower()]


def _ref(shape: Shape, value: object, exists: Exists) -> str:
    if value is None or value in ("", NULL):
        return NULL
    if not isinstance(value, str):
        raise _wrong(shape)
    exists(shape.name, value)
    return value


def _set(shape: Shape, value: object, exists: Exists) -> list[object]:
    if not isinstance(value, list | tuple):
        raise _wrong(shape)
    return [checked(shape.parts[0], member, exists) for member in value]


def _map(shape: Shape, value: object, exists: Exists) -> dict[object, object]:
    """A map. Numbers among its strings are taken as their text: scripts write sizes so."""
    if not isinstance(value, Mapping):
        raise _wrong(shape)
    key, content = shape.parts
    return {_member(key, one, exists): _member(content, other, exists) for one, other in value.items()}


def _member(shape: Shape, value: object, exists: Exists) -> object:
    if shape.kind == "string" and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return checked(shape, value, exists)


def _option(shape: Shape, value: object, exists: Exists) -> object:
    return None if value is None else checked(shape.parts[0], value, exists)


def _record(shape: Shape, value: object, _exists: Exists) -> dict[str, object]:
    """A record is only told from other values here; its fields are checked by whoever makes the object."""
    if not isinstance(value, dict):
        raise _wrong(shape)
    return value


_CHECKS: Mapping[str, Callable[[Shape, object, Exists], object]] = {
    "string": _string,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "datetime": _datetime,
    "enum": _enum,
    "ref": _ref,
    "set": _set,
    "map": _map,
    "option": _option,
    "record": _record,
}
_NATURAL: Mapping[str, Callable[[], object]] = {
    "string": str,
    "int": int,
    "float": float,
    "bool": bool,
    "datetime": lambda: EPOCH,
    "ref": lambda: NULL,
    "set": list,
    "map": dict,
    "option": lambda: None,
    "record": dict,
}
