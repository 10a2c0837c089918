"""Workflows of several callers who act at once on something that they share. One table by name, as in workflows.py.

Each of them may be refused for the moment, never half served: what they wanted can be had when the others are done.
"""

from collections.abc import Callable, Iterator, Mapping

from snapproof.campaign.schedule import Schedule
from snapproof.campaign.stages import (
    AS_BACKUP,
    AT_BOTH,
    FROM_BACKUP,
    FROM_VOLUME,
    HERE,
    MOVING,
    NO_RESIGNING,
    OF_ACCOUNT,
    THERE,
    Act,
    Stage,
    Workflow,
    insist,
    insist_on,
    taken,
    volume_with_guest,
)
from snapproof.campaign.volumes import (
    OTHERS,
    account_gone,
    arrange_from,
    delete_account,
    making_template,
    restore_of,
    restoring,
    restoring_as_well,
    template_of,
    volume_reverted,
)
from snapproof.campaign.workflows import WORKFLOWS, slot_come
from snapproof.driver import DriverUnderTest
from snapproof.lab import Lab
from snapproof.vocabulary import (
    Capability,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotRequest,
    SnapshotState,
    Volume,
    VolumeRequest,
)


def _request(volume: Volume, name: str, location: LocationType = THERE) -> SnapshotRequest:
    return SnapshotRequest(operation=OperationId(f"take-{name}"), volume=volume.id, name=name, location=location)


def _taking(request: SnapshotRequest) -> Act:
    return lambda driver: driver.take_snapshot(request)


def _deleting(snapshot: Snapshot, operation: str = "delete") -> Act:
    return lambda driver: driver.delete_snapshot(OperationId(operation), snapshot.id)


def _archiving(snapshot: Snapshot) -> Act:
    return lambda driver: driver.archive_snapshot(OperationId("archive"), snapshot.id)


def _had(lab: Lab, request: SnapshotRequest) -> Iterator[str]:
    """A snapshot can be had by the same request, or where that failed by another; and then there is one."""
    insist_on(lab, lambda driver, asked: driver.take_snapshot(asked), request)
    rows = [row for row in lab.driver.list_snapshots() if row.name == request.name]
    if [row.state for row in rows if row.state is not SnapshotState.ERROR] != [SnapshotState.BACKED_UP]:
        yield f"Snapshot {request.name} cannot be had; listed are {[str(row.state) for row in rows]}."


def _gone(lab: Lab, snapshot: Snapshot, operation: str = "delete") -> Iterator[str]:
    """A snapshot can be got rid of by the same request, or where that failed by another."""
    insist(lab, lambda driver, asked: driver.delete_snapshot(asked, snapshot.id), operation)
    if snapshot.id in {row.id for row in lab.driver.list_snapshots()}:
        yield f"Snapshot {snapshot.name} cannot be deleted."


def _moved(lab: Lab, snapshot: Snapshot) -> Iterator[str]:
    """A snapshot that is listed can be archived."""
    insist(lab, lambda driver, operation: driver.archive_snapshot(operation, snapshot.id), "archive")
    if [row.location for row in lab.driver.list_snapshots() if row.id == snapshot.id] != [THERE]:
        yield f"Snapshot {snapshot.name} cannot be archived."


def _restoring(request: VolumeRequest) -> Act:
    return lambda driver: driver.create_volume(request)


def arrange_take_take(lab: Lab) -> Stage:
    """Two backups of one volume."""
    volume, guest = volume_with_guest(lab)
    one, other = _request(volume, "one"), _request(volume, "other")

    def judge(after: Lab) -> Iterator[str]:
        yield from _had(after, one)
        yield from _had(after, other)

    return Stage(_taking(one), guest, judge, (_taking(other),))


def arrange_take_delete(lab: Lab) -> Stage:
    """A backup of a volume, while another snapshot of it is deleted."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", HERE)
    doomed = taken(lab, volume, "doomed", HERE)
    request = _request(volume, "nightly")

    def judge(after: Lab) -> Iterator[str]:
        yield from _had(after, request)
        yield from _gone(after, doomed)

    return Stage(_taking(request), guest, judge, (_deleting(doomed),))


def arrange_archive_delete(lab: Lab) -> Stage:
    """A snapshot moves, and is deleted."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-array", HERE)
    moving = taken(lab, volume, "moving", HERE)

    def judge(after: Lab) -> Iterator[str]:
        if moving.id in {row.id for row in after.driver.list_snapshots()}:
            yield from _moved(after, moving)
        yield from _gone(after, moving)

    return Stage(_archiving(moving), guest, judge, (_deleting(moving),))


def arrange_delete_delete(lab: Lab) -> Stage:
    """A backup is deleted by two callers."""
    volume, guest = volume_with_guest(lab)
    taken(lab, volume, "kept-on-secondary", THERE)
    doomed = taken(lab, volume, "doomed", THERE)
    return Stage(_deleting(doomed), guest, lambda after: _gone(after, doomed), (_deleting(doomed, "delete-as-well"),))


