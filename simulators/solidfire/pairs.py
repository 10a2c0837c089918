"""Pairs of clusters and pairs of volumes: offered by a key, made, looked at from either end, given up.

Nothing is checked here but the keys: the methods do the rest. What flows between paired volumes is in replication.py.
"""

from typing import TypeVar

import msgspec

from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.pair_records import ClusterPair, ClusterPairRow, Line, Offer, VolumeEnd
from snapproof.simulators.solidfire.records import (
    RemoteReplication,
    SnapshotReplication,
    Volume,
    VolumePairRow,
)
from snapproof.simulators.solidfire.state import Numbered, State
from snapproof.simulators.solidfire.versions import SOFTWARE

PAUSE_LIMIT_BYTES = 3_145_728_000
CONNECTED, MISCONFIGURED, DISCONNECTED = "Connected", "Misconfigured", "Disconnected"
IDLE = "Idle"


class ClusterKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What the key of a cluster says."""

    cluster_pair_uuid: str
    cluster_uuid: str
    name: str
    mvip: str
    version: str


class VolumeKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """What the key of a volume says."""

    volume_pair_uuid: str
    cluster_uuid: str
    volume_id: int


Key = TypeVar("Key", ClusterKey, VolumeKey)


def written(key: ClusterKey | VolumeKey) -> str:
    """Write a key as clients carry it: hexadecimal and opaque."""
    return msgspec.json.encode(key).hex()


def read(text: str, kind: type[Key]) -> Key:
    """Read a key. Raises ElementError for what no cluster has written."""
    try:
        return msgspec.json.decode(bytes.fromhex(text), type=kind)
    except (ValueError, msgspec.DecodeError):
        raise invalid_key() from None


def invalid_key() -> ElementError:
    """Refuse a key that is none, is used up, or was taken back."""
    return ElementError("xInvalidPairingKey")


def offer_cluster(state: State) -> tuple[ClusterPair, str]:
    """Begin a pair of clusters and write the key that the other one completes it with."""
    pair = _add(state, ClusterPairRow(cluster_pair_id=0, cluster_pair_uuid=state.new_uuid()), offered=True)
    state.record("cluster pairing started", cluster=state.name, cluster_pair_id=pair.row.cluster_pair_id)
    key = ClusterKey(
        cluster_pair_uuid=pair.row.cluster_pair_uuid,
        cluster_uuid=state.uuid,
        name=state.name,
        mvip=state.mvip,
        version=SOFTWARE,
    )
    return pair, written(key)


def complete_clusters(state: State, key: ClusterKey, peer: State | None, offer: ClusterPair | None) -> ClusterPair:
    """Make the pair that `key` offers; without a peer, one that leads nowhere."""
    row = ClusterPairRow(
        cluster_name=key.name,
        cluster_pair_id=0,
        cluster_pair_uuid=key.cluster_pair_uuid,
        cluster_uuid=key.cluster_uuid,
        mvip=key.mvip,
        version=key.version,
    )
    pair = _add(state, row, offered=False)
    if peer and offer:
        offer.offered = False
        offer.row.cluster_name, offer.row.cluster_uuid = state.name, state.uuid
        offer.row.mvip, offer.row.version = state.mvip, SOFTWARE
    state.record("clusters paired", cluster=state.name, cluster_pair_id=pair.row.cluster_pair_id, peer=key.name)
    return pair


def _add(state: State, row: ClusterPairRow, *, offered: bool) -> ClusterPair:
    row.cluster_pair_id = state.next_number(Numbered.CLUSTER_PAIR)
    pair = ClusterPair(row=row, offered=offered)
    state.pairing.clusters.put(row.cluster_pair_id, pair)
    return pair


def remove_clusters(state: State, pair: ClusterPair) -> None:
    """Give up a pair of clusters on this side; the other side finds out."""
    state.pairing.clusters.drop(pair.row.cluster_pair_id)
    state.record("cluster pair removed", cluster=state.name, cluster_pair_id=pair.row.cluster_pair_id)


def with_cluster(state: State, uuid: str) -> ClusterPair | None:
    """Find the pair with this cluster."""
    return next((pair for pair in state.pairing.clusters if pair.row.cluster_uuid == uuid), None)


def by_uuid(state: State, uuid: str) -> ClusterPair | None:
    """Find a pair of clusters by what both sides call it."""
    return next((pair for pair in state.pairing.clusters if pair.row.cluster_pair_uuid == uuid), None)


def standing(state: State, pair: ClusterPair) -> str:
    """Say how a pair of clusters is doing now."""
    peer = state.peers.find(pair.row.cluster_uuid) if pair.row.cluster_uuid else None
    if peer is None or by_uuid(peer, pair.row.cluster_pair_uuid) is None:
        return MISCONFIGURED
    return CONNECTED if state.peers.connected(state.uuid, peer.uuid) else DISCONNECTED


def offer_volume(state: State, volume: Volume, mode: str) -> str:
    """Begin a pair of volumes and write the key that the other one completes it with; an earlier key is void."""
    volume_id = volume.row.volume_id
    offer = Offer(volume_pair_uuid=state.new_uuid(), volume_id=volume_id, mode=mode)
    state.pairing.offers[volume_id] = offer
    state.record("volume pairing started", cluster=state.name, volume_id=volume_id, mode=mode)
    return written(VolumeKey(volume_pair_uuid=offer.volume_pair_uuid, cluster_uuid=state.uuid, volume_id=volume_id))


def complete_volumes(state: State, volume: Volume, peer: State, offer: Offer) -> None:
    """Make the pair of `volume` with the one that was offered."""
    del peer.pairing.offers[offer.volume_id]
    state.pairing.offers.pop(volume.row.volume_id, None)
    line = Line(mode=offer.mode, since_s=state.clock.time())
    offered = peer.volumes[offer.volume_id]
    _attach(state, volume, peer, offered, offer, line)
    _attach(peer, offered, state, volume, offer, line)
    state.record(
        "volumes paired", cluster=state.name, volume_id=volume.row.volume_id, mode=offer.mode,
        peer=peer.name, peer_volume_id=offer.volume_id,
    )  # fmt: skip


def _attach(state: State, volume: Volume, peer: State, other: Volume, offer: Offer, line: Line) -> None:
    pair = with_cluster(state, peer.uuid)
    assert pair is not None, "the method made sure that the clusters are paired"
    row = VolumePairRow(
        cluster_pair_id=pair.row.cluster_pair_id,
        remote_volume_id=other.row.volume_id,
        remote_slice_id=other.row.volume_id,
        remote_volume_name=other.row.name,
        volume_pair_uuid=offer.volume_pair_uuid,
        remote_replication=RemoteReplication(
            mode=offer.mode,
            pause_limit=PAUSE_LIMIT_BYTES,
            remote_service_id=1,
            snapshot_replication=SnapshotReplication(),
            state=IDLE,
        ),
    )
    volume_id = volume.row.volume_id
    state.pairing.ends[volume_id] = VolumeEnd(row=row, volume_id=volume_id, cluster_uuid=peer.uuid, line=line)
    volume.row.volume_pairs = [row]


def other_end(state: State, end: VolumeEnd) -> tuple[State, VolumeEnd] | None:
    """Find the cluster and the end on the other side, if both are still there."""
    peer = state.peers.find(end.cluster_uuid)
    other = peer.pairing.ends.get(end.row.remote_volume_id) if peer else None
    if peer is None or other is None or other.row.volume_pair_uuid != end.row.volume_pair_uuid:
        return None
    return peer, other


def inventory(state: State) -> list[str]:
    """Name every pair."""
    lines = [f"cluster pair {p.row.cluster_pair_id} {p.row.cluster_name or 'offered'}" for p in state.pairing.clusters]
    return lines + [
        f"volume pair of volume {end.volume_id} with volume {end.row.remote_volume_id} over"
        f" cluster pair {end.row.cluster_pair_id}"
        for end in state.pairing.ends.values()
    ]


def remove_volumes(state: State, volume: Volume) -> None:
    """Give up a volume's pair or offer on this side, if it has one; the other side finds out."""
    volume_id = volume.row.volume_id
    state.pairing.offers.pop(volume_id, None)
    end = state.pairing.ends.pop(volume_id, None)
    if end is None:
        return
    if end.image:
        end.image.release()
    volume.row.volume_pairs = []
    state.record("volume pair removed", cluster=state.name, volume_id=volume_id)
