"""XDR (RFC 4506): reading arguments that may be anything, and writing results. What fields mean is not known here."""

import struct
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TRUE, FALSE = struct.pack(">I", 1), struct.pack(">I", 0)


class GarbageError(ValueError):
    """The bytes are not what the procedure's arguments look like."""


class Reader:
    """Arguments, read from front to back."""

    def __init__(self, octets: memoryview) -> None:
        self._octets = octets
        self._at = 0

    def uint(self) -> int:
        """An unsigned number of 32 bits."""
        return int.from_bytes(self._take(4))

    def hyper(self) -> int:
        """An unsigned number of 64 bits."""
        return int.from_bytes(self._take(8))

    def boolean(self) -> bool:
        """A word that is 0 or 1."""
        return self.choice(2) == 1

    def choice(self, count: int) -> int:
        """A word below `count`: what selects the arm of a union."""
        number = self.uint()
        if number >= count:
            raise GarbageError(f"A choice of {count} cannot be {number}.")
        return number

    def fixed(self, length: int) -> bytes:
        """So many bytes."""
        return bytes(self._take(length))

    def opaque(self, length_max: int) -> memoryview:
        """Bytes with their length before them; padding is skipped."""
        length = self.uint()
        if length > length_max:
            raise GarbageError(f"{length} bytes where at most {length_max} belong.")
        octets = self._take(length)
        self._take(-length % 4)
        return octets

    def optional(self, read: Callable[[], T]) -> T | None:
        """A value behind a word that says whether it is there."""
        return read() if self.boolean() else None

    def rest(self) -> memoryview:
        """Everything that has not been read."""
        return self._octets[self._at :]

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._octets):
            raise GarbageError(f"{len(self._octets) - self._at} bytes follow the arguments.")

    def _take(self, length: int) -> memoryview:
        octets = self._octets[self._at : self._at + length]
        if len(octets) != length:
            raise GarbageError(f"The arguments end {length - len(octets)} bytes too early.")
        self._at += length
        return octets


def uint(*numbers: int) -> bytes:
    """Write numbers of 32 bits."""
    return struct.pack(f">{len(numbers)}I", *numbers)


def hyper(*numbers: int) -> bytes:
    """Write numbers of 64 bits."""
    return struct.pack(f">{len(numbers)}Q", *numbers)


def opaque(octets: bytes | memoryview) -> bytes:
    """Write bytes behind their length, padded to whole words."""
    return b"".join((uint(len(octets)), octets, bytes(-len(octets) % 4)))
