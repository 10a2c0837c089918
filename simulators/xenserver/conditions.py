"""The conditions of `get_all_records_where`: `field "name__label" = "web" and not (field "power_state" = "Halted")`."""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from snapproof.simulators.xenserver.failures import XapiError

Condition: TypeAlias = Callable[[Mapping[str, object]], bool]

DEPTH_MAX = 50
_TOKEN = re.compile(r"""\s*(?:(?P<word>field|and|or|not|true|false)\b|(?P<mark>[()=])|(?P<quoted>"[^"]*"|'[^']*'))""")


def condition(text: str) -> Condition:
    """Read a condition over records. Raises INVALID_VALUE where it is none."""
    reader = _Reader(text)
    found = reader.either(0)
    if reader.tokens:
        raise reader.refused()
    return found


class _Reader:
    """Takes a condition apart, the loosest word first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.tokens = _tokens(text)
        if not self.tokens:
            raise self.refused()

    def refused(self) -> XapiError:
        return XapiError("INVALID_VALUE", "expr", self._text)

    def either(self, depth: int) -> Condition:
        left = self.both(depth)
        while self._next("or"):
            left = _either(left, self.both(depth))
        return left

    def both(self, depth: int) -> Condition:
        left = self.one(depth)
        while self._next("and"):
            left = _both(left, self.one(depth))
        return left

    def one(self, depth: int) -> Condition:
        if depth > DEPTH_MAX:
            raise self.refused()
        if self._next("not"):
            inner = self.one(depth + 1)
            return lambda record: not inner(record)
        if self._next("("):
            inner = self.either(depth + 1)
            self._require(")")
            return inner
        if self._next("true"):
            return lambda _record: True
        if self._next("false"):
            return lambda _record: False
        left = self._value()
        self._require("=")
        right = self._value()
        return lambda record: left(record) == right(record)

    def _value(self) -> Callable[[Mapping[str, object]], str]:
        if not self._next("field"):
            text = self._quoted()
            return lambda _record: text
        name = self._quoted().replace("__", "_")
        return lambda record: _shown(record.get(name))

    def _quoted(self) -> str:
        if not self.tokens or self.tokens[0][0] not in "\"'":
            raise self.refused()
        return self.tokens.pop(0)[1:-1]

    def _next(self, word: str) -> bool:
        if self.tokens[:1] == [word]:
            del self.tokens[0]
            return True
        return False

    def _require(self, word: str) -> None:
        if not self._next(word):
            raise self.refused()


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while text[at:].strip():
        found = _TOKEN.match(text, at)
        if found is None:
            raise XapiError("INVALID_VALUE", "expr", text)
        tokens.append(found[0].strip())
        at = found.end()
    return tokens


def _either(left: Condition, right: Condition) -> Condition:
    return lambda record: left(record) or right(record)


def _both(left: Condition, right: Condition) -> Condition:
    return lambda record: left(record) and right(record)


def _shown(value: object) -> str:
    """A field as the database holds it: text, with true and false for flags."""
    return str(value).lower() if isinstance(value, bool) else str(value)
