"""Bulk volume jobs: limits, keys, progress, reports, and bytes that move by the key from cluster to cluster."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.serving import Answer
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.wire import Endpoint

GB = 1_000_000_000
BLOCK = 4096
JOB_S = 100
PASSWORD = "not-for-the-journal"


class Doors:
    """The internet of these clusters."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}

    def exchange(self, host: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if host not in self.endpoints:
            raise ConnectionRefusedError(host)
        return self.endpoints[host](method, target, headers, body)


class Pool:
    """Two clusters, each with a volume of an account."""

    def __init__(self, takes: Transition = Transition(seconds=JOB_S)) -> None:  # noqa: B008  a frozen value
        self.clock = VirtualClock()
        self.journal = Journal(self.clock.time)
        self.doors = Doors()
        self.one, self.other = (self._cluster(number, takes) for number in (1, 2))

    def _cluster(self, number: int, takes: Transition) -> Array:
        array = Array(
            clock=self.clock, journal=self.journal, blocks=BlockStore(), dice=random.Random(number),
            name=f"cluster-{number}", mvip=f"192.0.2.{number}", bulk_time=takes, web=self.doors,
        )  # fmt: skip
        call(array, "AddAccount", username="tenant")
        call(array, "CreateVolume", name="disk", accountID=1, totalSize=GB)
        door = Endpoint(array, username="admin", password=PASSWORD)
        self.doors.endpoints |= {array.mvip: door, f"{array.mvip}:8443": door}
        return array

    def ranged(self, begun: dict[str, Any], method: str, query: str, body: bytes = b"") -> tuple[int, bytes]:
        """Speak to the place that the answer of a job names, with its key."""
        host = begun["url"].split("/")[2]
        status, _, answer = self.doors.exchange(host, method, f"/{begun['key']}?{query}", {"host": host}, body)
        return status, answer


@pytest.fixture
def pool() -> Pool:
    return Pool()


def fill(array: Array, seed: int = 1, number: int = 1) -> None:
    """Write here and there, at the very end as well, as a file system would."""
    dice, disk = random.Random(seed), array.volumes[number].disk
    for _ in range(30):
        disk.write(dice.randrange(disk.size_bytes - 40_000), dice.randbytes(dice.randrange(1, 40_000)))
    disk.write(disk.size_bytes - 5, b"the e")


def digest(array: Array, number: int = 1) -> str:
    image = array.image_of_volume(number)
    found = image.digest()
    image.release()
    return found


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(ElementError) as refused:
        act()
    return refused.value.name


def remembered(array: Array) -> list[Any]:
    return [
        array.inventory(),
        array.bulk.remembered(),
        array._last_numbers.copy(),
        array.dice.getstate(),
        digest(array),
    ]


def finished(pool: Pool, array: Array, handle: int) -> dict[str, Any]:
    pool.clock.advance(JOB_S)
    return call(array, "GetAsyncResult", asyncHandle=handle)


def test_a_read_without_a_snapshot_takes_one_for_as_long_as_it_lasts(pool: Pool) -> None:
    begun = call(pool.one, "StartBulkVolumeRead", volumeID=1, format="native", snapshotID=0)
    assert begun["url"] == "https://192.0.2.1:8443/"
    assert len(bytes.fromhex(begun["key"])) == 16
    assert len(call(pool.one, "ListSnapshots")["snapshots"]) == 1
    assert refusal(lambda: call(pool.one, "DeleteSnapshot", snapshotID=1)) == "xNotReadyForIO"
    answer = call(pool.one, "UpdateBulkVolumeStatus", key=begun["key"], status="complete", attributes={"a": 1})
    assert answer == {"status": "done", "url": begun["url"], "attributes": {"a": 1}}
    assert call(pool.one, "ListSnapshots") == {"snapshots": []}
    call(pool.one, "CreateSnapshot", volumeID=1)
    begun = call(pool.one, "StartBulkVolumeRead", volumeID=1, format="native", snapshotID=2)
    (job,) = call(pool.one, "ListBulkVolumeJobs")["bulkVolumeJobs"]
    assert (job["snapshotID"], job["bulkVolumeID"], job["srcVolumeID"]) == (2, 2, 1)
    call(pool.one, "UpdateBulkVolumeStatus", key=begun["key"], status="complete")
    assert len(call(pool.one, "ListSnapshots")["snapshots"]) == 1


def test_a_temporary_snapshot_counts_against_the_32(pool: Pool) -> None:
    for _ in range(32):
        call(pool.one, "CreateSnapshot", volumeID=1)
    before = remembered(pool.one)
    assert refusal(lambda: call(pool.one, "StartBulkVolumeRead", volumeID=1, format="native")) == (
        "xMaxSnapshotsPerVolumeExceeded"
    )
    assert remembered(pool.one) == before
    call(pool.one, "StartBulkVolumeRead", volumeID=1, format="native", snapshotID=5)


def test_two_jobs_a_volume_and_eight_a_node(pool: Pool) -> None:
    for name in "bcde":
        call(pool.one, "CreateVolume", name=name, accountID=1, totalSize=GB)
    for number in (1, 2, 3, 4):
        call(pool.one, "StartBulkVolumeRead", volumeID=number, format="native")
        call(pool.one, "StartBulkVolumeWrite", volumeID=number, format="native")
        for number_or_other in (number, 5) if number == 4 else (number,):
            before = remembered(pool.one)
            assert refusal(
                lambda: call(pool.one, "StartBulkVolumeWrite", volumeID=number_or_other, format="native")  # noqa: B023  called at once
            ) == ("xExceededLimit")
            assert remembered(pool.one) == before
    call(pool.one, "DeleteVolume", volumeID=1)
    assert len(call(pool.one, "ListBulkVolumeJobs")["bulkVolumeJobs"]) == 6
    assert call(pool.one, "GetAsyncResult", asyncHandle=1)["error"] == {
        "name": "xBulkVolumeScriptFailure", "message": "Bulk volume job failed", "volumeID": 1, "bvID": 1,
    }  # fmt: skip
    call(pool.one, "StartBulkVolumeWrite", volumeID=5, format="native")


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"volumeID": 9}, "xVolumeIDDoesNotExist"),
        ({"format": "zip"}, "xUnrecognizedEnumString"),
        ({"snapshotID": 9}, "xSnapshotIDDoesNotExist"),
        ({"script": "own.py"}, "xInvalidParameter"),
        ({"script": "bv_internal.py", "scriptParameters": {"range": {"lba": 0, "blocks": 10**9}}}, "xInvalidParameter"),
        ({"scriptParameters": {"range": 5}}, "xInvalidParameter"),
        ({"scriptParameters": {"range": {"lba": "0"}}}, "xInvalidParameter"),
        ({"attributes": {"a": "x" * 1000}}, "xInvalidParameter"),
    ],
)
def test_a_job_that_is_refused_leaves_nothing(pool: Pool, params: dict[str, Any], error: str) -> None:
    before = remembered(pool.one)
    asked = {"volumeID": 1, "format": "native", **params}
    assert refusal(lambda: call(pool.one, "StartBulkVolumeRead", **asked)) == error
    assert remembered(pool.one) == before


