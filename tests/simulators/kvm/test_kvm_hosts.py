"""KVM hosts: devices by path, no repository, no re-signing, no snapshot of their own, and a door for agents."""

import base64
import errno
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.blocks import BlockStore, BlockVolume
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.fabric import LoginRefusedError
from snapproof.simulators.faults import AnswerLostError, UnfitFaultError, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.kvm.hosts import PORTAL, GuestStoppedError, KvmHosts
from snapproof.simulators.kvm.state import CommandError, by_path
from snapproof.simulators.kvm.wire import DIALECT, Endpoint
from snapproof.simulators.seam import Seam

MIB = 2**20
A, B = "iqn.2010-01.com.array:a", "iqn.2010-01.com.array:b"


class Fabric:
    """Targets, and hosts that are locked out of them."""

    def __init__(self) -> None:
        self.luns: dict[str, BlockVolume] = {}
        self.closed: set[str] = set()

    def login(self, *, initiator: str, target: str) -> BlockVolume:
        if not self.accessible(initiator=initiator, target=target):
            raise LoginRefusedError(f"{target} does not know {initiator}")
        return self.luns[target]

    def accessible(self, *, initiator: str, target: str) -> bool:
        return target in self.luns and target not in self.closed


class World:
    """Two hosts, a fabric and a door."""

    def __init__(self) -> None:
        self.fabric = Fabric()
        self.journal = Journal(VirtualClock().time)
        self.seam = Seam(self.journal, dialects={"kvm": DIALECT})
        self.hosts = KvmHosts(journal=self.journal, fabric=self.fabric, dice=random.Random(1))
        self.door = Endpoint(self.hosts, username="agent", password="hush-hush", seam=self.seam)
        self.fabric.luns[A] = BlockStore().create(8 * MIB)

    def run(self, *words: str, host: int = 0) -> str:
        return self.hosts.run(host, words)

    def node(self, target: str, *options: str, host: int = 0) -> str:
        return self.run("iscsiadm", "-m", "node", "-T", target, "-p", PORTAL, *options, host=host)

    def posted(self, body: Any, **headers: str) -> tuple[int, Any]:
        login = base64.b64encode(b"agent:hush-hush").decode()
        octets = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, kind, answer = self.door("POST", "/run", {"authorization": f"Basic {login}"} | headers, octets)
        return status, json.loads(answer) if kind["content-type"] == "application/json" else answer


@pytest.fixture
def world() -> World:
    return World()


def failure(world: World, *words: str) -> CommandError:
    with pytest.raises(CommandError) as failed:
        world.run(*words)
    return failed.value


def test_a_lun_is_a_device_by_path_once_the_host_is_logged_in(world: World) -> None:
    world.node(A, "-o", "new")
    world.node(A, "-o", "update", "-n", "node.session.auth.password", "-v", "chap-hush-hush")
    path = by_path(PORTAL, A)
    assert path == f"/dev/disk/by-path/ip-192.0.2.200:3260-iscsi-{A}-lun-0"
    assert failure(world, "blockdev", "--getsize64", path).code == 1
    for _ in range(2):
        world.node(A, "--login")
    assert world.run("blockdev", "--getsize64", path) == f"{8 * MIB}\n"
    assert path in world.run("iscsiadm", "-m", "session")
    assert failure(world, "blockdev", "--getsize64", path.replace(A, B)).code == 1
    world.node(A, "--logout")
    world.node(A, "-o", "delete")
    assert world.hosts.inventory() == ()
    told = "".join(entry.line() for entry in world.journal)
    assert "chap-hush-hush" not in told


def test_only_the_host_that_logs_in_sees_the_device(world: World) -> None:
    world.node(A, "-o", "new")
    world.node(A, "--login")
    with pytest.raises(CommandError, match="No such file"):
        world.run("blockdev", "--getsize64", by_path(PORTAL, A), host=1)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("iscsiadm", "-m", "node", "-T", A, "-p", PORTAL, "--login"), 21),
        (("iscsiadm", "-m", "node", "-T", A, "-p", PORTAL, "-o", "delete"), 21),
        (("iscsiadm", "-m", "discovery"), 7),
        (("iscsiadm", "--frobnicate"), 7),
        (("blockdev", "--setro", "/dev/sda"), 7),
        (("virsh", "start", "nobody"), 1),
        (("virsh", "frobnicate", "x"), 1),
        (("virsh",), 1),
        (("rm", "-rf", "/"), 127),
        ((), 127),
    ],
)
def test_what_cannot_be_done_ends_with_the_programs_own_code(world: World, words: tuple[str, ...], code: int) -> None:
    assert failure(world, *words).code == code
    assert world.hosts.inventory() == ()


def test_a_host_that_the_array_does_not_know_is_not_logged_in(world: World) -> None:
    world.node(B, "-o", "new")
    with pytest.raises(CommandError, match="does not know") as failed:
        world.node(B, "--login")
    assert failed.value.code == 24
    with pytest.raises(CommandError) as missing:
        world.node(B, "--logout")
    assert missing.value.code == 21


def test_a_clone_is_usable_at_once_beside_its_parent(world: World) -> None:
    """No repository, hence no identity that could clash, and nothing to re-sign (section 3.6)."""
    parent = world.hosts.start_guest(target=A, size_bytes=MIB, name="web")
    parent.write(7, b"the parent's")
    world.fabric.luns[B] = world.fabric.luns[A].snapshot().clone()
    clone = world.hosts.start_guest(target=B, size_bytes=MIB, name="clone")
    clone.write(7, b"the clone's!")
    assert (parent.read(7, 12), clone.read(7, 12)) == (b"the parent's", b"the clone's!")
    assert world.fabric.luns[A].read(7, 12) == b"the parent's", "the LUN is the disk, byte for byte"
    for guest in (parent, clone):
        world.hosts.stop_guest(guest)
    assert world.hosts.inventory() == ()
    with pytest.raises(GuestStoppedError):
        parent.read(0, 1)


