"""A profile is honoured by a whole run, in a folder where nothing else is: limits, parameters, credentials."""

import os
import subprocess
import sys
from pathlib import Path

from snapproof.report.ledger import read_ledger
from snapproof.report.records import RunStarted, ScenarioFinished
from snapproof.verdict import State

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "drivers" / "python" / "driver.py"
LIMITED = "features/access/limits.feature"


def judged(folder: Path, profile: str, *words: str, **said: str) -> tuple[RunStarted, list[ScenarioFinished]]:
    """Judge where nothing but a driver.toml is, as a vendor would."""
    (folder / "driver.toml").write_text(profile)
    command = [sys.executable, "-m", "snapproof", "run", *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **said}, check=False, capture_output=True, text=True)
    assert (folder / "snapproof-report" / "results.ndjson").exists(), done.stderr
    head, *records = read_ledger(folder / "snapproof-report")
    assert isinstance(head, RunStarted)
    return head, [record for record in records if isinstance(record, ScenarioFinished)]


def test_what_is_beyond_a_limit_is_not_asked_and_not_supported(tmp_path: Path) -> None:
    profile = f'driver = "cmd:{sys.executable} {EXAMPLE}"\n[limits]\nname_characters_max = 200\n'
    head, found = judged(tmp_path, profile, "-k", "too_long", LIMITED)
    (named,) = found
    assert named.state is State.NOT_SUPPORTED
    assert "profile sets name_characters_max to 200; this would be 256" in named.reason
    assert head.chosen["limits"] == "name_characters_max=200"


def test_parameters_and_credentials_reach_the_driver_and_no_report(tmp_path: Path) -> None:
    driver = tmp_path / "driver.sh"
    driver.write_text('#!/bin/sh\necho "POOL is $POOL, TOKEN is $TOKEN"\nexit 7\n')
    driver.chmod(0o755)
    profile = 'driver = "cmd:./driver.sh"\n[parameters]\nPOOL = "gold"\n[credentials]\nTOKEN = "env:ACME"\n'
    head, found = judged(tmp_path, profile, "-k", "lost_before", "features/take/primary.feature", ACME="geheim-7")
    assert [each.state for each in found] == [State.DRIVER_CRASH]
    assert "POOL is gold, TOKEN is ***" in found[0].reason
    assert head.chosen["credentials"] == "TOKEN=*** from env:ACME"
    report = tmp_path / "snapproof-report"
    assert [path for path in report.rglob("*") if path.is_file() and b"geheim-7" in path.read_bytes()] == []
