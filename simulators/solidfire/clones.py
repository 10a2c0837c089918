"""Clone jobs: a copy of a point in time, listed at once, reachable for hosts when the job is finished.

Nothing is checked here: the methods did that.
"""

from collections.abc import Sequence

from snapproof.simulators.solidfire import volumes
from snapproof.simulators.solidfire.errors import checked_name
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.records import GroupClone, Job, Snapshot, Volume
from snapproof.simulators.solidfire.state import Numbered, State


def start(state: State, source: Volume, order: volumes.Order, *, snapshot: Snapshot | None) -> Job:
    """Begin a clone of the volume, or of one of its snapshots, as it is at this moment."""
    job = _begin(state, source, order, snapshot)
    job.handle = state.next_number(Numbered.HANDLE)
    state.jobs.put(job.handle, job)
    return job


def start_together(state: State, parts: Sequence[tuple[Volume, volumes.Order, Snapshot | None]]) -> GroupClone:
    """Begin clones of several volumes at one moment, under one handle."""
    group = GroupClone(
        handle=state.next_number(Numbered.HANDLE),
        group_clone_id=state.next_number(Numbered.GROUP_CLONE),
        create_time=state.stamp(),
        jobs=[_begin(state, source, order, snapshot) for source, order, snapshot in parts],
    )
    for job in group.jobs:
        job.handle, job.group_clone_id = group.handle, group.group_clone_id
    state.jobs.put(group.handle, group)
    return group


def start_copy(state: State, source: Volume, target: Volume, *, snapshot: Snapshot | None) -> Job:
    """Begin to write the content of a volume, or of one of its snapshots, over another volume of that size."""
    volumes.drop_sessions(state, target, f"volume {target.row.volume_id} is being overwritten")
    image = snapshot.image if snapshot else source.disk.snapshot()
    target.disk.restore(image)
    if snapshot is None:
        image.release()
    job = _enter(state, source, target, snapshot)
    job.overwrites = True
    job.handle = state.next_number(Numbered.HANDLE)
    state.jobs.put(job.handle, job)
    return job


def _begin(state: State, source: Volume, order: volumes.Order, snapshot: Snapshot | None) -> Job:
    image = snapshot.image if snapshot else source.disk.snapshot()
    disk = image.clone()
    if snapshot is None:
        image.release()
    if disk.size_bytes != order.size_bytes:
        disk.resize(order.size_bytes)
    return _enter(state, source, volumes.create(state, order, disk), snapshot)


def _enter(state: State, source: Volume, target: Volume, snapshot: Snapshot | None) -> Job:
    stamp = state.stamp()
    job = Job(
        handle=0,
        clone_id=state.next_number(Numbered.CLONE),
        source_id=source.row.volume_id,
        target_id=target.row.volume_id,
        snapshot_id=snapshot.row.snapshot_id if snapshot else 0,
        create_time=stamp,
        started_s=state.clock.time(),
        update_time=stamp,
        error=state.doomed.pop(0) if state.doomed else "",
    )
    state.running[job.clone_id] = job
    state.cloning_into[job.target_id] = job
    _count_readers(state, job, 1)
    state.record("clone started", **_facts(job))
    return job


def doom_next(state: State, error: str) -> None:
    """Let the next clone that is not yet doomed end with this error in its asynchronous result."""
    state.doomed.append(checked_name(error))


def settle(state: State) -> None:
    """Finish the clones whose time has come."""
    now_s = state.clock.time()
    for job in list(state.running.values()):
        if state.clone_time.finished(started_s=job.started_s, now_s=now_s, polls=job.polls):
            _finish(state, job)


def _finish(state: State, job: Job) -> None:
    _end(state, job)
    job.completed = True
    job.update_time = state.stamp()
    if not job.error:
        state.record("clone finished", **_facts(job))
        return
    state.record("clone failed", error=job.error, **_facts(job))
    _abandon(state, job)


def _abandon(state: State, job: Job) -> None:
    """What was half made goes; a volume that was half overwritten was there before and stays."""
    target = state.volumes.get(job.target_id)
    if target and not job.overwrites:
        volumes.purge(state, target)


def cancel(state: State, job: Job) -> None:
    """Stop a clone under way: its handle and its half-made volume are gone."""
    state.jobs.drop(job.handle)
    _stop(state, job)


def cancel_together(state: State, group: GroupClone) -> None:
    """Stop all clones of a group that are under way: their handle and their half-made volumes are gone."""
    state.jobs.drop(group.handle)
    for job in group.jobs:
        if not job.completed:
            _stop(state, job)


def _stop(state: State, job: Job) -> None:
    _end(state, job)
    state.record("clone cancelled", **_facts(job))
    _abandon(state, job)


def lose_target(state: State, volume: Volume) -> None:
    """A volume is being deleted: a clone job that was filling it ends with an error."""
    job = state.cloning_into.get(volume.row.volume_id)
    if job is None:
        return
    _end(state, job)
    job.completed = True
    job.error = GUESSED.clone_target_gone
    job.update_time = state.stamp()
    state.record("clone failed", error=job.error, **_facts(job))


def _end(state: State, job: Job) -> None:
    del state.running[job.clone_id]
    del state.cloning_into[job.target_id]
    _count_readers(state, job, -1)


def _count_readers(state: State, job: Job, change: int) -> None:
    if source := state.volumes.get(job.source_id):
        source.clone_jobs += change
    if snapshot := state.snapshots.get(job.snapshot_id):
        snapshot.clone_jobs += change


def _facts(job: Job) -> dict[str, int]:
    return {"clone_id": job.clone_id, "volume_id": job.target_id, "source_id": job.source_id}
