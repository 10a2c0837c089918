"""Quality of service: the default of new volumes, policies that volumes share, how much of it they used."""

from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire import checks, qos_policies
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given

POLICY_NAME_LENGTH_MAX = 64
_QUINTILES = ("Bucket1To19", "Bucket20To39", "Bucket40To59", "Bucket60To79", "Bucket80To100")
_SIZES = (
    "Bucket512To4095", "Bucket4096To8191", "Bucket8192To16383", "Bucket16384To32767", "Bucket32768To65535",
    "Bucket65536To131071", "Bucket131072Plus",
)  # fmt: skip
_HISTOGRAMS: Mapping[str, tuple[str, ...]] = {
    "belowMinIopsPercentages": _QUINTILES,
    "minToMaxIopsPercentages": (*_QUINTILES, "Bucket101Plus"),
    "readBlockSizes": _SIZES,
    "targetUtilizationPercentages": ("Bucket0", *_QUINTILES, "Bucket101Plus"),
    "throttlePercentages": ("Bucket0", *_QUINTILES),
    "writeBlockSizes": _SIZES,
}


def get_default_qos(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell the QoS of a volume that asked for none."""
    shown: Mapping[str, Any] = msgspec.to_builtins(array.default_qos)
    return shown


def set_default_qos(array: Array, given: Given) -> Mapping[str, Any]:
    """Change the QoS of volumes to come; those that are there keep theirs."""
    qos = checks.qos(array, {"qos": given}, array.default_qos)
    array.default_qos = qos
    array.record("default qos set", min_iops=qos.min_iops, max_iops=qos.max_iops, burst_iops=qos.burst_iops)
    return {"minIOPS": qos.min_iops, "maxIOPS": qos.max_iops, "burstIOPS": qos.burst_iops}


def create_qos_policy(array: Array, given: Given) -> Mapping[str, Any]:
    """Create a policy; what its QoS leaves out is the default's. Its name need not be unique."""
    name = _name(given["name"])
    qos = checks.qos(array, given)
    if len(array.qos_policies) >= array.limits["qosPolicyCountMax"]:
        raise ElementError(GUESSED.too_many, f"The cluster has {len(array.qos_policies)} QoS policies already.")
    return {"qosPolicy": qos_policies.create(array, name=name, qos=qos)}


def _name(name: str) -> str:
    if len(name) > POLICY_NAME_LENGTH_MAX:
        raise ElementError(GUESSED.bad_name, f"A QoS policy's name has at most {POLICY_NAME_LENGTH_MAX} characters.")
    return name


def get_qos_policy(array: Array, given: Given) -> Mapping[str, Any]:
    """Show one policy."""
    return {"qosPolicy": array.qos_policy(given["qosPolicyID"])}


def list_qos_policies(array: Array, _given: Given) -> Mapping[str, Any]:
    """List all policies."""
    return {"qosPolicies": list(array.qos_policies)}


def modify_qos_policy(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given, in the policy and in the volumes that follow it."""
    policy = array.qos_policy(given["qosPolicyID"])
    name = _name(given.get("name", policy.name))
    qos_policies.modify(array, policy, name=name, qos=checks.qos(array, given, policy.qos))
    return {"qosPolicy": policy}


def delete_qos_policy(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove a policy; the volumes that followed it keep its values."""
    qos_policies.delete(array, array.qos_policy(given["qosPolicyID"]))
    return {}


def list_volume_qos_histograms(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell how much of their QoS volumes used; in a cluster without load every bucket is empty."""
    wanted: list[int] = given.get("volumeIDs", [])
    found = [array.volume(number) for number in sorted(set(wanted))] if wanted else array.volumes
    return {"qosHistograms": [_histogram(array, volume.row.volume_id) for volume in found if volume.active]}


def _histogram(array: Array, volume_id: int) -> Mapping[str, Any]:
    histograms = {name: dict.fromkeys(buckets, 0) for name, buckets in _HISTOGRAMS.items()}
    return {"histograms": histograms, "timestamp": array.stamp(), "volumeID": volume_id}


RULES: Rules = {
    "GetDefaultQoS": get_default_qos,
    "SetDefaultQoS": set_default_qos,
    "CreateQoSPolicy": create_qos_policy,
    "GetQoSPolicy": get_qos_policy,
    "ListQoSPolicies": list_qos_policies,
    "ModifyQoSPolicy": modify_qos_policy,
    "DeleteQoSPolicy": delete_qos_policy,
    "ListVolumeQoSHistograms": list_volume_qos_histograms,
}
