"""Runs that hold every state: console, ledger, JUnit, JSON and page count alike, on one process and on several."""

import html
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias
from xml.etree import ElementTree as ET

import pytest

from snapproof.report.files import FILE_NAMES
from snapproof.verdict import State

Write: TypeAlias = Callable[..., Path]
Judge: TypeAlias = Callable[..., CompletedProcess[str]]
States: TypeAlias = Callable[[], dict[str, str]]

SECRET = "swordfish"
PASSING = """
    Feature: Passing
      @req:R-001
      Scenario: Passes
        Given a bench
        Then all is well
"""
EVERY_STATE = """
    Feature: Every state
      Background:
        Given a bench

      @req:R-001
      Scenario: Passes
        When it works
        Then it was told
          | place | lines |
          | array | 1     |
          '''
          as it is
          '''

      @req:R-002
      Scenario Outline: Ends
        When it <badly>
        Then all is well

        Examples:
          | badly         |
          | fails         |
          | lacks a power |
          | dies          |
          | hangs         |
          | slips         |
          | explodes      |
          | is skipped    |

      @req:R-003 @capability:accounting
      Scenario: Keeps accounts
        Then all is well

      Scenario: Fails as declared
        When it fails
        Then all is well

      Scenario: Fails no more
        When it works
        Then all is well

      Scenario: Failed too long
        When it fails
        Then all is well

      Scenario: Slips behind a deviation
        When it slips
        Then all is well

      @req:R-002
      Scenario: Takes a step that nobody wrote
        When it is Tuesday on the moon
        And there is no such step
        Then all is well

      @req:R-002
      Scenario: Takes a step that nobody awaits
        When nobody awaits this
        Then all is well
""".replace("'''", '"""')
STATES = {
    "Passes": State.PASS,
    "Ends fails": State.FAIL,
    "Ends lacks a power": State.NOT_TESTABLE,
    "Ends dies": State.DRIVER_CRASH,
    "Ends hangs": State.TIMEOUT,
    "Ends slips": State.HARNESS_ERROR,
    "Ends explodes": State.FAIL,
    "Ends is skipped": State.NOT_RUN,
    "Keeps accounts": State.NOT_SUPPORTED,
    "Fails as declared": State.XFAIL,
    "Fails no more": State.XPASS,
    "Failed too long": State.FAIL,
    "Slips behind a deviation": State.HARNESS_ERROR,
    "Takes a step that nobody wrote": State.HARNESS_ERROR,
    "Takes a step that nobody awaits": State.HARNESS_ERROR,
}
COUNTS = {str(state): count for state, count in Counter(STATES.values()).items()}


