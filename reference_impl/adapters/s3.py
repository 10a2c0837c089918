"""The secondary store port on an S3 bucket: hosts write to the export, the image is uploaded from there and read back.

Requests are signed by botocore and sent by our own transport, so that nothing is ever sent twice behind the
orchestrator's back. Small images go up in one request, larger ones in parts; memory stays at one part.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from snapproof.digests import digest_of_chunks
from snapproof.reference_impl.adapters.nfs import Staging, speaking_of
from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.adapters.trust import SIGNED
from snapproof.reference_impl.ports import (
    CallError,
    GoneError,
    Image,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.site import Answer, Directory, ReadableFile, S3Place

PART_BYTES = 16 * 2**20
PARTS_MAX = 10_000
OBJECT_BYTES_MAX = 5 * 2**40
"""What S3 takes: so many parts of an upload, and so large an object."""
REGION = "us-east-1"
ENCRYPTION_HEADER = "x-amz-server-side-encryption"
KEY_HEADER = "x-amz-server-side-encryption-aws-kms-key-id"

MEANINGS: Mapping[int, type[CallError]] = {404: GoneError, 429: TransientError, 503: TransientError}
"""What an HTTP status means where the code in the answer says nothing else: 5xx is unknown, 4xx a final no."""

DAMAGED_ON_ITS_WAY = frozenset({"BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch"})
"""Codes by which S3 says that it got other bytes than were sent, and kept none: sending them again is sensible."""


def part_bytes_for(size_bytes: int, *, least: int) -> int:
    """How large the parts of an object must be, so that there are no more of them than S3 takes."""
    return max(least, -(-size_bytes // PARTS_MAX))


class Signer(Protocol):
    """Whoever signs requests."""

    def add_auth(self, request: Any) -> None:
        """Put a signature on a request of botocore's."""


