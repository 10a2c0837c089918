"""Cinder's SolidFire driver, as it came from PyPI, judged: by its class, a command, an address, and lent a hand."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from snapproof.drivers.cinder.shelf import PYTHON
from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

pytestmark = pytest.mark.clients

ROOT = Path(__file__).parents[2]
URI = "cinder://cinder.volume.drivers.solidfire.SolidFireDriver"
TAKEN = "features/take/primary.feature"
LOST = "A lost answer of the array makes no second snapshot"


@pytest.fixture
def surroundings(programs_of: Callable[[str], Path], client_environment: dict[str, str]) -> dict[str, str]:
    """The environment variables of the suite, with Cinder's Python named."""
    own = {name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "SNAPPROOF_"))}
    return {**client_environment, **own, "PYTHONSAFEPATH": "1", PYTHON: str(programs_of("cinder") / "python")}


def judged(
    driver: str,
    report: Path,
    environment: dict[str, str],
    *,
    chosen: Sequence[str] = ("-k", "lost_before or lost_after", TAKEN),
) -> tuple[dict[str, ScenarioFinished], str]:
    """Run the command as a vendor does; give the results by their names, and what it printed."""
    command = [sys.executable, "-m", "snapproof", "run", "--driver", driver, "--report", str(report)]
    told = subprocess.run(
        [*command, *chosen],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    lines = (report / "results.ndjson").read_bytes().splitlines()
    finished = [line for line in lines if line.startswith(b'{"record":"scenario-finished"')]
    results = [msgspec.json.decode(line, type=ScenarioFinished) for line in finished]
    return {f"{result.scenario.name} {result.scenario.example}".strip(): result for result in results}, told.stdout


@contextmanager
def hosted(environment: dict[str, str]) -> Iterator[str]:
    """The bridge as somebody else starts it; gives its address."""
    command = [sys.executable, "-m", "snapproof", "host", URI]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split('"')[3]
        process.terminate()


def test_the_duplicate_after_a_lost_answer_is_named_through_every_door(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    results, told = judged(URI, tmp_path / "class", surroundings)
    states = {name: result.state for name, result in results.items()}
    assert states == {
        f"{LOST} lost_before": State.PASS,
        f"{LOST} lost_after": State.FAIL,
    }
    assert "driver SolidFireDriver 2.2.5 (Cinder 29.0.0)" in told
    reason = results[f"{LOST} lost_after"].reason
    assert "+ array cluster-1: snapshot 82002 of volume 71002 UUID-" in reason
    assert "+ array cluster-1: snapshot 82003 of volume 71002 UUID-" in reason
    assert "is an orphan: the driver lists no copy there." in reason
    by_command, _ = judged(f"cmd:{sys.executable} -m snapproof host {URI}", tmp_path / "command", surroundings)
    with hosted(surroundings) as url:
        by_address, _ = judged(url, tmp_path / "address", surroundings)
    assert {name: result.state for name, result in by_command.items()} == states
    assert {name: result.state for name, result in by_address.items()} == states


def test_the_reference_lends_it_the_archive_and_cannot_mend_its_duplicate(
    surroundings: dict[str, str], tmp_path: Path
) -> None:
    archived = (
        "features/archive/snapshots.feature::test_an_archived_snapshot_is_the_same_snapshot_at_another_place[NFS]"
    )
    lost = f"{TAKEN}::test_a_lost_answer_of_the_array_makes_no_second_snapshot[lost_after]"
    results, told = judged(f"reference?primary={URI}", tmp_path / "lent", surroundings, chosen=("--", archived, lost))
    assert "reference over SolidFireDriver" in told
    assert {name: result.state for name, result in results.items()} == {
        "An archived snapshot is the same snapshot at another place NFS": State.PASS,
        f"{LOST} lost_after": State.FAIL,
    }
    assert "is an orphan: the driver lists no copy there." in results[f"{LOST} lost_after"].reason


def test_a_campaign_meets_it_too_and_its_orphaned_clone_is_one_line(surroundings: dict[str, str]) -> None:
    """`snapproof campaign --strategy hunt --workflow restore-primary` finds and prints this line."""
    line = "restore-primary/v1 store=nfs seed=0 guest=still :: array.CloneVolume#1=lost_after"
    command = [sys.executable, "-m", "snapproof", "replay", "--quiet", "--driver", URI, line]
    told = subprocess.run(command, cwd=ROOT, env=surroundings, check=False, capture_output=True, text=True)
    assert (told.returncode, "The caller was told: succeeded." in told.stdout) == (1, True)
    assert "is an orphan." in told.stdout
