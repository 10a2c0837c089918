"""Workflows: what a case arranges before faults are armed, and the one verb that meets them. One table by name.

A workflow speaks to the two ports only; how faults are armed and judged is in running.py.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from operator import eq, ge
from typing import TypeAlias

from snapproof.driver import DriverUnderTest
from snapproof.lab import Guest, Lab, NotTestableError, Scenery
from snapproof.vocabulary import (
    AccountId,
    Capability,
    HypervisorType,
    LocationType,
    OperationId,
    PolicyRequest,
    Snapshot,
    SnapshotRequest,
    TemplateRequest,
    Volume,
    VolumeRequest,
)

ACCOUNT = AccountId("team-blue")
SIZE_BYTES = 3 * 2**20 + 512
"""Small, and no multiple of anything but a sector."""
LARGER_BYTES = 10**9 + 512
"""Beyond what arrays give the smallest LUN, so that it has to grow with the disk."""
DAY_S = 86_400

PLAIN = Scenery()
NO_RESIGNING = Scenery(resign=False)

ON_ARRAY = frozenset({Capability.SNAPSHOT_PRIMARY})
AS_BACKUP = frozenset({Capability.SNAPSHOT_SECONDARY})
AT_BOTH = ON_ARRAY | AS_BACKUP
MOVING = ON_ARRAY | {Capability.ARCHIVE}
AS_VOLUME = ON_ARRAY | {Capability.ARRAY_VOLUMES}
FROM_ARRAY = ON_ARRAY | {Capability.VOLUME_FROM_PRIMARY}
FROM_VOLUME = AS_VOLUME | FROM_ARRAY
FROM_BACKUP = AS_BACKUP | {Capability.VOLUME_FROM_SECONDARY}
REVERTING = ON_ARRAY | {Capability.REVERT}
RESIZING = ON_ARRAY | {Capability.RESIZE}
ON_KVM = frozenset({Capability.KVM})

Act: TypeAlias = Callable[[DriverUnderTest], object]
Judge: TypeAlias = Callable[[Lab], Iterator[str]]
"""What must hold of this workflow alone, in sentences about what does not."""


def no_more(_lab: Lab) -> Iterator[str]:
    """Ask for nothing beyond the invariants."""
    yield from ()


@dataclass(frozen=True, slots=True)
class Stage:
    """What an arrangement leaves behind: the act to come, and the guest that writes meanwhile.

    Where there are `others`, they are asked for at the same time, by a caller each.
    """

    act: Act
    guest: Guest
    judge: Judge = no_more
    others: tuple[Act, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow; its version grows when its calls change their meaning, so that old schedules are not misread.

    A driver that does not declare all that it `needs` is not asked for it.
    """

    version: int
    arrange: Callable[[Lab], Stage]
    needs: frozenset[Capability]
    scenery: Scenery = PLAIN
    hosts: HypervisorType = HypervisorType.XENSERVER


def volume_with_guest(lab: Lab, name: str = "database") -> tuple[Volume, Guest]:
    """A volume of some size that a machine has written to."""
    request = VolumeRequest(operation=OperationId(f"create-{name}"), account=ACCOUNT, name=name, size_bytes=SIZE_BYTES)
    volume = lab.attempt(lambda driver: driver.create_volume(request)).result()
    guest = lab.start_guest(volume)
    guest.fill(blocks=6)
    return volume, guest


def taken(lab: Lab, volume: Volume, name: str, location: LocationType) -> Snapshot:
    """A snapshot that is there."""
    request = SnapshotRequest(operation=OperationId(f"take-{name}"), volume=volume.id, name=name, location=location)
    return lab.attempt(lambda driver: driver.take_snapshot(request)).result()


def arrange_take(lab: Lab) -> Stage:
    """Beside the backup to come there are one of each kind already, which must survive it."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", LocationType.PRIMARY)
    taken(lab, volume, "kept-on-secondary", LocationType.SECONDARY)
    request = SnapshotRequest(
        operation=OperationId("take"), volume=volume.id, name="nightly", location=LocationType.SECONDARY
    )
    return Stage(lambda driver: driver.take_snapshot(request), guest)


def arrange_take_primary(lab: Lab) -> Stage:
    """A snapshot that stays on the array, beside another one."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", LocationType.PRIMARY)
    request = SnapshotRequest(
        operation=OperationId("take"), volume=volume.id, name="nightly", location=LocationType.PRIMARY
    )
    return Stage(lambda driver: driver.take_snapshot(request), guest)


