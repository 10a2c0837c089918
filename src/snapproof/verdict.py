"""The verdict: ten states, and one pure function from what was asked and what was seen to a conclusion.

Console, exit code and every file of a report take their words and their counts from here, and count nothing themselves.
A skip is not a pass; a filter is not a verdict.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from snapproof.register import Level, Register, Requirement, Status


class State(StrEnum):
    """How a scenario, or a requirement, ended. Ordered from best to worst."""

    PASS = "PASS"  # noqa: S105  no password
    NOT_SUPPORTED = "NOT-SUPPORTED"  # the driver does not declare the capability
    XFAIL = "XFAIL"  # a deviation that the driver's profile declares
    NOT_RUN = "NOT-RUN"  # filtered, skipped, interrupted, or never written
    NOT_TESTABLE = "NOT-TESTABLE"  # the lab lacks a power that a step needs
    XPASS = "XPASS"  # a declared deviation that is no more
    FAIL = "FAIL"
    TIMEOUT = "TIMEOUT"
    DRIVER_CRASH = "DRIVER-CRASH"
    HARNESS_ERROR = "HARNESS-ERROR"  # our fault, not the driver's


class Conclusion(StrEnum):
    """What a run says about a driver. Ordered from best to worst."""

    CONFORMANT = "conformant"
    WITH_DEVIATIONS = "conformant with deviations"
    PARTIAL = "partial"
    NOT_CONFORMANT = "not conformant"
    HARNESS_ERROR = "harness error"


SEVERITY = {state: rank for rank, state in enumerate(State)}
_GRAVITY = {conclusion: rank for rank, conclusion in enumerate(Conclusion)}
_IMPLIED = {
    State.PASS: Conclusion.CONFORMANT,
    State.NOT_SUPPORTED: Conclusion.CONFORMANT,  # of a core requirement it is a failure: see `_implied`
    State.XFAIL: Conclusion.WITH_DEVIATIONS,
    State.NOT_RUN: Conclusion.PARTIAL,
    State.NOT_TESTABLE: Conclusion.PARTIAL,
    State.XPASS: Conclusion.NOT_CONFORMANT,
    State.FAIL: Conclusion.NOT_CONFORMANT,
    State.TIMEOUT: Conclusion.NOT_CONFORMANT,
    State.DRIVER_CRASH: Conclusion.NOT_CONFORMANT,
    State.HARNESS_ERROR: Conclusion.HARNESS_ERROR,
}
EXIT_CODES = {
    Conclusion.CONFORMANT: 0,
    Conclusion.WITH_DEVIATIONS: 0,
    Conclusion.NOT_CONFORMANT: 1,
    Conclusion.PARTIAL: 2,
    Conclusion.HARNESS_ERROR: 3,
}
EXIT_USAGE = 4
CORE_PROFILE = "core"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioResult:
    """How one scenario ended, and which requirements it speaks for."""

    id: str
    requirements: tuple[str, ...]
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementResult:
    """How one requirement ended: the worst of its scenarios."""

    requirement: Requirement
    state: State
    scenarios: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything that any output may say or count."""

    conclusion: Conclusion
    grounds: str
    requirements: tuple[RequirementResult, ...]  # all of the register, planned and excluded ones included
    scenarios: tuple[ScenarioResult, ...]  # all that ran, and all that should have
    requirement_counts: Mapping[State, int]  # of the frozen set
    scenario_counts: Mapping[State, int]
    planned: int
    excluded: int
    profiles: Mapping[str, str]  # core, and each capability that extended requirements name: what is concluded of it

    @property
    def text(self) -> str:
        """The verdict in one line."""
        return f"{self.conclusion} ({self.grounds})"

    @property
    def exit_code(self) -> int:
        """What the process that gave this verdict exits with."""
        return EXIT_CODES[self.conclusion]


def worst(states: Iterable[State]) -> State:
    """The worst of some states; of none at all, NOT-RUN."""
    return max(states, key=SEVERITY.__getitem__, default=State.NOT_RUN)


