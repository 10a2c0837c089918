"""Feature files as pytest files: their scenarios become tests without a line of Python, and their slips become errors.

Steps are found by pytest-bdd while a scenario runs; how one ends is recording.py's.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from pytest_bdd import scenario as bind_scenario
from pytest_bdd.exceptions import GherkinParseError
from pytest_bdd.feature import get_feature
from pytest_bdd.gherkin_parser import get_gherkin_document
from pytest_bdd.parser import Feature, ScenarioTemplate
from pytest_bdd.parser import Scenario as RenderedScenario
from pytest_bdd.scenario import get_python_name_generator

from snapproof.register import Register
from snapproof.report.records import Scenario, Step
from snapproof.selection import selected_register
from snapproof.vocabulary import Capability

MARK_OF_KIND = {"req": "requirement", "capability": "capability", "store": "store"}
"""`@req:R-003` becomes the mark `requirement(id="R-003")`, and so on: keywords, because `-m` sees only those."""

PLAIN_TAGS = frozenset({"slow", "crash", "fault"})
STORES = frozenset({"s3", "nfs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A scenario under the name of its test."""

    test: str
    template: ScenarioTemplate


class FeatureFile(pytest.Module):
    """A feature file, collected as if it were a module of tests. `templates` are its scenarios by the tests' names."""

    templates: Mapping[str, ScenarioTemplate]

    def _getobj(self) -> ModuleType:
        """Bind each scenario to a test function. (pytest asks for its module here; the name is its own.)"""
        module = ModuleType(self.path.stem)
        module.__file__ = str(self.path)
        register = selected_register(self.config)
        bounds = read_feature(self.path, requirements=register.ids())
        self.templates = {bound.test: bound.template for bound in bounds}
        for bound in bounds:
            # A file name is enough for pytest-bdd; it has parsed the file already and gives the same templates.
            decorate = bind_scenario(str(self.path), bound.template.name, features_base_dir=str(self.path.parent))
            setattr(module, bound.test, decorate(_body))
        return module

    def funcnamefilter(self, name: str) -> bool:
        """Take our tests whatever the ini file calls its own."""
        return name.startswith("test_")


def _body() -> None:
    """What pytest-bdd runs after the last step."""


def read_feature(path: Path, *, requirements: Collection[str]) -> tuple[Bound, ...]:
    """Read the scenarios of a file. Raises CollectError, which names the file, the line and the cure."""
    try:
        _refuse_twins(path)
        feature = get_feature(str(path.parent), path.name)
    except GherkinParseError as exc:
        raise pytest.Collector.CollectError(f"{path}:{exc.line}: {exc.message}") from exc
    except UnicodeDecodeError as exc:
        raise pytest.Collector.CollectError(f"{path}: not UTF-8; save it as that.") from exc
    bound = tuple(_bind(feature))
    if not bound:
        raise pytest.Collector.CollectError(f"{path}: no scenario; a feature file without one proves nothing.")
    slips = [
        f"{path}:{each.template.line_number}: {slip}"
        for each in bound
        for slip in (*_slips(each.template), *_unknown_tags(each.template, requirements))
    ]
    if slips:
        raise pytest.Collector.CollectError("\n".join(slips))
    return bound


def _bind(feature: Feature) -> Iterator[Bound]:
    taken: set[str] = set()
    for name, template in feature.scenarios.items():
        test = next(test for test in get_python_name_generator(name) if test not in taken)
        taken.add(test)
        yield Bound(test=test, template=template)


def _refuse_twins(path: Path) -> None:
    """Two scenarios of one name: pytest-bdd would drop the first without a word."""
    children = get_gherkin_document(str(path)).feature.children
    nested = [child for parent in children if parent.rule for child in parent.rule.children]
    names = Counter(child.scenario.name for child in (*children, *nested) if child.scenario)
    if twins := [name for name, count in names.items() if count > 1]:
        raise pytest.Collector.CollectError(f"{path}: two scenarios are called '{twins[0]}'; rename one.")


