"""What commands take: each parameter with its type and its limit, read from the text that a client sent.

Which command takes which is in commands.py. Whatever cannot be read is the caller's mistake, and the limit is named.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from snapproof.driver import InvalidRequestError

TEXT_MAX = 255
ID_MAX = 64
TAGS_MAX = 50
WHOLE_MAX = 2**63 - 1
_MAP = re.compile(r"(\w+)\[(\d{1,4})\]\.(\w+)")
_PAIR = frozenset({"key", "value"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: how it is read, whether it must be there, and what it is for."""

    name: str
    kind: str
    read: Callable[[str, str], Any]
    purpose: str
    required: bool = False
    length: int = TEXT_MAX


def text(name: str, purpose: str, *, required: bool = False, most: int = TEXT_MAX) -> Parameter:
    """A text of at most so many characters."""

    def read(label: str, given: str) -> str:
        if len(given) > most:
            raise InvalidRequestError(
                f"Parameter {label} has at most {most} characters, and this one has {len(given)}."
            )
        if "\0" in given:
            raise InvalidRequestError(f"Parameter {label} holds a character that no text has.")
        return given

    return Parameter(name=name, kind="string", read=read, purpose=purpose, required=required, length=most)


def identity(name: str, purpose: str, *, required: bool = False) -> Parameter:
    """The id of something: no number, and no more than a UUID needs. What it names, the driver knows."""

    def read(label: str, given: str) -> str:
        if not given or len(given) > ID_MAX or not given.isprintable():
            raise InvalidRequestError(f"Parameter {label} is no id: it has at most {ID_MAX} printable characters.")
        return given

    return Parameter(name=name, kind="uuid", read=read, purpose=purpose, required=required, length=ID_MAX)


def identities(name: str, purpose: str) -> Parameter:
    """Several ids, with commas between them."""
    one = identity(name, purpose)

    def read(label: str, given: str) -> Sequence[str]:
        return [one.read(label, part.strip()) for part in given.split(",")]

    return Parameter(name=name, kind="list", read=read, purpose=purpose, length=ID_MAX)


def whole(name: str, purpose: str, *, least: int = 0, most: int = WHOLE_MAX, required: bool = False) -> Parameter:
    """A whole number in plain digits, within bounds."""

    def read(label: str, given: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}", given, re.ASCII) or not least <= int(given) <= most:
            raise InvalidRequestError(f"Parameter {label} is a whole number from {least} to {most}.")
        return int(given)

    return Parameter(name=name, kind="integer", read=read, purpose=purpose, required=required, length=20)


def flag(name: str, purpose: str) -> Parameter:
    """True or false."""

    def read(label: str, given: str) -> bool:
        if given.lower() not in {"true", "false"}:
            raise InvalidRequestError(f"Parameter {label} is true or false.")
        return given.lower() == "true"

    return Parameter(name=name, kind="boolean", read=read, purpose=purpose, length=5)


def one_of(name: str, purpose: str, *choices: str, required: bool = False) -> Parameter:
    """One of a few words, in any case."""

    def read(label: str, given: str) -> str:
        for choice in choices:
            if given.casefold() == choice.casefold():
                return choice
        raise InvalidRequestError(f"Parameter {label} is one of {', '.join(choices)}.")

    return Parameter(name=name, kind="string", read=read, purpose=purpose, required=required)


TAGS = "tags"


def tags() -> Parameter:
    """Words of the caller's own: tags[0].key=…, tags[0].value=…"""
    return Parameter(name=TAGS, kind="map", read=lambda _label, given: given, purpose="tags, as tags[0].key and .value")


def read_all(known: Sequence[Parameter], given: Mapping[str, str]) -> Mapping[str, Any]:
    """Read what was sent; names are known in any case. Raises InvalidRequestError, which names the parameter."""
    by_name = {parameter.name: parameter for parameter in known}
    pairs = _pairs(given)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if _MAP.fullmatch(name):
            continue
        parameter = by_name.get(name.lower())
        if parameter is None:
            raise InvalidRequestError(f"There is no parameter {name[:TEXT_MAX]!r}; listApis tells which there are.")
        if value:
            values[parameter.name] = parameter.read(parameter.name, value)
    for name, told in pairs.items():
        if name not in by_name:
            raise InvalidRequestError(f"There is no parameter {name!r}; listApis tells which there are.")
        values[name] = _map(name, told)
    lacking = [parameter.name for parameter in known if parameter.required and parameter.name not in values]
    if lacking:
        raise InvalidRequestError(f"Parameter {lacking[0]} is missing; it must be given.")
    return MappingProxyType(values)


def _pairs(given: Mapping[str, str]) -> dict[str, dict[int, dict[str, str]]]:
    pairs: dict[str, dict[int, dict[str, str]]] = {}
    for name, value in given.items():
        if found := _MAP.fullmatch(name):
            pairs.setdefault(found[1].lower(), {}).setdefault(int(found[2]), {})[found[3].lower()] = value
    return pairs


def _map(name: str, told: Mapping[int, Mapping[str, str]]) -> Mapping[str, str]:
    if len(told) > TAGS_MAX:
        raise InvalidRequestError(f"Parameter {name} has at most {TAGS_MAX} entries, and this one has {len(told)}.")
    entry = text(name, "")
    values = {}
    for parts in told.values():
        if parts.keys() != _PAIR or not parts["key"]:
            raise InvalidRequestError(f"Parameter {name} has entries of key and value, as {name}[0].key.")
        values[entry.read(name, parts["key"])] = entry.read(name, parts["value"])
    return values
