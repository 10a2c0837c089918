"""Snapshots: taken, deleted, and what the driver says of them."""

from collections.abc import Callable

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverUnderTest, get_snapshot
from snapproof.lab import Lab
from snapproof.steps.scene import Scene, refusal_of
from snapproof.vocabulary import LocationType, Snapshot, SnapshotRequest, SnapshotState, VolumeId


@given(parsers.parse('a snapshot "{name}" of "{volume}" on {location}'))
def a_snapshot(lab: Lab, scene: Scene, name: str, volume: str, location: str) -> None:
    """Take a snapshot before the scenario begins; it must succeed."""
    scene.snapshots[name] = scene.arrange(lab, _taking(scene, name, volume, LocationType(location)))


@when(parsers.parse('a snapshot "{name}" of "{volume}" is taken'))
def a_snapshot_is_taken(lab: Lab, scene: Scene, name: str, volume: str) -> None:
    """Ask for a snapshot without saying where."""
    _take(lab, scene, name, volume, None)


@when(parsers.parse('a snapshot "{name}" of "{volume}" is taken on {location}'))
def a_snapshot_is_taken_on(lab: Lab, scene: Scene, name: str, volume: str, location: str) -> None:
    """Ask for a snapshot on PRIMARY or SECONDARY."""
    _take(lab, scene, name, volume, LocationType(location))


@when(parsers.parse('a snapshot "{name}" is taken of a volume that nobody knows'))
def a_snapshot_of_nothing(lab: Lab, scene: Scene, name: str) -> None:
    """Ask for a snapshot of an id that never was."""
    nobody = VolumeId("00000000-0000-4000-8000-000000000000")
    request = SnapshotRequest(operation=scene.operation(), volume=nobody, name=name, location=LocationType.PRIMARY)
    scene.act(lab, lambda driver: driver.take_snapshot(request))


@when(parsers.parse('a quiesced snapshot "{name}" of "{volume}" is taken on {location}'))
def a_quiesced_snapshot(lab: Lab, scene: Scene, name: str, volume: str, location: str) -> None:
    """Ask that the guest writes out what it holds first."""
    request = SnapshotRequest(
        operation=scene.operation(), volume=scene.volume(volume).id, name=name, location=location, quiesce=True
    )
    scene.act(lab, lambda driver: driver.take_snapshot(request))


@then("the guest was quiesced before the array's snapshot, or the act is refused for that reason")
def quiesced_or_refused(lab: Lab, scene: Scene) -> None:
    """By the calls that hosts and array saw; a refusal speaks of quiescing."""
    calls = [call.partition("#")[0] for call in lab.calls()]
    if scene.outcome.error is not None:
        assert "quiesce" in str(scene.outcome.error), f"Refused for another reason: {scene.outcome.error}"
        assert "array.CreateSnapshot" not in calls, "The array's snapshot was taken, although the act was refused."
        return
    scene.outcome.raise_if_failed()
    before = calls[: calls.index("array.CreateSnapshot")]
    assert any("quiesce" in call for call in before), "The driver took the snapshot of a guest that nobody quiesced."


@when(parsers.parse('a snapshot "{name}" of "{volume}" is wanted on "{written}"'))
def a_snapshot_is_taken_as_written(lab: Lab, scene: Scene, name: str, volume: str, written: str) -> None:
    """Ask for a snapshot on a place as somebody typed it; `_` stands for a blank, which a table would swallow."""
    _take(lab, scene, name, volume, written.replace("_", " "))


@when(parsers.parse('another snapshot "{label}" of "{volume}" is taken on {location}, named "{name}"'))
def a_snapshot_is_taken_under(lab: Lab, scene: Scene, label: str, volume: str, location: str, name: str) -> None:
    """Ask for a snapshot with a name that another one has; the scenario calls it by a label of its own."""
    request = SnapshotRequest(operation=scene.operation(), volume=scene.volume(volume).id, name=name, location=location)
    outcome = scene.act(lab, lambda driver: driver.take_snapshot(request))
    if outcome.value is not None:
        scene.snapshots[label] = outcome.value