def test_a_key_dies_thirty_seconds_after_the_end(pool: Pool) -> None:
    key = call(pool.one, "StartBulkVolumeWrite", volumeID=1, format="native")["key"]
    assert call(pool.one, "UpdateBulkVolumeStatus", key=key, status="running")["status"] == "active"
    assert refusal(lambda: call(pool.one, "UpdateBulkVolumeStatus", key=key, status="done")) == (
        "xUnrecognizedEnumString"
    )
    assert call(pool.one, "UpdateBulkVolumeStatus", key=key, status="failed")["status"] == "failed"
    pool.clock.advance(29)
    assert call(pool.one, "UpdateBulkVolumeStatus", key=key, status="complete")["status"] == "failed"
    pool.clock.advance(1)
    for dead in (key, "0" * 32, "x"):
        assert refusal(lambda: call(pool.one, "UpdateBulkVolumeStatus", key=dead, status="complete")) == (  # noqa: B023  called at once
            "xBulkVolumeIDDoesNotExist"
        )


def test_results_of_clones_and_bulk_jobs_share_their_handles(pool: Pool) -> None:
    call(pool.one, "CloneVolume", volumeID=1, name="c")
    begun = call(pool.one, "StartBulkVolumeRead", volumeID=1, format="native")
    running = call(pool.one, "GetAsyncResult", asyncHandle=begun["asyncHandle"], keepResult=True)
    assert (running["status"], running["resultType"]) == ("running", "BulkVolume")
    assert running["details"] == {"volumeID": 1, "message": "", "bvID": 1}
    pool.clock.advance(1)
    call(pool.one, "UpdateBulkVolumeStatus", key=begun["key"], status="complete")
    lines = call(pool.one, "ListAsyncResults")["asyncHandles"]
    assert [(line["asyncResultID"], line["resultType"], line["success"]) for line in lines] == [
        (1, "Clone", True), (2, "BulkVolume", True),
    ]  # fmt: skip
    assert len(call(pool.one, "ListAsyncResults", asyncResultTypes=["BulkVolume"])["asyncHandles"]) == 1
    for _ in range(2):
        complete = call(pool.one, "GetAsyncResult", asyncHandle=2, keepResult=True)
        assert complete["result"] == {"volumeID": 1, "message": "Bulk volume job succeeded", "bvID": 1}
    call(pool.one, "GetAsyncResult", asyncHandle=2)
    assert refusal(lambda: call(pool.one, "GetAsyncResult", asyncHandle=2)) == "xDBNoSuchPath"


