"""Clients and a server that others wrote: libnfs and its tools at our door, and NFS-Ganesha in our server's place.

The reference takes, restores and deletes backups over both servers, its mount replaced by libnfs.
"""

import errno
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from snapproof.campaign.invariants import violations
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import SimulatedLab
from snapproof.fixtures.nfs_mounts import LibnfsDirectory
from snapproof.fixtures.parts.ganesha import mounted as mounted_by_libnfs
from snapproof.fixtures.parts.ganesha import serving
from snapproof.fixtures.substitutes import PartMissingError
from snapproof.fixtures.world import World
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.site import Directory, Site
from snapproof.vocabulary import LocationType

pytestmark = pytest.mark.real

COMMAND_S = 60


def mounted(url: str) -> LibnfsDirectory:
    try:
        return mounted_by_libnfs(url)
    except PartMissingError as missing:
        pytest.skip(str(missing))


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
    try:
        with serving(tmp_path / "ganesha", root=world.export.root) as url:
            yield url(world.export.root)
    except PartMissingError as missing:
        pytest.skip(str(missing))


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
