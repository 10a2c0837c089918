"""The life of snapshots: taken, kept for a while, rolled back to, deleted.

Nothing is checked here: the methods did that, and snapshot_checks.py.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from snapproof.simulators.blocks import BlockImage
from snapproof.simulators.solidfire import group_snapshots, volumes
from snapproof.simulators.solidfire.records import GroupSnapshot, Snapshot, Volume
from snapproof.simulators.solidfire.state import Numbered, State

FIFO = "fifo"


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a new snapshot is to be like. `expires` is what the API shows: a time, `fifo` or None."""

    name: str
    attributes: dict[str, Any]
    expires: str | None = None
    expires_at_s: float | None = None
    enable_remote_replication: bool = False
    snap_mirror_label: str | None = None
    create_time: str = ""
    """When it was due, for one that a schedule takes; otherwise it is taken now."""


def take(state: State, volume: Volume, order: Order, *, source: BlockImage | None = None) -> Snapshot:
    """Freeze the volume as it is now, or keep the content of an image, which stays the caller's."""
    snapshot = Snapshot(
        snapshot_id=state.next_number(Numbered.SNAPSHOT),
        name=order.name,
        create_time=order.create_time or state.stamp(),
        volume=volume,
        image=volume.disk.snapshot() if source is None else _another(source),
    )
    _mark(snapshot, order)
    volume.snapshots = (*volume.snapshots, snapshot)
    state.snapshots.put(snapshot.snapshot_id, snapshot)
    state.frozen_blocks += snapshot.image.mapped_blocks
    if order.expires_at_s is not None:
        snapshot.expires_at_s = order.expires_at_s
        state.remind(order.expires_at_s, snapshot_id=snapshot.snapshot_id)
    state.record("snapshot created", snapshot_id=snapshot.snapshot_id, volume_id=volume.volume_id, name=snapshot.name)
    return snapshot


def _mark(snapshot: Snapshot, order: Order) -> None:
    """Give it what most snapshots do not have."""
    if order.expires is not None:
        snapshot.expiration_reason, snapshot.expiration_time = _reason(order.expires), order.expires
    if order.enable_remote_replication:
        snapshot.enable_remote_replication = True
    if order.attributes:
        snapshot.attributes = order.attributes
    if order.snap_mirror_label is not None:
        snapshot.snap_mirror_label = order.snap_mirror_label


def take_together(
    state: State, members: Sequence[Volume], order: Order, *, displaced: Iterable[Snapshot] = ()
) -> GroupSnapshot:
    """Freeze several volumes as one group, then let go of the snapshots that have to give way."""
    group = group_snapshots.create(
        state,
        name=order.name,
        create_time=order.create_time or state.stamp(),
        enable_remote_replication=order.enable_remote_replication,
        attributes=order.attributes,
    )
    for volume in members:
        group_snapshots.join(group, take(state, volume, order))
    for snapshot in displaced:
        delete(state, snapshot, event="snapshot displaced")
    return group


def copy_name(state: State, name: str) -> str:
    """Name the snapshot that keeps what a rollback replaces."""
    return name[: state.limits["snapshotNameLengthMax"] - 5] + "-copy"


def _reason(expires: str | None) -> str:
    if expires is None:
        return "None"
    return "Fifo" if expires == FIFO else "Api"


def _another(image: BlockImage) -> BlockImage:
    copy = image.clone()
    again = copy.snapshot()
    copy.release()
    return again


def keep_until(state: State, snapshot: Snapshot, *, expires: str | None, expires_at_s: float | None) -> None:
    """Give a snapshot another end."""
    snapshot.row.expiration_time = expires
    snapshot.row.expiration_reason = _reason(expires)
    snapshot.expires_at_s = expires_at_s
    if expires_at_s is not None:
        state.remind(expires_at_s, snapshot_id=snapshot.row.snapshot_id)


def delete(state: State, snapshot: Snapshot, *, event: str = "snapshot deleted") -> None:
    """Remove a snapshot and let go of what it froze."""
    row = snapshot.row
    group_snapshots.leave(state, snapshot)
    state.snapshots.drop(row.snapshot_id)
    volume = snapshot.volume
    volume.snapshots = tuple(kept for kept in volume.snapshots if kept is not snapshot)
    state.frozen_blocks -= snapshot.image.mapped_blocks
    snapshot.image.release()
    state.record(event, snapshot_id=row.snapshot_id, volume_id=row.volume_id, name=row.name)


def roll_back(state: State, volume: Volume, snapshot: Snapshot) -> None:
    """Replace the contents and the size of the volume by what the snapshot froze; the snapshot stays."""
    volumes.resize(state, volume, snapshot.total_size)
    volume.disk.restore(snapshot.image)
    state.record("rolled back", volume_id=volume.row.volume_id, snapshot_id=snapshot.row.snapshot_id)


def oldest_fifo(volume: Volume) -> tuple[int, Snapshot | None]:
    """Count the volume's FIFO snapshots and find the oldest that no clone job reads."""
    pool = [snapshot for snapshot in volume.snapshots if snapshot.row.expiration_time == FIFO]
    return len(pool), next((snapshot for snapshot in pool if not snapshot.clone_jobs), None)
