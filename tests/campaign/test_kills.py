"""Mistakes that only faults reveal are found by a hunt, each with a line that replays it."""

import re
from pathlib import Path

import pytest

from snapproof.authoring.broken import FaultMistake, fault_mistakes
from snapproof.campaign.schedule import read_schedule
from snapproof.campaign.workflows import WORKFLOWS
from snapproof.cli import main
from snapproof.fixtures.site import STORES

CASES_MAX = {1: 12, 2: 120, 3: 240}
"""How many cases a mistake of so many faults may take: a good deal less than a cell for each call and kind."""


@pytest.mark.parametrize("mistake", fault_mistakes(), ids=lambda mistake: mistake.driver)
def test_a_mistake_that_only_faults_reveal_is_hunted_down(
    mistake: FaultMistake, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    where = ("--workflow", mistake.workflow, "--store", mistake.store, "--regressions", str(tmp_path / "kept"))
    hunt = ("campaign", "--driver", mistake.selector, "--strategy", "hunt", "--limit", str(CASES_MAX[mistake.faults]))
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
    assert {mistake.faults for mistake in found} == {*CASES_MAX}
    assert {mistake.workflow for mistake in found} <= {*WORKFLOWS}
    assert {mistake.store for mistake in found} <= {*STORES}
    assert len({mistake.driver for mistake in found}) == len(found)
