"""Any order of calls on group snapshots, QoS policies, initiators and LUNs, against a model of a few dictionaries.

Every refused call must have the predicted name and leave the fingerprint of the cluster as it was.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule
from hypothesis.stateful import run_state_machine_as_test as run

GB = 1_000_000_000
VOLUMES = (1, 2, 3)
GROUPS = (1, 2)
HOSTS = ("iqn.host-a", "iqn.host-b", "iqn.host-c")
SMALL = {
    "snapshotsPerVolumeMax": 3,
    "qosPolicyCountMax": 3,
    "initiatorCountMax": 3,
    "initiatorsPerVolumeAccessGroupCountMax": 1,
    "volumesPerGroupSnapshotMax": 2,
}
NONE_SUCH = 99

some_volumes = st.lists(st.sampled_from(VOLUMES), min_size=1, max_size=2, unique=True) | st.lists(
    st.sampled_from(VOLUMES), max_size=3
)
rates = st.dictionaries(
    st.sampled_from(["minIOPS", "maxIOPS", "burstIOPS"]),
    st.sampled_from([49, 50, 100, 400, 15_000, 200_001]),
    max_size=3,
)
BOUNDS = {"minIOPS": (50, 15_000), "maxIOPS": (100, 200_000), "burstIOPS": (100, 200_000)}
DEFAULT = {"minIOPS": 50, "maxIOPS": 15_000, "burstIOPS": 15_000}


@dataclass
class ModelVolume:
    content: bytes = bytes(2)
    deleted: bool = False
    qos: dict[str, int] = field(default_factory=lambda: dict(DEFAULT))
    policy: int | None = None


@dataclass
class ModelSnapshot:
    volume: int
    content: bytes
    group: int = 0


@dataclass
class ModelInitiator:
    name: str
    group: int = 0
    alias: str = ""


@dataclass
class ModelAccess:
    luns: dict[int, int] = field(default_factory=dict)
    buried: dict[int, int] = field(default_factory=dict)


def merged(base: dict[str, int], given: dict[str, int]) -> dict[str, int] | None:
    """The QoS that comes out, or None where it is refused."""
    result = {**base, **given}
    bounded = all(BOUNDS[name][0] <= rate <= BOUNDS[name][1] for name, rate in given.items())
    ordered = result["minIOPS"] <= result["maxIOPS"] <= result["burstIOPS"]
    return result if not given or (bounded and ordered) else None


class Machine(RuleBasedStateMachine):
    """Every rule predicts success or the very error, makes the call, and changes the model only on success."""

    def __init__(self, world: Any) -> None:
        super().__init__()
        self.world = world
        world.array.limits = {**world.array.limits, **SMALL}

    @initialize()
    def begin(self) -> None:
        account = self.world.account()
        for _ in VOLUMES:
            self.world.volume(account)
        for _ in GROUPS:
            self.world.result("CreateVolumeAccessGroup", name="g")
        self.of_volume = {number: ModelVolume() for number in VOLUMES}
        self.of_access = {number: ModelAccess() for number in GROUPS}
        self.of_snapshot: dict[int, ModelSnapshot] = {}
        self.names: dict[int, str] = {}
        self.of_policy: dict[int, dict[str, int]] = {}
        self.of_initiator: dict[int, ModelInitiator] = {}

    def ask(self, expected: str, method: str, /, **params: Any) -> dict[str, Any] | None:
        """Make a call that must meet the predicted error, having changed nothing, or none."""
        if not expected:
            found: dict[str, Any] = self.world.result(method, **params)
            return found
        before = self.world.fingerprint()
        assert self.world.error(method, **params) == expected
        assert self.world.fingerprint() == before
        return None

    def missing(self, volumes: list[int]) -> str:
        return "xVolumeIDDoesNotExist" if any(self.of_volume[number].deleted for number in volumes) else ""

    @rule(number=st.sampled_from(VOLUMES), rarely=st.sampled_from([False, False, False, True]))
    def delete_or_restore(self, number: int, *, rarely: bool) -> None:
        volume = self.of_volume[number]
        if not rarely and not volume.deleted:
            return
        self.ask("", "RestoreDeletedVolume" if volume.deleted else "DeleteVolume", volumeID=number)
        for access in self.of_access.values():
            here, there = (access.buried, access.luns) if volume.deleted else (access.luns, access.buried)
            if number in here:
                there[number] = here.pop(number)
        volume.deleted = not volume.deleted


class GroupSnapshotMachine(Machine):
    """Snapshots of several volumes, and what becomes of their groups."""

    snapshots: Bundle[int] = Bundle("snapshots")
    group_snapshots: Bundle[int] = Bundle("group_snapshots")

    def members(self, group: int) -> list[int]:
        return [number for number, snapshot in self.of_snapshot.items() if snapshot.group == group]

    def no_place(self, volumes: list[int]) -> str:
        taken = [snapshot.volume for snapshot in self.of_snapshot.values()]
        full = any(taken.count(number) >= SMALL["snapshotsPerVolumeMax"] for number in volumes)
        return "xMaxSnapshotsPerVolumeExceeded" if full else ""

    @rule(number=st.sampled_from(VOLUMES), content=st.binary(min_size=2, max_size=2))
    def write(self, number: int, content: bytes) -> None:
        self.world.write(number, 0, content)
        self.of_volume[number].content = content

    def entered(self, made: dict[str, Any]) -> int:
        """Note a new group snapshot and compare what the call told of it."""
        group: int = made["groupSnapshotID"]
        for member in made["members"]:
            content = self.of_volume[member["volumeID"]].content
            self.of_snapshot[member["snapshotID"]] = ModelSnapshot(member["volumeID"], content, group)
        self.names[group] = made["groupSnapshot"]["name"]
        return group

    @rule(target=group_snapshots, volumes=some_volumes)
    def take(self, volumes: list[int]) -> Any:
        expected = "xExceededLimit" if len(volumes) > SMALL["volumesPerGroupSnapshotMax"] else ""
        if not volumes or len(set(volumes)) < len(volumes):
            expected = expected or "xInvalidParameter"
        expected = expected or self.missing(volumes) or self.no_place(volumes)
        made = self.ask(expected, "CreateGroupSnapshot", volumes=volumes, name="taken")
        if made is None:
            return multiple()
        assert [member["volumeID"] for member in made["members"]] == volumes
        return self.entered(made)

    @rule(target=snapshots, group=group_snapshots)
    def pick(self, group: int) -> Any:
        return multiple(*self.members(group))

    @rule(number=snapshots)
    def delete_member(self, number: int) -> None:
        expected = "" if number in self.of_snapshot else "xSnapshotIDDoesNotExist"
        if self.ask(expected, "DeleteSnapshot", snapshotID=number) is not None:
            del self.of_snapshot[number]

    @rule(group=group_snapshots, save=st.booleans())
    def delete_group(self, group: int, *, save: bool) -> None:
        members = self.members(group)
        expected = "" if members else "xGroupSnapshotDoesNotExist"
        if self.ask(expected, "DeleteGroupSnapshot", groupSnapshotID=group, saveMembers=save) is None:
            return
        for number in members:
            if save:
                self.of_snapshot[number].group = 0
            else:
                del self.of_snapshot[number]

    @rule(target=group_snapshots, group=group_snapshots, save=st.booleans())
    def roll_back(self, group: int, *, save: bool) -> Any:
        frozen = [self.of_snapshot[number] for number in self.members(group)]
        volumes = [snapshot.volume for snapshot in frozen]
        expected = ("" if frozen else "xGroupSnapshotDoesNotExist") or self.missing(volumes)
        expected = expected or (self.no_place(volumes) if save else "")
        done = self.ask(expected, "RollbackToGroupSnapshot", groupSnapshotID=group, saveCurrentState=save)
        if done is None:
            return multiple()
        saved = multiple(self.entered(done)) if save else multiple()
        for snapshot in frozen:
            self.of_volume[snapshot.volume].content = snapshot.content
        return saved

    @invariant()
    def the_groups_agree(self) -> None:
        groups = {row["groupSnapshotID"]: row for row in self.world.result("ListGroupSnapshots")["groupSnapshots"]}
        told = {number: [member["snapshotID"] for member in row["members"]] for number, row in groups.items()}
        assert told == {
            group: self.members(group) for group in sorted({s.group for s in self.of_snapshot.values()} - {0})
        }
        assert all(row["name"] == self.names[number] for number, row in groups.items())
        rows = {row["snapshotID"]: row for row in self.world.result("ListSnapshots")["snapshots"]}
        assert {n: (row["volumeID"], row["groupID"]) for n, row in rows.items()} == {
            n: (snapshot.volume, snapshot.group) for n, snapshot in self.of_snapshot.items()
        }
        for number, volume in self.of_volume.items():
            assert self.world.content(number, 0, 2) == volume.content
        for number, snapshot in self.of_snapshot.items():
            assert self.world.array.image_of_snapshot(number).read(0, 2) == snapshot.content


class PolicyMachine(Machine):
    """Policies, those that follow them, and volumes with a QoS of their own."""

    policies: Bundle[int] = Bundle("policies")

    @rule(target=policies, given=rates)
    def create_policy(self, given: dict[str, int]) -> Any:
        qos = merged(DEFAULT, given)
        expected = "" if qos else "xInvalidParameter"
        if len(self.of_policy) >= SMALL["qosPolicyCountMax"]:
            expected = expected or "xExceededLimit"
        made = self.ask(expected, "CreateQoSPolicy", name="p", qos=given)
        if made is None or qos is None:
            return multiple()
        self.of_policy[made["qosPolicy"]["qosPolicyID"]] = qos
        return made["qosPolicy"]["qosPolicyID"]

    @rule(number=policies, given=rates)
    def modify_policy(self, number: int, given: dict[str, int]) -> None:
        qos = merged(self.of_policy[number], given) if number in self.of_policy else None
        expected = "" if qos else "xInvalidParameter"
        expected = expected if number in self.of_policy else "xQoSPolicyDoesNotExist"
        if self.ask(expected, "ModifyQoSPolicy", qosPolicyID=number, qos=given) and qos:
            self.of_policy[number] = qos
            for volume in self.of_volume.values():
                volume.qos = qos if volume.policy == number else volume.qos

    @rule(number=policies)
    def delete_policy(self, number: int) -> None:
        expected = "" if number in self.of_policy else "xQoSPolicyDoesNotExist"
        if self.ask(expected, "DeleteQoSPolicy", qosPolicyID=number) is not None:
            del self.of_policy[number]
            for volume in self.of_volume.values():
                volume.policy = None if volume.policy == number else volume.policy

    @rule(volumes=some_volumes.filter(bool), number=policies, associate=st.sampled_from([None, True, False]))
    def follow(self, volumes: list[int], number: int, *, associate: bool | None) -> None:
        expected = self.missing(volumes) or ("" if number in self.of_policy else "xQoSPolicyDoesNotExist")
        told = {"qosPolicyID": number, "associateWithQoSPolicy": associate}
        if self.ask(expected, "ModifyVolumes", volumeIDs=volumes, **told):
            for volume in volumes:
                self.of_volume[volume].qos = self.of_policy[number]
                self.of_volume[volume].policy = None if associate is False else number

    @rule(number=st.sampled_from(VOLUMES), given=rates)
    def set_qos(self, number: int, given: dict[str, int]) -> None:
        volume = self.of_volume[number]
        qos = merged(volume.qos, given)
        expected = self.missing([number]) or ("" if qos else "xInvalidParameter")
        if self.ask(expected, "ModifyVolume", volumeID=number, qos=given) and qos:
            volume.qos = qos
            volume.policy = None if given else volume.policy

    @invariant()
    def the_policies_agree(self) -> None:
        rows = self.world.result("ListQoSPolicies")["qosPolicies"]
        assert {row["qosPolicyID"]: row["volumeIDs"] for row in rows} == {
            n: [number for number, volume in self.of_volume.items() if volume.policy == n] for n in self.of_policy
        }
        for row in self.world.result("ListVolumes")["volumes"]:
            volume = self.of_volume[row["volumeID"]]
            assert {name: row["qos"][name] for name in BOUNDS} == volume.qos
            assert row["qosPolicyID"] == volume.policy


class InitiatorMachine(Machine):
    """Initiators, their groups, and the LUNs under which they see volumes."""

    initiators: Bundle[int] = Bundle("initiators")

    def crowded(self, groups: list[int]) -> str:
        """Whether so many more initiators, each named by its group or 0, do not fit into the groups."""
        held = [initiator.group for initiator in self.of_initiator.values()]
        most = SMALL["initiatorsPerVolumeAccessGroupCountMax"]
        full = any(group and held.count(group) + groups.count(group) > most for group in groups)
        return "xExceededLimit" if full else ""

    @rule(
        target=initiators,
        hosts=st.lists(st.sampled_from(HOSTS), min_size=1, max_size=2),
        group=st.sampled_from([0, 1, 2, NONE_SUCH]),
    )
    def create_initiators(self, hosts: list[str], group: int) -> Any:
        known = [initiator.name for initiator in self.of_initiator.values()]
        expected = "xInitiatorExists" if len(set(hosts + known)) < len(hosts + known) else ""
        if len(self.of_initiator) + len(hosts) > SMALL["initiatorCountMax"]:
            expected = expected or "xExceededLimit"
        if group == NONE_SUCH:
            expected = expected or "xVolumeAccessGroupIDDoesNotExist"
        expected = expected or self.crowded([group] * len(hosts))
        told = [{"name": host.upper(), "volumeAccessGroupID": group or None} for host in hosts]
        made = self.ask(expected, "CreateInitiators", initiators=told)
        if made is None:
            return multiple()
        for row in made["initiators"]:
            self.of_initiator[row["initiatorID"]] = ModelInitiator(row["initiatorName"], group)
        return multiple(*(row["initiatorID"] for row in made["initiators"]))

    @rule(number=initiators, group=st.sampled_from([0, 1, 2]), alias=st.sampled_from(["", "db", "x" * 225]))
    def modify_initiator(self, number: int, group: int, alias: str) -> None:
        initiator = self.of_initiator.get(number)
        expected = "" if initiator else "xInitiatorDoesNotExist"
        expected = expected or ("xInvalidParameter" if len(alias) > 224 else "")
        if initiator and group != initiator.group:
            expected = expected or self.crowded([group])
        told = {"initiatorID": number, "volumeAccessGroupID": group or None, "alias": alias}
        if self.ask(expected, "ModifyInitiators", initiators=[told]) and initiator:
            initiator.group, initiator.alias = group or initiator.group, alias or initiator.alias

    @rule(numbers=st.lists(initiators, min_size=1, max_size=2))
    def delete_initiators(self, numbers: list[int]) -> None:
        expected = "" if all(number in self.of_initiator for number in numbers) else "xInitiatorDoesNotExist"
        if len(set(numbers)) < len(numbers):
            expected = expected or "xInvalidParameter"
        if self.ask(expected, "DeleteInitiators", initiators=numbers) is not None:
            for number in numbers:
                del self.of_initiator[number]

    @rule(group=st.sampled_from(GROUPS), host=st.sampled_from(HOSTS), keep=st.booleans())
    def remove_host(self, group: int, host: str, *, keep: bool) -> None:
        held = [number for number, known in self.of_initiator.items() if (known.name, known.group) == (host, group)]
        told = {"initiators": [host], "deleteOrphanInitiators": not keep}
        expected = "" if held else "xNotInVolumeAccessGroup"
        if self.ask(expected, "RemoveInitiatorsFromVolumeAccessGroup", volumeAccessGroupID=group, **told):
            self.of_initiator[held[0]].group = 0
            if not keep:
                del self.of_initiator[held[0]]

    @rule(group=st.sampled_from(GROUPS), number=st.sampled_from(VOLUMES))
    def grant_or_revoke(self, group: int, number: int) -> None:
        access = self.of_access[group]
        if number in access.luns or number in access.buried:
            self.ask("", "RemoveVolumesFromVolumeAccessGroup", volumeAccessGroupID=group, volumes=[number])
            access.luns.pop(number, None)
            access.buried.pop(number, None)
        elif self.ask(
            self.missing([number]), "AddVolumesToVolumeAccessGroup", volumeAccessGroupID=group, volumes=[number]
        ):
            taken = {*access.luns.values(), *access.buried.values()}
            access.luns[number] = min(set(range(len(VOLUMES) + 1)) - taken)

    @rule(
        group=st.sampled_from(GROUPS),
        wanted=st.dictionaries(st.sampled_from(VOLUMES), st.sampled_from([0, 1, 2, 3, -1]), min_size=1, max_size=2),
    )
    def assign(self, group: int, wanted: dict[int, int]) -> None:
        access = self.of_access[group]
        expected = ""
        for number, lun in wanted.items():
            if number not in access.luns:
                expected = expected or "xNotInVolumeAccessGroup"
            expected = expected or ("xInvalidParameter" if lun < 0 else "")
        after = [*{**access.luns, **wanted}.values(), *access.buried.values()]
        expected = expected or ("xInvalidParameter" if len(set(after)) < len(after) else "")
        told = [{"volumeID": number, "lun": lun} for number, lun in wanted.items()]
        if self.ask(expected, "ModifyVolumeAccessGroupLunAssignments", volumeAccessGroupID=group, lunAssignments=told):
            access.luns.update(wanted)

    @invariant()
    def the_initiators_agree(self) -> None:
        rows = self.world.result("ListInitiators")["initiators"]
        assert {
            row["initiatorID"]: (row["initiatorName"], row["alias"], row["volumeAccessGroups"]) for row in rows
        } == {n: (known.name, known.alias, [known.group] * bool(known.group)) for n, known in self.of_initiator.items()}

    @invariant()
    def the_luns_agree(self) -> None:
        for number, access in self.of_access.items():
            told = self.world.result("GetVolumeAccessGroupLunAssignments", volumeAccessGroupID=number)
            shown = told["volumeAccessGroupLunAssignments"]
            assert {row["volumeID"]: row["lun"] for row in shown["lunAssignments"]} == access.luns
            assert {row["volumeID"]: row["lun"] for row in shown["deletedLunAssignments"]} == access.buried


@pytest.mark.parametrize(
    ("machine", "examples"), [(GroupSnapshotMachine, 30), (PolicyMachine, 70), (InitiatorMachine, 30)]
)
def test_any_order_of_calls_agrees_with_the_model(world_maker: Any, machine: type[Machine], examples: int) -> None:
    rarely_something_there = [HealthCheck.filter_too_much]
    chosen = settings(
        max_examples=examples, stateful_step_count=30, deadline=None, suppress_health_check=rarely_something_there
    )
    run(lambda: machine(world_maker()), settings=chosen)  # type: ignore[arg-type]  # any maker of machines will do
