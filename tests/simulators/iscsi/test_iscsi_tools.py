"""Outside judges: tools that others wrote reach our LUNs, and libiscsi's own conformance suite has its say."""

import json
import random
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from snapproof.simulators.faults import fault_named

HOST = "iqn.1994-05.com.redhat:host1"
SECRET, OTHER_SECRET = "initiator-sec", "target-secret"
MB = 1 << 20
USED_BYTES = 64 * MB

KNOWN_FAILURES: Mapping[bool, Mapping[str, str]] = {
    False: {},
    True: {
        "GetLBAStatus.UnmapSingle": "expects a range to begin at the next physical block when asked about the middle of"
        " one; SBC wants it to hold the address that was asked about, and it does",
    },
}
"""What libiscsi 1.19 finds fault with, by whether blocks of 512 bytes are emulated, and why we leave it so."""
SECOND = "iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-test-2"
"""Who its tests of reservations come as, beside the initiator that they are given."""


def needs(tool: str, package: str) -> pytest.MarkDecorator:
    """Skip a test where a tool is absent, and say how to get it."""
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed (Debian: {package})")


pytestmark = pytest.mark.real
qemu = pytest.mark.skipif(
    not shutil.which("qemu-img") or not list(Path("/usr/lib").glob("*/qemu/block-iscsi.so")),
    reason="qemu-img with its iSCSI driver is not installed (Debian: qemu-utils, qemu-block-extra)",
)
libiscsi = needs("iscsi-ls", "libiscsi-bin")


