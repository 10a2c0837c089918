"""Damage on the way to an S3 store, in it and on the way back, and the other faults that only S3 has.

What boto3 and the MinIO client, both unmodified, make of them.
"""

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, FlexibleChecksumError, IncompleteReadError, ResponseStreamingError

from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.faults import fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary import s3_errors
from snapproof.simulators.secondary.in_process import in_process_client
from snapproof.simulators.secondary.s3 import S3Store
from snapproof.simulators.serving import serve

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, KEY = "backups", "snapshots/blue/v/s.vhd"
PART = 5 << 20
CONTENT = bytes(range(256)) * 40


class Rig:
    """A store and its seam."""

    def __init__(self) -> None:
        clock = VirtualClock()
        self.journal = Journal(clock.time)
        self.seam = Seam(self.journal, dialects={"s3": s3_errors.DIALECT}, wait=clock.advance)
        self.store = S3Store(
            journal=self.journal, clock=clock, bucket=BUCKET, access_key="AKIDKEY", secret_key="s3cr3t", seam=self.seam
        )

    def arm(self, operation: str, fault: str, *, skip: int = 0) -> None:
        self.seam.arm_next(f"s3.{operation}", fault_named(fault), skip=skip)


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.store.close()


def networked(url: str, **config: Any) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="AKIDKEY",
        aws_secret_access_key="s3cr3t",
        config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
    )


@pytest.fixture(params=["in process", "http"])
def client(request: pytest.FixtureRequest, rig: Rig) -> Iterator["S3Client"]:
    if request.param == "in process":
        yield in_process_client(rig.store)
        return
    with serve(rig.store, blocking=True) as server:
        made = networked(server.url)
        yield made
        made.close()


def code_of(call: Callable[..., object], **arguments: object) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def begun(client: "S3Client", key: str = KEY) -> dict[str, Any]:
    """Begin an upload of two parts and send them; give the arguments that complete it."""
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
    sent = [
        client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        for number, body in enumerate([b"a" * PART, b"b" * 10], 1)
    ]
    parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(sent, 1)]
    return {"Bucket": BUCKET, "Key": key, "UploadId": upload, "MultipartUpload": {"Parts": parts}}


@pytest.mark.parametrize("how", ["cut", "flipped"])
@pytest.mark.parametrize("operation", ["PutObject", "UploadPart"])
def test_a_request_that_is_damaged_on_its_way_is_refused_and_nothing_is_kept(
    rig: Rig, client: "S3Client", operation: str, how: str
) -> None:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=KEY)["UploadId"]
    before = rig.store.inventory()
    more: dict[str, Any] = {"UploadId": upload, "PartNumber": 1} if operation == "UploadPart" else {}
    send = client.upload_part if more else client.put_object
    rig.arm(operation, f"damaged:request-{how}")
    code = code_of(send, Bucket=BUCKET, Key=KEY, Body=CONTENT, **more)
    assert code in {"BadDigest", "XAmzContentSHA256Mismatch"}
    assert rig.store.inventory() == before
    assert "Parts" not in client.list_parts(Bucket=BUCKET, Key=KEY, UploadId=upload)
    assert rig.seam.unspent() == ()
    send(Bucket=BUCKET, Key=KEY, Body=CONTENT, **more)


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_a_request_without_any_digest_is_kept_damaged(rig: Rig, how: str) -> None:
    rig.arm("PutObject", f"damaged:request-{how}")
    with serve(rig.store, blocking=True) as server:
        signer = networked(server.url, signature_version="s3v4")
        url = signer.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": KEY})
        assert requests.put(url, data=CONTENT, timeout=10).status_code == 200
        signer.close()
    kept = rig.store.read(KEY)
    assert kept != CONTENT
    assert len(kept) == (len(CONTENT) // 2 if how == "cut" else len(CONTENT))


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_a_store_that_damages_what_it_keeps_vouches_for_it_until_somebody_computes(
    rig: Rig, client: "S3Client", how: str
) -> None:
    rig.arm("PutObject", f"damaged:stored-{how}")
    put = client.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)
    assert put["ETag"] == f'"{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"'
    assert client.head_object(Bucket=BUCKET, Key=KEY)["ETag"] == put["ETag"]
    assert rig.store.read(KEY) != CONTENT
    with pytest.raises(FlexibleChecksumError):
        client.get_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")["Body"].read()
    assert [entry.event for entry in rig.journal if entry.side == "s3"][-2:] == ["object created", "object damaged"]
    client.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)
    assert rig.store.read(KEY) == CONTENT


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_an_object_of_parts_and_a_copy_can_be_damaged_in_the_store_too(rig: Rig, how: str) -> None:
    client = in_process_client(rig.store)
    rig.arm("CompleteMultipartUpload", f"damaged:stored-{how}")
    client.complete_multipart_upload(**begun(client))
    assert rig.store.read(KEY) != b"a" * PART + b"b" * 10
    rig.store.put("whole", CONTENT)
    rig.arm("CopyObject", f"damaged:stored-{how}")
    client.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "whole"})
    assert rig.store.read("copy") != CONTENT == rig.store.read("whole")


