"""Taking the body out of a Then: what rests on it passes then, what does not is caught by something else."""

import pytest

from snapproof import cli
from snapproof.authoring.phrases import Phrase, phrases_of
from snapproof.commands.forked import Job, results_of, thens
from snapproof.commands.prove_steps import Catch, _spread
from snapproof.discovery import STEPS, plugin_modules
from snapproof.verdict import State

VARIANT = "snapproof.reference_impl.variants.reverting:HidesTheWay"
PATTERN = "each snapshot has walked from state to state without a gap"
SCENARIO = "features/take/states.feature::test_every_state_of_a_snapshot_follows_from_the_one_before"


@pytest.fixture(scope="module")
def steps() -> dict[tuple[str, int], list[Phrase]]:
    return thens(phrases_of(plugin_modules([STEPS])))


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


def test_every_variant_gets_its_turn_before_one_gets_a_second() -> None:
    catches = [Catch(variant=variant, scenario=str(n)) for n, variant in enumerate("aaaaaaaabc")]
    assert [catch.variant for catch in _spread(catches)] == ["a", "b", "c", "a", "a", "a"]
