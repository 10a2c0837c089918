"""Whether a body is what its headers promise: Content-MD5, the signed SHA-256, S3's checksums, the streamed framing."""

import base64
import hashlib
from collections.abc import Callable, Mapping

from snapproof.simulators.secondary.checksums import DIGESTS
from snapproof.simulators.secondary.s3_errors import S3RefusalError

UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMED = "STREAMING-"
CHECKSUM = "x-amz-checksum-"

CHECKS: Mapping[str, Callable[[bytes], bytes]] = {
    "content-md5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    **{f"{CHECKSUM}{name.lower()}": digest for name, digest in DIGESTS.items()},
}


def plain(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Take the `aws-chunked` framing off a streamed body; its trailing checksum becomes a header."""
    plain_headers = dict(headers)
    if not headers.get("x-amz-content-sha256", "").startswith(STREAMED):
        return plain_headers, body
    try:
        announced = int(headers.get("x-amz-decoded-content-length", ""))
        body, trailers = _unframed(body)
    except ValueError as error:
        raise S3RefusalError("IncompleteBody", "The streamed body is cut short or framed wrongly.") from error
    if len(body) != announced:
        raise S3RefusalError("IncompleteBody", "The streamed body does not have the length that was announced.")
    plain_headers |= {name: value for name, value in trailers.items() if name.startswith(CHECKSUM)}
    plain_headers |= {"x-amz-content-sha256": UNSIGNED, "content-length": str(len(body))}
    codings = [part.strip() for part in headers.get("content-encoding", "").split(",")]
    plain_headers["content-encoding"] = ",".join(part for part in codings if part and part != "aws-chunked")
    return {name: value for name, value in plain_headers.items() if value}, body


def _unframed(framed: bytes) -> tuple[bytes, dict[str, str]]:
    pieces, at = [], 0
    while True:
        end = framed.index(b"\r\n", at)
        size = int(framed[at:end].partition(b";")[0], 16)
        at = end + 2
        if size == 0:
            break
        if size < 0 or framed[at + size : at + size + 2] != b"\r\n":
            raise ValueError("A chunk does not end where it said.")
        pieces.append(framed[at : at + size])
        at += size + 2
    lines = framed[at:].decode("latin-1").split("\r\n")
    trailers = (line.partition(":") for line in lines if ":" in line)
    return b"".join(pieces), {name.strip().lower(): value.strip() for name, _, value in trailers}


def algorithms_brought(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Name the algorithms of the checksums that a request brings along."""
    return tuple(name for name in DIGESTS if f"{CHECKSUM}{name.lower()}" in headers)


def check(headers: Mapping[str, str], body: bytes, *, whole_object: bool) -> None:
    """Raise S3RefusalError when the body is not what the headers say.

    `whole_object` is false where a checksum header speaks of the object that parts will form, not of this body.
    """
    signed = headers.get("x-amz-content-sha256", UNSIGNED)
    if signed != UNSIGNED and signed != hashlib.sha256(body).hexdigest():
        raise S3RefusalError("XAmzContentSHA256Mismatch", "x-amz-content-sha256 is not the SHA-256 of the body.")
    for name, digest in CHECKS.items():
        if name in headers and (whole_object or name == "content-md5"):
            _compare(name, headers[name], digest(body))


def _compare(name: str, claimed: str, real: bytes) -> None:
    try:
        promised = base64.b64decode(claimed, validate=True)
    except ValueError as error:
        raise S3RefusalError("InvalidDigest", f"{name} is not base64.") from error
    if len(promised) != len(real):
        raise S3RefusalError("InvalidDigest", f"{name} does not have {len(real)} bytes.")
    if promised != real:
        raise S3RefusalError("BadDigest", f"The {name} you specified did not match what we received.")
