"""The life of bulk volume jobs: begun, moved on by time and questions, ended; keys that die a while after the end.

Nothing is checked here: the methods did that. What scripts do is in bulk_scripts.py, how bytes are laid out beside it.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire import snapshots
from snapproof.simulators.solidfire.bulk_records import BulkJob, Script
from snapproof.simulators.solidfire.records import Snapshot, Volume
from snapproof.simulators.solidfire.state import Change, Numbered, State

READ, WRITE = "read", "write"
KEY_LIVES_S = 30.0
"""How long a job's key is known after its end."""


class ScriptError(Exception):
    """A script gave up. The sentence is journaled, so it holds no secret."""


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a new job is to do."""

    kind: str
    format: str
    script: str
    parameters: dict[str, Any]
    attributes: dict[str, Any]
    lba: int
    blocks: int


def start(state: State, volume: Volume, order: Order, *, snapshot: Snapshot | None = None) -> BulkJob:
    """Begin a job; a read without a snapshot takes one of its own, for as long as it lasts."""
    bulk_id = state.next_number(Numbered.BULK_VOLUME)
    own = order.kind == READ and snapshot is None
    if own:
        snapshot = snapshots.take(state, volume, snapshots.Order(name=f"bulk-volume-{bulk_id}", attributes={}))
    stamp = state.stamp()
    job = BulkJob(
        handle=state.next_number(Numbered.HANDLE),
        bulk_id=bulk_id,
        key=state.dice.randbytes(16).hex(),
        kind=order.kind,
        volume_id=volume.row.volume_id,
        snapshot_id=snapshot.row.snapshot_id if snapshot else 0,
        own_snapshot=own,
        format=order.format,
        script=order.script,
        parameters=order.parameters,
        attributes=order.attributes,
        create_time=stamp,
        started_s=state.clock.time(),
        update_time=stamp,
        lba=order.lba,
        blocks=order.blocks,
    )
    if snapshot:
        snapshot.clone_jobs += 1
    state.bulk.by_handle.put(job.handle, job)
    state.bulk.by_key[job.key] = job
    state.record("bulk volume job started", **facts(job))
    return job


def settle(state: State, begin: Callable[[State, BulkJob], Script]) -> None:
    """Let the scripts come as far as time and questions have brought them, and forget keys that are dead.

    `begin` makes the script of a job; a job that was loaded from a dump begins its script anew.
    """
    jobs = state.bulk
    if jobs.moving:  # a script that writes to its own cluster asks it something
        return
    jobs.moving = True
    try:
        for job in jobs.running():
            if job.script:
                script = state.scripts.get(job.bulk_id) or begin(state, job)
                state.scripts[job.bulk_id] = script
                _advance(state, job, script)
    finally:
        jobs.moving = False
    now_s = state.clock.time()
    for job in [job for job in jobs.by_key.values() if job.completed and now_s >= job.ended_s + KEY_LIVES_S]:
        del jobs.by_key[job.key]


def _advance(state: State, job: BulkJob, script: Script) -> None:
    share = _share(state, job)
    try:
        while share > 0 and (share >= 1 or job.done_blocks < math.floor(job.blocks * share)):
            job.done_blocks = next(script)
            job.status = "running"
            job.update_time = state.stamp()
    except StopIteration as finished:
        end(state, job, cause="" if finished.value else "The script was interrupted.")
    except (ScriptError, OSError, ValueError) as error:
        end(state, job, cause=str(error) if isinstance(error, ScriptError) else type(error).__name__)


def _share(state: State, job: BulkJob) -> float:
    """Say how much of the job may be done by now, between 0 and 1."""
    takes = state.transitions[Change.BULK_VOLUME]
    by_time = (state.clock.time() - job.started_s) / takes.seconds if takes.seconds else 1.0
    by_polls = job.polls / takes.polls if takes.polls else 1.0
    return min(1.0, by_time, by_polls)


def percent(job: BulkJob) -> int:
    """How far the job is; a running one never shows 100."""
    if job.percent is not None:
        return min(job.percent, 99)
    return min(99, job.done_blocks * 100 // job.blocks) if job.blocks else 99


def end(state: State, job: BulkJob, *, cause: str = "") -> None:
    """End a job, well or for a cause."""
    job.status = "failed" if cause else "done"
    job.ended_s, job.update_time = state.clock.time(), state.stamp()
    state.scripts.pop(job.bulk_id, None)
    snapshot = state.snapshots.get(job.snapshot_id)
    if snapshot:
        snapshot.clone_jobs -= 1
    if cause:
        state.record("bulk volume job failed", cause=cause, **facts(job))
    else:
        state.record("bulk volume job finished", **facts(job))
    if snapshot and job.own_snapshot:
        snapshots.delete(state, snapshot)


def stop(state: State, volume: Volume) -> None:
    """A volume is being deleted: its jobs end."""
    for job in state.bulk.running():
        if job.volume_id == volume.row.volume_id:
            end(state, job, cause="The volume was deleted.")


def facts(job: BulkJob) -> Mapping[str, Any]:
    """Tell which job it is. Never its key: whoever has it may read or write the volume."""
    return {"bulk_id": job.bulk_id, "kind": job.kind, "volume_id": job.volume_id, "format": job.format}
