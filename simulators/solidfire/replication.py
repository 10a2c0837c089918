"""What flows between paired volumes: contents from the end that hosts may write to the end that is a target; snapshots.

It happens when either cluster is asked anything, so that nobody who looks finds less than the clock has brought.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from snapproof.simulators.blocks import BlockImage, BlockVolume
from snapproof.simulators.clock import seconds_of
from snapproof.simulators.solidfire import pairs, snapshots
from snapproof.simulators.solidfire.pair_records import Line, VolumeEnd
from snapproof.simulators.solidfire.plant import Fullness
from snapproof.simulators.solidfire.records import Access, Snapshot, Volume
from snapproof.simulators.solidfire.state import Change, State

MODES = ASYNC, SYNC, SNAPSHOTS_ONLY = ("Async", "Sync", "SnapshotsOnly")
ACTIVE, RESUMING = "Active", "ResumingDataTransfer"
PAUSED_MANUAL, PAUSED_MANUAL_REMOTE = "PausedManual", "PausedManualRemote"
PAUSED_MISCONFIGURED, PAUSED_DISCONNECTED = "PausedMisconfigured", "PausedDisconnected"
PAUSED_SIZES = "PausedVolumeSizeMismatch"
PRESENT, NOT_PRESENT, SYNCING, DELETED = "Present", "Not Present", "Syncing", "Deleted"
_PIECE_BYTES = 1 << 20


class _Side(NamedTuple):
    """One end with all that is behind it."""

    state: State
    end: VolumeEnd
    volume: Volume


def settle(state: State) -> None:
    """Let every pair of this cluster do what it can do now."""
    for end in list(state.pairing.ends.values()):
        here = _Side(state, end, state.volumes[end.volume_id])
        found = pairs.other_end(state, end)
        if found is None:
            _halt(here, PAUSED_MISCONFIGURED)
        else:
            peer, other = found
            _settle(here, _Side(peer, other, peer.volumes[other.volume_id]))


def _settle(here: _Side, there: _Side) -> None:
    there.end.line = here.end.line  # two, where one of the clusters was loaded from a dump
    for side, far in ((here, there), (there, here)):
        side.end.row.remote_volume_name = far.volume.row.name
        side.end.row.remote_replication.mode = side.end.line.mode
    obstacles = _obstacles(here, there)
    if obstacles:
        _halt(here, obstacles[0])
        _halt(there, obstacles[1])
        return
    source, target = (there, here) if _is_target(here.volume) else (here, there)
    _flow(source, target)


def _is_target(volume: Volume) -> bool:
    return volume.row.access == Access.REPLICATION_TARGET


def _obstacles(here: _Side, there: _Side) -> tuple[str, str] | None:
    """Say why nothing flows, as each end sees it."""
    if not (here.volume.active and there.volume.active) or _is_target(here.volume) == _is_target(there.volume):
        return PAUSED_MISCONFIGURED, PAUSED_MISCONFIGURED
    if not here.state.peers.connected(here.state.uuid, there.state.uuid):
        return PAUSED_DISCONNECTED, PAUSED_DISCONNECTED
    if here.end.paused or there.end.paused:
        words = {True: PAUSED_MANUAL, False: PAUSED_MANUAL_REMOTE}
        return words[here.end.paused], words[there.end.paused]
    if here.volume.row.total_size != there.volume.row.total_size:
        return PAUSED_SIZES, PAUSED_SIZES
    return None


def _halt(side: _Side, why: str) -> None:
    side.end.line.flowing = False
    side.end.line.since_s, side.end.line.polls = side.state.clock.time(), -1
    _show(side, why)


def _show(side: _Side, word: str) -> None:
    shown = side.end.row.remote_replication
    if shown.state != word:
        shown.state = word
        side.state.record(
            "replication state changed", cluster=side.state.name, volume_id=side.end.volume_id, state=word
        )


def _flow(source: _Side, target: _Side) -> None:
    line = source.end.line
    line.polls += 1
    due = _due(source.state, line, line.since_s)
    if not line.flowing and not due:
        for side in (source, target):
            _show(side, RESUMING if line.started else pairs.IDLE)
        return
    for side in (source, target):
        _show(side, ACTIVE)
    if line.mode != SNAPSHOTS_ONLY and (due or line.mode == SYNC):
        _ship(source, target)
    if due:
        line.since_s, line.polls = source.state.clock.time(), 0
    line.flowing = line.started = True
    _send_snapshots(source, target)


def _due(state: State, line: Line, since_s: float) -> bool:
    return state.transitions[Change.REPLICATION].finished(started_s=since_s, now_s=state.clock.time(), polls=line.polls)


def _ship(source: _Side, target: _Side) -> None:
    """Make the target equal to the source as it is now; costs as much as what changed on either side."""
    now = source.volume.disk.snapshot()
    length = _copy(now, target.volume.disk, source.end.image, target.end.image)
    for side, image in ((source, now), (target, target.volume.disk.snapshot())):
        if side.end.image:
            side.end.image.release()
        side.end.image = image
    if length:
        source.state.record(
            "replicated", cluster=source.state.name, volume_id=source.end.volume_id,
            peer=target.state.name, peer_volume_id=target.end.volume_id, size_bytes=length,
        )  # fmt: skip


def _copy(content: BlockImage, disk: BlockVolume, ours: BlockImage | None, theirs: BlockImage | None) -> int:
    """Write what differs; the images are what both held when they were equal last. Returns how much was written."""
    held = disk.snapshot()
    known = ours is not None and theirs is not None and ours.size_bytes == theirs.size_bytes == held.size_bytes
    changed = content.diff(ours) if known and ours else content.extents()
    strayed = held.diff(theirs) if known and theirs else held.extents()
    length = 0
    for offset, size in _pieces(chain(list(changed), list(strayed)), content.size_bytes):
        piece = content.read(offset, size)
        if piece != held.read(offset, size):
            disk.write(offset, piece)
            length += size
    held.release()
    return length


def _pieces(ranges: Iterator[tuple[int, int]], end: int) -> Iterator[tuple[int, int]]:
    for first, length in ranges:
        for offset in range(first, min(first + length, end), _PIECE_BYTES):
            yield offset, min(_PIECE_BYTES, first + length - offset, end - offset)


def _send_snapshots(source: _Side, target: _Side) -> None:
    """Send what is marked for it, and tell at each snapshot what has become of it over there."""
    arrived = {snapshot.row.snapshot_uuid for snapshot in target.volume.snapshots}
    for snapshot in source.volume.snapshots:
        if snapshot.row.enable_remote_replication:
            word = PRESENT if snapshot.row.snapshot_uuid in arrived else _sent(source, target, snapshot)
            shown = {"remoteStatus": word, "volumePairUUID": source.end.row.volume_pair_uuid}
            snapshot.remote_statuses = [shown]


def _sent(source: _Side, target: _Side, snapshot: Snapshot) -> str:
    if any(known["remoteStatus"] in {PRESENT, DELETED} for known in snapshot.row.remote_statuses):
        return DELETED
    state, line = source.state, source.end.line
    if line.mode != SYNC and not _due(state, line, seconds_of(snapshot.row.create_time)):
        return SYNCING
    full = len(target.volume.snapshots) >= target.state.limits["snapshotsPerVolumeMax"]
    if full or target.state.fullness >= Fullness.CRITICAL or snapshot.row.total_size != target.volume.row.total_size:
        return NOT_PRESENT
    _send(source, target, snapshot)
    return PRESENT


def _send(source: _Side, target: _Side, snapshot: Snapshot) -> None:
    """Make the snapshot anew over there, under the same UUID and with the same end."""
    base = target.volume.disk.snapshot()
    disk = base.clone()
    _copy(snapshot.image, disk, source.end.image, target.end.image)
    image, row = disk.snapshot(), snapshot.row
    order = snapshots.Order(
        name=row.name,
        attributes=dict(row.attributes),
        expires=row.expiration_time,
        expires_at_s=snapshot.expires_at_s,
        enable_remote_replication=True,
        snap_mirror_label=row.snap_mirror_label,
    )
    made = snapshots.take(target.state, target.volume, order, source=image)
    made.snapshot_uuid, made.create_time = row.snapshot_uuid, row.create_time
    for done in (image, base):
        done.release()
    disk.release()
    source.state.record(
        "snapshot replicated", cluster=source.state.name, snapshot_id=row.snapshot_id,
        peer=target.state.name, peer_snapshot_id=made.row.snapshot_id,
    )  # fmt: skip
