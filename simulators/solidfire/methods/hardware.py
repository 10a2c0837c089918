"""Nodes, drives and services: one node that everything runs on, drives that can be taken in and out of use."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import driving
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.statistics import drive_of, get_drive_stats
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import MASTER_SERVICE_ID, NODE_ID, SLICE_SERVICE_ID, Drive, DriveStatus
from snapproof.simulators.solidfire.versions import SOFTWARE

_PLATFORM = {
    "chassisType": "SFVIRT",
    "containerized": False,
    "cpuModel": "Simulated",
    "nodeMemoryGB": 32,
    "nodeType": "SFVIRT",
    "platformConfigVersion": "0.0.0.0",
}
_HARDWARE_KINDS = ("all", "drives", "nodes")


def node(array: Array) -> dict[str, Any]:
    """Show the node."""
    return {
        "associatedFServiceID": 0,
        "associatedMasterServiceID": MASTER_SERVICE_ID,
        "attributes": {},
        "chassisName": serial(array),
        "cip": array.mvip,
        "cipi": "Bond10G",
        "customProtectionDomainName": serial(array),
        "fibreChannelTargetPortGroup": None,
        "maintenanceMode": "Disabled",
        "mip": array.mvip,
        "mipi": "Bond1G",
        "name": f"{array.name}-node-{NODE_ID}",
        "nodeID": NODE_ID,
        "nodeSlot": "",
        "platformInfo": _PLATFORM,
        "role": "Cluster Node",
        "sip": array.svip.partition(":")[0],
        "sipi": "Bond10G",
        "softwareVersion": SOFTWARE,
        "uuid": array.plant.uuid("node", NODE_ID),
        "virtualNetworks": [],
    }


def serial(array: Array) -> str:
    """The serial number of the node's chassis."""
    return array.plant.uuid("chassis", NODE_ID)[:8].upper()


