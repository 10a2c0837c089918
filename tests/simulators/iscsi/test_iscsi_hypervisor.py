"""A real hypervisor's block layer on our LUN: qemu-storage-daemon backs up a volume, whole and by what changed.

The guest's bytes lie on the LUN as they are; the dirty bitmap persists in a qcow2 file beside it, whose data file the
LUN is. So the cluster's own snapshots are the judges of every backup.
"""

import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

MB = 1 << 20
USED_BYTES = 64 * MB
"""The part of the volume that the guest uses."""
SECRET = "initiator-sec"
TOOLS = ("qemu-storage-daemon", "qemu-img", "qemu-io")
MISSING = [tool for tool in TOOLS if not shutil.which(tool)]

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        bool(MISSING) or not list(Path("/usr/lib").glob("*/qemu/block-iscsi.so")),
        reason=f"{', '.join(MISSING) or 'the iSCSI driver of qemu'} is not installed"
        " (Debian: qemu-system-common, qemu-utils, qemu-block-extra)",
    ),
]


class Daemon:
    """A qemu-storage-daemon and the monitor through which it is told what to do."""

    def __init__(self, path: Path) -> None:
        self._peer = socket.socket(socket.AF_UNIX)
        self._peer.settimeout(60)
        self._peer.connect(str(path))
        self._lines = self._peer.makefile("r")
        self._events: list[Any] = []
        json.loads(self._lines.readline())
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: Any) -> Any:
        """Give an order; return what it answers."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        self._peer.sendall(json.dumps({"execute": command, "arguments": named}).encode())
        while "event" in (answer := json.loads(self._lines.readline())):
            self._events.append(answer)
        assert "return" in answer, answer
        return answer["return"]

    def finish(self, job: str) -> None:
        """Wait for a job to end well, and dismiss it."""
        while not any(event["data"] == {"id": job, "status": "concluded"} for event in self._events):
            self._events.append(json.loads(self._lines.readline()))
        found = next(one for one in self.ask("query-jobs") if one["id"] == job)
        assert "error" not in found, found
        self.ask("job-dismiss", id=job)

    def close(self) -> None:
        self._lines.close()
        self._peer.close()


@contextlib.contextmanager
def daemon(folder: Path, cluster: Any) -> Iterator[Daemon]:
    """Run a daemon that has the LUN open, by CHAP, as the node `lun`."""
    secret = folder / "secret"
    secret.write_text(SECRET)
    lun = {
        "driver": "iscsi", "node-name": "lun", "transport": "tcp", "portal": cluster.portal.portal, "lun": 0,
        "target": cluster.volume["iqn"], "user": "tenant", "password-secret": "chap", "discard": "unmap",
        "initiator-name": "iqn.2026-11.org.example:daemon",
    }  # fmt: skip
    path = folder / "qmp.sock"
    path.unlink(missing_ok=True)
    arguments = [
        "qemu-storage-daemon", "--chardev", f"socket,path={path},server=on,wait=off,id=door", "--monitor",
        "chardev=door", "--object", f"secret,id=chap,file={secret}", "--blockdev", json.dumps(lun),
        "--pidfile", str(folder / "pid"), "--daemonize",
    ]  # fmt: skip
    subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=60)
    control = Daemon(path)
    try:
        yield control
    finally:
        control.ask("quit")
        control._lines.read()
        control.close()


def open_guest(control: Daemon, folder: Path, *, size_bytes: int = 0) -> None:
    """Open the guest's disk, node `guest`, and lead qemu-io to it; make it first where a size is given."""
    control.ask("blockdev-add", driver="file", node_name="meta", filename=str(folder / "meta.qcow2"))
    if size_bytes:
        control.ask("blockdev-create", job_id="make", options={
            "driver": "qcow2", "file": "meta", "data-file": "lun", "data-file-raw": True, "size": size_bytes,
        })  # fmt: skip
        control.finish("make")
    control.ask("blockdev-add", driver="qcow2", node_name="guest", file="meta", data_file="lun", discard="unmap")
    (folder / "nbd.sock").unlink(missing_ok=True)
    control.ask("nbd-server-start", addr={"type": "unix", "data": {"path": str(folder / "nbd.sock")}})
    control.ask("block-export-add", type="nbd", id="door", node_name="guest", name="guest", writable=True)


