"""Workflows: what a case arranges before faults are armed, and the one verb that meets them. One table by name.

A workflow speaks to the two ports only; how faults are armed and judged is in running.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from snapproof.driver import DriverUnderTest
from snapproof.lab import Guest, Lab
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)

ACCOUNT = AccountId("team-blue")
SIZE_BYTES = 3 * 2**20 + 512
"""Small, and no multiple of anything but a sector."""

Act: TypeAlias = Callable[[DriverUnderTest], object]


@dataclass(frozen=True, slots=True)
class Stage:
    """What an arrangement leaves behind: the act to come, and the guest that writes meanwhile."""

    act: Act
    guest: Guest


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow; its version grows when its calls change their meaning, so that old schedules are not misread."""

    version: int
    arrange: Callable[[Lab], Stage]


def _volume_with_guest(lab: Lab) -> tuple[Volume, Guest]:
    request = VolumeRequest(
        operation=OperationId("create-volume"), account=ACCOUNT, name="database", size_bytes=SIZE_BYTES
    )
    volume = lab.attempt(lambda driver: driver.create_volume(request)).result()
    guest = lab.start_guest(volume)
    guest.fill(blocks=6)
    return volume, guest


def _take(lab: Lab, volume: Volume, name: str, location: LocationType) -> Snapshot:
    request = SnapshotRequest(operation=OperationId(f"take-{name}"), volume=volume.id, name=name, location=location)
    return lab.attempt(lambda driver: driver.take_snapshot(request)).result()


def arrange_take(lab: Lab) -> Stage:
    """Beside the backup to come there are one of each kind already, which must survive it."""
    volume, guest = _volume_with_guest(lab)
    _take(lab, volume, "kept-on-array", LocationType.PRIMARY)
    _take(lab, volume, "kept-on-secondary", LocationType.SECONDARY)
    request = SnapshotRequest(
        operation=OperationId("take"), volume=volume.id, name="nightly", location=LocationType.SECONDARY
    )
    return Stage(lambda driver: driver.take_snapshot(request), guest)


def arrange_delete(lab: Lab) -> Stage:
    """Of two backups, one is deleted."""
    volume, guest = _volume_with_guest(lab)
    _take(lab, volume, "kept-on-secondary", LocationType.SECONDARY)
    doomed = _take(lab, volume, "doomed", LocationType.SECONDARY)
    return Stage(lambda driver: driver.delete_snapshot(OperationId("delete"), doomed.id), guest)


WORKFLOWS: Mapping[str, Workflow] = {
    "take-secondary": Workflow(1, arrange_take),
    "delete-secondary": Workflow(1, arrange_delete),
}
"""Workflows by the name that schedules use."""
