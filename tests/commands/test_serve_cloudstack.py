"""CloudStack's API in `snapproof serve`: told in the ready line, at work behind it, and anew in each world."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from snapproof.reference_impl.api.signing import signature
from snapproof.vocabulary import Secret

PATIENCE_S = 30
LOG = "orchestrator.log"


class Served:
    """The command, and one user of its API."""

    def __init__(self, process: "subprocess.Popen[str]", ready: dict[str, Any]) -> None:
        self.process, self.ready, self.login = process, ready, ready["cloudstack"]

    def ask(self, command: str, **parameters: str) -> dict[str, Any]:
        """Ask a signed question; give the one member of the answer."""
        whole = {"command": command, "apiKey": self.login["key"], "response": "json", **parameters}
        signed = {**whole, "signature": signature(whole, Secret(self.login["secret"]))}
        ((_, told),) = requests.get(self.login["url"], params=signed, timeout=PATIENCE_S).json().items()
        assert isinstance(told, dict)
        return told

    def done(self, command: str, **parameters: str) -> dict[str, Any]:
        """Ask for a job, and wait for its end."""
        job, pause = self.ask(command, **parameters)["jobid"], threading.Event()
        for _ in range(500):
            told = self.ask("queryAsyncJobResult", jobid=job)
            if told["jobstatus"]:
                return told
            pause.wait(0.02)
        pytest.fail(f"{command} did not end within 10 s.")

    def reset(self) -> None:
        """Let the world begin anew."""
        door = self.ready["control"]
        headers = {"Authorization": f"Bearer {door['token']}"}
        requests.post(door["url"] + "/reset", headers=headers, timeout=PATIENCE_S).raise_for_status()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    log = ["--log-json", str(tmp_path / LOG)]
    command = [sys.executable, "-m", "snapproof.commands.serve", "--json", "--seed", "7", *log]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield Served(process, json.loads(process.stdout.readline())["ready"])
        finally:
            process.kill()


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE_S)
    return process.returncode, errors


def listing(served: Served) -> Callable[[str], int]:
    return lambda command: int(served.ask(command).get("count", 0))


def test_a_client_finds_what_it_needs_in_the_ready_line_and_the_next_world_has_the_same_keys(served: Served) -> None:
    count = listing(served)
    told = served.done("createVolume", name="database", sizebytes=str(3 * 2**20))
    assert told["jobstatus"] == 1
    volume = told["jobresult"]["volume"]["id"]
    assert served.done("createSnapshot", volumeid=volume)["jobresult"]["snapshot"]["state"] == "BackedUp"
    assert (count("listVolumes"), count("listSnapshots")) == (1, 1)
    served.reset()
    assert (count("listVolumes"), count("listSnapshots")) == (0, 0)
    assert served.done("createVolume", name="database", sizebytes=str(3 * 2**20))["jobstatus"] == 1
    code, errors = ended(served.process)
    assert (code, errors) == (0, "")


def figures(served: Served) -> dict[str, float]:
    """What Prometheus reads, with its own parser, by name and label."""
    answer = requests.get(served.login["metrics"], timeout=PATIENCE_S)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/plain")
    samples = [sample for each in text_string_to_metric_families(answer.text) for sample in each.samples]
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for sample in samples
        if sample.name != "snapproof_array_errors_total"  # a new account is asked for before it is made
    }


def test_operators_read_figures_and_a_log_without_a_signature(served: Served, tmp_path: Path) -> None:
    before = figures(served)
    volume = served.done("createVolume", name="database", sizebytes=str(3 * 2**20))["jobresult"]["volume"]["id"]
    taken = served.done("createSnapshot", volumeid=volume)["jobresult"]["snapshot"]
    assert figures(served) == before | {"snapproof_snapshots BackedUp": 1.0}
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text(encoding="ascii").splitlines()]
    phases = [line["phase"] for line in lines if line.get("snapshot") == taken["id"] and line.get("outcome") == "done"]
    assert phases == ["TakeArraySnapshot"]
    assert served.login["secret"] not in (tmp_path / LOG).read_text(encoding="ascii")
    assert (tmp_path / LOG).stat().st_mode & 0o777 == 0o600
    assert requests.post(served.login["metrics"], timeout=PATIENCE_S).status_code == 405
    served.reset()
    assert figures(served) == before
