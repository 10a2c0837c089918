"""Changing volumes: one, or many to the same end, all or none. What was not given stays as it is."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire import checks, qos_policies, volumes
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.volumes import (
    admit_bytes,
    admitted_fifo,
    admitted_policy,
    admitted_size,
    as_many_as_allowed,
)
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import QoS, QoSPolicy, Volume


class _Change(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a volume is to be like after the call."""

    volume: Volume
    account_id: int
    size_bytes: int
    access: str
    qos: QoS
    policy: QoSPolicy | None
    attributes: dict[str, Any] | None
    fifo: tuple[int, int]
    enable_snap_mirror: bool


def modify_volume(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given; a volume that is still being cloned may be modified."""
    change = _planned(array, checks.active_volume(array, given["volumeID"]), given)
    _admit(array, [change])
    _carry_out(array, change)
    return {"volume": change.volume.row}


def modify_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given in every one of the volumes, or in none."""
    wanted = as_many_as_allowed(list(dict.fromkeys(given["volumeIDs"])))
    found = [checks.active_volume(array, number) for number in wanted]
    changes = [_planned(array, volume, given) for volume in found]
    _admit(array, changes)
    for change in changes:
        _carry_out(array, change)
    shown = {"qos": changes[0].qos} if changes and given.get("qos") else {}
    return {"volumes": [change.volume.row for change in changes], **shown}


def _planned(array: Array, volume: Volume, given: Given) -> _Change:
    row = volume.row
    account_id = given.get("accountID", row.account_id)
    array.account(account_id)
    access = checks.access(given, row.access)
    qos, policy = _quality(array, volume, given)
    return _Change(
        volume=volume,
        account_id=account_id,
        size_bytes=_grown(array, volume, given),
        access=access,
        qos=qos,
        policy=policy,
        attributes=checks.attributes(given),
        fifo=admitted_fifo(array, given, row.fifo_size, row.min_fifo_size),
        enable_snap_mirror=given.get("enableSnapMirrorReplication", row.enable_snap_mirror_replication),
    )


def _quality(array: Array, volume: Volume, given: Given) -> tuple[QoS, QoSPolicy | None]:
    """Find the QoS, and the policy to follow: a QoS of its own ends it, a word in associateWithQoSPolicy may too."""
    followed, associate = volume.row.qos_policy_id, given.get("associateWithQoSPolicy", True)
    if policy := admitted_policy(array, given):
        return policy.qos, policy if associate else None
    qos = checks.qos(array, given, volume.row.qos)
    stays = associate and not given.get("qos")
    return qos, array.qos_policies[followed] if stays and followed is not None else None


def _grown(array: Array, volume: Volume, given: Given) -> int:
    held = volume.row.total_size
    wanted: int = given.get("totalSize", held)
    if wanted == held:
        return held
    if volumes.rounded(wanted) < held:
        raise ElementError("xVolumeShrinkProhibited")
    return admitted_size(array, wanted)


def _admit(array: Array, changes: list[_Change]) -> None:
    """Make sure that all changes together keep the bounds of accounts and of the cluster. Raises ElementError."""
    coming = Counter(change.account_id for change in changes if change.account_id != change.volume.row.account_id)
    for account_id, count in coming.items():
        if len(array.accounts[account_id].volumes) + count > array.limits["volumesPerAccountCountMax"]:
            raise ElementError("xMaxVolumeCountExceeded")
    admit_bytes(array, sum(change.size_bytes - change.volume.row.total_size for change in changes))


def _carry_out(array: Array, change: _Change) -> None:
    volume, row = change.volume, change.volume.row
    if change.account_id != row.account_id:
        volumes.hand_over(array, volume, change.account_id)
    volumes.resize(array, volume, change.size_bytes)
    if change.access != row.access:
        row.access = change.access
        volumes.drop_sessions(array, volume, f"the access of volume {row.volume_id} became {change.access}")
    qos = row.qos = change.qos
    qos_policies.follow(array, volume, change.policy)
    row.attributes = row.attributes if change.attributes is None else change.attributes
    row.fifo_size, row.min_fifo_size = change.fifo
    row.enable_snap_mirror_replication = change.enable_snap_mirror
    array.record(
        "volume modified", volume_id=row.volume_id, name=row.name, size_bytes=row.total_size,
        account_id=row.account_id, access=row.access,
        min_iops=qos.min_iops, max_iops=qos.max_iops, burst_iops=qos.burst_iops,
    )  # fmt: skip


RULES: Rules = {"ModifyVolume": modify_volume, "ModifyVolumes": modify_volumes}
