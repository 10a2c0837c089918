"""Which snapshots belong together: groups of them, made at one moment, that lose members and end with the last one.

Nothing is checked here: the methods did that. Freezing and rolling back the members is the business of snapshots.py.
"""

from typing import Any

from snapproof.simulators.solidfire.records import NO_GROUP, GroupSnapshot, Snapshot
from snapproof.simulators.solidfire.state import Numbered, State


def create(
    state: State, *, name: str, create_time: str, enable_remote_replication: bool, attributes: dict[str, Any]
) -> GroupSnapshot:
    """Add a group without members."""
    number = state.next_number(Numbered.GROUP_SNAPSHOT)
    group = GroupSnapshot(
        group_snapshot_id=number,
        uuid=state.identity.uuid_of("group snapshot", number),
        name=name,
        create_time=create_time,
        enable_remote_replication=enable_remote_replication,
        attributes=attributes,
        members=[],
    )
    state.group_snapshots.put(number, group)
    state.record("group snapshot created", group_snapshot_id=number, name=name)
    return group


def join(group: GroupSnapshot, snapshot: Snapshot) -> None:
    """Make a new snapshot a member."""
    group.members.append(snapshot.snapshot_id)
    snapshot.group_id, snapshot.group_snapshot_uuid = group.group_snapshot_id, group.uuid


def leave(state: State, snapshot: Snapshot) -> None:
    """A snapshot is being removed: its group, if any, goes on without it, or ends."""
    group = state.group_snapshots.get(snapshot.group_id)
    if group is None:
        return
    group.members.remove(snapshot.snapshot_id)
    if not group.members:
        disband(state, group)


def disband(state: State, group: GroupSnapshot) -> None:
    """Remove a group; the members that it still has stay, each for itself."""
    for number in group.members:
        snapshot = state.snapshots[number]
        snapshot.group_id, snapshot.group_snapshot_uuid = 0, NO_GROUP
    state.group_snapshots.drop(group.group_snapshot_id)
    state.record("group snapshot deleted", group_snapshot_id=group.group_snapshot_id, name=group.name)
