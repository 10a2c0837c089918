"""Statistics: what hosts read and wrote, by volume, account, group, node, drive and in all; who is logged in."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.blocks import BLOCK_BYTES
from snapproof.simulators.clock import iso, moment
from snapproof.simulators.solidfire import accounting
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import NODE_ID, SLICE_SERVICE_ID, Drive
from snapproof.simulators.solidfire.sessions import ChapUsed, Session

_BUCKETS = ("Bucket0", "Bucket1To19", "Bucket20To39", "Bucket40To59", "Bucket60To79", "Bucket80To100", "Bucket101Plus")
_NODE_ZEROS = (
    "cBytesIn", "cBytesOut", "cpu", "cpuTotal", "mBytesIn", "mBytesOut", "networkUtilizationCluster",
    "networkUtilizationStorage", "readLatencyUSecTotal", "usedMemory", "writeLatencyUSecTotal",
)  # fmt: skip


def get_cluster_stats(array: Array, _given: Given) -> Mapping[str, Any]:
    """Add up what hosts read and wrote since the cluster began, on whatever volume."""
    return {"clusterStats": accounting.cluster_stats(array)}


def get_volume_stats(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell the figures of one volume, deleted or not."""
    return {"volumeStats": accounting.volume_stats(array, array.volume(given["volumeID"]))}