@given(parsers.parse('{number:d} snapshots of "{volume}" on {location}'))
def many_snapshots(lab: Lab, scene: Scene, number: int, volume: str, location: str) -> None:
    """Take so many snapshots before the scenario begins."""
    for index in range(1, number + 1):
        scene.arrange(lab, _taking(scene, f"number {index}", volume, location))


@given(parsers.parse('somebody else has deleted the array snapshot of "{name}"'))
def somebody_else_has_deleted(lab: Lab, scene: Scene, name: str) -> None:
    """An administrator of the array, by hand."""
    (copy,) = [copy for copy in scene.snapshot(name).copies if copy.location is LocationType.PRIMARY]
    lab.lose_array_snapshot(int(copy.reference.removeprefix("SfSnapshotId=")))


@then(parsers.parse('the driver lists {number:d} snapshots called "{name}"'))
def the_driver_lists_so_many(lab: Lab, number: int, name: str) -> None:
    """Counted by name, each under an id of its own."""
    found = {snapshot.id for snapshot in lab.driver.list_snapshots() if snapshot.name == name}
    assert len(found) == number, f'The driver lists {len(found)} snapshots called "{name}".'


@when("the same is asked for again")
def the_same_again(lab: Lab, scene: Scene) -> None:
    """Send the last act once more, under the same operation id."""
    scene.act(lab, scene.last_act).raise_if_failed()


@when(parsers.parse('a snapshot "{name}" of "{volume}" is taken in the background'))
def a_snapshot_is_taken_in_background(lab: Lab, scene: Scene, name: str, volume: str) -> None:
    """Ask for a snapshot on SECONDARY whose backup nobody waits for."""
    _take(lab, scene, name, volume, LocationType.SECONDARY, async_backup=True)


@when("the driver works off what is due")
def the_driver_works_off(lab: Lab, scene: Scene) -> None:
    """Let the driver do what it does without a caller, then learn again what it says of the scenario's snapshots."""
    lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
    scene.look_again(lab)


@when(parsers.parse("the driver works for {hours:d} hours"))
def the_driver_works_for(lab: Lab, scene: Scene, hours: int) -> None:
    """Let the driver do what is due, every five minutes."""
    for _ in range(hours * 12):
        lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
        lab.advance(300)
    scene.look_again(lab)


@when(parsers.parse("{days:d} days pass, and each day the driver does what is due"))
def days_pass(lab: Lab, days: int) -> None:
    """Whatever is looked at in samples has been looked at by then. A driver's own clock must be the lab's for that."""
    for _ in range(days):
        lab.jump_clock(86_400)
        lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()


@given(parsers.parse('at the call {call}, somebody else deletes the snapshot "{name}"'))
def somebody_deletes(lab: Lab, scene: Scene, call: str, name: str) -> None:
    """A second caller at the same time. The snapshot is found by its name then: it may be in the making."""
    operation = scene.operation()
    lab.watch_calls()
    scene.meanwhile = lab.meanwhile(call, lambda driver: driver.delete_snapshot(operation, _listed(driver, name).id))


@given(parsers.parse('at the call {call}, somebody else takes a snapshot "{name}" of "{volume}" on {location}'))
def somebody_takes(lab: Lab, scene: Scene, call: str, name: str, volume: str, location: str) -> None:
    """A second caller at the same time."""
    taking = _taking(scene, name, volume, LocationType(location))

    def take(driver: DriverUnderTest) -> Snapshot:
        scene.snapshots[name] = taken = taking(driver)
        return taken

    lab.watch_calls()
    scene.meanwhile = lab.meanwhile(call, take)


