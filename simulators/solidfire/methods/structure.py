"""The configuration of the cluster as one document, and back: whatever of it is missing is made by its own rule.

What each noun takes and refuses is the business of its module; here is only which is which, and in what order.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from snapproof.simulators.solidfire import restoring
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods import (
    accounts,
    administrators,
    cluster,
    configuration,
    containers,
    groups,
    initiators,
    luns,
    networks,
    qos,
    schedules,
    volumes,
)
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.rehearsal import rehearsal

Held: TypeAlias = Iterable[tuple[Hashable, int]]
"""What the cluster has of a kind: by what it is known again, and its number."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which number of ours a number of the structure means, by part; and the numbers that were made for it."""

    ours: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    made: set[tuple[str, int]] = field(default_factory=set)

    def of(self, part: str, number: int) -> int:
        """Ours; what the structure does not tell itself is a number of the cluster already."""
        return self.ours[part].get(number, number)

    def of_all(self, part: str, numbers: Iterable[int]) -> list[int]:
        """Ours, for several."""
        return [self.of(part, number) for number in numbers]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One part of the structure: what of it is here already, and how the rest is made."""

    part: str
    number: str
    known_by: Callable[[Given, Numbers], Hashable]
    held: Callable[[Array], Held]
    make: Callable[[Array, Given, Numbers], int]


def get_cluster_structure(array: Array, _given: Given) -> Mapping[str, Any]:
    """Show all that is configured; volumes without contents and without the deleted, administrators without passwords.

    Ciphers and SnapMirror endpoints, which the cluster does not have, are left out.
    """
    return {
        **accounts.list_accounts(array, {}),
        **administrators.list_cluster_admins(array, {}),
        **cluster.get_cluster_info(array, {}),
        "defaultQoS": qos.get_default_qos(array, {}),
        **configuration.get_feature_status(array, {}),
        **initiators.list_initiators(array, {}),
        "ldapConfiguration": configuration.held(array, "ldap"),
        "ntp": configuration.held(array, "ntp"),
        **qos.list_qos_policies(array, {}),
        "remoteHosts": configuration.held(array, "logging")["remoteHosts"],
        **schedules.list_schedules(array, {}),
        "snmp": configuration.held(array, "snmp"),
        **networks.list_virtual_networks(array, {}),
        "volumeAccessGroupLunAssignments": [_luns(array, group.volume_access_group_id) for group in array.groups],
        "volumeAccessGroups": list(array.groups),
        "volumes": [volume.row for volume in array.volumes if volume.active],
        **containers.list_storage_containers(array, {}),
    }


def _luns(array: Array, group_id: int) -> Any:
    shown = luns.get_lun_assignments(array, {"volumeAccessGroupID": group_id})
    return shown["volumeAccessGroupLunAssignments"]


def set_cluster_structure(array: Array, given: Given) -> Mapping[str, Any]:
    """Make what is missing and set what is set otherwise, all or nothing; what is there stays as it is."""
    if "tlsCiphers" in given:
        raise ElementError(GUESSED.bad_value, "This cluster keeps no list of ciphers; leave tlsCiphers out.")
    _restore(rehearsal(array), given)
    _restore(array, given)
    return {"asyncHandle": restoring.start(array).handle}


def _restore(array: Array, given: Given) -> None:
    _set_up(array, given)
    numbers = Numbers()
    for kind in _KINDS:
        _complete(array, kind, given.get(kind.part, ()), numbers)
    for assignments in given.get("volumeAccessGroupLunAssignments", ()):
        _assign_luns(array, assignments, numbers)


def _complete(array: Array, kind: Kind, rows: Iterable[Given], numbers: Numbers) -> None:
    """Find every row's thing, the first that is left of those known by the same, or make it."""
    spare: defaultdict[Hashable, list[int]] = defaultdict(list)
    for known_by, number in kind.held(array):
        spare[known_by].append(number)
    for row in rows:
        found = spare[kind.known_by(row, numbers)]
        if found:
            ours = found.pop(0)
        else:
            ours = kind.make(array, row, numbers)
            numbers.made.add((kind.part, ours))
        numbers.ours[kind.part][row.get(kind.number, 0)] = ours


def _make_network(array: Array, row: Given, _numbers: Numbers) -> int:
    number: int = networks.add_virtual_network(array, row)["virtualNetworkID"]
    return number


def _make_account(array: Array, row: Given, _numbers: Numbers) -> int:
    number: int = accounts.add_account(array, row)["accountID"]
    if row["status"] != accounts.STATUSES[0]:
        accounts.modify_account(array, {"accountID": number, "status": row["status"]})
    return number


def _make_container(array: Array, row: Given, numbers: Numbers) -> int:
    account_id = numbers.of("accounts", row["accountID"])
    containers.create_storage_container(array, {**row, "accountID": account_id})
    return account_id


def _make_policy(array: Array, row: Given, _numbers: Numbers) -> int:
    number: int = qos.create_qos_policy(array, row)["qosPolicy"].qos_policy_id
    return number


