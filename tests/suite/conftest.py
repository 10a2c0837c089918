"""Small suites in a folder of their own, with their own steps and driver, run as a user would run them."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from snapproof import cli
from snapproof.commands.child import environment
from snapproof.report.ledger import read_ledger
from snapproof.report.records import ScenarioFinished

REGISTER = """
set = "2026-11"
[[requirement]]
id = "R-001"
text = "asks for <one> & the same"
status = "tested"
[[requirement]]
id = "R-002"
text = "asks for another"
status = "tested"
[[requirement]]
id = "R-003"
text = "asks a driver that keeps accounts"
level = "extended"
capability = "accounting"
status = "tested"
[[requirement]]
id = "R-009"
text = "will ask one day"
"""
PROFILE = """
driver = "mini_driver:Driver"
[[deviation]]
scenario = "features/one.feature::test_fails_as_declared"
reason = "known"
link = "https://mini.example/7"
[[deviation]]
scenario = "features/one.feature::test_fails_no_more"
reason = "known"
link = "https://mini.example/8"
[[deviation]]
scenario = "features/one.feature::test_failed_too_long"
reason = "known"
link = "https://mini.example/9"
expires = 2020-01-01
[[deviation]]
scenario = "features/one.feature::test_slips_behind_a_deviation"
reason = "known"
link = "https://mini.example/10"
"""
DRIVER = '''
"""A driver that nobody calls: what these suites test is the suite."""


class Driver:
    def __init__(self, site): ...


def explode():
    raise KeyError("the driver lost a key")
'''
STEPS = '''
"""Steps with an outcome each."""

import os
import signal
import threading

import mini_driver
import pytest
from pytest_bdd import given, parsers, then, when

from snapproof.lab import NotTestableError
from snapproof.drivers.contract import DriverDiedError
from snapproof.selection import attach, check_capabilities, conceal
from snapproof.vocabulary import Capability, Description

LEFT = []
CAPABILITIES = frozenset({Capability.RECONCILE})


@pytest.fixture
def bench(request):
    conceal(request.node, ["swordfish"])
    check_capabilities(request.node, Description(name="Mini", version="1.0", capabilities=CAPABILITIES))
    attach(request.node, "Journal", "1 login with swordfish")
    print("connected with swordfish")
    yield
    left, LEFT[:] = LEFT[:], []
    assert not left, f"after the scenario there is {left[0]}"


@given("a bench")
def _(bench): ...


@when(parsers.parse("it {ends}"))
def _(ends):
    OUTCOMES[ends]()


@when("nobody awaits this")
async def _(bench): ...


@then("all is well")
def _(): ...


@then("it was told")
def _(bench, datatable, docstring):
    assert datatable == [["place", "lines"], ["array", "1"]]
    assert docstring == "as it is"


def fails():
    assert 1 == 2, "two snapshots, made with swordfish"


def lacks_a_power():
    raise NotTestableError("This lab cannot pull a plug.")


def fails_and_leaves_an_orphan():
    LEFT.append("an orphan")
    fails()


def dies():
    raise DriverDiedError("The driver ended with signal 9.")


def hangs():
    try:
        threading.Event().wait(30)
    except Exception:
        pass


def slips():
    {}["no such key"]


def looks_at_the_report():
    page = open("report/index.html", encoding="utf-8").read()
    assert "still running" in page
    assert 'http-equiv="refresh"' in page


OUTCOMES = {
    "looks at the report": looks_at_the_report,
    "works": lambda: None,
    "fails": fails,
    "lacks a power": lacks_a_power,
    "dies": dies,
    "hangs": hangs,
    "slips": slips,
    "explodes": mini_driver.explode,
    "leaves an orphan": lambda: LEFT.append("an orphan"),
    "fails and leaves an orphan": fails_and_leaves_an_orphan,
    "is skipped": lambda: pytest.skip("not today, swordfish"),
    "kills the process": lambda: os._exit(9),
    "is interrupted": lambda: os.kill(os.getpid(), signal.SIGINT),
}
'''


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a suite without features yet, in which the test stands."""
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "requirements.toml").write_text(REGISTER, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(STEPS, encoding="utf-8")
    (tmp_path / "mini.toml").write_text(PROFILE, encoding="utf-8")
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "mini_driver.py").write_text(DRIVER, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "drivers"), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def feature(suite: Path) -> Callable[..., Path]:
    """Write a feature file."""

    def write(text: str, name: str = "one.feature") -> Path:
        path = suite / "features" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def judge(suite: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., CompletedProcess[str]]:
    """Run `snapproof run` with a report in `report/`; `after_dashes` goes to pytest."""

    def run(*arguments: str, after_dashes: tuple[str, ...] = ()) -> CompletedProcess[str]:
        chosen = (
            "--driver",
            "mini_driver:Driver",
            "--register",
            "features/requirements.toml",
            "--report",
            str(suite / "report"),
        )
        code = cli.main(["run", *chosen, *arguments, "--", "-o", "snapproof_plugins=", *after_dashes])
        said = capsys.readouterr()
        return CompletedProcess([], code, said.out, said.err)

    return run


@pytest.fixture
def plain_pytest(suite: Path) -> Callable[..., CompletedProcess[str]]:
    """Run pytest itself with the plugin, as in a checkout; a driver is named only if the arguments name one."""

    def run(*arguments: str) -> CompletedProcess[str]:
        plugins = ("-psnapproof.plugin", "-ppytest_bdd.plugin", "-osnapproof_plugins=", "--strict-markers")
        chosen = ("--snapproof-register=features/requirements.toml", f"--rootdir={suite}", "--tb=short")
        command = [sys.executable, "-m", "pytest", "-c", os.devnull, *plugins, *chosen, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(os.environ))

    return run


@pytest.fixture
def states(suite: Path) -> Callable[[], dict[str, str]]:
    """Read how each scenario, by name and row, ended according to the ledger."""

    def read() -> dict[str, str]:
        records = (each for each in read_ledger(suite / "report") if isinstance(each, ScenarioFinished))
        return {f"{each.scenario.name} {each.scenario.example}".strip(): str(each.state) for each in records}

    return read