@given(parsers.parse('at the call {call}, somebody else archives the snapshot "{name}"'))
def somebody_archives(lab: Lab, scene: Scene, call: str, name: str) -> None:
    """A second caller at the same time."""
    operation = scene.operation()
    lab.watch_calls()
    scene.meanwhile = lab.meanwhile(call, lambda driver: driver.archive_snapshot(operation, _listed(driver, name).id))


@given(parsers.parse("at the call {call}, the act is cancelled"))
def the_act_is_cancelled(lab: Lab, scene: Scene, call: str) -> None:
    """The caller has had enough; the operation is the next one that the scenario begins."""
    operation = scene.next_operation()
    lab.watch_calls()
    scene.meanwhile = lab.meanwhile(call, lambda driver: driver.cancel(operation))


@when(parsers.parse('the backup of "{name}" is cancelled'))
def the_backup_is_cancelled(lab: Lab, scene: Scene, name: str) -> None:
    """Cancel by the operation that took the snapshot, between two tries of its backup."""
    operation = scene.taken_by[name]
    scene.act(lab, lambda driver: driver.cancel(operation))


@then("the other caller is refused")
def the_other_is_refused(scene: Scene) -> None:
    """What somebody else wanted at the same time was answered with no."""
    assert scene.meanwhile.asked, "The moment at which somebody else asks never came."
    assert scene.meanwhile.outcome.error is not None, "The driver did what somebody else asked for."
    refusal_of(scene.meanwhile.outcome)


@then("the other caller has what he asked for")
def the_other_succeeds(scene: Scene) -> None:
    """What somebody else wanted at the same time was done."""
    assert scene.meanwhile.asked, "The moment at which somebody else asks never came."
    scene.meanwhile.outcome.raise_if_failed()


@then(parsers.parse("the act was over {seconds:d} seconds after somebody else had asked"))
def the_act_was_over(scene: Scene, seconds: int) -> None:
    """Measured on the lab's clock."""
    assert scene.meanwhile.asked, "The moment at which somebody else asks never came."
    took = scene.ended_s - scene.meanwhile.asked_s
    assert took <= seconds, f"The act went on for {took:.1f} s."


@when(parsers.parse('the snapshot "{name}" is deleted'))
def the_snapshot_is_deleted(lab: Lab, scene: Scene, name: str) -> None:
    """Ask to delete the snapshot."""
    operation = scene.operation()
    scene.act(lab, lambda driver: driver.delete_snapshot(operation, scene.snapshot(name).id))


@when(parsers.parse('the snapshot "{name}" is archived'))
def the_snapshot_is_archived(lab: Lab, scene: Scene, name: str) -> None:
    """Ask to move the snapshot to secondary storage."""
    outcome = scene.act(lab, _archiving(scene, name))
    if outcome.value is not None:
        scene.replace_snapshot(name, outcome.value)


@given(parsers.parse('the snapshot "{name}" has been archived'))
def the_snapshot_has_been_archived(lab: Lab, scene: Scene, name: str) -> None:
    """Move the snapshot to secondary storage before the scenario begins; it must succeed."""
    scene.replace_snapshot(name, scene.arrange(lab, _archiving(scene, name)))


@then(parsers.parse('the driver lists "{name}" on {places}'))
def the_driver_lists_on(lab: Lab, scene: Scene, name: str, places: str) -> None:
    """The copies that the driver tells of: `PRIMARY and SECONDARY`, or `PRIMARY and nowhere else`."""
    wanted = sorted(places.removesuffix(" and nowhere else").split(" and "))
    found = get_snapshot(lab.driver, scene.snapshot(name).id)
    copies = sorted(copy.location for copy in found.copies)
    assert copies == wanted, f'The driver lists "{name}" on {" and ".join(copies) or "no place"}.'
    assert found.location in wanted, f'The driver says that "{name}" is on {found.location}.'


