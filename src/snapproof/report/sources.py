"""The feature files that a run was about: their texts, what Gherkin reads in them, and which row is which scenario.

A file that has gone by the time of the report is left out; what ran is in the records all the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from gherkin.errors import ParserException
from gherkin.stream.gherkin_events import GherkinEvents

from snapproof.register import Register
from snapproof.report.summary import Summary

Node: TypeAlias = Mapping[str, Any]
"""A part of Gherkin's tree, or a message of it, as the parser gives it."""

MEDIA_TYPE = "text/x.cucumber.gherkin+plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One feature file. `pickles` are its scenarios by our ids' ends: line and row."""

    uri: str
    text: str
    feature: Node
    messages: tuple[Node, ...]
    pickles: Mapping[tuple[int, str], Node]


def read_sources(summary: Summary) -> tuple[Source, ...]:
    """Read every feature file that a record of the run names, in the order of their names."""
    events = GherkinEvents(GherkinEvents.Options(print_source=True, print_ast=True, print_pickles=True))
    uris = sorted({result.scenario.uri for result in summary.results.values()})
    found = (_source(uri, path_of(uri, summary.register), events) for uri in uris)
    return tuple(source for source in found if source)


def path_of(uri: str, register: Register) -> Path:
    """Find a feature file by its name in the records: canonical ones lie beside the register."""
    name, _, rest = uri.partition("/")
    beside = register.folder / rest
    return beside if name == register.folder.name and rest and beside.exists() else Path(uri)


def _source(uri: str, path: Path, events: GherkinEvents) -> Source | None:
    if path.suffix != ".feature" or not path.is_file():
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    source = {"uri": uri, "data": text, "mediaType": MEDIA_TYPE}
    try:
        messages = tuple(cast(Node, each) for each in events.enum(cast(Any, {"source": source})))
    except ParserException:
        return None
    document = next((each["gherkinDocument"] for each in messages if "gherkinDocument" in each), None)
    if document is None or "feature" not in document:
        return None
    pickles = tuple(each["pickle"] for each in messages if "pickle" in each)
    keys = _keys(document["feature"])
    return Source(
        uri=uri,
        text=text,
        feature=document["feature"],
        messages=messages,
        pickles={keys[tuple(each["astNodeIds"])]: each for each in pickles},
    )


def _keys(feature: Node) -> dict[tuple[str, ...], tuple[int, str]]:
    """Which nodes of the tree are which scenario: by the line of the scenario, and the cells of the row."""
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for scenario in scenarios_of(feature):
        line = scenario["location"]["line"]
        found[(scenario["id"],)] = (line, "")
        for _, row in rows_of(scenario):
            found[(scenario["id"], row["id"])] = (line, row_id(row))
    return found


def scenarios_of(feature: Node) -> Iterator[Node]:
    """Every scenario of a feature, those of its rules included."""
    for child in feature["children"]:
        if "scenario" in child:
            yield child["scenario"]
        elif "rule" in child:
            yield from scenarios_of(child["rule"])


def rows_of(scenario: Node) -> Iterator[tuple[Node, Node]]:
    """Every row of an outline, with the table that it stands in."""
    for table in scenario.get("examples", ()):
        for row in table.get("tableBody", ()):
            yield table, row


def row_id(row: Node) -> str:
    """A row as the records name it."""
    return "-".join(cell["value"] for cell in row["cells"])
