"""What the node itself answers at its own door: its configuration, its networks, whether it reaches the cluster."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.configuration import held, store
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import NODE_ID
from snapproof.simulators.solidfire.versions import SOFTWARE

_INTERFACES = ("Bond1G", "Bond10G", "lo")
_DURATION, _PASSED = "00:00:00.000100", "Passed"
_PING_BYTES = {"56": "00:00:00.000100", "1500": "00:00:00.000100"}


def _cluster(array: Array) -> dict[str, Any]:
    name = f"{array.name}-node-{NODE_ID}"
    usual = {
        "cipi": "Bond10G",
        "cluster": array.name,
        "encryptionCapable": True,
        "ensemble": [f"{NODE_ID}:{array.mvip}"],
        "fipsDriveConfiguration": False,
        "hasLocalAdmin": False,
        "mipi": "Bond1G",
        "name": name,
        "nodeID": NODE_ID,
        "pendingNodeID": 0,
        "role": "Storage",
        "sipi": "Bond10G",
        "state": "Active",
        "version": SOFTWARE,
    }
    return {**usual, **held(array, "node")}


def _network(array: Array) -> dict[str, Any]:
    changed = held(array, "network")
    return {name: {**_interface(array, name), **changed.get(name, {})} for name in _INTERFACES}


def _interface(array: Array, name: str) -> dict[str, Any]:
    address = {"Bond1G": array.mvip, "Bond10G": array.svip.partition(":")[0]}.get(name, "127.0.0.1")
    return {
        "address": address,
        "auto": True,
        "family": "inet",
        "interfaceName": name,
        "method": "loopback" if name == "lo" else "static",
        "mtu": "9000" if name == "Bond10G" else "1500",
        "netmask": "255.0.0.0",
        "network": "127.0.0.0",
        "status": "UpAndRunning",
        "upAndRunning": True,
    }


def get_cluster_config(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell of which cluster the node is."""
    return {"cluster": _cluster(array)}


def set_cluster_config(array: Array, given: Given) -> Mapping[str, Any]:
    """Change how the node is configured as a member; what it is a member of stays."""
    store(array, "node", {name: value for name, value in given["cluster"].items() if name in _CHANGEABLE})
    return {"cluster": _cluster(array)}


_CHANGEABLE = frozenset({"cipi", "mipi", "sipi", "role"})


def get_network_config(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell how the node's interfaces are configured."""
    network = _network(array)
    return {"network": network, "networkInterfaces": list(network.values())}


def set_network_config(array: Array, given: Given) -> Mapping[str, Any]:
    """Store how interfaces are to be configured; the simulator goes on where it is served."""
    changed = held(array, "network")
    store(array, "network", {name: {**changed.get(name, {}), **wanted} for name, wanted in given["network"].items()})
    return {"network": _network(array)}


def get_config(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell both."""
    return {"config": {"cluster": _cluster(array), "network": _network(array)}}


def set_config(array: Array, given: Given) -> Mapping[str, Any]:
    """Change both."""
    set_cluster_config(array, given["config"])
    set_network_config(array, given["config"])
    return get_config(array, given)


def list_network_interfaces(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the node's interfaces."""
    return {
        "interfaces": [
            {
                "address": row["address"],
                "broadcast": "127.255.255.255",
                "macAddress": "00:00:00:00:00:00",
                "mtu": int(row["mtu"]),
                "name": name,
                "netmask": row["netmask"],
                "status": "UpAndRunning",
                "type": "Loopback" if name == "lo" else "BondMaster",
                "virtualNetworkTag": 0,
            }
            for name, row in _network(array).items()
        ]
    }


def get_system_status(_array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell that nothing waits for a restart."""
    return {"rebootRequired": False}


def test_connect_mvip(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell whether the management address is the cluster's own."""
    mvip = given.get("mvip", array.mvip)
    return _tested({"connected": mvip == array.mvip, "mvip": mvip, "pingBytes": _PING_BYTES})


def test_connect_svip(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell whether the storage address is the cluster's own."""
    own = array.svip.partition(":")[0]
    svip = given.get("svip", own)
    return _tested({"connected": svip in {own, array.svip}, "pingBytes": _PING_BYTES, "svip": svip})


def test_connect_ensemble(array: Array, given: Given) -> Mapping[str, Any]:
    """Tell that the node reaches itself."""
    nodes = given.get("ensemble", f"{NODE_ID}:{array.mvip}").split(",")
    return _tested({"nodes": dict.fromkeys(nodes, _PASSED)})


def _tested(details: dict[str, Any]) -> Mapping[str, Any]:
    result = _PASSED if details.get("connected", True) else "Failed"
    return {"details": details, "duration": _DURATION, "result": result}


RULES: Rules = {
    "GetClusterConfig": get_cluster_config,
    "SetClusterConfig": set_cluster_config,
    "GetNetworkConfig": get_network_config,
    "SetNetworkConfig": set_network_config,
    "GetConfig": get_config,
    "SetConfig": set_config,
    "ListNetworkInterfaces": list_network_interfaces,
    "GetSystemStatus": get_system_status,
    "TestConnectMvip": test_connect_mvip,
    "TestConnectSvip": test_connect_svip,
    "TestConnectEnsemble": test_connect_ensemble,
}
