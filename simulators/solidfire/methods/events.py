"""What happened and what is wrong: events, which are the changes that the journal has too; faults; clones under way."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from snapproof.simulators.blocks import BLOCK_BYTES
from snapproof.simulators.clock import moment
from snapproof.simulators.journal import Entry
from snapproof.simulators.solidfire import checks, faulting
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import NODE_ID, SLICE_SERVICE_ID, Severity
from snapproof.simulators.solidfire.records import Job
from snapproof.simulators.solidfire.state import Change

CURRENT, RESOLVED, ALL = "current", "resolved", "all"
OTHER_EVENTS = "apiEvent"
EVENT_TYPES: Mapping[str, str] = {
    "bulk": "bulkOpEvent",
    "clone": "cloneEvent",
    "cluster": "remoteClusterEvent",
    "drives": "driveEvent",
    "fault": "platformHardwareEvent",
    "schedule": "schedulerEvent",
}
"""The type of an event by the first word of what the journal calls it; any other change came through the API."""


def list_cluster_faults(array: Array, given: Given) -> Mapping[str, Any]:
    """List what is wrong, what was, or both. Best practices are told only when asked for."""
    faulting.notice(array)
    wanted = checks.one_of(given.get("faultTypes", ALL), (CURRENT, RESOLVED, ALL))
    practices = given.get("bestPractices", False)
    return {
        "faults": [
            faulting.shown(fault)
            for fault in array.plant.faults
            if (wanted == ALL or bool(fault.resolved_s) is (wanted == RESOLVED))
            and (practices or fault.severity != Severity.BEST_PRACTICE)
        ]
    }


def clear_cluster_faults(array: Array, given: Given) -> Mapping[str, Any]:
    """Forget faults, those that are resolved unless told otherwise. What lasts is noticed again."""
    faulting.notice(array)
    wanted = checks.one_of(given.get("faultTypes", RESOLVED), (CURRENT, RESOLVED, ALL))
    kept = [fault for fault in array.plant.faults if wanted != ALL and bool(fault.resolved_s) is (wanted == CURRENT)]
    array.record("faults cleared", kind=wanted, faults=len(array.plant.faults) - len(kept))
    array.plant.faults = kept
    return {}


def list_events(array: Array, given: Given) -> Mapping[str, Any]:
    """List events, oldest first; of more than maxEvents the newest. Event 1 is the first change of the cluster."""
    faulting.notice(array)
    first, last = _range(array, given)
    kind, most = given.get("eventType"), given.get("maxEvents", 0)
    if most < 0:
        raise ElementError(GUESSED.bad_value, "maxEvents must not be negative.")
    found: list[dict[str, Any]] = []
    if given.get("nodeID", 0) or given.get("serviceID", 0) or given.get("driveID", 0):
        return {"eventQueueType": "default", "events": found}
    for number in range(last, first - 1, -1):
        entry = array.events[number - 1]
        if kind is None or _type(entry) == kind:
            found.append(_event(number, entry))
            if len(found) == most:
                break
    return {"eventQueueType": "default", "events": found[::-1]}


def _range(array: Array, given: Given) -> tuple[int, int]:
    """Find the first and the last event between the ids and the times that were given, by halving."""
    events = array.events
    first, last = max(1, given.get("startEventID", 1)), min(len(events), given.get("endEventID", len(events)))
    for name in ("startReportTime", "startPublishTime"):
        if name in given:
            first = max(first, bisect_left(events, _seconds(name, given[name]), key=_time) + 1)
    for name in ("endReportTime", "endPublishTime"):
        if name in given:
            last = min(last, bisect_right(events, _seconds(name, given[name]), key=_time))
    return first, last


def _time(entry: Entry) -> float:
    return entry.time_s


def _seconds(name: str, text: str) -> float:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ElementError(GUESSED.bad_value, f"{name} must be an ISO 8601 time.") from None


def _type(entry: Entry) -> str:
    return EVENT_TYPES.get(entry.event.partition(" ")[0], OTHER_EVENTS)


def _event(number: int, entry: Entry) -> dict[str, Any]:
    at = moment(entry.time_s)
    return {
        "details": ", ".join(f"{name}={value}" for name, value in entry.facts.items()),
        "driveID": 0,
        "driveIDs": [],
        "eventID": number,
        "eventInfoType": _type(entry),
        "message": entry.event,
        "nodeID": NODE_ID,
        "serviceID": 0,
        "severity": 0,
        "timeOfPublish": at,
        "timeOfReport": at,
    }


def list_sync_jobs(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the clones under way."""
    return {"syncJobs": [_sync(array, job) for job in array.running.values()]}


def _sync(array: Array, job: Job) -> dict[str, Any]:
    """Show how far a clone is, which is a matter of time alone."""
    total = array.volumes[job.target_id].total_size
    elapsed_s, whole_s = array.clock.time() - job.started_s, array.transitions[Change.CLONE].seconds
    share = min(1.0, elapsed_s / whole_s) if whole_s else 0.0
    rate = total * share / elapsed_s if elapsed_s else 0.0
    return {
        "blocksPerSecond": rate / BLOCK_BYTES,
        "bytesPerSecond": rate,
        "cloneID": job.clone_id,
        "currentBytes": int(total * share),
        "dstServiceID": SLICE_SERVICE_ID,
        "dstVolumeID": job.target_id,
        "elapsedTime": elapsed_s,
        "nodeID": NODE_ID,
        "percentComplete": 100 * share,
        "remainingTime": int(max(0.0, whole_s - elapsed_s)),
        "sliceID": job.target_id,
        "snapshotID": job.snapshot_id,
        "srcServiceID": SLICE_SERVICE_ID,
        "srcVolumeID": job.source_id,
        "stage": "data",
        "totalBytes": total,
        "type": "clone",
    }


RULES: Rules = {
    "ListClusterFaults": list_cluster_faults,
    "ClearClusterFaults": clear_cluster_faults,
    "ListEvents": list_events,
    "ListSyncJobs": list_sync_jobs,
}
