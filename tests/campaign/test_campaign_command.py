"""`snapproof campaign` and `snapproof replay` as a user types them."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

from snapproof.campaign.schedule import Schedule
from snapproof.cli import main
from snapproof.commands import exploration

Cells: TypeAlias = Callable[[str, str], tuple[Schedule, ...]]

DELETE = ("campaign", "--workflow", "delete-secondary", "--store", "nfs")
VARIANT = "snapproof.reference_impl.variants.cloning:BlindRetry"
BLIND = ("--driver", VARIANT, "--workflow", "take-primary", "--store", "nfs")


def share_of(fault: tuple[str, str], cells: Sequence[Schedule]) -> str:
    """The share of a sweep that is this one cell."""
    return f"{[cell.faults[0] for cell in cells].index(fault)}/{len(cells)}"


def test_a_closure_over_a_deletion_finds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DELETE, "--strategy", "closure", "--others", "0"]) == 0
    told = capsys.readouterr().out
    assert "delete-secondary on nfs, closure" in " ".join(told.split())
    assert "0 broken; the same seed twice gave the same journal" in told


def test_a_broken_variant_is_told_with_a_line_that_replays_it_and_is_kept(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, cells: Cells
) -> None:
    shard = share_of(("array.CreateSnapshot#1", "lost_after"), cells("take-primary", "nfs"))
    kept = ("--regressions", str(tmp_path / "kept"))
    assert main(["campaign", *BLIND, "--shard", shard, *kept, "--jobs", "2"]) == 1
    told = capsys.readouterr().out
    assert "1 cases, 1 broken" in told
    line = "'take-primary/v1 store=nfs seed=0 :: array.CreateSnapshot#1=lost_after'"
    assert f"snapproof replay --driver {VARIANT} {line}" in told
    assert main(["replay", "--quiet", "--driver", VARIANT, line.strip("'")]) == 1
    smallest = "take-primary/v1 store=nfs seed=0 guest=still :: array.CreateSnapshot#1=lost_after"
    assert f"smallest: {smallest}, kept in " in told
    assert (tmp_path / "kept").read_text().endswith(f"{VARIANT} {smallest}\n")
    capsys.readouterr()
    assert main(["campaign", *BLIND, "--limit", "0", *kept]) == 1
    assert capsys.readouterr().out.startswith("regression still broken I2: ")


def test_how_many_broken_cases_are_not_shown_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cells: Cells
) -> None:
    monkeypatch.setattr(exploration, "BROKEN_SHOWN_MAX", 0)
    shard = share_of(("array.CreateSnapshot#1", "lost_after"), cells("take-primary", "nfs"))
    assert main(["campaign", *BLIND, "--shard", shard, "--regressions", str(tmp_path / "kept")]) == 1
    told = capsys.readouterr().out
    assert "broken: 1 more cases, not shown; --results FILE keeps them all." in told
    assert "snapproof replay" not in told


def test_a_pool_counts_as_a_case_and_not_by_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DELETE, "--strategy", "everywhere", "--limit", "3"]) == 0
    told = capsys.readouterr().out
    assert "3 cases, 0 broken" in told
    assert "every call" in told


def test_a_limit_ends_a_strategy(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DELETE, "--strategy", "pairs", "--limit", "3"]) == 0
    assert "3 cases, 0 broken" in capsys.readouterr().out


def test_what_was_told_is_not_run_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    results = ("--results", str(tmp_path / "results"))
    assert main([*DELETE, "--limit", "3", *results]) == 0
    assert main([*DELETE, "--limit", "5", *results, "--resume"]) == 0
    assert "5 cases (3 told before), 0 broken" in capsys.readouterr().out
    assert len((tmp_path / "results").read_bytes().splitlines()) == 1 + 5
    assert main([*DELETE, "--resume"]) == 4


def test_the_reference_under_its_full_name_is_no_other_driver(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    results = ("--results", str(tmp_path / "results"))
    full = "snapproof.reference_impl.driver:ReferenceDriver"
    assert main([*DELETE, "--driver", full, "--limit", "3", *results]) == 0
    assert main([*DELETE, "--limit", "3", *results, "--resume"]) == 0
    assert "3 cases (3 told before), 0 broken" in capsys.readouterr().out


def test_a_workflow_that_calls_no_store_is_run_on_one_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    both = ("campaign", "--workflow", "delete-primary,delete-secondary", "--limit", "4")
    assert main(both) == 0
    told = " ".join(capsys.readouterr().out.split())
    reason = "the same runs, for none of its 4 cases on nfs calls a store."
    assert f"delete-primary on s3, singles: {reason}" in told
    assert told.count("4 cases, 0 broken") == 3


@pytest.mark.parametrize("workflow", ["take-primary", "revert"])
def test_a_case_that_calls_no_store_is_the_same_run_on_each(workflow: str, cells: Cells) -> None:
    calls = {store: [str(cell) for cell in cells(workflow, store)] for store in ("nfs", "s3")}
    assert calls["s3"] == [text.replace("store=nfs", "store=s3") for text in calls["nfs"]]


def test_shards_are_joined_and_each_case_is_counted_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, cells: Cells
) -> None:
    files = [str(tmp_path / f"{number}.ndjson") for number in range(2)]
    for number, file in enumerate(files):
        assert main([*DELETE, "--shard", f"{number}/2", "--results", file]) == 0
    told = capsys.readouterr().out
    assert "n/a catalog=error_after: A database that refuses a commit has not committed." in told
    assert "catalog=truncated" not in told  # a column in which nothing was met is not shown
    cases = len(cells("delete-secondary", "nfs"))
    page = tmp_path / "coverage.html"
    assert main(["coverage", *files, files[0], "--to", str(page)]) == 0
    told = capsys.readouterr().out
    assert f"\n{cases + 1} cases, 0 broken: {page}" in told  # the one without faults is in both
    assert "delete-secondary on nfs by reference: " in told
    assert "0 not reached" in told
    assert "An act of the server has no answer to lose" in page.read_text()


def test_what_is_no_result_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text('{"case":"x"}\n')
    assert main(["coverage", str(tmp_path / "file")]) == 4
    assert "file, line 1, is no result of a campaign: " in capsys.readouterr().err
    assert main(["coverage", str(tmp_path / "none")]) == 4


def test_a_strategy_that_does_not_exist_is_refused_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DELETE, "--strategy", "everything"]) == 4
    assert "everything cannot be taken." in capsys.readouterr().err


def test_who_acts_alone_cannot_be_held_up_for_others(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*DELETE, "--strategy", "turns"]) == 4
    assert "Workflows of several are take-and-take," in capsys.readouterr().err


BARE = "take-primary/v1 store=nfs seed=0"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("nonsense/v1 store=nfs seed=0",), "No workflow is called 'nonsense'; there are take-primary, "),
        (("take-primary/v9 store=nfs seed=0",), "take-primary is at v1 by now"),
        (("take-primary/v1 store=tape seed=0",), "There is no secondary store 'tape'; there are nfs and s3."),
        ((f"{BARE} :: catalog.commit#1=lost_late",), "catalog.commit#1=lost_late cannot be: "),
        ((f"{BARE} :: array.CreateSnapshot#1=rust",), "No fault is called 'rust'; there are refused, "),
        (("--driver", "nobody.here:Driver", BARE), "The driver 'nobody.here:Driver' cannot be imported"),
        (("--driver", "cmd:false", BARE), "The driver false ended before it was ready (exit code 1)."),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_what_can(
    given: Sequence[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", *given]) == 4
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("driver", ["nobody.here:Driver", "cmd:false"])
def test_a_driver_that_cannot_be_had_is_told_before_anything_is_tried(
    driver: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*DELETE, "--driver", driver]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert "The driver " in said.err


def test_a_replay_shows_both_sides_and_gives_the_same_journal_twice(capsys: pytest.CaptureFixture[str]) -> None:
    text = "delete-secondary/v1 store=nfs seed=0 :: nfs.delete#1=crash_after; nfs.delete#2=refused"
    told = []
    for _ in range(2):
        assert main(["replay", text]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    for line in ("fault  crash_after  call=nfs.delete#1", "nfs    file deleted", "fault  refused  call=nfs.delete#2"):
        assert line in told[0]
    assert "The invariants held." in told[0]


def test_a_replay_loads_only_what_its_case_needs() -> None:
    heavy = ("alembic", "botocore", "docker", "moto", "pytest", "sqlalchemy.dialects.postgresql", "uvicorn")
    script = f"""
import sys
from snapproof.cli import main
main(["replay", "--quiet", "delete-secondary/v1 store=nfs seed=0 :: nfs.delete#1=refused"])
print("loaded:", *(name for name in {heavy!r} if name in sys.modules))
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "loaded:", "An answer is to be there within a second."
