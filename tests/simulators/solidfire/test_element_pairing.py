"""Two clusters that pair, volumes that follow one another, and what is left when one of them is lost."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.fabric import LoginRefusedError
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.peers import Peers

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:host1"


@dataclass
class Site:
    """Clusters at one clock that can reach one another."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    peers: Peers[Array] = field(default_factory=Peers)

    def __post_init__(self) -> None:
        self.journal = Journal(self.clock.time)

    def cluster(self, number: int, *, peers: Peers[Array] | None = None) -> Array:
        """Build one more cluster, of this site unless it is given other peers."""
        array = Array(
            clock=self.clock,
            journal=self.journal,
            blocks=BlockStore(),
            dice=random.Random(number),
            name=f"cluster-{number}",
            mvip=f"192.0.2.{number}",
            replication_time=Transition(seconds=10),
            peers=peers or self.peers,
        )
        call(array, "AddAccount", username="tenant")
        return array


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def two(site: Site) -> tuple[Array, Array]:
    """Two clusters that know nothing of each other yet."""
    return site.cluster(1), site.cluster(2)


@pytest.fixture
def paired(two: tuple[Array, Array]) -> tuple[Array, Array]:
    pair_clusters(*two)
    return two


def pair_clusters(one: Array, other: Array) -> None:
    key = call(one, "StartClusterPairing")["clusterPairingKey"]
    call(other, "CompleteClusterPairing", clusterPairingKey=key)


def volume(array: Array, **settings: Any) -> int:
    made = {"name": "disk", "accountID": 1, "totalSize": GB, **settings}
    number: int = call(array, "CreateVolume", **made)["volumeID"]
    return number


def pair_volumes(source: Array, target: Array, mode: str = "Async") -> tuple[int, int]:
    """Make a volume here follow a new one there."""
    ours, theirs = volume(source), volume(target, name="copy", access="replicationTarget")
    key = call(source, "StartVolumePairing", volumeID=ours, mode=mode)["volumePairingKey"]
    call(target, "CompleteVolumePairing", volumeID=theirs, volumePairingKey=key)
    return ours, theirs


def write(array: Array, number: int, content: bytes, offset: int = 0) -> None:
    array.volumes[number].disk.write(offset, content)


def content(array: Array, number: int, length: int = 4, offset: int = 0) -> bytes:
    image = array.image_of_volume(number)
    found = image.read(offset, length)
    image.release()
    return found


def replication(array: Array, number: int) -> dict[str, Any]:
    (row,) = call(array, "ListVolumes", volumeIDs=[number])["volumes"]
    (pair,) = row["volumePairs"]
    found: dict[str, Any] = pair["remoteReplication"]
    return found


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(ElementError) as refused:
        act()
    return refused.value.name


def remembered(*arrays: Array) -> list[Any]:
    return [
        [array.inventory(), array.pairing.remembered(), array._last_numbers.copy(), array.dice.getstate()]
        for array in arrays
    ]


def test_both_clusters_of_a_pair_list_each_other(two: tuple[Array, Array]) -> None:
    one, other = two
    started = call(one, "StartClusterPairing")
    assert int(started["clusterPairingKey"], 16)
    (offered,) = call(one, "ListClusterPairs")["clusterPairs"]
    assert (offered["status"], offered["mvip"]) == ("Misconfigured", "")
    completed = call(other, "CompleteClusterPairing", clusterPairingKey=started["clusterPairingKey"])
    for here, there, number in ((one, other, started), (other, one, completed)):
        (pair,) = call(here, "ListClusterPairs")["clusterPairs"]
        assert pair["clusterPairID"] == number["clusterPairID"]
        assert (pair["clusterName"], pair["mvip"], pair["clusterUUID"]) == (there.name, there.mvip, there.uuid)
        assert (pair["status"], pair["latency"]) == ("Connected", 1)
    assert "cluster pair 1 cluster-2" in one.inventory()


def test_a_cluster_of_another_world_pairs_but_is_never_connected(site: Site) -> None:
    here, stranger = site.cluster(1), site.cluster(2, peers=Peers())
    pair_clusters(stranger, here)
    (pair,) = call(here, "ListClusterPairs")["clusterPairs"]
    assert (pair["clusterName"], pair["mvip"], pair["status"]) == ("cluster-2", "192.0.2.2", "Misconfigured")
    key = call(stranger, "StartVolumePairing", volumeID=volume(stranger))["volumePairingKey"]
    target = volume(here, access="replicationTarget")
    assert refusal(lambda: call(here, "CompleteVolumePairing", volumeID=target, volumePairingKey=key)) == (
        "xMVIPNotPaired"
    )


