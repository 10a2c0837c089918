"""Backups: the files and objects on secondary storage, as the lab opens them."""

import re

from pytest_bdd import given, parsers, then

from snapproof.lab import BackupImage, Lab
from snapproof.steps.scene import Scene
from snapproof.vocabulary import LocationType


@then(parsers.parse('the backup of "{name}" holds what was on the disk when it was taken'))
def the_backup_holds(lab: Lab, scene: Scene, name: str) -> None:
    """Compare the backup's guest-visible bytes with what the guest remembers of that moment."""
    wanted, found = lab.content_when_taken(scene.snapshot(name)), _backup(lab, scene, name).content
    differing = wanted.differing(found)
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    scene.require_written_since(lab, scene.snapshot(name))
    assert not differing, f'The backup of "{name}" differs in {len(differing)} blocks: {differing[:5]}.'


@then(parsers.parse('the backup of "{name}" opens alone, with the size of "{volume}"'))
def the_backup_opens_alone(lab: Lab, scene: Scene, name: str, volume: str) -> None:
    """A whole VHD that names no parent."""
    image = _backup(lab, scene, name)
    size = scene.volume(volume).size_bytes
    assert image.virtual_size_bytes == size, f"{image.path} holds {image.virtual_size_bytes} bytes, not {size}."
    assert not image.has_parent, f"{image.path} needs another file to be read."


@then(parsers.parse('the backup of "{name}" is what was on the disk, be it nothing'))
def the_backup_is_what_was_on_the_disk(lab: Lab, scene: Scene, name: str) -> None:
    """Zeros included: a disk that nobody wrote to reads as zeros."""
    differing = lab.content_when_taken(scene.snapshot(name)).differing(_backup(lab, scene, name).content)
    assert not differing, f'The backup of "{name}" differs in {len(differing)} blocks: {differing[:5]}.'


@then(parsers.parse('the backup of "{name}" weighs at most {percent:d} percent of "{volume}"'))
def the_backup_weighs(lab: Lab, scene: Scene, name: str, percent: int, volume: str) -> None:
    """The file as it lies there."""
    weight, size = _backup(lab, scene, name).physical_size_bytes, scene.volume(volume).size_bytes
    assert weight * 100 <= size * percent, f'The backup of "{name}" weighs {weight} bytes of {size}.'


@then(parsers.parse('the backup of "{name}" lies under the account and the volume'))
def the_backup_lies(lab: Lab, scene: Scene, name: str) -> None:
    """snapshots/<account>/<volume>/<uuid>.vhd"""
    snapshot = scene.snapshot(name)
    path = _backup(lab, scene, name).path
    rule = rf"snapshots/{re.escape(snapshot.account)}/{re.escape(snapshot.volume)}/[0-9a-f-]{{36}}\.vhd"
    assert re.fullmatch(rule, path), f"{path} does not follow snapshots/<account>/<volume>/<uuid>.vhd."


@then("the array was never asked for a snapshot in a group, for replication or with an end of its own")
def no_odd_snapshot(lab: Lab) -> None:
    """Looked at when each was made, whatever became of it."""
    assert lab.array_snapshots() or lab.driver.list_snapshots(), "No snapshot was made, so nothing would be proved."
    odd = lab.odd_array_snapshots()
    assert not odd, f"Made in a group, for replication or with an end of its own: {', '.join(odd)}."


@then("every backup that the driver lists is there, whole")
def every_backup_is_there(lab: Lab) -> None:
    """One file or object for each copy that is listed, each with the bytes of its moment; one at least."""
    wanted = {
        copy.reference: lab.content_when_taken(snapshot)
        for snapshot in lab.driver.list_snapshots()
        for copy in snapshot.copies
        if copy.location is LocationType.SECONDARY
    }
    assert wanted, "The driver lists no backup, so that nothing would be proved."
    found = {image.path: image.content for image in lab.backups()}
    assert sorted(found) == sorted(wanted), f"The driver lists {sorted(wanted)}; there are {sorted(found)}."
    broken = [path for path in wanted if found[path] != wanted[path]]
    assert not broken, f"Not what was on the disk when they were taken: {broken}."


@then(parsers.parse('the backup of "{name}" is there, whole'))
@then(parsers.parse('the backup of "{name}" is still there, whole'))
def the_backup_is_there(lab: Lab, scene: Scene, name: str) -> None:
    """Its bytes are those of its moment, whatever became of the act."""
    path = _path(scene, name)
    found = [image.content for image in lab.backups() if image.path == path]
    assert found == [lab.content_when_taken(scene.snapshot(name))], f"{path} is gone, or no longer what it was."


@then(parsers.parse('the backup of "{name}" is gone'))
def the_backup_is_gone(lab: Lab, scene: Scene, name: str) -> None:
    """Nothing lies under its path."""
    path = _path(scene, name)
    assert path not in {image.path for image in lab.backups()}, f"{path} is still there."


def _path(scene: Scene, name: str) -> str:
    found = [copy for copy in scene.snapshot(name).copies if copy.location is LocationType.SECONDARY]
    assert len(found) == 1, f'The driver lists {len(found)} copies of "{name}" on secondary storage.'
    return found[0].reference


def _backup(lab: Lab, scene: Scene, name: str) -> BackupImage:
    scene.outcome.raise_if_failed()
    path = _path(scene, name)
    found = [image for image in lab.backups() if image.path == path]
    assert len(found) == 1, f"There are {len(found)} files at {path}."
    return found[0]


@given(parsers.parse('the bucket encrypts with the key "{key}"'))
def the_bucket_encrypts(lab: Lab, key: str) -> None:
    """The site says so, and a life of the driver begins that is told of it."""
    lab.encrypt_bucket(key)


@then(parsers.parse('the backup of "{name}" is encrypted with the key "{key}", and its record says so'))
def the_backup_is_encrypted(lab: Lab, scene: Scene, name: str, key: str) -> None:
    """As the store was told, and as the driver lists the copy: encryptionKeyId among its details."""
    path = _backup(lab, scene, name).path
    (copy,) = [copy for copy in scene.snapshot(name).copies if copy.reference == path]
    told, recorded = lab.encrypted_with(path), copy.details.get("encryptionKeyId")
    assert told == key, f"The store was told to encrypt {path} with {told or 'nothing'}."
    assert recorded == key, f"The record of {path} names the key {recorded}."
