"""One thing of an array by its kind and number, as the API shows it but without secrets: for whoever looks behind."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call

KINDS: Mapping[str, tuple[str, str, str]] = {
    "access group": ("ListVolumeAccessGroups", "volumeAccessGroups", "volumeAccessGroupID"),
    "account": ("ListAccounts", "accounts", "accountID"),
    "administrator": ("ListClusterAdmins", "clusterAdmins", "clusterAdminID"),
    "snapshot": ("ListSnapshots", "snapshots", "snapshotID"),
    "volume": ("ListVolumes", "volumes", "volumeID"),
}
"""What can be looked up: the method that lists it, the member with the list, the member with the number."""

NOT_SHOWN = "Secret"
"""How the names of members end that are not shown."""


def inspect(array: Array, kind: str, number: int) -> Mapping[str, Any]:
    """Show one thing. Raises LookupError."""
    method, listed, numbered = KINDS[kind]
    for row in call(array, method)[listed]:
        if row[numbered] == number:
            return {name: value for name, value in row.items() if not name.endswith(NOT_SHOWN)}
    raise LookupError(f"The array has no {kind} {number}.")
