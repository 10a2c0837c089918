"""A small world around a pool: LUNs on a block store, one NFS export, and a client that speaks bytes to the wire."""

import errno
import random
import xmlrpc.client
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snapproof.simulators.blocks import BlockStore, BlockVolume
from snapproof.simulators.clock import Clock, VirtualClock
from snapproof.simulators.fabric import BlockDevice, LoginRefusedError
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.xenserver.pool import Pool
from snapproof.simulators.xenserver.wire import Endpoint
from snapproof.site import Directory

REMOTE = "nas:/backups"
MOUNTED = "/var/cloud_mount/one"
FOLDER = f"{MOUNTED}/snapshots/2/7"
MIB = 2**20


class Refused(Exception):  # noqa: N818  it is what XenAPI calls a failure
    """A Failure answer; `code` is its first word."""

    def __init__(self, description: list[str]) -> None:
        super().__init__(*description)
        self.code = description[0]
        self.description = description


class Fabric:
    """Targets and who may log in to them; None is everybody."""

    def __init__(self) -> None:
        self.luns: dict[str, BlockDevice] = {}
        self.closed: set[tuple[str, str]] = set()

    def login(self, *, initiator: str, target: str) -> BlockDevice:
        if not self.accessible(initiator=initiator, target=target):
            raise LoginRefusedError(f"{target} does not know {initiator}")
        return self.luns[target]

    def accessible(self, *, initiator: str, target: str) -> bool:
        return target in self.luns and (initiator, target) not in self.closed


class Mounts:
    def __init__(self, export: Directory) -> None:
        self._export = export

    def mount(self, url: str) -> Directory:
        if not url.endswith(REMOTE):
            raise OSError(errno.ENOENT, "no such export")
        return self._export


class World:
    """Everything a test of the pool touches."""

    mib = MIB
    remote, mounted, folder = REMOTE, MOUNTED, FOLDER
    refused = Refused

    def __init__(self, root: Path, *, clock: Clock | None = None, **options: Any) -> None:
        self.clock: Any = clock or VirtualClock()
        self.journal = Journal(self.clock.time)
        self.seam = Seam(self.journal)
        self.fabric = Fabric()
        self.export = NfsExport(root, journal=self.journal)
        self.pool = Pool(
            clock=self.clock,
            journal=self.journal,
            fabric=self.fabric,
            mounts=Mounts(self.export),
            dice=random.Random(7),
            copy_chunk_bytes=4 * MIB,
            **options,
        )
        self.wire = Endpoint(self.pool, username="root", password="secret-pw", seam=self.seam)
        self.session = self.call("session.login_with_password", "root", "secret-pw", "1.0", "tests")
        self.hosts = self.ask("host.get_all")

    def lun(self, target: str, size_bytes: int = 40 * MIB) -> BlockVolume:
        volume = BlockStore().create(size_bytes)
        self.fabric.luns[target] = volume
        return volume

    def clone(self, source: str, target: str) -> None:
        """What an array does: the same bytes under another name."""
        volume = self.fabric.luns[source]
        assert isinstance(volume, BlockVolume)
        self.fabric.luns[target] = volume.snapshot().clone()

    def call(self, name: str, *arguments: Any) -> Any:
        body = xmlrpc.client.dumps(arguments, name, allow_none=True).encode()
        status, _, answer = self.wire("POST", "/RPC2", {}, body)
        assert status == 200
        (response,), _ = xmlrpc.client.loads(answer.decode())
        assert isinstance(response, dict)
        if response["Status"] != "Success":
            raise Refused(response["ErrorDescription"])
        return response["Value"]

    def ask(self, name: str, *arguments: Any) -> Any:
        return self.call(name, self.session, *arguments)

    def config(self, target: str) -> dict[str, str]:
        return {"target": "192.0.2.200", "targetIQN": target, "chapuser": "u", "chappassword": "chap-hush-hush"}

    def create(self, config: dict[str, str], of_type: str = "lvmoiscsi", label: str = "new") -> str:
        ref = self.ask("SR.create", self.hosts[0], config, "0", label, "", of_type, "user", True, {})
        return str(ref)

    def full_config(self, target: str) -> dict[str, str]:
        """Learn the SCSIid as CloudStack does: from the refusal of a create without one."""
        with pytest.raises(Refused) as refusal:
            self.create(self.config(target))
        assert refusal.value.code == "SR_BACKEND_FAILURE_107"
        listing = refusal.value.description[-1]
        return self.config(target) | {"SCSIid": between(listing, "SCSIid")}

    def probe(self, config: dict[str, str]) -> str:
        return between(self.ask("SR.probe", self.hosts[0], config, "lvmoiscsi", {}), "UUID")

    def attach(self, uuid: str, config: dict[str, str], label: str) -> str:
        sr = str(self.ask("SR.introduce", uuid, label, "", "lvmoiscsi", "user", True, {}))
        for host in self.hosts:
            self.ask("PBD.plug", self.ask("PBD.create", {"host": host, "SR": sr, "device_config": config}))
        self.ask("SR.scan", sr)
        return sr

    def detach(self, sr: str) -> None:
        for pbd in reversed(self.ask("SR.get_PBDs", sr)):
            self.ask("PBD.unplug", pbd)
        self.ask("SR.forget", sr)

    def plugin(self, function: str, **arguments: str) -> str:
        return str(self.ask("host.call_plugin", self.hosts[0], "cloud-plugin-storage", function, arguments))

    def open_folder(self) -> str:
        """Mount the export on the master and attach the directory of backups as an SR."""
        self.plugin("mountNfsSecondaryStorage", localDir=MOUNTED, remoteDir=REMOTE)
        self.plugin("makeDirectory", path=FOLDER)
        uuid = "0c0ffee0-0000-4000-8000-000000000001"
        sr = str(self.ask("SR.introduce", uuid, FOLDER, "", "file", "file", False, {}))
        record = {"host": self.hosts[0], "SR": sr, "device_config": {"location": FOLDER}}
        self.ask("PBD.plug", self.ask("PBD.create", record))
        self.ask("SR.scan", sr)
        return sr

    def close_folder(self, sr: str) -> None:
        self.detach(sr)
        self.plugin("umountNfsSecondaryStorage", localDir=MOUNTED, remoteDir=REMOTE)


def between(document: str, tag: str) -> str:
    """Read one element as CloudStack does: by searching for its tags."""
    start, end = document.find(f"<{tag}>"), document.find(f"</{tag}>")
    return document[start + len(tag) + 2 : end].strip() if start >= 0 else ""


@pytest.fixture
def new_world(tmp_path: Path) -> Callable[..., World]:
    return lambda **options: World(tmp_path, **options)


@pytest.fixture
def world(new_world: Callable[..., World]) -> World:
    return new_world()