@pytest.mark.parametrize("how", ["cut", "flipped"])
def test_an_answer_that_is_damaged_on_its_way_is_noticed_by_its_checksum_alone(
    rig: Rig, client: "S3Client", how: str
) -> None:
    client.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)
    for _ in range(2):
        rig.arm("GetObject", f"damaged:answer-{how}")
        with pytest.raises(FlexibleChecksumError):
            client.get_object(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")["Body"].read()
    rig.arm("GetObject", f"damaged:answer-{how}")
    half = client.get_object(Bucket=BUCKET, Key=KEY, Range=f"bytes=0-{len(CONTENT) - 2}")["Body"].read()
    assert half != CONTENT[:-1], "a part of an object has no checksum"
    assert client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == CONTENT


def test_an_answer_that_ends_too_early_is_none(rig: Rig) -> None:
    rig.store.put(KEY, CONTENT)
    rig.arm("GetObject", "truncated")
    with serve(rig.store, blocking=True) as server:
        client = networked(server.url)
        with pytest.raises((IncompleteReadError, ResponseStreamingError)):
            client.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
        client.close()


def test_the_third_part_alone_fails_and_the_upload_goes_on(rig: Rig, client: "S3Client") -> None:
    upload = client.create_multipart_upload(Bucket=BUCKET, Key=KEY)["UploadId"]
    rig.arm("UploadPart", "refused:InternalError", skip=2)
    parts: Any = {"Bucket": BUCKET, "Key": KEY, "UploadId": upload}
    etags = [client.upload_part(**parts, PartNumber=number, Body=b"x" * PART)["ETag"] for number in (1, 2)]
    assert code_of(client.upload_part, **parts, PartNumber=3, Body=b"x") == "InternalError"
    etags.append(client.upload_part(**parts, PartNumber=3, Body=b"x")["ETag"])
    listed: list[Any] = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    client.complete_multipart_upload(**parts, MultipartUpload={"Parts": listed})
    assert len(rig.store.read(KEY)) == 2 * PART + 1


@pytest.mark.parametrize(("fault", "code", "status"), [
    ("refused", "SlowDown", 503),
    ("refused:RequestTimeTooSkewed", "RequestTimeTooSkewed", 403),
    ("refused:BadDigest", "BadDigest", 400),
])  # fmt: skip
def test_what_s3_says_by_code_the_client_shows(
    rig: Rig, client: "S3Client", fault: str, code: str, status: int
) -> None:
    rig.arm("PutObject", fault)
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=BUCKET, Key=KEY, Body=b"1")
    told = caught.value.response
    assert (told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


@pytest.mark.parametrize("fault", ["refused:InternalError-in-200", "error_after:InternalError-in-200"])
def test_a_completion_that_fails_inside_a_200_may_have_happened(rig: Rig, client: "S3Client", fault: str) -> None:
    finish = begun(client)
    rig.arm("CompleteMultipartUpload", fault)
    assert code_of(client.complete_multipart_upload, **finish) == "InternalError"
    happened = fault.startswith("error_after")
    assert rig.store.names() == ((KEY,) if happened else ())
    assert client.complete_multipart_upload(**finish)["Key"] == KEY, "asking again is safe either way"


def test_a_copy_can_fail_inside_a_200(rig: Rig, client: "S3Client") -> None:
    rig.store.put("whole", CONTENT)
    rig.arm("CopyObject", "refused:SlowDown-in-200")
    assert code_of(client.copy_object, Bucket=BUCKET, Key="c", CopySource=f"{BUCKET}/whole") == "SlowDown"
    assert rig.store.names() == ("whole",)


def test_boto3_by_itself_gets_over_what_passes(rig: Rig) -> None:
    client = in_process_client(rig.store, retries={"total_max_attempts": 3, "mode": "standard"})
    for fault in ("refused", "http500_before", "lost_after"):
        rig.arm("PutObject", fault)
        client.put_object(Bucket=BUCKET, Key=KEY, Body=CONTENT)
        assert rig.store.read(KEY) == CONTENT
        assert rig.seam.unspent() == ()


@pytest.mark.real
def test_the_minio_client_meets_the_same(rig: Rig) -> None:
    minio = pytest.importorskip("minio", reason="the MinIO client is not installed here")
    urllib3 = pytest.importorskip("urllib3")
    with serve(rig.store, blocking=True) as server, urllib3.PoolManager(retries=False) as sockets:
        client = minio.Minio(
            f"{server.host}:{server.port}",
            access_key="AKIDKEY",
            secret_key="s3cr3t",
            secure=False,
            region="us-east-1",
            http_client=sockets,
        )
        content = CONTENT * 1200
        client.put_object(BUCKET, KEY, io.BytesIO(content), len(content), part_size=PART)
        with client.get_object(BUCKET, KEY) as found:
            assert found.read() == content
        for fault, code in (
            ("refused", "SlowDown"),
            ("refused:RequestTimeTooSkewed", "RequestTimeTooSkewed"),
            ("damaged:request-flipped", "BadDigest|XAmzContentSHA256Mismatch"),
        ):
            rig.arm("UploadPart", fault, skip=1)
            with pytest.raises(minio.error.S3Error, match=code):
                client.put_object(BUCKET, "other", io.BytesIO(content), len(content), part_size=PART)
            assert rig.seam.unspent() == ()
        assert [line for line in rig.store.inventory() if "other" in line] == [], "it aborts what it gives up"
        stranger = minio.Minio(
            f"{server.host}:{server.port}", access_key="AKIDKEY", secret_key="guess", secure=False,
            region="us-east-1", http_client=sockets,
        )  # fmt: skip
        with pytest.raises(minio.error.S3Error, match="SignatureDoesNotMatch"):
            list(stranger.list_objects(BUCKET))
