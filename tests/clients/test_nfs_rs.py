"""nfs-rs, unmodified: a client with an NFS of its own, at the NFS door of a world."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapproof.fixtures.world import World
from snapproof.simulators.clock import WallClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.simulators.secondary.nfs3.statuses import status_of
from snapproof.simulators.secondary.nfs_faults import refusal

pytestmark = pytest.mark.clients


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "export").mkdir()
    with World.build(seed=5, clock=WallClock(), directory=tmp_path / "export", export_bytes_max=2**24) as world:
        yield world


@pytest.fixture
def server(world: World) -> Iterator[NfsServer]:
    with serve_nfs(world.export) as server:
        yield server


@pytest.fixture
def nfs_rs(teller_of: Callable[..., Any]) -> Any:
    return teller_of("nfs-rs", "nfs_rs_story.py")


def test_it_writes_moves_links_and_looks(nfs_rs: Any, server: NfsServer, world: World) -> None:
    size_bytes = 2**21 + 256
    assert nfs_rs("life", port=server.port, size_bytes=size_bytes) == {
        "version": "3",
        "names": ["cut", "link", "second", "snapshots"],
        "middle": "feff",
        "cut": [7, 0o600, 5, 6],
        "link": "../outside",
        "links": 2,
        "limits": [2**20, 2**20],
        "total": 2**24,
    }
    assert world.export.read("snapshots/7/a") == bytes(range(256)) * (size_bytes // 256)
    world.export.reboot()
    assert len(world.export.read("second")) == size_bytes


def test_it_lists_a_large_directory(nfs_rs: Any, server: NfsServer) -> None:
    assert nfs_rs("many", port=server.port, count=700) == [f"{number:04}" for number in range(700)]


def test_it_reads_every_refusal(nfs_rs: Any, server: NfsServer) -> None:
    assert nfs_rs("refusals", port=server.port) == {
        "open nothing": errno.ENOENT,
        "remove a full directory": errno.ENOTEMPTY,
        "remove a directory as a file": errno.EISDIR,
        "make what is there": errno.EEXIST,
    }


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EROFS", "EIO", "ESTALE"])
def test_it_is_told_when_the_server_fails(nfs_rs: Any, server: NfsServer, world: World, name: str) -> None:
    world.seam.arm_next("export.write", fault_named(f"refused:{name}"))
    told = nfs_rs("failing", port=server.port)
    assert {getattr(errno, name), status_of(refusal(name))} & set(told), told
    assert world.seam.unspent() == ()