@then(parsers.parse('the snapshot "{name}" is {state} on {location}'))
def the_snapshot_is(lab: Lab, scene: Scene, name: str, state: str, location: str) -> None:
    """Ask the driver what it lists; the act must have succeeded."""
    scene.outcome.raise_if_failed()
    found = get_snapshot(lab.driver, scene.snapshot(name).id)
    assert (found.state, found.location) == (state, location), f"The driver lists it {found.state} on {found.location}."


@then(parsers.parse('the driver lists "{name}" as {word}'))
def the_driver_lists_as_revertable(lab: Lab, scene: Scene, name: str, word: str) -> None:
    """`revertable` or `not revertable`; a driver that says nothing of it has not said so."""
    found = get_snapshot(lab.driver, scene.snapshot(name).id)
    assert found.revertable is {"revertable": True, "not revertable": False}[word], (
        f'The driver says of "{name}": revertable {found.revertable}.'
    )


@then("each snapshot has walked from state to state without a gap")
def each_snapshot_has_walked(lab: Lab) -> None:
    """Every state change begins in the state where the last one of its snapshot ended; the first one in Allocated."""
    places: dict[str, SnapshotState] = {}
    for change in lab.driver.state_changes():
        before = places.get(change.subject, SnapshotState.ALLOCATED)
        assert change.before is before, f"{change.subject} was {before} and went from {change.before}."
        places[change.subject] = change.after
    assert places, "No state change was ever reported."
    listed = {row.id: row.state for row in lab.driver.list_snapshots()}
    astray = {row: state for row, state in listed.items() if places.get(row) is not state}
    assert not astray, f"Listed otherwise than the changes lead to: {astray}"


@then(parsers.parse('no snapshot of the name "{name}" is forgotten'))
def none_is_forgotten(lab: Lab, name: str) -> None:
    """It is listed, in whatever state."""
    assert name in [row.name for row in lab.driver.list_snapshots()], f'Snapshot "{name}" is listed no longer.'


@when(parsers.parse('the snapshot of the name "{name}" is deleted'))
def the_snapshot_of_the_name_is_deleted(lab: Lab, scene: Scene, name: str) -> None:
    """Ask to delete a snapshot whose making failed, so that nobody was told its id."""
    operation, snapshot = scene.operation(), _listed(lab.driver, name).id
    scene.act(lab, lambda driver: driver.delete_snapshot(operation, snapshot))


@then("each snapshot is listed with the physical size that it has at its location")
def each_is_listed_with_its_size(lab: Lab) -> None:
    """On secondary storage that of the file, on the array that of the volume."""
    lying = {image.path: image.physical_size_bytes for image in lab.backups()}
    for row in lab.driver.list_snapshots():
        (copy,) = [copy for copy in row.copies if copy.location == row.location]
        wanted = lying.get(copy.reference, row.size_bytes)
        assert copy.physical_size_bytes == wanted > 0, (
            f'"{row.name}" is listed with {copy.physical_size_bytes} bytes on {row.location}; it has {wanted}.'
        )


@then(parsers.parse('the snapshot "{name}" is as large as "{volume}" or larger'))
def the_snapshot_is_as_large(scene: Scene, name: str, volume: str) -> None:
    """As the driver told when it was taken."""
    size, wanted = scene.snapshot(name).size_bytes, scene.volume(volume).size_bytes
    assert size >= wanted, f'Snapshot "{name}" is told to hold {size} bytes; the volume has {wanted}.'


@then(parsers.parse("narrowed to {location}, the driver lists {names}"))
def narrowed(lab: Lab, location: str, names: str) -> None:
    """All of them and no other."""
    found = sorted(row.name for row in lab.driver.list_snapshots(location=LocationType(location)))
    assert found == sorted(names.split(", ")), f"The driver lists {', '.join(found)} on {location}."


