"""What is written down about acts: audit events, and what is billed for which place and time."""

import itertools
from collections import Counter

from pytest_bdd import parsers, then

from snapproof.lab import Lab
from snapproof.steps.scene import ACCOUNT, Scene

PHASES = ("Completed", "Created", "Started")
"""Of every act that is audited, by the alphabet."""


MINUTES_S = 300


@then(parsers.parse("the act is audited as {kind} and nothing else"))
def the_act_is_audited(lab: Lab, scene: Scene, kind: str) -> None:
    """All audit events of the last act are of this type, and it was created, was started and has ended, once each."""
    operation = scene.last_operation()
    found = [(event.type, event.phase) for event in lab.driver.audit_events() if event.operation == operation]
    assert sorted(found) == [(kind, phase) for phase in PHASES], f"The act was audited as {found}."


@then(parsers.parse("the act is audited wholly as {kind}, ended with {level}"))
def the_act_is_audited_wholly(lab: Lab, scene: Scene, kind: str, level: str) -> None:
    """Created, started and completed once each, for the account that owns the thing, the end with this level."""
    the_act_is_audited(lab, scene, kind)
    events = [event for event in lab.driver.audit_events() if event.operation == scene.last_operation()]
    owners = {event.account for event in events}
    assert owners == {ACCOUNT}, f"The act was audited for {owners}; {ACCOUNT} owns what it was about."
    levels = {event.phase: event.level for event in events}
    wanted = {phase: level if phase == "Completed" else "INFO" for phase in PHASES}
    assert levels == wanted, f"The levels of the audit are {levels}."
    assert len({event.subject for event in events}) == 1, f"The events of one act are about {events}."


@then("each array snapshot was reported once when it came and once when it went")
def each_array_snapshot_was_reported(lab: Lab) -> None:
    """SNAPSHOT.ON_PRIMARY for every snapshot that has or had a copy there; SNAPSHOT.OFF_PRIMARY if it is gone."""
    events = lab.driver.usage_events()
    came = Counter(event.subject for event in events if event.type == "SNAPSHOT.ON_PRIMARY")
    went = Counter(event.subject for event in events if event.type == "SNAPSHOT.OFF_PRIMARY")
    assert came, "No array snapshot was ever reported."
    assert set(came.values()) == {1}, f"Array snapshots were reported as new {dict(came)} times."
    lying = {row.id for row in lab.driver.list_snapshots() if any(copy.location == "PRIMARY" for copy in row.copies)}
    wanted = Counter(came.keys() - lying)
    assert went == wanted, f"Array snapshots were reported as gone {dict(went)} times; {dict(wanted)} is right."


@then(parsers.parse('nothing is billed for "{name}"'))
def nothing_is_billed(lab: Lab, name: str) -> None:
    """No line of the bill, and no SNAPSHOT.CREATE."""
    (snapshot,) = [row.id for row in lab.driver.list_snapshots() if row.name == name]
    lines = [line for line in lab.driver.usage_records() if line.subject == snapshot]
    assert not lines, f"The bill says {lines}."
    kinds = [event.type for event in lab.driver.usage_events() if event.subject == snapshot]
    assert "SNAPSHOT.CREATE" not in kinds, f'"{name}" was reported as created: {kinds}.'


@then(parsers.parse('one alert was raised about "{name}"'))
def one_alert_was_raised(lab: Lab, name: str) -> None:
    """Exactly one, and it names the snapshot."""
    (snapshot,) = [row.id for row in lab.driver.list_snapshots() if row.name == name]
    found = [alert.text for alert in lab.driver.alerts() if alert.subject == snapshot]
    assert len(found) == 1, f'{len(found)} alerts were raised about "{name}": {found}'