def _arrange_delete(location: LocationType) -> Callable[[Lab], Stage]:
    def arrange(lab: Lab) -> Stage:
        """Of two snapshots, one is deleted."""
        volume, guest = volume_with_guest(lab)
        taken(lab, volume, "kept-on-secondary", location)
        doomed = taken(lab, volume, "doomed", location)
        return Stage(lambda driver: driver.delete_snapshot(OperationId("delete"), doomed.id), guest)

    return arrange


def arrange_reconcile(lab: Lab) -> Stage:
    """The driver died when the array had its order to clone; another life has begun, and is yet to reconcile."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", LocationType.PRIMARY)
    request = SnapshotRequest(
        operation=OperationId("take"), volume=volume.id, name="nightly", location=LocationType.SECONDARY
    )
    lab.watch_calls()
    lab.arm("array.CloneVolume#1", "crash_after")
    died = lab.attempt(lambda driver: driver.take_snapshot(request)).crashed
    lab.repair()
    lab.revive(reconcile=False)
    if not died:
        raise NotTestableError("The driver makes no backup by array.CloneVolume, so it did not die there.")
    return Stage(lambda driver: driver.reconcile(), guest)


def arrange_archive(lab: Lab) -> Stage:
    """Of two array snapshots, one moves to secondary storage."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", LocationType.PRIMARY)
    guest.fill(blocks=2)
    moving = taken(lab, volume, "moving", LocationType.PRIMARY)
    return Stage(lambda driver: driver.archive_snapshot(OperationId("archive"), moving.id), guest)


def arrange_take_in_background(lab: Lab) -> Stage:
    """The caller has his answer at once; the backup goes on behind it."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-secondary", LocationType.SECONDARY)
    request = SnapshotRequest(
        operation=OperationId("take"),
        volume=volume.id,
        name="nightly",
        location=LocationType.SECONDARY,
        async_backup=True,
    )

    def act(driver: DriverUnderTest) -> None:
        driver.take_snapshot(request)
        driver.run_due_work()

    return Stage(act, guest)


def slot_come(lab: Lab, volume: Volume) -> Judge:
    """Let the second slot of a daily policy come, which keeps one backup; gives what must hold: it is run once."""
    request = PolicyRequest(
        operation=OperationId("policy"),
        volume=volume.id,
        interval="DAILY",
        schedule="59:23",  # an hour before midnight by UTC: the next slot is far, however many lives end meanwhile
        timezone="Europe/Berlin",
        keep_max=1,
        location=LocationType.SECONDARY,
    )
    policy = lab.attempt(lambda driver: driver.create_policy(request)).result()
    lab.advance(DAY_S)
    lab.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
    (first,) = lab.driver.list_snapshots()
    lab.advance(DAY_S)

    def run_once(after: Lab) -> Iterator[str]:
        """By whichever life; and what the first slot took does not count."""
        after.attempt(lambda driver: driver.run_due_work()).raise_if_failed()
        own = [row for row in after.driver.list_snapshots() if row.policy == policy.id and row.id != first.id]
        if len(own) != 1:
            yield f"The slot of policy {policy.id} was run {len(own)} times."

    return run_once


def arrange_policy_run(lab: Lab) -> Stage:
    """A policy's slot has come: a backup is taken, and the one before it deleted."""
    volume, guest = volume_with_guest(lab)
    return Stage(lambda driver: driver.run_due_work(), guest, slot_come(lab, volume))


def arrange_archive_orphan(lab: Lab) -> Stage:
    """The last array snapshot of a deleted volume moves, and the LUN that was kept for it goes."""
    volume, guest = volume_with_guest(lab)
    other, busy = volume_with_guest(lab, "other")
    taken(lab, other, "kept-on-array", LocationType.PRIMARY)
    moving = taken(lab, volume, "moving", LocationType.PRIMARY)
    guest.stop()
    lab.attempt(lambda driver: driver.delete_volume(OperationId("discard"), volume.id)).raise_if_failed()
    return Stage(lambda driver: driver.archive_snapshot(OperationId("archive"), moving.id), busy)


