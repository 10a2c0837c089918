"""Storage pools and image stores where there are several: on which of them things are, and what they count as used."""

from pytest_bdd import given, parsers, then, when

from snapproof.lab import Lab
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import Copy, LocationType, VolumeRequest

FIRST_STORE = "secondary-1"
"""Where the backups of a driver are that knows one image store, and so does not name it."""


@given(parsers.parse('on the pool {pool}, a volume "{name}" of {size:d} MiB'))
def a_volume_on_a_pool(lab: Lab, scene: Scene, name: str, size: int, pool: str) -> None:
    """Make a volume that no guest has used."""
    request = VolumeRequest(operation=scene.operation(), account=ACCOUNT, name=name, size_bytes=size * 2**20, pool=pool)
    scene.volumes[name] = scene.arrange(lab, lambda driver: driver.create_volume(request))


@when(parsers.parse('a volume "{name}" is made from snapshot "{snapshot}" on the pool {pool}'))
def a_volume_is_made_on_a_pool(lab: Lab, scene: Scene, name: str, snapshot: str, pool: str) -> None:
    """Ask for a volume with the snapshot's content, on a pool by its name."""
    source = scene.snapshot(snapshot)
    request = VolumeRequest(
        operation=scene.operation(),
        account=ACCOUNT,
        name=name,
        size_bytes=source.size_bytes,
        from_snapshot=source.id,
        pool=pool,
    )
    outcome = scene.act(lab, lambda driver: driver.create_volume(request))
    if outcome.value is not None:
        scene.volumes[name] = outcome.value


@then(parsers.parse('the volume "{name}" is on the pool {pool}'))
def the_volume_is_on(lab: Lab, scene: Scene, name: str, pool: str) -> None:
    """As the driver lists it; the act must have succeeded."""
    known = scene.volume(name)
    (found,) = [row.pool for row in lab.driver.list_volumes() if row.id == known.id]
    assert found == pool, f'The driver lists "{name}" on {found}.'


@given("the pools' use is noted", target_fixture="use_before")
def the_use_is_noted(lab: Lab) -> dict[str, int]:
    """Ask how many bytes each pool counts as used."""
    return _use(lab)


@then(parsers.parse("the pool {pool} counts {change} bytes as used"))
def the_pool_counts(lab: Lab, use_before: dict[str, int], pool: str, change: str) -> None:
    """Compare with what was noted: `as many`, `more` or `fewer`."""
    grown = _use(lab)[pool] - use_before[pool]
    assert {"as many": grown == 0, "more": grown > 0, "fewer": grown < 0}[change], (
        f"The pool {pool} counts {grown} bytes more than before."
    )


@then("every backup lies in just the image store that the driver says")
def every_backup_lies(lab: Lab) -> None:
    """Each copy on secondary storage is one file, where the driver says, or on the first store; all are looked into."""
    lying: dict[str, list[str]] = {}
    for image in lab.backups():
        lying.setdefault(image.path, []).append(image.store)
    told = {
        copy.reference: [_store_of(copy)]
        for snapshot in lab.driver.list_snapshots()
        for copy in snapshot.copies
        if copy.location is LocationType.SECONDARY
    }
    assert told, "The driver lists no backup, so that nothing would be proved."
    assert lying == told, f"The driver says {told}; they lie at {lying}."


@then(parsers.parse('no image store was asked for anything but that of "{name}"'))
def no_other_store_was_asked(lab: Lab, scene: Scene, name: str) -> None:
    """Among the calls of the driver itself since they were counted from one."""
    (copy,) = [copy for copy in scene.snapshot(name).copies if copy.location is LocationType.SECONDARY]
    number = _store_of(copy).rpartition("-")[2]
    wanted = "nfs" if number == "1" else f"nfs-{number}"
    asked = {call.partition(".")[0] for call in lab.calls()}
    others = {service for service in asked if service.startswith("nfs")} - {wanted}
    assert not others, f'"{name}" lies in {_store_of(copy)}, and these were asked: {", ".join(sorted(others))}.'


def _store_of(copy: Copy) -> str:
    return copy.store or FIRST_STORE


def _use(lab: Lab) -> dict[str, int]:
    return {pool.name: pool.used_bytes for pool in lab.driver.list_pools()}
