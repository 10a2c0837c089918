"""Hosts and their limits: who is in service, what is full, and what others have left about."""

from pytest_bdd import given, parsers, then, when

from snapproof.lab import Lab
from snapproof.steps.scene import Scene, refusal_of


@given(parsers.parse("host {number:d} is {how}"))
def a_host_is_out(lab: Lab, number: int, how: str) -> None:
    """A host is `disabled` for new work or `down`; host 1 leads the others."""
    lab.take_host_out(number, how)


@given(parsers.parse("hosts {first:d} and {second:d} are {how}"))
def hosts_are_out(lab: Lab, first: int, second: int, how: str) -> None:
    """All of a cluster."""
    lab.take_host_out(first, how)
    lab.take_host_out(second, how)


@then(parsers.parse("only {eligible} has copied, or the act is refused for want of a host"))
def only_the_eligible(lab: Lab, scene: Scene, eligible: str) -> None:
    """By what the hosts did; nobody is asked to work with less than he has."""
    worked = {span.subject for span in lab.spans("copies")}
    allowed = {lab.host_name(int(eligible.removeprefix("host ")))} if eligible.startswith("host ") else set()
    assert worked <= allowed, f"Copies were made by {', '.join(sorted(worked))}; {eligible} was in service."
    if scene.outcome.error is not None:
        said = str(scene.outcome.error)
        assert "host" in said.lower(), f"The refusal does not speak of hosts: {said}"
        return
    scene.outcome.raise_if_failed()
    assert worked, "No host has copied anything."


@given(parsers.parse("the access group of the hosts holds {volumes:d} volumes and {initiators:d} initiators"))
def the_access_group_holds(lab: Lab, volumes: int, initiators: int) -> None:
    """Other people's, but for what is in it already."""
    lab.crowd_group(volumes=volumes, initiators=initiators)


@given(parsers.parse("the hosts have room for {room:d} more storage repositories"))
def the_hosts_have_room(lab: Lab, room: int) -> None:
    """They have all others that they may."""
    lab.crowd_hosts(room=room)


@then(parsers.parse('the act has succeeded, or is refused because of the "{reason}", leaving nothing'))
def succeeded_or_refused(lab: Lab, scene: Scene, reason: str) -> None:
    """A driver may find another way."""
    if scene.outcome.error is None:
        scene.outcome.raise_if_failed()
    else:
        refused_because(lab, scene, reason)


@then(parsers.parse('the act is refused because of the "{reason}", leaving nothing'))
def refused_because(lab: Lab, scene: Scene, reason: str) -> None:
    """The message names what is full, and the world is what it was."""
    refusal = refusal_of(scene.outcome)
    assert reason in str(refusal), f"The reason is not told: {refusal}"
    changes = scene.before.changes(lab.inventory())
    assert not changes, "The world has changed by:\n" + "\n".join(changes)


@given(parsers.parse("the export holds {number:d} directories of others"))
@when(parsers.parse("the export holds {number:d} directories of others"))
def the_export_holds(lab: Lab, number: int) -> None:
    """Beside the backups, and no business of the driver's."""
    lab.crowd_export(number)


@when(parsers.parse('the snapshot "{name}" is deleted and all others are listed, with calls counted'))
def deleted_and_listed(lab: Lab, scene: Scene, name: str) -> None:
    """What is called outside, whichever service it is."""
    operation, snapshot = scene.operation(), scene.snapshot(name).id
    lab.watch_calls()
    lab.attempt(lambda driver: driver.delete_snapshot(operation, snapshot)).raise_if_failed()
    lab.attempt(lambda driver: driver.list_snapshots()).raise_if_failed()
    scene.counted.append(len([call for call in lab.calls() if not call.startswith("catalog.")]))


@then("the second time took as many calls as the first")
def as_many_calls(scene: Scene) -> None:
    """The world had grown in between."""
    first, second = scene.counted
    assert first > 0, "Nothing was called, so that equality would prove nothing."
    assert second <= first, f"With few directories {first} calls were made, with many {second}."


@then("the driver has left no empty directory")
def no_empty_directory(lab: Lab) -> None:
    """On the export, other people's excluded."""
    found = lab.empty_directories()
    assert not found, f"These directories are empty: {', '.join(found)}."
