"""Space: what the cluster has and uses, when it counts as full, what sharing and thin provisioning save."""

from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire import accounting, checks, faulting
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given

_BOUNDS: Mapping[str, tuple[str, int, int]] = {
    "stage2AwareThreshold": ("stage2_aware", 1, 100),
    "stage3BlockThresholdPercent": ("stage3_percent", 0, 99),
    "stage3MetadataThresholdPercent": ("stage3_metadata_percent", 0, 99),
    "maxMetadataOverProvisionFactor": ("over_provision_factor", 1, 100),
}


def get_cluster_capacity(array: Array, _given: Given) -> Mapping[str, Any]:
    """Count what is promised and what is used. Used blocks are those that really differ from zero."""
    return {"clusterCapacity": accounting.capacity(array)}


def get_cluster_full_threshold(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell how full the cluster is, and from where on it counts as fuller."""
    return accounting.full_threshold(array)


def modify_cluster_full_threshold(array: Array, given: Given) -> Mapping[str, Any]:
    """Let the cluster count as full earlier or later."""
    changes = {}
    for name, (field, low, high) in _BOUNDS.items():
        if name in given:
            changes[field] = given[name]
            if not low <= given[name] <= high:
                raise ElementError(GUESSED.bad_value, f"{name} must be between {low} and {high}.")
    array.plant.thresholds = msgspec.structs.replace(array.plant.thresholds, **changes)
    array.plant.measure()
    array.record("full threshold modified", **changes)
    faulting.notice(array)
    return accounting.full_threshold(array)


def get_volume_count(array: Array, _given: Given) -> Mapping[str, Any]:
    """Count the volumes, deleted ones included."""
    return {"count": len(array.volumes)}


def get_volume_efficiency(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell what is saved within one volume and its snapshots."""
    return accounting.efficiency(array, [checks.active_volume(array, given["volumeID"])])


def get_account_efficiency(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell what is saved within the volumes of an account."""
    return accounting.efficiency(array, array.account(given["accountID"]).volumes)


def get_volume_access_group_efficiency(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell what is saved within the volumes of an access group."""
    group = array.group(given["volumeAccessGroupID"])
    return accounting.efficiency(array, [array.volumes[number] for number in group.volumes])


RULES: Rules = {
    "GetClusterCapacity": get_cluster_capacity,
    "GetClusterFullThreshold": get_cluster_full_threshold,
    "ModifyClusterFullThreshold": modify_cluster_full_threshold,
    "GetVolumeCount": get_volume_count,
    "GetVolumeEfficiency": get_volume_efficiency,
    "GetAccountEfficiency": get_account_efficiency,
    "GetVolumeAccessGroupEfficiency": get_volume_access_group_efficiency,
}
