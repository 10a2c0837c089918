"""What a run would do for a driver before it is run: which requirements would be asked, which not, and why.

What a lab turns out not to be able to do is seen in a run only.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from snapproof.profile import Deviation
from snapproof.register import Level, Register, Requirement, Status
from snapproof.report.records import Scenario

CAPABILITY_TAG = "capability:"


class Fate(StrEnum):
    """What would become of a requirement. Ordered as a reader wants to know it."""

    RUNS = "runs"
    IN_PART = "in part"  # some of its scenarios need what the driver does not declare
    NOT_SUPPORTED = "not supported"
    EXCLUDED = "excluded"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """A requirement, what would become of it, and why. `scenarios` are those that would run."""

    requirement: Requirement
    fate: Fate
    scenarios: tuple[Scenario, ...]
    why: str = ""


def prospects(
    register: Register,
    scenarios: Iterable[Scenario],
    capabilities: Collection[str],
    deviations: Iterable[Deviation] = (),
) -> tuple[Prospect, ...]:
    """Say for every requirement of the register what would become of it for a driver with these capabilities."""
    by_requirement: dict[str, list[Scenario]] = {}
    for scenario in scenarios:
        for name in scenario.requirements:
            by_requirement.setdefault(name, []).append(scenario)
    excused = {each.scenario: each for each in deviations}
    return tuple(_prospect(row, by_requirement.get(row.id, []), capabilities, excused) for row in register.requirements)


def missing(scenario: Scenario, capabilities: Collection[str]) -> tuple[str, ...]:
    """The capabilities that a scenario needs and the driver does not declare."""
    needed = (tag.removeprefix(CAPABILITY_TAG) for tag in scenario.tags if tag.startswith(CAPABILITY_TAG))
    return tuple(sorted(each for each in needed if each not in capabilities))


def _prospect(
    row: Requirement,
    scenarios: list[Scenario],
    capabilities: Collection[str],
    excused: Mapping[str, Deviation],
) -> Prospect:
    if row.status is Status.EXCLUDED:
        return Prospect(requirement=row, fate=Fate.EXCLUDED, scenarios=(), why=row.reason)
    if row.status is Status.PLANNED:
        return Prospect(
            requirement=row, fate=Fate.PLANNED, scenarios=tuple(scenarios), why="No scenario proves it yet."
        )
    lacking = {scenario.id: missing(scenario, capabilities) for scenario in scenarios}
    running = tuple(scenario for scenario in scenarios if not lacking[scenario.id])
    undeclared = sorted({each for names in lacking.values() for each in names})
    fate = Fate.NOT_SUPPORTED if not running else Fate.IN_PART if undeclared else Fate.RUNS
    known = [excused[scenario.id] for scenario in running if scenario.id in excused]
    reasons = [f"It needs {', '.join(undeclared)}, which the driver does not declare."] if undeclared else []
    if undeclared and row.level is Level.CORE:
        reasons.append("It binds every driver, so this one could not be conformant.")
    reasons += [f"A declared deviation: {each.reason} ({each.link})" for each in known]
    return Prospect(requirement=row, fate=fate, scenarios=running, why=" ".join(reasons))
