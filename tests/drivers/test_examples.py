"""The example drivers in docs/examples/drivers: each is judged where its tool chain is, and all make the same calls.

Every night by the whole suite, else by the features about the array; a driver that declares little is excused by name.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from snapproof.driver import OutsideFactory
from snapproof.drivers.contract import DriverFailedError
from snapproof.drivers.outside import MachineClock
from snapproof.drivers.process import Life
from snapproof.drivers.remote import over_socket, speak
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import simulated_lab
from snapproof.naming import load_driver
from snapproof.report.ledger import read_ledger
from snapproof.report.records import Scenario, ScenarioFinished
from snapproof.verdict import State

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "drivers"
DECLARED = {"snapshot-primary", "accounting"}
WHOLE = bool(os.environ.get("SNAPPROOF_ALL_FEATURES"))
FEATURES = ("features/take/primary.feature",)
UNSEEN = {
    "This lab does not slow down services of a driver that does not live by its clock.",
    "This lab cannot speak for a second caller of a driver outside its process.",
}
CALLS = (
    *("array.ListAccounts#1", "array.AddAccount#1", "array.CreateVolume#1", "array.ListVolumes#1"),
    *("array.CreateSnapshot#1", "array.DeleteSnapshot#1", "array.DeleteVolume#1"),
)


@dataclass(frozen=True, slots=True)
class Language:
    """What an example needs to be built and run: tools, how to build it into a folder, how to start it from there."""

    tools: tuple[str, ...]
    build: str
    start: str


LANGUAGES: Mapping[str, Language] = {
    "go": Language(("go",), "go build -o {built}/driver {source}/driver.go", "{built}/driver"),
    "java": Language(
        ("javac", "java"),
        "javac -d {built} {source}/SnapproofShim.java {source}/Driver.java",
        "java -XX:TieredStopAtLevel=1 -cp {built} Driver",
    ),
    "node": Language(("node",), "node --check {source}/driver.js", "node {source}/driver.js"),
    "python": Language(
        (), f"{sys.executable} -m py_compile {{source}}/driver.py", f"{sys.executable} {{source}}/driver.py"
    ),
}


@pytest.fixture(params=sorted(LANGUAGES))
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each of them in turn."""
    return built(request.param, tmp_path)


def built(name: str, tmp_path: Path) -> str:
    """Name an example driver that has just been built; skip where its tools are absent."""
    language = LANGUAGES[name]
    if absent := [tool for tool in language.tools if shutil.which(tool) is None]:
        pytest.skip(f"The {name} example is not run: {', '.join(absent)} is not on the PATH.")
    places = {"built": tmp_path, "source": EXAMPLES / name}
    environment = {**os.environ, "GOCACHE": str(tmp_path / "go"), "PYTHONPYCACHEPREFIX": str(tmp_path)}
    subprocess.run(language.build.format(**places).split(), env=environment, check=True, cwd=tmp_path)
    return f"cmd:{language.start.format(**places)}"


def expected(scenario: Scenario) -> State:
    needed = {tag.removeprefix("capability:") for tag in scenario.tags if tag.startswith("capability:")}
    return State.PASS if needed <= DECLARED else State.NOT_SUPPORTED


@pytest.mark.timeout(1800)
def test_an_example_passes_all_that_is_asked_of_it(uri: str, tmp_path: Path) -> None:
    words = ["run", "--driver", uri, "--report", str(tmp_path / "report"), *(() if WHOLE else FEATURES)]
    subprocess.run([sys.executable, "-m", "snapproof", *words], capture_output=True, check=False)
    results = [record for record in read_ledger(tmp_path / "report") if isinstance(record, ScenarioFinished)]
    seen = [each for each in results if each.reason not in UNSEEN]
    assert {
        each.scenario.id: (each.state, each.reason) for each in seen if each.state is not expected(each.scenario)
    } == {}
    assert len(results) - len(seen) == (2 if WHOLE else 0)
    assert sum(each.state is State.PASS for each in seen) == (65 if WHOLE else 4)


def test_all_examples_make_the_same_calls(uri: str, tmp_path: Path) -> None:
    factory = load_driver(uri)
    assert isinstance(factory, OutsideFactory)
    with simulated_lab(factory, store="nfs", seed=4, directory=tmp_path) as lab:
        lab.watch_calls()
        caller = Caller(lab)
        volume = caller.create("volume").result()
        assert caller.create("volume").result() == volume
        snapshot = caller.take("nightly", volume.id).result()
        assert caller.take("nightly", volume.id).result() == snapshot
        lab.restart_driver()
        assert [row.id for row in lab.driver.list_snapshots()] == [snapshot.id]
        caller.delete("gone", snapshot.id).raise_if_failed()
        caller.discard("over", volume.id).raise_if_failed()
        assert lab.calls() == CALLS
        assert not [*lab.driver.list_volumes(), *lab.driver.list_snapshots()]


def test_what_breaks_the_shim_for_java_is_told_by_its_type(tmp_path: Path) -> None:
    life = Life(built("java", tmp_path).removeprefix("cmd:").split(), environment={}, folder=tmp_path)
    driver: Any = speak(over_socket(life.wait_until_ready().ready), clock=MachineClock())
    with pytest.raises(DriverFailedError, match=r"list-volumes ended in java\.lang\.NullPointerException\."):
        driver.list_volumes()  # before a life has begun
    life.close()