def _make_initiator(array: Array, row: Given, numbers: Numbers) -> int:
    bound = numbers.of_all("virtualNetworks", row["virtualNetworkIDs"])
    order = {**row, "name": row["initiatorName"], "virtualNetworkIDs": bound}
    number: int = initiators.create_initiators(array, {"initiators": [order]})["initiators"][0].initiator_id
    return number


def _make_volume(array: Array, row: Given, numbers: Numbers) -> int:
    order = {
        **row,
        "accountID": numbers.of("accounts", row["accountID"]),
        "protectionScheme": row["currentProtectionScheme"],
    }
    if "qosPolicyID" in row:
        order["qosPolicyID"] = numbers.of("qosPolicies", row["qosPolicyID"])
        del order["qos"]
    number: int = volumes.create_volume(array, order)["volumeID"]
    return number


def _make_group(array: Array, row: Given, numbers: Numbers) -> int:
    order = {**row, "volumes": numbers.of_all("volumes", row["volumes"])}
    number: int = groups.create_group(array, order)["volumeAccessGroupID"]
    return number


def _make_schedule(array: Array, row: Given, numbers: Numbers) -> int:
    told = dict(row["scheduleInfo"])
    if "volumeID" in told:
        told["volumeID"] = numbers.of("volumes", told["volumeID"])
    told["volumes"] = numbers.of_all("volumes", told.get("volumes", ()))
    number: int = schedules.create_schedule(array, {**row, "scheduleInfo": told})["scheduleID"]
    return number


def _assign_luns(array: Array, told: Given, numbers: Numbers) -> None:
    """Number the volumes of a group that was made; one that was there keeps its numbers."""
    group_id = numbers.of("volumeAccessGroups", told["volumeAccessGroupID"])
    array.group(group_id)
    if ("volumeAccessGroups", group_id) in numbers.made:
        wanted = [{**line, "volumeID": numbers.of("volumes", line["volumeID"])} for line in told["lunAssignments"]]
        luns.modify_lun_assignments(array, {"volumeAccessGroupID": group_id, "lunAssignments": wanted})


def _set_up(array: Array, given: Given) -> None:
    """Set what differs from what is set. No time server is no setting: the cluster keeps those that it has."""
    default = {name: value for name, value in given.get("defaultQoS", {}).items() if name != "curve"}
    if not default.items() <= qos.get_default_qos(array, {}).items():
        qos.set_default_qos(array, default)
    for told in given.get("features", ()):
        (known,) = configuration.get_feature_status(array, told)["features"]
        if told["enabled"] and not known["enabled"]:
            configuration.enable_feature(array, told)
    logging = {"remoteHosts": given["remoteHosts"]} if "remoteHosts" in given else {}
    ntp = given.get("ntp", {})
    settings = {
        "ntp": ntp if ntp.get("servers") or ntp.get("broadcastclient") else {},
        "snmp": given.get("snmp", {}),
        "logging": logging,
    }
    for noun, wanted in settings.items():
        held = configuration.held(array, noun)
        if {**held, **wanted} != held:
            configuration.store(array, noun, wanted)


_KINDS = (
    Kind(
        part="virtualNetworks",
        number="virtualNetworkID",
        known_by=lambda row, _: row["virtualNetworkTag"],
        held=lambda array: ((network.tag, network.number) for network in array.settings.networks),
        make=_make_network,
    ),
    Kind(
        part="accounts",
        number="accountID",
        known_by=lambda row, _: row["username"],
        held=lambda array: array.account_ids.items(),
        make=_make_account,
    ),
    Kind(
        part="storageContainers",
        number="accountID",
        known_by=lambda row, _: row["name"],
        held=lambda array: ((container.name, container.account_id) for container in array.settings.containers),
        make=_make_container,
    ),
    Kind(
        part="qosPolicies",
        number="qosPolicyID",
        known_by=lambda row, _: row["name"],
        held=lambda array: ((policy.name, policy.qos_policy_id) for policy in array.qos_policies),
        make=_make_policy,
    ),
    Kind(
        part="initiators",
        number="initiatorID",
        known_by=lambda row, _: row["initiatorName"].lower(),
        held=lambda array: array.initiator_ids.items(),
        make=_make_initiator,
    ),
    Kind(
        part="volumes",
        number="volumeID",
        known_by=lambda row, numbers: (numbers.of("accounts", row["accountID"]), row["name"]),
        held=lambda array: (((disk.account_id, disk.name), disk.volume_id) for disk in array.volumes if disk.active),
        make=_make_volume,
    ),
    Kind(
        part="volumeAccessGroups",
        number="volumeAccessGroupID",
        known_by=lambda row, _: row["name"],
        held=lambda array: ((group.name, group.volume_access_group_id) for group in array.groups),
        make=_make_group,
    ),
    Kind(
        part="schedules",
        number="scheduleID",
        known_by=lambda row, _: row.get("scheduleName", ""),
        held=lambda array: ((held.row.schedule_name, held.row.schedule_id) for held in array.settings.schedules),
        make=_make_schedule,
    ),
)
"""In the order in which one refers to another."""

RULES: Rules = {
    "GetClusterStructure": get_cluster_structure,
    "SetClusterStructure": set_cluster_structure,
}
