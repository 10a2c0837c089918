"""Any order of calls, against a model that is a few dictionaries: what is listed, what it holds, who reaches it."""

import random
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.limits import LIMITS

GB = 1_000_000_000
ROUNDED = 1_000_341_504
CLONE_S = 100
PURGE_S = 8 * 3600
HOSTS = ("iqn.host-a", "iqn.host-b")
SMALL = {
    "snapshotsPerVolumeMax": 3,
    "volumeCountMax": 6,
    "volumesPerAccountCountMax": 5,
    "volumeAccessGroupsPerVolumeCountMax": 2,
    "volumeAccessGroupCountMax": 3,
    "cloneJobsPerNodeMax": 3,
}


@dataclass
class ModelVolume:
    """A volume as the model sees it: its first bytes stand for its contents."""

    account: int
    size: int
    content: bytes = bytes(4)
    deleted_at: float | None = None
    ready_at: float = 0.0
    source: int = 0
    source_snapshot: int = 0


@dataclass
class ModelSnapshot:
    volume: int
    size: int
    content: bytes
    ends_at: float | None = None


@dataclass
class ModelGroup:
    volumes: set[int] = field(default_factory=set)
    buried: set[int] = field(default_factory=set)
    hosts: set[str] = field(default_factory=set)


class ArrayMachine(RuleBasedStateMachine):
    """Every rule predicts success or the very error, makes the call, and changes the model only on success."""

    volumes: Bundle[int] = Bundle("volumes")
    snapshots: Bundle[int] = Bundle("snapshots")
    groups: Bundle[int] = Bundle("groups")

    @initialize()
    def begin(self) -> None:
        self.clock = VirtualClock()
        self.array = Array(
            clock=self.clock,
            journal=Journal(self.clock.time),
            blocks=BlockStore(),
            dice=random.Random(1),
            clone_time=Transition(seconds=CLONE_S),
            limits={**LIMITS, **SMALL},
        )
        for name in ("one", "two"):
            call(self.array, "AddAccount", username=name)
        self.of_volume: dict[int, ModelVolume] = {}
        self.of_snapshot: dict[int, ModelSnapshot] = {}
        self.of_group: dict[int, ModelGroup] = {}

    @property
    def now(self) -> float:
        return self.clock.time()

    def ask(self, expected: str, method: str, /, **params: Any) -> dict[str, Any] | None:
        """Make a call that must meet the predicted error, or none."""
        if not expected:
            return call(self.array, method, **params)
        with pytest.raises(ElementError) as refused:
            call(self.array, method, **params)
        assert refused.value.name == expected
        return None

    def jobs(self) -> list[ModelVolume]:
        return [v for v in self.of_volume.values() if v.ready_at > self.now and v.deleted_at is None]

    def missing(self, number: int, *, settled: bool = False) -> str:
        volume = self.of_volume.get(number)
        if volume is None or volume.deleted_at is not None:
            return "xVolumeIDDoesNotExist"
        return "xNotReadyForIO" if settled and volume.ready_at > self.now else ""

    def no_place(self, account: int) -> str:
        owned = sum(volume.account == account for volume in self.of_volume.values())
        full = len(self.of_volume) >= SMALL["volumeCountMax"] or owned >= SMALL["volumesPerAccountCountMax"]
        return "xMaxVolumeCountExceeded" if full else ""

    def snapshot_ids(self, volume: int) -> list[int]:
        return [number for number, snapshot in self.of_snapshot.items() if snapshot.volume == volume]

    def full_of_snapshots(self, volume: int) -> str:
        full = len(self.snapshot_ids(volume)) >= SMALL["snapshotsPerVolumeMax"]
        return "xMaxSnapshotsPerVolumeExceeded" if full else ""

    def foreign(self, volume: int, snapshot: int) -> str:
        own = snapshot in self.of_snapshot and self.of_snapshot[snapshot].volume == volume
        return "" if own else "xSnapshotIDDoesNotExist"

    @rule(target=volumes, account=st.sampled_from([1, 2]))
    def create(self, account: int) -> Any:
        expected = self.no_place(account)
        made = self.ask(expected, "CreateVolume", name="v", accountID=account, totalSize=GB)
        if made is None:
            return multiple()
        self.of_volume[made["volumeID"]] = ModelVolume(account, ROUNDED)
        return made["volumeID"]

    @rule(number=volumes, content=st.binary(min_size=4, max_size=4))
    def write(self, number: int, content: bytes) -> None:
        assume(not self.missing(number, settled=True))
        self.array.volumes[number].disk.write(0, content)
        self.of_volume[number].content = content

    @rule(number=volumes, size=st.sampled_from([GB, 2 * GB]))
    def resize(self, number: int, size: int) -> None:
        rounded = -(-size // 2**20) * 2**20
        expected = self.missing(number)
        if not expected and rounded < self.of_volume[number].size:
            expected = "xVolumeShrinkProhibited"
        if self.ask(expected, "ModifyVolume", volumeID=number, totalSize=size):
            self.of_volume[number].size = rounded

    @rule(number=volumes, account=st.sampled_from([1, 2]))
    def hand_over(self, number: int, account: int) -> None:
        expected = self.missing(number)
        owned = [n for n, volume in self.of_volume.items() if volume.account == account]
        if not expected and number not in owned and len(owned) >= SMALL["volumesPerAccountCountMax"]:
            expected = "xMaxVolumeCountExceeded"
        if self.ask(expected, "ModifyVolume", volumeID=number, accountID=account):
            self.of_volume[number].account = account

    @rule(number=volumes)
    def delete(self, number: int) -> None:
        if self.ask(self.missing(number), "DeleteVolume", volumeID=number) is None:
            return
        self.of_volume[number].deleted_at = self.now
        for group in self.of_group.values():
            if number in group.volumes:
                group.volumes.remove(number)
                group.buried.add(number)

    def not_deleted(self, number: int) -> str:
        if number not in self.of_volume:
            return "xVolumeIDDoesNotExist"
        return "xInvalidParameter" if self.of_volume[number].deleted_at is None else ""

    @rule(number=volumes)
    def restore(self, number: int) -> None:
        if self.ask(self.not_deleted(number), "RestoreDeletedVolume", volumeID=number) is None:
            return
        self.of_volume[number].deleted_at = None
        self.of_volume[number].ready_at = 0.0
        for group in self.of_group.values():
            if number in group.buried:
                group.buried.remove(number)
                group.volumes.add(number)

    @rule(number=volumes)
    def purge(self, number: int) -> None:
        if self.ask(self.not_deleted(number), "PurgeDeletedVolume", volumeID=number) is not None:
            self.gone(number)

    def gone(self, number: int) -> None:
        del self.of_volume[number]
        for snapshot in self.snapshot_ids(number):
            del self.of_snapshot[snapshot]
        for group in self.of_group.values():
            group.volumes.discard(number)
            group.buried.discard(number)

    @rule(target=snapshots, number=volumes, hours=st.sampled_from([0, 1, 9]))
    def snapshot(self, number: int, hours: int) -> Any:
        expected = self.missing(number, settled=True) or self.full_of_snapshots(number)
        retention = {"retention": f"{hours:02}:00:00"} if hours else {}
        made = self.ask(expected, "CreateSnapshot", volumeID=number, **retention)
        if made is None:
            return multiple()
        volume = self.of_volume[number]
        ends_at = self.now + hours * 3600 if hours else None
        self.of_snapshot[made["snapshotID"]] = ModelSnapshot(number, volume.size, volume.content, ends_at)
        return made["snapshotID"]

    @rule(number=snapshots)
    def drop_snapshot(self, number: int) -> None:
        expected = "" if number in self.of_snapshot else "xSnapshotIDDoesNotExist"
        if any(job.source_snapshot == number for job in self.jobs()):
            expected = expected or "xNotReadyForIO"
        if self.ask(expected, "DeleteSnapshot", snapshotID=number) is not None:
            del self.of_snapshot[number]

    @rule(target=snapshots, number=volumes, snapshot=snapshots, save=st.booleans())
    def roll_back(self, number: int, snapshot: int, *, save: bool) -> Any:
        expected = self.missing(number, settled=True) or self.foreign(number, snapshot)
        if save:
            expected = expected or self.full_of_snapshots(number)
        done = self.ask(expected, "RollbackToSnapshot", volumeID=number, snapshotID=snapshot, saveCurrentState=save)
        if done is None:
            return multiple()
        volume, frozen = self.of_volume[number], self.of_snapshot[snapshot]
        if save:
            self.of_snapshot[done["snapshotID"]] = ModelSnapshot(number, volume.size, volume.content)
        volume.size, volume.content = frozen.size, frozen.content
        return done["snapshotID"] if save else multiple()

    @rule(target=volumes, number=volumes, snapshot=snapshots | st.just(0), account=st.sampled_from([1, 2]))
    def clone(self, number: int, snapshot: int, account: int) -> Any:
        expected = self.missing(number, settled=True)
        if snapshot:
            expected = expected or self.foreign(number, snapshot)
        expected = expected or self.no_place(account)
        if sum(job.source == number for job in self.jobs()) >= LIMITS["cloneJobsPerVolumeMax"]:
            expected = expected or "xMaxClonesPerVolumeExceeded"
        if len(self.jobs()) >= SMALL["cloneJobsPerNodeMax"]:
            expected = expected or "xMaxClonesPerNodeExceeded"
        made = self.ask(expected, "CloneVolume", volumeID=number, snapshotID=snapshot, name="c", newAccountID=account)
        if made is None:
            return multiple()
        origin = self.of_snapshot[snapshot] if snapshot else self.of_volume[number]
        self.of_volume[made["volumeID"]] = ModelVolume(
            account, origin.size, origin.content, ready_at=self.now + CLONE_S, source=number, source_snapshot=snapshot
        )
        return made["volumeID"]

    @rule(target=groups, host=st.sampled_from(HOSTS) | st.none())
    def create_group(self, host: str | None) -> Any:
        taken = host and any(host in group.hosts for group in self.of_group.values())
        full = len(self.of_group) >= SMALL["volumeAccessGroupCountMax"]
        hosts = [host] if host else []
        made = self.ask(
            "xExceededLimit" if taken or full else "", "CreateVolumeAccessGroup", name="g", initiators=hosts
        )
        if made is None:
            return multiple()
        self.of_group[made["volumeAccessGroupID"]] = ModelGroup(hosts=set(hosts))
        return made["volumeAccessGroupID"]

    @rule(number=consumes(groups))
    def drop_group(self, number: int) -> None:
        assert self.ask("", "DeleteVolumeAccessGroup", volumeAccessGroupID=number) == {}
        del self.of_group[number]

    @rule(number=groups, volume=volumes)
    def add_volume(self, number: int, volume: int) -> None:
        expected = self.missing(volume)
        if not expected and volume in self.of_group[number].volumes:
            expected = "xAlreadyInVolumeAccessGroup"
        memberships = sum(volume in group.volumes for group in self.of_group.values())
        if not expected and memberships >= SMALL["volumeAccessGroupsPerVolumeCountMax"]:
            expected = "xExceededLimit"
        method = "AddVolumesToVolumeAccessGroup"
        if self.ask(expected, method, volumeAccessGroupID=number, volumes=[volume]):
            self.of_group[number].volumes.add(volume)

    @rule(number=groups, volume=volumes)
    def remove_volume(self, number: int, volume: int) -> None:
        group = self.of_group[number]
        expected = "" if volume in group.volumes | group.buried else "xNotInVolumeAccessGroup"
        if volume not in self.of_volume:
            expected = "xVolumeIDDoesNotExist"
        if self.ask(expected, "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=number, volumes=[volume]):
            group.volumes.discard(volume)
            group.buried.discard(volume)

    @rule(number=groups, host=st.sampled_from(HOSTS))
    def add_host(self, number: int, host: str) -> None:
        expected = ""
        if any(host in group.hosts for group in self.of_group.values()):
            own = host in self.of_group[number].hosts
            expected = "xAlreadyInVolumeAccessGroup" if own else "xExceededLimit"
        if self.ask(
            expected, "AddInitiatorsToVolumeAccessGroup", volumeAccessGroupID=number, initiators=[host.upper()]
        ):
            self.of_group[number].hosts.add(host)

    @rule(number=groups, host=st.sampled_from(HOSTS))
    def remove_host(self, number: int, host: str) -> None:
        expected = "" if host in self.of_group[number].hosts else "xNotInVolumeAccessGroup"
        if self.ask(expected, "RemoveInitiatorsFromVolumeAccessGroup", volumeAccessGroupID=number, initiators=[host]):
            self.of_group[number].hosts.discard(host)

    @rule(seconds=st.sampled_from([1, CLONE_S, 3600, PURGE_S]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        for number, volume in list(self.of_volume.items()):
            if volume.deleted_at is not None and self.now >= volume.deleted_at + PURGE_S:
                self.gone(number)
        being_read = {job.source_snapshot for job in self.jobs()}
        for number, snapshot in list(self.of_snapshot.items()):
            if snapshot.ends_at is not None and self.now >= snapshot.ends_at and number not in being_read:
                del self.of_snapshot[number]

    @invariant()
    def the_lists_agree(self) -> None:
        listed = {row["volumeID"]: row for row in call(self.array, "ListVolumes")["volumes"]}
        assert {n: (row["accountID"], row["totalSize"], row["status"]) for n, row in listed.items()} == {
            n: (v.account, v.size, "active" if v.deleted_at is None else "deleted") for n, v in self.of_volume.items()
        }
        snapshots = {row["snapshotID"]: row for row in call(self.array, "ListSnapshots")["snapshots"]}
        assert {n: (row["volumeID"], row["totalSize"]) for n, row in snapshots.items()} == {
            n: (snapshot.volume, snapshot.size) for n, snapshot in self.of_snapshot.items()
        }
        for account in (1, 2):
            owned = [n for n, volume in sorted(self.of_volume.items()) if volume.account == account]
            assert call(self.array, "GetAccountByID", accountID=account)["account"]["volumes"] == owned
            assert [
                row["volumeID"] for row in call(self.array, "ListVolumesForAccount", accountID=account)["volumes"]
            ] == owned
        assert self.array.provisioned_bytes == sum(volume.size for volume in self.of_volume.values())

    @invariant()
    def the_groups_agree(self) -> None:
        listed = call(self.array, "ListVolumeAccessGroups")["volumeAccessGroups"]
        assert {
            row["volumeAccessGroupID"]: (row["volumes"], row["deletedVolumes"], set(row["initiators"]))
            for row in listed
        } == {n: (sorted(g.volumes), sorted(g.buried), g.hosts) for n, g in self.of_group.items()}
        for number, volume in self.of_volume.items():
            own = [n for n, group in sorted(self.of_group.items()) if number in group.volumes]
            assert self.array.volumes[number].row.volume_access_groups == own
            for host in HOSTS:
                reachable = volume.ready_at <= self.now and any(host in self.of_group[n].hosts for n in own)
                assert self.array.accessible(initiator=host, target=self.array.volumes[number].row.iqn) is reachable

    @invariant()
    def the_contents_agree(self) -> None:
        for number, volume in self.of_volume.items():
            assert self.array.volumes[number].disk.read(0, 4) == volume.content
            assert self.array.volumes[number].disk.size_bytes == volume.size
        for number, snapshot in self.of_snapshot.items():
            assert self.array.image_of_snapshot(number).read(0, 4) == snapshot.content

    def teardown(self) -> None:
        """Whatever happened: once every volume is purged, no block is held."""
        self.clock.advance(CLONE_S)
        for number in list(self.array.volumes.numbers()):
            if self.array.volumes[number].active:
                call(self.array, "DeleteVolume", volumeID=number)
        self.clock.advance(PURGE_S)
        assert call(self.array, "ListVolumes") == {"volumes": []}
        assert self.array.blocks.used_blocks() == 0


ArrayMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestArrayMachine = ArrayMachine.TestCase
