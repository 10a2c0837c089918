"""A profile is honoured by a whole run, in a folder where nothing else is: limits, parameters, credentials."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snapproof.blame import state_of
from snapproof.drivers.contract import BeyondLimitError
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import simulated_lab
from snapproof.profile import Limits
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.report.ledger import read_ledger
from snapproof.report.records import RunStarted, ScenarioFinished
from snapproof.verdict import State
from snapproof.vocabulary import LocationType


def judged(folder: Path, profile: str, *words: str, **said: str) -> tuple[RunStarted, list[ScenarioFinished]]:
    """Judge where nothing but a driver.toml is, as a vendor would."""
    (folder / "driver.toml").write_text(profile)
    command = [sys.executable, "-m", "snapproof", "run", *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **said}, check=False, capture_output=True, text=True)
    assert (folder / "snapproof-report" / "results.ndjson").exists(), done.stderr
    head, *records = read_ledger(folder / "snapproof-report")
    assert isinstance(head, RunStarted)
    return head, [record for record in records if isinstance(record, ScenarioFinished)]


def test_what_is_beyond_a_limit_is_not_asked(tmp_path: Path) -> None:
    limits = Limits(name_characters_max=9, volume_bytes_max=2**30, volume_bytes_min=2**20, snapshots_per_volume_max=1)
    with simulated_lab(ReferenceDriver, store="nfs", seed=3, directory=tmp_path, limits=limits) as lab:
        caller = Caller(lab)
        volume = caller.create("volume", name="database").result()
        caller.take("nightly", volume.id, LocationType.PRIMARY).result()
        lab.watch_calls()
        with pytest.raises(BeyondLimitError, match="sets snapshots_per_volume_max to 1; this would be 2"):
            caller.take("weekly", volume.id, LocationType.PRIMARY)
        with pytest.raises(BeyondLimitError, match="sets name_characters_max to 9; this would be 10"):
            caller.create("other", name="database-2")
        with pytest.raises(BeyondLimitError, match="sets volume_bytes_max to 1073741824; this would be 1073741825"):
            caller.create("other", name="other", size_bytes=2**30 + 1)
        with pytest.raises(BeyondLimitError, match="sets volume_bytes_min to 1048576; this would be 512"):
            caller.create("other", name="other", size_bytes=512)
        assert "array.CreateVolume#1" not in lab.calls()
    assert state_of(BeyondLimitError("No."), driver_package="") is State.NOT_SUPPORTED


def test_parameters_and_credentials_reach_the_driver_and_no_report(tmp_path: Path) -> None:
    driver = tmp_path / "driver.sh"
    driver.write_text('#!/bin/sh\necho "POOL is $POOL, TOKEN is $TOKEN"\nexit 7\n')
    driver.chmod(0o755)
    profile = """
        driver = "cmd:./driver.sh"
        limits = { name_characters_max = 200 }
        parameters = { POOL = "gold" }
        credentials = { TOKEN = "env:ACME" }
    """
    head, found = judged(tmp_path, profile, "-k", "lost_before", "features/take/primary.feature", ACME="geheim-7")
    assert [each.state for each in found] == [State.DRIVER_CRASH]
    assert "POOL is gold, TOKEN is ***" in found[0].reason
    assert head.chosen["limits"] == "name_characters_max=200"
    assert head.chosen["credentials"] == "TOKEN=*** from env:ACME"
    report = tmp_path / "snapproof-report"
    assert [path for path in report.rglob("*") if path.is_file() and b"geheim-7" in path.read_bytes()] == []
