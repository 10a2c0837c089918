"""From a method's name and parameters to its result: which method, at which version, on which port; then its rule."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.method import Method, Port, Rule, Rules, Standing
from snapproof.simulators.solidfire.methods import (
    accounts,
    administrators,
    async_results,
    backup_targets,
    bulk_volumes,
    capacity,
    clones,
    cluster,
    configuration,
    containers,
    events,
    group_snapshots,
    groups,
    hardware,
    initiators,
    luns,
    networks,
    node,
    pairing,
    qos,
    schedules,
    snapshots,
    statistics,
    structure,
    volume_changes,
    volume_lists,
    volumes,
)
from snapproof.simulators.solidfire.parameters import Given, read
from snapproof.simulators.solidfire.shown import shown
from snapproof.simulators.solidfire.surface.pages import Entry, surface
from snapproof.simulators.solidfire.surface.samples import sample
from snapproof.simulators.solidfire.surface.shapes import Version
from snapproof.simulators.solidfire.versions import CURRENT, PAIRS

_RULES: tuple[Rules, ...] = (
    accounts.RULES,
    backup_targets.RULES,
    administrators.RULES,
    async_results.RULES,
    bulk_volumes.RULES,
    capacity.RULES,
    clones.RULES,
    cluster.RULES,
    containers.RULES,
    configuration.RULES,
    events.RULES,
    group_snapshots.RULES,
    groups.RULES,
    hardware.RULES,
    initiators.RULES,
    luns.RULES,
    networks.RULES,
    node.RULES,
    pairing.RULES,
    qos.RULES,
    schedules.RULES,
    snapshots.RULES,
    statistics.RULES,
    structure.RULES,
    volume_changes.RULES,
    volume_lists.RULES,
    volumes.RULES,
)
_NAME_LENGTH_MAX = 100


@cache
def methods() -> Mapping[str, Method]:
    """All methods of the API, those with a rule and those without."""
    rules = merge(_RULES)
    return {name: _method(name, entry, rules) for name, entry in surface().methods.items()}


def merge(rules_of_modules: Iterable[Rules]) -> Rules:
    """Put the rules of all modules together. Raises ValueError for a rule without a method or a method with two."""
    merged: dict[str, Rule] = {}
    for rules in rules_of_modules:
        for name, rule in rules.items():
            if name not in surface().methods:
                raise ValueError(f"{rule.__name__} is registered for {name}, which is no method of the surface.")
            if name in merged:
                raise ValueError(f"{name} has two rules, {merged[name].__name__} and {rule.__name__}; keep one.")
            merged[name] = rule
    return merged


def _method(name: str, entry: Entry, rules: Rules) -> Method:
    if name in rules:
        return Method(name, entry, rules[name], Standing.REAL)
    if entry.refused:
        return Method(name, entry, _refuse, Standing.REFUSED)
    answer = sample(entry.gives)
    return Method(name, entry, lambda _array, _given: answer, Standing.DEFAULT)


def _refuse(_array: Array, _given: Given) -> Mapping[str, Any]:
    raise AssertionError("A refused method is refused before its rule is asked.")


def perform(
    array: Array, name: str, params: Mapping[str, Any], *, version: Version, port: Port
) -> tuple[Mapping[str, Any], list[str]]:
    """Perform one call; return its result, which may hold live rows, and the parameters that meant nothing.

    The caller holds the array's lock until the result is written down. Raises ElementError, the array unchanged.
    """
    method = methods().get(name)
    if method is None or method.since > version or port not in method.port or method.standing is Standing.REFUSED:
        raise ElementError("xUnknownAPIMethod", method=name[:_NAME_LENGTH_MAX])
    array.settle()
    given, unused = read(params, method.takes, version)
    return method.rule(array, given), unused


def call(array: Array, method: str, /, **params: Any) -> dict[str, Any]:
    """Arrange a world through the API's own rules, past authentication and faults; the answer is a copy.

    Raises ElementError.
    """
    with array.lock:
        result, _ = perform(array, method, params, version=PAIRS[CURRENT], port=Port.CLUSTER)
        copy: dict[str, Any] = msgspec.to_builtins(result, enc_hook=shown)
    return copy
