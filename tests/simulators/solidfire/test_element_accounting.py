"""Figures add up: volumes to accounts to the cluster, blocks to what the store holds, counts to what was done."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from snapproof.simulators.blocks import BLOCK_BYTES, BlockStore
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.surface.checking import strays
from snapproof.simulators.solidfire.surface.pages import surface

GB = 1_000_000_000
HOST = "iqn.host"


def cluster(size_bytes: int = 1 << 50) -> tuple[Array, VirtualClock]:
    clock = VirtualClock()
    array = Array(
        clock=clock, journal=Journal(clock.time), blocks=BlockStore(), dice=random.Random(5), size_bytes=size_bytes
    )
    for name in ("one", "two"):
        call(array, "AddAccount", username=name)
    return array, clock


class Accounting(RuleBasedStateMachine):
    """Whatever is written, frozen, cloned, rolled back and deleted: the figures add up after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.array, self.clock = cluster()
        self.dice = random.Random(3)

    def some_volume(self) -> int:
        return self.dice.choice([v.volume_id for v in self.array.volumes if v.active] or [0])

    @rule(account=st.sampled_from([1, 2]), seed=st.integers(0, 9))
    def create(self, account: int, seed: int) -> None:
        if len(self.array.volumes) < 6:
            call(self.array, "CreateVolume", name="v", accountID=account, totalSize=GB)

    @precondition(lambda self: len(self.array.volumes) > 0)
    @rule(block=st.integers(0, 200), blocks=st.integers(1, 70), byte=st.sampled_from([b"\0", b"a", b"b"]))
    def write(self, block: int, blocks: int, byte: bytes) -> None:
        if number := self.some_volume():
            self.array.volumes[number].disk.write(block * BLOCK_BYTES, byte * (blocks * BLOCK_BYTES))

    @precondition(lambda self: len(self.array.volumes) > 0)
    @rule(act=st.sampled_from(["CreateSnapshot", "CloneVolume", "DeleteVolume", "ModifyVolume", "purge", "RollBack"]))
    def act(self, act: str) -> None:
        number = self.some_volume()
        snapshots = [s for s in self.array.snapshots if s.volume_id == number]
        if act == "purge":
            self.clock.advance(9 * 3600)
            call(self.array, "GetAPI")
        elif act == "RollBack" and snapshots:
            snapshot = self.dice.choice(snapshots).snapshot_id
            call(self.array, "RollbackToSnapshot", volumeID=number, snapshotID=snapshot)
            call(self.array, "DeleteSnapshot", snapshotID=snapshot)
        elif act == "CloneVolume" and number:
            call(self.array, act, volumeID=number, name="c")
            self.clock.advance(2)
        elif act == "ModifyVolume" and number:
            call(self.array, act, volumeID=number, totalSize=2 * GB)
        elif act in {"CreateSnapshot", "DeleteVolume"} and number:
            call(self.array, act, volumeID=number)

    @invariant()
    def volumes_add_up(self) -> None:
        whole = call(self.array, "GetClusterCapacity")["clusterCapacity"]
        by_volume = call(self.array, "ListVolumeStats")["volumeStats"]
        by_account = call(self.array, "ListVolumeStatsByAccount")["volumeStats"]
        for rows in (by_volume, by_account):
            assert sum(row["nonZeroBlocks"] for row in rows) == whole["nonZeroBlocks"]
            assert sum(row["volumeSize"] for row in rows) == whole["provisionedSpace"]
            if whole["nonZeroBlocks"]:
                assert sum(row["zeroBlocks"] for row in rows) == whole["zeroBlocks"]
        assert {row["accountID"] for row in by_account} == {1, 2}

    @invariant()
    def blocks_are_those_of_the_store(self) -> None:
        whole = call(self.array, "GetClusterCapacity")["clusterCapacity"]
        images = [snapshot.image for snapshot in self.array.snapshots]
        counted = sum(sum(length for _, length in image.extents()) for image in images) // BLOCK_BYTES
        assert whole["snapshotNonZeroBlocks"] == counted
        held = self.array.blocks.distinct_blocks([*images, *(volume.disk for volume in self.array.volumes)])
        assert whole["usedSpace"] == held * BLOCK_BYTES == self.array.blocks.used_blocks() * BLOCK_BYTES
        counts = [whole[name] for name in ("uniqueBlocks", "zeroBlocks", "nonZeroBlocks", "uniqueBlocksUsedSpace")]
        assert all(counts) or not any(counts)

    @invariant()
    def efficiencies_are_ratios_of_these(self) -> None:
        for account in (1, 2):
            found = call(self.array, "GetAccountEfficiency", accountID=account)
            assert min(found["thinProvisioning"], found["deduplication"]) >= 1.0
            own = list(self.array.account(account).volumes)
            frozen = [snapshot.image for volume in own for snapshot in volume.snapshots]
            named = sum(held.mapped_blocks for held in (*frozen, *(volume.disk for volume in own)))
            unique = self.array.blocks.distinct_blocks([*frozen, *(volume.disk for volume in own)])
            assert found["deduplication"] * unique == pytest.approx(named or unique)


