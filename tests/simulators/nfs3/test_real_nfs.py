"""Clients and a server that others wrote: libnfs and its tools at our door, and NFS-Ganesha in our server's place.

The reference takes, restores and deletes backups over both servers, its mount replaced by libnfs.
"""

import contextlib
import errno
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from snapproof.campaign.invariants import violations
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import SimulatedLab
from snapproof.fixtures.nfs_mounts import LibnfsDirectory, NoLibnfsError
from snapproof.fixtures.world import World
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import Seam, fault_named
from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.site import Directory, Site
from snapproof.vocabulary import LocationType

pytestmark = pytest.mark.real

READY_S, COMMAND_S = 30, 60
PLUGINS = tuple(Path("/usr/lib").glob("*/ganesha"))


def mounted(url: str) -> LibnfsDirectory:
    try:
        return LibnfsDirectory(url)
    except NoLibnfsError as absent:
        pytest.skip(str(absent))


def tool(name: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed here (apt-get install libnfs-utils).")
    return subprocess.run([program, *arguments], capture_output=True, timeout=COMMAND_S, check=False)


def under(url: str, path: str) -> str:
    """The URL of a file in the export."""
    place, _, options = url.partition("?")
    return f"{place}/{path}?{options}"


def test_the_tools_of_libnfs_copy_list_and_show(server: NfsServer, export: NfsExport, tmp_path: Path) -> None:
    content = random.Random(4).randbytes(5 * 2**20 + 77)
    (tmp_path / "local").write_bytes(content)
    assert tool("nfs-cp", str(tmp_path / "local"), under(server.url, "file")).returncode == 0
    assert export.read("file") == content
    export.reboot()
    assert export.read("file") == content, "nfs-cp made durable what it copied"
    assert tool("nfs-cp", under(server.url, "file"), str(tmp_path / "back")).returncode == 0
    assert (tmp_path / "back").read_bytes() == content
    assert tool("nfs-cat", under(server.url, "file")).stdout == content
    export.make_directories("folder")
    listed = [line.split() for line in tool("nfs-ls", server.url).stdout.decode().splitlines()]
    assert {(words[0][0], words[-1]) for words in listed} == {("-", "file"), ("d", "folder")}
    assert str(len(content)) in next(words for words in listed if words[-1] == "file")


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EIO", "EROFS", "ESTALE"])
def test_the_tools_of_libnfs_report_a_server_that_fails(
    server: NfsServer, seam: Seam, tmp_path: Path, name: str
) -> None:
    (tmp_path / "local").write_bytes(bytes(2**20))
    seam.arm_next("export.write", fault_named(f"refused:{name}"))
    assert tool("nfs-cp", str(tmp_path / "local"), under(server.url, "file")).returncode != 0
    assert seam.unspent() == ()


def test_libnfs_meets_the_server_as_a_directory(server: NfsServer, export: NfsExport, seam: Seam) -> None:
    with mounted(server.url) as directory:
        checked: Directory = directory
        checked.make_directories("a/b")
        checked.make_directories("a/b")
        file = checked.create("a/b/file.part")
        for _ in range(3):
            file.write(bytes(range(256)) * 5000)
        file.close()
        checked.rename("a/b/file.part", "a/b/file")
        assert (checked.list("a"), checked.list("a/b"), checked.size("a/b/file")) == (["b/"], ["file"], 3_840_000)
        opened = checked.open("a/b/file")
        assert opened.read_at(255, 2) == b"\xff\0"
        assert opened.read_at(3_839_999, 10) == b"\xff"
        opened.close()
        refusals: dict[str, Callable[[], object]] = {
            "EEXIST": lambda: checked.create("a/b/file"),
            "ENOENT": lambda: checked.open("none"),
            "ENOTEMPTY": lambda: checked.delete_directory("a"),
            "EACCES": lambda: checked.delete("../outside"),
        }
        assert {name: _errno(act) for name, act in refusals.items()} == {name: name for name in refusals}
        seam.arm_next("nfs.rename", fault_named("refused:EROFS"))
        assert _errno(lambda: checked.rename("a/b/file", "x")) == "EROFS"
        export.condition = Condition.STALE
        assert _errno(lambda: checked.delete("a/b/file")) == "ESTALE"
        export.condition = Condition.HEALTHY
        file = checked.create("second")
        file.write(b"x")
        seam.arm_next("export.fsync", fault_named("refused:EIO"))
        assert _errno(file.close) == "EIO"
        checked.delete("second")
        checked.delete("a/b/file")
        checked.delete_directory("a/b")
    assert export.list("") == ["a/"]


def _errno(act: Callable[[], object]) -> str:
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return ""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "world").mkdir()
    with World.build(seed=3, clock=VirtualClock(), directory=tmp_path / "world") as world:
        yield world