@then(parsers.parse('"{name}" was reported once as created and once as deleted, on {location}, with its size'))
def reported_once(lab: Lab, scene: Scene, name: str, location: str) -> None:
    """SNAPSHOT.CREATE and SNAPSHOT.DELETE, once each, both with the place, the first with the physical size."""
    snapshot = scene.snapshot(name)
    events = [row for row in lab.driver.usage_events() if row.subject == snapshot.id]
    made = [row for row in events if row.type == "SNAPSHOT.CREATE"]
    gone = [row for row in events if row.type == "SNAPSHOT.DELETE"]
    assert (len(made), len(gone)) == (1, 1), f'"{name}" was reported {len(made)} times as created, {len(gone)} as gone.'
    places = [row.location for row in (*made, *gone)]
    assert places == [location, location], f'"{name}" was reported on {places}.'
    (copy,) = snapshot.copies
    assert made[0].size_bytes == copy.physical_size_bytes, f'"{name}" was reported with {made[0].size_bytes} bytes.'


@then(parsers.parse('nothing is billed for "{name}" any more'))
def nothing_is_billed_any_more(lab: Lab, scene: Scene, name: str) -> None:
    """Every line of its bill has ended."""
    lines = [line for line in lab.driver.usage_records() if line.subject == scene.snapshot(name).id]
    assert lines, f'"{name}" was never billed.'
    assert all(line.until_s is not None for line in lines), f"The bill says {lines}."


@then(parsers.parse('the array copy of "{name}" is summed up with {hours:d} hours and {end}'))
def summed_up(lab: Lab, scene: Scene, name: str, hours: int, end: str) -> None:
    """One line, with the volume's size, as long as the array had the copy, to a few minutes."""
    snapshot = scene.snapshot(name)
    lines = [line for line in lab.driver.array_usage() if line.subject == snapshot.id]
    assert len(lines) == 1, f'The array copy of "{name}" is summed up in {len(lines)} lines.'
    (line,) = lines
    assert (line.until_s is None) == (end == "goes on"), f'The line of "{name}" is {line}.'
    took_s = (lab.now_s() if line.until_s is None else line.until_s) - line.from_s
    assert abs(took_s - hours * 3_600) <= MINUTES_S, f'The array copy of "{name}" is summed up with {took_s:.0f} s.'
    assert line.size_bytes == snapshot.size_bytes, f'The line of "{name}" says {line.size_bytes} bytes.'


@then(parsers.parse('no alert was raised about "{name}"'))
def no_alert_was_raised(lab: Lab, scene: Scene, name: str) -> None:
    """Nothing happened that an operator should hear of."""
    found = [alert.text for alert in lab.driver.alerts() if alert.subject == scene.snapshot(name).id]
    assert not found, f'Alerts were raised about "{name}": {found}'


@then(parsers.parse('an alert about "{name}" says "{words}"'))
def an_alert_says(lab: Lab, scene: Scene, name: str, words: str) -> None:
    """One alert about the snapshot has these words among others."""
    found = [alert.text for alert in lab.driver.alerts() if alert.subject == scene.snapshot(name).id]
    assert any(words in text for text in found), f'The alerts about "{name}" are {found or "none"}.'


@then(parsers.parse('"{name}" is billed without gap or overlap, on {places}'))
def billed_without_gap(lab: Lab, scene: Scene, name: str, places: str) -> None:
    """The lines of the bill of one snapshot: each place in turn, one ending at the moment in which the next begins."""
    snapshot = scene.snapshot(name)
    lines = [line for line in lab.driver.usage_records() if line.subject == snapshot.id]
    assert [line.location for line in lines] == places.split(" and then on "), f"The bill says {lines}."
    for line, following in itertools.pairwise(lines):
        assert line.until_s is not None, f"A line of the bill of {name} that is not the last has no end: {lines}."
        assert line.until_s == following.from_s, f"The bill of {name} has a gap or an overlap: {lines}."
        assert line.until_s > line.from_s, f"The bill of {name} has a line without time: {lines}."
    assert lines[-1].until_s is None, f"The bill of {name} has ended: {lines}."
    (size,) = [copy.physical_size_bytes for copy in snapshot.copies if copy.location == lines[-1].location]
    assert lines[-1].size_bytes == size, f"{lines[-1].size_bytes} bytes are billed; there are {size}."