def test_whoever_has_the_key_reads_and_writes_ranges(pool: Pool) -> None:
    fill(pool.one)
    reading = call(pool.one, "StartBulkVolumeRead", volumeID=1, format="uncompressed")
    writing = call(pool.one, "StartBulkVolumeWrite", volumeID=1, format="uncompressed")
    frozen = pool.one.volumes[1].disk.read(0, 2 * BLOCK)
    assert pool.ranged(writing, "PUT", "lba=1&blocks=1", b"w" * BLOCK)[0] == 200
    assert pool.one.volumes[1].disk.read(BLOCK, BLOCK) == b"w" * BLOCK
    assert pool.ranged(reading, "GET", "lba=0&blocks=2") == (200, frozen)
    assert pool.ranged(writing, "DELETE", "lba=0&blocks=3000")[0] == 200
    assert pool.one.volumes[1].disk.read(0, 3000 * BLOCK) == bytes(3000 * BLOCK)
    jobs = {job["type"]: job for job in call(pool.one, "ListBulkVolumeJobs")["bulkVolumeJobs"]}
    assert (jobs["write"]["status"], jobs["write"]["attributes"]["nextLba"]) == ("running", 3000)


@pytest.mark.parametrize(
    ("method", "query", "body", "status"),
    [
        ("GET", "lba=0&blocks=1", b"", 405),
        ("POST", "lba=0&blocks=1", b"", 405),
        ("PUT", "", bytes(BLOCK), 416),
        ("PUT", "lba=-1&blocks=1", bytes(BLOCK), 416),
        ("PUT", "lba=0&blocks=0", b"", 416),
        ("PUT", "lba=0&blocks=201", bytes(201 * BLOCK), 416),
        ("PUT", "lba=244223&blocks=2", bytes(2 * BLOCK), 416),
        ("PUT", "lba=0&blocks=" + "9" * 5000, b"", 416),
        ("PUT", "lba=0&blocks=1", bytes(BLOCK - 1), 400),
        ("PUT", "lba=0&blocks=1", bytes(BLOCK + 1), 400),
        ("PUT", "lba=²&blocks=1", bytes(BLOCK), 416),
    ],
)
def test_a_range_that_is_refused_changes_nothing(pool: Pool, method: str, query: str, body: bytes, status: int) -> None:
    fill(pool.one)
    writing = call(pool.one, "StartBulkVolumeWrite", volumeID=1, format="uncompressed")
    before = remembered(pool.one)
    assert pool.ranged(writing, method, query, body)[0] == status
    assert remembered(pool.one) == before


def test_a_range_that_the_volume_has_no_more_is_refused(pool: Pool) -> None:
    call(pool.one, "CreateSnapshot", volumeID=1)
    call(pool.one, "ModifyVolume", volumeID=1, totalSize=2 * GB)
    writing = call(pool.one, "StartBulkVolumeWrite", volumeID=1, format="uncompressed")
    call(pool.one, "RollbackToSnapshot", volumeID=1, snapshotID=1)
    assert pool.ranged(writing, "PUT", "lba=300000&blocks=1", bytes(BLOCK))[0] == 416
    assert pool.ranged(writing, "DELETE", "lba=0&blocks=300000")[0] == 416
    assert pool.ranged(writing, "PUT", "lba=0&blocks=1", bytes(BLOCK))[0] == 200