def arrange_revert(lab: Lab) -> Stage:
    """A volume that no machine uses goes back to the first of two snapshots; another one is written to meanwhile."""
    volume, guest = volume_with_guest(lab)
    goal = taken(lab, volume, "goal", LocationType.PRIMARY)
    guest.fill(blocks=4)
    taken(lab, volume, "later", LocationType.PRIMARY)
    guest.fill(blocks=4)
    now = guest.content()
    guest.stop()
    lab.expect_revert(volume)
    _, busy = volume_with_guest(lab, "other")

    def judge(after: Lab) -> Iterator[str]:
        """The one or the other, never something between; and it can be had at last, by the same request."""
        if after.content_of(volume) not in (now, after.content_when_taken(goal)):
            yield f"Volume {volume.name} is neither what it was nor what snapshot {goal.name} is."
        ended = after.attempt(lambda driver: driver.revert_volume(OperationId("revert"), goal.id))
        if ended.error is None and after.content_of(volume) != after.content_when_taken(goal):
            yield f"Volume {volume.name} was reverted, and is not what snapshot {goal.name} is."

    return Stage(lambda driver: driver.revert_volume(OperationId("revert"), goal.id), busy, judge)


def restore_of(source: Snapshot) -> VolumeRequest:
    """The wish for a volume with what a snapshot holds."""
    return VolumeRequest(
        operation=OperationId("restore"),
        account=ACCOUNT,
        name="restored",
        size_bytes=SIZE_BYTES,
        from_snapshot=source.id,
    )


def volume_restored(lab: Lab, request: VolumeRequest, source: Snapshot) -> Iterator[str]:
    """Whole or not there; and it can be had at last, by the same request or, where that failed, by another."""
    if lab.attempt(lambda driver: driver.create_volume(request)).error is not None:
        again = replace(request, operation=OperationId(f"{request.operation}-again"))
        lab.attempt(lambda driver: driver.create_volume(again))
    restored = [row for row in lab.driver.list_volumes() if row.name == request.name]
    if len(restored) != 1:
        yield f"{len(restored)} volumes were restored under one operation id."
    for row in restored:
        if lab.content_of(row) != lab.content_when_taken(source):
            yield f"Volume {row.name} is not what was on the disk when snapshot {source.name} was taken."


def _arrange_restore(location: LocationType) -> Callable[[Lab], Stage]:
    def arrange(lab: Lab) -> Stage:
        """A volume is made from a snapshot, beside its parent, which goes on being written to."""
        volume, guest = volume_with_guest(lab)
        source = taken(lab, volume, "source", location)
        guest.fill(blocks=4)
        request = restore_of(source)

        return Stage(
            lambda driver: driver.create_volume(request), guest, lambda after: volume_restored(after, request, source)
        )

    return arrange


