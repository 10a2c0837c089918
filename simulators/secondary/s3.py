"""An S3 store: a door that checks signatures and digests and meets faults, before objects that somebody else keeps.

Usually that is moto in this process (s3_moto.py); a server that others wrote can do it as well. Buckets are addressed
by path; a bucket in the host name is not understood.
"""

import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from snapproof.simulators.clock import Clock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.secondary.digests import plain
from snapproof.simulators.secondary.s3_calls import S3Call, recognise
from snapproof.simulators.secondary.s3_damage import Where, read_damage
from snapproof.simulators.secondary.s3_errors import S3RefusalError, refusal, struck
from snapproof.simulators.secondary.s3_moto import MotoObjects
from snapproof.simulators.secondary.sigv4 import authenticate, without_signature
from snapproof.simulators.serving import Answer

META = "x-amz-meta-"
KEY_ID = "x-amz-server-side-encryption-aws-kms-key-id"

Spoil: TypeAlias = Callable[[bytes], bytes]


class S3Objects(Protocol):
    """Whoever keeps the objects of a store."""

    def perform(self, call: S3Call, *, spoil: Spoil | None = None) -> Answer:
        """Do what is asked. With `spoil`, damage the object that this made, and vouch for it as before."""

    def inventory(self) -> tuple[str, ...]:
        """Name every object with its size and every multipart upload that is still open, sorted."""

    def names(self) -> tuple[str, ...]:
        """Name every object of the store's bucket, sorted."""

    def read(self, key: str) -> bytes:
        """Read an object of the store's bucket. Raises KeyError when there is none."""

    def put(self, key: str, content: bytes) -> None:
        """Write an object into the store's bucket."""

    def close(self) -> None:
        """Let go of every object. Twice is fine."""


class S3Store:
    """A wire that speaks S3, and what a judge needs to look behind it. Close it: objects live on else."""

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        bucket: str,
        access_key: str,
        secret_key: str,
        seam: Seam | None = None,
        objects: S3Objects | None = None,
    ) -> None:
        self.bucket = bucket
        self.access_key = access_key
        self.secret_key = secret_key
        self._seam = seam
        self.metadata: list[str] = []
        """What clients wrote beside their objects, a header a line."""
        self.keys: dict[str, str] = {}
        """By which key (SSE-KMS) clients had objects encrypted, by their names; the bytes are kept as they came."""
        self.links_s: list[int] = []
        """For how long the presigned URLs that were used give access."""
        self._objects = objects or MotoObjects(journal=journal, clock=clock, bucket=bucket)

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one request; raises AnswerLostError or CrashedError where such a fault was armed."""
        try:
            authenticate(method, target, headers, access_key=self.access_key, secret_key=self.secret_key)
            self._overhear(target, headers)
            call = recognise(method, self._by_path(without_signature(target), headers), *plain(headers, body))
        except S3RefusalError as error:
            return _bodiless_for_head(method, refusal(error.code, str(error)))
        if self._seam is None:
            return _bodiless_for_head(method, self._perform(call))
        answer = self._seam.cross(
            "s3",
            call.operation,
            lambda: self._perform(call),
            refuse=lambda name: struck(call.operation, name),
            damage=lambda name: self._perform_damaged(call, name),
        )
        return _bodiless_for_head(method, answer)

    def inventory(self) -> tuple[str, ...]:
        """Name every object with its size and every multipart upload that is still open, sorted."""
        return self._objects.inventory()

    def names(self) -> tuple[str, ...]:
        """Name every object of the store's bucket, sorted."""
        return self._objects.names()

    def read(self, key: str) -> bytes:
        """Read an object of the store's bucket behind the clients' backs. Raises KeyError when there is none."""
        return self._objects.read(key)

    def put(self, key: str, content: bytes) -> None:
        """Write an object into the store's bucket behind the clients' backs."""
        self._objects.put(key, content)

    def close(self) -> None:
        """Let go of every object. Twice is fine."""
        self._objects.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _by_path(self, target: str, headers: Mapping[str, str]) -> str:
        """Write the bucket into the path where a client wrote it into the host's name."""
        by_host = headers.get("host", "").startswith(f"{self.bucket}.")
        return f"/{self.bucket}{target}" if by_host else target

    def _overhear(self, target: str, headers: Mapping[str, str]) -> None:
        self.metadata += [f"{name}: {text}" for name, text in headers.items() if name.startswith(META)]
        self.links_s += [int(text) for text in re.findall(r"[?&]X-Amz-Expires=(\d{1,9})\b", target)]

    def _note_encryption(self, call: S3Call, status: int) -> None:
        """Remember what a request to write an object, or to begin one of parts, wanted of its encryption."""
        if status == 200 and call.operation in {"PutObject", "CreateMultipartUpload"}:
            self.keys[call.key] = call.headers.get(KEY_ID, "")

    def _perform(self, call: S3Call, *, spoil: Spoil | None = None) -> Answer:
        try:
            answer = self._objects.perform(call, spoil=spoil)
        except S3RefusalError as error:
            return refusal(error.code, str(error))
        self._note_encryption(call, answer[0])
        return answer

    def _perform_damaged(self, call: S3Call, name: str) -> Answer:
        """Perform a call whose content is damaged before the store gets it, inside it, or on the way back."""
        where, spoil = read_damage(name)
        if where is Where.STORED:
            return self._perform(call, spoil=spoil)
        if where is Where.REQUEST:
            try:
                return self._perform(recognise(call.method, call.target, call.headers, spoil(call.body)))
            except S3RefusalError as error:
                return refusal(error.code, str(error))
        status, headers, body = self._perform(call)
        if status >= 300:
            return status, headers, body
        spoilt = spoil(body)
        return status, {**headers, "content-length": str(len(spoilt))}, spoilt


def _bodiless_for_head(method: str, answer: Answer) -> Answer:
    return (answer[0], answer[1], b"") if method == "HEAD" else answer
