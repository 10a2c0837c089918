"""Volumes: create, delete, restore, purge, one or many.

Changing them is in volume_changes.py, the lists of them are in volume_lists.py.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, TypeVar

from snapproof.simulators.solidfire import bulk, checks, clones, volumes
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.limits import (
    CURVE,
    FIFO_SIZE,
    VOLUMES_PER_CALL_MAX,
)
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Access, GroupRow, QoSPolicy, Volume

T = TypeVar("T")
PROTECTION_SCHEMES = ("singleHelix", "doubleHelix", "tripleHelix")


def create_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Create an empty volume, usable at once."""
    name = checks.volume_name(array, given["name"])
    account = array.account(given["accountID"])
    size_bytes = admitted_size(array, given["totalSize"])
    policy = admitted_policy(array, given)
    fifo_size, min_fifo_size = admitted_fifo(array, given, min(FIFO_SIZE, array.limits["snapshotsPerVolumeMax"]), 0)
    order = volumes.Order(
        name=name,
        account_id=account.row.account_id,
        size_bytes=size_bytes,
        qos=policy.qos if policy else checks.qos(array, given),
        attributes=checks.attributes(given) or {},
        access=checks.access(given, Access.READ_WRITE.value),
        enable_512e=given.get("enable512e", False),
        enable_snap_mirror=given.get("enableSnapMirrorReplication", False),
        protection_scheme=checks.one_of(given.get("protectionScheme", "doubleHelix"), PROTECTION_SCHEMES),
        fifo_size=fifo_size,
        min_fifo_size=min_fifo_size,
        policy=policy if given.get("associateWithQoSPolicy", True) else None,
    )
    admit_volumes(array, [order])
    row = volumes.create(array, order, array.blocks.create(size_bytes)).row
    return {"volume": row, "volumeID": row.volume_id, "curve": CURVE}


def admitted_size(array: Array, size_bytes: int) -> int:
    """Round a size up, within the bounds of a volume. Raises ElementError."""
    low, high = array.limits["volumeSizeMin"], array.limits["volumeSizeMax"]
    if not low <= size_bytes <= high:
        raise ElementError(GUESSED.bad_value, f"A volume has {low} to {high} bytes, not {size_bytes}.")
    return volumes.rounded(size_bytes)


def admit_volumes(array: Array, orders: list[volumes.Order]) -> None:
    """Make sure that all of these new volumes have a place. Raises ElementError."""
    crowded = len(array.volumes) + len(orders) > array.limits["volumeCountMax"]
    for account_id, count in Counter(order.account_id for order in orders).items():
        crowded |= len(array.accounts[account_id].volumes) + count > array.limits["volumesPerAccountCountMax"]
    if crowded:
        raise ElementError("xMaxVolumeCountExceeded")
    admit_bytes(array, sum(order.size_bytes for order in orders))


def admit_bytes(array: Array, more_bytes: int) -> None:
    """Make sure that so much more space may be promised. Raises ElementError."""
    if array.provisioned_bytes + more_bytes > array.provisioned_bytes_max:
        raise ElementError("xTotalCapacityExceeded")


def admitted_policy(array: Array, given: Given) -> QoSPolicy | None:
    """Find the policy whose QoS a volume is to take. Raises ElementError."""
    if "qosPolicyID" not in given:
        return None
    if given.get("qos"):
        raise ElementError(GUESSED.bad_value, "qosPolicyID excludes qos.")
    return array.qos_policy(given["qosPolicyID"])


def admitted_fifo(array: Array, given: Given, size: int, least: int) -> tuple[int, int]:
    """Merge the FIFO sizes that were given over what holds already. Raises ElementError."""
    size, least = given.get("fifoSize", size), given.get("minFifoSize", least)
    most = array.limits["snapshotsPerVolumeMax"]
    if not 0 <= least <= size <= most:
        raise ElementError(GUESSED.bad_value, f"FIFO sizes must keep 0 <= minFifoSize <= fifoSize <= {most}.")
    return size, least


def delete_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete a volume; within eight hours it can be restored."""
    volume = checks.active_volume(array, given["volumeID"])
    clones.lose_target(array, volume)
    bulk.stop(array, volume)
    volumes.delete(array, volume)
    return {"volume": volume.row}


def _deleted_volume(array: Array, volume_id: int) -> Volume:
    volume = array.volume(volume_id)
    if volume.active:
        raise ElementError(GUESSED.volume_not_deleted, f"VolumeID {volume_id} is not deleted.")
    return volume


def _named(array: Array, given: Given, *, active: bool) -> list[Volume]:
    """Find the volumes named by their own ids, or those in one of the states by their accounts or access groups."""
    lists = [name for name in ("volumeIDs", "accountIDs", "volumeAccessGroupIDs") if given.get(name)]
    if len(lists) != 1:
        several = "Only one list of volume IDs, account IDs, or volume access group IDs may be specified"
        none = "No volume ID, account ID, or volume access group ID list specified"
        raise ElementError(GUESSED.bad_value, several if lists else none)
    wanted = list(dict.fromkeys(given[lists[0]]))
    if lists == ["volumeIDs"]:
        find = checks.active_volume if active else _deleted_volume
        found = [find(array, number) for number in wanted]
    elif lists == ["accountIDs"]:
        found = [volume for number in wanted for volume in array.account(number).volumes if volume.active is active]
    else:
        members = {number for group_id in wanted for number in _members(array.group(group_id), active=active)}
        found = [array.volumes[number] for number in sorted(members)]
    return as_many_as_allowed(found)


def _members(group: GroupRow, *, active: bool) -> list[int]:
    return group.volumes if active else group.deleted_volumes


def as_many_as_allowed(things: list[T]) -> list[T]:
    """Accept so many volumes in one call or raise ElementError."""
    if len(things) > VOLUMES_PER_CALL_MAX:
        raise ElementError(GUESSED.too_many, f"A call takes at most {VOLUMES_PER_CALL_MAX} volumes.")
    return things


def delete_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete several volumes, or what accounts or access groups hold of them; all or none."""
    found = _named(array, given, active=True)
    for volume in found:
        clones.lose_target(array, volume)
        bulk.stop(array, volume)
        volumes.delete(array, volume)
    return {"volumes": [volume.row for volume in found]}


def restore_deleted_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Bring a deleted volume back."""
    volumes.restore(array, _deleted_volume(array, given["volumeID"]))
    return {}


def purge_deleted_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove a deleted volume for good."""
    volumes.purge(array, _deleted_volume(array, given["volumeID"]))
    return {}


def purge_deleted_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove several deleted volumes for good, all or none."""
    for volume in _named(array, given, active=False):
        volumes.purge(array, volume)
    return {}


RULES: Rules = {
    "CreateVolume": create_volume,
    "DeleteVolume": delete_volume,
    "RestoreDeletedVolume": restore_deleted_volume,
    "PurgeDeletedVolume": purge_deleted_volume,
    "DeleteVolumes": delete_volumes,
    "PurgeDeletedVolumes": purge_deleted_volumes,
}