@then(parsers.parse('the array holds no snapshot of "{volume}"'))
def the_array_holds_none(lab: Lab, scene: Scene, volume: str) -> None:
    """By the array's own list."""
    lun = lab.array_volume_of(scene.volume(volume))
    assert lun is not None, f'The array has no volume behind "{volume}".'
    found = [row.id for row in lab.array_snapshots() if row.volume_id == lun.id]
    assert not found, f'The array still holds the snapshots {found} of "{volume}".'


@then(parsers.parse('the driver lists no snapshot "{name}"'))
def the_driver_lists_no_snapshot(lab: Lab, scene: Scene, name: str) -> None:
    """The snapshot is gone from every list; the act must have succeeded."""
    scene.outcome.raise_if_failed()
    listed = [snapshot.id for snapshot in lab.driver.list_snapshots()]
    assert scene.snapshot(name).id not in listed, f'Snapshot "{name}" is still listed.'


@then(parsers.parse('no snapshot is called "{name}"'))
@then(parsers.parse('no snapshot is called "{name}" any more'))
def no_snapshot_is_called(lab: Lab, name: str) -> None:
    """Not in any state, and by name, since nobody may have been told an id."""
    assert name not in [snapshot.name for snapshot in lab.driver.list_snapshots()], f'Snapshot "{name}" is listed.'


@then(parsers.parse('no snapshot is called "{name}" that is not {state}'))
def none_in_another_state(lab: Lab, name: str, state: str) -> None:
    """A request that was refused before anything was begun leaves no row."""
    found = [row.state for row in lab.driver.list_snapshots() if row.name == name and row.state != state]
    assert not found, f'Snapshot "{name}" is listed as {found}.'


@then(parsers.parse('the driver lists the snapshot "{name}" as {states}'))
def the_driver_lists_the_snapshot(lab: Lab, name: str, states: str) -> None:
    """The snapshot is listed under its name, once, in one of the states: `BackedUp`, or `BackedUp or Error`."""
    found = [snapshot.state for snapshot in lab.driver.list_snapshots() if snapshot.name == name]
    legal = {SnapshotState(state) for state in states.split(" or ")}
    assert len(found) == 1, f'Snapshot "{name}" is listed {len(found)} times.'
    assert found[0] in legal, f'Snapshot "{name}" is listed as {found[0]}.'


@then(parsers.parse('the array snapshot of "{name}" is gone'))
def the_array_snapshot_is_gone(lab: Lab, scene: Scene, name: str) -> None:
    """Absent by its own id, not by a count."""
    known = [*scene.earlier.get(name, ()), scene.snapshot(name)]
    copy = next(copy for row in known for copy in row.copies if copy.location is LocationType.PRIMARY)
    held = {f"SfSnapshotId={row.id}" for row in lab.array_snapshots()}
    assert copy.reference not in held, f"The array still holds {copy.reference}."


def _listed(driver: DriverUnderTest, name: str) -> Snapshot:
    (found,) = [snapshot for snapshot in driver.list_snapshots() if snapshot.name == name]
    return found


def _take(lab: Lab, scene: Scene, name: str, volume: str, location: str | None, *, async_backup: bool = False) -> None:
    taking = _taking(scene, name, volume, location, async_backup=async_backup)
    outcome = scene.act(lab, taking)
    if outcome.value is not None:
        scene.snapshots[name] = outcome.value


def _archiving(scene: Scene, name: str) -> Callable[[DriverUnderTest], Snapshot]:
    operation, snapshot = scene.operation(), scene.snapshot(name).id
    return lambda driver: driver.archive_snapshot(operation, snapshot)


def _taking(
    scene: Scene, name: str, volume: str, location: str | None, *, async_backup: bool = False
) -> Callable[[DriverUnderTest], Snapshot]:
    scene.taken_by[name] = operation = scene.operation()
    request = SnapshotRequest(
        operation=operation,
        volume=scene.volume(volume).id,
        name=name,
        location=location,
        async_backup=async_backup,
    )
    return lambda driver: driver.take_snapshot(request)