Accounting.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestAccounting = Accounting.TestCase


@given(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.booleans(), st.integers(0, 50_000), st.integers(1, 9000), st.sampled_from([0, 0.3, 2])
        ),
        max_size=30,
    )
)
@settings(max_examples=60, deadline=None)
def test_statistics_count_what_sessions_did_and_never_go_back(
    operations: list[tuple[int, bool, int, int, float]],
) -> None:
    array, clock = cluster()
    rows = [call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)["volume"] for _ in range(2)]
    call(array, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1, 2])
    sessions = [array.login(initiator=HOST, target=row["iqn"]) for row in rows]
    before: dict[str, int] = dict.fromkeys(("readOps", "writeOps", "readBytes", "writeBytes"), 0)
    for volume, wrote, offset, length, pause_s in operations:
        clock.advance(pause_s)
        if wrote:
            sessions[volume].write(offset, b"w" * length)
        else:
            sessions[volume].read(offset, length)
        whole = call(array, "GetClusterStats")["clusterStats"]
        assert all(whole[name] >= count for name, count in before.items())
        before = {name: whole[name] for name in before}
    by_volume = call(array, "ListVolumeStats")["volumeStats"]
    for word, wrote in (("read", False), ("write", True)):
        done = [(volume, length) for volume, kind, _, length, _ in operations if kind is wrote]
        assert before[f"{word}Ops"] == len(done)
        assert before[f"{word}Bytes"] == sum(length for _, length in done)
        for number, row in enumerate(by_volume):
            assert row[f"{word}Bytes"] == sum(length for volume, length in done if volume == number)
    call(array, "DeleteVolume", volumeID=1)
    call(array, "PurgeDeletedVolume", volumeID=1)
    assert {name: call(array, "GetClusterStats")["clusterStats"][name] for name in before} == before


def test_the_last_sample_is_the_last_whole_half_second() -> None:
    array, clock = cluster()
    row = call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)["volume"]
    call(array, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1])
    session = array.login(initiator=HOST, target=row["iqn"])
    for _ in range(3):
        session.write(1, b"x")
    assert call(array, "GetVolumeStats", volumeID=1)["volumeStats"]["writeOpsLastSample"] == 0
    clock.advance(0.5)
    found = call(array, "GetVolumeStats", volumeID=1)["volumeStats"]
    assert (found["writeOpsLastSample"], found["writeBytesLastSample"], found["actualIOPS"]) == (3, 3, 6)
    assert (found["unalignedWrites"], found["samplePeriodMSec"]) == (3, 500)
    assert call(array, "GetClusterCapacity")["clusterCapacity"]["currentIOPS"] == 6
    clock.advance(0.5)
    assert call(array, "GetClusterStats")["clusterStats"]["writeOpsLastSample"] == 0
    assert call(array, "GetClusterCapacity")["clusterCapacity"]["peakIOPS"] == 6
    assert call(array, "ListVolumes")["volumes"][0]["lastAccessTimeIO"] == "2026-01-01T00:00:00Z"


def test_sessions_are_listed_while_they_are_open() -> None:
    array, clock = cluster()
    rows = [call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)["volume"] for _ in range(2)]
    call(array, "CreateVolumeAccessGroup", name="g", initiators=[HOST], volumes=[1, 2])
    session = array.login(initiator=HOST, target=rows[0]["iqn"])
    assert array.login(initiator=HOST, target=rows[0]["iqn"]) is session
    array.login(initiator=HOST.upper(), target=rows[1]["iqn"])
    clock.advance(1.5)
    listed = call(array, "ListISCSISessions")["sessions"]
    assert [(row["volumeID"], row["initiatorName"], row["targetName"]) for row in listed] == [
        (1, HOST, rows[0]["iqn"]),
        (2, HOST, rows[1]["iqn"]),
    ]
    assert listed[0]["msSinceLastScsiCommand"] == 1500
    call(array, "DeleteVolume", volumeID=1)
    call(array, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=1, volumes=[2])
    assert call(array, "ListISCSISessions") == {"sessions": []}
    assert call(array, "GetClusterCapacity")["clusterCapacity"]["peakActiveSessions"] == 2