class S3Bucket:
    """The few S3 operations that a backup needs, each one request."""

    def __init__(self, place: S3Place, *, part_bytes: int = PART_BYTES) -> None:
        self.place = place
        self.part_bytes = part_bytes
        self._transport = Transport(replace(place.endpoint, url=place.url), trust=SIGNED)
        keys = Credentials(place.endpoint.username, place.endpoint.password.reveal())
        self.signer: Signer = S3SigV4Auth(keys, "s3", REGION)

    def request(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one signed request about a key. Raises CallError by HTTP status."""
        folder = "" if self.place.by_host else f"/{quote(self.place.bucket)}"
        path = f"{folder}/{quote(key)}" + (f"?{urlencode(query)}" if query else "")
        signed = AWSRequest(
            method,
            self.place.url + path,
            headers={
                "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
                "content-length": str(len(body)),
                **(headers or {}),
            },
            data=body,
        )
        signed.context["payload_signing_enabled"] = True
        self.signer.add_auth(signed)
        sent = {"host": self.place.url.partition("://")[2]} | {
            name.lower(): str(value) for name, value in signed.headers.items()
        }
        status, found, answer = self._transport.exchange(method, path, sent, body)
        if status >= 300:
            code = _code(answer)
            kind = MEANINGS.get(status, UnknownOutcomeError if status >= 500 else RefusedError)
            kind = TransientError if code in DAMAGED_ON_ITS_WAY else kind
            raise kind(f"S3 answered {method} of {key} with HTTP {status}{f' ({code})' if code else ''}.")
        return status, found, answer

    def key_of(self, key: str) -> str:
        """HeadObject: the id of the key by which the store says that it encrypts the object."""
        return self.request("HEAD", key)[1].get(KEY_HEADER, "")

    def _encrypted(self) -> Mapping[str, str]:
        """Have the store encrypt what it keeps, where the site says so."""
        return {ENCRYPTION_HEADER: "aws:kms", KEY_HEADER: self.place.key_id} if self.place.key_id else {}

    def put(self, key: str, body: bytes, *, digest: str, subject: str = "") -> None:
        """PutObject, with the checksum that the server compares."""
        self.request("PUT", key, body=body, headers={**_checksum(body), **_marks(digest, subject), **self._encrypted()})

    def head(self, key: str) -> tuple[int, str] | None:
        """HeadObject: size and digest as written; None where there is no such key."""
        try:
            _, headers, _ = self.request("HEAD", key)
        except GoneError:
            return None
        return int(_header(headers, "content-length", key)), headers.get("x-amz-meta-digest", "")

    def read(self, key: str, size_bytes: int) -> Iterator[bytes]:
        """GetObject in ranges of one part."""
        for start in range(0, size_bytes, self.part_bytes):
            stop = min(start + self.part_bytes, size_bytes) - 1
            yield self.request("GET", key, headers={"range": f"bytes={start}-{stop}"})[2]

    def delete(self, key: str) -> None:
        """DeleteObject: S3 says yes whether the key was there or not."""
        self.request("DELETE", key)

    def uploads(self, key: str) -> Iterator[str]:
        """ListMultipartUploads: the unfinished uploads under this very key."""
        _, _, text = self.request("GET", "", query={"uploads": "", "prefix": key})
        for upload in _xml(text).iter():
            if _tag(upload) == "Upload" and _child(upload, "Key") == key:
                yield _child(upload, "UploadId")

    def abort(self, key: str, upload: str) -> None:
        """AbortMultipartUpload; one that is gone is aborted."""
        try:
            self.request("DELETE", key, query={"uploadId": upload})
        except GoneError:
            return

    def put_in_parts(self, key: str, file: ReadableFile, *, digest: str, subject: str = "") -> None:
        """CreateMultipartUpload, UploadPart, CompleteMultipartUpload. What a failure leaves is found by `uploads`."""
        begun = {**_marks(digest, subject), **self._encrypted(), "x-amz-checksum-algorithm": "SHA256"}
        _, _, text = self.request("POST", key, query={"uploads": ""}, headers=begun)
        upload = _child(_xml(text), "UploadId")
        if not upload:
            raise UnknownOutcomeError(f"S3's answer about {key} cannot be read: it names no upload.")
        parts = []
        part_bytes = part_bytes_for(file.size_bytes, least=self.part_bytes)
        for number, offset in enumerate(range(0, file.size_bytes, part_bytes), start=1):
            with speaking_of(key):
                body = file.read_at(offset, part_bytes)
            query: dict[str, str | int] = {"partNumber": number, "uploadId": upload}
            sent = _checksum(body)
            _, headers, _ = self.request("PUT", key, query=query, body=body, headers=sent)
            etag, checksum = _header(headers, "etag", key), sent["x-amz-checksum-sha256"]
            parts.append(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag>"
                f"<ChecksumSHA256>{checksum}</ChecksumSHA256></Part>"
            )
        body = f"<CompleteMultipartUpload>{''.join(parts)}</CompleteMultipartUpload>".encode()
        _, _, text = self.request("POST", key, query={"uploadId": upload}, body=body)
        if _tag(_xml(text)) == "Error":
            raise UnknownOutcomeError(f"S3 answered the completion of {key} with an error inside HTTP 200.")

    def close(self) -> None:
        """Let go of the connection."""
        self._transport.close()


class S3Object:
    """An object as a file that is read by ranges."""

    def __init__(self, bucket: S3Bucket, key: str, size_bytes: int) -> None:
        self._bucket = bucket
        self._key = key
        self._size_bytes = size_bytes

    @property
    def size_bytes(self) -> int:
        """As the store said when it was asked."""
        return self._size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        """GetObject of one range."""
        stop = min(offset + length, self._size_bytes) - 1
        if stop < offset:
            return b""
        return self._bucket.request("GET", self._key, headers={"range": f"bytes={offset}-{stop}"})[2]

    def close(self) -> None:
        """Nothing is open."""


class S3Store(Staging):
    """Backups in a bucket, staged on the export."""

    stages_backups = True

    def __init__(self, directory: Directory, bucket: S3Bucket) -> None:
        super().__init__(directory)
        self.bucket = bucket
        self.key_id = bucket.place.key_id

    def publish(self, staged: str, image: Image) -> None:
        """Upload, then read back. What no object can hold is refused before a byte is sent."""
        if image.physical_size_bytes > OBJECT_BYTES_MAX:
            raise RefusedError(f"{image.path} has {image.physical_size_bytes} bytes; S3 takes {OBJECT_BYTES_MAX}.")
        with self.opened(staged) as file:
            marked = {"digest": image.digest, "subject": image.subject}
            if file.size_bytes <= self.bucket.part_bytes:
                self.bucket.put(image.path, file.read_at(0, file.size_bytes), **marked)
            else:
                self.bucket.put_in_parts(image.path, file, **marked)
        if self.published(image.path) != image:
            raise UnknownOutcomeError(f"{image.path} does not read back as it was written.")
        if self.key_id and self.bucket.key_of(image.path) != self.key_id:
            raise RefusedError(f"The store does not say that it encrypts {image.path} with the key {self.key_id}.")

    def probe(self, path: str, text: bytes) -> None:
        """PutObject, GetObject, DeleteObject; the export, where hosts stage, is probed as well."""
        super().probe(path, text)
        try:
            self.bucket.put(path, text, digest="none")
            if b"".join(self.bucket.read(path, len(text))) != text:
                raise RefusedError(f"{path} does not read back as it was written.")
        finally:
            self.bucket.delete(path)

    def published(self, path: str) -> Image | None:
        """Read a backup through: a header is only what was claimed when it was written."""
        found = self.bucket.head(path)
        if found is None:
            return None
        return Image(path=path, physical_size_bytes=found[0], digest=digest_of_chunks(self.bucket.read(path, found[0])))

    @contextmanager
    def reading(self, path: str) -> Iterator[ReadableFile]:
        """Look how large the object is; its bytes are asked for as they are read."""
        found = self.bucket.head(path)
        if found is None:
            raise GoneError(f"The bucket has no {path}.")
        yield S3Object(self.bucket, path, found[0])

    def fetch(self, image: Image, staging: str) -> str:
        """Download into the staging directory and check what has arrived there."""
        found = self.bucket.head(image.path)
        if found is None or found[0] != image.physical_size_bytes:
            raise RefusedError(f"The backup {image.path} is missing or has another size; it is not restored.")
        return self.write_staged(image, staging, self.bucket.read(image.path, image.physical_size_bytes))

    def stage(self, image: Image, staging: str) -> str:
        """What is downloaded is a second file already."""
        return self.fetch(image, staging)

    def delete(self, path: str) -> None:
        """Delete the object by its exact key, and every upload that was begun under it."""
        self.drop_unfinished(path)
        self.bucket.delete(path)

    def drop_unfinished(self, path: str) -> None:
        """Abort every upload that was begun under this key."""
        for upload in list(self.bucket.uploads(path)):
            self.bucket.abort(path, upload)


def _checksum(body: bytes) -> Mapping[str, str]:
    return {"x-amz-checksum-sha256": base64.b64encode(hashlib.sha256(body).digest()).decode()}


def _marks(digest: str, subject: str) -> Mapping[str, str]:
    """What an object says of itself: its digest, and the uuid under which the snapshot is known everywhere (R-068)."""
    return {"x-amz-meta-digest": digest, "x-amz-meta-snapshot": subject}


def _header(headers: Mapping[str, str], name: str, key: str) -> str:
    if name not in headers:
        raise UnknownOutcomeError(f"S3's answer about {key} cannot be read: it has no {name}.")
    return headers[name]


def _code(text: bytes) -> str:
    """Read the code of an error, where there is one: HEAD is answered without a body, and a proxy knows no codes."""
    try:
        return re.sub(r"[^A-Za-z0-9]", "", _child(_xml(text), "Code"))[:64]
    except CallError:
        return ""


def _xml(text: bytes) -> ET.Element:
    """Parse an answer; a document that declares entities is no answer of S3's."""
    try:
        document = text.decode()  # which takes the choice of an encoding from the document
        if "<!DOCTYPE" in document or "<!ENTITY" in document:
            raise RefusedError("S3 answered with a document type declaration, which is refused.")
        return ET.fromstring(document)
    except (ET.ParseError, UnicodeDecodeError) as error:
        raise UnknownOutcomeError("S3's answer cannot be read.") from error


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _child(element: ET.Element, name: str) -> str:
    return next((child.text or "" for child in element if _tag(child) == name), "")
