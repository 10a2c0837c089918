"""Clones: begin and cancel them. What became of them is told in async_results.py."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, clones, volumes
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.limits import CURVE
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.snapshots import snapshot_of
from snapproof.simulators.solidfire.methods.volumes import admit_volume, admitted_size
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import ACTIVE_BRANCH, Volume


def clone_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to copy a volume, or one of its snapshots, into a new volume in no access group."""
    source = checks.settled_volume(array, given["volumeID"])
    row = source.row
    snapshot = snapshot_of(array, source, given.get("snapshotID", ACTIVE_BRANCH))
    name = checks.volume_name(array, given["name"])
    # Trident writes 0 for the account and the size that it does not choose.
    account = array.account(given.get("newAccountID") or row.account_id)
    held = snapshot.row.total_size if snapshot else row.total_size
    size_bytes = admitted_size(array, given["newSize"]) if given.get("newSize") else held
    attributes = checks.attributes(given)
    access = checks.access(given, row.access)
    admit_volume(array, account, size_bytes)
    _admit_job(array, source)
    order = volumes.Order(
        name=name,
        account_id=account.row.account_id,
        size_bytes=size_bytes,
        qos=row.qos,
        attributes=dict(row.attributes) if attributes is None else attributes,
        access=access,
        enable_512e=given.get("enable512e", row.enable_512e),
        enable_snap_mirror=given.get("enableSnapMirrorReplication", row.enable_snap_mirror_replication),
        protection_scheme=row.current_protection_scheme,
        fifo_size=row.fifo_size,
        min_fifo_size=row.min_fifo_size,
    )
    job = clones.start(array, source, order, snapshot=snapshot)
    return {
        "asyncHandle": job.handle,
        "cloneID": job.clone_id,
        "volumeID": job.target_id,
        "volume": array.volumes[job.target_id].row,
        "curve": CURVE,
    }


def _admit_job(array: Array, source: Volume) -> None:
    if source.clone_jobs >= array.limits["cloneJobsPerVolumeMax"]:
        raise ElementError("xMaxClonesPerVolumeExceeded")
    if len(array.running) >= array.limits["cloneJobsPerNodeMax"]:
        raise ElementError("xMaxClonesPerNodeExceeded")


def cancel_clone(array: Array, given: Given) -> Mapping[str, Any]:
    """Stop a clone that is under way."""
    job = array.running.get(given["cloneID"])
    if job is None:
        raise ElementError(GUESSED.dead_handle, f"CloneID {given['cloneID']} is not under way.")
    clones.cancel(array, job)
    return {}


RULES: Rules = {
    "CloneVolume": clone_volume,
    "CancelClone": cancel_clone,
}
