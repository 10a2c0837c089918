"""Workflows: what a case arranges before faults are armed, and the one verb that meets them. One table by name.

A workflow speaks to the two ports only; how faults are armed and judged is in running.py. Here are those of snapshots.
"""

from collections.abc import Callable, Iterator, Mapping
from operator import eq, ge

from snapproof.campaign import volumes
from snapproof.campaign.stages import (
    AS_BACKUP,
    AS_VOLUME,
    AT_BOTH,
    FROM_ARRAY,
    FROM_BACKUP,
    FROM_TEMPLATE,
    FROM_VOLUME,
    HERE,
    MOVING,
    NO_RESIGNING,
    OF_ACCOUNT,
    ON_ARRAY,
    ON_KVM,
    RESIZING,
    REVERTING,
    THERE,
    Judge,
    Stage,
    Workflow,
    taken,
    volume_with_guest,
)
from snapproof.driver import DriverUnderTest
from snapproof.lab import Guest, Lab, NotTestableError
from snapproof.vocabulary import (
    OF_ARRAY_VOLUMES,
    Capability,
    HypervisorType,
    LocationType,
    OperationId,
    PolicyRequest,
    Snapshot,
    SnapshotRequest,
    Volume,
)

DAY_S = 86_400


def arrange_take(lab: Lab) -> Stage:
    """Beside the backup to come there are one of each kind already, which must survive it."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", HERE)
    taken(lab, volume, "kept-on-secondary", THERE)
    request = SnapshotRequest(operation=OperationId("take"), volume=volume.id, name="nightly", location=THERE)
    return Stage(lambda driver: driver.take_snapshot(request), guest)


def arrange_take_primary(lab: Lab) -> Stage:
    """A snapshot that stays on the array, beside another one."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", HERE)
    request = SnapshotRequest(operation=OperationId("take"), volume=volume.id, name="nightly", location=HERE)
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
    taken(lab, volume, "kept-on-array", HERE)
    request = SnapshotRequest(operation=OperationId("take"), volume=volume.id, name="nightly", location=THERE)
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
    taken(lab, volume, "kept-on-array", HERE)
    guest.fill(blocks=2)
    moving = taken(lab, volume, "moving", HERE)
    return Stage(lambda driver: driver.archive_snapshot(OperationId("archive"), moving.id), guest)


def arrange_take_in_background(lab: Lab) -> Stage:
    """The caller has his answer at once; the backup goes on behind it."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-secondary", THERE)
    request = SnapshotRequest(
        operation=OperationId("take"),
        volume=volume.id,
        name="nightly",
        location=THERE,
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
        location=THERE,
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


def _orphan(lab: Lab) -> tuple[Snapshot, Guest]:
    """The last array snapshot of a volume that was deleted, and the guest of another one that has a snapshot, too."""
    volume, guest = volume_with_guest(lab)
    other, busy = volume_with_guest(lab, "other")
    taken(lab, other, "kept-on-array", HERE)
    last = taken(lab, volume, "last", HERE)
    guest.stop()
    lab.attempt(lambda driver: driver.delete_volume(OperationId("discard"), volume.id)).raise_if_failed()
    return last, busy


def arrange_archive_orphan(lab: Lab) -> Stage:
    """The last array snapshot of a deleted volume moves, and the LUN that was kept for it goes."""
    moving, busy = _orphan(lab)
    return Stage(lambda driver: driver.archive_snapshot(OperationId("archive"), moving.id), busy)


def arrange_delete_last(lab: Lab) -> Stage:
    """The last array snapshot of a deleted volume goes, and the LUN that was kept for it."""
    last, busy = _orphan(lab)
    return Stage(lambda driver: driver.delete_snapshot(OperationId("delete"), last.id), busy)


def arrange_take_array_volume(lab: Lab) -> Stage:
    """Beside the snapshot to come there is one already; the volume's own machine is stopped, another one writes."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", HERE)
    guest.fill(blocks=2)
    guest.stop()
    _, busy = volume_with_guest(lab, "other")
    request = SnapshotRequest(operation=OperationId("take"), volume=volume.id, name="nightly")

    def judge(after: Lab) -> Iterator[str]:
        """Where it is listed as BackedUp, it holds what was on the disk."""
        for row in after.driver.list_snapshots():
            others = [copy.reference for copy in row.copies if not copy.reference.startswith(OF_ARRAY_VOLUMES)]
            if others:
                yield f"Snapshot {row.name} is no array volume of its own, though no host can re-sign: {others}."
                continue
            numbers = [int(copy.reference.removeprefix(OF_ARRAY_VOLUMES)) for copy in row.copies]
            if any(after.content_of_lun(number) != after.content_when_taken(row) for number in numbers):
                yield f"Snapshot {row.name} is not what was on the disk when it was taken."

    return Stage(lambda driver: driver.take_snapshot(request), busy, judge)