def list_volume_stats(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell the figures of volumes, of all when none is named."""
    wanted = given.get("volumeIDs")
    volumes = [array.volume(number) for number in sorted(set(wanted))] if wanted else array.volumes
    return {"volumeStats": [accounting.volume_stats(array, volume) for volume in volumes]}


def list_volume_stats_by_volume(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell the figures of all volumes."""
    return {"volumeStats": [accounting.volume_stats(array, volume) for volume in array.volumes]}


def list_volume_stats_by_account(array: Array, given: Given) -> Mapping[str, Any]:
    """Add up the figures of each account's volumes."""
    wanted = given.get("accounts")
    accounts = [array.account(number) for number in sorted(set(wanted))] if wanted else array.accounts
    return {
        "volumeStats": [
            accounting.summed_stats(array, account.volumes, accountID=account.row.account_id) for account in accounts
        ]
    }


def list_volume_stats_by_volume_access_group(array: Array, given: Given) -> Mapping[str, Any]:
    """Add up the figures of each access group's volumes."""
    wanted = given.get("volumeAccessGroups")
    groups = [array.group(number) for number in sorted(set(wanted))] if wanted else array.groups
    return {
        "volumeStats": [
            accounting.summed_stats(
                array,
                [array.volumes[number] for number in group.volumes],
                volumeAccessGroups=[group.volume_access_group_id],
            )
            for group in groups
        ]
    }


def _node_stats(array: Array) -> dict[str, Any]:
    counters = array.counters
    return {
        **dict.fromkeys(_NODE_ZEROS, 0),
        "count": len(array.volumes),
        "nodeID": NODE_ID,
        "readOps": counters.read_ops,
        "sBytesIn": counters.write_bytes,
        "sBytesOut": counters.read_bytes,
        "ssLoadHistogram": dict.fromkeys(_BUCKETS, 0),
        "timestamp": moment(array.clock.time()),
        "writeOps": counters.write_ops,
    }


def get_node_stats(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell the figures of the one node."""
    if given["nodeID"] != NODE_ID:
        raise ElementError(GUESSED.unknown_id, f"NodeID {given['nodeID']} does not exist.")
    return {"nodeStats": _node_stats(array)}


def list_node_stats(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell the figures of all nodes, of which there is one."""
    return {"nodeStats": {"nodes": [_node_stats(array)]}}


def _drive_stats(array: Array, drive: Drive) -> dict[str, Any]:
    """What goes to blocks is spread over the active block drives, the first of them take the rest."""
    users = [d.drive_id for d in array.plant.drives.values() if d.kind == "block" and d.status == "active"]
    counters = array.counters

    def share(amount: int) -> int:
        if drive.drive_id not in users:
            return 0
        return amount // len(users) + (users.index(drive.drive_id) < amount % len(users))

    return {
        "activeSessions": 0,
        "driveID": drive.drive_id,
        "failedDieCount": 0,
        "lifeRemainingPercent": 100,
        "lifetimeReadBytes": share(counters.read_bytes),
        "lifetimeWriteBytes": share(counters.write_bytes),
        "powerOnHours": int((array.clock.time() - array.started_s) // 3600),
        "readBytes": share(counters.read_bytes),
        "readOps": share(counters.read_ops),
        "reallocatedSectors": 0,
        "reserveCapacityPercent": 100,
        "timestamp": moment(array.clock.time()),
        "totalCapacity": drive.size_bytes,
        "usedCapacity": share(array.used_bytes // BLOCK_BYTES) * BLOCK_BYTES,
        "usedMemory": 0,
        "writeBytes": share(counters.write_bytes),
        "writeOps": share(counters.write_ops),
    }


def get_drive_stats(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell the figures of one drive."""
    return {"driveStats": _drive_stats(array, drive_of(array, given["driveID"]))}


def drive_of(array: Array, number: int) -> Drive:
    """Find a drive. Raises ElementError."""
    drive = array.plant.drives.get(number)
    if drive is None:
        raise ElementError("xDriveIDDoesNotExist", driveID=number)
    return drive


def list_drive_stats(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell the figures of active drives, of all when none is named; drives that are not there are told apart."""
    wanted = given.get("drives") or [drive.drive_id for drive in array.plant.drives.values()]
    drives = array.plant.drives
    errors = [
        {"driveID": number, "exception": {"name": "xDriveIDDoesNotExist", "message": f"Drive {number} does not exist"}}
        for number in wanted
        if number not in drives
    ]
    return {"driveStats": [_drive_stats(array, drives[n]) for n in wanted if n in drives], "errors": errors}


def get_complete_stats(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell the figures of everything by names and numbers; the vendor does not say how."""
    return {
        "clusters": {
            array.name: {
                "stats": accounting.cluster_stats(array),
                "nodes": {str(NODE_ID): {"stats": _node_stats(array)}},
                "volumes": {str(v.volume_id): {"stats": accounting.volume_stats(array, v)} for v in array.volumes},
            }
        }
    }


def get_raw_stats(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell counters alone."""
    counters = array.counters
    names = ("read_ops", "read_bytes", "write_ops", "write_bytes", "unaligned_reads", "unaligned_writes")
    return {"cluster": {name: getattr(counters, name) for name in names}}


def list_iscsi_sessions(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the sessions that are open now."""
    return {"sessions": [_session(array, session) for session in array.sessions]}


def _session(array: Array, session: Session) -> dict[str, Any]:
    opening, volume = session.opening, array.volumes[session.opening.volume_id]
    account = array.accounts[volume.account_id].row
    idle_ms = int((array.clock.time() - session.last_s) * 1000)
    return {
        "accountID": account.account_id,
        "accountName": account.username,
        "authentication": _authentication(opening.chap),
        "createTime": iso(opening.opened_s),
        "driveID": 1,
        "driveIDs": [1],
        "initiator": array.initiator_named(opening.initiator),
        "initiatorIP": opening.address,
        "initiatorName": opening.initiator,
        "initiatorPortName": opening.port or f"{opening.initiator},i,0x{opening.number:012x}",
        "initiatorSessionID": opening.number,
        "msSinceLastIscsiPDU": idle_ms,
        "msSinceLastScsiCommand": idle_ms,
        "nodeID": NODE_ID,
        "serviceID": SLICE_SERVICE_ID,
        "sessionID": opening.number,
        "targetIP": array.svip,
        "targetName": opening.iqn,
        "targetPortName": f"{opening.iqn},t,0x1",
        "virtualNetworkID": 0,
        "volumeID": opening.volume_id,
        "volumeInstance": opening.volume_id,
    }


def _authentication(chap: ChapUsed | None) -> dict[str, str]:
    """Tell how a host proved itself; what does not apply is the word null."""
    if chap is None:
        return {"authMethod": "None", "chapAlgorithm": "null", "chapUsername": "null", "direction": "null"}
    return {
        "authMethod": "CHAP",
        "chapAlgorithm": chap.algorithm,
        "chapUsername": chap.username,
        "direction": "two-way" if chap.mutual else "one-way",
    }


RULES: Rules = {
    "GetClusterStats": get_cluster_stats,
    "GetVolumeStats": get_volume_stats,
    "ListVolumeStats": list_volume_stats,
    "ListVolumeStatsByVolume": list_volume_stats_by_volume,
    "ListVolumeStatsByAccount": list_volume_stats_by_account,
    "ListVolumeStatsByVolumeAccessGroup": list_volume_stats_by_volume_access_group,
    "GetNodeStats": get_node_stats,
    "ListNodeStats": list_node_stats,
    "GetDriveStats": get_drive_stats,
    "ListDriveStats": list_drive_stats,
    "GetCompleteStats": get_complete_stats,
    "GetRawStats": get_raw_stats,
    "ListISCSISessions": list_iscsi_sessions,
}
