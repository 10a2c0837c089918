"""Mistakes that only faults reveal are found by a hunt, each with a line that replays it.

Two are looked for here; SNAPPROOF_ALL_KILLS asks for all of faults.toml.
"""

import os
import re
from pathlib import Path

import pytest

from snapproof.authoring.broken import FaultMistake, fault_mistakes
from snapproof.campaign.schedule import read_schedule
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.cli import main
from snapproof.fixtures.site import STORES

FEW = ("cloning:BlindRetry", "repeated:LooksOnce")
CASES_MAX = 400


def sought() -> list[FaultMistake]:
    everything = os.environ.get("SNAPPROOF_ALL_KILLS")
    return [mistake for mistake in fault_mistakes() if everything or mistake.driver in FEW]


@pytest.mark.timeout(1_200)  # a hunt that finds nothing ends with its last case
@pytest.mark.parametrize("mistake", sought(), ids=lambda mistake: mistake.driver)
def test_a_mistake_that_only_faults_reveal_is_hunted_down(
    mistake: FaultMistake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = ("--workflow", mistake.workflow, "--store", mistake.store, "--regressions", str(tmp_path / "kept"))
    hunt = ("campaign", "--driver", mistake.selector, "--strategy", "hunt", "--limit", str(CASES_MAX))
    assert main([*hunt, *where]) == 1
    told = capsys.readouterr().out
    (smallest,) = re.findall(r"^smallest: (.*), kept in ", told, re.MULTILINE)
    assert len(read_schedule(smallest).faults) >= mistake.faults, smallest
    assert main(["replay", "--quiet", "--driver", mistake.selector, smallest]) == 1


def test_a_hunt_is_not_shared_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["campaign", "--strategy", "hunt", "--shard", "1/2"]) == 4
    assert "A hunt follows its own findings and cannot be shared out." in capsys.readouterr().err


def test_every_mistake_is_of_a_workflow_that_there_is() -> None:
    found = fault_mistakes()
    assert {mistake.faults for mistake in found} <= {1, 2, 3}
    assert {mistake.workflow for mistake in found} <= {*WORKFLOWS}
    assert {mistake.store for mistake in found} <= {*STORES}
    assert set(FEW) < {mistake.driver for mistake in found}
    assert len({mistake.driver for mistake in found}) == len(found)