SIZE_BLOCKS = 8 * 1000
STAGES = [
    (0, "stage1Happy", ""),
    (6497, "stage1Happy", ""),
    (6498, "stage2Aware", ""),
    (6840, "stage3Low", "warning"),
    (7200, "stage4Critical", "error"),
    (8000, "stage5CompletelyConsumed", "critical"),
]


@pytest.mark.parametrize(("blocks", "stage", "severity"), STAGES)
def test_fullness_follows_from_the_blocks_that_are_really_used(blocks: int, stage: str, severity: str) -> None:
    array, _ = cluster(SIZE_BLOCKS * BLOCK_BYTES)
    call(array, "ModifyClusterFullThreshold", maxMetadataOverProvisionFactor=100)
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)
    array.volumes[1].disk.write(0, b"x" * (blocks * BLOCK_BYTES))
    found = call(array, "GetClusterFullThreshold")
    assert (found["fullness"], found["sumUsedClusterBytes"]) == (stage, blocks * BLOCK_BYTES)
    assert [fault["severity"] for fault in call(array, "ListClusterFaults")["faults"]] == (
        [severity] if severity else []
    )
    if severity in {"error", "critical"}:
        with pytest.raises(ElementError, match="xSnapshotFailed"):
            call(array, "CreateSnapshot", volumeID=1)
    else:
        call(array, "CreateSnapshot", volumeID=1)


def test_a_cluster_that_empties_again_resolves_its_fault() -> None:
    array, clock = cluster(SIZE_BLOCKS * BLOCK_BYTES)
    call(array, "ModifyClusterFullThreshold", maxMetadataOverProvisionFactor=100)
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)
    disk = array.volumes[1].disk
    for blocks in (6900, 7300):
        disk.write(0, b"x" * (blocks * BLOCK_BYTES))
        call(array, "ListClusterFaults")
    clock.advance(5)
    disk.discard(0, disk.size_bytes)
    faults = call(array, "ListClusterFaults")["faults"]
    assert [(fault["severity"], fault["resolved"]) for fault in faults] == [("warning", True), ("error", True)]
    assert faults[1]["resolvedDate"] == "2026-01-01T00:00:05.000000Z"
    assert call(array, "ListClusterFaults", faultTypes="current") == {"faults": []}
    call(array, "ClearClusterFaults")
    assert call(array, "ListClusterFaults") == {"faults": []}


def test_thresholds_can_be_moved_and_drives_change_the_size() -> None:
    array, clock = cluster(SIZE_BLOCKS * BLOCK_BYTES)
    before = call(array, "GetClusterFullThreshold")
    after = call(array, "ModifyClusterFullThreshold", stage3BlockThresholdPercent=50)
    assert after["stage3BlockThresholdBytes"] == before["stage4BlockThresholdBytes"] // 2
    handle = call(array, "RemoveDrives", drives=[2])["asyncHandle"]
    assert call(array, "GetClusterCapacity")["clusterCapacity"]["maxUsedSpace"] == 7000 * BLOCK_BYTES
    assert call(array, "GetAsyncResult", asyncHandle=handle)["status"] == "running"
    clock.advance(2)
    done = call(array, "GetAsyncResult", asyncHandle=handle)
    assert (done["status"], done["resultType"]) == ("complete", "DriveRemoval")
    call(array, "AddDrives", drives=[{"driveID": 2, "type": "block"}, {"driveID": 10}])
    clock.advance(2)
    assert call(array, "GetClusterCapacity")["clusterCapacity"]["maxUsedSpace"] == 9000 * BLOCK_BYTES
    assert {row["status"] for row in call(array, "ListDrives")["drives"]} == {"active"}
    used = sum(row["usedCapacity"] for row in call(array, "ListDriveStats")["driveStats"])
    assert used == call(array, "GetClusterCapacity")["clusterCapacity"]["usedSpace"]


