"""The pages of a report, without script or network: the first one, one for each requirement, one for each feature.

Words and looks are in templates/; here it is decided what stands on which page. Rules by runs are matrix_page.py's.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from snapproof.register import Status
from snapproof.report.envelope import iso
from snapproof.report.records import ScenarioFinished
from snapproof.report.sources import Source, read_sources, row_id
from snapproof.report.states import CONSEQUENCES, KIND_OF_EXIT_CODE, KIND_OF_STATE, MARK_OF_KIND, MEANINGS, duration
from snapproof.report.summary import Summary
from snapproof.timeline import Kind, Moment
from snapproof.verdict import RequirementResult, State

PAGE_NAME = "index.html"
DRIVERS_SIDE = frozenset({Kind.VERB, Kind.ANSWER, Kind.CALL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a drawn timeline: a moment, and by how much the clock had moved on before it."""

    moment: Moment
    passed_s: float

    @property
    def side(self) -> str:
        """In which column it stands."""
        if self.moment.kind is Kind.STEP:
            return "both"
        return "driver" if self.moment.kind in DRIVERS_SIDE else "world"


class Pages:
    """All pages of one run, drawn when they are asked for."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._templates = templates()

    def first(self) -> str:
        """The page with the verdict."""
        features = [] if self._summary.running else self._features()
        return self._draw("index.jinja", "", unregistered=unregistered(self._summary), features=features)

    def all(self) -> Iterator[tuple[str, str]]:
        """Every other page, with its name."""
        rows = self._summary.verdict.requirements
        for place, each in enumerate(rows):
            beside = {"earlier": rows[place - 1] if place else None, "later": next(iter(rows[place + 1 :]), None)}
            name = page_of_requirement(each.requirement.id)
            yield name, self._draw("requirement.jinja", "../", each=each, **beside, **self._evidence(each))
        for source in self._sources:
            name = page_of_feature(source.uri)
            root = "../" * name.count("/")
            yield name, self._draw("feature.jinja", root, source=source, results=self._by_place)

    @cached_property
    def _sources(self) -> tuple[Source, ...]:
        return read_sources(self._summary)

    @cached_property
    def _by_place(self) -> Mapping[tuple[str, int, str], ScenarioFinished]:
        """Results by feature file, line and row."""
        results = self._summary.results.values()
        return {(each.scenario.uri, each.scenario.line, each.scenario.example): each for each in results}

    def _features(self) -> list[tuple[Source, dict[State, int]]]:
        """Every feature file with the states that its scenarios ended in."""
        counts: dict[str, dict[State, int]] = {}
        for result in self._summary.results.values():
            counted = counts.setdefault(result.scenario.uri, {})
            counted[result.state] = counted.get(result.state, 0) + 1
        return [(source, counts.get(source.uri, {})) for source in self._sources]

    def _evidence(self, each: RequirementResult) -> dict[str, Any]:
        return {
            "results": [self._summary.results[scenario] for scenario in each.scenarios],
            "proofs": self._summary.head.proofs.get(each.requirement.id, ()),
        }

    def _draw(self, template: str, root: str, **more: Any) -> str:
        verdict = self._summary.verdict
        known: dict[str, Any] = {
            "summary": self._summary,
            "verdict": verdict,
            "root": root,
            "tone": KIND_OF_EXIT_CODE[verdict.exit_code],
            "by_status": {
                status.value: [each for each in verdict.requirements if each.requirement.status is status]
                for status in Status
            },
            "seconds_of": lambda each: seconds_of(each, self._summary),
        }
        return self._templates.get_template(template).render(known | more)


def templates() -> jinja2.Environment:
    """The templates with all that each of them may use."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "duration": duration,
        "clock": iso,
        "kind": KIND_OF_STATE.__getitem__,
        "lines": lines_of,
        "anchor": anchor,
        "row_id": row_id,
        "span": _span,
        "page_of_feature": page_of_feature,
        "page_of_requirement": page_of_requirement,
    }
    environment.globals |= {"marks": MARK_OF_KIND, "meanings": MEANINGS, "consequences": CONSEQUENCES}
    return environment


def page_of_requirement(requirement: str) -> str:
    """Where the page of a requirement lies in the report."""
    return f"requirements/{requirement}.html"


def page_of_feature(uri: str) -> str:
    """Where the page of a feature file lies in the report, wherever the file itself lies."""
    parts = [part for part in PurePosixPath(uri).parts if part not in {"/", "..", "."}]
    below = parts[1:] if parts[:1] == ["features"] else parts
    return PurePosixPath("features", *below).with_suffix(".html").as_posix()


def anchor(result: ScenarioFinished) -> str:
    """The mark of a scenario on its pages."""
    return f"s{hashlib.sha256(result.scenario.id.encode()).hexdigest()[:10]}"


def lines_of(timeline: tuple[Moment, ...]) -> list[Line]:
    """The lines of a timeline, each with the time that had passed."""
    before = (timeline[0].time_s, *(moment.time_s for moment in timeline)) if timeline else ()
    return [
        Line(moment=moment, passed_s=max(0.0, moment.time_s - earlier_s))
        for earlier_s, moment in zip(before, timeline, strict=False)
    ]


def unregistered(summary: Summary) -> list[ScenarioFinished]:
    """Results that speak for no requirement of the register: a vendor's own scenarios, and slips of the suite."""
    known = summary.register.ids()
    return [result for result in summary.results.values() if not known.intersection(result.scenario.requirements)]


def seconds_of(result: RequirementResult, summary: Summary) -> float:
    """How long the scenarios of a requirement took together."""
    return sum(summary.results[scenario].seconds for scenario in result.scenarios)


def _span(seconds: float) -> str:
    """Write by how much a clock moved, in the largest unit that says it."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"
