"""From a method's name and parameters to its result: which method, at which version, on which port; then its rule."""

from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.method import Method, Port
from snapproof.simulators.solidfire.methods import accounts, clones, cluster, groups, snapshots, volume_lists, volumes
from snapproof.simulators.solidfire.parameters import Version, read
from snapproof.simulators.solidfire.versions import CURRENT, PAIRS

METHODS: Mapping[str, Method] = {
    method.name: method
    for module in (accounts, clones, cluster, groups, snapshots, volume_lists, volumes)
    for method in module.METHODS
}
_NAME_LENGTH_MAX = 100


def perform(
    array: Array, name: str, params: Mapping[str, Any], *, version: Version, port: Port
) -> tuple[Mapping[str, Any], list[str]]:
    """Perform one call; return its result, which may hold live rows, and the parameters that meant nothing.

    The caller holds the array's lock until the result is written down. Raises ElementError, the array unchanged.
    """
    method = METHODS.get(name)
    if method is None or method.since > version or port not in method.port:
        raise ElementError("xUnknownAPIMethod", method=name[:_NAME_LENGTH_MAX])
    array.settle()
    given, unused = read(params, method.table, method.required, version)
    return method.rule(array, given), unused


def call(array: Array, method: str, /, **params: Any) -> dict[str, Any]:
    """Arrange a world through the API's own rules, past authentication and faults; the answer is a copy.

    Raises ElementError.
    """
    with array.lock:
        result, _ = perform(array, method, params, version=PAIRS[CURRENT], port=Port.CLUSTER)
        copy: dict[str, Any] = msgspec.to_builtins(result)
    return copy
