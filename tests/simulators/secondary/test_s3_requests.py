"""What the S3 store checks before moto sees a request: signatures and digests, against writers of their own."""

import base64
import contextlib
import hashlib
import zlib
from collections.abc import Mapping

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.simulators.secondary.digests import check, plain
from snapproof.simulators.secondary.s3_errors import STATUS, S3RefusalError, refusal
from snapproof.simulators.secondary.sigv4 import authenticate, without_signature

KEYS = {"access_key": "AKIDKEY", "secret_key": "s3cr3t"}
STREAMED = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}


def signed(method: str, target: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Sign with botocore, as a client would, and give the headers that arrive."""
    request = AWSRequest(method=method, url=f"http://127.0.0.1:9000{target}", headers=dict(extra), data=b"body")
    S3SigV4Auth(Credentials("AKIDKEY", "s3cr3t"), "s3", "us-east-1").add_auth(request)
    arrived = {name.lower(): str(value) for name, value in request.headers.items()}
    return {"host": "127.0.0.1:9000", **arrived}


def code_of(method: str, target: str, headers: Mapping[str, str]) -> str:
    try:
        authenticate(method, target, headers, **KEYS)
    except S3RefusalError as error:
        return error.code
    return "signed"


paths = st.lists(st.sampled_from(["a", "%20", "%2B", "~", "%C3%BC", "/", "-", "."]), max_size=6).map("".join)
queries = st.lists(st.sampled_from(["uploads=", "partNumber=2", "prefix=a%2Fb", "x-id=PutObject"]), unique=True)


@settings(deadline=None)
@given(st.sampled_from(["GET", "PUT", "DELETE"]), paths, queries)
def test_what_botocore_signs_is_accepted_and_anything_changed_is_not(method: str, path: str, query: list[str]) -> None:
    target = f"/bucket/{path}" + (f"?{'&'.join(query)}" if query else "")
    headers = signed(method, target, {"x-amz-meta-owner": "me"})
    assert code_of(method, target, headers) == "signed"
    assert code_of("POST", target, headers) == "SignatureDoesNotMatch"
    assert code_of(method, target.replace("bucket", "other"), headers) == "SignatureDoesNotMatch"
    assert code_of(method, target, {**headers, "x-amz-meta-owner": "you"}) == "SignatureDoesNotMatch"
    assert code_of(method, target, {**headers, "host": "elsewhere"}) == "SignatureDoesNotMatch"
    assert code_of(method, target, {**headers, "x-amz-acl": "public-read"}) == "AccessDenied"
    assert code_of(method, target, {k: v for k, v in headers.items() if k != "authorization"}) == "AccessDenied"


@given(st.text(st.characters(codec="latin-1"), max_size=80))
def test_no_authorization_header_breaks_the_check(text: str) -> None:
    for header in (text, f"AWS4-HMAC-SHA256 {text}", f"AWS4-HMAC-SHA256 Credential=AKIDKEY/1/2/3/4, Signature={text}"):
        assert code_of("GET", "/", {"host": "h", "authorization": header}) != "signed"


def test_only_what_signed_a_url_is_taken_out_of_it() -> None:
    url = "/b/k?X-Amz-Algorithm=A&X-Amz-Credential=C&partNumber=2&X-Amz-Signature=S&uploadId=1"
    assert without_signature(url) == "/b/k?partNumber=2&uploadId=1"
    assert without_signature("/b/k") == "/b/k"


def framed(body: bytes, cuts: list[int], trailer: bytes) -> bytes:
    pieces, at = [], 0
    for size in cuts:
        if piece := body[at : at + size]:
            pieces.append(b"%x\r\n%b\r\n" % (len(piece), piece))
        at += size
    rest = body[at:]
    pieces += [b"%x\r\n%b\r\n" % (len(rest), rest)] if rest else []
    return b"".join(pieces) + b"0\r\n" + trailer + b"\r\n"


@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=8))
def test_a_streamed_body_is_unframed_and_its_trailing_checksum_verified(body: bytes, cuts: list[int]) -> None:
    good = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    headers = {**STREAMED, "x-amz-decoded-content-length": str(len(body)), "content-encoding": "aws-chunked,gzip"}
    unframed, octets = plain(headers, framed(body, cuts, f"x-amz-checksum-crc32:{good}\r\n".encode()))
    assert (octets, unframed["content-encoding"]) == (body, "gzip")
    check(unframed, octets, whole_object=True)
    bad = base64.b64encode((zlib.crc32(body) ^ 1).to_bytes(4, "big")).decode()
    unframed, octets = plain(headers, framed(body, cuts, f"x-amz-checksum-crc32:{bad}\r\n".encode()))
    with pytest.raises(S3RefusalError) as caught:
        check(unframed, octets, whole_object=True)
    assert caught.value.code == "BadDigest"


@given(st.one_of(st.binary(max_size=60), st.text("0123456789abcdef-+_;\r\n", max_size=60).map(str.encode)))
def test_no_framing_hangs_or_breaks_the_reader(octets: bytes) -> None:
    headers = {**STREAMED, "x-amz-decoded-content-length": "5"}
    with contextlib.suppress(S3RefusalError):
        _, body = plain(headers, octets)
        assert len(body) == 5


@given(st.binary(max_size=50), st.binary(max_size=50))
def test_a_signed_digest_fits_one_body_only(body: bytes, other: bytes) -> None:
    headers = {"x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    check(headers, body, whole_object=True)
    if other != body:
        with pytest.raises(S3RefusalError, match="is not the SHA-256"):
            check(headers, other, whole_object=True)


def test_a_checksum_of_the_whole_object_is_not_compared_with_a_list_of_parts() -> None:
    check({"x-amz-checksum-sha256": "AAAA"}, b"<CompleteMultipartUpload/>", whole_object=False)


@pytest.mark.parametrize("digest", ["not base64!", "ümlaut", "AAA=", ""])
def test_a_digest_that_is_none_is_refused(digest: str) -> None:
    with pytest.raises(S3RefusalError) as caught:
        check({"content-md5": digest}, b"", whole_object=True)
    assert caught.value.code == "InvalidDigest"


def test_every_code_can_be_answered_and_no_other() -> None:
    for code, status in STATUS.items():
        answered, _, body = refusal(code, "a < b")
        assert (answered, f"<Code>{code}</Code>".encode() in body, b"a &lt; b" in body) == (status, True, True)
    assert refusal("InternalError-in-200", "late")[0] == 200
    with pytest.raises(ValueError, match="no error 'NoSuchKye'; the nearest are NoSuchKey"):
        refusal("NoSuchKye", "typing error")
