"""Volumes: create, modify, delete, restore, purge. The lists of them are in volume_lists.py."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, clones, volumes
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.limits import CURVE, FIFO_SIZE, OVER_PROVISION_FACTOR, PROVISIONED_BYTES_MAX
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Access, Account, Volume

PROTECTION_SCHEMES = ("singleHelix", "doubleHelix", "tripleHelix")


def create_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Create an empty volume, usable at once."""
    name = checks.volume_name(array, given["name"])
    account = array.account(given["accountID"])
    size_bytes = admitted_size(array, given["totalSize"])
    _refuse_policy(given)
    admit_volume(array, account, size_bytes)
    fifo_size, min_fifo_size = _fifo(array, given, min(FIFO_SIZE, array.limits["snapshotsPerVolumeMax"]), 0)
    order = volumes.Order(
        name=name,
        account_id=account.row.account_id,
        size_bytes=size_bytes,
        qos=checks.qos(array, given),
        attributes=checks.attributes(given) or {},
        access=checks.access(given, Access.READ_WRITE.value),
        enable_512e=given.get("enable512e", False),
        enable_snap_mirror=given.get("enableSnapMirrorReplication", False),
        protection_scheme=checks.one_of(given.get("protectionScheme", "doubleHelix"), PROTECTION_SCHEMES),
        fifo_size=fifo_size,
        min_fifo_size=min_fifo_size,
    )
    row = volumes.create(array, order, array.blocks.create(size_bytes)).row
    return {"volume": row, "volumeID": row.volume_id, "curve": CURVE}


def admitted_size(array: Array, size_bytes: int) -> int:
    """Round a size up, within the bounds of a volume. Raises ElementError."""
    low, high = array.limits["volumeSizeMin"], array.limits["volumeSizeMax"]
    if not low <= size_bytes <= high:
        raise ElementError(GUESSED.bad_value, f"A volume has {low} to {high} bytes, not {size_bytes}.")
    return volumes.rounded(size_bytes)


def admit_volume(array: Array, account: Account, size_bytes: int) -> None:
    """Make sure that one more volume of that size has a place. Raises ElementError."""
    if (
        len(array.volumes) >= array.limits["volumeCountMax"]
        or len(account.volumes) >= array.limits["volumesPerAccountCountMax"]
    ):
        raise ElementError("xMaxVolumeCountExceeded")
    admit_bytes(array, size_bytes)


def admit_bytes(array: Array, more_bytes: int) -> None:
    """Make sure that so much more space may be promised. Raises ElementError."""
    if array.provisioned_bytes + more_bytes > PROVISIONED_BYTES_MAX * OVER_PROVISION_FACTOR:
        raise ElementError("xTotalCapacityExceeded")


def _refuse_policy(given: Given) -> None:
    if "qosPolicyID" in given:
        raise ElementError("xQoSPolicyDoesNotExist", f"QoSPolicyID {given['qosPolicyID']} does not exist.")


def _fifo(array: Array, given: Given, size: int, least: int) -> tuple[int, int]:
    size, least = given.get("fifoSize", size), given.get("minFifoSize", least)
    most = array.limits["snapshotsPerVolumeMax"]
    if not 0 <= least <= size <= most:
        raise ElementError(GUESSED.bad_value, f"FIFO sizes must keep 0 <= minFifoSize <= fifoSize <= {most}.")
    return size, least


def modify_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given; a volume that is still being cloned may be modified."""
    volume = checks.active_volume(array, given["volumeID"])
    row = volume.row
    account_id = given.get("accountID", row.account_id)
    _admit_in_account(array, volume, account_id)
    access = checks.access(given, row.access)
    qos = checks.qos(array, given, row.qos)
    _refuse_policy(given)
    size_bytes = _grown(array, volume, given)
    attributes = checks.attributes(given)
    row.fifo_size, row.min_fifo_size = _fifo(array, given, row.fifo_size, row.min_fifo_size)
    if account_id != row.account_id:
        volumes.hand_over(array, volume, account_id)
    volumes.resize(array, volume, size_bytes)
    if access != row.access:
        row.access = access
        volumes.drop_sessions(volume, f"the access of volume {row.volume_id} became {access}")
    row.qos = qos
    row.attributes = row.attributes if attributes is None else attributes
    row.enable_snap_mirror_replication = given.get("enableSnapMirrorReplication", row.enable_snap_mirror_replication)
    array.record(
        "volume modified", volume_id=row.volume_id, name=row.name, size_bytes=size_bytes, account_id=account_id,
        access=access, min_iops=qos.min_iops, max_iops=qos.max_iops, burst_iops=qos.burst_iops,
    )  # fmt: skip
    return {"volume": row}


def _admit_in_account(array: Array, volume: Volume, account_id: int) -> None:
    owned = array.account(account_id).volumes
    if volume.row.volume_id not in owned and len(owned) >= array.limits["volumesPerAccountCountMax"]:
        raise ElementError("xMaxVolumeCountExceeded")


def _grown(array: Array, volume: Volume, given: Given) -> int:
    held = volume.row.total_size
    wanted: int = given.get("totalSize", held)
    if wanted == held:
        return held
    if volumes.rounded(wanted) < held:
        raise ElementError("xVolumeShrinkProhibited")
    wanted = admitted_size(array, wanted)
    admit_bytes(array, wanted - held)
    return wanted


def delete_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete a volume; within eight hours it can be restored."""
    volume = checks.active_volume(array, given["volumeID"])
    clones.lose_target(array, volume)
    volumes.delete(array, volume)
    return {"volume": volume.row}


def _deleted_volume(array: Array, given: Given) -> Volume:
    volume = array.volume(given["volumeID"])
    if volume.active:
        raise ElementError(GUESSED.volume_not_deleted, f"VolumeID {volume.row.volume_id} is not deleted.")
    return volume


def restore_deleted_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Bring a deleted volume back."""
    volumes.restore(array, _deleted_volume(array, given))
    return {}


def purge_deleted_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove a deleted volume for good."""
    volumes.purge(array, _deleted_volume(array, given))
    return {}


RULES: Rules = {
    "CreateVolume": create_volume,
    "ModifyVolume": modify_volume,
    "DeleteVolume": delete_volume,
    "RestoreDeletedVolume": restore_deleted_volume,
    "PurgeDeletedVolume": purge_deleted_volume,
}
