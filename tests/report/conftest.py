"""A report with everything in it: every state, every standing, hostile texts, both sides of a timeline."""

import textwrap
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from snapproof.collecting import canonical_scenarios
from snapproof.register import Register, read_register
from snapproof.report.files import write_files
from snapproof.report.ledger import Ledger, read_ledger
from snapproof.report.records import (
    Attachment,
    DriverIdentity,
    Proof,
    Record,
    RunFinished,
    RunStarted,
    Scenario,
    ScenarioFinished,
    Step,
)
from snapproof.report.summary import Summary, summarise
from snapproof.timeline import Kind, Moment
from snapproof.verdict import State

HOSTILE = "<script>alert('x')</script> & \"quoted\" ١٢٣ " + "very-long-word-" * 12
STARTED_S = 1_790_000_000.0
REGISTER = """
set = "golden"
[[requirement]]
id = "R-001"
text = "Every state is shown."
passes_when = "There is a page."
section = "Reports"
reference = "design"
status = "tested"
[[requirement]]
id = "R-002"
text = "A requirement that one driver in two leaves out is told so."
level = "extended"
capability = "archive"
status = "tested"
[[requirement]]
id = "R-003"
text = "A requirement that no driver can be asked about is told with its reason."
status = "excluded"
reason = "It speaks of documents, and no driver writes any."
proved_by = ["tests/report/test_report_pages.py::test_x"]
[[requirement]]
id = "R-004"
text = "A requirement that nobody has proved yet is told as well."
"""
STATES = """
    @req:R-001 @fault
    Feature: Every state
      What a run can end in.

      Background:
        Given a bench

      Scenario Outline: Ends <somehow>
        Told for every state.
        When it ends <somehow>
        Then it was told
          | place | lines |
          | array | 1     |

        Examples:
          | somehow |
          {rows}
"""
DEEP = f"""
    Feature: Deep <b>down</b>
      Rule: A rule has scenarios of its own
        @req:R-002 @capability:archive
        Scenario: {HOSTILE}
          Given a bench
          Then it was told
            '''
            {HOSTILE}
            '''
""".replace("'''", '"""')
TIMELINE = (
    Moment(0.0, Kind.STEP, "", "Given a bench"),
    Moment(0.0, Kind.VERB, "driver", "take_snapshot", "operation=1"),
    Moment(0.0, Kind.CALL, "array", "CreateSnapshot#1"),
    Moment(0.0, Kind.CHANGE, "array", "snapshot created", f"name={HOSTILE}"),
    Moment(0.0, Kind.FAULT, "array", "lost_after at array.CreateSnapshot#1"),
    Moment(3_600.5, Kind.CALL, "nfs", "open#1"),
    Moment(3_600.5, Kind.CHANGE, "host", "sr created", "sr=1"),
    Moment(3_600.5, Kind.ANSWER, "driver", "take_snapshot", "BackendError: no"),
)
STOPS = frozenset(State) - {State.PASS, State.XPASS, State.NOT_RUN}


def write_suite(folder: Path) -> Register:
    """Write register and features, and read them."""
    rows = "\n          ".join(f"| {state} |" for state in State)
    (folder / "features/deep").mkdir(parents=True)
    (folder / "features/requirements.toml").write_text(REGISTER, encoding="utf-8")
    (folder / "features/states.feature").write_text(textwrap.dedent(STATES.format(rows=rows)), encoding="utf-8")
    (folder / "features/deep/down.feature").write_text(textwrap.dedent(DEEP), encoding="utf-8")
    return read_register(folder / "features/requirements.toml")


def records(register: Register) -> Iterator[Record]:
    """A run of that suite: every row ends in the state that it is called after."""
    expected = canonical_scenarios(register)
    yield RunStarted(
        suite_version="1.0",
        register_path=str(register.path),
        driver="golden.driver:Driver",
        seed=7,
        started_s=STARTED_S,
        python="3.11.7",
        platform="Linux-6.1-x86_64",
        expected=expected,
        chosen={"processes": "2"},
        proofs={"R-001": (Proof(selector="zoo:Broken", mistake=f"Breaks R-001: {HOSTILE}", says="told"),)},
    )
    for number, scenario in enumerate(expected):
        state = State(scenario.example) if scenario.example else State.NOT_SUPPORTED
        if state is not State.NOT_RUN:
            yield ended(scenario, state, number)
    yield RunFinished(finished_s=STARTED_S + 75)


def ended(scenario: Scenario, state: State, number: int) -> ScenarioFinished:
    """A record of a scenario in this state."""
    return ScenarioFinished(
        node=scenario.id,
        scenario=msgspec.structs.replace(scenario, steps=tuple(_walked(scenario.steps, state))),
        state=state,
        seconds=0.25 * (number + 1),
        reason="" if state is State.PASS else f"It ended {state}: {HOSTILE}",
        detail="" if state is State.PASS else "driver.py:7: in take\n    raise KeyError",
        replay=f"snapproof run --seed 7 -- '{scenario.id}'",
        driver=DriverIdentity(name="Golden", version="2.0", capabilities=("reconcile", "revert")),
        attachments=() if state is State.PASS else (Attachment(title="journal", text=HOSTILE),),
        timeline=TIMELINE,
        ended_s=STARTED_S + number + 1,
    )


def _walked(steps: tuple[Step, ...], state: State) -> Iterator[Step]:
    stops_at = 1 if state in STOPS else len(steps)
    for place, step in enumerate(steps):
        outcome = "passed" if place < stops_at else "failed" if place == stops_at else "not reached"
        yield msgspec.structs.replace(step, outcome=outcome, seconds=0.01)


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the golden report."""
    folder = tmp_path_factory.mktemp("golden")
    ledger = Ledger(folder / "report")
    for record in records(write_suite(folder)):
        ledger.append(record)
    ledger.close()
    write_files(folder / "report", summarise(read_ledger(folder / "report")))
    return folder / "report"


@pytest.fixture(scope="session")
def summary(golden: Path) -> Summary:
    """What the golden report tells."""
    return summarise(read_ledger(golden))
