"""Objects of an S3 store kept by moto in this process, with what moto does not do: damage, time, names, a journal.

This is moto's only address. Each store has a moto account of its own and takes its buckets out of moto's global table
of bucket names, so stores of one process do not see each other. Still shared: moto's settings (environment variables)
and its pool of request ids.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from snapproof.simulators.clock import Clock
from snapproof.simulators.journal import Journal
from snapproof.simulators.secondary.digests import CHECKSUM, algorithms_brought
from snapproof.simulators.secondary.parts import COMPOSITE, Checksum, checksum_of, declared, require_same_algorithm
from snapproof.simulators.secondary.s3_calls import S3Call, request_of
from snapproof.simulators.secondary.s3_errors import S3RefusalError
from snapproof.simulators.serving import Answer

if TYPE_CHECKING:  # moto takes most of a second to import, so it is when somebody first touches a store
    from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, S3Backend

REGION = "us-east-1"
WHO = f"AWS4-HMAC-SHA256 Credential=verified/20260101/{REGION}/s3/aws4_request"
"""What moto sees instead of the client's credentials: it only has to know that somebody checked them."""

OF_UPLOAD = frozenset({"UploadPart", "UploadPartCopy", "ListParts", "AbortMultipartUpload", "CompleteMultipartUpload"})

_GLOBAL_TABLES = threading.Lock()
"""Held while moto's process-wide tables of accounts and bucket names are touched."""