def judge(register: Register, expected: Mapping[str, tuple[str, ...]], results: Iterable[ScenarioResult]) -> Verdict:
    """Judge a run. `expected` are the canonical scenarios with their requirements: what did not run counts as NOT-RUN.

    A scenario with several results has the worst of them. A requirement is judged from all its scenarios.
    """
    scenarios = _join(expected, results)
    by_requirement: dict[str, list[ScenarioResult]] = {}
    for scenario in scenarios:
        for requirement_id in scenario.requirements:
            by_requirement.setdefault(requirement_id, []).append(scenario)
    requirements = tuple(_requirement(each, by_requirement.get(each.id, ())) for each in register.requirements)
    frozen = [each for each in requirements if each.requirement.status is Status.TESTED]
    conclusion = _gravest(
        [_conclude(frozen), *(_IMPLIED[scenario.state] for scenario in scenarios)],
    )
    counts = _count(each.state for each in frozen)
    standing = Counter(each.status for each in register.requirements)
    return Verdict(
        conclusion=conclusion,
        grounds=_grounds(register.set_name, counts, standing),
        requirements=requirements,
        scenarios=scenarios,
        requirement_counts=counts,
        scenario_counts=_count(scenario.state for scenario in scenarios),
        planned=standing[Status.PLANNED],
        excluded=standing[Status.EXCLUDED],
        profiles=_profiles(frozen),
    )


def _join(expected: Mapping[str, tuple[str, ...]], results: Iterable[ScenarioResult]) -> tuple[ScenarioResult, ...]:
    joined: dict[str, ScenarioResult] = {}
    for result in results:
        known = joined.get(result.id)
        named = dict.fromkeys(
            (*expected.get(result.id, ()), *(known.requirements if known else ()), *result.requirements)
        )
        state = worst([result.state, *([known.state] if known else [])])
        joined[result.id] = ScenarioResult(id=result.id, requirements=tuple(named), state=state)
    unseen = (
        ScenarioResult(id=scenario, requirements=named, state=State.NOT_RUN)
        for scenario, named in expected.items()
        if scenario not in joined
    )
    return (*joined.values(), *unseen)


def _requirement(requirement: Requirement, scenarios: Iterable[ScenarioResult]) -> RequirementResult:
    spoken = tuple(scenarios)
    return RequirementResult(
        requirement=requirement,
        state=worst(scenario.state for scenario in spoken),
        scenarios=tuple(scenario.id for scenario in spoken),
    )


def _conclude(frozen: Iterable[RequirementResult]) -> Conclusion:
    """Conclude over requirements. Where none passes nothing was proved, whatever else is excused."""
    results = list(frozen)
    proved = any(each.state is State.PASS for each in results)
    return _gravest([*(_implied(each) for each in results), *([] if proved else [Conclusion.PARTIAL])])


def _implied(result: RequirementResult) -> Conclusion:
    if result.state is State.NOT_SUPPORTED and result.requirement.level is Level.CORE:
        return Conclusion.NOT_CONFORMANT
    return _IMPLIED[result.state]


def _gravest(conclusions: Iterable[Conclusion]) -> Conclusion:
    return max(conclusions, key=_GRAVITY.__getitem__, default=Conclusion.CONFORMANT)


def _profiles(frozen: Iterable[RequirementResult]) -> Mapping[str, str]:
    groups: dict[str, list[RequirementResult]] = {}
    for each in frozen:
        extended = each.requirement.level is Level.EXTENDED
        groups.setdefault(each.requirement.capability if extended else CORE_PROFILE, []).append(each)
    return {name: _profile(group) for name, group in groups.items()}


def _profile(group: Iterable[RequirementResult]) -> str:
    results = list(group)
    left_out = all(each.state is State.NOT_SUPPORTED and each.requirement.level is Level.EXTENDED for each in results)
    return "not supported" if left_out else _conclude(results)


def _count(states: Iterable[State]) -> Mapping[State, int]:
    counted = Counter(states)
    return {state: counted[state] for state in State}


def _grounds(set_name: str, counts: Mapping[State, int], standing: Mapping[Status, int]) -> str:
    parts = [f"{counts[State.PASS]} of {sum(counts.values())} requirements of set {set_name}"]
    if counts[State.NOT_SUPPORTED]:
        parts.append(f"{counts[State.NOT_SUPPORTED]} not supported")
    parts += [f"{standing[status]} {status}" for status in (Status.EXCLUDED, Status.PLANNED) if standing[status]]
    return "; ".join(parts)
