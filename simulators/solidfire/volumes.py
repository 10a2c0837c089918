"""The life of volumes: created, resized, shut, deleted, restored, purged.

Nothing is checked here: the methods did that, so that a refused call has changed nothing.
"""

from typing import Any

import msgspec

from snapproof.simulators.blocks import BlockVolume
from snapproof.simulators.clock import iso
from snapproof.simulators.solidfire import group_snapshots, groups, hosts, pairs, qos_policies
from snapproof.simulators.solidfire.limits import PURGE_AFTER_S, SIZE_STEP_BYTES
from snapproof.simulators.solidfire.records import Access, QoS, QoSPolicy, Status, Volume
from snapproof.simulators.solidfire.state import Numbered, State

CLOSED_TO_HOSTS = frozenset({Access.LOCKED, Access.REPLICATION_TARGET})


class Order(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a new volume is to be like."""

    name: str
    account_id: int
    size_bytes: int
    qos: QoS
    attributes: dict[str, Any]
    access: str = Access.READ_WRITE
    enable_512e: bool = False
    enable_snap_mirror: bool = False
    protection_scheme: str = "doubleHelix"
    fifo_size: int
    min_fifo_size: int
    policy: QoSPolicy | None = None


def rounded(size_bytes: int) -> int:
    """Round a size up to what the cluster allocates."""
    return -(-size_bytes // SIZE_STEP_BYTES) * SIZE_STEP_BYTES


def create(state: State, order: Order, disk: BlockVolume) -> Volume:
    """Add a volume with these contents, which must have the size that was ordered."""
    volume = _volume(state, order, disk)
    volume_id = volume.volume_id
    state.volumes.put(volume_id, volume)
    _enlist(state, volume, order.account_id)
    qos_policies.follow(state, volume, order.policy)
    state.provisioned_bytes += order.size_bytes
    state.record(
        "volume created", volume_id=volume_id, name=order.name, account_id=order.account_id, size_bytes=order.size_bytes
    )
    return volume


def _volume(state: State, order: Order, disk: BlockVolume) -> Volume:
    volume = Volume(
        volume_id=state.next_number(Numbered.VOLUME),
        name=order.name,
        account_id=order.account_id,
        create_time=state.stamp(),
        qos=order.qos,
        disk=disk,
        identity=state.identity,
    )
    volume.access = order.access
    volume.enable_512e = order.enable_512e
    volume.enable_snap_mirror_replication = order.enable_snap_mirror
    volume.attributes = order.attributes
    volume.current_protection_scheme = order.protection_scheme
    volume.fifo_size, volume.min_fifo_size = order.fifo_size, order.min_fifo_size
    return volume


def hand_over(state: State, volume: Volume, account_id: int) -> None:
    """Move a volume to another account."""
    _delist(state, volume)
    volume.row.account_id = account_id
    _enlist(state, volume, account_id)
    hosts.drop_where(
        state,
        volume,
        lambda opening: opening.account_id not in {0, account_id},
        f"volume {volume.volume_id} went to another account",
    )


def _enlist(state: State, volume: Volume, account_id: int) -> None:
    account = state.accounts[account_id]
    account.volumes.put(volume.row.volume_id)


def _delist(state: State, volume: Volume) -> None:
    account = state.accounts[volume.row.account_id]
    account.volumes.drop(volume.row.volume_id)


def resize(state: State, volume: Volume, size_bytes: int) -> None:
    """Give a volume another size."""
    if volume.total_size != size_bytes:
        state.provisioned_bytes += size_bytes - volume.total_size
        volume.disk.resize(size_bytes)


def drop_sessions(state: State, volume: Volume, reason: str) -> None:
    """Cut every host off."""
    hosts.drop_where(state, volume, lambda _opening: True, reason)


def delete(state: State, volume: Volume) -> None:
    """Delete a volume for now: hosts lose it at once, snapshots stay, the purge comes later."""
    row = volume.row
    now_s = state.clock.time()
    row.status = Status.DELETED.value
    row.delete_time = state.stamp()
    volume.purge_at_s = now_s + PURGE_AFTER_S
    row.purge_time = iso(volume.purge_at_s)
    drop_sessions(state, volume, f"volume {row.volume_id} was deleted")
    groups.bury(state, volume)
    state.remind(volume.purge_at_s, volume_id=row.volume_id)
    state.record("volume deleted", volume_id=row.volume_id, name=row.name)


def restore(state: State, volume: Volume) -> None:
    """Bring a deleted volume back, into the access groups that remember it."""
    row = volume.row
    row.status = Status.ACTIVE.value
    row.delete_time = row.purge_time = ""
    volume.purge_at_s = 0.0
    groups.unbury(state, volume)
    state.record("volume restored", volume_id=row.volume_id, name=row.name)


def purge(state: State, volume: Volume) -> None:
    """Remove a volume for good, with its snapshots and contents."""
    row = volume.row
    drop_sessions(state, volume, f"volume {row.volume_id} was purged")
    for snapshot in volume.snapshots:
        group_snapshots.leave(state, snapshot)
        state.snapshots.drop(snapshot.row.snapshot_id)
        state.frozen_blocks -= snapshot.image.mapped_blocks
        snapshot.image.release()
    groups.forget(state, volume)
    pairs.remove_volumes(state, volume)
    qos_policies.follow(state, volume, None)
    _delist(state, volume)
    state.volumes.drop(row.volume_id)
    state.provisioned_bytes -= row.total_size
    volume.disk.release()
    state.record("volume purged", volume_id=row.volume_id, name=row.name, snapshots=len(volume.snapshots))
    volume.snapshots = ()
