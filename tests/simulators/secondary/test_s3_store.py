"""The S3 store as an unmodified boto3 client meets it, in process and over TCP with TLS: the same tests for both."""

import gc
import hashlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.certificates import certificate
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import CrashedError, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.in_process import in_process_client
from snapproof.simulators.secondary.s3 import S3Store
from snapproof.simulators.serving import serve

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "backups"
PART = 5 * 2**20


class Rig:
    """One store with everything it was built from."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.journal = Journal(self.clock.time)
        self.seam = Seam(self.journal)
        self.store = S3Store(
            journal=self.journal,
            clock=self.clock,
            bucket=BUCKET,
            access_key="AKIDKEY",
            secret_key="s3cr3t",
            seam=self.seam,
        )

    def events(self) -> list[str]:
        return [entry.event for entry in self.journal if entry.side == "s3"]


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.store.close()


def networked(url: str, **more: Any) -> "S3Client":
    options = {
        "aws_access_key_id": "AKIDKEY",
        "aws_secret_access_key": "s3cr3t",
        "config": Config(retries={"total_max_attempts": 1}),
        **more,
    }
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", **options)


@pytest.fixture(params=["in process", "http", "https"])
def client(request: pytest.FixtureRequest, rig: Rig, tmp_path: Path) -> Iterator["S3Client"]:
    if request.param == "in process":
        yield in_process_client(rig.store)
        return
    issued = certificate() if request.param == "https" else None
    authority = tmp_path / "authority.pem"
    authority.write_bytes(issued.authority_pem if issued else b"")
    with serve(rig.store, blocking=True, tls=issued.context if issued else None) as server:
        networked_client = networked(server.url, verify=str(authority) if issued else None)
        yield networked_client
        networked_client.close()


def code_of(call: Callable[..., object], **arguments: object) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_objects_come_back_as_they_were_put(rig: Rig, client: "S3Client") -> None:
    for key in ("plain", "a b/c+d", "ü/%25/x", "a//b", "~(x)'!*", "folder/", "a?b=c&d"):
        content = key.encode() * 100
        etag = client.put_object(Bucket=BUCKET, Key=key, Body=content)["ETag"]
        assert etag == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == content == rig.store.read(key)
        assert client.head_object(Bucket=BUCKET, Key=key)["ContentLength"] == len(content)
    listed = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert {f"{BUCKET}/{entry['Key']} {entry['Size']} bytes" for entry in listed} == set(rig.store.inventory())


def test_time_is_the_clock_of_the_world(rig: Rig, client: "S3Client") -> None:
    rig.clock.advance(3600)
    client.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert client.head_object(Bucket=BUCKET, Key="k")["LastModified"].timestamp() == rig.clock.time()
    rig.clock.advance(60)
    client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "k"})
    listed = client.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert {entry["Key"]: entry["LastModified"].timestamp() for entry in listed} == {
        "copy": rig.clock.time(),
        "k": rig.clock.time() - 60,
    }


def test_a_multipart_upload_is_open_until_completed_or_aborted(rig: Rig, client: "S3Client") -> None:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    assert rig.store.inventory() == (f"{BUCKET}/big upload open",)
    bodies = [b"a" * PART, b"b" * 10]
    sent = [
        client.upload_part(Bucket=BUCKET, Key="big", UploadId=upload, PartNumber=number, Body=body)
        for number, body in enumerate(bodies, 1)
    ]
    parts = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in enumerate(sent, 1)]
    finish = {"Bucket": BUCKET, "Key": "big", "UploadId": upload, "MultipartUpload": {"Parts": parts}}
    client.complete_multipart_upload(**finish)  # type: ignore[arg-type]  # the stubs want their own dict types
    client.complete_multipart_upload(**finish)  # type: ignore[arg-type]  # a second time, as after a lost answer
    assert rig.store.read("big") == b"".join(bodies)
    aborted = client.create_multipart_upload(Bucket=BUCKET, Key="other")["UploadId"]
    client.upload_part(Bucket=BUCKET, Key="other", UploadId=aborted, PartNumber=1, Body=b"x")
    client.abort_multipart_upload(Bucket=BUCKET, Key="other", UploadId=aborted)
    assert rig.store.inventory() == (f"{BUCKET}/big {PART + 10} bytes",)
    assert rig.events() == [
        "bucket created", "upload opened", "object created", "upload completed", "upload opened", "upload aborted",
    ]  # fmt: skip
    gone = {"Bucket": BUCKET, "Key": "other", "UploadId": aborted}
    assert code_of(client.upload_part, **gone, PartNumber=1, Body=b"x") == "NoSuchUpload"
    assert code_of(client.abort_multipart_upload, **gone) == "NoSuchUpload"
    assert code_of(client.complete_multipart_upload, **gone, MultipartUpload={"Parts": parts}) == "NoSuchUpload"


def test_boto3_moves_files_of_many_parts(rig: Rig, client: "S3Client", tmp_path: Path) -> None:
    content = bytes(range(256)) * (9 * 2**20 // 256)
    (tmp_path / "up").write_bytes(content)
    client.upload_file(str(tmp_path / "up"), BUCKET, "file")
    client.download_file(BUCKET, "file", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == content
    ranged = client.get_object(Bucket=BUCKET, Key="file", Range="bytes=100-299")["Body"].read()
    assert ranged == content[100:300]
    assert rig.store.inventory() == (f"{BUCKET}/file {len(content)} bytes",)


def test_every_checksum_that_boto3_sends_is_verified(rig: Rig, client: "S3Client") -> None:
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        client.put_object(Bucket=BUCKET, Key=algorithm, Body=b"body", ChecksumAlgorithm=algorithm)
        answer = client.get_object(Bucket=BUCKET, Key=algorithm, ChecksumMode="ENABLED")
        assert answer["Body"].read() == b"body"
        assert answer[f"Checksum{algorithm}"]  # type: ignore[literal-required]  # boto3 verified it while reading
    before = rig.store.inventory()
    wrong = {
        "ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg==",
        "ChecksumCRC32": "AAAAAA==",
        "ChecksumSHA1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    }
    for name, digest in wrong.items():
        assert code_of(client.put_object, Bucket=BUCKET, Key="bad", Body=b"body", **{name: digest}) == "BadDigest"
    assert code_of(client.put_object, Bucket=BUCKET, Key="bad", Body=b"body", ChecksumCRC32="AAA=") == "InvalidDigest"
    assert rig.store.inventory() == before


def test_strangers_and_forgers_are_refused(rig: Rig) -> None:
    with serve(rig.store, blocking=True) as server:
        for more, code in (
            ({"aws_access_key_id": "AKIDOTHER"}, "InvalidAccessKeyId"),
            ({"aws_secret_access_key": "guess"}, "SignatureDoesNotMatch"),
        ):
            stranger = networked(server.url, **more)
            with pytest.raises(ClientError) as caught:
                stranger.put_object(Bucket=BUCKET, Key="k", Body=b"1")
            assert caught.value.response["Error"]["Code"] == code
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
            assert code_of(stranger.head_bucket, Bucket=BUCKET) == "403"
            stranger.close()
        assert requests.get(f"{server.url}/{BUCKET}/k", timeout=10).status_code == 403
    assert (rig.store.inventory(), rig.seam.labels()) == ((), ())


def test_a_signed_body_cannot_be_exchanged(rig: Rig) -> None:
    def tampered(method: str, target: str, headers: Any, body: bytes) -> Any:
        return rig.store(method, target, headers, body.replace(b"real", b"fake"))

    with serve(tampered, blocking=True) as server:
        victim = networked(server.url)
        assert code_of(victim.put_object, Bucket=BUCKET, Key="k", Body=b"real") == "XAmzContentSHA256Mismatch"
        victim.close()
    assert rig.store.inventory() == ()


def test_a_presigned_url_opens_one_object_and_no_other(rig: Rig) -> None:
    rig.store.put("mine", b"content")
    rig.store.put("other", b"secret")
    with serve(rig.store, blocking=True) as server:
        signer = networked(server.url, config=Config(signature_version="s3v4"))
        url = signer.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "mine"})
        put = signer.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "new"})
        signer.close()
        assert requests.get(url, timeout=10).content == b"content"
        assert requests.get(url.replace("/mine", "/other"), timeout=10).status_code == 403
        assert requests.put(put, data=b"pushed", timeout=10).status_code == 200
    assert rig.store.read("new") == b"pushed"


@pytest.mark.parametrize(
    ("fault", "code", "happened"),
    [
        ("refused", "SlowDown", False),
        ("refused:InternalError", "InternalError", False),
        ("error_after:ServiceUnavailable", "ServiceUnavailable", True),
    ],
)
def test_a_fault_answers_in_the_dialect_of_s3(
    rig: Rig, client: "S3Client", *, fault: str, code: str, happened: bool
) -> None:
    rig.seam.arm_next("s3.PutObject", fault_named(fault))
    assert code_of(client.put_object, Bucket=BUCKET, Key="k", Body=b"1") == code
    assert rig.seam.unspent() == ()
    assert bool(rig.store.inventory()) is happened
    client.put_object(Bucket=BUCKET, Key="k", Body=b"1")


@pytest.mark.parametrize(("fault", "happened"), [("lost_before", False), ("lost_after", True)])
def test_a_lost_answer_is_a_closed_connection(rig: Rig, client: "S3Client", *, fault: str, happened: bool) -> None:
    rig.seam.arm_next("s3.PutObject", fault_named(fault))
    with pytest.raises((ConnectionClosedError, ConnectionResetError)):
        client.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert bool(rig.store.inventory()) is happened


def test_a_crash_passes_through_the_client_in_process(rig: Rig) -> None:
    rig.seam.arm_next("s3.PutObject", fault_named("crash_after"))
    with pytest.raises(CrashedError):
        in_process_client(rig.store).put_object(Bucket=BUCKET, Key="k", Body=b"1")
    assert rig.store.read("k") == b"1"


def test_completion_can_fail_inside_a_200(rig: Rig, client: "S3Client") -> None:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"]
    etag = client.upload_part(Bucket=BUCKET, Key="big", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
    rig.seam.arm_next("s3.CompleteMultipartUpload", fault_named("refused:InternalError-in-200"))
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    finish = {"Bucket": BUCKET, "Key": "big", "UploadId": upload, "MultipartUpload": parts}
    assert code_of(client.complete_multipart_upload, **finish) == "InternalError"
    assert rig.store.inventory() == (f"{BUCKET}/big upload open",)


def test_a_fault_by_a_name_that_s3_does_not_have_is_a_mistake_of_the_test(rig: Rig) -> None:
    rig.seam.arm_next("s3.PutObject", fault_named("refused:SlowDwon"))
    with pytest.raises(ValueError, match="This S3 store has no error 'SlowDwon'; the nearest are SlowDown"):
        in_process_client(rig.store).put_object(Bucket=BUCKET, Key="k", Body=b"1")


def test_stores_with_the_same_names_do_not_see_one_another() -> None:
    one, two = Rig(), Rig()
    with one.store, two.store:
        in_process_client(one.store).put_object(Bucket=BUCKET, Key="k", Body=b"1")
        in_process_client(one.store).create_bucket(Bucket="only-in-one")
        assert two.store.inventory() == ()
        assert code_of(in_process_client(two.store).head_bucket, Bucket="only-in-one") == "404"
        assert code_of(in_process_client(two.store).get_object, Bucket=BUCKET, Key="k") == "NoSuchKey"
        in_process_client(two.store).create_bucket(Bucket="only-in-one")
    assert one.events() == ["bucket created", "object created", "bucket created"]
    assert two.events() == ["bucket created", "bucket created"]


def test_the_same_calls_write_the_same_journal() -> None:
    digests, uploads = set(), set()
    for _ in range(2):
        rig = Rig()
        with rig.store:
            calls = in_process_client(rig.store)
            calls.put_object(Bucket=BUCKET, Key="k", Body=b"1")
            uploads.add(calls.create_multipart_upload(Bucket=BUCKET, Key="big")["UploadId"])
            calls.delete_object(Bucket=BUCKET, Key="k")
            digests.add(rig.journal.digest())
    assert (len(digests), len(uploads)) == (1, 1)


def test_a_closed_store_leaves_nothing_in_moto() -> None:
    from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, s3_backends

    accounts = set(s3_backends)
    rig = Rig()
    calls = in_process_client(rig.store)
    for _ in range(3):
        calls.put_object(Bucket=BUCKET, Key="k", Body=b"1")
    calls.delete_object(Bucket=BUCKET, Key="k")
    calls.create_multipart_upload(Bucket=BUCKET, Key="big")
    tracked: list[Any] = [FakeKey, FakeMultipart, FakeBucket]
    rig.store.close()
    rig.store.close()
    assert [len(kind.instances_tracked) for kind in tracked] == [0, 0, 0]
    assert set(s3_backends) == accounts
    del rig, calls
    gc.collect()


UNTOUCHED = """
import sys
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.s3 import S3Store
clock = VirtualClock()
journal = Journal(clock.time)
keys = {"access_key": "AKIDKEY", "secret_key": "s3cr3t"}
with S3Store(journal=journal, clock=clock, bucket="backups", seam=Seam(journal), **keys) as store:
    print(store.inventory(), store.names(), "moto" in sys.modules)
