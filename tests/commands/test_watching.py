"""`--log-json` and `/metrics` of the commands that serve: who is told what, and what is said where there is nothing."""

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from snapproof.commands.watching import begin_log, is_loopback, measured
from snapproof.driver import DriverUnderTest
from snapproof.drivers.contract import SiteMessage
from snapproof.drivers.hosting import Hosting
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.lab import simulated_lab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import Answer


@pytest.fixture
def caller(tmp_path: Path) -> Iterator[Caller]:
    """Somebody who asks the reference driver."""
    with simulated_lab(ReferenceDriver, store="nfs", seed=4, directory=tmp_path) as lab:
        yield Caller(lab)


@pytest.fixture
def handlers() -> Iterator[list[logging.Handler]]:
    """The log as it was before, afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("snapproof")
    before, level = list(root.handlers), ours.level
    yield root.handlers
    for handler in [handler for handler in root.handlers if handler not in before]:
        root.removeHandler(handler)
        handler.close()
    ours.setLevel(level)


class MeasuresNothing:
    """A driver with no figures."""

    def close(self) -> None:
        """Nothing to let go of."""


def never(message: SiteMessage) -> DriverUnderTest:
    raise AssertionError(f"Nobody begins a life with {message}.")


def inner(method: str, target: str, _headers: Mapping[str, str], _body: bytes) -> Answer:
    return 418, {}, f"{method} {target}".encode()


def test_a_hosted_driver_is_measured_beside_its_verbs(caller: Caller) -> None:
    caller.take("nightly", caller.used_volume().id).result()
    hosting = Hosting(never, caller.lab._driver)
    wire = measured(hosting, hosting.metrics)
    status, headers, body = wire("GET", "/metrics", {}, b"")
    samples = [sample for each in text_string_to_metric_families(body.decode()) for sample in each.samples]
    found = {sample.name: sample.value for sample in samples}
    assert (status, headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert (found["snapproof_leaks"], found["snapproof_moved_bytes_total"]) == (0, 0)
    status, _, body = wire("POST", "/v1/describe", {}, b"{}")
    assert (status, msgspec.json.decode(body)["name"]) == (200, "reference")


@pytest.mark.parametrize("driver", [None, MeasuresNothing()])
def test_where_there_is_nothing_to_measure_it_is_said(driver: DriverUnderTest | None) -> None:
    hosting = Hosting(never, driver)
    status, _, body = measured(hosting, hosting.metrics)("GET", "/metrics?", {}, b"")
    assert status == 503
    assert b"nothing to measure" in body


@pytest.mark.parametrize("target", ["/", "/metricsx", "/client/api?x=/metrics", "/metrics/"])
def test_everything_else_goes_its_own_way(target: str) -> None:
    assert measured(inner, lambda: b"figures")("GET", target, {}, b"") == (418, {}, f"GET {target}".encode())


@pytest.mark.parametrize(
    ("address", "alone"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("192.0.2.1", False), ("host", False)],
)
def test_figures_are_told_on_loopback_alone(address: str, *, alone: bool) -> None:
    assert is_loopback(address) == alone


def test_the_log_is_one_object_a_line_behind_what_is_there(tmp_path: Path, handlers: list[logging.Handler]) -> None:
    path = tmp_path / "log"
    path.write_text("{}\n", encoding="ascii")
    begin_log(str(path))
    logging.getLogger("snapproof.sweep").info("a name\nof two lines")
    logging.getLogger("botocore").info("not ours")
    first, second = (json.loads(line) for line in path.read_text(encoding="ascii").splitlines())
    assert (first, second["message"], second["logger"]) == ({}, "a name\nof two lines", "snapproof.sweep")
    assert handlers


def test_standard_error_has_json_alone_where_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], handlers: list[logging.Handler]
) -> None:
    begin_log("-")
    logging.getLogger("snapproof.sweep").warning("swept")
    assert [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()] == ["swept"]
    assert handlers


def test_a_log_that_cannot_be_written_is_refused_by_name(tmp_path: Path, handlers: list[logging.Handler]) -> None:
    with pytest.raises(CannotServeError, match=r"--log-json .* cannot be written: Is a directory\."):
        begin_log(str(tmp_path))
    assert handlers is not None
