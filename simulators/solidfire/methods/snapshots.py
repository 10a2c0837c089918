"""Snapshots: create, list, modify, delete, roll back."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from snapproof.simulators.clock import iso
from snapproof.simulators.solidfire import checks, snapshots
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.volumes import admit_bytes
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import ACTIVE_BRANCH, Snapshot, Volume
from snapproof.simulators.solidfire.state import Fullness

_RETENTION = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)", re.ASCII)


def create_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Freeze a volume as it is now, or duplicate one of its snapshots."""
    volume = checks.settled_volume(array, given["volumeID"])
    source = snapshot_of(array, volume, given.get("snapshotID", ACTIVE_BRANCH))
    expires, expires_at_s = _end(array, given)
    order = snapshots.Order(
        name=checks.name_within(array, given.get("name") or array.stamp(), "snapshotNameLengthMax"),
        attributes=checks.attributes(given) or {},
        expires=expires,
        expires_at_s=expires_at_s,
        enable_remote_replication=given.get("enableRemoteReplication", False),
        snap_mirror_label=given.get("snapMirrorLabel"),
    )
    displaced = _admit_snapshot(array, volume, fifo=expires == snapshots.FIFO)
    snapshot = snapshots.take(array, volume, order, source=source.image if source else None)
    if displaced:
        snapshots.delete(array, displaced, event="snapshot displaced")
    return _answer(snapshot)


def _answer(snapshot: Snapshot) -> Mapping[str, Any]:
    row = snapshot.row
    return {"snapshot": row, "snapshotID": row.snapshot_id, "checksum": row.checksum}


def snapshot_of(array: Array, volume: Volume, snapshot_id: int) -> Snapshot | None:
    """Find a snapshot of this very volume; 0 is the volume as it is now. Raises ElementError."""
    if snapshot_id == ACTIVE_BRANCH:
        return None
    snapshot = array.snapshot(snapshot_id)
    if snapshot.row.volume_id != volume.row.volume_id:
        volume_id = volume.row.volume_id
        raise ElementError("xSnapshotIDDoesNotExist", f"SnapshotID {snapshot_id} is not of VolumeID {volume_id}.")
    return snapshot


def _admit_snapshot(array: Array, volume: Volume, *, fifo: bool = False) -> Snapshot | None:
    """Make sure that one more snapshot has a place; return the FIFO one that has to give way. Raises ElementError."""
    if array.fullness >= Fullness.CRITICAL:
        raise ElementError(GUESSED.cluster_full, f"The cluster is at fullness stage {int(array.fullness)}.")
    full = len(volume.snapshots) >= array.limits["snapshotsPerVolumeMax"]
    if not fifo and not full:
        return None
    count, oldest = snapshots.oldest_fifo(volume)
    row = volume.row
    if fifo and count < row.fifo_size and not full:
        return None
    if oldest is None or (not fifo and count <= row.min_fifo_size):
        raise ElementError("xMaxSnapshotsPerVolumeExceeded")
    return oldest


def _end(array: Array, given: Given) -> tuple[str | None, float | None]:
    """Read until when a snapshot is kept: what the API shows, and the second it ends. Raises ElementError."""
    retention, expires = given.get("retention"), given.get("expirationTime")
    if retention and expires:
        raise ElementError(GUESSED.bad_value, "expirationTime excludes retention.")
    if retention:
        found = _RETENTION.fullmatch(retention)
        if found is None:
            raise ElementError(GUESSED.bad_value, "retention is written HH:MM:SS.")
        hours, minutes, seconds = map(int, found.groups())
        at_s = array.clock.time() + hours * 3600 + minutes * 60 + seconds
        return iso(at_s), at_s
    if expires is None or expires == "null":
        return None, None
    if expires == snapshots.FIFO:
        return snapshots.FIFO, None
    shown, at_s = _moment(expires)
    if at_s <= array.clock.time():
        raise ElementError(GUESSED.bad_value, "expirationTime has passed already.")
    return shown, at_s


def _moment(text: str) -> tuple[str, float]:
    try:
        moment = datetime.fromisoformat(text)
        at_s = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        return iso(at_s), at_s
    except (ValueError, OverflowError):
        raise ElementError(GUESSED.bad_value, "expirationTime is an ISO 8601 time, null or fifo.") from None


def list_snapshots(array: Array, given: Given) -> Mapping[str, Any]:
    """List all snapshots, those of a volume, or one."""
    if "snapshotID" in given:
        snapshot = array.snapshot(given["snapshotID"])
        of_volume = given.get("volumeID", snapshot.row.volume_id)
        return {"snapshots": [snapshot.row] if snapshot.row.volume_id == of_volume else []}
    shelf = array.volume(given["volumeID"]).snapshots if "volumeID" in given else array.snapshots
    return {"snapshots": [snapshot.row for snapshot in shelf]}


def modify_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Change how long a snapshot is kept, and its replication marks."""
    snapshot = array.snapshot(given["snapshotID"])
    expires, expires_at_s = _end(array, given)
    row = snapshot.row
    if "expirationTime" in given:
        snapshots.keep_until(array, snapshot, expires=expires, expires_at_s=expires_at_s)
    row.enable_remote_replication = given.get("enableRemoteReplication", row.enable_remote_replication)
    row.snap_mirror_label = given.get("snapMirrorLabel", row.snap_mirror_label)
    array.record("snapshot modified", snapshot_id=row.snapshot_id, volume_id=row.volume_id, name=row.name)
    return {"snapshot": row}


def delete_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete a snapshot that no clone job reads."""
    snapshot = array.snapshot(given["snapshotID"])
    if snapshot.clone_jobs:
        raise ElementError(GUESSED.snapshot_in_use, f"SnapshotID {snapshot.row.snapshot_id} is being cloned.")
    snapshots.delete(array, snapshot)
    return {}


def roll_back_to_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Put a volume back to what a snapshot froze, keeping its present state as a new snapshot when asked."""
    volume = checks.settled_volume(array, given["volumeID"])
    snapshot = array.snapshot(given["snapshotID"])
    snapshot_of(array, volume, snapshot.row.snapshot_id)
    name = checks.name_within(array, given.get("name", ""), "snapshotNameLengthMax")
    attributes = checks.attributes(given) or {}
    admit_bytes(array, snapshot.row.total_size - volume.row.total_size)
    if not given.get("saveCurrentState", False):
        snapshots.roll_back(array, volume, snapshot)
        return {}
    displaced = _admit_snapshot(array, volume)
    if displaced is snapshot:
        raise ElementError("xMaxSnapshotsPerVolumeExceeded")
    if displaced:
        snapshots.delete(array, displaced, event="snapshot displaced")
    name = name or snapshot.row.name[: array.limits["snapshotNameLengthMax"] - 5] + "-copy"
    saved = snapshots.take(array, volume, snapshots.Order(name=name, attributes=attributes))
    snapshots.roll_back(array, volume, snapshot)
    return _answer(saved)


RULES: Rules = {
    "CreateSnapshot": create_snapshot,
    "ListSnapshots": list_snapshots,
    "ModifySnapshot": modify_snapshot,
    "DeleteSnapshot": delete_snapshot,
    "RollbackToSnapshot": roll_back_to_snapshot,
}
