"""Many callers at once: what each is told, how long it takes, and how much array and hosts were given at a time."""

from collections.abc import Callable, Sequence
from functools import partial

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverUnderTest
from snapproof.lab import Lab, Span
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import AccountId, LocationType, OperationId, Snapshot, SnapshotRequest, Volume, VolumeRequest

SIZE_BYTES = 3 * 2**20


@given(parsers.parse("{number:d} volumes with guests"))
def volumes_with_guests(lab: Lab, scene: Scene, number: int) -> None:
    """Make volumes and let a guest write to each."""
    for place in range(1, number + 1):
        name = f"volume {place}"
        request = VolumeRequest(operation=scene.operation(), account=ACCOUNT, name=name, size_bytes=SIZE_BYTES)
        scene.volumes[name] = scene.arrange(lab, partial(_create, request))
        scene.guests[name] = lab.start_guest(scene.volumes[name])
        scene.guests[name].fill(blocks=4)


@given("a snapshot of each volume on PRIMARY")
def a_snapshot_of_each(lab: Lab, scene: Scene) -> None:
    """Take them one after the other."""
    for name, volume in scene.volumes.items():
        request = SnapshotRequest(
            operation=scene.operation(), volume=volume.id, name=name, location=LocationType.PRIMARY
        )
        scene.snapshots[name] = scene.arrange(lab, partial(_take, request))


@given("the copies of the hosts take their time")
def copies_take_their_time(lab: Lab) -> None:
    """Long enough that those who ask at once meet."""
    lab.drag_copies()


@given(parsers.parse("at the call {call}, somebody looks at the queue"))
def somebody_looks(lab: Lab, scene: Scene, call: str) -> None:
    """In the middle of what the others do."""
    lab.watch_calls()
    scene.meanwhile = lab.meanwhile(call, lambda driver: driver.queued_operations())


@given(parsers.parse("{number:d} snapshots of these volumes are on their way to SECONDARY"))
def on_their_way(lab: Lab, scene: Scene, number: int) -> None:
    """The array has its part of each; the backups have not begun."""
    volumes = list(scene.volumes.values())
    for place in range(number):
        request = SnapshotRequest(
            operation=scene.operation(),
            volume=volumes[place % len(volumes)].id,
            name=f"on its way {place}",
            location=LocationType.SECONDARY,
            async_backup=True,
        )
        scene.snapshots[request.name] = scene.arrange(lab, partial(_take, request))


@when("the driver is restarted against the clock")
def restarted_against_the_clock(lab: Lab, scene: Scene) -> None:
    """Kill it, start the next life, and let that do what is to be done."""
    scene.began_s = lab.now_s()
    lab.restart_driver()
    lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
    scene.ended_s = lab.now_s()


@then(parsers.parse("all of them are {states}"))
def all_are(lab: Lab, scene: Scene, states: str) -> None:
    """Nothing rests on the way."""
    known = {snapshot.id for snapshot in scene.snapshots.values()}
    resting = [row.name for row in lab.driver.list_snapshots() if row.id in known and row.state not in states]
    assert not resting, f"Still on the way: {', '.join(resting)}."


@then(parsers.parse("the restart took at most {minutes:d} minutes"))
def the_restart_took(scene: Scene, minutes: int) -> None:
    """By the lab's clock."""
    took_s = scene.ended_s - scene.began_s
    assert took_s <= minutes * 60, f"The restart took {took_s:.0f} s."


@then(parsers.parse("never more than {number:d} calls of the array were made in a second"))
def never_more_calls(lab: Lab, number: int) -> None:
    """In any second, whenever that begins."""
    methods = {call.partition("#")[0] for call in lab.calls() if call.startswith("array.")}
    moments = sorted(moment for method in methods for moment in lab.moments_of(method))
    assert moments, "The array was never called."
    spans = [moments[place + number] - moments[place] for place in range(len(moments) - number)]
    assert all(span >= 1 for span in spans), f"{number + 1} calls of the array were made within {min(spans):.3f} s."


@when(parsers.parse("{number:d} volumes are made from these snapshots at once"))
def volumes_at_once(lab: Lab, scene: Scene, number: int) -> None:
    """Each snapshot in its turn, by a caller each."""
    sources = list(scene.snapshots.values())
    requests = [
        VolumeRequest(
            operation=scene.operation(),
            account=ACCOUNT,
            name=f"made {place}",
            size_bytes=SIZE_BYTES,
            from_snapshot=sources[place % len(sources)].id,
        )
        for place in range(number)
    ]
    scene.crowd(lab, [partial(_create, request) for request in requests])


@when(parsers.parse('{number:d} volumes of the account "{account}" are made at once'))
def volumes_of_account_at_once(lab: Lab, scene: Scene, number: int, account: str) -> None:
    """Each by a caller of its own; what the account needs on the array has to be there once."""
    requests = [
        VolumeRequest(
            operation=scene.operation(), account=AccountId(account), name=f"first {place}", size_bytes=SIZE_BYTES
        )
        for place in range(number)
    ]
    scene.crowd(lab, [partial(_create, request) for request in requests])