def test_a_snapshot_is_the_arrays_business(world: World) -> None:
    world.hosts.start_guest(target=A, size_bytes=MIB, name="web")
    assert "unsupported for storage type raw" in failure(world, "virsh", "snapshot-create-as", "web").said


def test_a_disk_is_attached_once_and_detached_by_its_name(world: World) -> None:
    guest = world.hosts.start_guest(target=A, size_bytes=MIB, name="web")
    path = by_path(PORTAL, A)
    assert world.run("virsh", "domblklist", "web").splitlines() == [
        f" Target   {'Source':{len(path)}}",
        "-" * (len(path) + 10),
        f" vda      {path}",
        "",
    ]
    assert "already exists" in failure(world, "virsh", "attach-disk", "web", path, "vda").said
    assert "in use" in failure(world, "virsh", "attach-disk", "web", path, "vdb").said
    assert "is not valid" in failure(world, "virsh", "undefine", "web").said
    assert failure(world, "virsh", "attach-disk", "web", path).code == 7
    world.run("virsh", "destroy", "web")
    world.run("virsh", "detach-disk", "web", "vda")
    assert failure(world, "virsh", "detach-disk", "web", "vda").code == 1
    assert world.run("virsh", "list", "--all", "--name") == "web\n\n"
    assert guest.name == "web"


def test_machines_are_listed_while_they_run_or_all_of_them(world: World) -> None:
    world.hosts.start_guest(target=A, size_bytes=MIB, name="web")
    world.run("virsh", "define", "spare")
    assert world.run("virsh", "list", "--name") == "web\n\n"
    assert [line.split() for line in world.run("virsh", "list", "--all").splitlines()] == [
        ["Id", "Name", "State"],
        ["-" * 22],
        ["1", "web", "running"],
        ["-", "spare", "shut", "off"],
        [],
    ]
    assert (
        failure(world, "virsh", "list", "--all", "--uuid").said == "error: command 'list' doesn't support option --uuid"
    )


def test_a_guest_whose_volume_left_its_access_group_meets_io_errors_at_once(world: World) -> None:
    guest = world.hosts.start_guest(target=A, size_bytes=MIB, name="web")
    world.fabric.closed.add(A)
    for touch in (lambda: guest.read(0, 1), lambda: guest.write(0, b"x")):
        with pytest.raises(OSError, match="lost") as failed:
            touch()
        assert failed.value.errno == errno.EIO


def test_a_lun_that_is_too_small_runs_no_guest(world: World) -> None:
    with pytest.raises(ValueError, match="the guest needs"):
        world.hosts.start_guest(target=A, size_bytes=9 * MIB, name="web")


def test_an_agent_does_what_its_server_says_and_nobody_else(world: World) -> None:
    assert world.posted({"host": 0, "command": ["virsh", "list"]}) == (
        200,
        {"code": 0, "stdout": " Id   Name   State\n------------------\n\n", "stderr": ""},
    )
    login = {"authorization": "Basic " + base64.b64encode(b"agent:hush-hush").decode()}
    assert json.loads(world.door("GET", "/hosts", login, b"")[2]) == {"hosts": ["kvm-host-1", "kvm-host-2"]}
    assert world.door("GET", "/hosts", {}, b"")[0] == 401
    status, answer = world.posted({"host": 1, "command": ["rm", "-rf", "/"]})
    assert (status, answer["code"], answer["stderr"]) == (200, 127, "rm: command not found\n")
    assert world.posted({"host": 0, "command": []}, authorization="Basic eDp5")[0] == 401
    assert world.posted({"host": 2, "command": []})[0] == 404
    assert world.posted({"host": -1, "command": []})[0] == 404
    assert world.door("GET", "/", {}, b"")[0] == 404


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60) | st.text(alphabet='{}[]",:hostcmand01', max_size=60).map(str.encode))
def test_any_bytes_are_answered_and_change_nothing(world: World, body: bytes) -> None:
    assert world.posted(body)[0] in {200, 400, 404}
    assert world.hosts.inventory() == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(["iscsiadm", "virsh", "-m", "node", "-T", A, "-o", "new", "--login", "x", "-h"])))
def test_any_command_ends(world: World, words: list[str]) -> None:
    assert world.posted({"host": 0, "command": words})[0] == 200


def test_faults_strike_commands_by_their_program(world: World) -> None:
    listing = {"host": 0, "command": ["virsh", "list"]}
    world.seam.arm_next("kvm.virsh", fault_named("refused:77"))
    assert world.posted(listing)[1]["code"] == 77
    world.seam.arm_next("kvm.virsh", fault_named("http500_before"))
    assert world.posted(listing)[0] == 500
    world.seam.arm_next("kvm.iscsiadm", fault_named("lost_after"))
    with pytest.raises(AnswerLostError):
        world.posted({"host": 0, "command": ["iscsiadm", "-m", "node", "-T", A, "-p", PORTAL, "-o", "new"]})
    assert world.hosts.inventory() == (f"node kvm-host-1 {A}",)
    world.seam.arm_next("kvm.virsh", fault_named("truncated"))
    with pytest.raises(AnswerLostError):
        world.posted(listing)
    with pytest.raises(UnfitFaultError, match="1 to 255"):
        world.seam.arm_next("kvm.virsh", fault_named("refused:xBusy"))
