"""The cluster itself: its versions, identity, capacity and limits."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.limits import (
    BLOCK_BYTES,
    OVER_PROVISION_FACTOR,
    PROVISIONED_BYTES_MAX,
)
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.versions import CURRENT, SOFTWARE, SUPPORTED

NODE_ID = 1
IOPS_MAX = 50_000


def get_api(_array: Array, _given: Given) -> Mapping[str, Any]:
    """Name the versions; as strings, because clients join and parse them."""
    return {"currentVersion": CURRENT, "supportedVersions": list(SUPPORTED)}


def get_cluster_info(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell who the cluster is and where it is reached."""
    return {
        "clusterInfo": {
            "attributes": {},
            "defaultProtectionScheme": "doubleHelix",
            "enabledProtectionSchemes": ["doubleHelix"],
            "encryptionAtRestState": "disabled",
            "ensemble": [array.mvip],
            "mvip": array.mvip,
            "mvipInterface": "Bond1G",
            "mvipNodeID": NODE_ID,
            "mvipVlanTag": "0",
            "name": array.name,
            "repCount": 2,
            "softwareEncryptionAtRestState": "disabled",
            "supportedProtectionSchemes": ["doubleHelix"],
            "svip": array.svip,
            "svipInterface": "Bond10G",
            "svipNodeID": NODE_ID,
            "svipVlanTag": "0",
            "uniqueID": array.unique_id,
            "uuid": array.uuid,
        }
    }


def get_cluster_version_info(_array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell which software runs."""
    return {
        "clusterAPIVersion": CURRENT,
        "clusterVersion": SOFTWARE,
        "clusterVersionInfo": [
            {"nodeID": NODE_ID, "nodeInternalRevision": "BuildType=Release", "nodeVersion": SOFTWARE}
        ],
        "pendingClusterVersion": SOFTWARE,
        "softwareVersionInfo": {
            "currentVersion": SOFTWARE,
            "nodeID": 0,
            "packageName": "",
            "pendingVersion": SOFTWARE,
            "startTime": "",
        },
    }


def get_cluster_capacity(array: Array, _given: Given) -> Mapping[str, Any]:
    """Count what is promised and what is used. Used blocks are those that really differ from zero."""
    blocks = array.blocks.used_blocks()
    written = sum(length for volume in array.volumes for _, length in volume.disk.extents()) // BLOCK_BYTES
    frozen = sum(length for snapshot in array.snapshots for _, length in snapshot.image.extents()) // BLOCK_BYTES
    blank = max(1, array.provisioned_bytes // BLOCK_BYTES - written) if written else 0
    used_bytes = blocks * BLOCK_BYTES
    sessions = sum(len(volume.sessions) for volume in array.volumes)
    return {
        "clusterCapacity": {
            "activeBlockSpace": used_bytes,
            "activeSessions": sessions,
            "averageIOPS": 0,
            "clusterRecentIOSize": 0,
            "currentIOPS": 0,
            "maxIOPS": IOPS_MAX,
            "maxOverProvisionableSpace": PROVISIONED_BYTES_MAX * OVER_PROVISION_FACTOR,
            "maxProvisionedSpace": PROVISIONED_BYTES_MAX,
            "maxUsedMetadataSpace": PROVISIONED_BYTES_MAX // 100,
            "maxUsedSpace": PROVISIONED_BYTES_MAX,
            "nonZeroBlocks": written,
            "peakActiveSessions": sessions,
            "peakIOPS": 0,
            "provisionedSpace": array.provisioned_bytes,
            "snapshotNonZeroBlocks": frozen,
            "timestamp": array.stamp(),
            "totalOps": 0,
            "uniqueBlocks": blocks if written else 0,
            "uniqueBlocksUsedSpace": used_bytes if written else 0,
            "usedMetadataSpace": 0,
            "usedMetadataSpaceInSnapshots": 0,
            "usedSpace": used_bytes,
            "zeroBlocks": blank,
        }
    }


def get_limits(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell the limits of the running software, whatever version asks."""
    return array.limits


RULES: Rules = {
    "GetAPI": get_api,
    "GetClusterInfo": get_cluster_info,
    "GetClusterVersionInfo": get_cluster_version_info,
    "GetClusterCapacity": get_cluster_capacity,
    "GetLimits": get_limits,
}
