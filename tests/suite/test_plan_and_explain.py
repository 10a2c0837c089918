"""What is said about a driver before a run, and about a requirement beside one."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof import cli
from snapproof.authoring.broken import zoo
from snapproof.authoring.prospect import Fate, prospects
from snapproof.collecting import canonical_scenarios
from snapproof.discovery import default_register
from snapproof.profile import Deviation
from snapproof.register import Register, Status, read_register
from snapproof.report.records import Scenario
from snapproof.vocabulary import Capability


@pytest.fixture(scope="module")
def register() -> Register:
    return read_register(default_register())


@pytest.fixture(scope="module")
def scenarios(register: Register) -> tuple[Scenario, ...]:
    return canonical_scenarios(register)


def fates(register: Register, scenarios: tuple[Scenario, ...], capabilities: set[str]) -> dict[str, Fate]:
    return {each.requirement.id: each.fate for each in prospects(register, scenarios, capabilities)}


def test_a_driver_that_can_do_all_is_asked_all_that_is_tested(
    register: Register, scenarios: tuple[Scenario, ...]
) -> None:
    found = fates(register, scenarios, set(Capability))
    assert list(found) == [row.id for row in register.requirements]
    wanted = {Status.TESTED: Fate.RUNS, Status.PLANNED: Fate.PLANNED, Status.EXCLUDED: Fate.EXCLUDED}
    assert found == {row.id: wanted[row.status] for row in register.requirements}


@given(st.sets(st.sampled_from(sorted(Capability))))
def test_more_capabilities_never_mean_that_less_is_asked(
    register: Register, scenarios: tuple[Scenario, ...], some: set[str]
) -> None:
    fewer = {each.requirement.id: set(each.scenarios) for each in prospects(register, scenarios, some)}
    for each in prospects(register, scenarios, {*some, "archive"}):
        assert fewer[each.requirement.id] <= set(each.scenarios)


def test_what_is_left_out_has_a_reason(register: Register, scenarios: tuple[Scenario, ...]) -> None:
    for each in prospects(register, scenarios, {"snapshot-primary"}):
        assert bool(each.why) is (each.fate is not Fate.RUNS), each


def test_a_declared_deviation_is_told(register: Register, scenarios: tuple[Scenario, ...]) -> None:
    known = Deviation(scenario=scenarios[0].id, reason="slow", link="https://mini.example/1")
    told = [each for each in prospects(register, scenarios, set(Capability), [known]) if "slow" in each.why]
    assert [each.requirement.id for each in told] == list(scenarios[0].requirements)


def test_the_plan_of_the_reference_is_what_it_declares(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan"]) == 0
    asked = capsys.readouterr().out
    assert cli.main(["plan", "--capabilities", ",".join(Capability)]) == 0
    assert capsys.readouterr().out == asked
    assert re.search(r"^requirements: \d+ runs", asked, re.MULTILINE)


def test_a_capability_that_nobody_has_is_a_mistake_of_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--capabilities", "flying"]) == 4
    assert "No capability is called flying; there are snapshot-primary" in capsys.readouterr().err


def test_a_requirement_is_explained_with_its_scenarios_and_what_breaks_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "r-021"]) == 0
    said = capsys.readouterr().out
    for fact in (
        "Deleting a SECONDARY snapshot removes its own file or object and no other.",
        "features/delete/snapshots.feature:",
        "Breaks R-021: deleting one backup takes its siblings along.",
        "--driver snapproof.reference_impl.variants.storing:DeletesByPattern",
    ):
        assert fact in said


def test_every_requirement_can_be_explained(register: Register, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", *(row.id for row in register.requirements)]) == 0
    said = capsys.readouterr().out
    assert all(row.reason in said for row in register.requirements)
    assert said.count("  caught:") == len([each for each in zoo() if each.breaks in register.ids()])


def test_an_unknown_requirement_is_told_its_next_of_kin(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "R-0211"]) == 4
    assert "holds no R-0211. Did you mean R-021" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["r-21", "21", "R021"])
def test_a_requirement_is_known_by_its_number(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", name]) == 0
    assert capsys.readouterr().out.startswith("R-021  ")


def test_what_is_no_requirement_is_told_where_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "secrets"]) == 4
    assert "`snapproof plan` lists what it holds." in capsys.readouterr().err


def test_the_zoo_breaks_nothing_of_another_register(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "requirements.toml"
    own.write_text('set = "own"\n[[requirement]]\nid = "R-001"\ntext = "Ours."\nstatus = "planned"\n')
    assert cli.main(["explain", "R-001", "--register", str(own)]) == 0
    assert "caught:" not in capsys.readouterr().out