class MotoObjects:
    """The objects of one store. Close it: moto keeps them alive else."""

    def __init__(self, *, journal: Journal, clock: Clock, bucket: str) -> None:
        self.bucket = bucket
        self._journal = journal
        self._clock = clock
        self._lock = threading.RLock()
        self._uploads_opened = 0
        self._account = ""
        self._made: S3Backend | None = None
        self._journal.record("s3", "bucket created", bucket=bucket)

    def perform(self, call: S3Call, *, spoil: Callable[[bytes], bytes] | None = None) -> Answer:
        """Do what is asked, and damage the object that this made if that is wanted. Raises S3RefusalError."""
        with self._lock:
            status, headers, body = self._change(call)
            if spoil is not None and status < 300:
                self._spoil(call, spoil)
        return status, {**headers, "date": formatdate(self._clock.time(), usegmt=True)}, body

    def inventory(self) -> tuple[str, ...]:
        """Name every object with its size and every multipart upload that is still open, sorted."""
        if self._made is None:
            return ()
        with self._lock:
            lines = []
            for bucket in self._moto.buckets.values():
                keys = [key for name in bucket.keys if (key := _object(bucket, name)) is not None]
                lines += [f"{bucket.name}/{key.name} {key.size} bytes" for key in keys]
                lines += [f"{bucket.name}/{upload.key_name} upload open" for upload in bucket.multiparts.values()]
            return tuple(sorted(lines))

    def names(self) -> tuple[str, ...]:
        """Name every object of the store's bucket, sorted."""
        if self._made is None:
            return ()
        with self._lock:
            return tuple(sorted(self._moto.buckets[self.bucket].keys))

    def read(self, key: str) -> bytes:
        """Read an object of the store's bucket behind the clients' backs. Raises KeyError when there is none."""
        with self._lock:
            found = _object(self._moto.buckets[self.bucket], key)
            if found is None:
                raise KeyError(f"The bucket {self.bucket} has no object {key!r}.")
            return bytes(found.value)

    def put(self, key: str, content: bytes) -> None:
        """Write an object into the store's bucket behind the clients' backs."""
        with self._lock:
            bucket = self._moto.buckets[self.bucket]
            before = _object(bucket, key)
            self._moto.put_object(self.bucket, key, content)
            self._note_key(bucket, key, before)

    def close(self) -> None:
        """Let go of every object, so that moto's process-wide lists forget this store. Twice is fine."""
        if self._made is None:
            return
        from moto.s3.models import FakeBucket, FakeKey, FakeMultipart, s3_backends

        with self._lock, _GLOBAL_TABLES:
            for kind in (FakeKey, FakeMultipart, FakeBucket):
                for item in [item for item in _tracked(kind) if item.account_id == self._account]:
                    _tracked(kind).remove(item)
                    if not isinstance(item, FakeBucket):
                        item.dispose()
            s3_backends.pop(self._account, None)

    @property
    def _moto(self) -> "S3Backend":
        """What moto keeps for this store, from the first time that it is asked for."""
        if self._made is None:
            from moto.s3.models import s3_backends

            with self._lock, _GLOBAL_TABLES:
                if self._made is None:
                    self._account = _free_account()
                    made = s3_backends[self._account]["aws"]
                    made.create_bucket(self.bucket, REGION)
                    s3_backends.bucket_accounts.pop(self.bucket, None)
                    self._made = made
        return self._made

    def _spoil(self, call: S3Call, spoil: Callable[[bytes], bytes]) -> None:
        """Damage an object and go on to vouch for it: its ETag and its checksums stay."""
        key = _object(self._moto.buckets[call.bucket], call.key)
        if key is not None:
            assert key.etag, "moto computes an ETag when it is first asked for"
            key.value = spoil(key.value)  # type: ignore[misc]  # moto hides its setter from type checkers
            self._journal.record("s3", "object damaged", bucket=call.bucket, key=call.key, size_bytes=int(key.size))

    def _asked(self, call: S3Call) -> Answer:
        from moto.s3.responses import S3Response
        from werkzeug.exceptions import HTTPException

        kept = {name: value for name, value in call.headers.items() if not name.startswith("x-moto-")}
        kept |= {"authorization": WHO, "x-moto-account-id": self._moto.account_id}
        for algorithm in algorithms_brought(call.headers):
            kept["x-amz-sdk-checksum-algorithm"] = algorithm
        request = request_of(call.method, call.target, kept, call.body)
        answer = S3Response.key_dispatch if call.key else S3Response.bucket_dispatch
        try:
            status, headers, body = answer(request, request.raw_url, request.headers)
        except HTTPException as error:
            status, headers, body = error.code or 500, dict(error.get_headers()), error.get_body()
        except NotImplementedError as error:
            raise S3RefusalError(
                "NotImplemented", f"This store does not know {call.operation} in this form."
            ) from error
        octets = body.encode() if isinstance(body, str) else bytes(body)
        return int(status), {str(name): str(value) for name, value in headers.items()}, octets

    def _change(self, call: S3Call) -> Answer:
        """Let moto act, then write into the journal what changed and give it the time and names of this world."""
        bucket = self._moto.buckets.get(call.bucket)
        if bucket is None:
            return self._change_buckets(call)
        if call.operation in OF_UPLOAD and call.upload not in bucket.multiparts:
            self._require_completed(bucket, call)
        upload = bucket.multiparts.get(call.upload)
        checksum = _checksum(call, upload)
        uploads = set(bucket.multiparts)
        before = {name: _object(bucket, name) for name in _names_touched(bucket, call)}
        status, headers, body = self._asked(call)
        for name, key in before.items():
            self._note_key(bucket, name, key)
        if call.operation == "CreateMultipartUpload" and status == 200:
            body = self._name_upload(bucket, (set(bucket.multiparts) - uploads).pop(), body)
        if upload is not None:
            self._note_upload(bucket, call, upload)
        key = _object(bucket, call.key)
        if checksum is not None and key is not None and status == 200:
            key.checksum_algorithm, key.checksum_type = checksum.algorithm, checksum.kind
            key.checksum_value, key.checksum_parts = checksum.value, checksum.parts
        return status, *_with_checksum(call, key, headers, body)

    def _change_buckets(self, call: S3Call) -> Answer:
        if call.operation != "CreateBucket":
            return self._asked(call)
        from moto.s3.models import s3_backends

        with _GLOBAL_TABLES:
            answer = self._asked(call)
            s3_backends.bucket_accounts.pop(call.bucket, None)
        if answer[0] == 200:
            self._journal.record("s3", "bucket created", bucket=call.bucket)
        return answer

    def _require_completed(self, bucket: "FakeBucket", call: S3Call) -> None:
        """Accept that an upload is gone only from a client that completes it a second time."""
        made = _object(bucket, call.key)
        upload = made.multipart if made is not None else None
        if call.operation == "CompleteMultipartUpload" and upload is not None and upload.id == call.upload:
            return
        raise S3RefusalError(
            "NoSuchUpload", f"The upload {call.upload} does not exist; it may be completed or aborted."
        )

    def _note_key(self, bucket: "FakeBucket", name: str, before: "FakeKey | None") -> None:
        now = _object(bucket, name)
        if now is before:
            return
        if now is not None:
            now.last_modified = datetime.fromtimestamp(self._clock.time(), UTC).replace(tzinfo=None)
            facts = {"size_bytes": int(now.size), "replaced": before is not None}
            self._journal.record("s3", "object created", bucket=bucket.name, key=name, **facts)
        else:
            self._journal.record("s3", "object deleted", bucket=bucket.name, key=name)
        if before is not None and not bucket.is_versioned:
            before.dispose()
            _tracked(type(before)).remove(before)

    def _note_upload(self, bucket: "FakeBucket", call: S3Call, upload: "FakeMultipart") -> None:
        over = call.upload not in bucket.multiparts
        event = {
            "AbortMultipartUpload": "upload aborted",
            "CompleteMultipartUpload": "upload completed",
        }.get(call.operation)
        if event and over:
            self._journal.record("s3", event, bucket=bucket.name, key=upload.key_name)
        if over and call.operation == "AbortMultipartUpload":
            upload.dispose()

    def _name_upload(self, bucket: "FakeBucket", random_id: str, body: bytes) -> bytes:
        """Give a new upload an id that is the same in every run of the same calls; moto draws it from the system."""
        self._uploads_opened += 1
        upload = bucket.multiparts.pop(random_id)
        upload.id = sha256(f"{bucket.name}/{upload.key_name}/{self._uploads_opened}".encode()).hexdigest()
        bucket.multiparts[upload.id] = upload
        self._journal.record("s3", "upload opened", bucket=bucket.name, key=upload.key_name)
        return body.replace(random_id.encode(), upload.id.encode())


