"""Bulk volume jobs: begin to read or write a volume, list what is under way, report how one's own script is doing."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import bulk, bulk_scripts, checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.bulk_layout import FORMATS, WINDOW_BLOCKS
from snapproof.simulators.solidfire.bulk_records import BulkJob
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.limits import BLOCK_BYTES
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.snapshots import snapshot_of
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import ACTIVE_BRANCH, Volume
from snapproof.simulators.solidfire.snapshot_checks import admit_snapshot
from snapproof.simulators.solidfire.snapshots import delete as delete_snapshot

REPORTS = ("running", "complete", "failed")
_ANSWERS = {"preparing": "preparing", "running": "active", "done": "done", "failed": "failed"}


def start_read(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to read a snapshot, or the volume as it is at this moment."""
    volume = _volume(array, given)
    snapshot = snapshot_of(array, volume, given.get("snapshotID", ACTIVE_BRANCH))
    size_bytes = snapshot.row.total_size if snapshot else volume.row.total_size
    order = _order(given, bulk.READ, size_bytes)
    displaced = admit_snapshot(array, volume) if snapshot is None else None
    job = bulk.start(array, volume, order, snapshot=snapshot)
    if displaced:
        delete_snapshot(array, displaced, event="snapshot displaced")
    return _begun(array, job)


def start_write(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to overwrite a volume."""
    volume = _volume(array, given)
    return _begun(array, bulk.start(array, volume, _order(given, bulk.WRITE, volume.row.total_size)))


def _volume(array: Array, given: Given) -> Volume:
    volume = checks.settled_volume(array, given["volumeID"])
    running = array.bulk.running()
    busy = sum(job.volume_id == volume.row.volume_id for job in running)
    for count, limit in ((busy, "bulkVolumeJobsPerVolumeMax"), (len(running), "bulkVolumeJobsPerNodeMax")):
        if count >= array.limits[limit]:
            raise ElementError(GUESSED.too_many, f"Exceeded {limit}: {array.limits[limit]} jobs are under way.")
    return volume


def _order(given: Given, kind: str, size_bytes: int) -> bulk.Order:
    script, parameters = given.get("script", ""), given.get("scriptParameters", {})
    if script not in {"", bulk_scripts.NAME}:
        raise ElementError(GUESSED.bad_value, f"The only script of this cluster is {bulk_scripts.NAME}.")
    lba, blocks = _range(parameters.get("range"), size_bytes // BLOCK_BYTES)
    return bulk.Order(
        kind=kind,
        format=checks.one_of(given["format"], FORMATS),
        script=script,
        parameters=parameters if script else {},
        attributes=checks.attributes(given) or {},
        lba=lba,
        blocks=blocks,
    )


def _range(asked: object, most: int) -> tuple[int, int]:
    if asked is None:
        return 0, most
    lba, blocks = (asked.get("lba", 0), asked.get("blocks", most)) if isinstance(asked, dict) else (None, None)
    if type(lba) is not int or type(blocks) is not int or lba < 0 or blocks < 1 or lba + blocks > most:
        raise ElementError(GUESSED.bad_value, f"range has lba and blocks within the {most} blocks of the volume.")
    return lba, blocks


def _begun(array: Array, job: BulkJob) -> Mapping[str, Any]:
    return {"asyncHandle": job.handle, "key": job.key, "url": array.bulk_url}


def list_jobs(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the jobs that are not finished."""
    rows = []
    for job in array.bulk.running():
        job.polls += 1
        rows.append(_row(array, job))
    return {"bulkVolumeJobs": rows}


def _row(array: Array, job: BulkJob) -> Mapping[str, Any]:
    elapsed_s, percent = int(array.clock.time() - job.started_s), bulk.percent(job)
    next_lba = job.lba + min(job.done_blocks, job.blocks)
    return {
        "attributes": {
            **job.attributes,
            "blocksPerTransfer": WINDOW_BLOCKS,
            "firstPendingLba": next_lba,
            "nLbas": job.blocks,
            "nextLba": next_lba,
            "pendingLbas": "[]",
            "percentComplete": percent,
            "startLba": job.lba,
        },
        "bulkVolumeID": job.bulk_id,
        "createTime": job.create_time,
        "elapsedTime": elapsed_s,
        "format": job.format,
        "key": job.key,
        "percentComplete": percent,
        "remainingTime": elapsed_s * (100 - percent) // percent if percent else 0,
        "script": job.script,
        "snapshotID": None if job.own_snapshot or not job.snapshot_id else job.snapshot_id,
        "srcVolumeID": job.volume_id,
        "status": job.status,
        "type": job.kind,
    }


def update_status(array: Array, given: Given) -> Mapping[str, Any]:
    """Hear from whoever has the key how the job is doing, and end it when that is what is said."""
    job = array.bulk.by_key.get(given["key"])
    if job is None:
        raise ElementError("xBulkVolumeIDDoesNotExist")
    word = checks.one_of(given["status"], REPORTS)
    percent = _percent(given)
    attributes = checks.attributes(given)
    if not job.completed:
        job.percent = job.percent if percent is None else percent
        job.message = given.get("message", job.message)
        job.attributes = job.attributes if attributes is None else attributes
        job.status, job.update_time = "running", array.stamp()
        if word != "running":
            bulk.end(array, job, cause="Its script said so." if word == "failed" else "")
    return {"status": _ANSWERS[job.status], "url": array.bulk_url, "attributes": job.attributes}


def _percent(given: Given) -> int | None:
    told = given.get("percentComplete")
    if told is None:
        return None
    text = str(told).removesuffix("%")
    if not (text.isascii() and text.isdigit() and int(text[:4]) <= 100):
        raise ElementError(GUESSED.bad_value, "percentComplete is a number from 0 to 100.")
    return int(text)


RULES: Rules = {
    "StartBulkVolumeRead": start_read,
    "StartBulkVolumeWrite": start_write,
    "ListBulkVolumeJobs": list_jobs,
    "UpdateBulkVolumeStatus": update_status,
}
