"""Virtual networks: VLANs that the cluster serves volumes on, as settings; every login here finds every volume."""

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

from snapproof.simulators.solidfire import checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.settings import AddressBlock, VirtualNetwork
from snapproof.simulators.solidfire.state import Numbered

TAG_MAX = 4094
NAME_LENGTH_MAX = 64
ADDRESSES_MAX = 1 << 16


def add_virtual_network(array: Array, given: Given) -> Mapping[str, Any]:
    """Add a network; its VLAN tag must be free."""
    tag = given["virtualNetworkTag"]
    if not 0 < tag <= TAG_MAX:
        raise ElementError(GUESSED.bad_value, f"virtualNetworkTag must be between 1 and {TAG_MAX}.")
    if any(network.tag == tag for network in array.settings.networks):
        raise ElementError("xVirtualNetworkAlreadyExists", f"VirtualNetworkTag {tag} exists already.")
    plain = VirtualNetwork(
        number=0, tag=tag, name="", address_blocks=[], netmask="", svip="", gateway="", namespace=False, attributes={}
    )
    network = _changed(plain, given)
    network.number = array.next_number(Numbered.NETWORK)
    array.settings.networks.put(network.number, network)
    array.record("virtual network added", network_id=network.number, tag=tag, name=network.name)
    return {"virtualNetworkID": network.number}


def _changed(network: VirtualNetwork, given: Given) -> VirtualNetwork:
    """Make a network that is like this one but for what was given. Raises ElementError."""
    for name in ("netmask", "svip", "gateway"):
        if name in given:
            _address(name, given[name])
    name = given.get("name", network.name)
    if len(name) > NAME_LENGTH_MAX:
        raise ElementError(GUESSED.bad_name, f"A virtual network's name has at most {NAME_LENGTH_MAX} characters.")
    attributes = checks.attributes(given)
    told = given.get("addressBlocks")
    return VirtualNetwork(
        number=network.number,
        tag=network.tag,
        name=name,
        address_blocks=network.address_blocks if told is None else [_block(block) for block in told],
        netmask=given.get("netmask", network.netmask),
        svip=given.get("svip", network.svip),
        gateway=given.get("gateway", network.gateway),
        namespace=given.get("namespace", network.namespace),
        attributes=network.attributes if attributes is None else attributes,
    )


def _address(name: str, text: str) -> None:
    try:
        IPv4Address(text)
    except ValueError:
        raise ElementError(GUESSED.bad_value, f"{name} must be an IPv4 address.") from None


def _block(told: Given) -> AddressBlock:
    _address("start", told["start"])
    size: int = told["size"]
    if not 0 < size <= ADDRESSES_MAX:
        raise ElementError(GUESSED.bad_value, f"The size of an address block must be between 1 and {ADDRESSES_MAX}.")
    return AddressBlock(start=told["start"], size=size, available="1" * size)


def list_virtual_networks(array: Array, given: Given) -> Mapping[str, Any]:
    """List networks: all, or those of one or several ids or tags."""
    numbers = {
        *given.get("virtualNetworkIDs", ()),
        *([given["virtualNetworkID"]] if "virtualNetworkID" in given else ()),
    }
    tags = {
        *given.get("virtualNetworkTags", ()),
        *([given["virtualNetworkTag"]] if "virtualNetworkTag" in given else ()),
    }
    return {
        "virtualNetworks": [
            _shown(array, network)
            for network in array.settings.networks
            if not (numbers or tags) or network.number in numbers or network.tag in tags
        ]
    }


def _shown(array: Array, network: VirtualNetwork) -> Mapping[str, Any]:
    return {
        "virtualNetworkID": network.number,
        "virtualNetworkTag": network.tag,
        "addressBlocks": network.address_blocks,
        "name": network.name,
        "netmask": network.netmask,
        "svip": network.svip,
        "gateway": network.gateway,
        "namespace": network.namespace,
        "attributes": network.attributes,
        "initiatorIDs": _users(array, network),
    }


def _users(array: Array, network: VirtualNetwork) -> list[int]:
    return [known.initiator_id for known in array.initiators if network.number in known.virtual_network_ids]


def _named(array: Array, given: Given) -> VirtualNetwork:
    if "virtualNetworkID" in given:
        return array.network(given["virtualNetworkID"])
    if "virtualNetworkTag" not in given:
        raise ElementError("xMissingParameter", member="virtualNetworkID")
    for network in array.settings.networks:
        if network.tag == given["virtualNetworkTag"]:
            return network
    raise ElementError(GUESSED.unknown_id, f"VirtualNetworkTag {given['virtualNetworkTag']} does not exist.")


def modify_virtual_network(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given of the network of an id or a tag."""
    network = _changed(_named(array, given), given)
    array.settings.networks.put(network.number, network)
    array.record("virtual network modified", network_id=network.number, tag=network.tag, name=network.name)
    return {"virtualNetworkID": network.number}


def remove_virtual_network(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove a network that no initiator is bound to."""
    network = _named(array, given)
    if users := _users(array, network):
        raise ElementError(
            GUESSED.network_in_use,
            f"VirtualNetworkID {network.number} is used by InitiatorIDs {users}; modify them first.",
        )
    array.settings.networks.drop(network.number)
    array.record("virtual network removed", network_id=network.number, tag=network.tag, name=network.name)
    return {}


RULES: Rules = {
    "AddVirtualNetwork": add_virtual_network,
    "ListVirtualNetworks": list_virtual_networks,
    "ModifyVirtualNetwork": modify_virtual_network,
    "RemoveVirtualNetwork": remove_virtual_network,
}
