"""Snapshots: create, list, modify, delete, roll back."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, snapshots
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.volumes import admit_bytes
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import ACTIVE_BRANCH, Snapshot, Volume
from snapproof.simulators.solidfire.snapshot_checks import admit_snapshot, end


def create_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Freeze a volume as it is now, or duplicate one of its snapshots."""
    volume = checks.settled_volume(array, given["volumeID"])
    source = snapshot_of(array, volume, given.get("snapshotID", ACTIVE_BRANCH))
    order = order_of(array, given)
    displaced = admit_snapshot(array, volume, fifo=order.expires == snapshots.FIFO)
    snapshot = snapshots.take(array, volume, order, source=source.image if source else None)
    if displaced:
        snapshots.delete(array, displaced, event="snapshot displaced")
    return _answer(snapshot)


def order_of(array: Array, given: Given) -> snapshots.Order:
    """Read what a snapshot is to be like. Raises ElementError."""
    expires, expires_at_s = end(array, given)
    return snapshots.Order(
        name=checks.name_within(array, given.get("name") or array.stamp(), "snapshotNameLengthMax"),
        attributes=checks.attributes(given) or {},
        expires=expires,
        expires_at_s=expires_at_s,
        enable_remote_replication=given.get("enableRemoteReplication", False),
        snap_mirror_label=given.get("snapMirrorLabel"),
    )


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
    until = end(array, given) if "expirationTime" in given else None
    mark(array, snapshot, given, until)
    return {"snapshot": snapshot.row}


def mark(array: Array, snapshot: Snapshot, given: Given, until: tuple[str | None, float | None] | None) -> None:
    """Give a snapshot the marks that were given, and another end where there is one."""
    row = snapshot.row
    if until:
        snapshots.keep_until(array, snapshot, expires=until[0], expires_at_s=until[1])
    row.enable_remote_replication = given.get("enableRemoteReplication", row.enable_remote_replication)
    row.snap_mirror_label = given.get("snapMirrorLabel", row.snap_mirror_label)
    array.record("snapshot modified", snapshot_id=row.snapshot_id, volume_id=row.volume_id, name=row.name)


def refuse_if_read(snapshot: Snapshot) -> None:
    """Make sure that no clone job reads a snapshot. Raises ElementError."""
    if snapshot.clone_jobs:
        raise ElementError(GUESSED.snapshot_in_use, f"SnapshotID {snapshot.row.snapshot_id} is being cloned.")


def delete_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete a snapshot that no clone job reads."""
    snapshot = array.snapshot(given["snapshotID"])
    refuse_if_read(snapshot)
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
    displaced = admit_snapshot(array, volume)
    if displaced is snapshot:
        raise ElementError("xMaxSnapshotsPerVolumeExceeded")
    if displaced:
        snapshots.delete(array, displaced, event="snapshot displaced")
    name = name or snapshots.copy_name(array, snapshot.row.name)
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
