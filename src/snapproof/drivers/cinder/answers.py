"""What rows and exceptions mean to whoever asks: volumes and snapshots as the port has them, and errors by their cure.

Nothing here asks the driver anything.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from snapproof.driver import BackendError, ConflictError, DriverError, NotSupportedError, UnavailableError
from snapproof.drivers.cinder.book import SnapshotRecord, VolumeRecord
from snapproof.vocabulary import (
    AccountId,
    Copy,
    LocationType,
    Qos,
    Snapshot,
    SnapshotId,
    SnapshotState,
    Volume,
    VolumeId,
)

NOT_THEIRS = re.compile(
    r"cinder\.volume\.driver\.\w+|cinder\.interface(\..+)?\.\w+"
    r"|cinder\.volume\.drivers\.remotefs\.RemoteFSSnapDriverBase"
)
"""Classes whose methods are placeholders: a driver that inherits them has none of its own."""
HOOKS = {"revert_to_snapshot": "_revert_to_snapshot"}
"""What drivers of file systems that are mounted bring for a method that their common base has."""

SETTLED = {"error": SnapshotState.ERROR, "error_deleting": SnapshotState.ERROR, "available": SnapshotState.BACKED_UP}
KINDS_BY_NAME: Mapping[str, type[DriverError]] = {
    "SnapshotIsBusy": ConflictError,
    "VolumeIsBusy": ConflictError,
    "NotImplementedError": NotSupportedError,
    "OSError": UnavailableError,  # requests' own errors are among these
}
"""What the exceptions of drivers mean, by the name of their class or of one that they inherit."""


def has_own(driver: Any, method: str) -> bool:
    """Say whether a driver, or a base of its maker's, has a method beyond Cinder's placeholder."""
    for named in (HOOKS.get(method, method), method):
        for kind in type(driver).__mro__:  # not `hasattr`: a driver may answer for names that it does not have
            if named in vars(kind):
                return NOT_THEIRS.fullmatch(f"{kind.__module__}.{kind.__name__}") is None
    return False


def translated(error: Exception) -> DriverError:
    """Say what an exception of the driver means, in its own words."""
    said = f"{type(error).__name__}: {error}"
    for kind in type(error).__mro__:
        if kind.__name__ in KINDS_BY_NAME:
            return KINDS_BY_NAME[kind.__name__](said)
    return BackendError(said)


R = TypeVar("R", VolumeRecord, SnapshotRecord)


def sound(row: R) -> R:
    """Answer an operation that is sent again as the first time. Raises BackendError if that failed."""
    if row.status == "error":
        raise BackendError(row.failure)
    return row


def shown_volume(row: VolumeRecord) -> Volume:
    where = str(row.model.get("provider_location") or "").split()
    return Volume(
        id=VolumeId(row.id),
        account=AccountId(row.account),
        name=row.name,
        size_bytes=row.size_bytes,
        target=next((word for word in where if word.startswith("iqn.")), " ".join(where)),
        qos=Qos(
            min_iops=row.qos["minIOPS"],
            max_iops=row.qos["maxIOPS"],
            burst_iops=row.qos["burstIOPS"],
        ),
    )


def shown_snapshot(row: SnapshotRecord) -> Snapshot:
    there = row.made and row.status != "error"
    copy = Copy(location=LocationType.PRIMARY, reference=reference_of(row), physical_size_bytes=row.size_bytes)
    return Snapshot(
        id=SnapshotId(row.id),
        account=AccountId(row.account),
        volume=VolumeId(row.volume),
        name=row.name,
        location=LocationType.PRIMARY,
        state=SETTLED[row.status],
        size_bytes=row.size_bytes,
        copies=(copy,) if there else (),
        revertable=there,
    )


def reference_of(row: SnapshotRecord) -> str:
    """Say where a snapshot is: an Element array's number begins what its driver calls `provider_id`."""
    known = str(row.model.get("provider_id") or "")
    number = known.partition(" ")[0]
    return f"SfSnapshotId={number}" if number.isdecimal() else known or f"snapshot-{row.id}"