def _slips(template: ScenarioTemplate) -> Iterator[str]:
    title = f"Scenario '{template.name}'"
    if not any(step.type == "then" for step in template.steps):
        yield f"{title} has no Then, so it cannot fail for what it claims; say what must be seen."
    if any(examples.tags for examples in template.examples):
        yield f"{title} has tags on its Examples, which pytest-bdd does not hand over; put them on the scenario."
    if template.templated and not any(examples.examples for examples in template.examples):
        yield f"{title} is an outline without a row, so nothing would run; add one."
    rows = Counter(_row_id(row) for examples in template.examples for row in examples.as_contexts())
    if twins := [row for row, count in rows.items() if count > 1]:
        yield f"{title} has the row '{twins[0]}' twice; drop one."


def _unknown_tags(template: ScenarioTemplate, requirements: Collection[str]) -> Iterator[str]:
    known: Mapping[str, Collection[str]] = {
        "req": requirements,
        "capability": frozenset(Capability),
        "store": STORES,
    }
    for tag in sorted(all_tags(template)):
        kind, colon, value = tag.partition(":")
        if tag in PLAIN_TAGS or (colon and value in known.get(kind, ())):
            continue
        yield f"unknown tag @{tag}: {_cure(kind, known)}"


def _cure(kind: str, known: Mapping[str, Collection[str]]) -> str:
    if kind == "req":
        return "the register holds no such requirement."
    if kind in known:
        return f"write @{kind}: with one of {', '.join(sorted(known[kind]))}."
    return (
        f"tags are {', '.join(f'@{each}:…' for each in known)}, {', '.join(f'@{tag}' for tag in sorted(PLAIN_TAGS))}."
    )


def all_tags(template: ScenarioTemplate | RenderedScenario) -> frozenset[str]:
    """The tags of a scenario, those of its rule and its feature included."""
    rule = template.rule.tags if template.rule else set()
    return frozenset(template.tags | template.feature.tags | rule)


def canonical_scenarios(register: Register) -> tuple[Scenario, ...]:
    """Every scenario that stands beside the register, row by row: what a whole run runs. Raises CollectError."""
    files = sorted(register.folder.rglob("*.feature"))
    return tuple(scenario for path in files for scenario in scenarios_of(path, register))


def scenarios_of(path: Path, register: Register) -> Iterator[Scenario]:
    """Every scenario of one file, row by row. Raises CollectError."""
    for bound in read_feature(path, requirements=register.ids()):
        yield from _rows(register, path, bound)


def _rows(register: Register, path: Path, bound: Bound) -> Iterator[Scenario]:
    uri = uri_of(path, register)
    if not bound.template.examples:
        yield describe(bound.template.render({}), uri=uri, test=bound.test, row={})
    for examples in bound.template.examples:
        for row in examples.as_contexts():
            yield describe(bound.template.render(row), uri=uri, test=bound.test, row=row)


def describe(scenario: RenderedScenario, *, uri: str, test: str, row: Mapping[str, str]) -> Scenario:
    """Describe a rendered scenario for the records, its steps not yet reached."""
    tags = all_tags(scenario)
    example = _row_id(row)
    return Scenario(
        id=f"{uri}::{test}[{example}]" if row else f"{uri}::{test}",
        uri=uri,
        feature=scenario.feature.name,
        name=scenario.name,
        line=scenario.line_number,
        example=example,
        tags=tuple(sorted(tags)),
        requirements=tuple(sorted(tag.partition(":")[2] for tag in tags if tag.startswith("req:"))),
        steps=tuple(
            Step(
                keyword=step.keyword.strip(),
                text=step.name,
                line=step.line_number,
                type=step.type,
                table=tuple(tuple(map(str, cells)) for cells in step.datatable.raw()) if step.datatable else (),
                docstring=step.docstring or "",
            )
            for step in scenario.steps
        ),
    )


def _row_id(row: Mapping[str, str]) -> str:
    return "-".join(row.values())


def uri_of(path: Path, register: Register) -> str:
    """Name a feature file: alike in a checkout and in a wheel if it is canonical, by its own path if it is not."""
    resolved = path.resolve()
    if resolved.is_relative_to(register.folder):
        return f"{register.folder.name}/{resolved.relative_to(register.folder).as_posix()}"
    return path.as_posix()
