"""What hosts of each make can do: one operation asked for, and whether it succeeds or is refused beforehand."""

from collections.abc import Callable, Mapping

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverUnderTest, InvalidRequestError
from snapproof.lab import Lab, Scenery
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import (
    HypervisorType,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotRequest,
    TemplateRequest,
    Volume,
    VolumeRequest,
)

SITES: Mapping[str, tuple[HypervisorType, Scenery]] = {
    "XenServer": (HypervisorType.XENSERVER, Scenery()),
    "XenServer without re-signing": (HypervisorType.XENSERVER, Scenery(resign=False)),
    "KVM": (HypervisorType.KVM, Scenery()),
    "VMware": (HypervisorType.VMWARE, Scenery()),
}


def take(driver: DriverUnderTest, operation: OperationId, volume: Volume, location: LocationType) -> Snapshot:
    """Ask for a snapshot."""
    request = SnapshotRequest(operation=operation, volume=volume.id, name=operation, location=location)
    return driver.take_snapshot(request)


def restore(driver: DriverUnderTest, operation: OperationId, snapshot: Snapshot) -> Volume:
    """Ask for a volume."""
    return driver.create_volume(
        VolumeRequest(
            operation=operation,
            account=ACCOUNT,
            name="restored",
            size_bytes=snapshot.size_bytes,
            from_snapshot=snapshot.id,
        )
    )


OPERATIONS: Mapping[str, Callable[[DriverUnderTest, OperationId, Scene], object]] = {
    "a snapshot on PRIMARY": lambda driver, operation, scene: take(
        driver, operation, scene.volume("database"), LocationType.PRIMARY
    ),
    "a snapshot on SECONDARY": lambda driver, operation, scene: take(
        driver, operation, scene.volume("database"), LocationType.SECONDARY
    ),
    "an archive": lambda driver, operation, scene: driver.archive_snapshot(operation, scene.snapshot("kept").id),
    "a volume": lambda driver, operation, scene: restore(driver, operation, scene.snapshot("kept")),
    "a template": lambda driver, operation, scene: driver.create_template(
        TemplateRequest(operation=operation, account=ACCOUNT, name="golden", from_snapshot=scene.snapshot("kept").id)
    ),
    "a revert": lambda driver, operation, scene: driver.revert_volume(operation, scene.snapshot("kept").id),
}
"""What is asked for of the volume `database`, or of its snapshot `kept`."""


@given(parsers.parse("a site of {make} hosts"), target_fixture="lab")
def a_site_of(open_lab: Callable[..., Lab], make: str) -> Lab:
    """Build the site with hosts of a make: `XenServer`, `XenServer without re-signing`, `KVM` or `VMware`."""
    hypervisor, scenery = SITES[make]
    return open_lab("nfs", hypervisor, scenery)


@when(parsers.parse("somebody wants {thing}"))
def somebody_wants(lab: Lab, scene: Scene, thing: str) -> None:
    """Ask for one of the operations by its name."""
    operation, ask = scene.operation(), OPERATIONS[thing]
    if thing == "a revert" and "database" not in scene.guests:
        lab.expect_revert(scene.volume("database"))
    scene.act(lab, lambda driver: ask(driver, operation, scene))


@then(parsers.parse("it is {outcome} by the matrix"))
def by_the_matrix(lab: Lab, scene: Scene, outcome: str) -> None:
    """`done`, or `refused` as the caller's mistake with nothing changed."""
    if outcome == "done":
        scene.outcome.raise_if_failed()
        return
    error = scene.outcome.error
    assert isinstance(error, InvalidRequestError), f"It should be refused, and ended with {error or 'success'}."
    changes = scene.before.changes(lab.inventory())
    assert not changes, f"It was refused, and has changed: {changes}"
