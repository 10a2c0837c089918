"""The register that comes with the package, held against its own rules and against the tags of the feature files.

An excluded requirement names the tests of ours that prove it, and those carry its mark: neither can be lost in silence.
Each rule is a pure function, itself tested with a planted violation. How a register is read is not tested here.
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
from pytest_bdd.feature import get_feature

from snapproof.collecting import all_tags
from snapproof.discovery import default_register
from snapproof.register import Level, Register, Requirement, Status, read_register
from snapproof.vocabulary import Capability

COUNT = 185
WORDS_MIN = 4
OPENING = re.compile(r"[A-Z]|(locationtype|quiescevm|asyncbackup|snapshot\.[a-z.]+)\b")
"""A capital, or the name of a parameter, which keeps its small letter."""


class Tagged(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario by its place, with all its tags, those of its feature included."""

    place: str
    tags: frozenset[str]

    def values(self, kind: str) -> frozenset[str]:
        """What stands behind the colon of its tags of one kind."""
        return frozenset(tag.removeprefix(f"{kind}:") for tag in self.tags if tag.startswith(f"{kind}:"))


Requirements: TypeAlias = tuple[Requirement, ...]
Scenarios: TypeAlias = tuple[Tagged, ...]
Check: TypeAlias = Callable[[Requirements, Scenarios], Iterator[str]]


