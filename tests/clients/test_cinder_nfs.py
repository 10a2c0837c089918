"""Cinder's NFS driver, as it came from PyPI, asked through the bridge: real files, overlays and copies on an export.

No array stands behind it, so the suite has nothing to look at from the other side; here its files are looked at.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snapproof.driver import ConflictError, DriverUnderTest
from snapproof.drivers.cinder.shelf import PYTHON
from snapproof.fixtures.doors import site_on_sockets
from snapproof.naming import load_driver
from snapproof.vocabulary import AccountId, Capability, OperationId, SnapshotRequest, Volume, VolumeRequest

pytestmark = pytest.mark.clients

BYTES = b"what the guest wrote before" * 1000
OPTIONS = "nfs_snapshot_support=true&nas_secure_file_operations=false&nas_secure_file_permissions=true"


@pytest.fixture
def export(tmp_path: Path) -> Iterator[Path]:
    """A folder, bound where the driver expects the export to be mounted, which it then need not mount."""
    folder = tmp_path / "export"
    folder.mkdir()
    share = hashlib.md5(f"127.0.0.1:{folder}".encode(), usedforsecurity=False).hexdigest()
    place = tmp_path / "mounted" / share
    place.mkdir(parents=True)
    if os.geteuid() != 0 or shutil.which("qemu-img") is None:
        pytest.skip("Cinder's NFS driver needs root to mount, and qemu-img.")
    bound = subprocess.run(["mount", "--bind", str(folder), str(place)], check=False, capture_output=True, text=True)
    if bound.returncode:
        pytest.skip(f"Nothing can be mounted here: {bound.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def driver(
    export: Path, programs_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DriverUnderTest]:
    """The driver, set up on that export."""
    monkeypatch.setenv(PYTHON, str(programs_of("cinder") / "python"))
    (tmp_path / "state").mkdir()
    where = f"nas_host=127.0.0.1&nas_share_path={export}&nfs_mount_point_base={tmp_path / 'mounted'}"
    factory = load_driver(f"cinder://cinder.volume.drivers.nfs.NfsDriver?{where}&{OPTIONS}")
    with site_on_sockets(export, tmp_path / "state", seed=5) as site:
        started = factory(site)
        yield started
        started.close()


def made(driver: DriverUnderTest, name: str, **more: object) -> Volume:
    request = VolumeRequest(operation=OperationId(name), account=AccountId("blue"), name=name, size_bytes=2**26, **more)  # type: ignore[arg-type]  # a snapshot, where one is named
    return driver.create_volume(request)


def test_what_it_makes_on_a_real_export_is_what_was_asked_for_and_is_gone_when_deleted(
    driver: DriverUnderTest, export: Path
) -> None:
    described = driver.describe()
    assert (described.name, described.version) == ("NfsDriver", "1.4.0 (Cinder 29.0.0)")
    assert described.capabilities == {Capability.SNAPSHOT_PRIMARY, Capability.VOLUME_FROM_PRIMARY}
    before = {entry.name for entry in export.iterdir()}
    database = made(driver, "database")
    disk = export / f"volume-{database.id}"
    with disk.open("r+b") as file:
        file.write(BYTES)
    nightly = driver.take_snapshot(SnapshotRequest(operation=OperationId("nightly"), volume=database.id))
    overlay = export / f"volume-{database.id}.{nightly.id}"
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 66 0 64k", str(overlay)], check=True, capture_output=True)
    yesterday = made(driver, "yesterday", from_snapshot=nightly.id)
    assert (export / f"volume-{yesterday.id}").read_bytes()[: len(BYTES)] == BYTES
    with pytest.raises(ConflictError, match=nightly.id):
        driver.delete_volume(OperationId("too soon"), database.id)
    driver.delete_snapshot(OperationId("no nightly"), nightly.id)
    assert disk.read_bytes()[:100] == b"B" * 100
    driver.delete_volume(OperationId("no yesterday"), yesterday.id)
    driver.delete_volume(OperationId("no database"), database.id)
    assert {entry.name for entry in export.iterdir()} == before
