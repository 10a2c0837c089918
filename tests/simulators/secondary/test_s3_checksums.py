"""Checksums of S3: of bodies, of parts and of the objects that parts make, as boto3 sends and reads them."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.checksums import DIGESTS, crc32c, crc64nvme, written
from snapproof.simulators.secondary.in_process import in_process_client
from snapproof.simulators.secondary.parts import declared, listed_parts
from snapproof.simulators.secondary.s3 import S3Store
from snapproof.simulators.secondary.s3_errors import S3RefusalError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BUCKET, KEY = "backups", "big"
BODIES = [b"a" * (5 << 20), b"b" * (5 << 20), b"c" * 10]


@pytest.fixture
def store() -> Iterator[S3Store]:
    clock = VirtualClock()
    with S3Store(
        journal=Journal(clock.time), clock=clock, bucket=BUCKET, access_key="AKIDKEY", secret_key="s3cr3t"
    ) as store:
        yield store


@pytest.fixture
def client(store: S3Store) -> "S3Client":
    return in_process_client(store, request_checksum_calculation="when_required")


class Upload:
    """A multipart upload by a client that computes its checksums itself, as one with a faster library does."""

    def __init__(self, client: "S3Client", algorithm: str, **more: Any) -> None:
        self._client = client
        self._field = f"Checksum{algorithm}"
        begun = client.create_multipart_upload(Bucket=BUCKET, Key=KEY, ChecksumAlgorithm=algorithm, **more)  # type: ignore[arg-type]  # any of the stubs' literals
        self.place: Any = {"Bucket": BUCKET, "Key": KEY, "UploadId": begun["UploadId"]}
        self.parts: list[Any] = []

    def send(self, body: bytes, checksum: str | None = None) -> None:
        number = len(self.parts) + 1
        brought: Any = {self._field: checksum} if checksum else {}
        sent = self._client.upload_part(**self.place, PartNumber=number, Body=body, **brought)
        self.parts.append({"PartNumber": number, "ETag": sent["ETag"], **brought})

    def complete(self, **more: Any) -> Any:
        return self._client.complete_multipart_upload(**self.place, MultipartUpload={"Parts": self.parts}, **more)


def code_of(call: Callable[..., object], *given: object, **more: object) -> str:
    with pytest.raises(ClientError) as caught:
        call(*given, **more)
    return str(caught.value.response["Error"]["Code"])


def checksum(algorithm: str, body: bytes) -> str:
    return written(DIGESTS[algorithm](body))


def test_the_crcs_have_the_check_values_of_their_catalogue() -> None:
    assert crc32c(b"123456789") == 0xE306_9283
    assert crc64nvme(b"123456789") == 0xAE8B_1486_0A79_9888
    assert (crc32c(b""), crc64nvme(b"")) == (0, 0)


@given(st.binary(max_size=200))
def test_every_digest_is_the_library_s_where_a_library_has_it(body: bytes) -> None:
    assert DIGESTS["CRC32"](body) == zlib.crc32(body).to_bytes(4, "big")
    assert DIGESTS["SHA1"](body) == hashlib.sha1(body, usedforsecurity=False).digest()
    assert DIGESTS["SHA256"](body) == hashlib.sha256(body).digest()


@given(st.binary(min_size=1, max_size=60), st.integers(0, 8 * 60 - 1))
def test_no_crc_is_blind_to_a_flipped_bit(body: bytes, bit: int) -> None:
    at = bit % (8 * len(body))
    other = bytearray(body)
    other[at // 8] ^= 1 << at % 8
    assert crc32c(body) != crc32c(bytes(other))
    assert crc64nvme(body) != crc64nvme(bytes(other))


@pytest.mark.parametrize("algorithm", ["CRC32C", "CRC64NVME"])
def test_checksums_that_boto3_cannot_compute_are_verified_all_the_same(client: "S3Client", algorithm: str) -> None:
    field: Any = {f"Checksum{algorithm}": checksum(algorithm, b"body")}
    client.put_object(Bucket=BUCKET, Key="k", Body=b"body", **field)
    told: Any = client.head_object(Bucket=BUCKET, Key="k", ChecksumMode="ENABLED")
    assert told[f"Checksum{algorithm}"] == field[f"Checksum{algorithm}"]
    assert code_of(client.put_object, Bucket=BUCKET, Key="bad", Body=b"bady", **field) == "BadDigest"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_the_checksum_of_an_object_of_parts_is_that_of_its_parts(client: "S3Client", algorithm: str) -> None:
    upload = Upload(client, algorithm)
    for body in BODIES:
        upload.send(body, checksum(algorithm, body))
    done = upload.complete()
    digests = b"".join(base64.b64decode(part[f"Checksum{algorithm}"]) for part in upload.parts)
    expected = f"{checksum(algorithm, digests)}-3"
    assert (done[f"Checksum{algorithm}"], done["ChecksumType"]) == (expected, "COMPOSITE")
    for ask in (client.head_object, client.get_object):
        told: Any = ask(Bucket=BUCKET, Key=KEY, ChecksumMode="ENABLED")
        assert (told[f"Checksum{algorithm}"], told["ChecksumType"]) == (expected, "COMPOSITE")
        if "Body" in told:
            assert told["Body"].read() == b"".join(BODIES)
    assert upload.complete()[f"Checksum{algorithm}"] == expected, "a second completion tells the same"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC64NVME"])
def test_the_checksum_of_a_whole_object_does_not_know_of_parts(client: "S3Client", algorithm: str) -> None:
    upload = Upload(client, algorithm, ChecksumType="FULL_OBJECT")
    for body in BODIES[1:]:
        upload.send(body)
    field = f"Checksum{algorithm}"
    whole = checksum(algorithm, b"".join(BODIES[1:]))
    assert code_of(upload.complete, **{field: checksum(algorithm, b"another")}) == "BadDigest"
    done = upload.complete(**{field: whole})
    assert (done[field], done["ChecksumType"]) == (whole, "FULL_OBJECT")


def test_a_completion_must_remember_every_part(store: S3Store, client: "S3Client") -> None:
    upload = Upload(client, "SHA256")
    for body in BODIES[1:]:
        upload.send(body, checksum("SHA256", body))
    remembered = upload.parts[0].pop("ChecksumSHA256")
    assert code_of(upload.complete) == "InvalidRequest"
    upload.parts[0]["ChecksumSHA256"] = checksum("SHA256", b"something else")
    assert code_of(upload.complete) == "InvalidPart"
    assert store.inventory() == (f"{BUCKET}/{KEY} upload open",)
    upload.parts[0]["ChecksumSHA256"] = remembered
    upload.complete()
    assert store.read(KEY) == b"".join(BODIES[1:])


def test_a_part_of_another_algorithm_is_refused(client: "S3Client") -> None:
    upload = Upload(client, "SHA256")
    field: Any = {"ChecksumCRC32": checksum("CRC32", b"x")}
    assert code_of(client.upload_part, **upload.place, PartNumber=1, Body=b"x", **field) == "InvalidRequest"


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("CRC64NVME", "COMPOSITE"), ("SHA256", "FULL_OBJECT"), ("CRC32", "BOTH"), ("MD4", "")]
)
def test_what_s3_cannot_compute_is_refused_when_it_is_declared(algorithm: str, kind: str) -> None:
    headers = {"x-amz-checksum-algorithm": algorithm, **({"x-amz-checksum-type": kind} if kind else {})}
    with pytest.raises(S3RefusalError):
        declared(headers)


def test_boto3_moves_a_file_of_parts_with_checksums_by_itself(store: S3Store, tmp_path: Any) -> None:
    content = b"".join(BODIES)
    (tmp_path / "up").write_bytes(content)
    mover = in_process_client(store)
    mover.upload_file(str(tmp_path / "up"), BUCKET, KEY, ExtraArgs={"ChecksumAlgorithm": "SHA256"})
    mover.download_file(BUCKET, KEY, str(tmp_path / "down"), ExtraArgs={"ChecksumMode": "ENABLED"})
    assert (tmp_path / "down").read_bytes() == content


def test_an_upload_that_was_given_up_stands_in_the_list_until_it_is_aborted(store: S3Store, client: "S3Client") -> None:
    upload = Upload(client, "SHA256")
    upload.send(b"x", checksum("SHA256", b"x"))
    (listed,) = client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert (listed["Key"], listed["UploadId"]) == (KEY, upload.place["UploadId"])
    assert store.inventory() == (f"{BUCKET}/{KEY} upload open",)
    client.abort_multipart_upload(**upload.place)
    assert "Uploads" not in client.list_multipart_uploads(Bucket=BUCKET)
    assert store.inventory() == ()


@given(st.one_of(st.binary(max_size=80), st.text("<>/Part!&;\"'=1", max_size=80).map(str.encode)))
def test_no_list_of_parts_breaks_the_reader(text: bytes) -> None:
    try:
        assert isinstance(listed_parts(text, "CRC32"), tuple)
    except S3RefusalError as error:
        assert error.code == "MalformedXML"  # noqa: PT017  either outcome is fine
