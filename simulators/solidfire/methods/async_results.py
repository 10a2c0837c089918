"""What became of asynchronous calls: clones, bulk volume jobs, changes of drives, structures, by their handles."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, TypeAlias

from snapproof.simulators.solidfire import checks, restoring
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.bulk_records import BulkJob
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import DriveJob
from snapproof.simulators.solidfire.records import GroupClone, Job
from snapproof.simulators.solidfire.settings import StructureJob
from snapproof.simulators.solidfire.shelf import Shelf

CLONE, BULK_VOLUME = "Clone", "BulkVolume"
RESULT_TYPES = (CLONE, BULK_VOLUME, "DriveAdd", "DriveRemoval", "RtfiPendingNode", restoring.KIND)
AnyJob: TypeAlias = Job | GroupClone | BulkJob | DriveJob | StructureJob
_WORKED, _FAILED = "Bulk volume job succeeded", "Bulk volume job failed"


def get_async_result(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell how an asynchronous call is doing. The handle dies with its first complete answer, unless kept."""
    handle = given["asyncHandle"]
    job: AnyJob | None = next(filter(None, (shelf.get(handle) for shelf in _shelves(array))), None)
    if job is None:
        raise ElementError(GUESSED.dead_handle, asyncHandle=handle)
    status = {
        "status": "complete" if job.completed else "running",
        "resultType": _kind(job),
        "createTime": job.create_time,
        "lastUpdateTime": job.update_time,
    }
    if not job.completed:
        for part in job.jobs if isinstance(job, GroupClone) else (job,):
            part.polls += 1
        return {**status, "details": {**_ids(job), "message": _said(job)}}
    if not given.get("keepResult", False):
        next(shelf for shelf in _shelves(array) if handle in shelf).drop(handle)
    return {**status, **_outcome(job)}


def _shelves(array: Array) -> tuple[Shelf[Any], ...]:
    """Where jobs lie; a handle is on one of them."""
    return array.jobs, array.bulk.by_handle, array.plant.jobs, array.settings.structure_jobs


def _kind(job: AnyJob) -> str:
    if isinstance(job, DriveJob):
        return job.kind
    if isinstance(job, StructureJob):
        return restoring.KIND
    return BULK_VOLUME if isinstance(job, BulkJob) else CLONE


def _said(job: AnyJob) -> str:
    if isinstance(job, Job | GroupClone):
        return job.error if job.completed else ""
    return job.message


def _ids(job: AnyJob) -> Mapping[str, Any]:
    if isinstance(job, DriveJob):
        return {"drives": list(job.drive_ids)}
    if isinstance(job, StructureJob):
        return {}
    if isinstance(job, Job):
        return {"cloneID": job.clone_id, "volumeID": job.target_id}
    if isinstance(job, GroupClone):
        return {"groupCloneID": job.group_clone_id}
    return {"bvID": job.bulk_id, "volumeID": job.volume_id}


def _outcome(job: AnyJob) -> Mapping[str, Any]:
    if isinstance(job, Job | GroupClone):
        if job.error:
            return {"error": {"name": job.error, "message": job.error, **_ids(job)}}
        return {"result": {"message": "Clone complete.", **_ids(job)}}
    if isinstance(job, DriveJob | StructureJob):
        return {"result": {"message": "complete", **_ids(job)}}
    if job.status == "failed":
        return {"error": {"name": "xBulkVolumeScriptFailure", "message": _FAILED, **_ids(job)}}
    return {"result": {"message": _WORKED, **_ids(job)}}


def list_async_results(array: Array, given: Given) -> Mapping[str, Any]:
    """List every handle that has not died, without ending any."""
    wanted = given.get("asyncResultTypes") or RESULT_TYPES
    for word in wanted:
        checks.one_of(word, RESULT_TYPES)
    every: list[AnyJob] = sorted((job for shelf in _shelves(array) for job in shelf), key=attrgetter("handle"))
    filtered = "asyncResultTypes" in given
    return {"asyncHandles": [_line(job) for job in every if not filtered or _kind(job) in wanted]}


def _line(job: AnyJob) -> Mapping[str, Any]:
    failed = "error" in _outcome(job)
    return {
        "asyncResultID": job.handle,
        "completed": job.completed,
        "success": job.completed and not failed,
        "resultType": _kind(job),
        "data": {**_ids(job), "message": _said(job)},
        "createTime": job.create_time,
        "lastUpdateTime": job.update_time,
    }


RULES: Rules = {
    "GetAsyncResult": get_async_result,
    "ListAsyncResults": list_async_results,
}
