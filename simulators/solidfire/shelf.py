"""Shelves of numbered things, in ascending order of their numbers whatever order they came in.

Looking one up costs the same however many there are, and listing from a number on touches what is listed, no more.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

_PAGE_SHIFT = 8
_PAGE_THINGS = 1 << _PAGE_SHIFT
_PAGE_MASK = _PAGE_THINGS - 1


class Shelf(Generic[T]):
    """Numbered things. Numbers are positive and given out in turn; a number is on the shelf at most once.

    Things lie on pages of 256 places, so that one costs 8 bytes here; a page goes with the last thing on it.
    """

    __slots__ = ("_counts", "_order", "_pages", "_things")

    def __init__(self) -> None:
        self._pages: dict[int, list[T | None]] = {}
        self._counts: dict[int, int] = {}
        self._order: list[int] = []
        self._things = 0

    def put(self, number: int, thing: T) -> None:
        """Add a thing, or replace the one of that number."""
        place, slot = number >> _PAGE_SHIFT, number & _PAGE_MASK
        page = self._pages.get(place)
        if page is None:
            page = self._pages[place] = [None] * _PAGE_THINGS
            self._counts[place] = 0
            insort(self._order, place)
        if page[slot] is None:
            self._things += 1
            self._counts[place] += 1
        page[slot] = thing

    def drop(self, number: int) -> T:
        """Take a thing away. Raises KeyError."""
        thing = self[number]
        place = number >> _PAGE_SHIFT
        self._things -= 1
        self._counts[place] -= 1
        if self._counts[place]:
            self._pages[place][number & _PAGE_MASK] = None
        else:
            del self._pages[place], self._counts[place], self._order[bisect_left(self._order, place)]
        return thing

    def get(self, number: int) -> T | None:
        """Find a thing by its number."""
        page = self._pages.get(number >> _PAGE_SHIFT)
        return None if page is None else page[number & _PAGE_MASK]

    def since(self, number: int) -> Iterator[T]:
        """Yield what has this number or a higher one, ascending."""
        first = number >> _PAGE_SHIFT
        slot = number & _PAGE_MASK
        for position in range(bisect_left(self._order, first), len(self._order)):
            place = self._order[position]
            page = self._pages[place]
            for thing in page[slot:] if place == first and slot else page:
                if thing is not None:
                    yield thing

    def numbers(self) -> list[int]:
        """The numbers, ascending; the list is the caller's."""
        return [
            place << _PAGE_SHIFT | slot
            for place in self._order
            for slot, thing in enumerate(self._pages[place])
            if thing is not None
        ]

    def __getitem__(self, number: int) -> T:
        thing = self.get(number)
        if thing is None:
            raise KeyError(number)
        return thing

    def __contains__(self, number: int) -> bool:
        return self.get(number) is not None

    def __iter__(self) -> Iterator[T]:
        return self.since(0)

    def __len__(self) -> int:
        return self._things


class Part(Generic[T]):
    """Some of the things of a shelf, known by their numbers: those of one owner."""

    __slots__ = ("_numbers", "_shelf")  # a million volumes cost 8 bytes each here, too

    def __init__(self, shelf: Shelf[T]) -> None:
        self._shelf = shelf
        self._numbers: array[int] = array("q")

    def put(self, number: int) -> None:
        """Add what the shelf has under this number, if it is not a part already."""
        position = bisect_left(self._numbers, number)
        if position == len(self._numbers) or self._numbers[position] != number:
            self._numbers.insert(position, number)

    def drop(self, number: int) -> None:
        """Let a thing be no part any more. Raises KeyError."""
        if number not in self:
            raise KeyError(number)
        del self._numbers[bisect_left(self._numbers, number)]

    def since(self, number: int) -> Iterator[T]:
        """Yield what has this number or a higher one, ascending."""
        for position in range(bisect_left(self._numbers, number), len(self._numbers)):
            yield self._shelf[self._numbers[position]]

    def numbers(self) -> list[int]:
        """The numbers, ascending; the list is the caller's."""
        return self._numbers.tolist()

    def __repr__(self) -> str:
        return str(self.numbers())

    def __contains__(self, number: int) -> bool:
        position = bisect_left(self._numbers, number)
        return position < len(self._numbers) and self._numbers[position] == number

    def __iter__(self) -> Iterator[T]:
        return self.since(0)

    def __len__(self) -> int:
        return len(self._numbers)