@then(parsers.parse('the driver lists {number:d} volumes of the account "{account}"'))
def lists_volumes_of_account(lab: Lab, number: int, account: str) -> None:
    """Each is a disk of its own."""
    targets = {volume.target for volume in lab.driver.list_volumes(AccountId(account))}
    assert len(targets) == number, f'The driver lists {len(targets)} disks of the account "{account}".'


@when(parsers.parse("{number:d} snapshots of these volumes are taken on {location} at once"))
def snapshots_at_once(lab: Lab, scene: Scene, number: int, location: str) -> None:
    """Each volume in its turn, by a caller each."""
    volumes = list(scene.volumes.values())
    requests = [
        SnapshotRequest(
            operation=scene.operation(),
            volume=volumes[place % len(volumes)].id,
            name=f"taken {place}",
            location=LocationType(location),
        )
        for place in range(number)
    ]
    scene.crowd_asked = [request.operation for request in requests]
    scene.crowd(lab, [partial(_take, request) for request in requests])


@when(parsers.parse('a snapshot of "{name}" is taken, snapshots are listed and "{done}" is deleted, all at once'))
def three_at_once(lab: Lab, scene: Scene, name: str, done: str) -> None:
    """Three callers, each with a clock of his own."""
    request = SnapshotRequest(
        operation=scene.operation(), volume=scene.volume(name).id, name="slow", location=LocationType.PRIMARY
    )
    operation, snapshot = scene.operation(), scene.snapshot(done).id
    verbs: Sequence[Callable[[DriverUnderTest], object]] = (
        lambda driver: driver.take_snapshot(request),
        lambda driver: driver.list_snapshots(),
        lambda driver: driver.delete_snapshot(operation, snapshot),
    )
    scene.crowd(lab, verbs)


@then("all who asked have what they asked for")
def all_have(scene: Scene) -> None:
    """Nobody was refused or forgotten."""
    assert scene.outcomes, "Nobody asked for anything."
    failed = [outcome.error for outcome in scene.outcomes if outcome.error is not None or outcome.crashed]
    assert not failed, f"{len(failed)} of {len(scene.outcomes)} were let down, the first by: {failed[0]}"


@then(parsers.parse("never more than {number:d} copies of one host were in flight"))
def copies_in_flight(lab: Lab, number: int) -> None:
    """By what the hosts did."""
    spans = lab.spans("copies")
    assert spans, "Nothing was copied."
    for host in {span.subject for span in spans}:
        found = most_at_once([span for span in spans if span.subject == host])
        assert found <= number, f"{found} copies were in flight at once on {host}."


@then(parsers.parse("at least {number:d} copies were in flight at once"))
def copies_met(lab: Lab, number: int) -> None:
    """Whoever came later did not wait for all who came before, who keep the pool to themselves while they re-sign."""
    found = most_at_once(lab.spans("copies"))
    assert found >= number, f"Only {found} copies were in flight at once."


@then(parsers.parse("the queue named at least {number:d} operations, each once and all of them asked for"))
def the_queue_named(scene: Scene, number: int) -> None:
    """An operation's position is its place in the queue."""
    assert scene.meanwhile.asked, "The moment at which somebody looks never came."
    queue: Sequence[OperationId] = scene.meanwhile.outcome.result()
    assert len(queue) >= number, f"The queue named {len(queue)} operations: {queue}"
    assert len(set(queue)) == len(queue), f"The queue names somebody twice: {queue}"
    assert set(queue) <= set(scene.crowd_asked), f"The queue names what nobody asked for: {queue}"


@then("nobody waits any more")
def nobody_waits(lab: Lab) -> None:
    """All of them have ended."""
    assert not lab.driver.queued_operations(), f"Still waiting: {lab.driver.queued_operations()}"


@then(parsers.parse("the first took {least:d} seconds or more, and each of the others at most {most:d}"))
def the_others_were_quick(scene: Scene, least: int, most: int) -> None:
    """By the lab's clock, which ran for all of them."""
    first, *others = scene.took_s
    assert first >= least, f"The first took {first:g} s only, so that nothing was slow."
    assert max(others) <= most, f"The others took {', '.join(f'{other:g} s' for other in others)}."


def most_at_once(spans: Sequence[Span]) -> int:
    """How many were in flight at the busiest moment."""
    ends = [(span.last or 10**12, -1) for span in spans]
    moments = sorted([*((span.first, 1) for span in spans), *ends])
    most = present = 0
    for _, change in moments:
        present += change
        most = max(most, present)
    return most


def _create(request: VolumeRequest, driver: DriverUnderTest) -> Volume:
    return driver.create_volume(request)


def _take(request: SnapshotRequest, driver: DriverUnderTest) -> Snapshot:
    return driver.take_snapshot(request)
