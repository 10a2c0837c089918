"""A newcomer's path, end to end: begin a requirement, see it fail with what helps, make it pass, see it bite."""

import os
import tomllib
from pathlib import Path

import pytest

from snapproof import cli

SENTENCE = "A snapshot keeps its name."
FEATURE = "my/naming.feature"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which somebody stands who has installed snapproof."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    return tmp_path


def reword(desk: Path, then: str) -> None:
    """Let the scenario end in another Then."""
    path = desk / FEATURE
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*lines[:-1], f"    Then {then}"]) + "\n", encoding="utf-8")


def test_from_the_first_sentence_to_a_scenario_that_bites(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", FEATURE, SENTENCE]) == 0
    assert f"snapproof lint {FEATURE}" in capsys.readouterr().out

    assert cli.main(["run", FEATURE]) == 3
    said = capsys.readouterr().out
    assert "harness error (0 of 1 requirements of set own)" in said
    assert "No step reads 'Then it is still to be said what must be seen'." in said
    assert "def it_is_still_to_be_said_what_must_be_seen(lab: Lab, scene: Scene) -> None:" in said

    reword(desk, "the snapshot nightly is kept")
    assert cli.main(["run", FEATURE]) == 3
    assert 'Then the snapshot "{name}" is {state} on {location}' in capsys.readouterr().out

    reword(desk, 'the snapshot "nightly" is BackedUp on PRIMARY')
    assert cli.main(["lint", FEATURE]) == 0
    assert cli.main(["run", FEATURE]) == 0
    assert "conformant (1 of 1 requirements of set own)" in capsys.readouterr().out

    assert cli.main(["run", FEATURE, "--driver", "variants:BreaksR001"]) == 1
    assert "R-001 is still to be broken in a more interesting way." in capsys.readouterr().out


def test_the_step_that_is_proposed_can_be_taken_as_it_is(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", FEATURE, SENTENCE]) == 0
    reword(desk, 'the moon has 2 snapshots of "nightly"')
    assert cli.main(["lint", FEATURE]) == 1
    proposed = capsys.readouterr().out.partition("Or define it")[2].splitlines()[1:-1]
    (desk / "my/conftest.py").write_text("\n".join(line.removeprefix("  ") for line in proposed), encoding="utf-8")
    assert cli.main(["lint", FEATURE]) == 0
    assert cli.main(["run", FEATURE]) == 3, "until somebody writes it, it is nobody's verdict"
    assert "NotImplementedError" in capsys.readouterr().out


def test_a_second_requirement_has_the_next_id_in_the_same_files(desk: Path) -> None:
    assert cli.main(["new", FEATURE, SENTENCE]) == 0
    assert cli.main(["new", "my/deep/sizes.feature", "A snapshot keeps its size", "--capability", "archive"]) == 0
    rows = tomllib.loads((desk / "my/requirements.toml").read_text(encoding="utf-8"))["requirement"]
    assert [(row["id"], row["text"]) for row in rows] == [("R-001", SENTENCE), ("R-002", "A snapshot keeps its size.")]
    assert "  @req:R-002 @capability:archive\n" in (desk / "my/deep/sizes.feature").read_text(encoding="utf-8")
    assert "class BreaksR002(ReferenceDriver):" in (desk / "variants.py").read_text(encoding="utf-8")


def test_a_variant_beside_a_zoo_gets_its_line_there(desk: Path) -> None:
    (desk / "zoo").mkdir()
    (desk / "zoo/zoo.toml").write_text("", encoding="utf-8")
    assert cli.main(["new", FEATURE, SENTENCE, "--variant", "zoo/naming.py"]) == 0
    (line,) = tomllib.loads((desk / "zoo/zoo.toml").read_text(encoding="utf-8"))["variant"]
    assert (line["driver"], line["breaks"]) == ("naming:BreaksR001", "R-001")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["my/naming.txt", SENTENCE], "is no feature file"),
        ([FEATURE, "Names"], "is no sentence"),
        ([FEATURE, SENTENCE, "--capability", "flying"], "No capability is called 'flying'"),
        ([FEATURE, " a snapshot  keeps its name"], "R-001 promises just that"),
    ],
)
def test_what_cannot_be_begun_is_refused_and_leaves_nothing(
    desk: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (desk / "my").mkdir()
    row = f'set = "own"\n[[requirement]]\nid = "R-001"\ntext = "{SENTENCE}"\n'
    (desk / "my/requirements.toml").write_text(row, encoding="utf-8")
    assert cli.main(["new", *arguments]) == 4
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in desk.rglob("*")) == ["my", "requirements.toml"]
