"""Example workflows for continuous integration: well-formed, with commands that there are and files that runs leave."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml  # PyYAML, which moto brings

from snapproof.commands.run import add_parser
from snapproof.report.files import JUNIT_NAME

CI = Path(__file__).parents[2] / "docs" / "examples" / "ci"


def workflow(name: str) -> Any:
    return yaml.safe_load((CI / name).read_text(encoding="utf-8"))


def commands(name: str) -> list[str]:
    """The lines that a runner would give to its shell."""
    found = workflow(name)
    if name.startswith("github"):
        return [step["run"] for step in found["jobs"]["conformance"]["steps"] if "run" in step]
    return [*found["conformance"]["before_script"], *found["conformance"]["script"]]


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml"])
def test_a_workflow_installs_the_wheel_and_says_one_command(name: str) -> None:
    install, judge = [shlex.split(line) for line in commands(name)]
    assert install[:3] == ["pip", "install", "snapproof"]
    assert judge[:2] == ["snapproof", "run"]
    assert known(judge[1:]).report == "snapproof-report"
    assert known(judge[1:]).driver == ""


def known(words: list[str]) -> Any:
    """Parse them as the command does."""
    import argparse

    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    return parser.parse_args(words)


def test_gitlab_reads_the_test_cases_where_a_run_leaves_them() -> None:
    assert workflow("gitlab-ci.yml")["conformance"]["artifacts"]["reports"]["junit"] == f"snapproof-report/{JUNIT_NAME}"
