"""Pairing: clusters with clusters, volumes with volumes, and what may be changed of a pair."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, pairs, replication
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.pair_records import ClusterPair, VolumeEnd
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Volume
from snapproof.simulators.solidfire.state import State


def start_cluster_pairing(array: Array, _given: Given) -> Mapping[str, Any]:
    """Offer to pair; the key is for the other cluster."""
    _admit_cluster_pair(array)
    pair, key = pairs.offer_cluster(array)
    return {"clusterPairingKey": key, "clusterPairID": pair.row.cluster_pair_id}


def _admit_cluster_pair(array: Array) -> None:
    if len(array.pairing.clusters) >= array.limits["clusterPairsCountMax"]:
        most = array.limits["clusterPairsCountMax"]
        raise ElementError(GUESSED.too_many, f"A cluster has at most {most} cluster pairs, offered ones included.")


def complete_cluster_pairing(array: Array, given: Given) -> Mapping[str, Any]:
    """Pair with the cluster that wrote the key."""
    key = pairs.read(given["clusterPairingKey"], pairs.ClusterKey)
    if key.cluster_uuid == array.uuid:
        raise pairs.invalid_key()
    if pairs.with_cluster(array, key.cluster_uuid):
        raise ElementError("xPairingAlreadyExists")
    peer = array.peers.find(key.cluster_uuid)
    offer = pairs.by_uuid(peer, key.cluster_pair_uuid) if peer else None
    if peer and (offer is None or not offer.offered):
        raise pairs.invalid_key()
    if peer and pairs.with_cluster(peer, array.uuid):
        raise ElementError("xPairingAlreadyExists")
    _admit_cluster_pair(array)
    return {"clusterPairID": pairs.complete_clusters(array, key, peer, offer).row.cluster_pair_id}


def list_cluster_pairs(array: Array, _given: Given) -> Mapping[str, Any]:
    """List the pairs, each as it is doing now."""
    for pair in array.pairing.clusters:
        pair.row.status = pairs.standing(array, pair)
        pair.row.latency = array.peers.latency_ms if pair.row.status == pairs.CONNECTED else 0
    return {"clusterPairs": [pair.row for pair in array.pairing.clusters]}


def remove_cluster_pair(array: Array, given: Given) -> Mapping[str, Any]:
    """Give up a pair of clusters on this side, once no volume lives by it."""
    pair = array.pairing.clusters.get(given["clusterPairID"])
    if pair is None:
        raise ElementError(GUESSED.unknown_cluster_pair, f"ClusterPairID {given['clusterPairID']} does not exist.")
    if any(end.row.cluster_pair_id == pair.row.cluster_pair_id for end in array.pairing.ends.values()):
        raise ElementError(
            GUESSED.cluster_pair_in_use,
            f"Volumes are paired over ClusterPairID {pair.row.cluster_pair_id}; remove their pairs first.",
        )
    pairs.remove_clusters(array, pair)
    return {}


def start_volume_pairing(array: Array, given: Given) -> Mapping[str, Any]:
    """Offer a volume; the key is for the volume on the other cluster."""
    volume = checks.settled_volume(array, given["volumeID"])
    mode = _mode(given, replication.ASYNC)
    _refuse_paired(array, volume)
    return {"volumePairingKey": pairs.offer_volume(array, volume, mode)}


def _mode(given: Given, unless_given: str) -> str:
    """Read a mode in any case: Cinder writes Async, Ansible's collection async."""
    word: str = given.get("mode", unless_given)
    known = {mode.lower(): mode for mode in replication.MODES}
    return checks.one_of(known.get(word.lower(), word), replication.MODES)


def _refuse_paired(state: State, volume: Volume) -> None:
    if volume.row.volume_id in state.pairing.ends:
        raise ElementError("xPairingAlreadyExists", f"VolumeID {volume.row.volume_id} is paired already.")


def complete_volume_pairing(array: Array, given: Given) -> Mapping[str, Any]:
    """Pair a volume with the one whose key this is, of its size. Which one is the target may be said later."""
    volume = checks.settled_volume(array, given["volumeID"])
    key = pairs.read(given["volumePairingKey"], pairs.VolumeKey)
    pair = pairs.with_cluster(array, key.cluster_uuid)
    if pair is None or pairs.standing(array, pair) != pairs.CONNECTED:
        raise ElementError("xMVIPNotPaired")
    _refuse_paired(array, volume)
    peer = _peer(array, pair)
    offer = peer.pairing.offers.get(key.volume_id)
    if offer is None or offer.volume_pair_uuid != key.volume_pair_uuid:
        raise pairs.invalid_key()
    _match(volume, checks.settled_volume(peer, offer.volume_id))
    pairs.complete_volumes(array, volume, peer, offer)
    return {}


def _peer(array: Array, pair: ClusterPair) -> State:
    peer = array.peers.find(pair.row.cluster_uuid or "")
    assert peer is not None, "a connected pair has a peer"
    return peer


def _match(volume: Volume, offered: Volume) -> None:
    if volume.row.total_size != offered.row.total_size:
        raise ElementError(
            GUESSED.unlike_volumes,
            f"VolumeID {volume.row.volume_id} has {volume.row.total_size} bytes, the other {offered.row.total_size}.",
        )


def _end(array: Array, volume_id: int) -> VolumeEnd:
    checks.active_volume(array, volume_id)
    end = array.pairing.ends.get(volume_id)
    if end is None:
        raise ElementError("xVolumeNotPaired")
    return end


def modify_volume_pair(array: Array, given: Given) -> Mapping[str, Any]:
    """Pause or resume from this end, or change how the pair replicates."""
    end = _end(array, given["volumeID"])
    mode = _mode(given, end.line.mode)
    pause_limit = given.get("pauseLimit", end.row.remote_replication.pause_limit)
    if pause_limit < 0:
        raise ElementError(GUESSED.bad_value, "pauseLimit must not be negative.")
    end.row.remote_replication.pause_limit = pause_limit
    end.paused = given.get("pausedManual", end.paused)
    end.line.mode = mode
    array.record(
        "volume pair modified", cluster=array.name, volume_id=end.volume_id, mode=mode,
        paused=end.paused, pause_limit=pause_limit,
    )  # fmt: skip
    array.settle()
    return {}


def remove_volume_pair(array: Array, given: Given) -> Mapping[str, Any]:
    """Give up a volume's pair on this side; a volume without one is left alone."""
    pairs.remove_volumes(array, array.volume(given["volumeID"]))
    return {}


def list_active_paired_volumes(array: Array, given: Given) -> Mapping[str, Any]:
    """List the active volumes that have a pair."""
    found = (volume for volume in checks.listed(array.volumes, given, "startVolumeID") if volume.row.volume_pairs)
    return {"volumes": checks.limited((volume.row for volume in found if volume.active), given)}


RULES: Rules = {
    "StartClusterPairing": start_cluster_pairing,
    "CompleteClusterPairing": complete_cluster_pairing,
    "ListClusterPairs": list_cluster_pairs,
    "RemoveClusterPair": remove_cluster_pair,
    "StartVolumePairing": start_volume_pairing,
    "CompleteVolumePairing": complete_volume_pairing,
    "ModifyVolumePair": modify_volume_pair,
    "RemoveVolumePair": remove_volume_pair,
    "ListActivePairedVolumes": list_active_paired_volumes,
}
