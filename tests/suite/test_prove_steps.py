"""Taking the body out of a Then: what rests on it passes then, what does not is caught by something else."""

from collections import Counter

import pytest

from snapproof import cli
from snapproof.authoring.broken import zoo
from snapproof.authoring.phrases import Phrase, phrases_of
from snapproof.collecting import canonical_scenarios
from snapproof.commands.forked import Job, results_of, thens
from snapproof.commands.prove_steps import TRIES_MAX, Catch, _saying, _some_of, _spread, _turns
from snapproof.discovery import STEPS, default_register, plugin_modules
from snapproof.register import read_register
from snapproof.report.records import Scenario
from snapproof.verdict import State

VARIANT = "snapproof.reference_impl.variants.reverting:HidesTheWay"
PATTERN = "each snapshot has walked from state to state without a gap"
SCENARIO = "features/take/states.feature::test_every_state_of_a_snapshot_follows_from_the_one_before"


@pytest.fixture(scope="module")
def steps() -> dict[tuple[str, int], list[Phrase]]:
    return thens(phrases_of(plugin_modules([STEPS])))


@pytest.fixture(scope="module")
def scenarios() -> tuple[Scenario, ...]:
    return canonical_scenarios(read_register(default_register()))


def test_without_the_step_that_catches_it_the_variant_survives(steps: dict[tuple[str, int], list[Phrase]]) -> None:
    home = next(home for home, group in steps.items() if group[0].pattern == PATTERN)
    whole = Job(driver=VARIANT, scenarios=(SCENARIO,))
    hollow = Job(driver=VARIANT, scenarios=(SCENARIO,), hollow=home)
    (_, (caught,)), (_, (survived,)) = results_of([whole, hollow], processes=2)
    assert (caught.state, survived.state) == (State.FAIL, State.PASS)
    assert caught.scenario.id == survived.scenario.id == SCENARIO


def test_a_step_that_catches_a_variant_alone_is_proved(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove-steps", "walked", "--only", "R-174"]) == 0
    said = capsys.readouterr().out
    assert "without it reverting:HidesTheWay survives features/" in said
    assert "Every step proves something." in said


def test_a_step_in_which_nothing_is_caught_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove-steps", "credential", "--only", "R-174"]) == 1
    assert "no variant is caught in it" in capsys.readouterr().out


def test_a_step_beside_which_something_else_catches_all_proves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove-steps", "snapshot of", "is gone", "--only", "R-020"]) == 1
    said = capsys.readouterr().out
    assert "without it cloning:DeletesOnlyTheRow is still caught: The world has changed by:" in said


def test_the_look_at_everything_afterwards_is_no_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove-steps", "anybody else", "touched", "--only", "R-146"]) == 1
    said = capsys.readouterr().out
    assert "hostility:DeletesByPrefix is caught only by the look at everything after features/" in said
    assert "1 steps see what the look at everything afterwards sees as well." in said


def test_nothing_to_prove_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["prove-steps", "unicorn"]) == 4
    assert cli.main(["prove-steps", "--only", "R-999"]) == 4
    assert capsys.readouterr().err.count("Nothing to prove") == 2


def test_a_variant_is_looked_at_where_the_zoo_says_that_it_is_caught(scenarios: tuple[Scenario, ...]) -> None:
    for variant in zoo():
        some, more = (_some_of(variant, scenarios, rows_max) for rows_max in (1, 3))
        assert variant.where in some[0]
        assert set(some) <= {*more, some[0]}
        assert all(variant.breaks in each.requirements for each in scenarios if each.id in more)


def test_nothing_is_run_that_does_not_say_the_step(
    steps: dict[tuple[str, int], list[Phrase]], scenarios: tuple[Scenario, ...]
) -> None:
    walked = {home: group for home, group in steps.items() if group[0].pattern == PATTERN}
    assert [each.id for each in _saying(walked, scenarios)] == [SCENARIO]
    assert len(_saying(steps, scenarios)) == len(scenarios)


def test_every_variant_gets_its_turn_before_one_gets_a_second() -> None:
    catches = [Catch(variant=variant, scenario=str(n)) for n, variant in enumerate("aaaabc")]
    assert [catch.variant for catch in _spread(catches, Counter("abc"))] == ["a", "b", "c", "a", "a", "a"]
    assert [catch.variant for catch in _spread(catches, Counter("aab"))][:3] == ["c", "b", "a"]


def test_every_catch_is_tried_in_one_turn() -> None:
    catches = list(range(TRIES_MAX))
    assert [catch for turn in _turns() for catch in catches[turn]] == catches
