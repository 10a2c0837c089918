"""The Element errors: one table of names, how each reads and how sure we are of it; the exception that carries one.

No rule lives here. A name that is not in the table cannot be raised, nor asked for by a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from snapproof.simulators.faults import known_name


class Evidence(StrEnum):
    """How well a name is known."""

    HIGH = "high"  # answered by a cluster, or several independent clients depend on it
    MEDIUM = "medium"  # one client depends on it, or only documentation shows it
    LOW = "low"  # seen in a single place


@dataclass(frozen=True, slots=True)
class Known:
    """One error name. Without a pattern the message is the name itself, as clusters do. `http` is not 200 for pages."""

    evidence: Evidence
    pattern: str = ""
    http: int = 200


_HIGH, _MEDIUM, _LOW = Known(Evidence.HIGH), Known(Evidence.MEDIUM), Known(Evidence.LOW)

ERRORS: Mapping[str, Known] = {
    "xAPINotPermitted": _LOW,
    "xAccountIDDoesNotExist": Known(Evidence.HIGH, "Illegal AccountID {accountID}"),
    "xAlreadyInVolumeAccessGroup": _HIGH,
    "xBulkVolumeIDDoesNotExist": _HIGH,
    "xBulkVolumeScriptFailure": Known(Evidence.HIGH, "Bulk volume job failed"),
    "xClusterAlreadyCreated": Known(Evidence.MEDIUM, "xClusterAlreadyCreated"),
    "xDBClosing": _MEDIUM,
    "xDBConnectionLoss": _HIGH,
    "xDBInvalidState": _MEDIUM,
    "xDBNoServerResponse": _MEDIUM,
    "xDBNoSuchPath": Known(
        Evidence.MEDIUM, "DBClient operation requested on a non-existent path at [/asyncresults/{asyncHandle}]"
    ),
    "xDBOperationTimeout": _HIGH,
    "xDBSessionExpired": _MEDIUM,
    "xDBSessionMoved": _MEDIUM,
    "xDBVersionMismatch": _HIGH,
    "xDriveIDDoesNotExist": Known(Evidence.MEDIUM, "Drive {driveID} does not exist"),
    "xDuplicateUsername": _HIGH,
    "xExceededLimit": _HIGH,
    "xGroupSnapshotDoesNotExist": _LOW,
    "xInitiatorDoesNotExist": _MEDIUM,
    "xInitiatorExists": _MEDIUM,
    "xInternalError": _MEDIUM,
    "xInvalidAPIParameter": _LOW,
    "xInvalidPairingKey": _HIGH,
    "xInvalidParameter": _HIGH,
    "xInvalidParameterType": _LOW,
    "xMVIPNotPaired": _MEDIUM,
    "xMaxClonesPerNodeExceeded": _MEDIUM,
    "xMaxClonesPerVolumeExceeded": _HIGH,
    "xMaxSnapshotsPerNodeExceeded": _MEDIUM,
    "xMaxSnapshotsPerVolumeExceeded": _HIGH,
    "xMaxVolumeCountExceeded": _LOW,
    "xMissingParameter": Known(Evidence.HIGH, "Missing member=[{member}]"),
    "xNoHandler": _MEDIUM,
    "xNotInVolumeAccessGroup": _HIGH,
    "xNotPrimary": _HIGH,
    "xNotReadyForIO": _HIGH,
    "xPairingAlreadyExists": _HIGH,
    "xPermissionDenied": _MEDIUM,
    "xQoSPolicyDoesNotExist": _MEDIUM,
    "xRecvTimeout": _MEDIUM,
    "xRpcTimeout": _LOW,
    "xSliceNotRegistered": _HIGH,
    "xSnapshotFailed": _MEDIUM,
    "xSnapshotIDDoesNotExist": _HIGH,
    "xSoftwareInstallNotInProgress": _LOW,
    "xTotalCapacityExceeded": _LOW,
    "xUnauthorized": Known(Evidence.HIGH, http=401),
    "xUnknownAPIMethod": Known(Evidence.HIGH, "xUnknownAPIMethod method={method}"),
    "xUnknownAPIVersion": Known(Evidence.HIGH, http=404),
    "xUnknownAccount": _HIGH,
    "xUnknownRPCMethod": _LOW,
    "xUnrecognizedEnumString": Known(Evidence.HIGH, "{value}"),
    "xVirtualNetworkAlreadyExists": _LOW,
    "xVolumeAccessGroupIDDoesNotExist": Known(
        Evidence.HIGH, "VolumeAccessGroupID {volumeAccessGroupID} does not exist."
    ),
    "xVolumeDoesNotExist": _LOW,
    "xVolumeIDDoesNotExist": Known(Evidence.HIGH, "VolumeID {volumeID} does not exist."),
    "xVolumeNotPaired": Known(Evidence.MEDIUM, "Volume not paired."),
    "xVolumeShrinkProhibited": Known(Evidence.MEDIUM, "Lowering a volume size is not allowed."),
}


class ElementError(Exception):
    """A call was refused. `name` is of the table; the message is what a client reads, and never holds a secret."""

    def __init__(self, name: str, message: str = "", **facts: object) -> None:
        self.name = checked_name(name)
        pattern = ERRORS[name].pattern
        speaks = pattern and (facts or "{" not in pattern)
        self.message = message or (pattern.format(**facts) if speaks else name)
        super().__init__(f"{self.name}: {self.message}")


def checked_name(name: str) -> str:
    """Return `name` if the table has it; raise ValueError with the nearest names otherwise."""
    return known_name(name, ERRORS, "Element")
