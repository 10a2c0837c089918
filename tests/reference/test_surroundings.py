"""What the reference needs of the machine it runs on: few rights, little memory, one processor, no other address."""

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import Snapshot, SnapshotRequest

RUN = Path(__file__).with_name("outgoing_run.py")
REFERENCE = "snapproof.reference_impl.driver:ReferenceDriver"
MEMORY_BYTES_MAX = 512 * 2**20
ROOT = Path(__file__).parents[2]


class PhonesHome(ReferenceDriver):
    """Tells its maker of every snapshot, if it can."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        with contextlib.suppress(OSError):
            socket.create_connection(("192.0.2.9", 80), timeout=1).close()
        return super().take_snapshot(request)


def blocked(store: str, driver: str, folder: Path) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(RUN.parent)])}
    run = subprocess.run(
        [sys.executable, RUN, store, driver, folder], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found: list[str] = json.loads(run.stdout)
    return found


@pytest.mark.requirement(id="R-116")
@pytest.mark.parametrize("store", ["nfs", "s3"])
def test_nobody_is_talked_to_but_array_hosts_and_store(store: str, tmp_path: Path) -> None:
    assert blocked(store, REFERENCE, tmp_path) == []


def test_a_driver_that_phones_home_is_counted(tmp_path: Path) -> None:
    assert blocked("nfs", "test_surroundings:PhonesHome", tmp_path) == ["look up 192.0.2.9"]


@pytest.mark.requirement(id="R-115")
@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's own")
def test_one_processor_half_a_gibibyte_and_no_rights_are_enough(tmp_path: Path) -> None:
    """By the machine's own count of what the process took, in a process that was given no more than that."""
    code = "import outgoing_run, test_surroundings as here, sys, pathlib; here.live_within(sys.argv[1], sys.argv[2])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(RUN.parent)])}
    run = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-c", code, REFERENCE, tmp_path],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    rights, peak_kib, processors = run.stdout.split()
    assert int(rights, 16) == 0
    assert int(processors) == 1
    assert int(peak_kib) * 1024 < MEMORY_BYTES_MAX


UNPRIVILEGED = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all") if os.geteuid() == 0 else ()
"""What takes the rights of root from a child of root's, and leaves it its files."""


def live_within(driver: str, folder: str) -> None:
    """Confine this process, live a backup's life in it, and print what it had: rights, peak of memory, processors."""
    from outgoing_run import live  # type: ignore[import-not-found]  # it stands beside this file

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    live("s3", driver, Path(folder))
    lines = Path("/proc/self/status").read_text().splitlines()
    told = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value.strip()}
    # Not ru_maxrss: a child inherits its parent's, which may be a test run of a gigabyte.
    sys.stdout.write(f"{told['CapEff']} {told['VmHWM']} {len(os.sched_getaffinity(0))}")
