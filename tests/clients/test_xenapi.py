"""The unmodified XenAPI package from PyPI drives a simulated pool over TCP and a unix socket: attach, copy, wait."""

import errno
import os
import random
import tempfile
from collections.abc import Iterator
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
import XenAPI

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import VirtualClock, transition_named
from snapproof.simulators.fabric import BlockDevice, LoginRefusedError
from snapproof.simulators.faults import fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.serving import serve, serve_unix
from snapproof.simulators.xenserver.pool import Pool
from snapproof.simulators.xenserver.wire import Endpoint, doors
from snapproof.site import Directory

MIB = 2**20
TARGET = "iqn.2010-01.com.array:vol"
LOCAL = "/var/cloud_mount/one"


class Network:
    """One LUN that every host may use, and one export."""

    def __init__(self, root: Path, journal: Journal) -> None:
        self.lun = BlockStore().create(32 * MIB)
        self.export = NfsExport(root, journal=journal)

    def login(self, *, initiator: str, target: str) -> BlockDevice:
        if target != TARGET:
            raise LoginRefusedError(f"{target} is unknown to {initiator}")
        return self.lun

    def accessible(self, *, initiator: str, target: str) -> bool:
        return target == TARGET and bool(initiator)

    def mount(self, url: str) -> Directory:
        if url != "nas:/backups":
            raise OSError(errno.ENOENT, "no such export")
        return self.export


class Site:
    """A pool behind a socket and a client of it."""

    def __init__(self, pool: Pool, seam: Seam, network: Network, session: Any) -> None:
        self.pool, self.seam, self.network, self.session = pool, seam, network, session


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    clock = VirtualClock()
    journal = Journal(clock.time)
    network, seam = Network(tmp_path, journal), Seam(journal)
    pool = Pool(
        clock=clock, journal=journal, fabric=network, mounts=network, dice=random.Random(3), copy_chunk_bytes=MIB
    )
    with serve(Endpoint(pool, username="root", password="pw", seam=seam)) as server:
        session: Any = XenAPI.Session(server.url)
        session.login_with_password("root", "pw", "1.0", "tests")
        yield Site(pool, seam, network, session)
        session("close")()


def test_a_backup_as_a_script_would_write_it(site: Site) -> None:
    guest = site.pool.start_guest(target=TARGET, size_bytes=8 * MIB, name="web")
    guest.write(6 * MIB, b"written by the guest")
    vdi_uuid = guest.vdi_uuid
    site.pool.stop_guest(guest)
    api = site.session.xenapi
    host = api.host.get_all()[0]
    config = {"target": "192.0.2.200", "targetIQN": TARGET}
    with pytest.raises(XenAPI.Failure) as refusal:
        api.SR.create(host, config, "0", "lun", "", "lvmoiscsi", "user", True, {})
    assert refusal.value.details[0] == "SR_BACKEND_FAILURE_107"
    config["SCSIid"] = refusal.value.details[3].partition("<SCSIid>")[2].partition("</SCSIid>")[0]
    uuid = api.SR.probe(host, config, "lvmoiscsi", {}).partition("<UUID>")[2].partition("</UUID>")[0].strip()
    sr = api.SR.introduce(uuid, f"/{TARGET}/0", "", "lvmoiscsi", "user", True, {})
    api.PBD.plug(api.PBD.create({"host": host, "SR": sr, "device_config": config}))
    api.SR.scan(sr)

    api.host.call_plugin(
        host, "cloud-plugin-storage", "mountNfsSecondaryStorage", {"localDir": LOCAL, "remoteDir": "nas:/backups"}
    )
    folder = api.SR.create(host, {"location": f"{LOCAL}/copies"}, "0", "copies", "", "file", "file", False, {})
    task = api.Async.VDI.copy(api.VDI.get_by_uuid(vdi_uuid), folder)
    assert api.task.get_status(task) in {"pending", "success"}
    while api.task.get_status(task) == "pending":
        assert api.task.get_progress(task) < 1
    copied = api.task.get_record(task)["result"].removeprefix("<value>").removesuffix("</value>")
    name = f"{api.VDI.get_uuid(copied)}.vhd"
    api.task.destroy(task)
    for one in (sr, folder):
        for pbd in api.SR.get_PBDs(one):
            api.PBD.unplug(pbd)
        api.SR.forget(one)
    api.host.call_plugin(
        host, "cloud-plugin-storage", "umountNfsSecondaryStorage", {"localDir": LOCAL, "remoteDir": "nas:/backups"}
    )
    assert site.pool.inventory() == ()
    assert site.network.export.list("copies") == [name]
    assert b"written by the guest" in site.network.export.read(f"copies/{name}")


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """A path for a socket without an underscore, which the package reads as a slash."""
    folder = tempfile.gettempdir()
    if "_" in folder:
        pytest.skip(f"The folder for temporary files, {folder}, has an underscore in its name.")
    path = Path(folder) / f"snapproof-{os.getpid()}.sock"
    yield path
    path.unlink(missing_ok=True)


def test_the_package_speaks_over_a_unix_socket_of_any_host(site: Site, socket_path: Path) -> None:
    slave = doors(site.pool, username="root", password="pw", unix=True)[1]
    with serve_unix(slave, socket_path) as server:
        assert server.url == f"unix:{socket_path}"
        address = str(socket_path).replace("/", "_")
        session: Any = XenAPI.Session(f"http://{address}", transport=XenAPI.UDSTransport())
        session.login_with_password("root", "pw", "1.0", "tests")
        assert session.xenapi.host.get_all() == site.session.xenapi.host.get_all()
        assert session.API_version == "2.21"
        session("close")()


def test_the_client_waits_for_the_end_of_its_task_by_events(site: Site) -> None:
    api = site.session.xenapi
    token = api.event.inject("pool", api.pool.get_all()[0])
    site.pool.pace("SR.introduce", transition_named("polled 3"))
    task = api.Async.SR.introduce("0c0ffee0-0000-4000-8000-000000000001", "l", "", "lvmoiscsi", "user", True)
    seen: list[str] = []
    while "success" not in seen:
        batch = getattr(api.event, "from")([f"task/{task}"], token, 30.0)
        token = batch["token"]
        seen += [event["snapshot"]["status"] for event in batch["events"]]
    assert seen[0] == "pending"


def test_the_client_knows_the_version_of_the_api_and_a_wrong_password(site: Site) -> None:
    assert site.session.API_version == "2.21"
    with pytest.raises(XenAPI.Failure) as refusal:
        site.session.login_with_password("root", "guess")
    assert refusal.value.details[0] == "SESSION_AUTHENTICATION_FAILED"


def test_the_client_logs_in_again_when_its_session_is_gone(site: Site) -> None:
    lost = site.session.handle
    site.pool.call("session.logout", (lost,))
    assert len(site.session.xenapi.host.get_all()) == 2
    assert site.session.handle != lost


def test_a_lost_answer_reaches_the_client_as_a_broken_connection_after_the_deed(site: Site) -> None:
    site.seam.arm_next(
        "host.SR.introduce", fault_named("lost_after"), times=2
    )  # xmlrpc.client asks once more by itself
    with pytest.raises((ConnectionError, RemoteDisconnected)):
        site.session.xenapi.SR.introduce("0c0ffee0-0000-4000-8000-000000000001", "l", "", "lvmoiscsi", "user", True)
    assert len(site.session.xenapi.SR.get_all()) == 1
