"""What was last seen of every object, and what a client has not heard of it. Who looks, and when, is events.py's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from snapproof.simulators.xenserver.failures import XapiError

_VOLATILE: Mapping[str, frozenset[str]] = {"host_metrics": frozenset({"last_updated"})}
"""Fields that change with time alone, which is no event."""


@dataclass(slots=True, eq=False)
class Seen:
    """An object as it was last told: when it came and changed, and what it looked like."""

    kind: str
    uuid: str
    came: int
    changed: int
    record: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to tell."""

    number: int
    operation: str
    ref: str
    seen: Seen


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a client follows: everything, classes, or single objects."""

    classes: frozenset[str]
    objects: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, words: Iterable[str]) -> "Subscription":
        """Read `*`, `VM`, `vdi/OpaqueRef:…`; case does not matter. Raises EVENT_SUBSCRIPTION_PARSE_FAILURE."""
        classes, objects = set(), set()
        for word in words:
            kind, slash, ref = word.partition("/")
            if not kind or "/" in ref or (slash and not ref):
                raise XapiError("EVENT_SUBSCRIPTION_PARSE_FAILURE", word)
            if slash:
                objects.add((kind.lower(), ref))
            else:
                classes.add(kind.lower())
        return cls(frozenset(classes), frozenset(objects))

    def includes(self, kind: str, ref: str) -> bool:
        """Say whether the client hears of this object; with an empty ref, of any of its class."""
        name = kind.lower()
        if {"*", name} & self.classes:
            return True
        return any(name == of and ref in ("", one) for of, one in self.objects)


class Sightings:
    """What was seen of every object, and what went. Numbers grow with every change that is noticed."""

    def __init__(self) -> None:
        self.number = 0
        self._seen: dict[str, Seen] = {}
        self._gone: list[tuple[int, str, Seen]] = []

    def look(self, kind: str, ref: str, uuid: str, record: dict[str, object]) -> None:
        """Notice what an object looks like now."""
        known = self._seen.get(ref)
        if known is None:
            self.number += 1
            known = self._seen[ref] = Seen(kind, uuid, self.number, self.number, record)
        elif _lasting(kind, record) != _lasting(kind, known.record):
            self.number += 1
            known.changed = self.number
        known.record = record

    def miss(self, here: set[str]) -> None:
        """Notice which objects are no more."""
        for ref in [ref for ref in self._seen if ref not in here]:
            self.number += 1
            self._gone.append((self.number, ref, self._seen.pop(ref)))

    def touch(self, ref: str) -> None:
        """Let an object count as changed."""
        self.number += 1
        self._seen[ref].changed = self.number

    def since(self, number: int, wanted: Subscription) -> Sequence[Change]:
        """Tell what changed after a number, in order."""
        told = [
            Change(number=seen.changed, operation="add" if seen.came > number else "mod", ref=ref, seen=seen)
            for ref, seen in self._seen.items()
            if seen.changed > number and wanted.includes(seen.kind, ref)
        ]
        told += [
            Change(number=at, operation="del", ref=ref, seen=seen)
            for at, ref, seen in self._gone
            if at > number >= seen.came and wanted.includes(seen.kind, ref)
        ]
        return sorted(told, key=lambda change: change.number)

    def count(self, kind: str) -> int:
        """Count the objects of a class."""
        return sum(seen.kind == kind for seen in self._seen.values())


def _lasting(kind: str, record: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in record.items() if name not in _VOLATILE.get(kind, ())}