WORKFLOWS: Mapping[str, Workflow] = {
    "take-primary": Workflow(1, arrange_take_primary, ON_ARRAY),
    "take-secondary": Workflow(1, arrange_take, AT_BOTH),
    "delete-secondary": Workflow(1, _arrange_delete(THERE), AS_BACKUP),
    "delete-primary": Workflow(1, _arrange_delete(HERE), ON_ARRAY),
    "delete-last": Workflow(1, arrange_delete_last, ON_ARRAY | {Capability.PARENT_KEPT}),
    "reconcile": Workflow(1, arrange_reconcile, AT_BOTH | {Capability.RECONCILE}),
    "take-in-background": Workflow(1, arrange_take_in_background, AS_BACKUP | {Capability.ASYNC_BACKUP}),
    "policy-run": Workflow(1, arrange_policy_run, AS_BACKUP | {Capability.POLICIES}),
    "archive": Workflow(1, arrange_archive, MOVING),
    "archive-orphan": Workflow(1, arrange_archive_orphan, MOVING | {Capability.PARENT_KEPT}),
    "create": Workflow(1, volumes.arrange_create, frozenset()),
    "revert": Workflow(1, volumes.arrange_revert(keep_present=False), REVERTING),
    "revert-keeping": Workflow(1, volumes.arrange_revert(keep_present=True), REVERTING),
    "resize": Workflow(2, volumes.arrange_resize(eq), RESIZING),
    "delete-volume": Workflow(1, volumes.arrange_delete_volume, AS_BACKUP),
    "template": Workflow(1, volumes.arrange_template(HERE), FROM_TEMPLATE),
    "template-secondary": Workflow(1, volumes.arrange_template(THERE), FROM_TEMPLATE),
    "restore-template": Workflow(1, volumes.arrange_from(HERE, volumes.restoring_template), FROM_TEMPLATE),
    "delete-template": Workflow(1, volumes.arrange_delete_template, FROM_TEMPLATE),
    "take-array-volume": Workflow(1, arrange_take_array_volume, AS_VOLUME, NO_RESIGNING),
    "restore-array-volume": Workflow(1, volumes.arrange_from(HERE, volumes.restoring), FROM_VOLUME, NO_RESIGNING),
    "restore-primary": Workflow(1, volumes.arrange_from(HERE, volumes.restoring), FROM_ARRAY),
    "restore-secondary": Workflow(1, volumes.arrange_from(THERE, volumes.restoring), FROM_BACKUP),
    "delete-account": Workflow(1, volumes.arrange_delete_account, OF_ACCOUNT),
    "revert-kvm": Workflow(1, volumes.arrange_revert(keep_present=False), REVERTING | ON_KVM, hosts=HypervisorType.KVM),
    "resize-kvm": Workflow(1, volumes.arrange_resize(ge), RESIZING | ON_KVM, hosts=HypervisorType.KVM),
    "restore-kvm": Workflow(
        1, volumes.arrange_from(HERE, volumes.restoring), FROM_ARRAY | ON_KVM, hosts=HypervisorType.KVM
    ),
}
"""Workflows by the name that schedules use."""
