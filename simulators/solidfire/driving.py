"""Drives on their way in and out of use: jobs that GetAsyncResult tells about, as it does about clones."""

from collections.abc import Mapping

from snapproof.simulators.solidfire import faulting
from snapproof.simulators.solidfire.plant import Drive, DriveJob, DriveStatus
from snapproof.simulators.solidfire.state import Numbered, State

ADD, REMOVE, ERASE = "DriveAdd", "DriveRemoval", "SecureErase"
DRIVE_S = 2.0
"""How long a job takes, whatever its drives hold."""

_AFTERWARDS: Mapping[str, DriveStatus] = {
    ADD: DriveStatus.ACTIVE,
    REMOVE: DriveStatus.AVAILABLE,
    ERASE: DriveStatus.AVAILABLE,
}


def start(state: State, drives: list[Drive], kind: str) -> DriveJob:
    """Begin. Drives that are removed are out of the cluster's size at once."""
    job = DriveJob(
        handle=state.next_number(Numbered.HANDLE),
        kind=kind,
        drive_ids=tuple(drive.drive_id for drive in drives),
        started_s=state.clock.time(),
        create_time=state.stamp(),
        update_time=state.stamp(),
    )
    state.plant.jobs.put(job.handle, job)
    if kind == REMOVE:
        for drive in drives:
            drive.status = DriveStatus.REMOVING.value
    state.plant.measure()
    state.record("drives change", kind=kind, drives=", ".join(map(str, job.drive_ids)), handle=job.handle)
    faulting.notice(state)
    return job


def settle(state: State) -> None:
    """Finish the jobs whose time has come."""
    for job in state.plant.jobs:
        if not job.completed and state.clock.time() - job.started_s >= DRIVE_S:
            job.completed, job.update_time = True, state.stamp()
            for number in job.drive_ids:
                state.plant.drives[number].status = _AFTERWARDS[job.kind].value
            state.plant.measure()
            state.record("drives changed", kind=job.kind, handle=job.handle)
            faulting.notice(state)
