"""Objects that refer to one another as plain JSON values, and back. Who is who is kept: an object is written once.

Only classes of this simulator, and its transitions, can be written or read; what disks hold is kept beside the graph.
"""

import re
from array import array
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from importlib import import_module
from random import Random
from types import MappingProxyType, MethodType
from typing import Any, Protocol, TypeAlias

import msgspec

from snapproof.simulators.blocks import BlockImage, BlockVolume
from snapproof.simulators.solidfire.sessions import Session

Graph: TypeAlias = Any
"""Any value that can be part of an array's state."""

_ROOT = "snapproof.simulators."
_CLASS = re.compile(r"(?P<module>clock|journal|solidfire\.[a-z_]+)\.(?P<name>[A-Za-z_]+)")
_PLAIN = (str, int, float, bool, type(None))
_USUAL = "usual"


class DiskWriter(Protocol):
    """Where the contents of disks go that a graph leads to."""

    def write(self, disk: Graph) -> str:
        """Keep what the disk holds and name it."""


class DiskReader(Protocol):
    """Where they come from again."""

    def read(self, name: str, *, writable: bool) -> Graph:
        """Make a disk or an image that holds what has this name."""


class GraphWriter:
    """Writes values; `objects` grows by every object that they lead to."""

    def __init__(self, disks: DiskWriter) -> None:
        self.objects: list[Any] = []
        self._disks = disks
        self._known: dict[int, tuple[int, object]] = {}

    def value(self, value: Graph) -> Any:
        """Write one value as JSON: itself if it is plain, a list of a word and more if not."""
        if isinstance(value, Enum):
            return ["enum", _name(type(value)), value.value]
        if isinstance(value, _PLAIN):
            return value
        for kind, word, parts in _COLLECTIONS:
            if isinstance(value, kind):
                return [word, *map(self.value, parts(value))]
        if isinstance(value, bytes | array):
            return _octets(value)
        if isinstance(value, MethodType):
            return ["method", self.value(value.__self__), value.__name__]
        if id(value) not in self._known:
            self._known[id(value)] = len(self.objects), value  # kept, so that no other object gets its id
            self.objects.append(None)
            self.objects[self._known[id(value)][0]] = self._object(value)
        return ["object", self._known[id(value)][0]]

    def _object(self, thing: Graph) -> Any:
        if isinstance(thing, Random):
            return ["dice", self.value(thing.getstate())]
        if isinstance(thing, BlockVolume | BlockImage):
            return ["disk", self._disks.write(thing), isinstance(thing, BlockVolume)]
        usual = getattr(type(thing), "USUAL", None)
        fields = {
            name: [_USUAL] if value is usual and usual is not None else self.value(value)
            for name, value in _fields(thing)
        }
        return ["of", _name(type(thing)), fields]


def _octets(value: "bytes | array[Any]") -> Any:
    return ["bytes", value.hex()] if isinstance(value, bytes) else ["array", value.typecode, value.tolist()]


class GraphReader:
    """Makes the objects of a list and the values that lead to them. Raises ValueError for what no writer wrote."""

    def __init__(self, objects: list[Any], disks: DiskReader) -> None:
        self._written = objects
        self._disks = disks
        self._made: dict[int, Any] = {}
        self._under_way: set[int] = set()

    def value(self, written: Any) -> Graph:
        """Make one value."""
        if isinstance(written, _PLAIN):
            return written
        word, *parts = written
        if word == "object":
            return self._object(parts[0])
        if word in _LEAVES:
            return _LEAVES[word](*parts)
        if word == "method":
            return _method(self.value(parts[0]), parts[1])
        if word not in _MAKERS:
            raise ValueError(f"The dump holds {str(word)[:40]!r}, which is no kind of value.")
        return _MAKERS[word](map(self.value, parts))

    def _object(self, number: int) -> Graph:
        if number in self._made:
            return self._made[number]
        if number in self._under_way:
            raise ValueError(f"Object {number} of the dump is a part of itself.")
        self._under_way.add(number)
        word, *parts = self._written[number]
        if word == "dice":
            made = Random()
            made.setstate(self.value(parts[0]))
        elif word == "disk":
            made = self._disks.read(parts[0], writable=parts[1])
        else:
            made = self._instance(number, _class(parts[0]), parts[1])
        self._made[number] = made
        return made

    def _instance(self, number: int, kind: Any, fields: Mapping[str, Any]) -> Graph:
        if issubclass(kind, msgspec.Struct):
            return kind(**{name: self._field(kind, written) for name, written in fields.items()})
        made = self._made[number] = object.__new__(kind)
        for name, written in fields.items():
            object.__setattr__(made, name, self._field(kind, written))
        return made

    def _field(self, kind: Any, written: Any) -> Graph:
        return kind.USUAL if written == [_USUAL] else self.value(written)


def _pairs(mapping: Mapping[Any, Any]) -> Iterator[list[Any]]:
    """Give the pairs of a dictionary, without the sessions of hosts, which are no state."""
    return ([key, value] for key, value in mapping.items() if not isinstance(value, Session))


_COLLECTIONS: tuple[tuple[Any, str, Callable[[Any], Any]], ...] = (
    (list, "list", iter),
    (tuple, "tuple", iter),
    (set | frozenset, "set", sorted),
    (dict | MappingProxyType, "map", _pairs),
)
_MAKERS: Mapping[str, Callable[[Iterator[Any]], Any]] = {"list": list, "tuple": tuple, "set": set, "map": dict}


def _fields(thing: Graph) -> Iterator[tuple[str, Any]]:
    """Give the fields of a record, or the slots of an object that have a value."""
    if isinstance(thing, msgspec.Struct):
        names: list[str] = list(thing.__struct_fields__)
    else:
        names = [name for kind in reversed(type(thing).__mro__) for name in _slots(kind)]
        names += getattr(thing, "__dict__", ())
    return ((name, getattr(thing, name)) for name in names if hasattr(thing, name))


def _slots(kind: type) -> tuple[str, ...]:
    slots = kind.__dict__.get("__slots__", ())
    return tuple(slot for slot in ((slots,) if isinstance(slots, str) else slots) if not slot.startswith("__"))


def _name(kind: type) -> str:
    name = f"{kind.__module__.removeprefix(_ROOT)}.{kind.__qualname__}"
    if not _CLASS.fullmatch(name):
        raise TypeError(
            f"Objects of {kind.__module__}.{kind.__qualname__} cannot be dumped; is that part of the state?"
        )
    return name


def _class(name: str) -> Any:
    found = _CLASS.fullmatch(name)
    kind: Any = getattr(import_module(_ROOT + found["module"]), found["name"], None) if found else None
    if not isinstance(kind, type) or not kind.__module__.startswith(_ROOT):
        raise ValueError(f"The dump holds a {name[:60]!r}, which no array is made of.")
    return kind


def _method(thing: Graph, name: str) -> Graph:
    method = getattr(thing, name)
    if name.startswith("_") or not isinstance(method, MethodType):
        raise ValueError(f"The dump holds a method {name[:60]!r}, which nothing here has.")
    return method


_LEAVES: Mapping[str, Callable[..., Any]] = {
    "enum": lambda name, value: _class(name)(value),
    "bytes": bytes.fromhex,
    "array": array,
}
"""What has no values of ours inside."""
