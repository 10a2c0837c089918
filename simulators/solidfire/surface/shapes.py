"""Shapes: the notation of the tables for what a parameter or a member looks like, read into values."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

Version: TypeAlias = tuple[int, int]

EVER: Version = (1, 0)
_NOTATION = re.compile(r"(?P<word>\w+)(?P<many>\[\]|\{\})?(?P<optional>\?)?(?: since (?P<since>\d+\.\d+))?")


class Many(StrEnum):
    """Whether a shape is one thing, a list of them, or a map from names to them."""

    ONE = ""
    LIST = "[]"
    MAP = "{}"


@dataclass(frozen=True, slots=True)
class Shape:
    """One thing or many of a word, required or not, known from a version of the API on."""

    word: str
    many: Many = Many.ONE
    optional: bool = False
    since: Version = EVER


def version(text: str) -> Version:
    """Read `12.3`, so that versions compare: 12.3 is newer than 9.4."""
    major, _, minor = text.partition(".")
    return int(major), int(minor)


def shape(text: str) -> Shape:
    """Read one shape. Raises ValueError for what is none."""
    found = _NOTATION.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text!r} is no shape; write word, [] or {{}}, ?, since version, as in 'integer[]? since 8.0'."
        )
    since = version(found["since"]) if found["since"] else EVER
    return Shape(found["word"], Many(found["many"] or ""), found["optional"] is not None, since)
