"""Holding an answer against the tables: what is missing, of the wrong type, no word of its enumeration, or unknown.

For tests and judges; the wire does not check its own answers.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from snapproof.simulators.solidfire.surface.pages import Members, surface
from snapproof.simulators.solidfire.surface.shapes import Many, Shape, shape

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


def strays(answer: object, members: Members, where: str = "result") -> Iterator[str]:
    """Say, in sentences, where an object is not what the table says of its members."""
    if not isinstance(answer, dict):
        yield f"{where} must be an object."
        return
    for name in answer.keys() - members.keys():
        yield f"{where}.{name} is not in the table."
    for name, text in members.items():
        looks = shape(text)
        if answer.get(name) is not None:
            yield from _strays(answer[name], looks, f"{where}.{name}")
        elif not looks.optional:
            yield f"{where}.{name} is {'null' if name in answer else 'missing'}."


def _strays(value: object, looks: Shape, where: str) -> Iterator[str]:
    if looks.many is Many.ONE:
        yield from _of_word(value, looks.word, where)
    elif not isinstance(value, list if looks.many is Many.LIST else dict):
        yield f"{where} must be {looks.many.name.lower()} of {looks.word}."
    else:
        places = value.items() if isinstance(value, dict) else enumerate(value)
        for place, item in places:
            yield from _of_word(item, looks.word, f"{where}[{place}]")


def _of_word(value: object, word: str, where: str) -> Iterator[str]:
    check = _CHECKS.get(word)
    if check is None and (words := surface().enumerations.get(word)):
        check = partial(_is_one_of, words)
    if check is None:
        yield from strays(value, surface().types[word], where)
    elif not check(value):
        yield f"{where} must be {word}, not {value!r}."


def _is_one_of(words: tuple[str, ...], value: object) -> bool:
    return value in words


def _is(kinds: tuple[type, ...], value: object) -> bool:
    return type(value) in kinds


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "integer": partial(_is, (int,)),
    "number": partial(_is, (int, float)),
    "string": partial(_is, (str,)),
    "time": partial(_matches, _TIME),
    "boolean": partial(_is, (bool,)),
    "uuid": partial(_matches, _UUID),
    "name_or_id": partial(_is, (str, int)),
    "object": partial(_is, (dict,)),
}