def test_a_pair_is_misconfigured_where_it_was_not_removed_and_disconnected_while_cut_off(
    paired: tuple[Array, Array],
) -> None:
    one, other = paired
    other.cut_off()
    assert [call(a, "ListClusterPairs")["clusterPairs"][0]["status"] for a in paired] == ["Disconnected"] * 2
    other.reconnect()
    call(one, "RemoveClusterPair", clusterPairID=1)
    assert call(one, "ListClusterPairs") == {"clusterPairs": []}
    (left,) = call(other, "ListClusterPairs")["clusterPairs"]
    assert left["status"] == "Misconfigured"
    call(other, "RemoveClusterPair", clusterPairID=left["clusterPairID"])
    pair_clusters(one, other)
    assert call(one, "ListClusterPairs")["clusterPairs"][0]["status"] == "Connected"


def test_no_more_than_four_pairs(site: Site) -> None:
    hub = site.cluster(1)
    for number in range(2, 6):
        pair_clusters(hub, site.cluster(number))
    before = remembered(hub)
    assert refusal(lambda: call(hub, "StartClusterPairing")) == "xExceededLimit"
    assert remembered(hub) == before


@pytest.mark.parametrize("key", ["", "zz", "00", b'{"a":1}'.hex(), b"null".hex()])
def test_what_no_cluster_wrote_is_no_key(paired: tuple[Array, Array], key: str) -> None:
    one, _ = paired
    number = volume(one)
    before = remembered(one)
    wanted = "xInvalidPairingKey" if key else "xMissingParameter"
    assert refusal(lambda: call(one, "CompleteClusterPairing", clusterPairingKey=key)) == wanted
    assert refusal(lambda: call(one, "CompleteVolumePairing", volumeID=number, volumePairingKey=key)) == wanted
    assert remembered(one) == before


def test_keys_are_used_once_by_another_cluster_and_never_after_they_were_taken_back(site: Site) -> None:
    one, other, third = site.cluster(1), site.cluster(2), site.cluster(3)
    started = call(one, "StartClusterPairing")
    key = started["clusterPairingKey"]
    assert refusal(lambda: call(one, "CompleteClusterPairing", clusterPairingKey=key)) == "xInvalidPairingKey"
    call(other, "CompleteClusterPairing", clusterPairingKey=key)
    before = remembered(one, other, third)
    assert refusal(lambda: call(other, "CompleteClusterPairing", clusterPairingKey=key)) == "xPairingAlreadyExists"
    assert refusal(lambda: call(third, "CompleteClusterPairing", clusterPairingKey=key)) == "xInvalidPairingKey"
    assert remembered(one, other, third) == before
    again = call(one, "StartClusterPairing")
    assert refusal(lambda: call(other, "CompleteClusterPairing", clusterPairingKey=again["clusterPairingKey"])) == (
        "xPairingAlreadyExists"
    )
    call(one, "RemoveClusterPair", clusterPairID=again["clusterPairID"])
    assert refusal(lambda: call(third, "CompleteClusterPairing", clusterPairingKey=again["clusterPairingKey"])) == (
        "xInvalidPairingKey"
    )


def test_an_asynchronous_target_follows_after_the_time_it_takes(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other)
    write(one, ours, b"base")
    assert [replication(*end)["state"] for end in ((one, ours), (other, theirs))] == ["Idle", "Idle"]
    site.clock.advance(10)
    assert [replication(*end)["state"] for end in ((one, ours), (other, theirs))] == ["Active", "Active"]
    assert content(other, theirs) == b"base"
    write(one, ours, b"next")
    assert content(other, theirs) == b"base"
    site.clock.advance(10)
    assert content(other, theirs) == b"next"
    (row,) = call(other, "ListActivePairedVolumes")["volumes"]
    assert row["volumePairs"][0] | {"remoteReplication": None, "volumePairUUID": None} == {
        "clusterPairID": 1, "remoteVolumeID": ours, "remoteSliceID": ours, "remoteVolumeName": "disk",
        "volumePairUUID": None, "remoteReplication": None,
    }  # fmt: skip


def test_a_synchronous_target_holds_every_write_at_once(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other, "Sync")
    site.clock.advance(10)
    assert replication(one, ours)["state"] == "Active"
    for word, offset in ((b"here", 0), (b"last", GB), (b"odd!", 4095)):
        write(one, ours, word, offset)
        assert content(other, theirs, 4, offset) == word
    one.volumes[ours].disk.discard(0, 1 << 20)
    assert content(other, theirs, 8, 4092) == bytes(8)


