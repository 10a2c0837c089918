"""What a user types wrong is told before anything is run; files survive that their writer is killed."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from snapproof.campaign.regressions import keep, kept_for
from snapproof.campaign.results import Told, append, joined
from snapproof.campaign.schedule import read_schedule
from snapproof.cli import main

CASES = tuple(f"take-primary/v1 store=nfs seed={seed}" for seed in range(3))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--limit", "-1"), "argument --limit: '-1' is no number from 0 on."),
        (("--jobs", "0"), "argument --jobs: '0' is no number from 1 on."),
        (("--seed", "-1"), "argument --seed: '-1' is no number from 0 on."),
        (("--shard", "3"), "argument --shard: '3' is no shard; of four they are 0/4 to 3/4.\n"),
        (("--shard", "4/4"), "argument --shard: '4/4' is no shard; "),
        (("--nonsense",), "unrecognized arguments: --nonsense"),
    ],
)
def test_what_is_no_option_is_wrong_usage(given: Sequence[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["campaign", *given])
    assert left.value.code == 4
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--workflow", "take-primary,"), "An empty name cannot be taken. "),
        (("--workflow", "nope"), "nope cannot be taken. "),
        (("--store", "tape", "--workflow", "archive,resize"), "tape cannot be taken. "),
    ],
)
def test_what_cannot_be_taken_is_named_once(
    given: Sequence[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["campaign", *given]) == 4
    assert capsys.readouterr().err.startswith(told)


@pytest.mark.parametrize("option", ["--results", "--regressions"])
def test_a_folder_is_no_file_to_write_to_and_nothing_is_run(
    option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["campaign", "--workflow", "delete-secondary", "--limit", "1", option, str(tmp_path)]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert str(tmp_path) in said.err


def test_a_page_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    append(tmp_path / "results", [Told(case=CASES[0], ending="succeeded")])
    assert main(["coverage", str(tmp_path / "results"), "--to", str(tmp_path)]) == 4
    assert str(tmp_path) in capsys.readouterr().err


def test_results_of_no_schedule_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    append(tmp_path / "results", [Told(case="take-primary/v1 store=nfs seed=-1", ending="succeeded")])
    assert main(["coverage", str(tmp_path / "results"), "--to", str(tmp_path / "page")]) == 4
    assert "'take-primary/v1 store=nfs seed=-1' is no schedule" in capsys.readouterr().err


@pytest.mark.parametrize("left", [1, 8, 30, -2, -1])
def test_a_line_that_was_torn_tells_nothing_and_spoils_no_other(left: int, tmp_path: Path) -> None:
    path = tmp_path / "results"
    first, second, third = (Told(case=case, ending="succeeded") for case in CASES)
    append(path, [first])
    whole = path.read_bytes()
    append(path, [second])
    path.write_bytes(whole + path.read_bytes().removeprefix(whole)[:left])
    torn = [] if left != -1 else [second]
    assert [*joined([path])] == [first, *torn]
    append(path, [third])
    assert [*joined([path])] == [first, *torn, third]


def test_a_kept_line_that_an_editor_left_open_stays_as_it_is(tmp_path: Path) -> None:
    first, second = map(read_schedule, CASES[:2])
    (tmp_path / "kept").write_text(f"acme:Driver {first}")
    assert keep("acme:Driver", second, ["I2: an orphan"], tmp_path / "kept")
    assert kept_for("acme:Driver", tmp_path / "kept") == (first, second)
