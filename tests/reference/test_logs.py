"""The log: one line for each phase of a snapshot's way, its cause where it fails, and no line that a name forged."""

import io
import json
import logging
import logging.handlers
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from snapproof.driver import DriverUnderTest
from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.adapters import s3
from snapproof.reference_impl.adapters.element_owners import OWNER_MARK
from snapproof.reference_impl.adapters.s3 import S3Bucket
from snapproof.reference_impl.core.plans import plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.insisting import LOG as ATTEMPTS
from snapproof.reference_impl.logs import LOG as REQUESTS
from snapproof.reference_impl.logs import JsonLines
from snapproof.reference_impl.performing import PERFORMERS, leave
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotRequest

FORGED = 'night\nly\r{"level": "INFO"}\x1b[31m\u2028\x85'


class Log:
    """Everything that was logged, as lines and as what they say."""

    def __init__(self) -> None:
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(JsonLines())

    def text(self) -> str:
        return self._stream.getvalue()

    def lines(self, **wanted: Any) -> Sequence[Mapping[str, Any]]:
        found = [json.loads(line) for line in self.text().splitlines()]
        return [line for line in found if wanted.items() <= line.items()]


@pytest.fixture
def log() -> Iterator[Log]:
    written, logger = Log(), logging.getLogger("snapproof")
    before = logger.level
    logger.addHandler(written.handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.setLevel(before)
    logger.removeHandler(written.handler)


def phases_of(caller: Caller, operation: str) -> Counter[tuple[str, str]]:
    """Which phases the job of an operation has by its plan, and what becomes of them."""
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    job = driver._catalog.job(OperationId(operation))
    assert job is not None
    plan = plan_for(job.order)
    done = Counter((type(step.effect).__name__, "done") for step in plan)
    released = [type(step.effect) for step in plan if step.lifetime.name in {"WORK", "SPENT"}]
    return done + Counter((kind.__name__, "undone") for kind in released if PERFORMERS[kind].undo is not leave)


def untold(caller: Caller, log: Log, taken: Snapshot, operation: str) -> list[str]:
    """Name the phases that have not exactly one whole line under the snapshot's uuid."""
    lines = [line for line in log.lines(job=operation, level="INFO") if "phase" in line]
    found = Counter((line["phase"], line["outcome"]) for line in lines)
    wanted = phases_of(caller, operation)
    wrong = [f"{phase}: {found[phase]} of {wanted[phase]}" for phase in wanted | found if found[phase] != wanted[phase]]
    for line in lines:
        ids = line.get("array_snapshot") or line.get("lun") or line["phase"] == "TakeArraySnapshot"
        if not (line["snapshot"] == taken.id and taken.id in line["message"] and ids and line["duration_ms"] >= 0):
            wrong.append(line["phase"])
    return wrong


@pytest.mark.requirement(id="R-067")
def test_each_phase_of_a_snapshots_way_is_one_line_under_its_uuid(any_caller: Caller, log: Log) -> None:
    volume = any_caller.used_volume()
    taken = any_caller.take("take", volume.id, LocationType.SECONDARY).result()
    assert untold(any_caller, log, taken, "take") == []
    assert log.lines(job="take", phase="TakeArraySnapshot")[0]["array_snapshot"] == 82_002
    any_caller.delete("delete", taken.id).raise_if_failed()
    assert log.lines(job="delete", phase="DeleteBackup", snapshot=taken.id)


def test_a_phase_that_is_not_told_is_found(caller: Caller, log: Log) -> None:
    log.handler.addFilter(lambda record: getattr(record, "phase", "") != "CloneToLun")
    taken = caller.take("take", caller.used_volume().id, LocationType.SECONDARY).result()
    assert untold(caller, log, taken, "take") == [
        "('CloneToLun', 'done'): 0 of 1",
        "('CloneToLun', 'undone'): 0 of 1",
    ]


@pytest.mark.requirement(id="R-067")
def test_a_failure_is_one_line_with_its_cause(caller: Caller, log: Log) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.CloneVolume", "refused:xPermissionDenied")
    assert caller.take("take", volume.id, LocationType.SECONDARY).error is not None
    (row,) = caller.lab.driver.list_snapshots()
    (failed,) = log.lines(outcome="failed", snapshot=row.id, job="take")
    assert (failed["level"], failed["phase"]) == ("WARNING", "CloneToLun")
    assert failed["cause"] == "The array refused CloneVolume: xPermissionDenied."


CALLS = (
    *("array.CreateSnapshot", "array.CloneVolume", "array.ListVolumes", "array.AddVolumesToVolumeAccessGroup"),
    *("array.GetAsyncResult", "array.DeleteSnapshot", "host.session.login_with_password", "host.SR.create"),
    *("host.Async.VDI.copy", "host.SR.forget", "nfs.open", "nfs.rename", "catalog.commit"),
)


def silent(caller: Caller, log: Log, call: str, fault: str) -> list[str]:
    """Let a call fail; name what a user was told of it and the log was not."""
    volume = caller.used_volume()
    caller.lab.break_service(call, fault)
    error = caller.take("take", volume.id, LocationType.SECONDARY).error
    told = [line["cause"] for line in log.lines() if line.get("cause") and line["level"] != "DEBUG"]
    return [] if error is None or str(error) in told else [str(error)]


@pytest.mark.requirement(id="R-070")
@pytest.mark.parametrize("fault", ["refused", "lost_before"])
@pytest.mark.parametrize("call", CALLS)
def test_whatever_fails_for_a_user_is_logged_with_its_cause(caller: Caller, log: Log, call: str, fault: str) -> None:
    assert silent(caller, log, call, fault) == []


@pytest.mark.requirement(id="R-070")
def test_a_refusal_that_is_the_callers_own_fault_is_logged_as_well(caller: Caller, log: Log) -> None:
    request = SnapshotRequest(operation=OperationId("take"), volume=caller.used_volume().id, location="tape")
    error = caller.lab.attempt(lambda driver: driver.take_snapshot(request)).error
    assert [line["level"] for line in log.lines(cause=str(error), verb="take_snapshot")] == ["INFO"]


def test_a_failure_that_is_told_at_debug_alone_is_found(caller: Caller, log: Log) -> None:
    for quiet in (REQUESTS, ATTEMPTS):
        quiet.disabled = True
    try:
        assert silent(caller, log, "array.CloneVolume", "refused") == ["The array refused CloneVolume: xNotReadyForIO."]
    finally:
        for quiet in (REQUESTS, ATTEMPTS):
            quiet.disabled = False


def asked(request: SnapshotRequest, driver: DriverUnderTest) -> Snapshot:
    return driver.take_snapshot(request)


def lines_of(caller: Caller, formatter: logging.Formatter) -> tuple[int, str]:
    """Let names that would forge lines go through everything that logs; count the records and give what was written."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    records = logging.handlers.BufferingHandler(capacity=10_000)
    logger = logging.getLogger("snapproof")
    logger.addHandler(handler)
    logger.addHandler(records)
    try:
        volume = caller.create("volume", name=FORGED).result()
        for operation, location in (("one", "PRIMARY"), ("two", FORGED)):
            request = SnapshotRequest(
                operation=OperationId(operation), volume=volume.id, name=FORGED, location=location
            )
            caller.lab.attempt(partial(asked, request))
        logger.warning("Somebody said %s.", FORGED)
    finally:
        logger.removeHandler(handler)
        logger.removeHandler(records)
    return len(records.buffer), stream.getvalue()


@pytest.mark.requirement(id="R-160")
@pytest.mark.usefixtures("log")
def test_a_name_forges_no_line(caller: Caller) -> None:
    records, text = lines_of(caller, JsonLines())
    assert text.isascii()
    assert len(text.splitlines()) == records > 5
    assert [json.loads(line)["message"] for line in text.splitlines()][-1] == f"Somebody said {FORGED}."


@pytest.mark.usefixtures("log")
def test_a_name_that_forges_lines_is_found(caller: Caller) -> None:
    records, text = lines_of(caller, logging.Formatter())
    assert len(text.splitlines()) > records


def test_a_line_holds_nothing_that_is_not_on_the_list(log: Log) -> None:
    logging.getLogger("snapproof.test").warning("hello", extra={"password": "canary", "job": "j"})
    assert log.lines()[0].keys() == {"time", "level", "logger", "message", "job"}


def marks(caller: Caller, taken: Snapshot) -> Mapping[str, str]:
    """What names the snapshot at each place that it is at, beside its answer: array, log and secondary storage."""
    lab = caller.lab
    attributes = [row["attributes"] for row in call(lab._world.arrays[0], "ListSnapshots")["snapshots"]]
    found = {"array": str([mark["subject"] for mark in attributes if mark.get("owner") == OWNER_MARK])}
    (path,) = [copy.reference for copy in taken.copies if copy.location is LocationType.SECONDARY] or [""]
    if path and lab._site.bucket is not None:
        bucket = S3Bucket(lab._site.bucket)
        found["secondary"] = bucket.request("HEAD", path)[1]["x-amz-meta-snapshot"]
    elif path:
        found["secondary"] = path.rpartition("/")[2].removesuffix(".vhd")
    return found


@pytest.mark.requirement(id="R-068")
def test_one_uuid_goes_from_the_answer_to_the_array_and_on_to_secondary_storage(any_caller: Caller, log: Log) -> None:
    volume = any_caller.used_volume()
    here = any_caller.take("here", volume.id).result()
    assert marks(any_caller, here) == {"array": str([here.id])}
    there = any_caller.lab.attempt(lambda driver: driver.archive_snapshot(OperationId("there"), here.id)).result()
    assert there.id == here.id
    assert marks(any_caller, there) == {"array": "[]", "secondary": here.id}
    assert {line["job"] for line in log.lines(snapshot=here.id)} == {"here", "there"}


def test_a_mark_that_is_left_out_is_missed(
    open_caller: Callable[[str], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_marks", lambda digest, _subject: {"x-amz-meta-digest": digest})
    caller = open_caller("s3")
    taken = caller.take("take", caller.used_volume().id, LocationType.SECONDARY).result()
    with pytest.raises(KeyError, match="x-amz-meta-snapshot"):
        marks(caller, taken)