def list_active_nodes(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the node."""
    return {"nodes": [node(array)]}


def list_all_nodes(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the node; none waits to join."""
    return {"nodes": [node(array)], "pendingNodes": [], "pendingActiveNodes": []}


def list_pending_nodes(_array: Array, _given: Given) -> Mapping[str, Any]:
    """List no node: none waits to join."""
    return {"pendingNodes": []}


def list_pending_active_nodes(_array: Array, _given: Given) -> Mapping[str, Any]:
    """List no node: none is joining."""
    return {"pendingActiveNodes": []}


def add_nodes(_array: Array, given: Given) -> Mapping[str, Any]:
    """Refuse whatever is named, since no node waits to join."""
    for number in given["pendingNodes"]:
        raise ElementError("xDBNoSuchPath", f"Pending node {number} does not exist.")
    return {"autoInstall": given.get("autoInstall", True), "nodes": []}


def remove_nodes(_array: Array, given: Given) -> Mapping[str, Any]:
    """Refuse to remove the last node."""
    for number in given["nodes"]:
        if number != NODE_ID:
            raise ElementError(GUESSED.unknown_id, f"NodeID {number} does not exist.")
        raise ElementError(GUESSED.bad_value, f"NodeID {number} is the last node of the cluster and stays.")
    return {}


def get_cluster_master_node_id(_array: Array, _given: Given) -> Mapping[str, Any]:
    """Name the node that leads."""
    return {"nodeID": NODE_ID}


def get_cluster_state(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell that the node is a member."""
    active = {"cluster": array.name, "state": "Active"}
    return {**active, "nodes": [{"nodeID": NODE_ID, "result": active}]}


def check_proposed_node_additions(_array: Array, given: Given) -> Mapping[str, Any]:
    """Tell that no address is that of a node."""
    errors = [
        {"description": f"No node answers at {ip}.", "errorCode": "nodesConnectFailed", "nodeIPs": [ip]}
        for ip in given["nodes"]
    ]
    return {"proposedClusterValid": not errors, "proposedClusterErrors": errors}


def _drive_row(array: Array, drive: Drive) -> dict[str, Any]:
    return {
        "attributes": {},
        "capacity": drive.size_bytes,
        "chassisSlot": str(drive.slot),
        "driveFailureDetail": None,
        "driveID": drive.drive_id,
        "driveSecurityFaultReason": "none",
        "keyID": None,
        "keyProviderID": None,
        "nodeID": NODE_ID,
        "segmentFileSize": 16_777_216,
        "serial": drive_serial(array, drive),
        "slot": drive.slot,
        "status": drive.status,
        "type": drive.kind,
        "usableCapacity": drive.size_bytes,
    }


def drive_serial(array: Array, drive: Drive) -> str:
    """The serial number of a drive."""
    return array.plant.uuid("drive", drive.drive_id)[:13].upper()


def list_drives(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the drives, those in use and those that could be."""
    return {"drives": [_drive_row(array, drive) for drive in array.plant.drives.values()]}


def add_drives(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to use available drives."""
    drives = [drive_of(array, wanted["driveID"]) for wanted in given["drives"]]
    _all_are(drives, DriveStatus.AVAILABLE)
    return {"asyncHandle": driving.start(array, drives, driving.ADD).handle} if drives else {"asyncHandle": None}


def remove_drives(array: Array, given: Given) -> Mapping[str, Any]:
    """Begin to move what drives hold to the others, as far as there is room."""
    drives = [drive_of(array, number) for number in dict.fromkeys(given["drives"])]
    _all_are(drives, DriveStatus.ACTIVE)
    if not drives or any(drive.kind != "block" for drive in drives):
        raise ElementError(GUESSED.bad_value, "Only block drives can be removed: metadata has one drive alone.")
    left = array.plant.size_bytes - sum(drive.size_bytes for drive in drives)
    if left <= array.used_bytes:
        raise ElementError("xTotalCapacityExceeded")
    return {"asyncHandle": driving.start(array, drives, driving.REMOVE).handle}


def secure_erase_drives(array: Array, given: Given) -> Mapping[str, Any]:
    """Erase available drives."""
    drives = [drive_of(array, number) for number in dict.fromkeys(given["drives"])]
    _all_are(drives, DriveStatus.AVAILABLE)
    return {"asyncHandle": driving.start(array, drives, driving.ERASE).handle}


def _all_are(drives: list[Drive], status: DriveStatus) -> None:
    for drive in drives:
        if drive.status != status:
            raise ElementError(GUESSED.bad_value, f"Drive {drive.drive_id} is {drive.status}, not {status}.")


def _hardware_row(array: Array, drive: Drive) -> dict[str, Any]:
    return {
        "description": "Simulated drive",
        "dev": f"8:{16 * drive.slot}",
        "devpath": f"/dev/disk/by-path/simulated-{drive.slot}",
        "driveSecurityAtMaximum": False,
        "driveSecurityFrozen": False,
        "driveSecurityLocked": False,
        "logicalname": f"/dev/sd{chr(ord('a') + drive.slot)}",
        "product": "Simulated",
        "scsiCompatID": f"scsi-{drive_serial(array, drive)}",
        "securityFeatureEnabled": False,
        "securityFeatureSupported": False,
        "serial": drive_serial(array, drive),
        "size": drive.size_bytes,
        "uuid": array.plant.uuid("drive", drive.drive_id),
        "version": "1.0",
    }


_WORN = ("lifeRemainingPercent", "lifetimeReadBytes", "lifetimeWriteBytes", "powerOnHours", "reallocatedSectors",
         "reserveCapacityPercent")  # fmt: skip
"""What the hardware of a drive tells as its statistics do."""
_DISK_MAJOR = 8 << 8


def list_drive_hardware(array: Array, _given: Given) -> Mapping[str, Any]:
    """Describe every drive of the one node, whether the cluster uses it or not; there is nothing to force."""
    drives = [_listed_hardware(array, drive) for drive in array.plant.drives.values()]
    return {"nodes": [{"nodeID": NODE_ID, "result": {"driveHardware": drives}}]}


def _listed_hardware(array: Array, drive: Drive) -> dict[str, Any]:
    row, stats = _hardware_row(array, drive), get_drive_stats(array, {"driveID": drive.drive_id})["driveStats"]
    return {
        **{name: stats[name] for name in _WORN},
        **{name: row[name] for name in ("product", "serial", "size", "uuid", "version")},
        "canonicalName": row["logicalname"].rpartition("/")[2],
        "connected": True,
        "dev": _DISK_MAJOR + 16 * drive.slot,
        "devPath": row["devpath"],
        "driveEncryptionCapability": "none",
        "driveType": drive.kind,
        "name": row["scsiCompatID"],
        "path": row["logicalname"],
        "pathLink": row["devpath"],
        "scsiCompatId": row["scsiCompatID"],
        "scsiState": "Running",
        "securityAtMaximum": row["driveSecurityAtMaximum"],
        "securityEnabled": row["securityFeatureEnabled"],
        "securityFrozen": row["driveSecurityFrozen"],
        "securityLocked": row["driveSecurityLocked"],
        "securitySupported": row["securityFeatureSupported"],
        "slot": drive.slot,
        "smartSsdWriteCapable": False,
        "vendor": "Simulated",
    }


def _node_hardware(array: Array) -> dict[str, Any]:
    return {
        "bus": {"core_DMI:0200": {"product": "Simulated", "vendor": "", "version": ""}},
        "memory": {"firmware_": {"description": "BIOS", "version": "1.0"}},
        "network": {},
        "platform": _PLATFORM,
        "serial": serial(array),
        "uuid": array.plant.uuid("node", NODE_ID),
    }


def get_cluster_hardware_info(array: Array, given: Given) -> Mapping[str, Any]:
    """Describe drives and the node, by their numbers."""
    kind = given.get("type", "all")
    if kind not in _HARDWARE_KINDS:
        raise ElementError("xUnrecognizedEnumString", value=kind)
    drives = array.plant.drives.values() if kind != "nodes" else ()
    return {
        "clusterHardwareInfo": {
            "drives": {str(drive.drive_id): _hardware_row(array, drive) for drive in drives},
            "nodes": {str(NODE_ID): _node_hardware(array)} if kind != "drives" else {},
        }
    }


def get_node_hardware_info(array: Array, given: Given) -> Mapping[str, Any]:
    """Describe the node."""
    if given["nodeID"] != NODE_ID:
        raise ElementError(GUESSED.unknown_id, f"NodeID {given['nodeID']} does not exist.")
    return {"nodeHardwareInfo": _node_hardware(array)}


def get_drive_hardware_info(array: Array, given: Given) -> Mapping[str, Any]:
    """Describe one drive."""
    return {"driveHardwareInfo": _hardware_row(array, drive_of(array, given["driveID"]))}


def list_services(array: Array, _given: Given) -> Mapping[str, Any]:
    """List what runs: the master, the slice service of the metadata drive, a block service on each block drive."""
    used = [drive for drive in array.plant.drives.values() if drive.status == DriveStatus.ACTIVE]
    blocks = [_service(array, "block", SLICE_SERVICE_ID + drive.slot, drive) for drive in used if drive.kind == "block"]
    slices = [_service(array, "slice", SLICE_SERVICE_ID, drive) for drive in used if drive.kind == "volume"]
    return {"services": [_service(array, "master", MASTER_SERVICE_ID, None), *slices, *blocks]}


def _service(array: Array, kind: str, number: int, drive: Drive | None) -> dict[str, Any]:
    drives = [_service_drive(array, drive, number)] if drive else []
    ids = [drive.drive_id] if drive else []
    service = {
        "asyncResultIDs": [],
        "driveID": drive.drive_id if drive else None,
        "driveIDs": ids,
        "firstTimeStartup": True,
        "ipcPort": 4000 + number,
        "iscsiPort": 3260 if kind == "slice" else 0,
        "nodeID": NODE_ID,
        "serviceID": number,
        "serviceType": kind,
        "startedDriveIDs": ids,
        "status": "healthy",
    }
    return {"service": service, "node": node(array), "drive": drives[0] if drives else None, "drives": drives}


def _service_drive(array: Array, drive: Drive, service: int) -> dict[str, Any]:
    row = _drive_row(array, drive)
    row["driveStatus"], row["driveType"] = row.pop("status"), row.pop("type")
    del row["chassisSlot"]
    return {**row, "assignedService": service, "asyncResultIDs": []}


RULES: Rules = {
    "ListActiveNodes": list_active_nodes,
    "ListAllNodes": list_all_nodes,
    "ListPendingNodes": list_pending_nodes,
    "ListPendingActiveNodes": list_pending_active_nodes,
    "AddNodes": add_nodes,
    "RemoveNodes": remove_nodes,
    "GetClusterMasterNodeID": get_cluster_master_node_id,
    "GetClusterState": get_cluster_state,
    "CheckProposedNodeAdditions": check_proposed_node_additions,
    "ListDrives": list_drives,
    "ListDriveHardware": list_drive_hardware,
    "AddDrives": add_drives,
    "RemoveDrives": remove_drives,
    "SecureEraseDrives": secure_erase_drives,
    "GetClusterHardwareInfo": get_cluster_hardware_info,
    "GetNodeHardwareInfo": get_node_hardware_info,
    "GetDriveHardwareInfo": get_drive_hardware_info,
    "ListServices": list_services,
}
