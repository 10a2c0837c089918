"""Cases on several processes: one that is gone is told, with what it was in, and nobody waits for it."""

from pathlib import Path

import pytest

from snapproof.cli import main

MORTAL = """
import multiprocessing
import os

from snapproof.reference_impl.driver import ReferenceDriver


class Mortal(ReferenceDriver):
    def delete_snapshot(self, *given, **named):
        if multiprocessing.parent_process():
            os._exit(9)
        return super().delete_snapshot(*given, **named)
"""


def test_a_process_that_dies_ends_the_campaign_with_the_cases_it_may_have_been_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mortal.py").write_text(MORTAL)
    monkeypatch.syspath_prepend(tmp_path)
    campaign = ("campaign", "--driver", "mortal:Mortal", "--workflow", "delete-primary", "--store", "nfs")
    assert main([*campaign, "--jobs", "2"]) == 2
    told = capsys.readouterr().out
    assert "Interrupted after 0 cases: A process died that ran cases: " in told
    assert "\n  snapproof replay 'delete-primary/v1 store=nfs seed=0'\n" in told
