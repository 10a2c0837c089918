"""The scorecard says what happened: what reached the array, in order, and which red cell nobody has explained."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from snapproof.profile import read_profile
from snapproof.report.records import Scenario, ScenarioFinished
from snapproof.timeline import Kind, Moment
from snapproof.verdict import State

FOLDER = Path(__file__).parents[2] / "benchmarks" / "scorecard"


@pytest.fixture(scope="module")
def card() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("scorecard", FOLDER / "scorecard.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["scorecard"] = module
    spec.loader.exec_module(module)
    return module


def moment(kind: Kind, lane: str, text: str) -> Moment:
    return Moment(0.0, kind, lane, text)


TIMELINE = (
    moment(Kind.CALL, "array", "CreateVolume#1"),
    moment(Kind.STEP, "", 'When a snapshot "nightly" is taken'),
    moment(Kind.CALL, "array", "ListVolumes#2"),
    moment(Kind.CALL, "array", "CreateSnapshot#1"),
    moment(Kind.FAULT, "array", "lost_after at array.CreateSnapshot#1"),
    moment(Kind.CHANGE, "array", "snapshot created"),
    moment(Kind.CALL, "array", "CreateSnapshot#2"),
    moment(Kind.STEP, "", "Then all is well"),
    moment(Kind.CALL, "array", "ListSnapshots#1"),
)


def row(name: str, state: State, **more: object) -> ScenarioFinished:
    scenario = Scenario(
        id=f"features/a.feature::test_{name}[x]",
        uri="a",
        feature="A",
        name=f"{name} x",
        line=1,
        example="x",
        requirements=("R-001",),
    )
    return msgspec.structs.replace(ScenarioFinished(node="n", scenario=scenario, state=state), **more)


def judged(card: ModuleType, title: str, *findings: object) -> Any:
    return card.Judged(
        name="a", title=title, driver="cmd:{python} x", python="P", origin="o", assumption="a", finding=findings
    )


def test_the_wire_is_what_reached_the_array_during_the_act(card: ModuleType) -> None:
    told = card.wire(row("lost", State.FAIL, timeline=TIMELINE))
    assert told == "on the wire ListVolumes, CreateSnapshot, (lost_after), CreateSnapshot."
    assert card.wire(row("lost", State.FAIL)) == "nothing of the act reached the array."


def test_cells_are_those_that_somebody_was_asked(card: ModuleType) -> None:
    asked, silent = row("asked", State.PASS), row("silent", State.NOT_SUPPORTED)
    first = {result.scenario.id: result for result in (asked, silent)}
    second = {asked.scenario.id: row("asked", State.FAIL)}
    assert list(card.cells({judged(card, "A"): first, judged(card, "B"): second})) == ["| R-001 | asked | x | ✓ | ✗ |"]


@pytest.mark.parametrize(("state", "sign"), [(State.PASS, "~"), (State.FAIL, "~"), (State.NOT_TESTABLE, "○")])
def test_a_cell_that_differs_from_run_to_run_is_neither_red_nor_green(
    card: ModuleType, state: State, sign: str
) -> None:
    finding = card.Finding(scenario="*hasty*", said="The machine tells.", unsteady=True)
    driver, rows = judged(card, "A", finding), {"hasty": row("hasty", state)}
    assert list(card.cells({driver: rows})) == [f"| R-001 | hasty | x | {sign} |"]
    told = list(card.told(driver, rows))
    assert ("* R-001: The machine tells." in told) == (sign == "~")
    assert not any("snapproof run" in line for line in told)


def test_what_does_not_apply_is_told_by_the_reason_of_the_profile(card: ModuleType) -> None:
    excused = row("excused", State.XFAIL, reason="port=4711 was refused\nDeclared: It is Cinder's affair. (https://x)")
    assert list(card.told(judged(card, "A"), {"excused": excused}))[-1] == "* It is Cinder's affair. (https://x)"


def test_a_red_cell_without_a_sentence_is_named_and_one_with_is_told_with_its_replay(card: ModuleType) -> None:
    finding = card.Finding(scenario="*lost*", said="It acts twice.")
    driver = judged(card, "A", finding)
    rows = {name: row(name, State.FAIL, timeline=TIMELINE) for name in ("lost", "other")}
    assert [result.scenario.name for result in card.mute(driver, rows)] == ["other x"]
    text = "\n".join(card.told(driver, rows))
    assert "**It acts twice.**" in text
    assert "`snapproof run --driver 'cmd:PYTHON x' --seed 1 -- 'features/a.feature::test_lost[x]'`" in text


def test_the_drivers_and_their_profiles_can_be_read(card: ModuleType) -> None:
    known = msgspec.convert(tomllib.loads((FOLDER / "drivers.toml").read_text(encoding="utf-8")), card.Card)
    assert len(known.judged) >= 3
    for judged in known.judged:
        read_profile(FOLDER / judged.profile)
