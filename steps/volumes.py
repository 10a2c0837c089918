"""Volumes: made, used by a guest, deleted; and what the array knows of them."""

from collections.abc import Callable

from pytest_bdd import given, parsers, then, when

from snapproof.lab import GuestEvent, Lab
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import BLOCK_BYTES, Qos, Volume, VolumeRequest

HEADERS = {
    "QCOW2": bytes.fromhex("514649fb 00000003 0000000000000068 0000000b 00000010 0000000000100000")
    + bytes(72)
    + b"/etc/passwd",
    "VMDK": b'# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 2048 FLAT "/etc/passwd" 0\n',
    "VHD": b"conectix" + bytes.fromhex("00000002 00010000 ffffffffffffffff"),
}
"""How images begin; the first two name a file of the host's."""

UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@given(parsers.parse('a volume "{name}" of {size:d} {unit}'))
def a_volume(lab: Lab, scene: Scene, draw_name: Callable[[str], str], name: str, size: int, unit: str) -> None:
    """Make a volume that no guest has used. What it is called in the cloud is drawn around the scenario's label."""
    request = VolumeRequest(
        operation=scene.operation(), account=ACCOUNT, name=draw_name(name), size_bytes=size * UNITS[unit]
    )
    scene.volumes[name] = scene.arrange(lab, lambda driver: driver.create_volume(request))


@given(parsers.parse('a volume of {size:d} MiB that is called exactly "{name}"'))
def a_volume_called_exactly(lab: Lab, scene: Scene, size: int, name: str) -> None:
    """Make a volume under this very name, to the last code point."""
    request = VolumeRequest(operation=scene.operation(), account=ACCOUNT, name=name, size_bytes=size * UNITS["MiB"])
    scene.volumes[name] = scene.arrange(lab, lambda driver: driver.create_volume(request))


@then(parsers.parse('the driver lists the volume and the snapshot as exactly "{volume}" and "{snapshot}"'))
def listed_as_exactly(lab: Lab, volume: str, snapshot: str) -> None:
    """To the last code point."""
    volumes = [row.name for row in lab.driver.list_volumes()]
    snapshots = [row.name for row in lab.driver.list_snapshots()]
    assert volumes == [volume], f"The volume {volume!a} is listed as {volumes!a}."
    assert snapshots == [snapshot], f"The snapshot {snapshot!a} is listed as {snapshots!a}."


@then("every name on the array is plain ASCII")
def names_are_plain(lab: Lab) -> None:
    """Letters, digits and signs that every tool can print."""
    names = [row.name for row in lab.array_volumes()] + [row.name for row in lab.array_snapshots()]
    strange = [name for name in names if not (name.isascii() and name.isprintable())]
    assert names, "The array holds nothing."
    assert not strange, f"The array holds {strange!a}."


@given(parsers.parse('a guest has written to "{name}"'))
def a_guest_has_written(lab: Lab, scene: Scene, name: str) -> None:
    """Start a guest on the volume and let it fill some of it; the guest stays."""
    guest = lab.start_guest(scene.volume(name))
    guest.fill(blocks=12)
    scene.guests[name] = guest


@given(parsers.parse('a guest has written nothing yet to "{name}"'))
def a_guest_has_written_nothing(lab: Lab, scene: Scene, name: str) -> None:
    """Start a guest on the volume, which formats it for its host and does no more."""
    scene.guests[name] = lab.start_guest(scene.volume(name))


@given(parsers.parse('a guest has written one block to "{name}"'))
def a_guest_has_written_a_block(lab: Lab, scene: Scene, name: str) -> None:
    """Start a guest on the volume, and let it write at one place."""
    a_guest_has_written_nothing(lab, scene, name)
    scene.guests[name].write(0, b"one block".ljust(BLOCK_BYTES, b"."))


@given(parsers.parse('the guest of "{name}" has written its last bytes'))
def the_guest_has_written_its_last_bytes(scene: Scene, name: str) -> None:
    """Right at the end of the disk, where whoever rounds down loses them."""
    text = b"the last bytes"
    scene.guests[name].write(scene.volume(name).size_bytes - len(text), text)


