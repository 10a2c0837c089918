"""Under which numbers the initiators of an access group see its volumes."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import groups
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import GroupRow


def get_lun_assignments(array: Array, given: Given) -> Mapping[str, Any]:
    """Show the numbers of a group's volumes, and those that its deleted volumes would get back."""
    return _shown(array, array.group(given["volumeAccessGroupID"]))


def _shown(array: Array, group: GroupRow) -> Mapping[str, Any]:
    luns = array.luns[group.volume_access_group_id]
    return {
        "volumeAccessGroupLunAssignments": {
            "volumeAccessGroupID": group.volume_access_group_id,
            "lunAssignments": _listed(luns.assigned),
            "deletedLunAssignments": _listed(luns.deleted),
        }
    }


def _listed(luns: Mapping[int, int]) -> list[Mapping[str, int]]:
    return [{"volumeID": volume_id, "lun": luns[volume_id]} for volume_id in sorted(luns)]


def modify_lun_assignments(array: Array, given: Given) -> Mapping[str, Any]:
    """Give some or all of a group's volumes other numbers, all or none of them; the rest keep theirs."""
    group = array.group(given["volumeAccessGroupID"])
    wanted = {assignment["volumeID"]: assignment["lun"] for assignment in given["lunAssignments"]}
    if len(wanted) < len(given["lunAssignments"]):
        raise ElementError(GUESSED.bad_value, "A volume may be given only one LUN.")
    most = array.limits["volumeAccessGroupLunMax"]
    for volume_id, lun in wanted.items():
        if volume_id not in group.volumes:
            array.volume(volume_id)
            raise ElementError(
                "xNotInVolumeAccessGroup",
                f"VolumeID {volume_id} is not in VolumeAccessGroupID {group.volume_access_group_id}.",
            )
        if not 0 <= lun <= most:
            raise ElementError(GUESSED.bad_value, f"A LUN must be between 0 and {most}.")
    luns = array.luns[group.volume_access_group_id]
    after = [*{**luns.assigned, **wanted}.values(), *luns.deleted.values()]
    if len(set(after)) < len(after):
        raise ElementError(GUESSED.bad_value, "Two volumes of the access group would have the same LUN.")
    groups.assign_luns(array, group, wanted)
    return _shown(array, group)


RULES: Rules = {
    "GetVolumeAccessGroupLunAssignments": get_lun_assignments,
    "ModifyVolumeAccessGroupLunAssignments": modify_lun_assignments,
}
