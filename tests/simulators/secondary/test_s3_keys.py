"""Keys of objects: any text is a plain name; nothing in it is a path, a pattern or a command. Too long is refused."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.in_process import in_process_client
from snapproof.simulators.secondary.s3 import S3Store
from snapproof.simulators.serving import serve

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET = "backups"
BYTES_MAX = 1024
ATTACKS = (
    "../../etc/passwd", "/etc/passwd", "//double//slash", "a/../b", "./a", "a/.", "..", ".", "*", "*.vhd", "a?[b]c",
    "{a,b}", "$(id)", "`id`", "; rm -rf /", "|cat", "a\\..\\b", "%2e%2e%2f", "%00", "a\x01b", "tab\there", "new\nline",
    "?uploads", "k?versionId=1", "#fragment", "a&b=c", "a=b", "+plus +", "ü", "💾/漢字", "\u202egnp.exe",
    "a" * BYTES_MAX, "ü" * (BYTES_MAX // 2), " leading and trailing ", "~user", "-rf", "'\"", "<Key>x</Key>", "&amp;",
    "]]>", "snapshots/blue/v/s.vhd/../../../other/w/t.vhd",
)  # fmt: skip
UNTOLD = {*map(chr, range(32)), "\ufffe", "\uffff"} - {"\t", "\n"}
"""Characters that XML cannot tell, and with it the answer about an upload."""
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=BYTES_MAX // 4)


def store_of() -> S3Store:
    clock = VirtualClock()
    return S3Store(journal=Journal(clock.time), clock=clock, bucket=BUCKET, access_key="AKIDKEY", secret_key="s3cr3t")


@pytest.fixture(params=["in process", "http"])
def client(request: pytest.FixtureRequest, store: S3Store) -> Iterator["S3Client"]:
    if request.param == "in process":
        yield in_process_client(store)
        return
    with (
        serve(store, blocking=True) as server,
        closing(
            boto3.client(
                "s3", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="AKIDKEY",
                aws_secret_access_key="s3cr3t", config=Config(retries={"total_max_attempts": 1}),
            )
        ) as client,
    ):  # fmt: skip
        yield client


@pytest.fixture
def store() -> Iterator[S3Store]:
    with store_of() as store:
        yield store


def test_an_attack_is_a_key_like_any_other(store: S3Store, client: "S3Client") -> None:
    for key in ATTACKS:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    assert store.names() == tuple(sorted(ATTACKS))
    for key in ATTACKS:
        assert client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode() == store.read(key)
    listed = [
        found["Key"]
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        for found in page["Contents"]
    ]
    assert sorted(listed) == sorted(ATTACKS)
    for number, key in enumerate(ATTACKS, 1):
        client.delete_object(Bucket=BUCKET, Key=key)
        assert store.names() == tuple(sorted(ATTACKS[number:])), f"deleting {key!r} took another along"


@given(st.lists(KEYS, min_size=1, max_size=4, unique=True))
@settings(deadline=None, max_examples=25)
def test_whatever_a_key_is_it_names_one_object(keys: list[str]) -> None:
    with store_of() as store:
        client = in_process_client(store)
        for key in keys:
            client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert store.names() == tuple(sorted(keys))
        client.delete_object(Bucket=BUCKET, Key=keys[0])
        assert store.names() == tuple(sorted(keys[1:]))


@given(KEYS)
@settings(deadline=None, max_examples=15)
@example("\x08")
def test_an_upload_is_found_and_aborted_under_its_very_key(key: str) -> None:
    with store_of() as store:
        client = in_process_client(store)
        if UNTOLD.intersection(key):
            with pytest.raises(ClientError, match="InvalidArgument"):
                client.create_multipart_upload(Bucket=BUCKET, Key=key)
            return
        upload = client.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        client.create_multipart_upload(Bucket=BUCKET, Key=f"{key}x")
        listed = client.list_multipart_uploads(Bucket=BUCKET, Prefix=key)["Uploads"]
        assert {found["Key"] for found in listed} == {key, f"{key}x"}
        client.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
        assert store.inventory() == (f"{BUCKET}/{key}x upload open",)


@pytest.mark.parametrize("key", ["a" * (BYTES_MAX + 1), "ü" * (BYTES_MAX // 2 + 1)])
def test_a_key_beyond_the_limit_is_refused(store: S3Store, client: "S3Client", key: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    assert caught.value.response["Error"]["Code"] == "KeyTooLongError"
    with pytest.raises(ClientError):
        client.create_multipart_upload(Bucket=BUCKET, Key=key)
    assert store.inventory() == ()