def ids_run_without_a_gap(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    ids = [each.id for each in requirements]
    if len(ids) != COUNT:
        yield f"The register holds {len(ids)} requirements; {COUNT} were promised."
    for number, found in enumerate(ids, 1):
        if found != f"R-{number:03}":
            yield f"R-{number:03} should stand where {found} stands."


def every_text_is_a_sentence(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    for each in requirements:
        for field, text in (("text", each.text), ("passes_when", each.passes_when)):
            if not (OPENING.match(text) and text.endswith(".") and len(text.split()) >= WORDS_MIN):
                yield f"{each.id}: {field} is no full sentence: '{text}'"


def nothing_is_said_twice(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    said = Counter(text for each in requirements for text in (each.text, each.passes_when) if text)
    for text, times in said.items():
        if times > 1:
            yield f"Said {times} times: '{text}'"


def every_requirement_has_a_section(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    for each in requirements:
        if not each.section:
            yield f"{each.id} belongs to no section."


def every_scenario_names_what_it_proves(_requirements: Requirements, scenarios: Scenarios) -> Iterator[str]:
    for scenario in scenarios:
        if not scenario.values("req"):
            yield f"{scenario.place}: names no requirement."


def every_row_has_a_proof_or_a_reason(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    """The matrix has no row that is empty for no stated reason: what no scenario proves is excluded."""
    for each in requirements:
        if each.status is Status.EXCLUDED and not each.reason:
            yield f"{each.id} is excluded, and nothing says why."
        if each.status is Status.PLANNED:
            yield f"{each.id} is planned, and nothing proves it."


def capabilities_can_be_declared(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    for each in requirements:
        wanted = frozenset(Capability) if each.level is Level.EXTENDED else {""}
        if each.capability not in wanted:
            yield f"{each.id} is {each.level} and names the capability '{each.capability}'."


def tags_name_requirements_of_the_register(requirements: Requirements, scenarios: Scenarios) -> Iterator[str]:
    known = {each.id for each in requirements}
    for scenario in scenarios:
        for unknown in sorted(scenario.values("req") - known):
            yield f"{scenario.place}: the register holds no {unknown}."


def a_scenario_proves_what_is_called_tested(requirements: Requirements, scenarios: Scenarios) -> Iterator[str]:
    tagged = {name for scenario in scenarios for name in scenario.values("req")}
    for each in requirements:
        if each.status is Status.TESTED and each.id not in tagged:
            yield f"{each.id} is called tested, and no scenario is tagged with it."


def no_scenario_proves_what_is_excluded(requirements: Requirements, scenarios: Scenarios) -> Iterator[str]:
    excluded = {each.id for each in requirements if each.status is Status.EXCLUDED}
    for scenario in scenarios:
        for name in sorted(scenario.values("req") & excluded):
            yield f"{scenario.place}: proves {name}, which the register calls excluded."


def what_is_excluded_is_proved_by_tests(requirements: Requirements, _scenarios: Scenarios) -> Iterator[str]:
    for each in requirements:
        if (each.status is Status.EXCLUDED) != bool(each.proved_by):
            yield f"{each.id} is {each.status}, and {len(each.proved_by)} tests are named as its proof."


def scenarios_ask_for_what_their_requirement_extends(requirements: Requirements, scenarios: Scenarios) -> Iterator[str]:
    """Without the tag, a driver that declares no such capability would fail where it should be excused."""
    needed = {each.id: each.capability for each in requirements if each.level is Level.EXTENDED}
    for scenario in scenarios:
        for name in sorted(scenario.values("req") & needed.keys()):
            if needed[name] not in scenario.values("capability"):
                yield f"{scenario.place}: proves {name} without @capability:{needed[name]}."


CHECKS: tuple[Check, ...] = (
    ids_run_without_a_gap,
    every_text_is_a_sentence,
    nothing_is_said_twice,
    every_requirement_has_a_section,
    every_scenario_names_what_it_proves,
    every_row_has_a_proof_or_a_reason,
    capabilities_can_be_declared,
    tags_name_requirements_of_the_register,
    a_scenario_proves_what_is_called_tested,
    no_scenario_proves_what_is_excluded,
    what_is_excluded_is_proved_by_tests,
    scenarios_ask_for_what_their_requirement_extends,
)


def tagged_scenarios(folder: Path) -> Scenarios:
    return tuple(
        Tagged(place=f"{path.relative_to(folder)}:{template.line_number}", tags=all_tags(template))
        for path in sorted(folder.rglob("*.feature"))
        for template in get_feature(str(path.parent), path.name).scenarios.values()
    )


def marked_tests(folder: Path) -> frozenset[tuple[str, str]]:
    """Which tests of our own carry the mark `requirement(id="R-NNN")`: id, and `tests/area/test_x.py::test_name`."""
    return frozenset(
        (mark.value, f"{path.relative_to(folder.parent).as_posix()}::{function.name}")
        for path in sorted(folder.rglob("test_*.py"))
        for function in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(function, ast.FunctionDef)
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.requirement"
        for mark in (keyword.value for keyword in decorator.keywords)
        if isinstance(mark, ast.Constant) and isinstance(mark.value, str)
    )


@pytest.fixture(scope="module")
def register() -> Register:
    return read_register(default_register())


@pytest.fixture(scope="module")
def scenarios(register: Register) -> Scenarios:
    return tagged_scenarios(register.folder)


@pytest.mark.requirement(id="R-176")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_register_keeps_its_rules(check: Check, register: Register, scenarios: Scenarios) -> None:
    assert list(check(register.requirements, scenarios)) == []


def test_the_register_and_the_marks_of_tests_name_each_other(register: Register) -> None:
    named = {(each.id, test) for each in register.requirements for test in each.proved_by}
    assert named == marked_tests(Path(__file__).parent)


def test_marks_are_read_from_the_tests_that_carry_them(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "deep"
    folder.mkdir(parents=True)
    (folder / "test_x.py").write_text(
        "import pytest\n\n@pytest.mark.requirement(id='R-002')\ndef test_a(): ...\ndef test_b(): ...\n",
        encoding="utf-8",
    )
    assert marked_tests(tmp_path / "tests") == {("R-002", "tests/deep/test_x.py::test_a")}


FULL: Requirements = tuple(
    Requirement(
        id=f"R-{number:03}",
        text=f"Promise number {number} is kept.",
        passes_when=f"Observation number {number} is made.",
        section="Usage",
        level=Level.EXTENDED if number == 2 else Level.CORE,
        capability="reconcile" if number == 2 else "",
        status=Status.TESTED if number <= 2 else Status.EXCLUDED,
        reason="" if number <= 2 else "It asks for something of ours.",
        proved_by=() if number <= 2 else ("tests/test_x.py::test_it",),
    )
    for number in range(1, COUNT + 1)
)
PROVED: Scenarios = (
    Tagged(place="a.feature:1", tags=frozenset({"req:R-001"})),
    Tagged(place="b.feature:1", tags=frozenset({"req:R-001", "req:R-002", "capability:reconcile"})),
)


def with_first(**changed: object) -> Requirements:
    """The flawless register, with fields of its first requirement changed."""
    return (msgspec.structs.replace(FULL[0], **changed), *FULL[1:])


def with_scenario(*tags: str) -> Scenarios:
    return (*PROVED, Tagged(place="c.feature:7", tags=frozenset(tags)))


PLANTED: tuple[tuple[Check, Requirements, Scenarios, str], ...] = (
    (ids_run_without_a_gap, FULL[:-1], PROVED, "holds 184 requirements"),
    (ids_run_without_a_gap, (), PROVED, "holds 0 requirements"),
    (ids_run_without_a_gap, with_first(id="R-1"), PROVED, "R-001 should stand where R-1 stands"),
    (ids_run_without_a_gap, (FULL[1], FULL[0], *FULL[2:]), PROVED, "R-001 should stand where R-002 stands"),
    (every_text_is_a_sentence, with_first(text="the volume is not touched."), PROVED, "R-001: text"),
    (every_text_is_a_sentence, with_first(text="The volume is not touched"), PROVED, "R-001: text"),
    (every_text_is_a_sentence, with_first(text="Volume untouched."), PROVED, "R-001: text"),
    (every_text_is_a_sentence, with_first(passes_when=""), PROVED, "R-001: passes_when"),
    (nothing_is_said_twice, with_first(text=FULL[1].text), PROVED, "Said 2 times: 'Promise number 2"),
    (nothing_is_said_twice, with_first(passes_when=FULL[0].text), PROVED, "Said 2 times: 'Promise number 1"),
    (every_requirement_has_a_section, with_first(section=""), PROVED, "R-001 belongs to no section"),
    (every_scenario_names_what_it_proves, FULL, with_scenario("fault"), "c.feature:7: names no requirement."),
    (every_row_has_a_proof_or_a_reason, with_first(status=Status.EXCLUDED), PROVED, "R-001 is excluded, and nothing"),
    (
        every_row_has_a_proof_or_a_reason,
        with_first(status=Status.PLANNED),
        PROVED,
        "R-001 is planned, and nothing proves it.",
    ),
    (capabilities_can_be_declared, with_first(level=Level.EXTENDED, capability="flying"), PROVED, "R-001 is extended"),
    (capabilities_can_be_declared, with_first(capability="reconcile"), PROVED, "R-001 is core"),
    (tags_name_requirements_of_the_register, FULL, with_scenario("req:R-404"), "c.feature:7: the register holds no R"),
    (a_scenario_proves_what_is_called_tested, FULL, PROVED[:1], "R-002 is called tested"),
    (
        no_scenario_proves_what_is_excluded,
        with_first(status=Status.EXCLUDED),
        PROVED,
        "a.feature:1: proves R-001, which the register calls excluded",
    ),
    (what_is_excluded_is_proved_by_tests, with_first(status=Status.EXCLUDED), PROVED, "R-001 is excluded, and 0 tests"),
    (what_is_excluded_is_proved_by_tests, with_first(proved_by=("tests/a.py::b",)), PROVED, "R-001 is tested, and 1"),
    (
        scenarios_ask_for_what_their_requirement_extends,
        FULL,
        with_scenario("req:R-002", "capability:accounting"),
        "c.feature:7: proves R-002 without @capability:reconcile",
    ),
)


@pytest.mark.parametrize(("check", "requirements", "scenarios", "complaint"), PLANTED)
def test_a_planted_violation_is_reported(
    check: Check, requirements: Requirements, scenarios: Scenarios, complaint: str
) -> None:
    assert complaint in "\n".join(check(requirements, scenarios))


def test_every_check_has_a_planted_violation() -> None:
    assert {check for check, *_ in PLANTED} == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_flawless_register_is_left_in_peace(check: Check) -> None:
    parameter = with_first(text="locationtype is read in any case.")
    assert list(check(FULL, PROVED)) == []
    assert list(check(parameter, PROVED)) == []


def test_tags_are_read_from_scenarios_outlines_and_the_feature_above_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.feature").write_text(
        "@req:R-001\nFeature: F\n  @capability:reconcile\n  Scenario: S\n    Then a\n"
        "  @req:R-002\n  Scenario Outline: O\n    Then <a>\n    Examples:\n      | a |\n      | 1 |\n",
        encoding="utf-8",
    )
    assert tagged_scenarios(tmp_path) == (
        Tagged(place="deep/one.feature:4", tags=frozenset({"req:R-001", "capability:reconcile"})),
        Tagged(place="deep/one.feature:7", tags=frozenset({"req:R-001", "req:R-002"})),
    )