def test_a_dead_key_opens_nothing(pool: Pool) -> None:
    writing = call(pool.one, "StartBulkVolumeWrite", volumeID=1, format="uncompressed")
    call(pool.one, "UpdateBulkVolumeStatus", key=writing["key"], status="complete")
    assert pool.ranged(writing, "PUT", "lba=0&blocks=1", bytes(BLOCK))[0] == 404
    assert pool.ranged({**writing, "key": "0" * 32}, "PUT", "lba=0&blocks=1", bytes(BLOCK))[0] == 404


def test_a_packed_range_that_unpacks_to_too_much_is_refused(pool: Pool) -> None:
    import zlib

    writing = call(pool.one, "StartBulkVolumeWrite", volumeID=1, format="native")
    for bad in (zlib.compress(bytes(10_000_000)), b"junk", b""):
        assert pool.ranged(writing, "PUT", "lba=0&blocks=1", bad)[0] == 400
    assert pool.ranged(writing, "PUT", "lba=0&blocks=1", zlib.compress(b"z" * BLOCK))[0] == 200


def to_cluster(begun: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The scriptParameters that Ansible's backup module sends."""
    return {
        "mvip": "192.0.2.2", "username": "admin", "password": PASSWORD, "key": begun["key"], "endpoint": "solidfire",
        "format": "native", **changed,
    }  # fmt: skip


@pytest.mark.parametrize("form", ["native", "uncompressed"])
def test_a_volume_is_copied_to_another_cluster_by_the_key_of_its_job(pool: Pool, form: str) -> None:
    fill(pool.one, seed=1)
    fill(pool.other, seed=2)
    there = call(pool.other, "StartBulkVolumeWrite", volumeID=1, format=form)
    here = call(
        pool.one, "StartBulkVolumeRead", volumeID=1, format=form, script="bv_internal.py",
        scriptParameters={"write": to_cluster(there, format=form), "range": {"lba": 0, "blocks": 244224}},
    )  # fmt: skip
    before = digest(pool.one)
    pool.one.volumes[1].disk.write(0, b"too late for the copy")
    pool.clock.advance(JOB_S / 2)
    assert call(pool.one, "GetAsyncResult", asyncHandle=here["asyncHandle"])["status"] == "running"
    (row,) = call(pool.one, "ListBulkVolumeJobs")["bulkVolumeJobs"]
    assert (row["status"], row["elapsedTime"]) == ("running", 50)
    assert 40 <= row["percentComplete"] <= 60
    assert finished(pool, pool.one, here["asyncHandle"])["result"]["message"] == "Bulk volume job succeeded"
    assert call(pool.other, "GetAsyncResult", asyncHandle=there["asyncHandle"])["result"]["bvID"] == 1
    assert digest(pool.other) == before
    assert call(pool.one, "ListSnapshots") == {"snapshots": []}
    assert call(pool.one, "ListBulkVolumeJobs") == {"bulkVolumeJobs": []}


def test_a_volume_may_fetch_what_another_cluster_reads_for_it(pool: Pool) -> None:
    fill(pool.other)
    there = call(pool.other, "StartBulkVolumeRead", volumeID=1, format="native")
    here = call(
        pool.one, "StartBulkVolumeWrite", volumeID=1, format="native", script="bv_internal.py",
        scriptParameters={"read": to_cluster(there)},
    )  # fmt: skip
    assert "result" in finished(pool, pool.one, here["asyncHandle"])
    assert digest(pool.one) == digest(pool.other)


def test_a_cluster_may_copy_to_itself(pool: Pool) -> None:
    fill(pool.one)
    call(pool.one, "CreateVolume", name="copy", accountID=1, totalSize=GB)
    there = call(pool.one, "StartBulkVolumeWrite", volumeID=2, format="native")
    here = call(
        pool.one, "StartBulkVolumeRead", volumeID=1, format="native", script="bv_internal.py",
        scriptParameters={"write": to_cluster(there, mvip="192.0.2.1")},
    )  # fmt: skip
    assert "result" in finished(pool, pool.one, here["asyncHandle"])
    assert digest(pool.one, 2) == digest(pool.one, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"key": "0" * 32}, {"password": "wrong"}, {"mvip": "192.0.2.9"}, {"mvip": None}, {"format": "uncompressed"},
        {"endpoint": "swift"}, {"endpoint": ["s3"]},
    ],
    ids=str,
)  # fmt: skip
def test_a_script_that_fails_says_so_inside_a_complete_result(pool: Pool, changed: dict[str, Any]) -> None:
    there = call(pool.other, "StartBulkVolumeWrite", volumeID=1, format="native")
    here = call(
        pool.one, "StartBulkVolumeRead", volumeID=1, format="native", script="bv_internal.py",
        scriptParameters={"write": to_cluster(there, **changed)},
    )  # fmt: skip
    found = finished(pool, pool.one, here["asyncHandle"])
    assert (found["status"], "result" in found) == ("complete", False)
    assert found["error"]["name"] == "xBulkVolumeScriptFailure"
    assert call(pool.one, "ListSnapshots") == {"snapshots": []}
    journal = msgspec.json.encode([entry.line() for entry in pool.journal])
    assert PASSWORD.encode() not in journal
    assert b"wrong" not in journal
    assert there["key"].encode() not in journal


