"""`snapproof lint`: nothing to mend in what comes with the package, and every planted slip is told with its place."""

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from snapproof import cli
from snapproof.authoring.lint import CHECKS, Slip, lint
from snapproof.authoring.phrases import phrases_of
from snapproof.register import read_register

Planted: TypeAlias = Callable[..., list[Slip]]

REGISTER = """
set = "own"
[[requirement]]
id = "R-001"
text = "is proved"
status = "tested"
[[requirement]]
id = "R-002"
text = "is planned"
[[requirement]]
id = "R-003"
text = "is extended"
level = "extended"
capability = "archive"
status = "tested"
"""
STEPS = '''
from pytest_bdd import given, parsers, then, when


@given("a bench")
def bench():
    """Build it."""


@when(parsers.parse("it {ends}"))
def it_ends(ends):
    """Let it end."""


@then(parsers.parse("all is {state}"))
@then(parsers.parse("everything is {state}"))
def all_is(state):
    """Look."""
'''
TWICE = '''parsers.parse("a {thing}"))
def thing(thing):
    """Build anything."""


@given("a bench"'''
FINE = """
    @req:R-001
    Feature: Fine
      Scenario: Works
        Given a bench
        When it works
        Then all is well

      @req:R-003 @capability:archive
      Scenario: Archives
        Given a bench
        Then all is well
"""


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    """Lint a register, steps and one feature; `without` is replaced by `put` in whichever of them it stands."""

    def plant(put: str = "", *, instead_of: str = "", feature: str = FINE, steps: str = STEPS) -> list[Slip]:
        swapped = [
            text.replace(instead_of, put) if instead_of else text
            for text in (textwrap.dedent(feature), steps, REGISTER)
        ]
        for name, text in zip(("a.feature", "conftest.py", "requirements.toml"), swapped, strict=True):
            (tmp_path / name).write_text(text, encoding="utf-8")
        phrases = phrases_of((), [tmp_path / "conftest.py"])
        register = read_register(tmp_path / "requirements.toml")
        return lint([tmp_path / "a.feature"], phrases, register, whole=True)

    return plant


def test_there_is_nothing_to_mend_in_what_comes_with_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["lint"])
    assert (code, capsys.readouterr().out.count("to mend")) == (0, 1)


def test_there_is_nothing_to_mend_in_a_fine_suite(planted: Planted) -> None:
    assert planted() == []


@pytest.mark.parametrize(
    ("check", "instead_of", "put", "said"),
    [
        ("unknown ids", "req:R-001", "req:R-404", "unknown tag @req:R-404"),
        ("unknown capabilities", "capability:archive", "capability:flying", "unknown tag @capability:flying"),
        ("scenarios without a Then", "Then all is well\n\n", "\n", "has no Then"),
        ("undefined_steps", "Given a bench", "Given a trench", "No step reads 'Given a trench'"),
        ("ambiguous_steps", '"a bench"', TWICE, "'a bench' is defined twice"),
        ("twin_wordings", "everything is {state}", "all is {other}", "says the same as"),
        ("coroutine_steps", "def bench", "async def bench", "is a coroutine; nobody awaits it"),
        ("mute_steps", '    """Look."""', "    ...", "The step all_is has no docstring"),
        ("dormant_steps", "When it works", "And a bench", "No scenario says 'it {ends}'"),
        ("unproved_requirements", "@req:R-003 ", "", "R-003: It is called tested, and no scenario"),
        ("contradicted_requirements", "@req:R-003 ", "@req:R-003 @req:R-002 ", 'calls planned; write "tested"'),
        ("contradicted_requirements", " @capability:archive", "", "proves R-003 without its tag @capability:archive"),
    ],
)
def test_a_planted_slip_is_told(planted: Planted, check: str, instead_of: str, put: str, said: str) -> None:
    slips = planted(put, instead_of=instead_of)
    assert said in "\n".join(map(str, slips)), check


def test_all_slips_of_a_file_are_told_at_once(planted: Planted) -> None:
    slips = planted("", instead_of="Then all is well\n")
    assert len([slip for slip in slips if "has no Then" in slip.said]) == 2


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ("Feature: Empty\n", "no scenario; a feature file without one proves nothing"),
        ("Feature: F\n  Scenario: S\n    Given a bench\n  Maybe\n", "Unexpected token found"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_place(planted: Planted, feature: str, said: str) -> None:
    slips = [slip for slip in planted(feature=feature) if "a.feature" in slip.where]
    assert len(slips) == 1
    assert said in slips[0].said


def test_every_check_has_a_planted_slip() -> None:
    (mark,) = [mark for mark in test_a_planted_slip_is_told.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]  # pytest puts marks there
    assert {check.__name__ for check in CHECKS} <= {row[0] for row in mark.args[1]}


def test_a_part_of_the_features_cannot_leave_anything_out(planted: Planted, tmp_path: Path) -> None:
    planted()
    code = cli.main(["lint", str(tmp_path), "--register", str(tmp_path / "requirements.toml")])
    assert code == 0


def test_a_folder_that_is_not_there_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["lint", "no/such/folder"]) == 4
    assert "no/such/folder does not exist" in capsys.readouterr().err
