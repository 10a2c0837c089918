"""Drivers in processes of their own: noise, death, silence and lies are told apart, and a kill is a kill."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from snapproof.driver import DriverKilledError
from snapproof.drivers.contract import (
    BrokenContractError,
    DriverDiedError,
    DriverFailedError,
    DriverSilentError,
    message_of,
)
from snapproof.drivers.outside import CommandDriver, MachineClock, UrlDriver
from snapproof.drivers.process import LOG_NAME, Life
from snapproof.drivers.remote import begin, over_socket
from snapproof.naming import UnknownDriverError, load_driver
from snapproof.site import Site

HOST = f"cmd:{sys.executable} -m snapproof host reference"
SERVER = """
    import http.server, json, os, sys, threading
    class Answers(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            verb = self.path.rpartition("/")[2]
            if verb == "describe":
                {describe}
            self.send_response(204)
            self.end_headers()
        def log_message(self, *_):
            pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    print("warming up")
    print(json.dumps({{"ready": f"http://127.0.0.1:{{server.server_port}}", "contract": "1.4"}}), flush=True)
    server.serve_forever()
"""


def written(folder: Path, text: str, **parts: str) -> str:
    path = folder / "driver.py"
    path.write_text(textwrap.dedent(text).format(**parts) if parts else textwrap.dedent(text))
    return f"cmd:{sys.executable} {path}"


def life(folder: Path, text: str) -> Life:
    path = folder / "driver.py"
    path.write_text(textwrap.dedent(text))
    return Life([sys.executable, str(path)], environment={}, folder=folder)


def test_noise_is_kept_and_does_no_harm(site: Site, tmp_path: Path) -> None:
    driver = CommandDriver(written(tmp_path, SERVER, describe="pass"))(site)
    driver.reconcile()
    driver.close()
    assert "warming up" in (site.state_directory / LOG_NAME).read_text()


def test_a_driver_that_ends_too_early_is_quoted(tmp_path: Path) -> None:
    found = life(tmp_path, "raise SystemExit('no licence')")
    with pytest.raises(DriverDiedError, match=r"ended before it was ready[^$]*no licence"):
        found.wait_until_ready()
    found.close()


def test_a_driver_that_never_says_that_it_is_ready_is_not_waited_for(tmp_path: Path) -> None:
    found = life(tmp_path, "import threading; print('hello', flush=True); threading.Event().wait()")
    with pytest.raises(DriverDiedError, match=r"nothing like a ready line within 0\.5 s[^$]*hello"):
        found.wait_until_ready(0.5)
    found.close()


def test_another_contract_is_refused(tmp_path: Path) -> None:
    found = life(tmp_path, """print('{"ready": "http://127.0.0.1:1", "contract": "2.0"}', flush=True)""")
    with pytest.raises(BrokenContractError, match=r"speaks contract 2\.0; this suite speaks 1\."):
        found.wait_until_ready()
    found.close()


def test_what_cannot_be_started_is_said() -> None:
    with pytest.raises(DriverDiedError, match="/nonexistent/driver cannot be started: No such file"):
        Life(["/nonexistent/driver"], environment={}, folder=Path("/tmp"))  # noqa: S108  nothing is written there
    with pytest.raises(UnknownDriverError, match="names no command"):
        load_driver("cmd: ")


@pytest.mark.parametrize(
    ("describe", "kind", "words"),
    [
        ("os._exit(3)", DriverDiedError, "died .exit code 3."),
        (
            "self.wfile.write(b'HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n{}'); return",
            BrokenContractError,
            "name",
        ),
        ("self.close_connection = True; return", BrokenContractError, "lives, and .* ended POST /v1/describe without"),
        (
            "self.wfile.write(b'HTTP/1.1 200 OK\\r\\ncontent-length: 90\\r\\n\\r\\n{'); return",
            BrokenContractError,
            "ended POST /v1/describe without an answer",
        ),
        ("self.wfile.write(b'hello'); return", BrokenContractError, "ended POST /v1/describe without an answer"),
    ],
)
def test_death_lies_and_silence_are_told_apart(
    site: Site, tmp_path: Path, describe: str, kind: type[Exception], words: str
) -> None:
    driver = CommandDriver(written(tmp_path, SERVER, describe=describe))(site)
    with pytest.raises(kind, match=words):
        driver.describe()
    driver.close()


def test_silence_is_not_waited_for(site: Site, tmp_path: Path) -> None:
    server = SERVER.format(describe="threading.Event().wait()")
    found = life(tmp_path, server)
    wire = over_socket(found.wait_until_ready().ready, patience_s=0.3)
    driver = begin(wire, message_of(site), clock=MachineClock(), explain=found.explain)
    with pytest.raises(DriverSilentError, match="gave no answer to POST /v1/describe"):
        driver.describe()
    found.close()


def test_what_a_driver_says_when_it_is_ready_is_kept_in_its_log_alone(site: Site, tmp_path: Path) -> None:
    flood = "[print('x' * 1_000, flush=True) for _ in range(2_000)]"
    driver: Any = CommandDriver(written(tmp_path, SERVER, describe=flood))(site)
    driver.reconcile()
    with pytest.raises(BrokenContractError):
        driver.describe()
    driver.close()
    assert (site.state_directory / LOG_NAME).read_text().count("x" * 1_000) == 2_000


def test_a_kill_is_a_kill_and_the_next_life_has_the_same_state(site: Site) -> None:
    factory: Any = load_driver(HOST)
    first = factory(site)
    assert first.describe().name == "reference"
    factory.kill()
    with pytest.raises(DriverKilledError):
        first.describe()
    first.close()
    second = factory(site)
    assert second.list_volumes() == []
    second.close()


BREAKS = """
    from snapproof.reference_impl.driver import ReferenceDriver
    class Breaks(ReferenceDriver):
        def list_volumes(self, account=None):
            raise KeyError(self.site.array.password.reveal())
    def never_begins(site):
        raise RuntimeError(site.array.password.reveal())
"""


def test_what_breaks_a_hosted_driver_is_told_by_its_type_and_no_secret_with_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "breaking.py").write_text(textwrap.dedent(BREAKS))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    host = f"cmd:{sys.executable} -m snapproof host breaking"
    driver = load_driver(f"{host}:Breaks")(site)
    with pytest.raises(DriverFailedError, match="list_volumes ended in KeyError, which is no refusal") as caught:
        driver.list_volumes()
    assert driver.list_snapshots() == []  # it lives, and nobody else's verbs are broken
    driver.close()
    with pytest.raises(DriverFailedError, match="begin ended in RuntimeError") as unborn:
        load_driver(f"{host}:never_begins")(site)
    assert site.array.password.reveal() not in f"{caught.value} {unborn.value}"


def test_a_driver_that_somebody_else_started_is_asked_by_its_address(site: Site) -> None:
    with subprocess.Popen(HOST.partition(":")[2].split(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split('"')[3]
        driver = load_driver(url)(site)
        assert driver.describe().name == "reference"
        driver.close()
        process.terminate()
    with pytest.raises(DriverDiedError, match="gave no answer to POST /v1/begin"):
        UrlDriver(url)(site)


def test_no_secret_is_in_the_environment_of_a_driver(site: Site, tmp_path: Path) -> None:
    environment = written(tmp_path, "import os, sys; sys.exit(repr(sorted(os.environ.items())))")
    with pytest.raises(DriverDiedError):
        CommandDriver(environment)(site)
    said = (site.state_directory / LOG_NAME).read_text()
    assert "SNAPPROOF_BACKEND_URL" in said
    assert site.array.password.reveal() not in said
