"""Measure three claims and write them into the page that makes them: time to take, copy rate, recovery rate.

`python benchmarks/page.py docs/what-it-gives.md` measures and replaces what stands between the page's marks. Everything
runs on the simulators, in this process: what is measured is the orchestration and our own data path, no hardware.
"""

import argparse
import logging
import platform
import re
import statistics
import tempfile
import time
from pathlib import Path

from snapproof.campaign.running import run
from snapproof.campaign.strategies import up_to
from snapproof.campaign.together import bare
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.lab import SimulatedLab, simulated_lab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.vocabulary import AccountId, OperationId, SnapshotRequest, Volume, VolumeRequest

MARKS = re.compile(r"(<!-- measured -->\n).*?(<!-- /measured -->)", re.DOTALL)
MIB = 2**20


def used_volume(lab: SimulatedLab, size_bytes: int) -> Volume:
    """A volume that a guest has filled."""
    request = VolumeRequest(operation=OperationId("volume"), account=AccountId("blue"), name="a", size_bytes=size_bytes)
    volume = lab.attempt(lambda driver: driver.create_volume(request)).result()
    guest = lab.start_guest(volume)
    for offset in range(0, size_bytes, MIB):
        guest.write(offset, offset.to_bytes(8, "big") * (MIB // 8))
    return volume


def seconds_to_take(lab: SimulatedLab, volume: Volume, name: str, location: str) -> float:
    """How long one request takes, from call to answer."""
    request = SnapshotRequest(operation=OperationId(name), volume=volume.id, name=name, location=location)
    began_s = time.perf_counter()
    lab.attempt(lambda driver: driver.take_snapshot(request)).raise_if_failed()
    return time.perf_counter() - began_s


def measured(*, snapshots: int, size_mib: int, stride: int) -> str:
    """The table of the three claims."""
    with (
        tempfile.TemporaryDirectory(prefix="snapproof-") as folder,
        simulated_lab(ReferenceDriver, store="nfs", seed=1, directory=Path(folder)) as lab,
    ):
        volume = used_volume(lab, size_mib * MIB)
        taken = [seconds_to_take(lab, volume, f"p{number}", "PRIMARY") for number in range(snapshots)]
        copied = [seconds_to_take(lab, volume, f"s{number}", "SECONDARY") for number in range(3)]
    open_lab = lab_opener(ReferenceDriver)
    cells = list(up_to(1)(run(bare("take-secondary", "s3", seed=0), open_lab)))
    cases = [run(schedule, open_lab) for schedule in cells[::stride]]
    held = sum(not case.violations for case in cases)
    return "\n".join([
        "| claim | measured |",
        "|---|---|",
        f"| a snapshot on the array takes | {statistics.median(taken) * 1000:.1f} ms (median of {snapshots}) |",
        (f"| a backup is copied, checked and read back at | {size_mib / statistics.median(copied):.0f} MiB/s "
        f"({size_mib} MiB, median of 3) |"),
        (f"| after a crash, a refusal or a lost answer anywhere in a backup, everything is made good in | {held} of "
        f"{len(cases)} cases ({100 * held / len(cases):.1f} %) |"),
        "",
        f"On {platform.machine()}, Python {platform.python_version()}, in one process with the simulators.",
        "",
    ])  # fmt: skip


def main() -> None:
    """Measure, and write the page anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--quick", action="store_true", help="few snapshots, few cases: to see that all works")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what fails on purpose would drown the page
    table = (
        measured(snapshots=5, size_mib=2, stride=150)
        if arguments.quick
        else measured(snapshots=25, size_mib=32, stride=11)
    )
    text, number = MARKS.subn(lambda found: found[1] + table + found[2], arguments.page.read_text(encoding="utf-8"))
    if number != 1:
        raise SystemExit(f"{arguments.page} has no one place between <!-- measured --> and <!-- /measured -->.")
    arguments.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