def arrange_restore_delete(lab: Lab) -> Stage:
    """A volume is made from a backup that is being deleted."""
    volume, guest = volume_with_guest(lab)
    source = taken(lab, volume, "source", THERE)
    guest.fill(blocks=4)
    request = restore_of(source)
    content = lab.content_when_taken(source)

    def judge(after: Lab) -> Iterator[str]:
        """Whole or not there; who was told that it is there still has it."""
        told = after.attempt(_restoring(request)).error is None
        restored = [row for row in after.driver.list_volumes() if row.name == request.name]
        if len(restored) != int(told):
            yield f"{len(restored)} volumes were restored, and the caller was told {'one' if told else 'none'}."
        for row in restored:
            if after.content_of(row) != content:
                yield f"Volume {row.name} is not what was on the disk when snapshot {source.name} was taken."
        yield from _gone(after, source)

    return Stage(_restoring(request), guest, judge, (_deleting(source),))


def arrange_revert_take(lab: Lab) -> Stage:
    """A volume goes back to a snapshot, while a backup of it is taken."""
    volume, guest = volume_with_guest(lab)
    goal = taken(lab, volume, "goal", HERE)
    guest.fill(blocks=4)
    guest.stop()
    lab.expect_revert(volume)
    _, busy = volume_with_guest(lab, "other")
    request = _request(volume, "nightly")

    def reverting(driver: DriverUnderTest, operation: str = "revert") -> None:
        driver.revert_volume(OperationId(operation), goal.id)

    def judge(after: Lab) -> Iterator[str]:
        yield from volume_reverted(after, volume, goal, reverting)
        yield from _had(after, request)

    return Stage(reverting, busy, judge, (_taking(request),))


def arrange_policy_take(lab: Lab) -> Stage:
    """A policy's slot has come, and somebody takes a backup by hand."""
    volume, guest = volume_with_guest(lab)
    slot_run_once = slot_come(lab, volume)
    request = _request(volume, "by-hand")

    def judge(after: Lab) -> Iterator[str]:
        """The slot was run once, and what was taken by hand is no policy's to delete."""
        yield from slot_run_once(after)
        yield from _had(after, request)

    return Stage(lambda driver: driver.run_due_work(), guest, judge, (_taking(request),))


def arrange_three(lab: Lab) -> Stage:
    """Of one volume a backup is taken, an array snapshot moves, and another one is deleted."""
    volume, guest = volume_with_guest(lab)
    moving, doomed = taken(lab, volume, "moving", HERE), taken(lab, volume, "doomed", HERE)
    request = _request(volume, "nightly")

    def judge(after: Lab) -> Iterator[str]:
        yield from _had(after, request)
        yield from _moved(after, moving)
        yield from _gone(after, doomed)

    return Stage(_taking(request), guest, judge, (_archiving(moving), _deleting(doomed)))


def _arrange_and_account(asking_for: Callable[[Snapshot], Act]) -> Callable[[Lab], Stage]:
    def arrange(lab: Lab) -> Stage:
        """Something is asked for an account that is deleted; what others have is written to meanwhile."""
        volume, guest = volume_with_guest(lab)
        source = taken(lab, volume, "source", THERE)
        guest.stop()
        _, busy = volume_with_guest(lab, "other", OTHERS)
        return Stage(asking_for(source), busy, account_gone, (delete_account,))

    return arrange


def _taking_another(source: Snapshot) -> Act:
    return _taking(SnapshotRequest(operation=OperationId("take"), volume=source.volume, name="nightly", location=THERE))


def _making_template(source: Snapshot) -> Act:
    return lambda driver: driver.create_template(template_of(source))


def _deleting_as_well(_source: Snapshot) -> Act:
    return lambda driver: delete_account(driver, "delete-as-well")


TOGETHER: Mapping[str, Workflow] = {
    "take-and-take": Workflow(1, arrange_take_take, AS_BACKUP),
    "take-and-delete": Workflow(1, arrange_take_delete, AT_BOTH),
    "archive-and-delete": Workflow(1, arrange_archive_delete, MOVING),
    "delete-and-delete": Workflow(1, arrange_delete_delete, AS_BACKUP),
    "restore-and-delete": Workflow(1, arrange_restore_delete, FROM_BACKUP),
    "restore-and-restore": Workflow(1, arrange_from(HERE, restoring, restoring_as_well), FROM_VOLUME, NO_RESIGNING),
    "restore-and-template": Workflow(
        1, arrange_from(HERE, restoring, making_template), FROM_VOLUME | {Capability.TEMPLATES}, NO_RESIGNING
    ),
    "revert-and-take": Workflow(1, arrange_revert_take, AT_BOTH | {Capability.REVERT}),
    "policy-and-take": Workflow(1, arrange_policy_take, AS_BACKUP | {Capability.POLICIES}),
    "take-archive-delete": Workflow(1, arrange_three, AT_BOTH | MOVING),
    "take-and-account": Workflow(1, _arrange_and_account(_taking_another), OF_ACCOUNT),
    "template-and-account": Workflow(1, _arrange_and_account(_making_template), OF_ACCOUNT),
    "account-and-account": Workflow(1, _arrange_and_account(_deleting_as_well), OF_ACCOUNT),
}
"""Workflows by the name that schedules use."""
EVERY_WORKFLOW: Mapping[str, Workflow] = {**WORKFLOWS, **TOGETHER}


def bare(workflow: str, store: str, *, seed: int = 0, still: bool = False) -> Schedule:
    """Give the schedule of a workflow as it is today, without a fault."""
    return Schedule(workflow=workflow, version=EVERY_WORKFLOW[workflow].version, store=store, seed=seed, still=still)