@given(parsers.parse('the guest of "{name}" has written the header of a {form} image'))
def a_guest_has_written_a_header(scene: Scene, name: str, form: str) -> None:
    """Let the guest begin its disk with the first bytes of a QCOW2, VMDK or VHD image, and end it with them too."""
    header = HEADERS[form]
    scene.guests[name].write(0, header)
    scene.guests[name].write(scene.volume(name).size_bytes - 512, header.ljust(512, b"\0"))


@given(parsers.parse('the guest of "{name}" is shut down'))
@when(parsers.parse('the guest of "{name}" is shut down'))
def the_guest_is_shut_down(scene: Scene, name: str) -> None:
    """Shut the guest down; its host lets go of the volume."""
    scene.writing.discard(name)
    scene.guests.pop(name).stop()


@given(parsers.parse('the guest of "{name}" keeps writing'))
def the_guest_keeps_writing(scene: Scene, name: str) -> None:
    """From here on the guest writes once at every external call that the driver makes during the act."""
    scene.writing.add(name)


@given(parsers.parse('the guest of "{name}" writes on'))
def the_guest_writes_on(scene: Scene, name: str) -> None:
    """Let the guest write more, over old places and new ones."""
    scene.guests[name].fill(blocks=12)


@given(parsers.parse('somebody else has deleted the LUN of "{name}"'))
def somebody_else_has_deleted_the_lun(lab: Lab, scene: Scene, name: str) -> None:
    """An administrator of the array, by hand, and for good."""
    lab.lose_array_volume(scene.volume(name))


