"""An inventory: everything that exists in a lab's world at one moment, and what is different at another."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything that exists on the array, the hosts and the stores, as sorted lines: equal worlds have equal lines."""

    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def changed_kinds(self, later: "Inventory") -> Mapping[str, int]:
        """How many things of each kind there are more (or fewer) than before; a thing that was replaced counts twice.

        Kinds are `array snapshot`, `host object`, `backup` and the like: a place and a line's first word.
        """
        kinds: Counter[str] = Counter()
        for line in self.changes(later):
            sign, place, text = line.split(" ", 2)
            kinds[_kind(place.rstrip(":"), text)] += 1 if sign == "+" else -1
        return {kind: change for kind, change in sorted(kinds.items()) if change}

    def changes(self, later: "Inventory") -> tuple[str, ...]:
        """What was added (`+`) and what is gone (`-`) since, one line each."""
        lines = []
        for place in sorted(self.places.keys() | later.places.keys()):
            before, after = set(self.places.get(place, ())), set(later.places.get(place, ()))
            lines += [f"- {place}: {line}" for line in sorted(before - after)]
            lines += [f"+ {place}: {line}" for line in sorted(after - before)]
        return tuple(lines)


def _kind(place: str, text: str) -> str:
    if place == "s3" or place.startswith("nfs"):
        return "backup"
    if place == "pool":
        return "host object"
    word = text.split(": ", 1)[-1].split(" ", 1)[0]
    return f"{place} {word}"
