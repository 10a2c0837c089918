"""Cluster administrators: who may log in, with which rights. The first one is made with the cluster and stays."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.solidfire import checks
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.logins import ADMINISTRATOR, Administrator, AdministratorRow
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.rights import RIGHTS
from snapproof.simulators.solidfire.state import Numbered

_HH_MM_SS = re.compile(r"[0-9]{2}:[0-5][0-9]:[0-5][0-9]")
FIRST = 1
"""The administrator that the cluster was made with."""


def found_cluster(array: Array, *, username: str, password: str) -> None:
    """Make the first administrator, unless there is one."""
    if array.administrators:
        return
    row = AdministratorRow(
        access=(ADMINISTRATOR,),
        attributes={},
        cluster_admin_id=array.next_number(Numbered.ADMINISTRATOR),
        username=username,
    )
    array.administrators.put(row.cluster_admin_id, Administrator(row=row, password=password))


def add_cluster_admin(array: Array, given: Given) -> Mapping[str, Any]:
    """Add an administrator who has accepted the licence."""
    username: str = given["username"]
    low, high = array.limits["clusterAdminInfoNameLengthMin"], array.limits["clusterAdminInfoNameLengthMax"]
    if not low <= len(username) <= high:
        raise ElementError(GUESSED.bad_name, f"The name of an administrator has {low} to {high} characters.")
    if array.administrator_named(username):
        raise ElementError("xDuplicateUsername")
    if not given["acceptEula"]:
        raise ElementError(GUESSED.bad_value, "acceptEula must be true: the licence has to be accepted.")
    access = _access(given["access"])
    attributes = checks.attributes(given) or {}
    if len(array.administrators) >= array.limits["clusterAdminAccountMax"]:
        raise ElementError(GUESSED.too_many, f"The cluster has {len(array.administrators)} administrators already.")
    row = AdministratorRow(
        access=access,
        attributes=attributes,
        cluster_admin_id=array.next_number(Numbered.ADMINISTRATOR),
        username=username,
    )
    array.administrators.put(row.cluster_admin_id, Administrator(row=row, password=given["password"]))
    array.record("administrator created", administrator_id=row.cluster_admin_id, username=username)
    return {"clusterAdminID": row.cluster_admin_id}


def _access(words: list[str]) -> tuple[str, ...]:
    if not words:
        raise ElementError(GUESSED.bad_value, "access must name at least one right.")
    return tuple(checks.one_of(word, RIGHTS) for word in words)


def list_cluster_admins(array: Array, _given: Given) -> Mapping[str, Any]:
    """List administrators by their ids."""
    return {"clusterAdmins": [administrator.row for administrator in array.administrators]}


def get_current_cluster_admin(array: Array, _given: Given) -> Mapping[str, Any]:
    """Show who is calling: the first administrator where nobody had to log in."""
    return {"clusterAdmin": (array.caller or _administrator(array, FIRST)).row}


def modify_cluster_admin(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given; the first administrator keeps every right."""
    before = _administrator(array, given["clusterAdminID"])
    access = _access(given["access"]) if "access" in given else before.row.access
    if before.row.cluster_admin_id == FIRST and ADMINISTRATOR not in access:
        raise ElementError(GUESSED.first_administrator, "The first administrator keeps the right administrator.")
    attributes = checks.attributes(given)
    row = msgspec.structs.replace(
        before.row, access=access, attributes=before.row.attributes if attributes is None else attributes
    )
    after = Administrator(row=row, password=given.get("password", before.password))
    array.administrators.put(row.cluster_admin_id, after)
    array.record(
        "administrator modified",
        administrator_id=row.cluster_admin_id,
        access=", ".join(access),
        new_password="password" in given,
    )
    return {}


def remove_cluster_admin(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove an administrator, but never the first."""
    row = _administrator(array, given["clusterAdminID"]).row
    if row.cluster_admin_id == FIRST:
        raise ElementError(GUESSED.first_administrator, f"{row.username} was made with the cluster and stays.")
    array.administrators.drop(row.cluster_admin_id)
    array.record("administrator removed", administrator_id=row.cluster_admin_id, username=row.username)
    return {}


def get_login_session_info(array: Array, _given: Given) -> Mapping[str, Any]:
    """Tell after how long an idle session of the user interface ends."""
    return {"loginSessionInfo": {"timeout": array.session_timeout}}


def set_login_session_info(array: Array, given: Given) -> Mapping[str, Any]:
    """Set after how long an idle session of the user interface ends."""
    timeout: str = given.get("timeout", array.session_timeout)
    if not _HH_MM_SS.fullmatch(timeout):
        raise ElementError(GUESSED.bad_value, "timeout must read HH:MM:SS.")
    array.session_timeout = timeout
    array.record("login session set", timeout=timeout)
    return {}


def _administrator(array: Array, number: int) -> Administrator:
    administrator = array.administrators.get(number)
    if administrator is None:
        raise ElementError(GUESSED.unknown_administrator, f"ClusterAdminID {number} does not exist.")
    return administrator


RULES: Rules = {
    "AddClusterAdmin": add_cluster_admin,
    "GetCurrentClusterAdmin": get_current_cluster_admin,
    "GetLoginSessionInfo": get_login_session_info,
    "ListClusterAdmins": list_cluster_admins,
    "ModifyClusterAdmin": modify_cluster_admin,
    "RemoveClusterAdmin": remove_cluster_admin,
    "SetLoginSessionInfo": set_login_session_info,
}
