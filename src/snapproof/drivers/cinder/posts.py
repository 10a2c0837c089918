"""The contract's POSTs answered with nothing but the standard library, since Cinder's environment has none of ours.

The same messages as contract.py's; a test holds the two together.
"""

import dataclasses
import http.server
import json
from collections.abc import Callable, Mapping
from typing import Any

from snapproof.driver import DriverError, DriverUnderTest
from snapproof.drivers.cinder.bridge import REASONS, Bridge
from snapproof.vocabulary import Qos, SnapshotRequest, VolumeRequest

VERSION = "1.0"
PREFIX, BEGIN = "/v1/", "begin"
PROBLEM = "application/problem+json"
STATUSES = {
    "InvalidRequestError": ("invalid-request", 400),
    "DeniedError": ("denied", 403),
    "NotFoundError": ("not-found", 404),
    "ConflictError": ("conflict", 409),
    "CancelledError": ("cancelled", 410),
    "LimitExceededError": ("limit-exceeded", 422),
    "NotSupportedError": ("not-supported", 501),
    "BackendError": ("backend", 502),
    "UnavailableError": ("unavailable", 503),
}


def plain(thing: Any) -> Any:
    """Say values as JSON has them."""
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return {name.name: getattr(thing, name.name) for name in dataclasses.fields(thing)}
    if isinstance(thing, frozenset):
        return sorted(thing)
    raise TypeError(f"{type(thing).__name__} has no JSON.")


def read(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Read a body: the arguments by name, requests as the port has them."""
    arguments = dict(asked)
    request = arguments.get("request")
    if isinstance(request, dict):
        qos = request.get("qos")
        kind = VolumeRequest if "size_bytes" in request else SnapshotRequest
        arguments["request"] = kind(**{**request, **({"qos": Qos(**qos)} if qos else {})})
    return arguments


class Posts:
    """Answers POSTs with the verbs of the present life."""

    def __init__(self, start: Callable[[Mapping[str, Any]], Bridge]) -> None:
        self._start = start
        self._life: Bridge | None = None

    def answer(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        """Give status, content type and body."""
        verb = path.removeprefix(PREFIX).replace("-", "_")
        try:
            asked = json.loads(body or b"{}")
            if verb == BEGIN:
                self._life = self._start(asked)
                return 204, "application/json", b""
            return self._perform(verb, asked)
        except DriverError as error:
            return problem(*STATUSES[type(error).__name__], detail=str(error))
        except (TypeError, KeyError, json.JSONDecodeError) as error:
            return problem("malformed", 422, detail=f"{path} was sent what the bridge cannot read: {error!r}")

    def _perform(self, verb: str, asked: Mapping[str, Any]) -> tuple[int, str, bytes]:
        if self._life is None:
            return problem("malformed", 409, detail="No life has begun; post a site to /v1/begin first.")
        if verb.startswith("_") or not hasattr(DriverUnderTest, verb):
            return problem("malformed", 404, detail=f"There is no verb {verb}.")
        served = getattr(self._life, verb, None)
        if served is None:
            reason = REASONS.get(verb, "a Cinder volume driver knows nothing of it")
            return problem("not-supported", 501, detail=f"No {verb.replace('_', ' ')}: {reason}.")
        answer = served(**read(asked))
        return 200, "application/json", json.dumps(answer, default=plain).encode()


def problem(kind: str, status: int, *, detail: str) -> tuple[int, str, bytes]:
    """Write a problem."""
    said = {"type": f"urn:snapproof:problem:{kind}", "status": status, "detail": detail}
    return status, PROBLEM, json.dumps(said).encode()


def server_of(posts: Posts, port: int) -> http.server.ThreadingHTTPServer:
    """Listen on loopback."""

    class Door(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, kind, body = posts.answer(self.path, self.rfile.read(int(self.headers["content-length"] or 0)))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's own name
            """Say nothing: the suite has a timeline of its own."""

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Door)
