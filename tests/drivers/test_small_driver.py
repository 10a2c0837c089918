"""A driver that others wrote, and that can do little, is judged: by what it declares, and by nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

ROOT = Path(__file__).parents[2]
DRIVER = Path(__file__).with_name("small_driver.py")
TAKEN = "features/take/primary.feature"
DELETED = "features/delete/snapshots.feature"
REVERTED = "features/restore/revert.feature"
ARCHIVED = "features/archive/snapshots.feature"


def judged(report: Path) -> list[ScenarioFinished]:
    command = [sys.executable, "-m", "pytest", TAKEN, DELETED, REVERTED, ARCHIVED, "-q", "-p", "no:cacheprovider"]
    options = ["--snapproof-driver", f"cmd:{sys.executable} {DRIVER}", "--snapproof-report", str(report), "--tb=no"]
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    subprocess.run([*command, *options], cwd=ROOT, env=environment, check=False, capture_output=True)
    lines = (report / "results.ndjson").read_bytes().splitlines()
    finished = [line for line in lines if line.startswith(b'{"record":"scenario-finished"')]
    return [msgspec.json.decode(line, type=ScenarioFinished) for line in finished]


@pytest.mark.requirement(id="R-122")
def test_a_driver_that_can_do_little_is_judged_by_what_it_declares_and_excused_by_name_from_the_rest(
    tmp_path: Path,
) -> None:
    results = judged(tmp_path)
    passed = {name for result in results if result.state is State.PASS for name in result.scenario.requirements}
    excused = [result for result in results if result.state is State.NOT_SUPPORTED]
    assert {"R-001", "R-020"} <= passed
    assert any(result.state is State.FAIL for result in results), "it asks nobody who uses a volume, and is told so"
    assert excused
    assert all("small does not declare " in result.reason for result in excused)
    assert {result.state for result in results if "archive" in result.scenario.uri} == {State.NOT_SUPPORTED}
