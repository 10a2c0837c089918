"""Judge drivers that others wrote, and write down what was observed: docs/scorecard.md and a matrix in HTML.

`python benchmarks/scorecard/scorecard.py REPORTS` runs the suite on every driver of drivers.toml, each into a folder of
its own below REPORTS, and writes the page. `--only NAME` judges one; `--write` judges none and writes the page of what
lies there. A red cell without a sentence of its own in drivers.toml is named, and the exit code is 1.
"""

import argparse
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from snapproof.report.matrix_page import ENVELOPE_NAME, MATRIX_NAME, Column, matrix_page, read_run
from snapproof.report.records import ScenarioFinished
from snapproof.timeline import Kind, Moment
from snapproof.verdict import State

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE, MATRIX = ROOT / "docs" / "scorecard.md", ROOT / "docs" / "scorecard.html"
LETTERS = {
    State.PASS: "✓",
    State.FAIL: "✗",
    State.XFAIL: "≠",
    State.NOT_SUPPORTED: "-",
    State.NOT_TESTABLE: "○",
    State.TIMEOUT: "✗",
    State.DRIVER_CRASH: "✗",
}
UNSTEADY, EITHER = "~", frozenset({State.PASS, State.FAIL})
DECLARED = "Declared: "
"""How the reason begins for which a profile excuses a failure."""
RED = frozenset({State.FAIL, State.TIMEOUT, State.DRIVER_CRASH, State.XPASS, State.HARNESS_ERROR})
SILENT = frozenset({State.NOT_SUPPORTED, State.NOT_RUN})
CALLS_MAX = 14


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver did where a cell is red, in plain words; `scenario` is a pattern of scenario ids.

    Where it is unsteady, the cell is red in some runs only, for a reason that is none of the driver's.
    """

    scenario: str
    said: str
    unsteady: bool = False


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """A driver of the card. In `driver` and `python`, {python} and {card} stand for a Python and this folder."""

    name: str
    title: str
    driver: str
    python: str
    origin: str
    assumption: str
    profile: str = ""
    finding: tuple[Finding, ...] = ()


class Card(msgspec.Struct, frozen=True):
    """The file."""

    judged: tuple[Judged, ...]


def main() -> int:
    """Judge and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--write", action="store_true", help="judge nothing; write the page of what is there")
    asked = parser.parse_args()
    card = msgspec.convert(tomllib.loads((HERE / "drivers.toml").read_text(encoding="utf-8")), Card)
    for judged in card.judged:
        if not asked.write and asked.only in {"", judged.name}:
            judge(judged, asked.reports / judged.name)
    results = {judged: finished(asked.reports / judged.name) for judged in card.judged}
    present = {judged: rows for judged, rows in results.items() if rows}
    PAGE.write_text("\n".join(page(present, asked.reports)), encoding="utf-8")
    runs = {f"{judged.name}/": read_run(asked.reports / judged.name) for judged in present}
    linked, alone = ([Column(run=run, link=link * kept) for link, run in runs.items()] for kept in (True, False))
    (asked.reports / MATRIX_NAME).write_text(matrix_page(linked), encoding="utf-8")
    MATRIX.write_text(matrix_page(alone), encoding="utf-8")
    unexplained = [
        f"{judged.name}: {row.scenario.id}" for judged, rows in present.items() for row in mute(judged, rows)
    ]
    print("\n".join(unexplained) or f"Every red cell is explained in {PAGE}.")
    return 1 if unexplained else 0


def judge(judged: Judged, report: Path) -> None:
    """Run the suite."""
    command = [sys.executable, "-m", "snapproof", "run", "--driver", selector(judged), "--report", str(report)]
    profile = ["--profile", str(HERE / judged.profile)] if judged.profile else []
    python = os.environ.get(judged.python, "")
    environment = {**os.environ, **({"SNAPPROOF_CINDER_PYTHON": python} if python else {})}
    subprocess.run([*command, *profile], cwd=ROOT, env=environment, check=False)


def selector(judged: Judged) -> str:
    """What --driver is given."""
    return judged.driver.format(python=os.environ.get(judged.python, "python"), card=HERE.relative_to(ROOT))


def named(judged: Judged) -> str:
    """What --driver is given, wherever the Python is."""
    return judged.driver.format(python="PYTHON", card=HERE.relative_to(ROOT))


def finished(report: Path) -> dict[str, ScenarioFinished]:
    """Read the results of a run, by scenario; nothing where there was none, or none has ended."""
    whole = (report / ENVELOPE_NAME).exists()
    lines = (report / "results.ndjson").read_bytes().splitlines() if whole else []
    rows = [line for line in lines if line.startswith(b'{"record":"scenario-finished"')]
    results = [msgspec.json.decode(row, type=ScenarioFinished) for row in rows]
    return {result.scenario.id: result for result in results}


def found_at(judged: Judged, row: ScenarioFinished) -> Finding:
    """What is said of a scenario; nothing, where nobody has said anything."""
    known = (finding for finding in judged.finding if fnmatchcase(row.scenario.id, finding.scenario))
    return next(known, Finding(scenario=row.scenario.id, said=""))


def letter(judged: Judged, row: ScenarioFinished) -> str:
    """What stands in a cell."""
    unsteady = row.state in EITHER and found_at(judged, row).unsteady
    return UNSTEADY if unsteady else LETTERS.get(row.state, "?")


def mute(judged: Judged, rows: Mapping[str, ScenarioFinished]) -> list[ScenarioFinished]:
    """Red cells that nobody has explained."""
    return [row for row in rows.values() if row.state in RED and not found_at(judged, row).said]


