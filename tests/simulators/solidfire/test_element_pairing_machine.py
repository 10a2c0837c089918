"""Any order of writes, pauses, cuts, role changes and new pairs: a target never holds what its source never held."""

import random
from typing import Any

from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.peers import Peers

GB = 1_000_000_000
FAR = 1 << 29
SNAPSHOTS_MAX = 32  # the array takes no more of one volume
SEND_S = 10
SIDES = st.sampled_from([0, 1])


class PairMachine(RuleBasedStateMachine):
    """Two volumes of two clusters. Every write puts one number at two far places, which must never tell two numbers."""

    @initialize()
    def begin(self) -> None:
        self.clock = VirtualClock()
        journal, peers = Journal(self.clock.time), Peers[Array]()
        self.arrays = tuple(
            Array(
                clock=self.clock, journal=journal, blocks=BlockStore(), dice=random.Random(number), peers=peers,
                name=f"cluster-{number}", replication_time=Transition(seconds=SEND_S),
            )
            for number in (0, 1)
        )  # fmt: skip
        for array in self.arrays:
            call(array, "AddAccount", username="a")
            call(array, "CreateVolume", name="v", accountID=1, totalSize=GB, access="replicationTarget")
        call(self.arrays[0], "ModifyVolume", volumeID=1, access="readWrite")
        key = call(self.arrays[0], "StartClusterPairing")["clusterPairingKey"]
        call(self.arrays[1], "CompleteClusterPairing", clusterPairingKey=key)
        self.source, self.number = 0, 0
        self.history = [{0}, {0}]
        self.paused, self.ends, self.cut, self.mode = [False, False], [False, False], False, "Async"
        self.bound = False
        self.sizes = [GB, GB]
        self.marked: dict[str, int] = {}

    def numbers(self, side: int) -> set[int]:
        disk = self.arrays[side].volumes[1].disk
        return {int.from_bytes(disk.read(offset, 4)) for offset in (0, FAR)}

    def expected(self, side: int) -> set[str]:
        if not all(self.ends) or not self.bound:
            return {"PausedMisconfigured"}
        if self.cut:
            return {"PausedDisconnected"}
        if any(self.paused):
            return {"PausedManual" if self.paused[side] else "PausedManualRemote"}
        if self.sizes[0] != self.sizes[1]:
            return {"PausedVolumeSizeMismatch"}
        return {"Idle", "ResumingDataTransfer", "Active"}

    def pair(self, side: int) -> dict[str, Any] | None:
        (row,) = call(self.arrays[side], "ListVolumes", volumeIDs=[1])["volumes"]
        assert len(row["volumePairs"]) == self.ends[side]
        return row["volumePairs"][0]["remoteReplication"] if row["volumePairs"] else None

    @rule()
    def write(self) -> None:
        self.number += 1
        for offset in (0, FAR):
            self.arrays[self.source].volumes[1].disk.write(offset, self.number.to_bytes(4))
        self.history[self.source].add(self.number)

    @rule(seconds=st.sampled_from([1, SEND_S, 60]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: not any(self.ends) and not self.cut and self.sizes[0] == self.sizes[1])
    @rule(start=SIDES, mode=st.sampled_from(["Async", "Sync", "SnapshotsOnly"]))
    def connect(self, start: int, mode: str) -> None:
        key = call(self.arrays[start], "StartVolumePairing", volumeID=1, mode=mode)["volumePairingKey"]
        call(self.arrays[1 - start], "CompleteVolumePairing", volumeID=1, volumePairingKey=key)
        self.ends, self.paused, self.bound, self.mode = [True, True], [False, False], True, mode

    @rule(side=SIDES)
    def disconnect(self, side: int) -> None:
        call(self.arrays[side], "RemoveVolumePair", volumeID=1)
        self.ends[side] = self.bound = False

    @precondition(lambda self: all(self.ends))
    @rule(side=SIDES, paused=st.booleans())
    def pause(self, side: int, paused: bool) -> None:  # noqa: FBT001  drawn
        call(self.arrays[side], "ModifyVolumePair", volumeID=1, pausedManual=paused)
        self.paused[side] = paused

    @precondition(lambda self: all(self.ends) and self.bound)
    @rule(side=SIDES, mode=st.sampled_from(["Async", "Sync", "SnapshotsOnly"]))
    def change_mode(self, side: int, mode: str) -> None:
        call(self.arrays[side], "ModifyVolumePair", volumeID=1, mode=mode)
        self.mode = mode

    @rule()
    def cut_or_mend(self) -> None:
        (self.arrays[0].reconnect if self.cut else self.arrays[0].cut_off)()
        self.cut = not self.cut

    @rule(first=SIDES)
    def change_roles(self, first: int) -> None:
        for side in (first, 1 - first):
            access = "replicationTarget" if side == self.source else "readWrite"
            call(self.arrays[side], "ModifyVolume", volumeID=1, access=access)
        self.source = 1 - self.source

    @rule(side=SIDES)
    def grow(self, side: int) -> None:
        assume(self.sizes[side] == GB)
        call(self.arrays[side], "ModifyVolume", volumeID=1, totalSize=2 * GB)
        self.sizes[side] = 2 * GB

    @rule()
    def snapshot(self) -> None:
        assume(len(self.marked) < SNAPSHOTS_MAX)
        taken = call(self.arrays[self.source], "CreateSnapshot", volumeID=1, enableRemoteReplication=True)["snapshot"]
        (self.marked[taken["snapshotUUID"]],) = self.numbers(self.source)

    @rule()
    def rest(self) -> None:
        """Given time and nothing in the way, the target is equal, and has every snapshot of one size."""
        for _ in range(3):
            self.clock.advance(SEND_S)
            self.pair(0)
        if self.expected(0) == {"Idle", "ResumingDataTransfer", "Active"}:
            found = self.pair(1)
            assert found is not None
            assert found["state"] == "Active"
            if self.mode != "SnapshotsOnly":
                assert self.numbers(1 - self.source) == self.numbers(self.source)
            ours, theirs = (
                {s.snapshot_uuid: s for s in self.arrays[side].snapshots} for side in (self.source, 1 - self.source)
            )
            for uuid, kept in ours.items():
                size = self.arrays[0].volumes[1].total_size
                if kept.total_size == size and len(theirs) < 32:
                    assert uuid in theirs

    @invariant()
    def a_target_holds_one_moment_of_its_source(self) -> None:
        for side in (0, 1):
            found = self.pair(side)
            assert found is None or found["state"] in self.expected(side)
        for side in (0, 1):
            (number,) = self.numbers(side)
            if number not in self.history[side]:
                assert number in self.history[1 - side]
                self.history[side].add(number)
        found = self.pair(0)
        if found and found["state"] == "Active" and self.mode == "Sync":
            assert self.numbers(0) == self.numbers(1)

    @invariant()
    def a_replica_is_what_its_snapshot_froze(self) -> None:
        for array in self.arrays:
            for kept in array.snapshots:
                number = self.marked[kept.snapshot_uuid].to_bytes(4)
                assert [kept.image.read(offset, 4) for offset in (0, FAR)] == [number, number]

    def teardown(self) -> None:
        """Whatever happened: once both volumes are purged, no block is held."""
        for array in self.arrays:
            call(array, "DeleteVolume", volumeID=1)
            call(array, "PurgeDeletedVolume", volumeID=1)
        for array in self.arrays:
            assert call(array, "ListVolumes") == {"volumes": []}
            assert array.blocks.used_blocks() == 0
            assert not [line for line in array.inventory() if "volume" in line]


PairMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPairMachine = PairMachine.TestCase
