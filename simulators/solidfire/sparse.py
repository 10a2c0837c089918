"""How records stay small by the million: what few change is shared, and what can be worked out is not kept."""

import hashlib
from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar, Generic, Protocol, TypeVar

T = TypeVar("T")


class Identity:
    """Who the cluster is, as far as the identifiers of its things carry it. Equal clusters name things equally."""

    __slots__ = ("_seed", "unique_id")

    def __init__(self, unique_id: str, uuid: str) -> None:
        self.unique_id = unique_id
        self._seed = uuid.encode()

    def uuid_of(self, kind: str, number: int) -> str:
        """Work out the UUID of the thing of this kind and number; a million of them need not be remembered."""
        text = hashlib.blake2b(b"%s %s %d" % (self._seed, kind.encode(), number), digest_size=16).hexdigest()
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
