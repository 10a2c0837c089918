"""Machines: what befalls them by the hand of others while their volumes are worked on, and what became of snapshots."""

from collections.abc import Callable

from pytest_bdd import given, parsers, then

from snapproof.lab import GuestEvent, Lab
from snapproof.steps.scene import Scene
from snapproof.vocabulary import LocationType

EVENTS = {
    "halted": GuestEvent.HALT,
    "booted": GuestEvent.BOOT,
    "rebooted": GuestEvent.REBOOT,
    "migrated": GuestEvent.MIGRATE,
    "snapshotted": GuestEvent.SNAPSHOT,
}
BUSY = ("busy", "in use", "attach", "machine", "snapshot", "disks")
"""Words of which a refusal that explains itself has one at least."""
GROWN_BYTES = 10**9


@given(parsers.parse('the guest of "{name}" runs'))
def the_guest_runs(scene: Scene, name: str) -> None:
    """Nothing befalls it before the act."""
    assert name in scene.guests, f'"{name}" has no guest.'


@given(parsers.parse('the guest of "{name}" is halted'))
def the_guest_is_halted(scene: Scene, name: str) -> None:
    """The machine is off; its host keeps the disk attached."""
    scene.guests[name].undergo(GuestEvent.HALT)


@given(parsers.parse('the guest of "{name}" is detached'))
def the_guest_is_detached(scene: Scene, name: str) -> None:
    """The disk belongs to no machine."""
    scene.guests.pop(name).stop()


@given(parsers.parse('the machine of "{name}" is {changed}'))
def the_machine_is(scene: Scene, name: str, changed: str) -> None:
    """Something befalls it before the act."""
    scene.guests[name].undergo(EVENTS[changed])


@given(parsers.parse('at the call {call}, the machine of "{name}" is {changed}'))
def at_the_call(lab: Lab, scene: Scene, call: str, name: str, changed: str) -> None:
    """Something befalls it in the middle of the act."""
    lab.watch_calls()
    befall = _befalling(lab, scene, name, changed)
    scene.meanwhile = lab.meanwhile(call, lambda _driver: befall())


@then(parsers.parse('the machine of "{name}" was {changed}'))
def the_machine_was(scene: Scene, name: str, changed: str) -> None:
    """The driver was no hindrance to whoever cares for the machine."""
    assert scene.meanwhile.asked, f'The moment at which "{name}" should have been {changed} never came.'
    scene.meanwhile.outcome.raise_if_failed()


@then(parsers.parse('the snapshot "{name}" is one moment of the volume, or the act is refused as busy'))
@then(parsers.parse('the backup of "{name}" is the whole disk, or the act is refused for the host\'s snapshots'))
def one_moment_or_refused(lab: Lab, scene: Scene, name: str) -> None:
    """A backup is compared at once; what is on the array is, when a volume is made from it.

    Of a chain, neither the base nor its empty end is the disk that the guest sees.
    """
    if scene.outcome.error is not None:
        _require_words(scene, BUSY)
        return
    scene.outcome.raise_if_failed()
    _require_whole(lab, scene, name)


@then(
    parsers.parse(
        'the volume "{name}" is the whole disk of "{snapshot}", or the act is refused for the host\'s snapshots'
    )
)
def the_volume_is_whole_or_refused(lab: Lab, scene: Scene, name: str, snapshot: str) -> None:
    """The same of a volume that was made of such a disk."""
    if scene.outcome.error is not None:
        _require_words(scene, BUSY)
        return
    wanted, found = lab.content_when_taken(scene.snapshot(snapshot)), lab.content_of(scene.volume(name))
    assert found == wanted, f'Volume "{name}" differs from the disk in {len(wanted.differing(found))} blocks.'


@given(parsers.parse('{something} happens to "{name}"'))
def something_happens(lab: Lab, scene: Scene, something: str, name: str) -> None:
    """Another feature of the cloud is used on the volume, or on the hosts that have it."""
    volume = scene.volume(name)
    happenings: dict[str, Callable[[], None]] = {
        "a migration": lambda: scene.guests[name].undergo(GuestEvent.MIGRATE),
        "a snapshot by its host": lambda: scene.guests[name].undergo(GuestEvent.SNAPSHOT),
        "a resize": lambda: lab.grow_volume(volume, GROWN_BYTES),
        "the loss of a host": lambda: lab.take_host_out(2, "down"),
        "the return of a host": lab.repair,
        "the making of a cached copy": lambda: lab.clone_for_others(volume),
    }
    if something == "the return of a host":
        lab.take_host_out(2, "down")
    happenings[something]()


def _befalling(lab: Lab, scene: Scene, name: str, changed: str) -> Callable[[], None]:
    def attach() -> None:
        scene.guests[name] = lab.start_guest(scene.volume(name))
        scene.guests[name].fill(blocks=3)

    def detach() -> None:
        scene.writing.discard(name)
        scene.guests.pop(name).stop()

    def undergo() -> None:
        scene.guests[name].undergo(EVENTS[changed])

    return {"attached": attach, "detached": detach}.get(changed, undergo)


def _require_whole(lab: Lab, scene: Scene, name: str) -> None:
    snapshot = scene.snapshot(name)
    paths = [copy.reference for copy in snapshot.copies if copy.location is LocationType.SECONDARY]
    wanted = lab.content_when_taken(snapshot)
    assert wanted.blocks, "The guest had written nothing, so that equality would prove nothing."
    for image in lab.backups():
        if image.path in paths:
            differing = wanted.differing(image.content)
            assert not differing, f'The backup of "{name}" differs from that moment in {len(differing)} blocks.'


def _require_words(scene: Scene, words: tuple[str, ...]) -> None:
    said = str(scene.outcome.error)
    assert any(word in said for word in words), f"The refusal does not say what stands in the way: {said}"