def test_writes_of_no_pair_reach_nobody_and_a_snapshot_pair_sends_snapshots_only(
    site: Site, paired: tuple[Array, Array]
) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other, "SnapshotsOnly")
    site.clock.advance(10)
    write(one, ours, b"kept")
    kept = call(one, "CreateSnapshot", volumeID=ours, name="kept", enableRemoteReplication=True, retention="01:00:00")
    call(one, "CreateSnapshot", volumeID=ours, name="ours")
    write(one, ours, b"more")
    (first, _) = call(one, "ListSnapshots")["snapshots"]
    assert [status["remoteStatus"] for status in first["remoteStatuses"]] == ["Syncing"]
    site.clock.advance(10)
    assert content(other, theirs) == bytes(4)
    (arrived,) = call(other, "ListSnapshots")["snapshots"]
    for name in ("name", "snapshotUUID", "createTime", "expirationTime"):
        assert arrived[name] == kept["snapshot"][name]
    assert other.image_of_snapshot(arrived["snapshotID"]).read(0, 4) == b"kept"
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Present"
    call(other, "DeleteSnapshot", snapshotID=arrived["snapshotID"])
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Deleted"
    site.clock.advance(60)
    assert call(other, "ListSnapshots") == {"snapshots": []}


def test_a_full_target_takes_no_snapshot_until_there_is_room(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other)
    for _ in range(32):
        call(other, "CreateSnapshot", volumeID=theirs)
    call(one, "CreateSnapshot", volumeID=ours, enableRemoteReplication=True)
    site.clock.advance(10)
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Not Present"
    call(other, "DeleteSnapshot", snapshotID=1)
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Present"


def test_a_paused_pair_says_who_paused_it_and_catches_up(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other, "Sync")
    site.clock.advance(10)
    call(one, "ModifyVolumePair", volumeID=ours, pausedManual=True, pauseLimit=5)
    assert [replication(*end)["state"] for end in ((one, ours), (other, theirs))] == [
        "PausedManual", "PausedManualRemote",
    ]  # fmt: skip
    assert (replication(one, ours)["pauseLimit"], replication(other, theirs)["pauseLimit"]) == (5, 3145728000)
    write(one, ours, b"late")
    site.clock.advance(60)
    assert content(other, theirs) == bytes(4)
    call(one, "ModifyVolumePair", volumeID=ours, pausedManual=False, mode="Async")
    assert replication(other, theirs)["state"] == "ResumingDataTransfer"
    assert replication(other, theirs)["mode"] == "Async"
    site.clock.advance(10)
    assert content(other, theirs) == b"late"


def test_two_sizes_pause_until_they_are_one_again(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other, "Sync")
    site.clock.advance(10)
    assert replication(one, ours)["state"] == "Active"
    call(one, "ModifyVolume", volumeID=ours, totalSize=2 * GB)
    assert replication(other, theirs)["state"] == "PausedVolumeSizeMismatch"
    call(other, "ModifyVolume", volumeID=theirs, totalSize=2 * GB)
    site.clock.advance(10)
    write(one, ours, b"tail", 2 * GB)
    assert content(other, theirs, 4, 2 * GB) == b"tail"


def test_a_fail_over_to_the_target_and_back_keeps_every_write_that_arrived(
    site: Site, paired: tuple[Array, Array]
) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other)
    call(other, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[theirs])
    iqn = other.volumes[theirs].iqn
    write(one, ours, b"sent")
    site.clock.advance(10)
    assert content(other, theirs) == b"sent"
    with pytest.raises(LoginRefusedError, match="admits no host"):
        other.login(initiator=HOST, target=iqn)
    write(one, ours, b"lost")
    one.cut_off()
    assert replication(other, theirs)["state"] == "PausedDisconnected"
    site.clock.advance(60)
    call(other, "ModifyVolume", volumeID=theirs, access="readWrite")
    device = other.login(initiator=HOST, target=iqn)
    assert device.read(0, 4) == b"sent"
    device.write(8192, b"over there")
    one.reconnect()
    assert replication(other, theirs)["state"] == "PausedMisconfigured"
    call(one, "ModifyVolume", volumeID=ours, access="replicationTarget")
    site.clock.advance(10)
    assert content(one, ours) == b"sent"
    assert content(one, ours, 10, 8192) == b"over there"
    call(other, "ModifyVolume", volumeID=theirs, access="replicationTarget")
    call(one, "ModifyVolume", volumeID=ours, access="readWrite")
    write(one, ours, b"home")
    site.clock.advance(10)
    assert content(other, theirs, 10, 8192) == b"over there"
    assert content(other, theirs) == b"home"


