"""Proof that the suite bites: every variant of the zoo is caught by a scenario of the rule it breaks, in its words."""

import ast
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from snapproof.authoring.broken import Variant, planted, zoo
from snapproof.collecting import canonical_scenarios
from snapproof.commands.forked import Job, results_of, said_of
from snapproof.discovery import default_register
from snapproof.register import Status, read_register
from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

ROOT = Path(__file__).parents[2]
WHOLE = bool(os.environ.get("SNAPPROOF_WHOLE_ZOO"))

FIRST = 12
"""A variant is mostly caught in one of so many scenarios; only where nobody has said the words yet, all of them run."""


@pytest.fixture(scope="module")
def scenarios() -> Mapping[str, Sequence[str]]:
    """Every scenario by the requirements that it proves."""
    found: dict[str, list[str]] = {}
    for scenario in canonical_scenarios(read_register(default_register())):
        for requirement in scenario.requirements:
            found.setdefault(requirement, []).append(scenario.id)
    return found


def judged(driver: str, chosen: Sequence[str], expect: str) -> list[ScenarioFinished]:
    """Run scenarios on a driver in a child of this process until one says what is expected, and give what they said."""
    ((_, results),) = results_of([Job(driver=driver, scenarios=tuple(chosen), until=expect)], processes=1)
    return results


def failures(results: list[ScenarioFinished]) -> list[str]:
    """What was said of the scenarios that failed."""
    return [said_of(result) for result in results if result.state is State.FAIL]


def doors() -> list[tuple[Variant, str]]:
    """Every variant as it is called, and every eighth by the contract too; all of them where that is asked for."""
    return [(variant, "") for variant in zoo()] + [(variant, "contract:") for variant in zoo()[:: 1 if WHOLE else 8]]


@pytest.mark.parametrize(("variant", "door"), doors(), ids=lambda thing: getattr(thing, "driver", thing or "called"))
def test_the_variant_is_caught_by_the_rule_that_it_breaks(
    variant: Variant, door: str, scenarios: Mapping[str, Sequence[str]]
) -> None:
    results = asked_about(variant, f"{door}{variant.selector}", scenarios[variant.breaks])
    said = failures(results)
    assert said, f"{variant.driver} survived {len(results)} scenarios of {variant.breaks}."
    assert caught(results, variant), f"Nobody said {variant.expect!r}; they said: {said[0][:600]}"


UNHEARD = {
    "living:LogsPasswords": "What a process logs and writes nowhere reaches nobody; `snapproof host` writes no log."
}
"""Variants whose mistake is none in a process of their own, and why."""


def outside() -> list[Variant]:
    """Two of them, and all but those by night."""
    some = zoo() if WHOLE else zoo()[20::100]
    return [variant for variant in some if variant.driver not in UNHEARD]


@pytest.mark.parametrize("variant", outside(), ids=lambda variant: variant.driver)
def test_what_catches_the_variant_catches_it_in_a_process_of_its_own_too(
    variant: Variant, scenarios: Mapping[str, Sequence[str]]
) -> None:
    inside = asked_about(variant, variant.selector, scenarios[variant.breaks])
    catching = next(result.scenario.id for result in inside if caught([result], variant))
    command = shlex.join([sys.executable, "-m", "snapproof", "host", variant.selector])
    (there,) = judged(f"cmd:{command}", [catching], variant.expect)
    if there.state is State.NOT_TESTABLE:
        pytest.skip(there.reason)
    assert there.state is State.FAIL, f"{there.state} in {catching}"


def asked_about(variant: Variant, driver: str, of_its_rule: Sequence[str]) -> list[ScenarioFinished]:
    """Run the scenarios that are likely to catch it, then, if none did, all of the rule."""
    asked = sorted(of_its_rule, key=lambda name: variant.where not in name)
    first = dict.fromkeys([asked[0], *asked[:: max(1, len(asked) // FIRST)]])
    results = judged(driver, list(first), variant.expect)
    return results if caught(results, variant) else judged(driver, asked, variant.expect)


def caught(results: list[ScenarioFinished], variant: Variant) -> bool:
    """Whether a failure says what is expected."""
    return any(variant.expect in text for text in failures(results))


def test_where_a_variant_is_caught_is_a_scenario_of_its_requirement(scenarios: Mapping[str, Sequence[str]]) -> None:
    for variant in zoo():
        assert any(variant.where in name for name in scenarios[variant.breaks]), variant.driver


def test_every_tested_requirement_has_a_variant_that_breaks_it() -> None:
    register = read_register(ROOT / "features" / "requirements.toml")
    tested = {row.id for row in register.requirements if row.status is Status.TESTED}
    assert tested
    assert tested - {variant.breaks for variant in zoo()} == set()


def test_every_variant_says_in_its_docstring_which_rule_it_breaks() -> None:
    for variant in (*zoo(), *planted()):
        module, _, name = variant.driver.partition(":")
        text = (ROOT / "reference_impl" / "variants" / f"{module}.py").read_text(encoding="utf-8")
        assert re.search(rf'class {name}\(\w+\):\n    """Breaks {variant.breaks}\b', text), variant.driver


def test_every_hazard_is_the_mistake_of_a_variant() -> None:
    named = {variant.hazard for variant in (*zoo(), *planted())} - {""}
    assert named == {f"C{number}" for number in range(1, 29)}


def test_what_is_planted_is_planted_by_the_test_that_is_named() -> None:
    assert planted()
    for mistake in planted():
        file, _, name = mistake.caught_by.partition("::")
        (test,) = [
            ast.unparse(node)
            for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name == name
        ]
        assert f"planted_for('{mistake.hazard}')" in test, mistake.driver
