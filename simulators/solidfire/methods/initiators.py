"""Initiators as objects of their own: create, list, modify, delete, each call for several at once, all or none."""

from collections.abc import Iterable, Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, groups, initiators
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import GroupRow, Initiator

_SETTINGS = ("alias", "requireChap", "chapUsername", "initiatorSecret", "targetSecret", "virtualNetworkIDs")


def create_initiators(array: Array, given: Given) -> Mapping[str, Any]:
    """Make hosts known, each in a group where one is named."""
    orders: list[Given] = given["initiators"]
    names = [checks.initiator_name(array, order["name"]) for order in orders]
    for position, name in enumerate(names):
        if name in array.initiator_ids or name in names[:position]:
            raise ElementError("xInitiatorExists", f"Initiator {name} exists already.")
    if len(array.initiators) + len(names) > array.limits["initiatorCountMax"]:
        raise ElementError("xExceededLimit", "Exceeded maximum number of Initiators")
    attributes = [_admit_settings(array, order) for order in orders]
    _admit_in_groups(array, [_group(array, order) for order in orders])
    made = []
    for order, name, found in zip(orders, names, attributes, strict=True):
        initiator = initiators.create(array, name)
        initiators.configure(array, initiator, _settings(order, found))
        if group := _group(array, order):
            groups.add_initiators(array, group, [name])
        made.append(initiator)
    return {"initiators": made}


def list_initiators(array: Array, given: Given) -> Mapping[str, Any]:
    """List initiators from an id on, or those that are named; of these, what is not there is left out."""
    wanted: list[int] = given.get("initiators", [])
    if not wanted:
        return {"initiators": checks.limited(checks.listed(array.initiators, given, "startInitiatorID"), given)}
    if not given.keys().isdisjoint({"startInitiatorID", "limit"}):
        raise ElementError(GUESSED.bad_value, "initiators excludes startInitiatorID and limit.")
    return {"initiators": [found for number in sorted(set(wanted)) if (found := array.initiators.get(number))]}


def modify_initiators(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given of each; a group that is named replaces the one before."""
    orders: list[Given] = given["initiators"]
    known = [array.initiator(order["initiatorID"]) for order in orders]
    _refuse_twice(order["initiatorID"] for order in orders)
    attributes = [_admit_settings(array, order) for order in orders]
    moves = [_move(array, initiator, order) for initiator, order in zip(known, orders, strict=True)]
    _admit_in_groups(array, moves)
    for initiator, order, found, goal in zip(known, orders, attributes, moves, strict=True):
        initiators.configure(array, initiator, _settings(order, found))
        if goal:
            for group_id in list(initiator.volume_access_groups):
                groups.remove_initiators(array, array.groups[group_id], [initiator.initiator_name], keep_orphans=True)
            groups.add_initiators(array, goal, [initiator.initiator_name])
    return {"initiators": known}


def delete_initiators(array: Array, given: Given) -> Mapping[str, Any]:
    """Forget hosts; those that are in a group lose its volumes."""
    known = [array.initiator(number) for number in given["initiators"]]
    _refuse_twice(given["initiators"])
    for initiator in known:
        for group_id in list(initiator.volume_access_groups):
            groups.remove_initiators(array, array.groups[group_id], [initiator.initiator_name], keep_orphans=True)
        initiators.forget(array, initiator)
    return {}


def _refuse_twice(numbers: Iterable[int]) -> None:
    listed = list(numbers)
    if len(set(listed)) < len(listed):
        raise ElementError(GUESSED.bad_value, "An initiator may be named only once in a call.")


def _group(array: Array, order: Given) -> GroupRow | None:
    return array.group(order["volumeAccessGroupID"]) if "volumeAccessGroupID" in order else None


def _move(array: Array, initiator: Initiator, order: Given) -> GroupRow | None:
    """Find the group that an initiator has to change to. Raises ElementError."""
    group = _group(array, order)
    stays = group is not None and group.volume_access_group_id in initiator.volume_access_groups
    return None if stays else group


def _admit_in_groups(array: Array, goals: list[GroupRow | None]) -> None:
    most = array.limits["initiatorsPerVolumeAccessGroupCountMax"]
    for group in goals:
        if group and len(group.initiators) + sum(goal is group for goal in goals) > most:
            raise ElementError("xExceededLimit", "Exceeded maximum number of Initiators per VolumeAccessGroup")


def _admit_settings(array: Array, order: Given) -> dict[str, Any] | None:
    """Check what an initiator is to be like and return its attributes, if given. Raises ElementError."""
    checks.name_within(array, order.get("alias", ""), "initiatorAliasLengthMax")
    checks.secret(array, order, "initiatorSecret")
    checks.secret(array, order, "targetSecret")
    for number in order.get("virtualNetworkIDs", ()):
        array.network(number)
    return checks.attributes(order)


def _settings(order: Given, attributes: dict[str, Any] | None) -> Mapping[str, Any]:
    settings = {name: order[name] for name in _SETTINGS if name in order}
    return settings if attributes is None else {**settings, "attributes": attributes}


RULES: Rules = {
    "CreateInitiators": create_initiators,
    "ListInitiators": list_initiators,
    "ModifyInitiators": modify_initiators,
    "DeleteInitiators": delete_initiators,
}
