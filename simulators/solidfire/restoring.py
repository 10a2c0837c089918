"""A cluster structure on its way in: the job that GetAsyncResult tells about. What it sets is there at once."""

from snapproof.simulators.solidfire.settings import StructureJob
from snapproof.simulators.solidfire.state import Numbered, State

KIND = "SetClusterStructure"
STRUCTURE_S = 2.0
"""How long a job takes, whatever the structure holds."""


def start(state: State) -> StructureJob:
    """Begin."""
    job = StructureJob(
        handle=state.next_number(Numbered.HANDLE),
        started_s=state.clock.time(),
        create_time=state.stamp(),
        update_time=state.stamp(),
    )
    state.settings.structure_jobs.put(job.handle, job)
    state.record("cluster structure set", handle=job.handle)
    return job


def settle(state: State) -> None:
    """Finish the jobs whose time has come."""
    for job in state.settings.structure_jobs:
        if not job.completed and state.clock.time() - job.started_s >= STRUCTURE_S:
            job.completed, job.update_time = True, state.stamp()