@when(parsers.parse('a volume "{name}" is made from snapshot "{snapshot}"'))
def a_volume_is_made(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """Ask for a volume with the snapshot's content and IOPS of its own: 500, 2,000 and 3,000."""
    source = scene.snapshot(snapshot)
    request = VolumeRequest(
        operation=scene.operation(),
        account=ACCOUNT,
        name=name,
        size_bytes=source.size_bytes,
        qos=Qos(min_iops=500, max_iops=2_000, burst_iops=3_000),
        from_snapshot=source.id,
    )
    outcome = scene.act(lab, lambda driver: driver.create_volume(request))
    if outcome.value is not None:
        scene.volumes[name] = outcome.value


@when(parsers.parse('the volume "{name}" is resized to {size:d} {unit}'))
def the_volume_is_resized(lab: Lab, scene: Scene, name: str, size: int, unit: str) -> None:
    """Ask for a larger volume."""
    operation, volume = scene.operation(), scene.volume(name).id
    if name not in scene.guests:
        lab.expect_resize(scene.volume(name))
    scene.act(lab, lambda driver: driver.resize_volume(operation, volume, size * UNITS[unit]))


@then(parsers.parse('the volume "{name}" is a disk of {size:d} {unit}'))
def the_volume_is_a_disk_of(lab: Lab, scene: Scene, name: str, size: int, unit: str) -> None:
    """As the driver lists it, and as its LUN has it; the act must have succeeded."""
    scene.outcome.raise_if_failed()
    known = scene.volume(name)
    (listed,) = [row.size_bytes for row in lab.driver.list_volumes() if row.id == known.id]
    held = lab.content_of(known).size_bytes
    assert (listed, held) == (size * UNITS[unit],) * 2, f'"{name}" is listed with {listed} bytes and has {held}.'


@given(parsers.parse('the machine of "{name}" has a snapshot of its own'))
def the_machine_has_a_snapshot(scene: Scene, name: str) -> None:
    """Taken by the host's administrator; the disk holds a chain from now on."""
    scene.guests[name].undergo(GuestEvent.SNAPSHOT)


@when(parsers.parse('the volume "{name}" is reverted to snapshot "{snapshot}"'))
def the_volume_is_reverted(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """Ask to take the volume back; its owner knows."""
    operation, goal = scene.operation(), scene.snapshot(snapshot).id
    if name not in scene.guests:
        lab.expect_revert(scene.volume(name))
    scene.act(lab, lambda driver: driver.revert_volume(operation, goal))


@when(parsers.parse('keeping what it is as "{label}", the volume "{name}" is reverted to snapshot "{snapshot}"'))
def the_volume_is_reverted_and_kept(lab: Lab, scene: Scene, name: str, snapshot: str, label: str) -> None:
    """Ask to take the volume back, and for a snapshot of what it is until then; the scenario calls that by a label."""
    operation, goal = scene.operation(), scene.snapshot(snapshot).id
    known = {row.id for row in lab.driver.list_snapshots()}
    lab.expect_revert(scene.volume(name))
    scene.act(lab, lambda driver: driver.revert_volume(operation, goal, keep_present=True)).raise_if_failed()
    kept = [row for row in lab.driver.list_snapshots() if row.id not in known]
    assert len(kept) == 1, f"{len(kept)} snapshots of what was there were taken."
    scene.snapshots[label] = kept[0]


@then(parsers.parse('the volume "{name}" has kept its size, its target and its access groups'))
def the_volume_has_kept(lab: Lab, scene: Scene, name: str) -> None:
    """As the driver lists it, and as the array has it: in no group, since no machine runs."""
    known = scene.volume(name)
    (now,) = [volume for volume in lab.driver.list_volumes() if volume.id == known.id]
    assert (now.size_bytes, now.target) == (known.size_bytes, known.target), f"The driver lists {now}."
    lun = lab.array_volume_of(now)
    assert lun is not None, f'The array has no volume behind "{name}".'
    assert lun.active, f'The LUN of "{name}" is deleted.'
    assert lun.groups == (), f'Volume "{name}" is in the access groups {lun.groups}.'


@given(parsers.parse('the volume "{name}" has been deleted'))
def the_volume_has_been_deleted(lab: Lab, scene: Scene, name: str) -> None:
    """Delete the volume before the scenario begins."""
    operation = scene.operation()
    lab.attempt(lambda driver: driver.delete_volume(operation, scene.volume(name).id)).raise_if_failed()


@when(parsers.parse('the volume "{name}" is deleted'))
def the_volume_is_deleted(lab: Lab, scene: Scene, name: str) -> None:
    """Ask to delete the volume."""
    operation = scene.operation()
    scene.act(lab, lambda driver: driver.delete_volume(operation, scene.volume(name).id))


@then(parsers.parse('the volume "{name}" holds what was on the disk when "{snapshot}" was taken'))
@then(parsers.parse('the volume "{name}" is what it was when "{snapshot}" was taken'))
def the_volume_holds(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """Compare the volume's bytes with what the guest remembers of that moment."""
    wanted, found = lab.content_when_taken(scene.snapshot(snapshot)), lab.content_of(scene.volume(name))
    differing = wanted.differing(found)
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    assert found == wanted, (
        f'Volume "{name}" differs from snapshot "{snapshot}" in {len(differing)} blocks: {differing[:5]}'
    )


@then(parsers.parse('the volume "{name}" is a clone of its own on the array'))
def the_volume_is_a_clone(lab: Lab, scene: Scene, name: str) -> None:
    """Another LUN than the source's, and one that a host opens beside its parent: a guest starts on it and reads."""
    volume = scene.volume(name)
    assert _active(lab, volume), f'The array has no active volume behind "{name}".'
    assert "array.CloneVolume#1" in lab.calls(), "The volume was not made by a clone on the array."
    guest = lab.start_guest(volume)
    assert guest.read(0, 512) is not None
    guest.stop()


@then(parsers.parse('the volume "{name}" has {minimum:d} to {maximum:d} IOPS'))
def the_volume_has_iops(lab: Lab, scene: Scene, name: str, minimum: int, maximum: int) -> None:
    """Look at the array's own figures."""
    lun = lab.array_volume_of(scene.volume(name))
    assert lun is not None, f'The array has no volume behind "{name}".'
    assert (lun.min_iops, lun.max_iops) == (minimum, maximum), f'"{name}" has {lun.min_iops} to {lun.max_iops} IOPS.'


@then(parsers.parse('the array still holds the LUN of "{name}"'))
def the_array_still_holds(lab: Lab, scene: Scene, name: str) -> None:
    """The LUN is active."""
    assert _active(lab, scene.volume(name)), f'The LUN of "{name}" is gone, with every snapshot that needed it.'


@then(parsers.parse('the array holds the LUN of "{name}" no longer'))
def the_array_holds_no_longer(lab: Lab, scene: Scene, name: str) -> None:
    """The LUN is deleted; the array may keep it restorable for a while."""
    assert not _active(lab, scene.volume(name)), f'The LUN of "{name}" is still there.'


@then(parsers.parse('the volume "{name}" is untouched'))
def the_volume_is_untouched(lab: Lab, scene: Scene, name: str) -> None:
    """It exists, it is active, and it holds what its guest wrote and nothing else."""
    volume = scene.volume(name)
    assert _active(lab, volume), f'The LUN of "{name}" ({volume.target}) is gone.'
    written = lab.guest_content(volume)
    assert written is not None, f'No guest ever wrote to "{name}".'
    differing = written.differing(lab.content_of(volume))
    assert not differing, f'Volume "{name}" differs from what its guest wrote in {len(differing)} blocks.'


@then(parsers.parse('the volume "{name}" is as large as "{source}" or larger'))
def the_volume_is_as_large(lab: Lab, scene: Scene, name: str, source: str) -> None:
    """As the driver lists it, and as a guest would see it."""
    wanted, volume = scene.volume(source).size_bytes, scene.volume(name)
    seen = lab.content_of(volume).size_bytes
    assert min(volume.size_bytes, seen) >= wanted, f'"{name}" has {volume.size_bytes} and {seen} bytes, not {wanted}.'


@then(parsers.parse('every byte of "{snapshot}" is on the volume "{name}"'))
def every_byte_is_there(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """A larger disk may have zeros behind them."""
    wanted, found = lab.content_when_taken(scene.snapshot(snapshot)), lab.content_of(scene.volume(name))
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    assert found.extends(wanted), f'Volume "{name}" lacks some of what was on the disk when "{snapshot}" was taken.'


@then("the array keeps no volume but users' own, not even a deleted one")
def only_users_volumes(lab: Lab) -> None:
    """A volume that the array would restore is a volume with bytes on it."""
    own = {volume.target.rpartition(".")[2] for volume in lab.driver.list_volumes()}
    others = [lun for lun in lab.array_volumes() if str(lun.id) not in own]
    named = ", ".join(f"{lun.name} ({'active' if lun.active else 'deleted'})" for lun in others)
    assert not others, f"The array still keeps {named}."


@given("memory is watched from here")
def memory_is_watched(lab: Lab, scene: Scene) -> None:
    """The most that was ever in use until now."""
    scene.memory_bytes = lab.peak_memory_bytes()


@then(parsers.parse("no more than {number:d} MiB of memory were needed"))
def memory_needed(lab: Lab, scene: Scene, number: int) -> None:
    """By driver and lab together, beyond what had been in use before."""
    grown = (lab.peak_memory_bytes() - scene.memory_bytes) // UNITS["MiB"]
    assert grown <= number, f"{grown} MiB of memory were needed."


@then("no LUN that held a storage repository was formatted")
def nothing_was_formatted(lab: Lab) -> None:
    """Whatever a host was told to format held nothing (hazard C25)."""
    destroyed = lab.formatted_over()
    assert not destroyed, f"Formatting destroyed the storage repositories {', '.join(destroyed)}."


def _active(lab: Lab, volume: Volume) -> bool:
    lun = lab.array_volume_of(volume)
    return lun is not None and lun.active
