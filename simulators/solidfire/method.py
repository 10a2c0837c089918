"""One row of the method table: its name, since when and where it is served, what it takes, and the rule behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any, TypeAlias

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.parameters import Given, Parameter, Version

Rule: TypeAlias = Callable[[Array, Given], Mapping[str, Any]]
"""Checks everything first, changes the array last, answers the result: rows and plain values."""


class Port(Flag):
    """Where a method is served: 443 of the cluster, 442 of a node."""

    CLUSTER = auto()
    NODE = auto()
    BOTH = CLUSTER | NODE


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API."""

    name: str
    since: Version
    rule: Rule
    parameters: tuple[Parameter, ...] = ()
    port: Port = Port.CLUSTER
    table: Mapping[str, Parameter] = field(init=False, repr=False)
    required: tuple[Parameter, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", {parameter.name: parameter for parameter in self.parameters})
        object.__setattr__(self, "required", tuple(parameter for parameter in self.parameters if parameter.required))
