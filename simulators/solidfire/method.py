"""One method as it is served: its row of the surface, its parameters, and the rule behind it.

Which rule belongs to which method is said in methods/ and put together in calls.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Flag, StrEnum, auto
from typing import Any, TypeAlias

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.parameters import Given, Takes, takes
from snapproof.simulators.solidfire.surface.pages import Entry, Served
from snapproof.simulators.solidfire.surface.shapes import Version, version

Rule: TypeAlias = Callable[[Array, Given], Mapping[str, Any]]
"""Checks everything first, changes the array last, answers the result: rows and plain values."""

Rules: TypeAlias = Mapping[str, Rule]
"""What a module of methods/ ends in: the rules by the names of the methods they are behind."""


class Port(Flag):
    """Where a method is served: 443 of the cluster, 442 of a node."""

    CLUSTER = auto()
    NODE = auto()
    BOTH = CLUSTER | NODE


class Standing(StrEnum):
    """How much is behind a method."""

    REAL = "real"  # a rule that reads or changes what the array remembers
    DEFAULT = "default"  # an answer of the right shape that means nothing
    REFUSED = "refused"  # unknown here, for the reason in its row


_PORTS = {Served.CLUSTER: Port.CLUSTER, Served.NODE: Port.NODE, Served.BOTH: Port.BOTH}


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API."""

    name: str
    entry: Entry
    rule: Rule
    standing: Standing
    since: Version = field(init=False)
    port: Port = field(init=False)
    takes: Takes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", version(self.entry.since))
        object.__setattr__(self, "port", _PORTS[self.entry.endpoint])
        object.__setattr__(self, "takes", takes(self.entry.takes))