"""


def test_a_store_that_nobody_touches_is_looked_at_without_loading_moto() -> None:
    """It takes longer to load than a case on an export takes to play."""
    told = subprocess.run([sys.executable, "-c", UNTOUCHED], check=True, capture_output=True, text=True).stdout
    assert told.split() == ["()", "()", "False"]


def test_deletes_are_journalled_key_by_key(rig: Rig, client: "S3Client") -> None:
    for key in ("a", "b", "c"):
        client.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    client.put_object(Bucket=BUCKET, Key="c", Body=b"22")
    client.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a"}, {"Key": "nothing"}]})
    client.delete_object(Bucket=BUCKET, Key="b")
    client.delete_object(Bucket=BUCKET, Key="b")
    deleted = [entry.facts["key"] for entry in rig.journal if entry.event == "object deleted"]
    replaced = [entry.facts["key"] for entry in rig.journal if entry.facts.get("replaced")]
    assert (deleted, replaced) == (["a", "b"], ["c"])
    assert rig.store.inventory() == (f"{BUCKET}/c 2 bytes",)


def test_clients_may_come_all_at_once(rig: Rig) -> None:
    def store_many(url: str, worker: int) -> None:
        mine = networked(url)
        for number in range(10):
            mine.put_object(Bucket=BUCKET, Key=f"{worker}/{number}", Body=b"x" * number)
        mine.close()

    with serve(rig.store, blocking=True) as server:
        threads = [threading.Thread(target=store_many, args=(server.url, worker)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(rig.store.inventory()) == 40
    assert rig.events().count("object created") == 40


hostile_headers = st.dictionaries(
    st.sampled_from(["authorization", "x-amz-content-sha256", "content-md5", "x-amz-date", "content-encoding"]),
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=60),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS"]),
    st.text("abk/?&=%2.~+", max_size=30),
    hostile_headers,
    st.binary(max_size=100),
)
def test_nothing_unsigned_changes_the_store(
    rig: Rig, method: str, target: str, headers: dict[str, str], body: bytes
) -> None:
    status, _, _ = rig.store(method, f"/{BUCKET}/{target}", {"host": "127.0.0.1", **headers}, body)
    assert 400 <= status < 500
    assert rig.store.inventory() == ()
