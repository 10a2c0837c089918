"""What is wrong with features, steps and the register before anything runs; no driver is needed.

What a single file must not do is refused by collecting.py in every run; here all slips are told at once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from snapproof.authoring.near import advice
from snapproof.authoring.phrases import Phrase
from snapproof.collecting import scenarios_of
from snapproof.register import Level, Register, Status
from snapproof.report.records import Scenario, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """One thing to mend, and where."""

    where: str
    said: str

    def __str__(self) -> str:
        return f"{self.where}: {self.said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """All that was written: the scenarios that could be read, the steps, and the register both speak of.

    `whole` is false where only a part of the features is looked at, so that nothing can be missing.
    """

    scenarios: tuple[Scenario, ...]
    phrases: tuple[Phrase, ...]
    register: Register
    whole: bool


def lint(files: Iterable[Path], phrases: tuple[Phrase, ...], register: Register, *, whole: bool) -> list[Slip]:
    """Give every slip in these feature files, in the steps, and between both and the register."""
    scenarios: list[Scenario] = []
    slips: list[Slip] = []
    for path in files:
        try:
            scenarios += scenarios_of(path, register)
        except pytest.Collector.CollectError as error:
            slips += _told(path, str(error))
    written = Written(scenarios=tuple(scenarios), phrases=phrases, register=register, whole=whole)
    return slips + [slip for check in CHECKS for slip in check(written)]


def undefined_steps(written: Written) -> Iterator[Slip]:
    """Steps that nobody has defined, each once."""
    seen: set[tuple[str, str]] = set()
    for scenario, step in _steps(written.scenarios):
        if (step.type, step.text) not in seen and not _meant(step, written.phrases):
            seen.add((step.type, step.text))
            yield Slip(where=f"{scenario.uri}:{step.line}", said=advice(step.type, step.text, written.phrases))


def ambiguous_steps(written: Written) -> Iterator[Slip]:
    """Steps that two functions would do: which one does is chance."""
    seen: set[str] = set()
    for scenario, step in _steps(written.scenarios):
        functions = {each.home: each for each in _meant(step, written.phrases)}
        if len(functions) > 1 and step.text not in seen:
            seen.add(step.text)
            places = " and ".join(each.place for each in functions.values())
            yield Slip(where=f"{scenario.uri}:{step.line}", said=f"'{step.text}' is defined twice: {places}.")


def twin_wordings(written: Written) -> Iterator[Slip]:
    """Two phrases that differ in the names of their blanks only."""
    known: dict[tuple[str, str], Phrase] = {}
    for phrase in written.phrases:
        earlier = known.setdefault((phrase.kind, phrase.skeleton), phrase)
        if earlier is not phrase:
            yield Slip(where=phrase.place, said=f"'{phrase.pattern}' says the same as {earlier.place}; drop one.")


def coroutine_steps(written: Written) -> Iterator[Slip]:
    """Steps that nobody would await."""
    for phrase in written.phrases:
        if phrase.coroutine:
            yield Slip(
                where=phrase.place, said=f"The step {phrase.function} is a coroutine; nobody awaits it. Write `def`."
            )


def mute_steps(written: Written) -> Iterator[Slip]:
    """Steps of which the phrase book could say nothing."""
    for phrase in written.phrases:
        if not phrase.says:
            yield Slip(where=phrase.place, said=f"The step {phrase.function} has no docstring; say what it does.")


def dormant_steps(written: Written) -> Iterator[Slip]:
    """Steps that no scenario says, in any of their wordings."""
    if not written.whole:
        return
    wordings: dict[tuple[str, int], list[Phrase]] = defaultdict(list)
    for phrase in written.phrases:
        wordings[phrase.home].append(phrase)
    said = {(step.type, step.text) for _, step in _steps(written.scenarios)}
    for group in wordings.values():
        if not any(phrase.matches(kind, text) for phrase in group for kind, text in said):
            yield Slip(where=group[0].place, said=f"No scenario says '{group[0].pattern}'; use the step or drop it.")


def unproved_requirements(written: Written) -> Iterator[Slip]:
    """Requirements that are called tested, and that no scenario names."""
    if not written.whole:
        return
    named = {each for scenario in written.scenarios for each in scenario.requirements}
    for row in written.register.requirements:
        if row.status is Status.TESTED and row.id not in named:
            yield Slip(where=row.id, said="It is called tested, and no scenario is tagged with it.")


def contradicted_requirements(written: Written) -> Iterator[Slip]:
    """Scenarios whose requirement the register does not call tested, or extends further than their tags say."""
    rows = {row.id: row for row in written.register.requirements}
    for place, name, tags in sorted({_claim(s, name) for s in written.scenarios for name in s.requirements}):
        row = rows.get(name)
        if row is None:
            continue  # an unknown id, told already
        if row.status is not Status.TESTED:
            yield Slip(where=place, said=f'It proves {name}, which the register calls {row.status}; write "tested".')
        if row.level is Level.EXTENDED and f"capability:{row.capability}" not in tags:
            yield Slip(where=place, said=f"It proves {name} without its tag @capability:{row.capability}.")


CHECKS: Sequence[Callable[[Written], Iterator[Slip]]] = (
    undefined_steps,
    ambiguous_steps,
    twin_wordings,
    coroutine_steps,
    mute_steps,
    dormant_steps,
    unproved_requirements,
    contradicted_requirements,
)


def _claim(scenario: Scenario, requirement: str) -> tuple[str, str, tuple[str, ...]]:
    return f"{scenario.uri}:{scenario.line}", requirement, scenario.tags


def _steps(scenarios: Iterable[Scenario]) -> Iterator[tuple[Scenario, Step]]:
    return ((scenario, step) for scenario in scenarios for step in scenario.steps)


def _meant(step: Step, phrases: Iterable[Phrase]) -> list[Phrase]:
    return [phrase for phrase in phrases if phrase.matches(step.type, step.text)]


def _told(path: Path, message: str) -> Iterator[Slip]:
    """Take the sentences of a refusal apart: each begins with its file, and mostly its line."""
    for line in message.splitlines():
        rest = line.removeprefix(f"{path}:")
        number, colon, said = rest.partition(": ")
        numbered = colon and number.isdecimal()
        yield Slip(where=f"{path}:{number}" if numbered else str(path), said=said if numbered else rest.strip())
