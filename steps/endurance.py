"""A long life: random acts on a few volumes, hour after hour, with faults in between, and a close look after each."""

import random
from collections.abc import Callable, Sequence

from pytest_bdd import parsers, then, when

from snapproof.driver import DriverError, DriverUnderTest
from snapproof.lab import Lab, Outcome
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import Capability, LocationType, Snapshot, SnapshotRequest, SnapshotState, VolumeRequest

HOUR_S = 3_600
SNAPSHOTS_MAX = 6
"""More than these are not kept for long, so that a look stays short."""


@when(
    parsers.parse(
        "these volumes are used for {hours:d} hours, an act every {pause:d} hours, "
        "while one call in {one_in:d} meets a fault"
    )
)
def used_for_hours(lab: Lab, scene: Scene, hours: int, pause: int, one_in: int) -> None:
    """Stop at the first doubt: what comes after it proves nothing."""
    dice = random.Random("a long life")
    for _ in range(0, hours, pause):
        lab.advance(pause * HOUR_S)
        scene.guests[dice.choice(sorted(scene.guests))].fill(blocks=2)
        name, verb = _act(lab, scene, dice)
        lab.watch_calls()
        lab.unsettle(one_in)
        outcome: Outcome[object] = lab.attempt(verb)
        lab.repair()
        if outcome.crashed:
            lab.restart_driver()
        else:
            lab.attempt(lambda driver: driver.reconcile()).raise_if_failed()
        lab.settle()
        strange = [] if isinstance(outcome.error, DriverError | None) else [f"it answered {outcome.error!r}"]
        scene.doubts = [f"After {name}: {doubt}" for doubt in (*strange, *lab.doubts())]
        if scene.doubts:
            return


@then(parsers.parse("every invariant has held after every act, and at least {number:d} faults were met"))
def every_invariant_has_held(lab: Lab, scene: Scene, number: int) -> None:
    """Nothing was orphaned, lost, doubled, uncharged or left in the middle; and calm would prove nothing."""
    assert not scene.doubts, "\n".join(scene.doubts)
    met = lab.faults_met()
    assert met >= number, f"Only {met} faults were met."


def _act(lab: Lab, scene: Scene, dice: random.Random) -> tuple[str, Callable[[DriverUnderTest], object]]:
    """Draw something that can be asked for now."""
    good = [row for row in lab.driver.list_snapshots() if row.state is SnapshotState.BACKED_UP]
    acts = [_take(scene, dice, LocationType.PRIMARY), _take(scene, dice, LocationType.SECONDARY)]
    if good:
        acts += [_delete(scene, dice, good), _restore(scene, dice, good)]
    kept = [row for row in good if row.location is LocationType.PRIMARY]
    if kept and Capability.ARCHIVE in lab.driver.describe().capabilities:
        acts += [_archive(scene, dice, kept)]
    if len(good) > SNAPSHOTS_MAX:
        return _delete(scene, dice, good)
    made = [row for row in lab.driver.list_volumes() if row.name == "made"]
    if made:
        operation, volume = scene.operation(), made[0].id
        return "deleting a volume", lambda driver: driver.delete_volume(operation, volume)
    return dice.choice(acts)


def _take(scene: Scene, dice: random.Random, place: LocationType) -> tuple[str, Callable[[DriverUnderTest], object]]:
    volume = scene.volumes[dice.choice(sorted(scene.volumes))].id
    request = SnapshotRequest(operation=scene.operation(), volume=volume, location=place)
    return f"taking a snapshot on {place}", lambda driver: driver.take_snapshot(request)


def _delete(
    scene: Scene, dice: random.Random, good: Sequence[Snapshot]
) -> tuple[str, Callable[[DriverUnderTest], object]]:
    operation, snapshot = scene.operation(), dice.choice(good).id
    return "deleting a snapshot", lambda driver: driver.delete_snapshot(operation, snapshot)


def _archive(
    scene: Scene, dice: random.Random, kept: Sequence[Snapshot]
) -> tuple[str, Callable[[DriverUnderTest], object]]:
    operation, snapshot = scene.operation(), dice.choice(kept).id
    return "archiving a snapshot", lambda driver: driver.archive_snapshot(operation, snapshot)


def _restore(
    scene: Scene, dice: random.Random, good: Sequence[Snapshot]
) -> tuple[str, Callable[[DriverUnderTest], object]]:
    source = dice.choice(good)
    request = VolumeRequest(
        operation=scene.operation(),
        account=ACCOUNT,
        name="made",
        size_bytes=source.size_bytes,
        from_snapshot=source.id,
    )
    return "making a volume", lambda driver: driver.create_volume(request)