def guest_writes(folder: Path, dice: random.Random) -> None:
    """Let a guest write here and there, and give some space back."""
    words = []
    for _ in range(30):
        offset, blocks = dice.randrange(0, USED_BYTES // 4096 - 40), dice.randrange(1, 40)
        words += ["-c", f"write -P {dice.randrange(1, 255)} {offset * 4096} {blocks * 4096}"]
    words += ["-c", f"discard {dice.randrange(0, USED_BYTES // MB) * MB} 1M", "-c", "flush"]
    subprocess.run(
        ["qemu-io", "-f", "raw", f"nbd+unix:///guest?socket={folder / 'nbd.sock'}", *words],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip


def target(control: Daemon, folder: Path, name: str, size_bytes: int, backing: str = "") -> None:
    """Make a qcow2 file to back up to, and open it as a node."""
    more = ["-b", f"{backing}.qcow2", "-F", "qcow2"] if backing else []
    made = ["qemu-img", "create", "-q", "-f", "qcow2", *more, str(folder / f"{name}.qcow2"), str(size_bytes)]
    subprocess.run(made, check=True, cwd=folder, timeout=60)
    file = {"driver": "file", "filename": str(folder / f"{name}.qcow2")}
    control.ask("blockdev-add", driver="qcow2", node_name=name, file=file, **({"backing": None} if backing else {}))


def incremental(control: Daemon, folder: Path, name: str, backing: str, size_bytes: int) -> None:
    """Back up what changed since the last time."""
    target(control, folder, name, size_bytes, backing)
    control.ask(
        "blockdev-backup", job_id=name, device="guest", target=name, sync="incremental", bitmap="dirty",
        auto_dismiss=False,
    )  # fmt: skip
    control.finish(name)
    control.ask("blockdev-del", node_name=name)


def restored(folder: Path, name: str) -> bytes:
    """Read a chain of backups as one disk: the part that the guest uses, the rest being a hole."""
    flat = folder / f"{name}.raw"
    subprocess.run(
        ["qemu-img", "convert", "-f", "qcow2", "-O", "raw", f"{name}.qcow2", flat], check=True, cwd=folder, timeout=120
    )
    with flat.open("rb") as file:
        assert os.lseek(file.fileno(), 0, os.SEEK_END) > USED_BYTES
        with pytest.raises(OSError, match="No such device or address"):
            os.lseek(file.fileno(), USED_BYTES, os.SEEK_DATA)
        file.seek(0)
        return file.read(USED_BYTES)


def snapshot(cluster: Any) -> bytes:
    """Take a snapshot through the API and read what the guest uses of it."""
    number = cluster.call("CreateSnapshot", volumeID=1)["snapshotID"]
    image = cluster.array.image_of_snapshot(number)
    assert not list(image.extents(USED_BYTES))
    return bytes(image.read(0, USED_BYTES))


def test_backups_over_the_wire_equal_the_snapshots_of_the_cluster(cluster: Any, tmp_path: Path) -> None:
    size, dice = int(cluster.volume["totalSize"]), random.Random(7)
    (tmp_path / "meta.qcow2").touch()
    with daemon(tmp_path, cluster) as control:
        open_guest(control, tmp_path, size_bytes=size)
        guest_writes(tmp_path, dice)
        target(control, tmp_path, "full", size)
        control.ask("transaction", actions=[
            {"type": "block-dirty-bitmap-add", "data": {"node": "guest", "name": "dirty", "persistent": True}},
            {"type": "blockdev-backup", "data": {
                "job-id": "full", "device": "guest", "target": "full", "sync": "full", "auto-dismiss": False,
            }},
        ])  # fmt: skip
        control.finish("full")
        control.ask("blockdev-del", node_name="full")
        first = snapshot(cluster)
        guest_writes(tmp_path, dice)
        incremental(control, tmp_path, "monday", "full", size)
        second = snapshot(cluster)
        guest_writes(tmp_path, dice)
    third = snapshot(cluster)
    with daemon(tmp_path, cluster) as control:
        open_guest(control, tmp_path)
        incremental(control, tmp_path, "tuesday", "monday", size)
    assert len({first, second, third}) == 3
    assert restored(tmp_path, "full") == first
    assert restored(tmp_path, "monday") == second
    assert restored(tmp_path, "tuesday") == third
    assert (tmp_path / "tuesday.qcow2").stat().st_size < 20 * MB