@pytest.fixture(params=[(), ("-n", "2")], ids=["one process", "xdist"])
def processes(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """On how many processes the suite runs."""
    chosen: tuple[str, ...] = request.param
    return chosen


@pytest.mark.requirement(id="R-173")
def test_all_outputs_of_a_run_agree(
    suite: Path, feature: Write, judge: Judge, states: States, processes: tuple[str, ...]
) -> None:
    feature(EVERY_STATE)
    run = judge("--profile", "mini.toml", "--timeout", "0.5", *processes, "features")
    assert set(STATES.values()) == set(State), "the golden run must hold every state"
    assert states() == STATES
    assert run.returncode == 3
    assert counts_of_console(run.stdout) == COUNTS
    assert counts_of_junit(suite / "report") == COUNTS
    assert counts_of_page(suite / "report") == COUNTS
    assert counts_of_envelope(suite / "report") == COUNTS
    assert counts_of_messages(suite / "report") == COUNTS
    assert counts_of_features(suite / "report") == COUNTS


def test_the_first_page_is_there_while_the_run_goes_on(feature: Write, judge: Judge, states: States) -> None:
    feature(EVERY_STATE.replace("| fails         |", "| works         |\n          | looks at the report |"))
    judge("-k", "test_passes or looks", "features", after_dashes=("-p", "no:randomly"))
    assert states() == {"Passes": "PASS", "Ends looks at the report": "PASS"}


def test_a_step_that_nobody_wrote_is_told_what_could_be_meant(feature: Write, judge: Judge) -> None:
    feature(EVERY_STATE.replace("When it is Tuesday on the moon", "Then all was well"))
    said = judge("-k", "nobody_wrote", "features").stdout
    assert "No step reads 'Then all was well'." in said
    assert "  Then all is well   (" in said


def test_no_output_of_a_run_holds_a_secret(suite: Path, feature: Write, judge: Judge) -> None:
    feature(EVERY_STATE)
    run = judge("--timeout", "0.5", "features")
    written = {
        path.name: path.read_text(encoding="utf-8")
        for path in (suite / "report").iterdir()
        if path.is_file() and path.suffix != ".zip"
    }
    assert set(written) == {"results.ndjson", "pytest.log", *FILE_NAMES} - {"packet.zip"}
    assert "made with ***" in written["pytest.log"]
    assert not [name for name, text in {**written, "console": run.stdout}.items() if SECRET in text]


def test_a_traceback_begins_in_the_steps_and_ends_where_it_happened(suite: Path, feature: Write, judge: Judge) -> None:
    feature(EVERY_STATE)
    judge("-k", "test_ends and explodes", "features")
    log = (suite / "report" / "pytest.log").read_text(encoding="utf-8")
    assert "mini_driver.py" in log
    assert "_pytest" not in log.partition("FAILURES")[2].partition("snapproof: FAIL")[0]


def test_a_failure_says_where_it_is_what_it_breaks_and_how_to_see_it_again(
    suite: Path, feature: Write, judge: Judge
) -> None:
    feature(EVERY_STATE)
    run = judge("--seed", "7", "-k", "test_ends and fails", "features")
    log = (suite / "report" / "pytest.log").read_text(encoding="utf-8")
    chosen = "--driver mini_driver:Driver --seed 7 --register features/requirements.toml"
    replay = f"snapproof run {chosen} -- 'features/one.feature::test_ends[fails]'"
    for told in (log, run.stdout, html.unescape((suite / "report" / "index.html").read_text(encoding="utf-8"))):
        for fact in ("Every state", "Ends", "it fails", "R-002", "two snapshots", replay):
            assert fact in told


def test_what_is_found_after_a_scenario_fails_it_too(suite: Path, feature: Write, judge: Judge, states: States) -> None:
    feature(EVERY_STATE.replace("| fails         |", "| leaves an orphan |\n          | fails and leaves an orphan |"))
    judge("-k", "orphan", "features")
    assert states() == {"Ends leaves an orphan": "FAIL", "Ends fails and leaves an orphan": "FAIL"}
    junit = ET.parse(suite / "report" / "junit.xml")
    messages = [failure.attrib["message"] for failure in junit.iterfind(".//failure")]
    assert ["two snapshots" in message for message in messages] == [False, True]
    assert all("after the scenario there is an orphan" in message for message in messages)


def test_a_replay_line_runs_its_scenario_alone(feature: Write, judge: Judge, states: States) -> None:
    feature(EVERY_STATE)
    run = judge(after_dashes=("features/one.feature::test_ends[fails]",))
    assert states() == {"Ends fails": "FAIL"}
    assert run.returncode == 1


def test_texts_of_others_are_escaped_on_the_page(suite: Path, feature: Write, judge: Judge) -> None:
    feature(PASSING.replace("Passes", "Passes <script>alert(1)</script>"))
    judge("features")
    page = (suite / "report" / "index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "asks for &lt;one&gt; &amp; the same" in page


def counts_of_console(said: str) -> dict[str, int]:
    line = re.search(r"^scenarios: (.*)$", said, re.MULTILINE)
    assert line, said
    return {state: int(count) for count, state in re.findall(r"(\d+) ([A-Z-]+)", line[1])}


def counts_of_junit(report: Path) -> dict[str, int]:
    tree = ET.parse(report / "junit.xml")
    return dict(Counter(each.attrib["value"] for each in tree.iterfind(".//testcase//property[@name='state']")))


def counts_of_page(report: Path) -> dict[str, int]:
    page = (report / "index.html").read_text(encoding="utf-8")
    scenarios = page.partition('id="scenario-counts"')[2].partition("</section>")[0]
    return {state: int(count) for state, count in re.findall(r'data-state="([A-Z-]+)" data-count="(\d+)"', scenarios)}


def counts_of_messages(report: Path) -> dict[str, int]:
    told = [json.loads(line) for line in (report / "messages.ndjson").read_text(encoding="utf-8").splitlines()]
    bodies = [each["attachment"]["body"] for each in told if each.get("attachment", {}).get("fileName") == "state.json"]
    return dict(Counter(json.loads(body)["state"] for body in bodies))


def counts_of_features(report: Path) -> dict[str, int]:
    page = (report / "features" / "one.html").read_text(encoding="utf-8")
    return dict(Counter(re.findall(r"</span> ([A-Z-]+)</span>", page)))


def counts_of_envelope(report: Path) -> dict[str, int]:
    counts = json.loads((report / "run.json").read_text(encoding="utf-8"))["counts"]["scenarios"]
    return {state: count for state, count in counts.items() if count}
