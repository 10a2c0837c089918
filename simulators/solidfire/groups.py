"""Volume access groups: which initiators reach which volumes under which LUN, and what a deleted volume leaves behind.

Nothing is checked here: the methods did that.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import Any

from snapproof.simulators.solidfire import hosts, initiators
from snapproof.simulators.solidfire.records import GroupRow, Luns, Volume
from snapproof.simulators.solidfire.state import Numbered, State


def create(state: State, *, name: str, attributes: dict[str, Any]) -> GroupRow:
    """Add an empty group."""
    group = GroupRow(
        volume_access_group_id=state.next_number(Numbered.GROUP),
        name=name,
        initiator_ids=[],
        initiators=[],
        volumes=[],
        deleted_volumes=[],
        attributes=attributes,
    )
    state.groups.put(group.volume_access_group_id, group)
    state.luns.put(group.volume_access_group_id, Luns(assigned={}, deleted={}))
    state.record("access group created", group_id=group.volume_access_group_id, name=name)
    return group


def delete(state: State, group: GroupRow, *, keep_orphans: bool = False) -> None:
    """Remove a group: its initiators lose its volumes."""
    group_id = group.volume_access_group_id
    remove_volumes(state, group, [*group.volumes, *group.deleted_volumes])
    remove_initiators(state, group, list(group.initiators), keep_orphans=keep_orphans)
    state.groups.drop(group_id)
    state.luns.drop(group_id)
    state.record("access group deleted", group_id=group_id, name=group.name)


def add_volumes(state: State, group: GroupRow, volume_ids: Iterable[int]) -> None:
    """Let the group's initiators reach these active volumes."""
    group_id = group.volume_access_group_id
    luns = state.luns[group_id]
    for volume_id in volume_ids:
        luns.assigned[volume_id] = _free_lun(luns)
        insort(group.volumes, volume_id)
        insort(state.volumes[volume_id].row.volume_access_groups, group_id)
        state.record("access granted", group_id=group_id, volume_id=volume_id)


def remove_volumes(state: State, group: GroupRow, volume_ids: Iterable[int]) -> None:
    """Take volumes, deleted ones included, out of the group; sessions that lived by it are dropped."""
    group_id = group.volume_access_group_id
    luns = state.luns[group_id]
    for volume_id in volume_ids:
        luns.assigned.pop(volume_id, None)
        luns.deleted.pop(volume_id, None)
        if _discard(group.deleted_volumes, volume_id):
            continue
        _discard(group.volumes, volume_id)
        volume = state.volumes[volume_id]
        _discard(volume.row.volume_access_groups, group_id)
        _drop_strangers(state, volume)
        state.record("access revoked", group_id=group_id, volume_id=volume_id)


def _free_lun(luns: Luns) -> int:
    taken = {*luns.assigned.values(), *luns.deleted.values()}
    return next(lun for lun in range(len(taken) + 1) if lun not in taken)


def assign_luns(state: State, group: GroupRow, wanted: Mapping[int, int]) -> None:
    """Show volumes of the group under other numbers; a deleted volume keeps the number that it had."""
    group_id = group.volume_access_group_id
    for volume_id, lun in wanted.items():
        state.luns[group_id].assigned[volume_id] = lun
        state.record("lun assigned", group_id=group_id, volume_id=volume_id, lun=lun)


def add_initiators(state: State, group: GroupRow, names: Iterable[str]) -> None:
    """Let these hosts reach the group's volumes; names that are new become known."""
    group_id = group.volume_access_group_id
    for name in names:
        initiator = state.initiator_named(name) or initiators.create(state, name)
        initiator.volume_access_groups.append(group_id)
        group.initiators.append(name)
        group.initiator_ids.append(initiator.initiator_id)
        state.record("initiator added", group_id=group_id, initiator=name)


def remove_initiators(state: State, group: GroupRow, names: Iterable[str], *, keep_orphans: bool = False) -> None:
    """Take hosts out of the group; those in no group any more are forgotten unless asked otherwise."""
    group_id = group.volume_access_group_id
    for name in names:
        initiator = state.initiators[state.initiator_ids[name]]
        initiator.volume_access_groups.remove(group_id)
        group.initiators.remove(name)
        group.initiator_ids.remove(initiator.initiator_id)
        state.record("initiator removed", group_id=group_id, initiator=name)
        if not initiator.volume_access_groups and not keep_orphans:
            initiators.forget(state, initiator)
    for volume_id in group.volumes:
        _drop_strangers(state, state.volumes[volume_id])


def reaches(state: State, initiator: str, volume: Volume) -> bool:
    """Say whether some group holds both the initiator (in lower case) and the volume."""
    known = state.initiator_named(initiator)
    return known is not None and not set(known.volume_access_groups).isdisjoint(volume.row.volume_access_groups)


def bury(state: State, volume: Volume) -> None:
    """A volume was deleted: its groups remember it among their deleted ones."""
    for group_id in volume.row.volume_access_groups:
        group, luns = state.groups[group_id], state.luns[group_id]
        _discard(group.volumes, volume.row.volume_id)
        insort(group.deleted_volumes, volume.row.volume_id)
        luns.deleted[volume.row.volume_id] = luns.assigned.pop(volume.row.volume_id)
    volume.buried_in = volume.row.volume_access_groups
    volume.row.volume_access_groups = []


def unbury(state: State, volume: Volume) -> None:
    """A volume was restored: the groups that still remember it take it back."""
    for group_id in volume.buried_in:
        group = state.groups.get(group_id)
        if group and _discard(group.deleted_volumes, volume.row.volume_id):
            luns = state.luns[group_id]
            luns.assigned[volume.row.volume_id] = luns.deleted.pop(volume.row.volume_id)
            insort(group.volumes, volume.row.volume_id)
            volume.row.volume_access_groups.append(group_id)
    volume.buried_in = []


def forget(state: State, volume: Volume) -> None:
    """A volume is being purged: no group knows it any more."""
    volume_id = volume.row.volume_id
    for group_id in (*volume.row.volume_access_groups, *volume.buried_in):
        if group := state.groups.get(group_id):
            _discard(group.volumes, volume_id)
            _discard(group.deleted_volumes, volume_id)
            state.luns[group_id].assigned.pop(volume_id, None)
            state.luns[group_id].deleted.pop(volume_id, None)


def _drop_strangers(state: State, volume: Volume) -> None:
    hosts.drop_where(
        state,
        volume,
        lambda opening: not opening.account_id and not reaches(state, opening.initiator, volume),
        f"no access group leads to volume {volume.row.volume_id} any more",
    )


def _discard(numbers: list[int], number: int) -> bool:
    position = bisect_left(numbers, number)
    if position == len(numbers) or numbers[position] != number:
        return False
    del numbers[position]
    return True
