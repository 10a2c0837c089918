"""What became of asynchronous calls: clones and bulk volume jobs, by their handles."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from snapproof.simulators.solidfire import checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.bulk_records import BulkJob
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Job

CLONE, BULK_VOLUME = "Clone", "BulkVolume"
RESULT_TYPES = (CLONE, BULK_VOLUME, "DriveAdd", "DriveRemoval", "RtfiPendingNode")
_WORKED, _FAILED = "Bulk volume job succeeded", "Bulk volume job failed"


def get_async_result(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell how an asynchronous call is doing. The handle dies with its first complete answer, unless kept."""
    handle = given["asyncHandle"]
    job = array.jobs.get(handle) or array.bulk.by_handle.get(handle)
    if job is None:
        raise ElementError(GUESSED.dead_handle, asyncHandle=handle)
    status = {
        "status": "complete" if job.completed else "running",
        "resultType": _kind(job),
        "createTime": job.create_time,
        "lastUpdateTime": job.update_time,
    }
    if not job.completed:
        job.polls += 1
        return {**status, "details": {**_ids(job), "message": "" if isinstance(job, Job) else job.message}}
    if not given.get("keepResult", False):
        (array.jobs if isinstance(job, Job) else array.bulk.by_handle).drop(handle)
    return {**status, **_outcome(job)}


def _kind(job: Job | BulkJob) -> str:
    return CLONE if isinstance(job, Job) else BULK_VOLUME


def _ids(job: Job | BulkJob) -> Mapping[str, int]:
    if isinstance(job, Job):
        return {"cloneID": job.clone_id, "volumeID": job.target_id}
    return {"bvID": job.bulk_id, "volumeID": job.volume_id}


def _outcome(job: Job | BulkJob) -> Mapping[str, Any]:
    if isinstance(job, Job):
        if job.error:
            return {"error": {"name": job.error, "message": job.error, **_ids(job)}}
        return {"result": {"message": "Clone complete.", **_ids(job)}}
    if job.status == "failed":
        return {"error": {"name": "xBulkVolumeScriptFailure", "message": _FAILED, **_ids(job)}}
    return {"result": {"message": _WORKED, **_ids(job)}}


def list_async_results(array: Array, given: Given) -> Mapping[str, Any]:
    """List every handle that has not died, without ending any."""
    wanted = given.get("asyncResultTypes") or RESULT_TYPES
    for word in wanted:
        checks.one_of(word, RESULT_TYPES)
    every: list[Job | BulkJob] = sorted([*array.jobs, *array.bulk.by_handle], key=attrgetter("handle"))
    return {"asyncHandles": [_line(job) for job in every if _kind(job) in wanted]}


def _line(job: Job | BulkJob) -> Mapping[str, Any]:
    failed = bool(job.error) if isinstance(job, Job) else job.status == "failed"
    said = job.error if isinstance(job, Job) else job.message
    return {
        "asyncResultID": job.handle,
        "completed": job.completed,
        "success": job.completed and not failed,
        "resultType": _kind(job),
        "data": {**_ids(job), "message": said},
        "createTime": job.create_time,
        "lastUpdateTime": job.update_time,
    }


RULES: Rules = {
    "GetAsyncResult": get_async_result,
    "ListAsyncResults": list_async_results,
}
