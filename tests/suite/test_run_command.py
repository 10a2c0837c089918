"""`snapproof run` from outside: exit codes by the verdict, usage errors with a cure, and runs that die half-way."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import TypeAlias

import pytest

from snapproof import cli
from snapproof.commands.child import Order, canonical, command, environment
from snapproof.discovery import FEATURES, HOME
from snapproof.report.files import FILE_NAMES

Write: TypeAlias = Callable[..., Path]
Judge: TypeAlias = Callable[..., CompletedProcess[str]]
States: TypeAlias = Callable[[], dict[str, str]]

BOTH = """
    Feature: Both
      Background:
        Given a bench

      @req:R-001
      Scenario: First
        When it {first}
        Then all is well

      @req:R-002
      Scenario: Second
        When it {second}
        Then all is well
"""
ACCOUNTS = """
    Feature: Accounts
      @req:R-003 @capability:accounting
      Scenario: Third
        Given a bench
        Then all is well
"""


@pytest.mark.parametrize(
    ("second", "code", "verdict"),
    [
        ("works", 0, "conformant (2 of 3 requirements of set 2026-11; 1 not supported; 1 planned)"),
        ("fails", 1, "not conformant (1 of 3 requirements of set 2026-11; 1 not supported; 1 planned)"),
        ("is skipped", 2, "partial (1 of 3 requirements of set 2026-11; 1 not supported; 1 planned)"),
        ("lacks a power", 2, "partial (1 of 3 requirements of set 2026-11; 1 not supported; 1 planned)"),
        ("slips", 3, "harness error (1 of 3 requirements of set 2026-11; 1 not supported; 1 planned)"),
    ],
)
def test_a_run_exits_by_its_verdict(
    suite: Path, feature: Write, judge: Judge, second: str, code: int, verdict: str
) -> None:
    feature(BOTH.format(first="works", second=second))
    feature(ACCOUNTS, "accounts.feature")
    ended = judge("features")
    assert (ended.returncode, verdict in ended.stdout) == (code, True), ended.stdout
    claim = json.loads((suite / "report" / "run.json").read_text(encoding="utf-8"))
    assert (claim["verdict"]["text"], claim["verdict"]["exit_code"]) == (verdict, code)


def test_a_filtered_run_is_partial_and_says_what_did_not_run(feature: Write, judge: Judge) -> None:
    feature(BOTH.format(first="works", second="works"))
    ended = judge("-k", "first", "features")
    assert ended.returncode == 2
    assert "scenarios: 1 PASS, 1 NOT-RUN" in ended.stdout


def test_a_filter_that_fits_nothing_is_partial(feature: Write, judge: Judge) -> None:
    feature(BOTH.format(first="works", second="works"))
    assert judge("-k", "nothing_of_this_name", "features").returncode == 2


def test_a_feature_that_cannot_be_read_is_our_error_not_a_pass(feature: Write, judge: Judge) -> None:
    feature(BOTH.format(first="works", second="works"))
    feature("Feature: F\n  Scenario: S\n    When it works", "slip.feature")
    ended = judge("features")
    assert ended.returncode == 3
    assert "has no Then" in ended.stdout


@pytest.mark.parametrize("processes", [(), ("-n", "1")], ids=["one process", "xdist"])
def test_a_run_whose_process_dies_keeps_what_it_had(
    suite: Path, feature: Write, judge: Judge, processes: tuple[str, ...]
) -> None:
    feature(BOTH.format(first="works", second="kills the process"))
    ended = judge(*processes, "features")
    assert ended.returncode == 1
    assert "scenarios: 1 PASS, 1 DRIVER-CRASH" in ended.stdout
    assert [name for name in FILE_NAMES if not (suite / "report" / name).exists()] == []


def test_a_run_that_is_interrupted_is_partial(suite: Path, feature: Write, judge: Judge, states: States) -> None:
    feature(BOTH.format(first="works", second="is interrupted"))
    ended = judge("features")
    assert ended.returncode == 2
    assert states()["First"] == "PASS"
    assert "The run was cut short" in ended.stdout
    assert json.loads((suite / "report" / "run.json").read_text(encoding="utf-8"))["interrupted"] is True


@pytest.mark.usefixtures("suite")
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on_and_what_was_written_is_judged(feature: Write, signal_number: signal.Signals) -> None:
    feature(BOTH.format(first="works", second="hangs"))
    chosen = ("--driver", "mini_driver:Driver", "--register", "features/requirements.toml", "--report", "report")
    started = [sys.executable, "-c", "import sys; from snapproof.cli import main; sys.exit(main())", "run", *chosen]
    with subprocess.Popen(
        [*started, "features", "--", "-o", "snapproof_plugins="],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as run:
        assert run.stdout
        assert "First" in run.stdout.readline()
        run.send_signal(signal_number)
        said = run.stdout.read()
    assert run.returncode == 2
    assert "scenarios: 1 PASS, 1 NOT-RUN" in said


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--driver", "no.such.module:Driver"), "cannot be imported"),
        (("--driver", "mini_driver:Nothing"), "no callable 'Nothing'"),
        (("--register", "nowhere.toml"), "cannot be read"),
        (("--profile", "nowhere.toml"), "The profile nowhere.toml cannot be read"),
        (
            ("--profile", "mini.toml"),
            "declares a deviation for features/one.feature::test_fails_as_declared, and there",
        ),
        (("--seed", "soon"), "--seed takes a number or 'random'"),
        (("features/absent.feature",), "absent.feature"),
    ],
)
def test_a_slip_of_the_user_is_told_with_its_cure(judge: Judge, arguments: tuple[str, ...], complaint: str) -> None:
    ended = judge(*arguments)
    assert ended.returncode == 4
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_earlier_report_is_not_mistaken_for_this_run(suite: Path, feature: Write, judge: Judge) -> None:
    feature(BOTH.format(first="works", second="works"))
    judge("features")
    judge("--driver", "no.such.module:Driver", "features")
    assert not (suite / "report" / "run.json").exists()


def test_help_is_there_before_anything_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "exit codes: 0 conformant, 1 failures, 2 partial" in said
    script = "import sys, snapproof.cli; sys.exit('rich' in sys.modules or 'pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 4
    assert "start here" in capsys.readouterr().out


def test_features_are_found_under_the_same_name_everywhere(tmp_path: Path) -> None:
    assert canonical("features", tmp_path) == str(FEATURES)
    assert canonical(f"{FEATURES.resolve()}/__init__.py", tmp_path) == f"{FEATURES}/__init__.py"
    assert canonical("features/__init__.py", tmp_path) == f"{FEATURES}/__init__.py"
    assert canonical("features/absent.feature::test_a", tmp_path) == f"{tmp_path}/features/absent.feature::test_a"


def test_a_users_conftest_is_read_for_his_own_features_alone(tmp_path: Path) -> None:
    order = Order(driver="reference", seed=1, report=tmp_path / "report")
    ours = command(order, folder=tmp_path)
    assert f"--rootdir={HOME}" in ours
    assert ours[-1] == str(FEATURES)
    assert "--snapproof-driver=snapproof.reference_impl.driver:ReferenceDriver" in ours
    theirs = command(Order(driver="a:b", seed=1, report=tmp_path, targets=("mine",)), folder=tmp_path)
    assert f"--confcutdir={tmp_path}" in theirs
    assert theirs[-1] == str(tmp_path / "mine")


def test_options_of_other_runs_do_not_leak_in() -> None:
    kept = environment({"PYTEST_ADDOPTS": "-x", "PYTEST_PLUGINS": "a", "HOME": "/h"})
    assert kept == {
        "HOME": "/h",
        "PYTHONSAFEPATH": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONUNBUFFERED": "1",
    }