def test_a_target_whose_pair_was_removed_is_a_volume_like_any_other(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other, "Sync")
    write(one, ours, b"data")
    site.clock.advance(10)
    assert content(other, theirs) == b"data"
    call(other, "RemoveVolumePair", volumeID=theirs)
    call(other, "ModifyVolume", volumeID=theirs, access="readWrite")
    assert replication(one, ours)["state"] == "PausedMisconfigured"
    write(one, ours, b"more")
    assert content(other, theirs) == b"data"
    call(one, "RemoveVolumePair", volumeID=ours, mode="Sync")
    call(one, "RemoveVolumePair", volumeID=ours, mode="Sync")
    assert call(one, "ListActivePairedVolumes") == {"volumes": []}
    call(one, "RemoveClusterPair", clusterPairID=1)


def test_deleting_both_ends_of_a_pair_leaves_no_block(site: Site, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other)
    write(one, ours, b"data")
    call(one, "CreateSnapshot", volumeID=ours, enableRemoteReplication=True)
    site.clock.advance(10)
    assert content(other, theirs) == b"data"
    call(other, "DeleteVolume", volumeID=theirs)
    assert replication(one, ours)["state"] == "PausedMisconfigured"
    call(other, "RestoreDeletedVolume", volumeID=theirs)
    site.clock.advance(10)
    assert replication(one, ours)["state"] == "Active"
    for array, number in ((other, theirs), (one, ours)):
        call(array, "DeleteVolume", volumeID=number)
        call(array, "PurgeDeletedVolume", volumeID=number)
        assert array.blocks.used_blocks() == 0
        assert not array.pairing.ends


def test_nothing_flows_between_two_writable_volumes_until_one_becomes_the_target(paired: tuple[Array, Array]) -> None:
    # Cinder's driver pairs first, and makes the volume that it migrates to a target afterwards.
    one, other = paired
    ours, theirs = volume(one), volume(other)
    write(one, ours, b"ours")
    key = call(one, "StartVolumePairing", volumeID=ours)["volumePairingKey"]
    call(other, "CompleteVolumePairing", volumeID=theirs, volumePairingKey=key)
    one.clock.sleep(10)
    assert replication(one, ours)["state"] == "PausedMisconfigured"
    assert content(other, theirs) == bytes(4)
    call(other, "ModifyVolume", volumeID=theirs, access="replicationTarget")
    one.clock.sleep(10)
    assert replication(one, ours)["state"] == "Active"
    assert content(other, theirs) == b"ours"


def test_refused_volume_pairings_change_nothing(paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = pair_volumes(one, other)
    spare, target = volume(one), volume(other, access="replicationTarget")
    large = volume(other, access="replicationTarget", totalSize=2 * GB)
    key = call(one, "StartVolumePairing", volumeID=spare)["volumePairingKey"]
    used = call(one, "StartVolumePairing", volumeID=spare)["volumePairingKey"]
    before = remembered(one, other)
    refusals: list[tuple[Array, str, dict[str, Any], str]] = [
        (one, "StartVolumePairing", {"volumeID": ours}, "xPairingAlreadyExists"),
        (one, "StartVolumePairing", {"volumeID": 9}, "xVolumeIDDoesNotExist"),
        (one, "StartVolumePairing", {"volumeID": spare, "mode": "Often"}, "xUnrecognizedEnumString"),
        (other, "CompleteVolumePairing", {"volumeID": theirs, "volumePairingKey": used}, "xPairingAlreadyExists"),
        (other, "CompleteVolumePairing", {"volumeID": target, "volumePairingKey": key}, "xInvalidPairingKey"),
        (other, "CompleteVolumePairing", {"volumeID": large, "volumePairingKey": used}, "xInvalidParameter"),
        (one, "CompleteVolumePairing", {"volumeID": spare, "volumePairingKey": used}, "xMVIPNotPaired"),
        (one, "ModifyVolumePair", {"volumeID": spare, "pausedManual": True}, "xVolumeNotPaired"),
        (one, "ModifyVolumePair", {"volumeID": ours, "mode": "Often"}, "xUnrecognizedEnumString"),
        (one, "ModifyVolumePair", {"volumeID": ours, "mode": "Sync", "pauseLimit": -1}, "xInvalidParameter"),
        (one, "RemoveVolumePair", {"volumeID": 9}, "xVolumeIDDoesNotExist"),
        (one, "RemoveClusterPair", {"clusterPairID": 1}, "xInvalidParameter"),
        (one, "RemoveClusterPair", {"clusterPairID": 9}, "xInvalidParameter"),
    ]
    for array, method, params, name in refusals:
        assert refusal(lambda: call(array, method, **params)) == name, (method, params)  # noqa: B023  called at once
        assert remembered(one, other) == before
