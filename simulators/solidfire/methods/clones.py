"""Clones: begin and cancel them. What became of them is told in async_results.py."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, clones, volumes
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.limits import CURVE
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.snapshots import snapshot_of
from snapproof.simulators.solidfire.methods.volumes import admit_volumes, admitted_size
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import ACTIVE_BRANCH, GroupClone, GroupSnapshot, Snapshot, Volume


def clone_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to copy a volume, or one of its snapshots, into a new volume in no access group."""
    source = checks.settled_volume(array, given["volumeID"])
    snapshot = snapshot_of(array, source, given.get("snapshotID", ACTIVE_BRANCH))
    order = _order(array, source, snapshot, given)
    admit_volumes(array, [order])
    _admit_jobs(array, [source])
    job = clones.start(array, source, order, snapshot=snapshot)
    return {
        "asyncHandle": job.handle,
        "cloneID": job.clone_id,
        "volumeID": job.target_id,
        "volume": array.volumes[job.target_id].row,
        "curve": CURVE,
    }


def _order(array: Array, source: Volume, snapshot: Snapshot | None, given: Given) -> volumes.Order:
    """Read what a clone is to be like: as its source where nothing else is given. Raises ElementError."""
    row = source.row
    # Trident writes 0 for the account and the size that it does not choose.
    account = array.account(given.get("newAccountID") or row.account_id)
    held = snapshot.row.total_size if snapshot else row.total_size
    attributes = checks.attributes(given)
    return volumes.Order(
        name=checks.volume_name(array, given.get("name", row.name)),
        account_id=account.row.account_id,
        size_bytes=admitted_size(array, given["newSize"]) if given.get("newSize") else held,
        qos=row.qos,
        attributes=dict(row.attributes) if attributes is None else attributes,
        access=checks.access(given, row.access),
        enable_512e=given.get("enable512e", row.enable_512e),
        enable_snap_mirror=given.get("enableSnapMirrorReplication", row.enable_snap_mirror_replication),
        protection_scheme=row.current_protection_scheme,
        fifo_size=row.fifo_size,
        min_fifo_size=row.min_fifo_size,
    )


def _admit_jobs(array: Array, sources: list[Volume]) -> None:
    coming = Counter(source.row.volume_id for source in sources)
    for source in sources:
        if source.clone_jobs + coming[source.row.volume_id] > array.limits["cloneJobsPerVolumeMax"]:
            raise ElementError("xMaxClonesPerVolumeExceeded")
    if len(array.running) + len(sources) > array.limits["cloneJobsPerNodeMax"]:
        raise ElementError("xMaxClonesPerNodeExceeded")


def clone_multiple_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to copy several volumes, or their members of a group snapshot, at one moment; all or none."""
    if not given["volumes"]:
        raise ElementError(GUESSED.bad_value, "volumes must name at least one volume.")
    group = array.group_snapshot(given["groupSnapshotID"]) if given.get("groupSnapshotID") else None
    common: Given = {name: given[name] for name in ("access", "newAccountID") if name in given}
    parts = []
    for told in given["volumes"]:
        source = checks.settled_volume(array, told["volumeID"])
        snapshot = _member(array, group, source) if group else None
        parts.append((source, _order(array, source, snapshot, {**common, **told}), snapshot))
    admit_volumes(array, [order for _, order, _ in parts])
    _admit_jobs(array, [source for source, _, _ in parts])
    cloned = clones.start_together(array, parts)
    return {
        "asyncHandle": cloned.handle,
        "groupCloneID": cloned.group_clone_id,
        "members": [{"volumeID": job.target_id, "srcVolumeID": job.source_id} for job in cloned.jobs],
    }


def _member(array: Array, group: GroupSnapshot, source: Volume) -> Snapshot:
    for number in group.members:
        if array.snapshots[number].volume_id == source.volume_id:
            return array.snapshots[number]
    raise ElementError(
        "xSnapshotIDDoesNotExist",
        f"GroupSnapshotID {group.group_snapshot_id} has no member of VolumeID {source.volume_id}.",
    )


def copy_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to write the content of a volume, or of one of its snapshots, over another volume of the same size."""
    source = checks.settled_volume(array, given["volumeID"])
    target = checks.settled_volume(array, given["dstVolumeID"])
    snapshot = snapshot_of(array, source, given.get("snapshotID", ACTIVE_BRANCH))
    if source is target:
        raise ElementError(GUESSED.bad_value, "A volume cannot be copied over itself.")
    if target.total_size != (snapshot.total_size if snapshot else source.total_size):
        raise ElementError(GUESSED.bad_value, "A volume is copied only over a volume of the same size.")
    if target.clone_jobs:
        raise ElementError(GUESSED.still_cloning, f"VolumeID {target.volume_id} is being cloned.")
    _admit_jobs(array, [source])
    job = clones.start_copy(array, source, target, snapshot=snapshot)
    return {"cloneID": job.clone_id, "asyncHandle": job.handle}


def cancel_clone(array: Array, given: Given) -> Mapping[str, Any]:
    """Stop a clone that is under way."""
    job = array.running.get(given["cloneID"])
    if job is None or job.group_clone_id:
        raise ElementError(GUESSED.dead_handle, f"CloneID {given['cloneID']} is not under way on its own.")
    clones.cancel(array, job)
    return {}


def cancel_group_clone(array: Array, given: Given) -> Mapping[str, Any]:
    """Stop the clones of a group that are under way."""
    wanted = given["groupCloneID"]
    for group in array.jobs:
        if isinstance(group, GroupClone) and group.group_clone_id == wanted and not group.completed:
            clones.cancel_together(array, group)
            return {}
    raise ElementError(GUESSED.dead_handle, f"GroupCloneID {wanted} is not under way.")


RULES: Rules = {
    "CloneVolume": clone_volume,
    "CancelClone": cancel_clone,
    "CloneMultipleVolumes": clone_multiple_volumes,
    "CancelGroupClone": cancel_group_clone,
    "CopyVolume": copy_volume,
}
