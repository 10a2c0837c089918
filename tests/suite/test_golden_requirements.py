"""A run in which ten requirements end in ten states: every output that names a requirement says so of the same one.

That scenarios are counted alike is looked at in test_golden_runs.py.
"""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias
from xml.etree import ElementTree as ET

import pytest

from snapproof.verdict import State

Write: TypeAlias = Callable[..., Path]
Judge: TypeAlias = Callable[..., CompletedProcess[str]]
Said: TypeAlias = dict[str, str]
"""Requirements, and the state in which an output shows them."""

ACTS = {
    State.PASS: "it works",
    State.NOT_SUPPORTED: "it works",
    State.XFAIL: "it fails",
    State.NOT_RUN: "it is skipped",
    State.NOT_TESTABLE: "it lacks a power",
    State.XPASS: "it works",
    State.FAIL: "it fails",
    State.TIMEOUT: "it hangs",
    State.DRIVER_CRASH: "it dies",
    State.HARNESS_ERROR: "it slips",
}
ENDED = {f"R-{number:03}": str(state) for number, state in enumerate(ACTS, start=101)}
DECLARED = (State.XFAIL, State.XPASS)
EXCUSE = "No driver can be asked for this & that."
BESIDE = f"""
[[requirement]]
id = "R-200"
text = "is excluded"
status = "excluded"
reason = "{EXCUSE}"
proved_by = ["tests/suite/test_golden_requirements.py::test_x"]
[[requirement]]
id = "R-201"
text = "is planned"
"""


def row(requirement: str, state: str) -> str:
    extended = 'level = "extended"\ncapability = "accounting"\n' if state == State.NOT_SUPPORTED else ""
    return f'[[requirement]]\nid = "{requirement}"\ntext = "ends {state}"\nstatus = "tested"\n{extended}'


def scenario(requirement: str, state: str) -> str:
    tag = " @capability:accounting" if state == State.NOT_SUPPORTED else ""
    return (
        f"\n  @req:{requirement}{tag}\n  Scenario: Ends {state}\n    Given a bench\n"
        f"    When {ACTS[State(state)]}\n    Then all is well\n"
    )


def deviation(state: State) -> str:
    name = f"features/one.feature::test_ends_{state.lower()}"
    return f'[[deviation]]\nscenario = "{name}"\nreason = "known"\nlink = "https://mini.example/1"\n'


def write_suite(suite: Path, feature: Write) -> None:
    rows = "".join(row(*each) for each in ENDED.items())
    (suite / "features/requirements.toml").write_text(f'set = "ten"\n{rows}{BESIDE}', encoding="utf-8")
    declared = "".join(map(deviation, DECLARED))
    (suite / "mini.toml").write_text(f'driver = "mini_driver:Driver"\n{declared}', encoding="utf-8")
    feature("Feature: Ten states\n" + "".join(scenario(*each) for each in ENDED.items()))


@pytest.mark.requirement(id="R-173")
@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "xdist"])
def test_every_output_says_the_same_of_each_requirement(
    suite: Path, feature: Write, judge: Judge, processes: tuple[str, ...]
) -> None:
    write_suite(suite, feature)
    run = judge("--profile", "mini.toml", "--timeout", "0.5", *processes, "features")
    assert set(ENDED.values()) == set(State), "the run must hold every state"
    told = dict(outputs(suite / "report", run.stdout))
    assert told == dict.fromkeys(told, ENDED)
    assert {name: says_all_else(suite / "report" / name) for name in SUMMARISES} == dict.fromkeys(SUMMARISES, True)
    assert run.returncode == json.loads((suite / "report/run.json").read_text())["verdict"]["exit_code"] == 3


def outputs(report: Path, said: str) -> Iterator[tuple[str, Said]]:
    """What each output says of each tested requirement."""
    yield "console", dict(re.findall(r"^(R-1\d\d) +\S +([A-Z-]+) ", said, re.MULTILINE))
    run = json.loads((report / "run.json").read_text(encoding="utf-8"))
    yield "run.json", {name: each["state"] for name, each in run["requirements"].items() if each["status"] == "tested"}
    yield "junit.xml", dict(states_in_junit(report / "junit.xml"))
    yield "messages.ndjson", dict(states_in_messages(report / "messages.ndjson"))
    lists = {"index.html": r'<li data-kind.*?class="id">(R-\d+)<', "matrix.html": r'<tr id="(R-\d+)"'}
    for name, begins in lists.items():
        page = (report / name).read_text(encoding="utf-8")
        yield name, dict(re.findall(rf"{begins}.*?</span> ([A-Z-]+)</span>", page, re.DOTALL)[: len(ENDED)])
    yield "their pages", {name: first_chip(report / f"requirements/{name}.html") for name in ENDED}


def states_in_junit(path: Path) -> Iterator[tuple[str, str]]:
    for case in ET.parse(path).iterfind(".//testcase"):
        properties = {each.attrib["name"]: each.attrib["value"] for each in case.iterfind(".//property")}
        yield properties["requirement"], properties["state"]


def states_in_messages(path: Path) -> Iterator[tuple[str, str]]:
    """By way of the tags: test case started, test case, pickle."""
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    tags = {each["pickle"]["id"]: each["pickle"]["tags"] for each in told if "pickle" in each}
    cases = {each["testCase"]["id"]: tags[each["testCase"]["pickleId"]] for each in told if "testCase" in each}
    starts = {each["testCaseStarted"]["id"]: each["testCaseStarted"] for each in told if "testCaseStarted" in each}
    for each in told:
        attached = each.get("attachment", {})
        if attached.get("fileName") == "state.json":
            names = [tag["name"] for tag in cases[starts[attached["testCaseStartedId"]]["testCaseId"]]]
            (requirement,) = [name.partition(":")[2] for name in names if name.startswith("@req:")]
            yield requirement, json.loads(attached["body"])["state"]


def first_chip(page: Path) -> str:
    match = re.search(r'<span class="chip .*?</span> ([A-Z-]+)</span>', page.read_text(encoding="utf-8"))
    assert match
    return match[1]


SUMMARISES = ("badge.svg", "badge.json", "product.yaml", "junit.xml", "messages.ndjson", "index.html")


def says_all_else(path: Path) -> bool:
    """One of ten passes, the suite itself slipped, and what stands beside the set is not counted in it."""
    text = path.read_text(encoding="utf-8")
    whole = "1 of 10 requirements of set ten; 1 not supported; 1 excluded; 1 planned"
    match path.name:
        case "badge.json":
            return str(json.loads(text)["message"]).startswith("harness error · 1/10 ")
        case "badge.svg":
            return "harness error · 1/10<" in text and whole in text
        case "product.yaml":
            counts = import_module("yaml").safe_load(text)["requirements"]
            return counts == {str(state): 1 for state in State} and whole in text
        case _:
            return "harness error" in text and whole in text