def arrange_take_array_volume(lab: Lab) -> Stage:
    """Beside the snapshot to come there is one already; the volume's own machine is stopped, another one writes."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", LocationType.PRIMARY)
    guest.fill(blocks=2)
    guest.stop()
    _, busy = volume_with_guest(lab, "other")
    request = SnapshotRequest(operation=OperationId("take"), volume=volume.id, name="nightly")

    def judge(after: Lab) -> Iterator[str]:
        """Where it is listed as BackedUp, it holds what was on the disk."""
        for row in after.driver.list_snapshots():
            others = [copy.reference for copy in row.copies if not copy.reference.startswith("SfVolumeId=")]
            if others:
                yield f"Snapshot {row.name} is no array volume of its own, though no host can re-sign: {others}."
                continue
            numbers = [int(copy.reference.removeprefix("SfVolumeId=")) for copy in row.copies]
            if any(after.content_of_lun(number) != after.content_when_taken(row) for number in numbers):
                yield f"Snapshot {row.name} is not what was on the disk when it was taken."

    return Stage(lambda driver: driver.take_snapshot(request), busy, judge)


def _arrange_resize(fits: Callable[[int, int], bool]) -> Callable[[Lab], Stage]:
    """Whether a disk so large fits what was asked for: to a KVM host it is the whole LUN."""

    def arrange(lab: Lab) -> Stage:
        """A volume that no machine uses is made larger; another one is written to meanwhile."""
        volume, guest = volume_with_guest(lab)
        taken(lab, volume, "kept-on-array", LocationType.PRIMARY)
        guest.stop()
        _, busy = volume_with_guest(lab, "other")
        lab.expect_resize(volume)
        operation, larger = OperationId("resize"), LARGER_BYTES

        def judge(after: Lab) -> Iterator[str]:
            """It can be had at last, by the same request or by another; and then it is so large for everybody."""
            if after.attempt(lambda driver: driver.resize_volume(operation, volume.id, larger)).error is not None:
                again = OperationId("resize-again")
                after.attempt(lambda driver: driver.resize_volume(again, volume.id, larger)).raise_if_failed()
            (listed,) = [row.size_bytes for row in after.driver.list_volumes() if row.id == volume.id]
            if listed != larger or not fits(after.content_of(volume).size_bytes, larger):
                yield f"Volume {volume.name} is listed with {listed} bytes and has another size, or not {larger}."

        return Stage(lambda driver: driver.resize_volume(operation, volume.id, larger), busy, judge)

    return arrange


def template_of(source: Snapshot) -> TemplateRequest:
    """The wish for a template with what a snapshot holds."""
    return TemplateRequest(operation=OperationId("template"), account=ACCOUNT, name="golden", from_snapshot=source.id)


def template_made(lab: Lab, request: TemplateRequest, source: Snapshot) -> Iterator[str]:
    """Whole or not there; and it can be had at last, by the same request or, where that failed, by another."""
    if lab.attempt(lambda driver: driver.create_template(request)).error is not None:
        again = replace(request, operation=OperationId(f"{request.operation}-again"))
        lab.attempt(lambda driver: driver.create_template(again))
    made = [row.reference for row in lab.driver.list_templates() if row.name == request.name]
    contents = [image.content for image in lab.backups() if image.path in made]
    if contents != [lab.content_when_taken(source)]:
        yield f"There are {len(contents)} templates where one should be, or it is not what its snapshot is."


def arrange_template(lab: Lab) -> Stage:
    """A template is made of an array snapshot, beside one that was made of a backup."""
    volume, guest = volume_with_guest(lab)
    kept = taken(lab, volume, "kept-on-secondary", LocationType.SECONDARY)
    source = taken(lab, volume, "source", LocationType.PRIMARY)
    other = TemplateRequest(operation=OperationId("keep"), account=ACCOUNT, name="silver", from_snapshot=kept.id)
    lab.attempt(lambda driver: driver.create_template(other)).raise_if_failed()
    request = template_of(source)
    return Stage(
        lambda driver: driver.create_template(request), guest, lambda after: template_made(after, request, source)
    )


WORKFLOWS: Mapping[str, Workflow] = {
    "take-primary": Workflow(1, arrange_take_primary, ON_ARRAY),
    "take-secondary": Workflow(1, arrange_take, AT_BOTH),
    "delete-secondary": Workflow(1, _arrange_delete(LocationType.SECONDARY), AS_BACKUP),
    "delete-primary": Workflow(1, _arrange_delete(LocationType.PRIMARY), ON_ARRAY),
    "reconcile": Workflow(1, arrange_reconcile, AT_BOTH | {Capability.RECONCILE}),
    "take-in-background": Workflow(1, arrange_take_in_background, AS_BACKUP | {Capability.ASYNC_BACKUP}),
    "policy-run": Workflow(1, arrange_policy_run, AS_BACKUP | {Capability.POLICIES}),
    "archive": Workflow(1, arrange_archive, MOVING),
    "archive-orphan": Workflow(1, arrange_archive_orphan, MOVING | {Capability.PARENT_KEPT}),
    "revert": Workflow(1, arrange_revert, REVERTING),
    "resize": Workflow(2, _arrange_resize(eq), RESIZING),
    "template": Workflow(1, arrange_template, AT_BOTH | {Capability.TEMPLATES}),
    "take-array-volume": Workflow(1, arrange_take_array_volume, AS_VOLUME, NO_RESIGNING),
    "restore-array-volume": Workflow(1, _arrange_restore(LocationType.PRIMARY), FROM_VOLUME, NO_RESIGNING),
    "restore-primary": Workflow(1, _arrange_restore(LocationType.PRIMARY), FROM_ARRAY),
    "restore-secondary": Workflow(1, _arrange_restore(LocationType.SECONDARY), FROM_BACKUP),
    "revert-kvm": Workflow(1, arrange_revert, REVERTING | ON_KVM, hosts=HypervisorType.KVM),
    "resize-kvm": Workflow(1, _arrange_resize(ge), RESIZING | ON_KVM, hosts=HypervisorType.KVM),
    "restore-kvm": Workflow(1, _arrange_restore(LocationType.PRIMARY), FROM_ARRAY | ON_KVM, hosts=HypervisorType.KVM),
}
"""Workflows by the name that schedules use."""