def run(*command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a tool."""
    return subprocess.run([*map(str, command)], check=check, capture_output=True, text=True, timeout=200)


def options(cluster: Any, **more: str) -> str:
    """Write where qemu finds the volume."""
    given = {
        "transport": "tcp", "portal": cluster.portal.portal, "target": cluster.volume["iqn"], "lun": "0",
        "initiator-name": HOST, **more,
    }  # fmt: skip
    return ",".join(["driver=raw", *(f"file.{name}={value}" for name, value in {"driver": "iscsi", **given}.items())])


def url(cluster: Any, *, login: str = "") -> str:
    return f"iscsi://{login}{cluster.portal.portal}/{cluster.volume['iqn']}/0"


def scattered(seed: int) -> list[tuple[int, bytes]]:
    """Draw contents that lie here and there in the part that is used."""
    dice = random.Random(seed)
    return [(dice.randrange(0, USED_BYTES - 70_000), dice.randbytes(dice.randrange(1, 70_000))) for _ in range(40)]


def used_part(path: Path) -> bytes:
    """Read the part of an image that tests write to."""
    with path.open("rb") as file:
        return file.read(USED_BYTES)


@qemu
def test_qemu_reads_what_the_cluster_holds_holes_and_all(cluster: Any, tmp_path: Path) -> None:
    disk = cluster.array.volumes[1].disk
    for offset, content in scattered(1):
        disk.write(offset, content)
    told = json.loads(run("qemu-img", "map", "--output=json", "--image-opts", options(cluster)).stdout)
    assert [(part["start"], part["length"]) for part in told if part["data"]] == list(disk.extents())
    copied = run("qemu-img", "convert", "--image-opts", options(cluster), "-O", "raw", tmp_path / "copy.raw")
    assert copied.stderr == ""
    assert used_part(tmp_path / "copy.raw") == disk.read(0, USED_BYTES)
    assert (tmp_path / "copy.raw").stat().st_blocks * 512 < 8 * MB


@qemu
def test_qemu_writes_what_the_cluster_then_holds(cluster: Any, tmp_path: Path) -> None:
    source = tmp_path / "source.raw"
    with source.open("wb") as file:
        file.truncate(cluster.volume["totalSize"])
        for offset, content in scattered(2):
            file.seek(offset)
            file.write(content)
    cluster.array.volumes[1].disk.write(90 * MB, b"old" * 1000)
    run("qemu-img", "convert", "-n", "-f", "raw", source, "--target-image-opts", options(cluster))
    assert cluster.content(0, USED_BYTES) == used_part(source)
    assert not list(cluster.array.volumes[1].disk.extents(USED_BYTES))
    assert cluster.array.used_bytes < 8 * MB
    same = run("qemu-img", "compare", "--image-opts", f"driver=raw,file.driver=file,file.filename={source}",
               options(cluster))  # fmt: skip
    assert "identical" in same.stdout


@qemu
def test_qemu_io_sees_what_the_api_does_between_its_calls(cluster: Any) -> None:
    def io(*commands: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        words = [word for command in commands for word in ("-c", command)]
        return run("qemu-io", "--image-opts", options(cluster), *words, check=check)

    io("write -P 0x11 0 1M", "write -P 0x22 333333k 64k", "flush")
    snapshot = cluster.call("CreateSnapshot", volumeID=1)["snapshotID"]
    io("write -P 0x33 0 512k", "discard 333333k 64k", "read -P 0x33 0 512k", "read -P 0 333333k 64k")
    cluster.call("RollbackToSnapshot", volumeID=1, snapshotID=snapshot, saveCurrentState=False)
    seen = io("read -P 0x11 0 1M", "read -P 0x22 333333k 64k")
    assert "verification failed" not in seen.stdout
    cluster.seam.arm_always("iscsi.read", fault_named("refused:READ_ERROR"))
    assert "Input/output error" in io("read 0 64k", check=False).stdout
    cluster.call("ModifyVolume", volumeID=1, access="readOnly")
    refused = io("write 0 64k", check=False)
    assert refused.returncode
    assert "read-only" in refused.stderr or "write protected" in refused.stderr


@qemu
def test_qemu_proves_itself_by_chap(cluster: Any) -> None:
    stranger = {"initiator-name": "iqn.1994-05.com.redhat:stranger"}
    run("qemu-img", "info", "--image-opts", options(cluster, **stranger, user="tenant", password=SECRET))
    wrong = run(
        "qemu-img", "info", "--image-opts", options(cluster, **stranger, user="tenant", password="wrong-secret"),
        check=False,
    )  # fmt: skip
    assert wrong.returncode
    assert "Authentication failure" in wrong.stderr


@libiscsi
def test_libiscsi_finds_and_describes_the_volume(cluster: Any) -> None:
    portal = f"iscsi://{cluster.portal.portal}"
    listed = run("iscsi-ls", "-i", HOST, "-s", portal).stdout
    assert cluster.volume["iqn"] in listed
    assert "DIRECT_ACCESS" in listed
    by_chap = run("iscsi-ls", f"iscsi://tenant%{SECRET}@{cluster.portal.portal}").stdout
    assert cluster.volume["iqn"] in by_chap
    assert "Vendor:SolidFir" in run("iscsi-inq", "-i", HOST, url(cluster)).stdout
    assert f"{cluster.volume['totalSize']}" in run("iscsi-readcapacity16", "-i", HOST, url(cluster)).stdout


@libiscsi
def test_libiscsi_checks_our_proof_too(cluster: Any) -> None:
    def described(own: str) -> subprocess.CompletedProcess[str]:
        both = f"?target_user=tenant&target_password={own}"
        return run("iscsi-inq", url(cluster, login=f"tenant%{SECRET}@") + both, check=False)

    assert described(OTHER_SECRET).returncode == 0
    assert described("another-secret").returncode != 0


@needs("iscsi-test-cu", "libiscsi-bin")
@pytest.mark.parametrize("enable_512e", [True, False])
def test_libiscsi_finds_fault_with_nothing_but_what_is_listed(cluster: Any, enable_512e: bool) -> None:  # noqa: FBT001  a table
    made = cluster.call("CreateVolume", name="judged", accountID=1, totalSize=10**9, enable512e=enable_512e)["volume"]
    cluster.call("AddVolumesToVolumeAccessGroup", volumeAccessGroupID=1, volumes=[made["volumeID"]])
    cluster.call("AddInitiatorsToVolumeAccessGroup", volumeAccessGroupID=1, initiators=[SECOND])
    cluster.volume = made
    judged = run("iscsi-test-cu", "-i", HOST, "-d", "-t", "ALL", url(cluster), check=False).stdout
    suite, test, failed = "", "", set()
    for line in judged.splitlines():
        if found := re.match(r"Suite: (\w+)", line):
            suite = found[1]
        elif found := re.match(r" +Test: ([\w-]+) ", line):
            test = found[1]
        if re.search(r"(^|\.\.\.)FAILED$", line):
            failed.add(f"{suite}.{test}")
    total, ran, passed = (int(number) for number in re.findall(r"tests +(\d+) +(\d+) +(\d+)", judged)[0])
    assert failed == set(KNOWN_FAILURES[enable_512e])
    assert (ran, passed) == (total, total - len(failed))
    assert total >= 230