def _free_account() -> str:
    from moto.s3.models import s3_backends

    number = 1
    while f"{number:012d}" in s3_backends:
        number += 1
    return f"{number:012d}"


def _object(bucket: "FakeBucket", name: str) -> "FakeKey | None":
    """Give the current object of this name; a delete marker is none."""
    from moto.s3.models import FakeKey

    key = bucket.keys.get(name)
    return key if isinstance(key, FakeKey) else None


def _tracked(kind: Any) -> list[Any]:
    """Give moto's own list of every instance of one of its models, which keeps them alive for ever."""
    return kind.instances_tracked  # type: ignore[no-any-return]  # untyped in moto


def _names_touched(bucket: "FakeBucket", call: S3Call) -> list[str]:
    if call.operation == "DeleteObjects":  # names its keys in the body
        return list(bucket.keys)
    return [call.key] if call.key else []


def _checksum(call: S3Call, upload: "FakeMultipart | None") -> Checksum | None:
    """Hold a call to what its upload declared of checksums; give that of the object which the call completes."""
    if call.operation == "CreateMultipartUpload":
        declared(call.headers)
    said = declared(upload.metadata) if upload is not None else None
    if upload is None or said is None:
        return None
    if call.operation == "UploadPart":
        require_same_algorithm(said, call.headers)
    if call.operation != "CompleteMultipartUpload":
        return None
    return checksum_of(said, call.body, {number: part.value for number, part in upload.parts.items()}, call.headers)


def _with_checksum(
    call: S3Call, key: "FakeKey | None", headers: Mapping[str, str], body: bytes
) -> tuple[Mapping[str, str], bytes]:
    """Tell the checksum of an object of parts where moto does not, or not wholly."""
    if key is None or not key.checksum_algorithm or not key.checksum_type:
        return headers, body
    name = f"{CHECKSUM}{key.checksum_algorithm.lower()}"
    value = f"{key.checksum_value}-{key.checksum_parts}" if key.checksum_type == COMPOSITE else key.checksum_value
    if call.operation == "HeadObject" and name in headers:
        return {**headers, name: str(value), f"{CHECKSUM}type": key.checksum_type}, body
    if call.operation != "CompleteMultipartUpload":
        return headers, body
    end = b"</CompleteMultipartUploadResult>"
    told = (
        f"<Checksum{key.checksum_algorithm}>{value}</Checksum{key.checksum_algorithm}>"
        f"<ChecksumType>{key.checksum_type}</ChecksumType>"
    )
    grown = body.replace(end, told.encode() + end)
    return {**headers, "content-length": str(len(grown))}, grown
