"""The cluster itself: its versions, identity and limits."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.configuration import held
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import NODE_ID
from snapproof.simulators.solidfire.versions import CURRENT, PAIRS, SOFTWARE, SUPPORTED


def get_api(array: Array, _given: Given) -> Mapping[str, Any]:
    """Name the versions; as strings, because clients join and parse them."""
    newest = array.newest_api or PAIRS[CURRENT]
    served = [text for text in SUPPORTED if PAIRS[text] <= newest]
    return {"currentVersion": served[-1], "supportedVersions": served}


def get_cluster_info(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell who the cluster is and where it is reached."""
    return {
        "clusterInfo": {
            "attributes": {},
            "defaultProtectionScheme": "doubleHelix",
            "enabledProtectionSchemes": ["doubleHelix"],
            "encryptionAtRestState": held(array, "encryption")["state"],
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


def get_limits(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell the limits of the running software, whatever version asks."""
    return array.limits


RULES: Rules = {
    "GetAPI": get_api,
    "GetClusterInfo": get_cluster_info,
    "GetClusterVersionInfo": get_cluster_version_info,
    "GetLimits": get_limits,
}