def page(results: Mapping[Judged, Mapping[str, ScenarioFinished]], reports: Path) -> Iterator[str]:
    """Write the page."""
    yield (HERE / "head.md").read_text(encoding="utf-8").rstrip()
    yield ""
    yield "| driver | judged as | version | verdict | " + " | ".join(LEGEND.values()) + " |"
    yield "|---" * (4 + len(LEGEND)) + "|"
    for judged, rows in results.items():
        yield summary(judged, rows, reports / judged.name)
    yield from ("", "What is assumed of each:", "")
    yield from (f"* **{judged.title}** ({judged.origin}): {judged.assumption}" for judged in results)
    yield from ("", "## What was asked, with which fault", "")
    signs = [f"{sign} {LEGEND[state]}" for state, sign in LETTERS.items() if state in LEGEND]
    yield f"{', '.join(signs)}, {UNSTEADY} passed or failed, from run to run."
    yield "Scenarios that no driver of the card supports are left out."
    yield ""
    yield "| requirement | scenario | fault or case | " + " | ".join(judged.title for judged in results) + " |"
    yield "|---" * (3 + len(results)) + "|"
    yield from cells(results)
    for judged, rows in results.items():
        yield from told(judged, rows)
    yield ""


LEGEND = {
    State.PASS: "passed",
    State.FAIL: "failed",
    State.XFAIL: "does not apply, with the reason",
    State.NOT_SUPPORTED: "not supported",
    State.NOT_TESTABLE: "not testable",
}


def summary(judged: Judged, rows: Mapping[str, ScenarioFinished], report: Path) -> str:
    """One driver, one line."""
    known = next(row.driver for row in rows.values() if row.driver is not None)
    counts = [sum(letter(judged, row) == LETTERS[state] for row in rows.values()) for state in LEGEND]
    verdict = read_run(report).verdict.conclusion
    numbers = " | ".join(map(str, counts))
    return f"| {judged.title} | `{named(judged)}` | {known.version} | {verdict} | {numbers} |"


def cells(results: Mapping[Judged, Mapping[str, ScenarioFinished]]) -> Iterator[str]:
    """The rows of the matrix: one for each scenario and case that some driver was asked."""
    runs = results.values()
    scenarios = {key: row.scenario for rows in runs for key, row in rows.items() if row.state not in SILENT}
    for key, scenario in sorted(scenarios.items(), key=lambda known: (known[1].requirements, known[0])):
        states = [letter(judged, rows[key]) if key in rows else " " for judged, rows in results.items()]
        case = scenario.example.replace("|", "\\|")
        name = scenario.name.removesuffix(f" {scenario.example}")
        yield f"| {', '.join(scenario.requirements)} | {name} | {case} | {' | '.join(states)} |"


def told(judged: Judged, rows: Mapping[str, ScenarioFinished]) -> Iterator[str]:
    """What a driver did where its cells are red or do not apply."""
    yield from ("", f"## {judged.title}")
    groups: dict[str, list[ScenarioFinished]] = {}
    for row in rows.values():
        if row.state in RED and letter(judged, row) != UNSTEADY:
            groups.setdefault(found_at(judged, row).said, []).append(row)
    for said, found in groups.items():
        yield from ("", f"**{said}**", "")
        for row in found:
            yield f"* {', '.join(row.scenario.requirements)}, {row.scenario.name.strip()}: {wire(row)}"
            yield f"  `{replay(judged, row)}`"
    yield from listed("Passed or failed, from run to run:", unsteady(judged, rows))
    yield from listed("Does not apply:", excuses(rows))


def listed(title: str, sentences: Iterable[str]) -> Iterator[str]:
    """A list with its title, if there is anything in it."""
    if found := sorted(set(sentences)):
        yield from ("", title, "")
        yield from (f"* {sentence}" for sentence in found)


def unsteady(judged: Judged, rows: Mapping[str, ScenarioFinished]) -> Iterator[str]:
    """What is said of cells that are red in some runs only."""
    for row in rows.values():
        if letter(judged, row) == UNSTEADY:
            yield f"{', '.join(row.scenario.requirements)}: {found_at(judged, row).said}"


def excuses(rows: Mapping[str, ScenarioFinished]) -> Iterator[str]:
    """The reasons that the profile gives, where it excused what was seen."""
    for row in rows.values():
        if row.state is State.XFAIL:
            yield from (line.removeprefix(DECLARED) for line in row.reason.splitlines() if line.startswith(DECLARED))


def wire(row: ScenarioFinished) -> str:
    """What reached the array during the last act, in order."""
    calls = [line for line in map(_said, _last_act(row.timeline)) if line]
    shown = [*calls[:CALLS_MAX], "…"] if len(calls) > CALLS_MAX else calls
    return f"on the wire {', '.join(shown)}." if shown else "nothing of the act reached the array."


def _last_act(timeline: Sequence[Moment]) -> Sequence[Moment]:
    acts = [number for number, moment in enumerate(timeline) if moment.kind is Kind.STEP and "When " in moment.text]
    if not acts:
        return timeline
    rest = timeline[acts[-1] + 1 :]
    end = next((number for number, moment in enumerate(rest) if moment.kind is Kind.STEP), len(rest))
    return rest[:end]


def _said(moment: Moment) -> str:
    if moment.kind is Kind.CALL and moment.lane == "array":
        return moment.text.partition("#")[0]
    if moment.kind is Kind.FAULT:
        return f"({moment.text.partition(' at ')[0]})"
    return ""


def replay(judged: Judged, row: ScenarioFinished) -> str:
    """The line that repeats it."""
    return f"snapproof run --driver {shlex.quote(named(judged))} --seed 1 -- {shlex.quote(row.scenario.id)}"


if __name__ == "__main__":
    sys.exit(main())