def test_a_judge_raises_and_resolves_faults() -> None:
    array, _ = cluster()
    number = array.raise_fault("nodeOffline", details="The node does not answer.")
    current = call(array, "ListClusterFaults", faultTypes="current")["faults"]
    assert [(fault["code"], fault["resolvedDate"]) for fault in current] == [("nodeOffline", "")]
    array.resolve_fault(number)
    assert call(array, "ListClusterFaults", faultTypes="current") == {"faults": []}
    assert [fault["resolved"] for fault in call(array, "ListClusterFaults", faultTypes="resolved")["faults"]] == [True]
    with pytest.raises(LookupError):
        array.resolve_fault(99)


def test_events_are_the_changes_of_this_cluster_in_order() -> None:
    array, clock = cluster()
    call(array, "CreateVolume", name="v", accountID=1, totalSize=GB)
    clock.advance(10)
    call(array, "CloneVolume", volumeID=1, name="c")
    events = call(array, "ListEvents")["events"]
    assert [event["eventID"] for event in events] == list(range(1, len(events) + 1))
    assert [event["message"] for event in events[:3]] == ["account created", "account created", "volume created"]
    assert events[-1]["eventInfoType"] == "cloneEvent"
    assert "username=one" in events[0]["details"]
    ids = [event["eventID"] for event in call(array, "ListEvents", startReportTime="2026-01-01T00:00:10Z")["events"]]
    assert ids == [4, 5]
    assert [e["eventID"] for e in call(array, "ListEvents", maxEvents=2)["events"]] == [4, 5]
    assert [e["eventID"] for e in call(array, "ListEvents", startEventID=2, endEventID=3)["events"]] == [2, 3]
    assert [e["eventID"] for e in call(array, "ListEvents", eventType="cloneEvent")["events"]] == [5]
    assert call(array, "ListEvents", nodeID=2)["events"] == []


SETTINGS: list[tuple[str, dict[str, Any], str, Callable[[Any], Any], Any]] = [
    ("SetNtpInfo", {"servers": ["time.example"]}, "GetNtpInfo", lambda r: r["servers"], ["time.example"]),
    ("EnableSnmp", {"snmpV3Enabled": True}, "GetSnmpState", lambda r: r, {"enabled": True, "snmpV3Enabled": True}),
    ("DisableSnmp", {}, "GetSnmpInfo", lambda r: r["enabled"], False),
    ("SetLoginBanner", {"banner": "hello"}, "GetLoginBanner", lambda r: r["loginBanner"]["banner"], "hello"),
    ("EnableFeature", {"feature": "vvols"}, "GetFeatureStatus", lambda r: r["features"][0]["enabled"], True),
    ("EnableEncryptionAtRest", {}, "GetClusterInfo", lambda r: r["clusterInfo"]["encryptionAtRestState"], "enabled"),
    (
        "EnableLdapAuthentication",
        {"serverURIs": ["ldap://x"], "searchBindPassword": "hidden-from-all"},
        "GetLdapConfiguration",
        lambda r: (r["ldapConfiguration"]["enabled"], "hidden-from-all" in str(r)),
        (True, False),
    ),
    (
        "CreateClusterInterfacePreference",
        {"name": "theme", "value": "dark"},
        "ListClusterInterfacePreferences",
        lambda r: r["preferences"],
        [{"name": "theme", "value": "dark"}],
    ),
]


@pytest.mark.parametrize(("setter", "params", "getter", "look", "expected"), SETTINGS, ids=[row[0] for row in SETTINGS])
def test_what_is_set_is_read_back(
    setter: str, params: Any, getter: str, look: Callable[[Any], Any], expected: Any
) -> None:
    array, _ = cluster()
    call(array, setter, **params)
    found = call(array, getter)
    assert look(found) == expected
    assert list(strays(found, surface().methods[getter].gives)) == []
    assert "hidden-from-all" not in str(call(array, "ListEvents"))


def test_the_reports_name_the_service_of_every_volume(world: Any) -> None:
    world.volume(world.account())
    status, page = world.exchange(b"", path="/reports/slices.json", verb="GET")
    assert (status, page.count(b'"volumeID":1,') + page.count(b'"volumeID":1}')) == (200, 1)
    assert world.exchange(b"", path="/reports/bins.json", verb="GET")[0] == 200
    assert world.exchange(b"", path="/reports/slices.json", verb="GET", authorization="")[0] == 401
    assert world.exchange(b"", path="/reports/none.json", verb="GET")[0] == 404
