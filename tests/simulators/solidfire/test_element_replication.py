"""Volumes that follow one another across two clusters, and what is left when one of them is lost."""

from typing import Any

import pytest

from snapproof.simulators.fabric import LoginRefusedError
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call

GB = 1_000_000_000
HOST = "iqn.1994-05.com.redhat:host1"


def test_an_asynchronous_target_follows_after_the_time_it_takes(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other)
    site.write(one, ours, b"base")
    assert [site.replication(*end)["state"] for end in ((one, ours), (other, theirs))] == ["Idle", "Idle"]
    site.clock.advance(10)
    assert [site.replication(*end)["state"] for end in ((one, ours), (other, theirs))] == ["Active", "Active"]
    assert site.content(other, theirs) == b"base"
    site.write(one, ours, b"next")
    assert site.content(other, theirs) == b"base"
    site.clock.advance(10)
    assert site.content(other, theirs) == b"next"
    (row,) = call(other, "ListActivePairedVolumes")["volumes"]
    assert row["volumePairs"][0] | {"remoteReplication": None, "volumePairUUID": None} == {
        "clusterPairID": 1, "remoteVolumeID": ours, "remoteSliceID": ours, "remoteVolumeName": "disk",
        "volumePairUUID": None, "remoteReplication": None,
    }  # fmt: skip


def test_a_synchronous_target_holds_every_write_at_once(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other, "Sync")
    site.clock.advance(10)
    assert site.replication(one, ours)["state"] == "Active"
    for word, offset in ((b"here", 0), (b"last", GB), (b"odd!", 4095)):
        site.write(one, ours, word, offset)
        assert site.content(other, theirs, 4, offset) == word
    one.volumes[ours].disk.discard(0, 1 << 20)
    assert site.content(other, theirs, 8, 4092) == bytes(8)


def test_writes_of_no_pair_reach_nobody_and_a_snapshot_pair_sends_snapshots_only(
    site: Any, paired: tuple[Array, Array]
) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other, "SnapshotsOnly")
    site.clock.advance(10)
    site.write(one, ours, b"kept")
    kept = call(one, "CreateSnapshot", volumeID=ours, name="kept", enableRemoteReplication=True, retention="01:00:00")
    call(one, "CreateSnapshot", volumeID=ours, name="ours")
    site.write(one, ours, b"more")
    (first, _) = call(one, "ListSnapshots")["snapshots"]
    assert [status["remoteStatus"] for status in first["remoteStatuses"]] == ["Syncing"]
    site.clock.advance(10)
    assert site.content(other, theirs) == bytes(4)
    (arrived,) = call(other, "ListSnapshots")["snapshots"]
    for name in ("name", "snapshotUUID", "createTime", "expirationTime"):
        assert arrived[name] == kept["snapshot"][name]
    assert (
        arrived["instanceSnapshotUUID"] != kept["snapshot"]["instanceSnapshotUUID"] == kept["snapshot"]["snapshotUUID"]
    )
    assert other.image_of_snapshot(arrived["snapshotID"]).read(0, 4) == b"kept"
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Present"
    call(other, "DeleteSnapshot", snapshotID=arrived["snapshotID"])
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Deleted"
    site.clock.advance(60)
    assert call(other, "ListSnapshots") == {"snapshots": []}


def test_a_full_target_takes_no_snapshot_until_there_is_room(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other)
    for _ in range(32):
        call(other, "CreateSnapshot", volumeID=theirs)
    call(one, "CreateSnapshot", volumeID=ours, enableRemoteReplication=True)
    site.clock.advance(10)
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Not Present"
    call(other, "DeleteSnapshot", snapshotID=1)
    assert call(one, "ListSnapshots")["snapshots"][0]["remoteStatuses"][0]["remoteStatus"] == "Present"


def test_a_paused_pair_says_who_paused_it_and_catches_up(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other, "Sync")
    site.clock.advance(10)
    call(one, "ModifyVolumePair", volumeID=ours, pausedManual=True, pauseLimit=5)
    assert [site.replication(*end)["state"] for end in ((one, ours), (other, theirs))] == [
        "PausedManual", "PausedManualRemote",
    ]  # fmt: skip
    assert (site.replication(one, ours)["pauseLimit"], site.replication(other, theirs)["pauseLimit"]) == (5, 3145728000)
    site.write(one, ours, b"late")
    site.clock.advance(60)
    assert site.content(other, theirs) == bytes(4)
    call(one, "ModifyVolumePair", volumeID=ours, pausedManual=False, mode="Async")
    assert site.replication(other, theirs)["state"] == "ResumingDataTransfer"
    assert site.replication(other, theirs)["mode"] == "Async"
    site.clock.advance(10)
    assert site.content(other, theirs) == b"late"


def test_two_sizes_pause_until_they_are_one_again(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other, "Sync")
    site.clock.advance(10)
    assert site.replication(one, ours)["state"] == "Active"
    call(one, "ModifyVolume", volumeID=ours, totalSize=2 * GB)
    assert site.replication(other, theirs)["state"] == "PausedVolumeSizeMismatch"
    call(other, "ModifyVolume", volumeID=theirs, totalSize=2 * GB)
    site.clock.advance(10)
    site.write(one, ours, b"tail", 2 * GB)
    assert site.content(other, theirs, 4, 2 * GB) == b"tail"


