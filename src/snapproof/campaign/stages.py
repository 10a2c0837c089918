"""Stages: what any workflow is made of, the capabilities that one can need, and what many of them begin with.

The workflows themselves are in workflows.py, volumes.py and together.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from snapproof.driver import DriverUnderTest
from snapproof.lab import Guest, Lab, Outcome, Scenery
from snapproof.vocabulary import (
    AccountId,
    Capability,
    HypervisorType,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotRequest,
    TemplateRequest,
    Volume,
    VolumeRequest,
)

ACCOUNT = AccountId("team-blue")
SIZE_BYTES = 3 * 2**20 + 512
"""Small, and no multiple of anything but a sector."""

HERE, THERE = LocationType.PRIMARY, LocationType.SECONDARY
AGAIN = "-again"

PLAIN = Scenery()
NO_RESIGNING = Scenery(resign=False)

ON_ARRAY = frozenset({Capability.SNAPSHOT_PRIMARY})
AS_BACKUP = frozenset({Capability.SNAPSHOT_SECONDARY})
AT_BOTH = ON_ARRAY | AS_BACKUP
MOVING = ON_ARRAY | {Capability.ARCHIVE}
AS_VOLUME = ON_ARRAY | {Capability.ARRAY_VOLUMES}
FROM_ARRAY = ON_ARRAY | {Capability.VOLUME_FROM_PRIMARY}
FROM_VOLUME = AS_VOLUME | FROM_ARRAY
FROM_BACKUP = AS_BACKUP | {Capability.VOLUME_FROM_SECONDARY}
REVERTING = ON_ARRAY | {Capability.REVERT}
RESIZING = ON_ARRAY | {Capability.RESIZE}
FROM_TEMPLATE = AT_BOTH | {Capability.TEMPLATES}
OF_ACCOUNT = FROM_TEMPLATE | {Capability.ACCOUNTS, Capability.POLICIES}
ON_KVM = frozenset({Capability.KVM})

Act: TypeAlias = Callable[[DriverUnderTest], object]
Judge: TypeAlias = Callable[[Lab], Iterator[str]]
"""What must hold of this workflow alone, in sentences about what does not."""


Wanting: TypeAlias = Callable[[Lab, Snapshot], tuple[Act, Judge]]
"""What somebody asks of a snapshot, and that it can be had."""
Request = TypeVar("Request", SnapshotRequest, TemplateRequest, VolumeRequest)


def no_more(_lab: Lab) -> Iterator[str]:
    """Ask for nothing beyond the invariants."""
    yield from ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What an arrangement leaves behind: the act to come, and the guest that writes meanwhile.

    Where there are `others`, they are asked for at the same time, by a caller each.
    """

    act: Act
    guest: Guest
    judge: Judge = no_more
    others: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow; its version grows when its calls change their meaning, so that old schedules are not misread.

    A driver that does not declare all that it `needs` is not asked for it.
    """

    version: int
    arrange: Callable[[Lab], Stage]
    needs: frozenset[Capability]
    scenery: Scenery = PLAIN
    hosts: HypervisorType = HypervisorType.XENSERVER


def volume_with_guest(lab: Lab, name: str = "database", account: AccountId = ACCOUNT) -> tuple[Volume, Guest]:
    """A volume of some size that a machine has written to."""
    request = VolumeRequest(operation=OperationId(f"create-{name}"), account=account, name=name, size_bytes=SIZE_BYTES)
    volume = lab.attempt(lambda driver: driver.create_volume(request)).result()
    guest = lab.start_guest(volume)
    guest.fill(blocks=6)
    return volume, guest


def taken(lab: Lab, volume: Volume, name: str, location: LocationType) -> Snapshot:
    """A snapshot that is there."""
    request = SnapshotRequest(operation=OperationId(f"take-{name}"), volume=volume.id, name=name, location=location)
    return lab.attempt(lambda driver: driver.take_snapshot(request)).result()


def insist(lab: Lab, ask: Callable[[DriverUnderTest, OperationId], object], operation: str) -> Outcome[object]:
    """Ask by the same id once more or, where that has failed, by another."""
    outcome = lab.attempt(lambda driver: ask(driver, OperationId(operation)))
    if outcome.error is None:
        return outcome
    return lab.attempt(lambda driver: ask(driver, OperationId(f"{operation}{AGAIN}")))


def insist_on(lab: Lab, ask: Callable[[DriverUnderTest, Request], object], request: Request) -> None:
    """The same of a request that carries its id."""
    insist(lab, lambda driver, operation: ask(driver, replace(request, operation=operation)), request.operation)
