"""How records stay small by the million: what few change is shared, and what can be worked out is not kept."""

import hashlib
from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, Generic, Protocol, TypeVar

T = TypeVar("T")


_HEAD_STRIDE, _HEAD_BITS = 0x9E3779B1, 2**32 - 1
_TAIL_STRIDE, _TAIL_BITS = 0x9E3779B97F4B, 2**48 - 1
"""By the golden ratio: things numbered in turn get UUIDs unlike each other. They are odd, so none comes twice."""


class Identity:
    """Who the cluster is, as far as the identifiers of its things carry it. Equal clusters name things equally."""

    __slots__ = ("_firsts", "_uuid", "unique_id")

    def __init__(self, unique_id: str, uuid: str) -> None:
        self.unique_id = unique_id
        self._uuid = uuid
        self._firsts: dict[str, tuple[int, str, int]] = {}
        """Where the UUIDs of a kind begin: head, middle, tail."""

    def uuid_of(self, kind: str, number: int) -> str:
        """Work out the UUID of the thing of this kind and number; a million of them need not be remembered."""
        head, middle, tail = self._firsts.get(kind) or self._first(kind)
        head = (head + number * _HEAD_STRIDE) & _HEAD_BITS
        return f"{head:08x}{middle}{(tail + number * _TAIL_STRIDE) & _TAIL_BITS:012x}"

    def _first(self, kind: str) -> tuple[int, str, int]:
        text = hashlib.blake2b(f"{self._uuid} {kind}".encode(), digest_size=16).hexdigest()
        middle = f"-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-"
        first = self._firsts[kind] = int(text[:8], 16), middle, int(text[20:], 16)
        return first


class Sparse(Protocol):
    """A record that shares the part of it that few ever change."""

    USUAL: ClassVar[Any]
    seldom: Any


class Seldom(Generic[T]):
    """A member that few records have a value of their own for. The first such value gives the record its own part."""

    def __set_name__(self, _owner: object, name: str) -> None:
        self._name = name

    def __get__(self, record: Sparse, _owner: object) -> T:
        value: T = getattr(record.seldom, self._name)
        return value

    def __set__(self, record: Sparse, value: T) -> None:
        if record.seldom is record.USUAL:
            if getattr(record.USUAL, self._name) == value:
                return
            record.seldom = copy(record.USUAL)
        setattr(record.seldom, self._name, value)


class Own(Seldom[T]):
    """A list or dictionary that a record gets when somebody first asks for it: it may be changed in place."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make

    def __get__(self, record: Sparse, owner: object) -> T:
        value: T | None = super().__get__(record, owner)
        if value is None:
            value = self._make()
            self.__set__(record, value)
        return value
