"""Snapshots that are array volumes of their own, as where no host can re-sign a clone."""

from pytest_bdd import parsers, then

from snapproof.driver import get_snapshot
from snapproof.lab import ArrayVolume, Lab
from snapproof.steps.scene import Scene
from snapproof.vocabulary import OF_ARRAY_VOLUMES, Copy, LocationType

DETAILS = frozenset({"volumeId", "sfStoragePoolId", "sfVolumeSize", "iqn", "path"})


@then(parsers.parse('an array volume of its own holds what was on the disk when "{name}" was taken'))
def the_snapshot_is_an_array_volume(lab: Lab, scene: Scene, name: str) -> None:
    """Active, in no access group, with the bytes of its moment."""
    scene.outcome.raise_if_failed()
    lun = _lun(lab, scene, name)
    assert lun is not None, f'The array has no volume for "{name}".'
    assert lun.active, f'The array volume {lun.id} of "{name}" is deleted.'
    assert lun.groups == (), f'The array volume {lun.id} of "{name}" is in the access groups {lun.groups}.'
    wanted, found = lab.content_when_taken(scene.snapshot(name)), lab.content_of_lun(lun.id)
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    scene.require_written_since(lab, scene.snapshot(name))
    assert found == wanted, f'"{name}" differs from its moment in {len(wanted.differing(found))} blocks.'


@then(parsers.parse('five details are kept of the array volume of "{name}", and they are true'))
def five_details_are_kept(lab: Lab, scene: Scene, name: str) -> None:
    """Its number, its pool, its size, where hosts find it, and which disk is on it."""
    copy, lun = _copy(lab, scene, name), _lun(lab, scene, name)
    assert lun is not None, f'The array has no volume for "{name}".'
    assert copy.details.keys() == DETAILS, f"The driver keeps {sorted(copy.details)}."
    wanted = {
        "volumeId": str(lun.id),
        "sfVolumeSize": str(lun.size_bytes),
        "iqn": f"/{lun.target}/0",
        "path": lab.disk_uuid_of_lun(lun.id),
    }
    wrong = {key: copy.details[key] for key, value in wanted.items() if copy.details[key] != value}
    assert not wrong, f"These are not true: {wrong}; they should be {wanted}."
    assert copy.details["sfStoragePoolId"], "The pool is not said."


@then(parsers.parse('the array volume of "{name}" is gone'))
def the_array_volume_is_gone(lab: Lab, scene: Scene, name: str) -> None:
    """Deleted; the array may keep it restorable for a while. The act must have succeeded."""
    scene.outcome.raise_if_failed()
    number = _number(_known_copy(scene, name))
    (found,) = [row.active for row in lab.array_volumes() if row.id == number] or [False]
    assert not found, f'The array volume {number} of "{name}" is still there.'


def _copy(lab: Lab, scene: Scene, name: str) -> Copy:
    found = get_snapshot(lab.driver, scene.snapshot(name).id)
    (copy,) = [copy for copy in found.copies if copy.location is LocationType.PRIMARY]
    return copy


def _known_copy(scene: Scene, name: str) -> Copy:
    (copy,) = [copy for copy in scene.snapshot(name).copies if copy.location is LocationType.PRIMARY]
    return copy


def _number(copy: Copy) -> int:
    assert copy.reference.startswith(OF_ARRAY_VOLUMES), (
        f"The driver keeps it at {copy.reference}, which is no array volume."
    )
    return int(copy.reference.removeprefix(OF_ARRAY_VOLUMES))


def _lun(lab: Lab, scene: Scene, name: str) -> ArrayVolume | None:
    number = _number(_copy(lab, scene, name))
    return next((row for row in lab.array_volumes() if row.id == number), None)
