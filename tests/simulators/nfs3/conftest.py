"""An export with both of its doors: a directory in our own process, and NFS version 3 on a socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snapproof.fixtures.nfs3_client import Nfs3Client
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.simulators.secondary.nfs_faults import DIALECT, SERVER_DIALECT


@pytest.fixture
def journal() -> Journal:
    return Journal(VirtualClock().time)


@pytest.fixture
def seam(journal: Journal) -> Seam:
    return Seam(journal, dialects={"nfs": DIALECT, "export": SERVER_DIALECT})


@pytest.fixture
def export(tmp_path: Path, journal: Journal, seam: Seam) -> NfsExport:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    (tmp_path / "export").mkdir()
    return NfsExport(tmp_path / "export", journal=journal, seam=seam)


@pytest.fixture
def server(export: NfsExport) -> Iterator[NfsServer]:
    with serve_nfs(export) as server:
        yield server


@pytest.fixture
def client(server: NfsServer) -> Iterator[Nfs3Client]:
    with Nfs3Client(server.host, server.port) as client:
        yield client


@pytest.fixture
def root(client: Nfs3Client) -> bytes:
    return client.mount()
