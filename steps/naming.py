"""Names and ids that people and callers choose, and what becomes of them on the array."""

import re
from collections.abc import Sequence
from functools import partial

from pytest_bdd import given, parsers, then, when

from snapproof.driver import DriverUnderTest
from snapproof.lab import Lab
from snapproof.steps.scene import ACCOUNT, Scene
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotRequest, Volume, VolumeRequest

NAMES = {
    "1 character": "d",
    "64 characters": "d" * 64,
    "255 characters": "database-of-the-accounts-department." * 7 + "end",
    "Unicode": "Datenbank für Ærø · データベース 💾",
    "underscores": "_my__data_base_",
    "blanks": "  my data base  ",
    "signs": "../a/b\\c:'\"<&>;%00$(id)",
}
SIZE_BYTES = 3 * 2**20
LEGAL = re.compile(r"[A-Za-z0-9-]{1,64}")
"""What Element takes as a volume's name; every array takes it."""
CHARACTERS = {"letters": "o", "emoji": "💾"}
LIMIT_WORDS = re.compile(r"character|byte|long|limit", re.IGNORECASE)


@given(parsers.parse("two volumes named by {kind}"))
def two_volumes(lab: Lab, scene: Scene, kind: str) -> None:
    """Make two volumes that their owner calls the same, which nobody forbids."""
    for label in ("first", "second"):
        request = VolumeRequest(operation=scene.operation(), account=ACCOUNT, name=NAMES[kind], size_bytes=SIZE_BYTES)
        scene.volumes[label] = scene.arrange(lab, partial(_create, request))


@when("a snapshot of each is taken on PRIMARY under that name")
def a_snapshot_of_each(lab: Lab, scene: Scene) -> None:
    """Take two snapshots that bear the names of their volumes."""
    for label, volume in list(scene.volumes.items()):
        request = SnapshotRequest(
            operation=scene.operation(), volume=volume.id, name=volume.name, location=LocationType.PRIMARY
        )
        scene.snapshots[label] = scene.act(lab, partial(_take, request)).result()


@then("the driver lists volumes and snapshots by that very name")
def listed_by_that_name(lab: Lab, scene: Scene) -> None:
    """Nothing is cut, folded or replaced in what the owner sees."""
    name = scene.volume("first").name
    listed = [volume.name for volume in lab.driver.list_volumes()]
    listed += [snapshot.name for snapshot in lab.driver.list_snapshots()]
    assert listed == [name] * 4, f"Called {name!r}, they are listed as {listed}."


@then("each name on the array is legal, unlike all others, and bears the id of its volume or snapshot")
def each_name_is_legal(lab: Lab, scene: Scene) -> None:
    """By the array's own lists."""
    volumes = [row.name for row in lab.array_volumes()]
    snapshots = [row.name for row in lab.array_snapshots()]
    for names in (volumes, snapshots):
        illegal = [name for name in names if not LEGAL.fullmatch(name)]
        assert not illegal, f"The array was given names that are not legal everywhere: {illegal}."
        assert len(set(names)) == len(names) == 2, f"The names on the array are {names}."
    _require_ids(volumes, [volume.id for volume in scene.volumes.values()])
    _require_ids(snapshots, [snapshot.id for snapshot in scene.snapshots.values()])


@when(parsers.parse("a snapshot of the first is taken by an operation with an id of {length:d} {characters}"))
def taken_by_a_long_operation(lab: Lab, scene: Scene, length: int, characters: str) -> None:
    """The id is the caller's to choose."""
    volume = scene.volume("first")
    request = SnapshotRequest(
        operation=OperationId(CHARACTERS[characters] * length),
        volume=volume.id,
        name=volume.name,
        location=LocationType.PRIMARY,
    )
    scene.act(lab, lambda driver: driver.take_snapshot(request))


@then("the array has taken every call, or the act is refused before any, naming the limit")
def within_the_limit(lab: Lab, scene: Scene) -> None:
    """An array that is sent too much refuses the call; asking again with less would show as a second call."""
    asked = [call for call in lab.calls() if call.startswith("array.CreateSnapshot#")]
    if scene.outcome.error is None:
        scene.outcome.raise_if_failed()
        assert len(asked) == 1, f"The array was asked {len(asked)} times: what was sent first was too much for it."
        return
    assert not asked, f"The array had to refuse what it was sent: {scene.outcome.error}"
    assert LIMIT_WORDS.search(str(scene.outcome.error)), f"No limit is named: {scene.outcome.error}"


def _create(request: VolumeRequest, driver: DriverUnderTest) -> Volume:
    return driver.create_volume(request)


def _take(request: SnapshotRequest, driver: DriverUnderTest) -> Snapshot:
    return driver.take_snapshot(request)


def _require_ids(names: Sequence[str], ids: Sequence[str]) -> None:
    anonymous = [known for known in ids if not any(known in name for name in names)]
    assert not anonymous, f"No name on the array bears the id {anonymous[:1]}: {names}."
