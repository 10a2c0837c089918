"""The features of secondary storage over stores that others wrote: SeaweedFS keeps the bucket, Ganesha the export.

What the server of others does inside cannot be broken by us; those scenarios are NOT-TESTABLE, and nothing else is.
Every night all features that name the store are run, else those about the store itself.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from snapproof.fixtures.parts.parts import PARTS
from snapproof.report.ledger import read_ledger
from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

pytestmark = pytest.mark.real

SCENARIOS = {"seaweedfs": "s3 or S3", "ganesha": "nfs or NFS"}
FEATURES = {
    "seaweedfs": ("features/recovery/s3_faults.feature", "features/take/secondary.feature"),
    "ganesha": ("features/recovery/nfs_faults.feature", "features/take/secondary.feature"),
}
ACTS_OF_THE_SERVER = "This lab has no say in what an NFS server of others does; it can fail its client."


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", SCENARIOS)
def test_the_reference_passes_the_features_over_it(part: str, tmp_path: Path) -> None:
    if lacks := PARTS[part].lacks():
        pytest.skip(lacks)
    report = tmp_path / "report"
    chosen = () if os.environ.get("SNAPPROOF_ALL_FEATURES") else FEATURES[part]
    words = ["run", "--part", part, "-k", SCENARIOS[part], "--report", str(report), *chosen]
    subprocess.run([sys.executable, "-m", "snapproof", *words], env=os.environ, capture_output=True, check=False)
    endings = [record for record in read_ledger(report) if isinstance(record, ScenarioFinished)]
    found = {(each.state, each.reason) for each in endings}
    assert found - {(State.NOT_TESTABLE, ACTS_OF_THE_SERVER)} == {(State.PASS, "")}
