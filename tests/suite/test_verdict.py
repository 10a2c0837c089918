"""The verdict: no skip, filter or excuse ever makes a driver conformant, and no failure ever makes it better."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.register import Level, Register, Requirement, Status
from snapproof.verdict import (
    EXIT_CODES,
    SEVERITY,
    Conclusion,
    ScenarioResult,
    State,
    Verdict,
    judge,
    worst,
)

FINE = {Conclusion.CONFORMANT, Conclusion.WITH_DEVIATIONS}
FAILING = (State.FAIL, State.XPASS, State.TIMEOUT, State.DRIVER_CRASH, State.HARNESS_ERROR)
IDS = ("R-001", "R-002", "R-003")


def gravity(verdict: Verdict) -> int:
    return list(Conclusion).index(verdict.conclusion)


def register(*requirements: Requirement) -> Register:
    return Register(path=Path("requirements.toml"), set_name="2026-11", sha256="0", requirements=requirements)


def core(number: str) -> Requirement:
    return Requirement(id=number, text="asks something", status=Status.TESTED)


def extended(number: str) -> Requirement:
    return Requirement(id=number, text="asks", status=Status.TESTED, level=Level.EXTENDED, capability="accounting")


def result(number: int, state: State, *requirements: str) -> ScenarioResult:
    return ScenarioResult(id=f"scenario {number}", requirements=requirements or ("R-001",), state=state)


def expected(results: list[ScenarioResult]) -> dict[str, tuple[str, ...]]:
    return {each.id: each.requirements for each in results}


REQUIREMENTS = st.lists(st.sampled_from(IDS), unique=True, max_size=3).flatmap(
    lambda ids: st.tuples(
        *(
            st.builds(
                Requirement,
                id=st.just(number),
                text=st.just("asks"),
                level=st.sampled_from(Level),
                capability=st.just("accounting"),
                status=st.sampled_from(Status),
            )
            for number in ids
        )
    )
)
REGISTERS = REQUIREMENTS.map(lambda requirements: register(*requirements))
RESULTS = st.lists(st.tuples(st.sampled_from(State), st.lists(st.sampled_from(IDS), unique=True, max_size=2))).map(
    lambda drawn: [
        ScenarioResult(id=f"scenario {n}", requirements=tuple(ids), state=state) for n, (state, ids) in enumerate(drawn)
    ]
)


@given(judged_by=REGISTERS, results=RESULTS, excuse=st.sampled_from([State.NOT_RUN, State.NOT_TESTABLE]))
def test_what_did_not_run_is_never_conformant(
    judged_by: Register, results: list[ScenarioResult], excuse: State
) -> None:
    results = [*results, result(99, excuse)]
    assert judge(judged_by, expected(results), results).conclusion not in FINE


@given(judged_by=REGISTERS, results=RESULTS.filter(bool), dropped=st.integers(min_value=0))
def test_a_filtered_run_is_never_conformant(judged_by: Register, results: list[ScenarioResult], dropped: int) -> None:
    remaining = list(results)
    remaining.pop(dropped % len(results))
    verdict = judge(judged_by, expected(results), remaining)
    assert verdict.conclusion not in FINE
    assert verdict.exit_code != 0
    assert verdict.scenario_counts[State.NOT_RUN] >= 1


@given(judged_by=REGISTERS)
def test_an_empty_run_is_never_conformant(judged_by: Register) -> None:
    assert judge(judged_by, {}, []).conclusion is Conclusion.PARTIAL


@given(judged_by=REGISTERS, results=RESULTS)
def test_a_requirement_passes_only_if_all_its_scenarios_do(judged_by: Register, results: list[ScenarioResult]) -> None:
    verdict = judge(judged_by, expected(results), results)
    for each in verdict.requirements:
        states = [scenario.state for scenario in results if each.requirement.id in scenario.requirements]
        assert (each.state is State.PASS) == (bool(states) and set(states) == {State.PASS})


@given(judged_by=REGISTERS, results=RESULTS, failure=st.sampled_from(FAILING), named=st.sampled_from(IDS))
def test_a_further_failure_never_improves_a_verdict(
    judged_by: Register, results: list[ScenarioResult], failure: State, named: str
) -> None:
    before = judge(judged_by, expected(results), results)
    after = judge(judged_by, expected(results), [*results, result(99, failure, named)])
    assert gravity(after) >= gravity(before)
    assert after.conclusion not in {*FINE, Conclusion.PARTIAL}


@given(
    judged_by=REGISTERS, results=RESULTS.filter(bool), place=st.integers(min_value=0), state=st.sampled_from(FAILING)
)
def test_a_scenario_that_turns_bad_never_improves_a_verdict(
    judged_by: Register, results: list[ScenarioResult], place: int, state: State
) -> None:
    place %= len(results)
    turned = ScenarioResult(
        id=results[place].id, requirements=results[place].requirements, state=worst([results[place].state, state])
    )
    before = judge(judged_by, expected(results), results)
    after = judge(judged_by, expected(results), [*results[:place], turned, *results[place + 1 :]])
    assert gravity(after) >= gravity(before)


@given(judged_by=REGISTERS, results=RESULTS)
def test_the_order_of_results_does_not_matter(judged_by: Register, results: list[ScenarioResult]) -> None:
    forth, back = (judge(judged_by, expected(results), order) for order in (results, results[::-1]))
    assert (forth.conclusion, forth.grounds) == (back.conclusion, back.grounds)


@given(judged_by=REGISTERS, results=RESULTS)
def test_counts_add_up_to_what_was_asked(judged_by: Register, results: list[ScenarioResult]) -> None:
    verdict = judge(judged_by, expected(results), results)
    assert sum(verdict.requirement_counts.values()) + verdict.planned + verdict.excluded == len(judged_by.requirements)
    assert sum(verdict.scenario_counts.values()) == len(results)
    assert len(verdict.requirements) == len(judged_by.requirements)


@pytest.mark.parametrize(
    ("state", "conclusion"),
    [
        (State.PASS, Conclusion.CONFORMANT),
        (State.NOT_SUPPORTED, Conclusion.NOT_CONFORMANT),
        (State.XFAIL, Conclusion.WITH_DEVIATIONS),
        (State.NOT_RUN, Conclusion.PARTIAL),
        (State.NOT_TESTABLE, Conclusion.PARTIAL),
        (State.XPASS, Conclusion.NOT_CONFORMANT),
        (State.FAIL, Conclusion.NOT_CONFORMANT),
        (State.TIMEOUT, Conclusion.NOT_CONFORMANT),
        (State.DRIVER_CRASH, Conclusion.NOT_CONFORMANT),
        (State.HARNESS_ERROR, Conclusion.HARNESS_ERROR),
    ],
)
def test_one_core_requirement_decides_beside_one_that_passes(state: State, conclusion: Conclusion) -> None:
    results = [result(1, State.PASS), result(2, state, "R-002")]
    assert judge(register(core("R-001"), core("R-002")), expected(results), results).conclusion is conclusion


def test_an_undeclared_capability_excuses_an_extended_requirement() -> None:
    results = [result(1, State.PASS), result(2, State.NOT_SUPPORTED, "R-002")]
    verdict = judge(register(core("R-001"), extended("R-002")), expected(results), results)
    assert verdict.text == "conformant (1 of 2 requirements of set 2026-11; 1 not supported)"
    assert verdict.profiles == {"core": "conformant", "accounting": "not supported"}


def test_a_driver_that_declares_nothing_is_not_conformant() -> None:
    results = [result(1, State.NOT_SUPPORTED)]
    assert judge(register(extended("R-001")), expected(results), results).conclusion is Conclusion.PARTIAL


def test_planned_requirements_are_told_and_not_judged() -> None:
    planned = Requirement(id="R-009", text="asks later")
    results = [result(1, State.PASS)]
    verdict = judge(register(core("R-001"), planned), expected(results), results)
    assert verdict.text == "conformant (1 of 1 requirements of set 2026-11; 1 planned)"
    assert [each.state for each in verdict.requirements] == [State.PASS, State.NOT_RUN]


def test_excluded_requirements_are_told_and_not_judged() -> None:
    excluded = Requirement(id="R-009", text="asks us", status=Status.EXCLUDED, reason="No driver has a changelog.")
    results = [result(1, State.PASS)]
    verdict = judge(register(core("R-001"), excluded), expected(results), results)
    assert verdict.text == "conformant (1 of 1 requirements of set 2026-11; 1 excluded)"
    assert (verdict.planned, verdict.excluded) == (0, 1)


def test_a_tested_requirement_without_a_scenario_makes_a_run_partial() -> None:
    results = [result(1, State.PASS)]
    verdict = judge(register(core("R-001"), core("R-002")), expected(results), results)
    assert verdict.conclusion is Conclusion.PARTIAL


def test_a_scenario_with_two_results_has_the_worse() -> None:
    results = [result(1, State.PASS), result(1, State.FAIL), result(1, State.PASS)]
    verdict = judge(register(core("R-001")), expected(results), results)
    assert [scenario.state for scenario in verdict.scenarios] == [State.FAIL]


def test_a_broken_harness_outweighs_every_failure() -> None:
    results = [result(1, State.FAIL), result(2, State.HARNESS_ERROR)]
    assert judge(register(core("R-001")), expected(results), results).exit_code == 3


def test_only_a_conclusion_without_doubt_exits_with_nought() -> None:
    assert {conclusion for conclusion, code in EXIT_CODES.items() if code == 0} == FINE
    assert sorted(SEVERITY.values()) == list(range(10))