@pytest.fixture
def ganesha(world: World, tmp_path: Path) -> Iterator[str]:
    """NFS-Ganesha over the export of the world: the URL for libnfs."""
    programs = {name: shutil.which(name) for name in ("ganesha.nfsd", "rpcbind", "unshare", "ip")}
    absent = [name for name, found in programs.items() if found is None]
    if absent or not PLUGINS:
        pytest.skip(f"This needs nfs-ganesha, nfs-ganesha-vfs, rpcbind, iproute2; missing: {absent or 'plug-ins'}.")
    if subprocess.run(["unshare", "-m", "-n", "true"], capture_output=True, check=False).returncode:
        pytest.skip("This needs the right to make namespaces of its own, for the port mapper; root has it mostly.")
    ports = {name: _free_port() for name in ("nfs", "mount", "quota", "lock")}
    (tmp_path / "ganesha.conf").write_text(CONFIGURATION.format(
        plugins=PLUGINS[0], place=tmp_path, root=world.export.root, **ports
    ))  # fmt: skip
    with (
        (tmp_path / "ganesha.out").open("wb") as output,
        subprocess.Popen(
            ["unshare", "-m", "sh", "-c", START], stdout=output, stderr=output, cwd=tmp_path, start_new_session=True
        ) as server,
    ):
        try:
            _wait_for(ports["nfs"], server, tmp_path / "ganesha.log")
            yield f"nfs://127.0.0.1{world.export.root}?version=3&nfsport={ports['nfs']}&mountport={ports['mount']}"
        finally:
            os.killpg(server.pid, signal.SIGKILL)


START = """
mount -t tmpfs none /run
unshare -n sh -c 'ip link set lo up; exec rpcbind -f -w -d' &
exec ganesha.nfsd -F -f ganesha.conf -L ganesha.log -p ganesha.pid
"""
"""Ganesha wants a port mapper, which it finds by a socket in /run: both have a /run of their own, and the mapper a
network of its own, so that nobody else on this machine meets it."""


CONFIGURATION = """
NFS_CORE_PARAM {{
    Plugins_Dir = "{plugins}";
    Protocols = 3;
    Bind_addr = 127.0.0.1;
    NFS_Port = {nfs};
    MNT_Port = {mount};
    NLM_Port = {lock};
    Rquota_Port = {quota};
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}
NFSv4 {{ Graceless = true; RecoveryRoot = "{place}"; }}
MDCACHE {{ Dir_Chunk = 0; }}
EXPORT {{
    Export_Id = 1;
    Path = "{root}";
    Pseudo = "/export";
    Tag = "export";
    Access_Type = RW;
    Squash = No_Root_Squash;
    SecType = sys;
    Protocols = 3;
    Transports = TCP;
    Attr_Expiration_Time = 0;
    FSAL {{ Name = VFS; }}
}}
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    """Wait for a port to be served, by asking the kernel ever again: there is no other sign."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        for _ in range(READY_S * 10):
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    return
            else:
                break
    pytest.fail(f"NFS-Ganesha did not come up: {log.read_text(errors='replace')[-2000:] if log.exists() else ''}")


def flow(world: World, url: str, state: Path) -> None:
    """Take a backup, restore it, delete it, with the driver's mount at the URL and the hosts' own beside it."""
    state.mkdir()
    with mounted(url) as directory:

        def factory(site: Site) -> ReferenceDriver:
            return ReferenceDriver(replace(site, export=directory))

        lab = SimulatedLab(world, factory, store="nfs", seed=3, state_directory=state)
        try:
            caller = Caller(lab)
            volume = caller.used_volume()
            taken = caller.take("take", volume.id, LocationType.SECONDARY).result()
            assert [image.content for image in lab.backups()] == [lab.content_when_taken(taken)]
            restored = caller.create("restore", source=taken.id).result()
            assert lab.content_of(restored) == lab.content_when_taken(taken)
            caller.delete("delete", taken.id).raise_if_failed()
            assert (lab.backups(), violations(lab)) == ([], ())
        finally:
            lab.close()


def test_the_reference_backs_up_restores_and_deletes_over_our_server(world: World, tmp_path: Path) -> None:
    with serve_nfs(world.export) as server:
        flow(world, server.url, tmp_path / "state")
    assert {"nfs.rename", "nfs.delete"} <= {label.partition("#")[0] for label in world.seam.labels()}


def test_the_reference_backs_up_restores_and_deletes_over_nfs_ganesha(
    world: World, ganesha: str, tmp_path: Path
) -> None:
    flow(world, ganesha, tmp_path / "state")
    assert not [label for label in world.seam.labels() if label.startswith("nfs.")]