def test_the_other_cluster_hears_of_a_script_that_fails_half_way(pool: Pool) -> None:
    fill(pool.one)
    call(pool.one, "ModifyVolume", volumeID=1, totalSize=2 * GB)
    there = call(pool.other, "StartBulkVolumeWrite", volumeID=1, format="native")
    here = call(
        pool.one, "StartBulkVolumeRead", volumeID=1, format="native", script="bv_internal.py",
        scriptParameters={"write": to_cluster(there)},
    )  # fmt: skip
    assert finished(pool, pool.one, here["asyncHandle"])["error"]["name"] == "xBulkVolumeScriptFailure"
    assert call(pool.other, "GetAsyncResult", asyncHandle=1)["error"]["name"] == "xBulkVolumeScriptFailure"


def test_a_job_by_polls_takes_as_many_questions() -> None:
    pool = Pool(Transition(polls=2))
    there = call(pool.other, "StartBulkVolumeWrite", volumeID=1, format="native")
    here = call(
        pool.one, "StartBulkVolumeRead", volumeID=1, format="native", script="bv_internal.py",
        scriptParameters={"write": to_cluster(there)},
    )  # fmt: skip
    said = [call(pool.one, "GetAsyncResult", asyncHandle=here["asyncHandle"])["status"] for _ in range(3)]
    assert said == ["running", "running", "complete"]


def test_a_job_without_a_script_shows_what_it_was_told(pool: Pool) -> None:
    key = call(pool.one, "StartBulkVolumeRead", volumeID=1, format="native", attributes={"who": "us"})["key"]
    pool.clock.advance(30)
    call(pool.one, "UpdateBulkVolumeStatus", key=key, status="running", percentComplete="60", message="on its way")
    (row,) = call(pool.one, "ListBulkVolumeJobs")["bulkVolumeJobs"]
    assert row | {"key": "", "attributes": {}} == {
        "bulkVolumeID": 1, "createTime": "2026-01-01T00:00:00Z", "elapsedTime": 30, "format": "native", "key": "",
        "percentComplete": 60, "remainingTime": 20, "script": "", "snapshotID": None, "srcVolumeID": 1,
        "status": "running", "type": "read", "attributes": {},
    }  # fmt: skip
    assert row["attributes"] == {
        "who": "us", "startLba": 0, "nLbas": 244224, "blocksPerTransfer": 1024, "nextLba": 0, "firstPendingLba": 0,
        "pendingLbas": "[]", "percentComplete": 60,
    }  # fmt: skip
    call(pool.one, "UpdateBulkVolumeStatus", key=key, status="running", percentComplete="100")
    assert call(pool.one, "ListBulkVolumeJobs")["bulkVolumeJobs"][0]["percentComplete"] == 99
    assert call(pool.one, "GetAsyncResult", asyncHandle=1)["details"]["message"] == "on its way"
