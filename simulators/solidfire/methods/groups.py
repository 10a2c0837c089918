"""Volume access groups: create, list, modify, delete, and the adding and removing of volumes and initiators."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, groups
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import GroupRow


def create_group(array: Array, given: Given) -> Mapping[str, Any]:
    """Create a group with its first volumes and initiators; its name need not be unique."""
    name = checks.name_within(array, given["name"], "volumeAccessGroupNameLengthMax")
    attributes = checks.attributes(given) or {}
    if len(array.groups) >= array.limits["volumeAccessGroupCountMax"]:
        raise ElementError(GUESSED.too_many, f"The cluster has {len(array.groups)} access groups already.")
    volume_ids = _volumes_to_add(array, given.get("volumes", []), held=[])
    names = _initiators_to_add(array, _names(array, given.get("initiators", [])), held=[])
    group = groups.create(array, name=name, attributes=attributes)
    groups.add_volumes(array, group, volume_ids)
    groups.add_initiators(array, group, names)
    return {"volumeAccessGroupID": group.volume_access_group_id, "volumeAccessGroup": group}


def list_groups(array: Array, given: Given) -> Mapping[str, Any]:
    """List groups from an id on, or those that are named, telling which of these are not there."""
    wanted: list[int] = given.get("volumeAccessGroups", [])
    if not wanted:
        listed = checks.listed(array.groups, given, "startVolumeAccessGroupID")
        return {"volumeAccessGroups": checks.limited(listed, given), "volumeAccessGroupsNotFound": []}
    if not given.keys().isdisjoint({"startVolumeAccessGroupID", "limit"}):
        raise ElementError(GUESSED.bad_value, "volumeAccessGroups excludes startVolumeAccessGroupID and limit.")
    found = [group for number in sorted(set(wanted)) if (group := array.groups.get(number))]
    missing = [number for number in wanted if number not in array.groups]
    return {"volumeAccessGroups": found, "volumeAccessGroupsNotFound": missing}


def modify_group(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given; a list of volumes or initiators, empty ones too, replaces the one before."""
    group = array.group(given["volumeAccessGroupID"])
    name = checks.name_within(array, given.get("name", group.name), "volumeAccessGroupNameLengthMax")
    attributes = checks.attributes(given)
    wanted = list(dict.fromkeys(given.get("volumes", group.volumes)))
    names = _names(array, given["initiators"]) if "initiators" in given else list(group.initiators)
    leaving = [number for number in group.volumes if number not in wanted]
    gone = [held for held in group.initiators if held not in names]
    coming = [number for number in wanted if number not in group.volumes]
    volume_ids = _volumes_to_add(array, coming, held=[number for number in group.volumes if number in wanted])
    kept = [held for held in group.initiators if held in names]
    new_names = _initiators_to_add(array, [held for held in names if held not in kept], held=kept)
    groups.remove_volumes(array, group, leaving)
    groups.remove_initiators(array, group, gone, keep_orphans=_keeps_orphans(given))
    groups.add_volumes(array, group, volume_ids)
    groups.add_initiators(array, group, new_names)
    group.name = name
    group.attributes = group.attributes if attributes is None else attributes
    array.record("access group modified", group_id=group.volume_access_group_id, name=name)
    return {"volumeAccessGroup": group}


