"""The lists of volumes: all with filters, active, deleted, those of an account. Always ascending by id."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from snapproof.simulators.solidfire import checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.volumes import PROTECTION_SCHEMES
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Status, Volume


def list_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """List volumes, active and deleted, by any of the filters. An empty list of ids or accounts filters nothing."""
    wanted: list[int] = given.get("volumeIDs", [])
    if wanted and not given.keys().isdisjoint({"startVolumeID", "limit", "accounts"}):
        raise ElementError(GUESSED.bad_value, "volumeIDs excludes startVolumeID, limit and accounts.")
    keeps = _filters(given)
    candidates = (
        (volume for number in sorted(set(wanted)) if (volume := array.volumes.get(number)))
        if wanted
        else checks.listed(array.volumes, given, "startVolumeID")
    )
    return _answer((volume for volume in candidates if all(keep(volume) for keep in keeps)), given)


def _filters(given: Given) -> list[Callable[[Volume], bool]]:
    keeps: list[Callable[[Volume], bool]] = []
    if "volumeStatus" in given:
        status = checks.one_of(given["volumeStatus"], tuple(Status))
        keeps.append(lambda volume: volume.row.status == status)
    if accounts := frozenset(given.get("accounts", ())):
        keeps.append(lambda volume: volume.row.account_id in accounts)
    if "isPaired" in given:
        paired = given["isPaired"]
        keeps.append(lambda volume: bool(volume.seldom.volume_pairs) is paired)
    if "volumeName" in given:
        name = given["volumeName"]
        keeps.append(lambda volume: volume.row.name == name)
    if schemes := frozenset(given.get("protectionSchemes", ())):
        for scheme in schemes:
            checks.one_of(scheme, PROTECTION_SCHEMES)
        keeps.append(lambda volume: volume.row.current_protection_scheme in schemes)
    return keeps


def list_active_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """List the volumes that are not deleted."""
    return _answer((volume for volume in checks.listed(array.volumes, given, "startVolumeID") if volume.active), given)


def list_deleted_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """List the volumes that wait for their purge."""
    return _answer((volume for volume in array.volumes if not volume.active), given)


def list_volumes_for_account(array: Array, given: Given) -> Mapping[str, Any]:
    """List what an account owns, deleted volumes included."""
    return _answer(checks.listed(array.account(given["accountID"]).volumes, given, "startVolumeID"), given)


def _answer(found: Iterator[Volume], given: Given) -> Mapping[str, Any]:
    return {"volumes": [volume.row for volume in checks.limited(found, given)]}


RULES: Rules = {
    "ListVolumes": list_volumes,
    "ListActiveVolumes": list_active_volumes,
    "ListDeletedVolumes": list_deleted_volumes,
    "ListVolumesForAccount": list_volumes_for_account,
}
