"""How records stay small by the million: what few change is shared, and what can be worked out is not kept."""

import hashlib
from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, Generic, Protocol, TypeVar

T = TypeVar("T")


_ALL_BITS = 2**128 - 1
_STRIDE = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""The golden ratio's part of 2**128, odd: numbers that follow one another get UUIDs that look unlike each other."""


class Identity:
    """Who the cluster is, as far as the identifiers of its things carry it. Equal clusters name things equally."""

    __slots__ = ("_first", "_uuid", "unique_id")

    def __init__(self, unique_id: str, uuid: str) -> None:
        self.unique_id = unique_id
        self._uuid = uuid
        self._first: dict[str, int] = {}
        """Where the UUIDs of a kind begin, by kind."""

    def uuid_of(self, kind: str, number: int) -> str:
        """Work out the UUID of the thing of this kind and number; a million of them need not be remembered.

        Those of one kind lie a stride apart, so long that no cluster lives to see two of them meet.
        """
        first = self._first.get(kind)
        if first is None:
            drawn = hashlib.blake2b(f"{self._uuid} {kind}".encode(), digest_size=16).digest()
            first = self._first[kind] = int.from_bytes(drawn)
        text = f"{(first + number * _STRIDE) & _ALL_BITS:032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


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
