"""AWS Signature Version 4 as the server checks it: in the Authorization header or in a presigned URL.

Not checked: the age of a signature (clients sign with a clock of their own) and the signature of each streamed chunk.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from snapproof.simulators.secondary.s3_errors import S3RefusalError

ALGORITHM = "AWS4-HMAC-SHA256"
SIGNED_BY_QUERY = frozenset({
    "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-security-token",
    "x-amz-signature", "x-amz-signedheaders",
})  # fmt: skip
"""Query parameters of a presigned URL that say nothing about the operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """Who the request says it is from, and the proof."""

    credential: str
    signed_headers: str
    signature: str
    date: str
    payload_hash: str

    @property
    def access_key(self) -> str:
        return self.credential.partition("/")[0]

    @property
    def scope(self) -> str:
        return self.credential.partition("/")[2]


def authenticate(method: str, target: str, headers: Mapping[str, str], *, access_key: str, secret_key: str) -> None:
    """Return when the request was signed with these keys; raise S3RefusalError with S3's code otherwise."""
    path, _, query = target.partition("?")
    pairs = _pairs(query)
    claim = _claim(headers, pairs)
    if not hmac.compare_digest(claim.access_key.encode(), access_key.encode()):
        raise S3RefusalError("InvalidAccessKeyId", "The access key id does not exist in this store's records.")
    if len(claim.scope.split("/")) != 4 or not claim.date.startswith(claim.scope[:8]):
        raise S3RefusalError("AuthorizationHeaderMalformed", "The credential scope is not date/region/s3/aws4_request.")
    must_sign = {"host", *(name for name in headers if name.startswith("x-amz-"))}
    if missing := must_sign - set(claim.signed_headers.split(";")):
        raise S3RefusalError("AccessDenied", f"There are headers that were not signed: {', '.join(sorted(missing))}.")
    canonical = "\n".join([
        method,
        quote(unquote_to_bytes(path), safe="/~"),
        "&".join(sorted(f"{name}={value}" for name, value in pairs if name != "X-Amz-Signature")),
        *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in claim.signed_headers.split(";")),
        "",
        claim.signed_headers,
        claim.payload_hash,
    ])  # fmt: skip
    if not hmac.compare_digest(_signature(claim, canonical, secret_key), claim.signature.encode()):
        raise S3RefusalError("SignatureDoesNotMatch", "The signature is not the one these keys and this request give.")


def without_signature(target: str) -> str:
    """Drop what signed a presigned URL and keep what the operation needs."""
    path, mark, query = target.partition("?")
    kept = [part for part in query.split("&") if part.partition("=")[0].lower() not in SIGNED_BY_QUERY]
    return path + mark + "&".join(kept)


def _pairs(query: str) -> list[tuple[str, str]]:
    parts = [part.partition("=") for part in query.split("&") if part]
    return [
        (quote(unquote_to_bytes(name), safe="~"), quote(unquote_to_bytes(value), safe="~")) for name, _, value in parts
    ]


def _claim(headers: Mapping[str, str], pairs: list[tuple[str, str]]) -> _Claim:
    query = {name: unquote_to_bytes(value).decode("utf-8", "replace") for name, value in pairs}
    if "X-Amz-Signature" in query:
        return _Claim(
            credential=query.get("X-Amz-Credential", ""),
            signed_headers=query.get("X-Amz-SignedHeaders", ""),
            signature=query["X-Amz-Signature"],
            date=query.get("X-Amz-Date", ""),
            payload_hash=headers.get("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        )
    algorithm, _, rest = headers.get("authorization", "").partition(" ")
    if not algorithm and "Signature" not in query:
        raise S3RefusalError("AccessDenied", "The request is not signed.")
    if algorithm != ALGORITHM:
        raise S3RefusalError("InvalidRequest", f"This store takes {ALGORITHM} signatures only.")
    parts = (part.strip().partition("=") for part in rest.split(","))
    fields = {name: value for name, _, value in parts}
    return _Claim(
        credential=fields.get("Credential", ""),
        signed_headers=fields.get("SignedHeaders", ""),
        signature=fields.get("Signature", ""),
        date=headers.get("x-amz-date", ""),
        payload_hash=headers.get("x-amz-content-sha256", ""),
    )


def _signature(claim: _Claim, canonical: str, secret_key: str) -> bytes:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"{ALGORITHM}\n{claim.date}\n{claim.scope}\n{digest}"
    key = f"AWS4{secret_key}".encode()
    for part in claim.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex().encode()
