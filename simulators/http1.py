"""HTTP/1.1 as text: octets become requests or a refusal, answers become octets. No socket, no thread, no simulator.

Bounds live here: what is longer than `Bounds` allows is refused before it is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httptools

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The longest head and the longest body that a server takes in."""

    head_bytes_max: int = 64 * 2**10
    body_bytes_max: int = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One whole request. Header names are lower-case; a header sent twice is joined by a comma."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the octets of this connection are read no further."""

    status: HTTPStatus
    sentence: str


class RequestReader:
    """Collects the requests of one connection. After a refusal it takes nothing more."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._parser = httptools.HttpRequestParser(self)
        self._complete: list[Request | Refusal] = []
        self._refused = False
        self.continue_due = False
        """The client waits for `100 Continue` before it sends the body. Whoever writes it sets this back."""
        self.on_message_begin()

    def feed(self, octets: bytes) -> list[Request | Refusal]:
        """Take octets in; return what they completed, in order. A refusal is always the last of the list."""
        if self._refused:
            return []
        try:
            self._parser.feed_data(octets)
        except httptools.HttpParserUpgrade as upgrade:
            return self._decline_upgrade(octets[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"This is no well-formed request: {error}.")
        if self._in_head:
            self._head_bytes_fed += len(octets)
            self._check_head(self._head_bytes_fed)
        return self._take()

    def _take(self) -> list[Request | Refusal]:
        complete, self._complete = self._complete, []
        return complete

    def _decline_upgrade(self, rest: bytes) -> list[Request | Refusal]:
        """Answer the request as if it had asked for no other protocol, which RFC 9110 7.8 allows, and read on."""
        complete = self._take()
        if self._method() == "CONNECT":
            complete[-1:] = [Refusal(HTTPStatus.NOT_IMPLEMENTED, "This server is no proxy.")]
            self._refused = True
            return complete
        self._parser = httptools.HttpRequestParser(self)
        return complete + (self.feed(rest) if rest else [])

    def _method(self) -> str:
        return self._parser.get_method().decode("latin-1")

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        if not self._refused:
            self._refused = True
            self._complete.append(Refusal(status, sentence))

    def _check_head(self, size_bytes: int) -> None:
        if size_bytes > self._bounds.head_bytes_max:
            limit = self._bounds.head_bytes_max
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Request line and headers exceed {limit} bytes together."
            )

    def _check_body(self, size_bytes: int) -> None:
        if size_bytes > self._bounds.body_bytes_max:
            limit = self._bounds.body_bytes_max
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request body may have {limit} bytes at most.")

    # What httptools calls, by its names.

    def on_message_begin(self) -> None:
        self._target = bytearray()
        self._headers: dict[str, str] = {}
        self._pieces: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes_fed = 0
        self._in_head = True
        self.continue_due = False

    def on_url(self, piece: bytes) -> None:
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_head:
            return  # a trailer: nobody may rely on it
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._check_head(len(self._target) + sum(len(k) + len(v) for k, v in self._headers.items()))
        if "host" not in self._headers and self._parser.get_http_version() == "1.1":
            self._refuse(HTTPStatus.BAD_REQUEST, "An HTTP/1.1 request names its Host.")
        self._check_body(int(self._headers.get("content-length", "0")))
        self.continue_due = not self._refused and self._headers.get("expect", "").lower() == "100-continue"

    def on_body(self, piece: bytes) -> None:
        self._body_bytes += len(piece)
        self._check_body(self._body_bytes)
        if not self._refused:
            self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.continue_due = False
        if self._refused:
            return
        request = Request(
            method=self._method(),
            target=self._target.decode("latin-1"),
            headers=self._headers,
            body=self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces),
            keep_alive=self._parser.should_keep_alive(),
        )
        self._complete.append(request)


REASONS = {status.value: status.phrase for status in HTTPStatus}
BODILESS = frozenset({204, 304})
FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


def written(
    status: int, headers: Mapping[str, str], body: bytes, *, method: str = "GET", keep_alive: bool = True
) -> bytes:
    """Write one answer. The length of the body is ours to say, except for HEAD, where the caller may know a length."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() not in FRAMING]
    length = str(len(body))
    if method == "HEAD":
        length = next((value for name, value in headers.items() if name.lower() == "content-length"), length)
        body = b""
    if status in BODILESS:
        body = b""
    else:
        lines.append(f"content-length: {length}")
    lines.append(f"connection: {'keep-alive' if keep_alive else 'close'}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("An answer's header holds a line break, which would forge another header.")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
