"""A campaign on a driver that is another process and does little: what it does is searched, the rest is told."""

import sys
from pathlib import Path

import pytest

from snapproof.cli import main

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "drivers" / "python" / "driver.py"
DRIVER = f"cmd:{sys.executable} {EXAMPLE}"


def campaign(kept: Path, *given: str) -> int:
    return main(["campaign", "--driver", DRIVER, "--store", "nfs", "--regressions", str(kept), *given])


def test_what_it_does_not_do_is_not_tried_and_no_pass(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert campaign(tmp_path / "kept", "--limit", "1", "--workflow", "take-primary,archive,policy-run,template") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "1 cases, 0 broken" in told
    assert "archive on nfs, singles: not tried. The driver does not declare archive." in told
    assert "policy-run on nfs, singles: not tried. The driver does not declare policies, snapshot-secondary." in told
    assert "template on nfs, singles: not tried. The driver does not declare snapshot-secondary, templates." in told
    assert told.endswith("Every case held. 3 of 4 were not tried; why not is said above.")


@pytest.mark.parametrize(
    ("strategy", "workflow", "reason"),
    [
        ("turns", "take-and-take", "The driver does not declare snapshot-secondary."),
        ("overtaken", "take-primary", "a driver outside its process"),
    ],
)
def test_where_nothing_can_be_tried_that_is_no_success(
    strategy: str, workflow: str, reason: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert campaign(tmp_path / "kept", "--strategy", strategy, "--workflow", workflow) == 2
    assert reason in capsys.readouterr().out


def test_what_breaks_it_is_kept_once_and_can_be_pasted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It takes up nothing after its death, so a snapshot whose answer it never heard is an orphan."""
    wanted = ("--workflow", "take-primary", "--strategy", "hunt", "--limit", "4")
    assert campaign(tmp_path / "kept", *wanted) == 1
    assert f"snapproof replay --driver '{DRIVER}' 'take-primary/v1 " in capsys.readouterr().out
    assert campaign(tmp_path / "kept", *wanted, "--limit", "0") == 1
    assert capsys.readouterr().out.startswith("regression still broken I2: ")
    assert len([line for line in (tmp_path / "kept").read_text().splitlines() if line.startswith("cmd:")]) == 1