def test_a_fail_over_to_the_target_and_back_keeps_every_write_that_arrived(
    site: Any, paired: tuple[Array, Array]
) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other)
    call(other, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[theirs])
    iqn = other.volumes[theirs].iqn
    site.write(one, ours, b"sent")
    site.clock.advance(10)
    assert site.content(other, theirs) == b"sent"
    with pytest.raises(LoginRefusedError, match="admits no host"):
        other.login(initiator=HOST, target=iqn)
    site.write(one, ours, b"lost")
    one.cut_off()
    assert site.replication(other, theirs)["state"] == "PausedDisconnected"
    site.clock.advance(60)
    call(other, "ModifyVolume", volumeID=theirs, access="readWrite")
    device = other.login(initiator=HOST, target=iqn)
    assert device.read(0, 4) == b"sent"
    device.write(8192, b"over there")
    one.reconnect()
    assert site.replication(other, theirs)["state"] == "PausedMisconfigured"
    call(one, "ModifyVolume", volumeID=ours, access="replicationTarget")
    site.clock.advance(10)
    assert site.content(one, ours) == b"sent"
    assert site.content(one, ours, 10, 8192) == b"over there"
    call(other, "ModifyVolume", volumeID=theirs, access="replicationTarget")
    call(one, "ModifyVolume", volumeID=ours, access="readWrite")
    site.write(one, ours, b"home")
    site.clock.advance(10)
    assert site.content(other, theirs, 10, 8192) == b"over there"
    assert site.content(other, theirs) == b"home"


def test_a_target_whose_pair_was_removed_is_a_volume_like_any_other(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other, "Sync")
    site.write(one, ours, b"data")
    site.clock.advance(10)
    assert site.content(other, theirs) == b"data"
    call(other, "RemoveVolumePair", volumeID=theirs)
    call(other, "ModifyVolume", volumeID=theirs, access="readWrite")
    assert site.replication(one, ours)["state"] == "PausedMisconfigured"
    site.write(one, ours, b"more")
    assert site.content(other, theirs) == b"data"
    call(one, "RemoveVolumePair", volumeID=ours, mode="Sync")
    call(one, "RemoveVolumePair", volumeID=ours, mode="Sync")
    assert call(one, "ListActivePairedVolumes") == {"volumes": []}
    call(one, "RemoveClusterPair", clusterPairID=1)


def test_deleting_both_ends_of_a_pair_leaves_no_block(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other)
    site.write(one, ours, b"data")
    call(one, "CreateSnapshot", volumeID=ours, enableRemoteReplication=True)
    site.clock.advance(10)
    assert site.content(other, theirs) == b"data"
    call(other, "DeleteVolume", volumeID=theirs)
    assert site.replication(one, ours)["state"] == "PausedMisconfigured"
    call(other, "RestoreDeletedVolume", volumeID=theirs)
    site.clock.advance(10)
    assert site.replication(one, ours)["state"] == "Active"
    for array, number in ((other, theirs), (one, ours)):
        call(array, "DeleteVolume", volumeID=number)
        call(array, "PurgeDeletedVolume", volumeID=number)
        assert array.blocks.used_blocks() == 0
        assert not array.pairing.ends


def test_nothing_flows_between_two_writable_volumes_until_one_becomes_the_target(
    site: Any, paired: tuple[Array, Array]
) -> None:
    # Cinder's driver pairs first, and makes the volume that it migrates to a target afterwards.
    one, other = paired
    ours, theirs = site.volume(one), site.volume(other)
    site.write(one, ours, b"ours")
    key = call(one, "StartVolumePairing", volumeID=ours)["volumePairingKey"]
    call(other, "CompleteVolumePairing", volumeID=theirs, volumePairingKey=key)
    one.clock.sleep(10)
    assert site.replication(one, ours)["state"] == "PausedMisconfigured"
    assert site.content(other, theirs) == bytes(4)
    call(other, "ModifyVolume", volumeID=theirs, access="replicationTarget")
    one.clock.sleep(10)
    assert site.replication(one, ours)["state"] == "Active"
    assert site.content(other, theirs) == b"ours"


def test_refused_volume_pairings_change_nothing(site: Any, paired: tuple[Array, Array]) -> None:
    one, other = paired
    ours, theirs = site.pair_volumes(one, other)
    spare, target = site.volume(one), site.volume(other, access="replicationTarget")
    large = site.volume(other, access="replicationTarget", totalSize=2 * GB)
    key = call(one, "StartVolumePairing", volumeID=spare)["volumePairingKey"]
    used = call(one, "StartVolumePairing", volumeID=spare)["volumePairingKey"]
    before = site.remembered(one, other)
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
        assert site.refusal(lambda: call(array, method, **params)) == name, (method, params)  # noqa: B023  called at once
        assert site.remembered(one, other) == before