def delete_group(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete a group; its volumes and initiators stay, without one another."""
    groups.delete(array, array.group(given["volumeAccessGroupID"]), keep_orphans=_keeps_orphans(given))
    return {}


def add_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """Add volumes, all or none."""
    group = array.group(given["volumeAccessGroupID"])
    groups.add_volumes(array, group, _volumes_to_add(array, given["volumes"], held=group.volumes))
    return {"volumeAccessGroup": group}


def remove_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove volumes, all or none; deleted ones that the group remembers can be removed too."""
    group = array.group(given["volumeAccessGroupID"])
    volume_ids = list(dict.fromkeys(given["volumes"]))
    for number in volume_ids:
        if number not in group.volumes and number not in group.deleted_volumes:
            array.volume(number)
            raise _absent(group, f"VolumeID {number}")
    groups.remove_volumes(array, group, volume_ids)
    return {"volumeAccessGroup": group}


def add_initiators(array: Array, given: Given) -> Mapping[str, Any]:
    """Add initiators by name or id, all or none."""
    group = array.group(given["volumeAccessGroupID"])
    names = _names(array, given["initiators"])
    groups.add_initiators(array, group, _initiators_to_add(array, names, held=group.initiators))
    return {"volumeAccessGroup": group}


def remove_initiators(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove initiators by name or id, all or none."""
    group = array.group(given["volumeAccessGroupID"])
    names = _names(array, given["initiators"])
    for name in names:
        if name not in group.initiators:
            raise _absent(group, name)
    groups.remove_initiators(array, group, names, keep_orphans=_keeps_orphans(given))
    return {"volumeAccessGroup": group}


def _absent(group: GroupRow, what: str) -> ElementError:
    return ElementError(
        "xNotInVolumeAccessGroup", f"{what} is not in VolumeAccessGroupID {group.volume_access_group_id}."
    )


def _present(what: str) -> ElementError:
    return ElementError("xAlreadyInVolumeAccessGroup", f"{what} is in this VolumeAccessGroup already.")


def _keeps_orphans(given: Given) -> bool:
    return not given.get("deleteOrphanInitiators", True)


def _names(array: Array, initiators: list[str | int]) -> list[str]:
    """Write initiators as lower-case names, each once. Raises ElementError for an id that is none."""
    return list(
        dict.fromkeys(
            checks.initiator_name(array, initiator)
            if isinstance(initiator, str)
            else array.initiator(initiator).initiator_name
            for initiator in initiators
        )
    )


def _volumes_to_add(array: Array, volume_ids: list[int], *, held: list[int]) -> list[int]:
    coming = list(dict.fromkeys(volume_ids))
    for number in coming:
        volume = checks.active_volume(array, number)
        if number in held:
            raise _present(f"VolumeID {number}")
        if len(volume.row.volume_access_groups) >= array.limits["volumeAccessGroupsPerVolumeCountMax"]:
            raise ElementError("xExceededLimit", f"Exceeded maximum number of VolumeAccessGroups per Volume ({number})")
    if len(held) + len(coming) > array.limits["volumesPerVolumeAccessGroupCountMax"]:
        raise ElementError("xExceededLimit", "Exceeded maximum number of Volumes per VolumeAccessGroup")
    return coming


def _initiators_to_add(array: Array, names: list[str], *, held: list[str]) -> list[str]:
    per_initiator = array.limits["volumeAccessGroupsPerInitiatorCountMax"]
    for name in names:
        if name in held:
            raise _present(name)
        known = array.initiator_named(name)
        if known and len(known.volume_access_groups) >= per_initiator:
            raise ElementError(
                "xExceededLimit", f"Exceeded maximum number of VolumeAccessGroups per Initiator ({name})"
            )
    if len(held) + len(names) > array.limits["initiatorsPerVolumeAccessGroupCountMax"]:
        raise ElementError("xExceededLimit", "Exceeded maximum number of Initiators per VolumeAccessGroup")
    unknown = sum(name not in array.initiator_ids for name in names)
    if len(array.initiators) + unknown > array.limits["initiatorCountMax"]:
        raise ElementError("xExceededLimit", "Exceeded maximum number of Initiators")
    return names


RULES: Rules = {
    "CreateVolumeAccessGroup": create_group,
    "ListVolumeAccessGroups": list_groups,
    "ModifyVolumeAccessGroup": modify_group,
    "DeleteVolumeAccessGroup": delete_group,
    "AddVolumesToVolumeAccessGroup": add_volumes,
    "RemoveVolumesFromVolumeAccessGroup": remove_volumes,
    "AddInitiatorsToVolumeAccessGroup": add_initiators,
    "RemoveInitiatorsFromVolumeAccessGroup": remove_initiators,
}
