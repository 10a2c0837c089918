"""Group snapshots: snapshots of several volumes at one moment, all or none; create, list, modify, delete, roll back."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, group_snapshots, snapshots
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.methods.snapshots import mark, order_of, refuse_if_read
from snapproof.simulators.solidfire.methods.volumes import admit_bytes
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import GroupSnapshot, Snapshot
from snapproof.simulators.solidfire.snapshot_checks import admit_snapshots, end


def create_group_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Freeze several volumes as they are now."""
    members = checks.members_of_group_snapshot(array, given["volumes"])
    order = order_of(array, given)
    displaced = admit_snapshots(array, members, fifo=order.expires == snapshots.FIFO)
    group = snapshots.take_together(array, members, order, displaced=displaced)
    return _answer(array, group)


def _answer(array: Array, group: GroupSnapshot) -> Mapping[str, Any]:
    return {
        "groupSnapshot": _shown(array, group),
        "groupSnapshotID": group.group_snapshot_id,
        "members": [
            {
                "volumeID": member.volume_id,
                "snapshotID": member.snapshot_id,
                "snapshotUUID": member.snapshot_uuid,
                "checksum": member.checksum,
            }
            for member in _members(array, group)
        ],
    }


def _members(array: Array, group: GroupSnapshot) -> list[Snapshot]:
    return [array.snapshots[number] for number in group.members]


def _shown(array: Array, group: GroupSnapshot) -> Mapping[str, Any]:
    return {
        "groupSnapshotID": group.group_snapshot_id,
        "groupSnapshotUUID": group.uuid,
        "members": _members(array, group),
        "name": group.name,
        "createTime": group.create_time,
        "status": "done",
        "enableRemoteReplication": group.enable_remote_replication,
        "remoteStatuses": [],
        "attributes": group.attributes,
    }


def list_group_snapshots(array: Array, given: Given) -> Mapping[str, Any]:
    """List all group snapshots, one, or those with a member of one of these volumes."""
    if "groupSnapshotID" in given:
        found = [array.group_snapshot(given["groupSnapshotID"])]
    else:
        found = list(array.group_snapshots)
    if wanted := frozenset(given.get("volumes", ())):
        found = [group for group in found if any(member.volume_id in wanted for member in _members(array, group))]
    return {"groupSnapshots": [_shown(array, group) for group in found]}


def modify_group_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Change how long all members are kept, and their replication marks."""
    group = array.group_snapshot(given["groupSnapshotID"])
    until = end(array, given) if "expirationTime" in given else None
    for member in _members(array, group):
        mark(array, member, given, until)
    group.enable_remote_replication = given.get("enableRemoteReplication", group.enable_remote_replication)
    array.record("group snapshot modified", group_snapshot_id=group.group_snapshot_id, name=group.name)
    return {"groupSnapshot": _shown(array, group)}


def delete_group_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Delete a group with its members, none of which a clone job may read, or leave the members as they are."""
    group = array.group_snapshot(given["groupSnapshotID"])
    if given.get("saveMembers", False):
        group_snapshots.disband(array, group)
        return {}
    members = _members(array, group)
    for member in members:
        refuse_if_read(member)
    for member in members:
        snapshots.delete(array, member)
    return {}


def roll_back_to_group_snapshot(array: Array, given: Given) -> Mapping[str, Any]:
    """Put the volumes of all members back, keeping their present state as a new group snapshot when asked."""
    group = array.group_snapshot(given["groupSnapshotID"])
    members = _members(array, group)
    for member in members:
        checks.settled_volume(array, member.volume_id)
    name = checks.name_within(array, given.get("name", ""), "snapshotNameLengthMax")
    attributes = checks.attributes(given) or {}
    admit_bytes(array, sum(member.total_size - member.volume.total_size for member in members))
    saved = None
    if given.get("saveCurrentState", False):
        sources = [member.volume for member in members]
        displaced = admit_snapshots(array, sources)
        if any(member in displaced for member in members):
            raise ElementError("xMaxSnapshotsPerVolumeExceeded")
        order = snapshots.Order(name=name or snapshots.copy_name(array, group.name), attributes=attributes)
        saved = snapshots.take_together(array, sources, order, displaced=displaced)
    for member in members:
        snapshots.roll_back(array, member.volume, member)
    return _answer(array, saved) if saved else {}


RULES: Rules = {
    "CreateGroupSnapshot": create_group_snapshot,
    "ListGroupSnapshots": list_group_snapshots,
    "ModifyGroupSnapshot": modify_group_snapshot,
    "DeleteGroupSnapshot": delete_group_snapshot,
    "RollbackToGroupSnapshot": roll_back_to_group_snapshot,
}
