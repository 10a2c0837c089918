"""Where scripts put bytes: objects of an S3 bucket (Signature Version 4), a job of another cluster by its key."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import msgspec

from snapproof.simulators.clock import iso
from snapproof.simulators.serving import Answer
from snapproof.simulators.solidfire.bulk import ScriptError
from snapproof.simulators.solidfire.outgoing import Web

REGION = "us-east-1"
_CODE = re.compile(rb"<Code>(\w{1,40})</Code>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A prefix in a bucket, and the keys to it."""

    web: Web
    now: Callable[[], float]
    host: str
    bucket: str
    prefix: str
    access_key: str
    secret_key: str = field(repr=False)

    def put(self, name: str, content: bytes) -> None:
        """Write an object. Raises ScriptError or OSError."""
        self._exchange("PUT", name, content)

    def get(self, name: str) -> bytes:
        """Read an object. Raises ScriptError or OSError."""
        return self._exchange("GET", name, b"")

    def _exchange(self, method: str, name: str, body: bytes) -> bytes:
        key = f"{self.prefix.strip('/')}/{name}".lstrip("/")
        target = quote(f"/{self.bucket}/{key}", safe="/~")
        status, _, answer = self.web.exchange(self.host, method, target, self._signed(method, target, body), body)
        if status != 200:
            found = _CODE.search(answer)
            code = found[1].decode() if found else "no code"
            raise ScriptError(f"The store answered {method} with {status} {code}.")
        return answer

    def _signed(self, method: str, target: str, body: bytes) -> Mapping[str, str]:
        """Sign one request as S3 wants it."""
        moment = re.sub(r"[-:]", "", iso(self.now()))
        scope = f"{moment[:8]}/{REGION}/s3/aws4_request"
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": moment}
        names = ";".join(headers)
        lines = [method, target, "", *(f"{name}:{value}" for name, value in headers.items()), "", names, digest]
        request = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{request}"
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        claim = f"Credential={self.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return headers | {"authorization": f"AWS4-HMAC-SHA256 {claim}"}


class _Place(msgspec.Struct, frozen=True, gc=False):
    url: str


class _Refusal(msgspec.Struct, frozen=True, gc=False):
    name: str


class _Envelope(msgspec.Struct, frozen=True, gc=False):
    result: _Place | None = None
    error: _Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A bulk volume job of another cluster, reached as any client would reach it: by its API, then by its key."""

    web: Web
    mvip: str
    username: str
    key: str = field(repr=False)
    password: str = field(repr=False)

    def report(self, status: str) -> str:
        """Tell the other cluster how its job is doing; learn where its ranges are. Raises ScriptError or OSError."""
        login = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        body = msgspec.json.encode({
            "method": "UpdateBulkVolumeStatus", "params": {"key": self.key, "status": status}, "id": 1,
        })  # fmt: skip
        headers = {"host": self.mvip, "authorization": f"Basic {login}", "content-type": "application/json"}
        answered, _, text = self.web.exchange(self.mvip, "POST", "/json-rpc/8.0", headers, body)
        if answered != 200:
            raise ScriptError(f"The other cluster answered {answered} to UpdateBulkVolumeStatus.")
        try:
            envelope = msgspec.json.decode(text, type=_Envelope)
        except msgspec.DecodeError:
            raise ScriptError("The other cluster's answer to UpdateBulkVolumeStatus cannot be read.") from None
        if envelope.result is None:
            name = envelope.error.name if envelope.error else "nothing"
            raise ScriptError(f"The other cluster answered {name} to UpdateBulkVolumeStatus.")
        return envelope.result.url

    def range(self, url: str, method: str, lba: int, blocks: int, body: bytes = b"") -> bytes:
        """Read, write or clear a range of the other volume. Raises ScriptError or OSError."""
        place = urlsplit(url)
        target = f"{place.path.rstrip('/')}/{self.key}?lba={lba}&blocks={blocks}"
        status, _, answer = self._ranged(place.netloc, method, target, body)
        if status != 200:
            raise ScriptError(f"The other cluster answered {status} to a {method} of blocks.")
        return answer

    def _ranged(self, host: str, method: str, target: str, body: bytes) -> Answer:
        return self.web.exchange(host, method, target, {"host": host}, body)
