"""Policies: put into force, left to run by the lab's clock, and what became of their snapshots."""

from datetime import UTC, datetime, timedelta

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverUnderTest
from snapproof.lab import Lab
from snapproof.steps.scene import Scene
from snapproof.vocabulary import OperationId, Policy, PolicyRequest, SnapshotState, VolumeId

TURNS_AN_HOUR = 12
TURN_S = 300
POLICY = 'policy "{name}" of "{volume}" at "{schedule}" in {timezone}, keeping {number:d}, on {place}'


def daily(
    operation: OperationId, volume: VolumeId, *, keep_max: int, schedule: str = "0:4", location: str | None = None
) -> PolicyRequest:
    """The wish for a DAILY policy, at four o'clock where nothing else is said."""
    return PolicyRequest(
        operation=operation,
        volume=volume,
        interval="DAILY",
        schedule=schedule,
        timezone="UTC",
        keep_max=keep_max,
        location=location,
    )


@given(parsers.parse("a {interval} " + POLICY))
@given(parsers.parse("an {interval} " + POLICY))
def a_policy(
    lab: Lab,
    scene: Scene,
    interval: str,
    name: str,
    volume: str,
    schedule: str,
    timezone: str,
    number: int,
    place: str,
) -> None:
    """Put a policy into force; `no place` leaves its location to the driver."""
    request = PolicyRequest(
        operation=scene.operation(),
        volume=scene.volume(volume).id,
        interval=interval,
        schedule=schedule,
        timezone=timezone,
        keep_max=number,
        location=None if place == "no place" else place,
    )
    scene.policies[name] = scene.arrange(lab, lambda driver: driver.create_policy(request))


@when(parsers.parse('a DAILY policy "{name}" of "{volume}" is put into force'))
def a_policy_is_put_into_force(lab: Lab, scene: Scene, name: str, volume: str) -> None:
    """On PRIMARY, at two o'clock."""
    operation, used = scene.operation(), scene.volume(volume).id
    request = daily(operation, used, keep_max=3, schedule="00:02", location="PRIMARY")
    scene.policies[name] = scene.act(lab, lambda driver: driver.create_policy(request)).result()


@when(parsers.parse('the policy "{name}" is ended'))
def the_policy_is_ended(lab: Lab, scene: Scene, name: str) -> None:
    """Ask for its end."""
    operation, policy = scene.operation(), scene.policies[name].id
    scene.act(lab, lambda driver: driver.delete_policy(operation, policy)).raise_if_failed()


@given(parsers.parse("it is {moment} UTC"))
def it_is(lab: Lab, moment: str) -> None:
    """Let time pass until then."""
    lab.advance(_seconds(moment) - lab.now_s(), for_the_driver=True)


@when(parsers.parse("the driver is left alone for {hours:d} hours"))
def the_driver_is_left_alone(lab: Lab, scene: Scene, hours: int) -> None:
    """Nobody asks for anything; every five minutes the driver does what is due."""
    lab.watch_calls()
    scene.act(lab, _nothing)
    for _ in range(hours * TURNS_AN_HOUR):
        lab.advance(TURN_S, for_the_driver=True)
        lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()


@when(parsers.parse("the clock is set {direction} by {minutes:d} minutes"))
def the_clock_is_set(lab: Lab, direction: str, minutes: int) -> None:
    """As by hand, or by a time server that knows better: no time passes."""
    lab.jump_clock({"back": -60, "forward": 60}[direction] * minutes)


@when(parsers.parse("every call {call} begins to meet {fault}"))
def every_call_begins_to_meet(lab: Lab, call: str, fault: str) -> None:
    """Break a service in the middle of the scenario."""
    lab.break_service(call, fault)


@then(parsers.parse('the policy "{name}" has run {number:d} times'))
def the_policy_has_run(lab: Lab, scene: Scene, name: str, number: int) -> None:
    """Counted by the audit events of snapshots that carry the policy's id, failed runs included."""
    assert len(_runs(lab, scene.policies[name], "SNAPSHOT.CREATE", "INFO", "ERROR")) == number, (
        f'Policy "{name}" has run {len(_runs(lab, scene.policies[name], "SNAPSHOT.CREATE", "INFO", "ERROR"))} times.'
    )


@then(parsers.parse('the policy "{name}" has deleted {number:d} snapshots'))
def the_policy_has_deleted(lab: Lab, scene: Scene, name: str, number: int) -> None:
    """Counted by the audit events of deletions that carry the policy's id."""
    found = _runs(lab, scene.policies[name], "SNAPSHOT.DELETE", "INFO")
    assert len(found) == number, f'Policy "{name}" has deleted {len(found)} snapshots.'


@then(parsers.parse('the policy "{name}" has {number:d} snapshots, the newest of its runs'))
def the_policy_has(lab: Lab, scene: Scene, name: str, number: int) -> None:
    """The successful ones that are listed are those of its last successful runs."""
    policy = scene.policies[name]
    listed = [row for row in lab.driver.list_snapshots() if row.policy == policy.id]
    found = [row.id for row in listed if row.state is SnapshotState.BACKED_UP]
    newest = _runs(lab, policy, "SNAPSHOT.CREATE", "INFO")[-number:]
    assert len(found) == number, f'Policy "{name}" keeps {len(found)} successful snapshots.'
    assert sorted(found) == sorted(newest), f'Policy "{name}" keeps others than its newest {number}.'
    failed = _runs(lab, policy, "SNAPSHOT.CREATE", "ERROR")
    kept = [row.id for row in listed if row.state is SnapshotState.ERROR]
    assert sorted(kept) == sorted(failed), f'Policy "{name}" has failed {len(failed)} times and lists {len(kept)}.'


@then(parsers.parse("the snapshots were taken at {moments}"))
def the_snapshots_were_taken_at(lab: Lab, moments: str) -> None:
    """By the calls that the array saw, no later than one turn of the driver after the slot."""
    slots = [_seconds(moment) for moment in moments.split(", ")]
    taken = lab.moments_of("array.CreateSnapshot")
    late = [moment - slot for moment, slot in zip(taken, slots, strict=False)]
    assert len(taken) == len(slots), f"{len(taken)} snapshots were taken."
    assert all(0 <= delay <= TURN_S for delay in late), f"They were taken so many seconds after their slots: {late}."


@then(parsers.parse('the next run of "{name}" is told in UTC'))
def the_next_run_is_told(lab: Lab, scene: Scene, name: str) -> None:
    """ISO 8601 with its offset, and still to come."""
    (policy,) = [row for row in lab.driver.list_policies() if row.id == scene.policies[name].id]
    told = datetime.fromisoformat(policy.next_run)
    assert told.utcoffset() == timedelta(0), f"The next run is told as {policy.next_run}."
    assert told.timestamp() > lab.now_s(), f"The next run is told as {policy.next_run}, which is over."


def _nothing(_driver: DriverUnderTest) -> None:
    """Ask for nothing."""


def _runs(lab: Lab, policy: Policy, kind: str, *levels: str) -> list[str]:
    """What the policy's ended operations of this kind were about, oldest first."""
    return [
        event.subject
        for event in lab.driver.audit_events()
        if (event.policy, event.type, event.phase) == (policy.id, kind, "Completed") and event.level in levels
    ]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
