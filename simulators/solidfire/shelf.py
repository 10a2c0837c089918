"""A shelf of numbered things, in ascending order of their numbers whatever order they came in.

Looking one up is a dictionary's business; listing from a number on is a binary search, never a scan.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Shelf(Generic[T]):
    """Numbered things. Numbers are positive; a number is on the shelf at most once."""

    __slots__ = ("_by_number", "_numbers")

    def __init__(self) -> None:
        self._by_number: dict[int, T] = {}
        self._numbers: list[int] = []

    def put(self, number: int, thing: T) -> None:
        """Add a thing, or replace the one of that number."""
        if number not in self._by_number:
            if not self._numbers or number > self._numbers[-1]:
                self._numbers.append(number)
            else:
                insort(self._numbers, number)
        self._by_number[number] = thing

    def drop(self, number: int) -> T:
        """Take a thing away. Raises KeyError."""
        thing = self._by_number.pop(number)
        del self._numbers[bisect_left(self._numbers, number)]
        return thing

    def get(self, number: int) -> T | None:
        """Find a thing by its number."""
        return self._by_number.get(number)

    def since(self, number: int) -> Iterator[T]:
        """Yield what has this number or a higher one, ascending."""
        for position in range(bisect_left(self._numbers, number), len(self._numbers)):
            yield self._by_number[self._numbers[position]]

    def numbers(self) -> list[int]:
        """The numbers, ascending; the list is the caller's."""
        return self._numbers.copy()

    def __getitem__(self, number: int) -> T:
        return self._by_number[number]

    def __contains__(self, number: int) -> bool:
        return number in self._by_number

    def __iter__(self) -> Iterator[T]:
        return map(self._by_number.__getitem__, self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)
