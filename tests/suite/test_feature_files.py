"""Feature files as tests: every way to choose them, every slip that is refused, and strangers who pay nothing."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias

import pytest

from snapproof.collecting import canonical_scenarios, read_feature
from snapproof.discovery import plugin_modules, refuse_texts_for_links
from snapproof.register import read_register

Write: TypeAlias = Callable[..., Path]
Start: TypeAlias = Callable[..., CompletedProcess[str]]

DRIVER = "--snapproof-driver=mini_driver:Driver"
TWO = """
    @req:R-001
    Feature: Two
      Background:
        Given a bench

      Scenario: Works by day
        When it works
        Then all is well

      @req:R-002 @fault
      Scenario Outline: Works by <time>
        When it works
        Then all is well

        Examples:
          | time  |
          | night |
          | dawn  |
"""


@pytest.mark.parametrize(
    ("chosen", "passed"),
    [
        (["features", "-pxdist.plugin", "-n2"], 3),
        (["features/deep/two.feature"], 3),
        (["features/deep/two.feature::test_works_by_time[dawn]"], 1),
        (["features", "-k", "dawn"], 1),
        (["features", "-m", "requirement(id='R-002') and requirement(id='R-001') and fault"], 2),
    ],
)
def test_scenarios_are_chosen_as_any_test_is(
    feature: Write, plain_pytest: Start, chosen: list[str], passed: int
) -> None:
    feature(TWO, "deep/two.feature")
    ended = plain_pytest(DRIVER, *chosen)
    assert ended.returncode == 0, ended.stdout
    assert f"{passed} passed" in ended.stdout


def test_what_failed_last_is_run_again_alone(feature: Write, plain_pytest: Start) -> None:
    feature(
        TWO.replace(
            "it works\n        Then all is well\n\n      @req", "it fails\n        Then all is well\n\n      @req"
        )
    )
    assert "1 failed, 2 passed" in plain_pytest(DRIVER, "features").stdout
    assert "1 failed" in plain_pytest(DRIVER, "features", "--lf").stdout.splitlines()[-1]


def test_where_no_driver_is_named_feature_files_are_somebody_elses(feature: Write, plain_pytest: Start) -> None:
    feature("Feature: not even Gherkin\n  @nonsense:here")
    ended = plain_pytest("features")
    assert ended.returncode == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Feature: F\n  Scenario: S\n    When it works", "one.feature:2: Scenario 'S' has no Then"),
        ("Feature: F\n  Scenario: S\n    Then a\n  Scenario: S\n    Then b", "two scenarios are called 'S'"),
        (
            "Feature: F\n  Rule: R\n    Scenario: S\n      Then a\n    Scenario: S\n      Then b",
            "two scenarios are called",
        ),
        ("Feature: F\n  @req:R-404\n  Scenario: S\n    Then a", "unknown tag @req:R-404: the register holds no such"),
        ("Feature: F\n  @capability:flying\n  Scenario: S\n    Then a", "unknown tag @capability:flying: write"),
        ("@flaky\nFeature: F\n  Scenario: S\n    Then a", "one.feature:3: unknown tag @flaky: tags are @req:"),
        (
            "Feature: F\n  Scenario Outline: S\n    Then a\n    @slow\n    Examples:\n      | a |\n      | 1 |",
            "tags on its Ex",
        ),
        ("Feature: F\n  Scenario Outline: S\n    Then a\n    Examples:\n      | a |", "an outline without a row"),
        (
            "Feature: F\n  Scenario Outline: S\n    Then a\n    Examples:\n      | a |\n      | 1 |\n      | 1 |",
            "'1' twice",
        ),
        ("Feature: F\n", "no scenario; a feature file without one proves nothing"),
        ("Feature: F\n  Scenario: S\n    Then a\n    Nonsense", "one.feature:4: "),
    ],
)
def test_a_slip_in_a_feature_file_is_an_error_that_names_the_place(feature: Write, text: str, complaint: str) -> None:
    with pytest.raises(pytest.Collector.CollectError) as refused:
        read_feature(feature(text), requirements=["R-001"])
    assert complaint in str(refused.value)


def test_a_feature_file_in_another_encoding_is_refused(feature: Write) -> None:
    path = feature("Feature: F")
    path.write_bytes("Feature: Grüße\n  Scenario: S\n    Then a".encode("latin-1"))
    with pytest.raises(pytest.Collector.CollectError, match="not UTF-8"):
        read_feature(path, requirements=[])


def test_a_step_that_nobody_wrote_is_named_with_its_line(feature: Write, plain_pytest: Start) -> None:
    feature("Feature: F\n  Scenario: S\n    Then the moon is square")
    ended = plain_pytest(DRIVER, "features")
    assert "1 failed" in ended.stdout
    assert "features/one.feature:3" in ended.stdout


def test_canonical_scenarios_are_known_without_running_any(suite: Path, feature: Write) -> None:
    feature(TWO, "deep/two.feature")
    scenarios = canonical_scenarios(read_register(suite / "features" / "requirements.toml"))
    assert {scenario.id: scenario.requirements for scenario in scenarios} == {
        "features/deep/two.feature::test_works_by_day": ("R-001",),
        "features/deep/two.feature::test_works_by_time[night]": ("R-001", "R-002"),
        "features/deep/two.feature::test_works_by_time[dawn]": ("R-001", "R-002"),
    }
    assert [scenario.name for scenario in scenarios] == ["Works by day", "Works by night", "Works by dawn"]


def test_a_scenario_has_one_id_whether_it_is_planned_or_run(feature: Write, judge: Start) -> None:
    feature(TWO, "deep/two.feature")
    ended = judge("features")
    assert "scenarios: 3 PASS\n" in ended.stdout


def test_the_plugin_costs_strangers_nothing() -> None:
    heavy = ("pytest_bdd", "moto", "docker", "faker", "jinja2", "rich", "sqlalchemy", "snapproof.selection")
    script = f"import sys, snapproof.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_packages_of_steps_are_expanded_to_their_modules() -> None:
    assert set(plugin_modules(["snapproof.report", "snapproof.verdict"])) >= {
        "snapproof.report.pages",
        "snapproof.verdict",
    }


def test_plugins_that_are_not_installed_are_a_usage_error() -> None:
    with pytest.raises(pytest.UsageError, match="which is not installed"):
        tuple(plugin_modules(["snapproof.no_such_steps"]))


def test_links_that_git_checked_out_as_text_are_explained(tmp_path: Path) -> None:
    refuse_texts_for_links(tmp_path)
    (tmp_path / "steps").write_text("../../steps", encoding="utf-8")
    with pytest.raises(pytest.UsageError, match=r"core\.symlinks=true"):
        refuse_texts_for_links(tmp_path)
