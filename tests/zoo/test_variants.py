"""Proof that the suite bites: every variant of the zoo is caught by a scenario of the rule it breaks, in its words."""

import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from snapproof.authoring.broken import PACKAGE, Variant, zoo
from snapproof.register import Status, read_register
from snapproof.report.records import ScenarioFinished
from snapproof.verdict import State

ROOT = Path(__file__).parents[2]
SEED = "7"


FAILURES_MAX = 3
"""After so many failures a variant is mostly caught; only where nobody has said the words yet, all scenarios run."""


def judged(driver: str, requirement: str, report: Path, *, failures_max: int = 0) -> list[ScenarioFinished]:
    """Run the scenarios of one requirement on one driver, in a process of its own, and read what was written down."""
    tag = f"@req:{requirement}"
    told = [str(path) for path in sorted((ROOT / "features").rglob("*.feature")) if tag in path.read_text()]
    command = [
        sys.executable,
        "-m",
        "pytest",
        *told,
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        f"requirement(id='{requirement}')",
    ]
    options = [
        "--snapproof-driver",
        driver,
        "--snapproof-seed",
        SEED,
        "--snapproof-report",
        str(report),
        "--snapproof-no-pages",
        "--tb=no",
        f"--maxfail={failures_max}",
    ]
    subprocess.run(
        [*command, *options], cwd=ROOT, env={**os.environ, "PYTHONSAFEPATH": "1"}, check=False, capture_output=True
    )
    lines = (report / "results.ndjson").read_bytes().splitlines()
    finished = [line for line in lines if line.startswith(b'{"record":"scenario-finished"')]
    return [msgspec.json.decode(line, type=ScenarioFinished) for line in finished]


def failures(results: list[ScenarioFinished]) -> list[str]:
    """What was said of the scenarios that failed."""
    return [f"{result.reason}\n{result.detail}" for result in results if result.state is State.FAIL]


def doors() -> list[tuple[Variant, str]]:
    """Every variant as it is called, and every eighth by the contract too; all of them where that is asked for."""
    stride = 1 if os.environ.get("SNAPPROOF_WHOLE_ZOO") else 8
    return [(variant, "") for variant in zoo()] + [(variant, "contract:") for variant in zoo()[::stride]]


@pytest.mark.parametrize(("variant", "door"), doors(), ids=lambda thing: getattr(thing, "driver", thing or "called"))
def test_the_variant_is_caught_by_the_rule_that_it_breaks(variant: Variant, door: str, tmp_path: Path) -> None:
    driver = f"{door}{PACKAGE}.{variant.driver}"
    said = failures(judged(driver, variant.breaks, tmp_path / "first", failures_max=FAILURES_MAX))
    if not any(variant.expect in text for text in said):
        results = judged(driver, variant.breaks, tmp_path / "all")
        said = failures(results)
        assert results, f"No scenario of {variant.breaks} ran."
        assert said, f"{variant.driver} survived {len(results)} scenarios of {variant.breaks}."
    assert any(variant.expect in text for text in said), f"Nobody said {variant.expect!r}; they said: {said[0][:600]}"


def test_every_tested_requirement_has_a_variant_that_breaks_it() -> None:
    register = read_register(ROOT / "features" / "requirements.toml")
    tested = {row.id for row in register.requirements if row.status is Status.TESTED}
    assert tested
    assert tested - {variant.breaks for variant in zoo()} == set()


def test_every_variant_says_in_its_docstring_which_rule_it_breaks() -> None:
    for variant in zoo():
        module, _, name = variant.driver.partition(":")
        text = (ROOT / "reference_impl" / "variants" / f"{module}.py").read_text(encoding="utf-8")
        assert re.search(rf'class {name}\(\w+\):\n    """Breaks {variant.breaks}\b', text), variant.driver
