"""JSON-RPC over HTTP as an Element cluster speaks it: paths and versions, Basic auth, envelopes, error pages.

Content-Type is never looked at, because clients send five different ones. What a method means is not decided here.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from snapproof.simulators.faults import SERVER_FAILURE, Dialect
from snapproof.simulators.http1 import Bounds
from snapproof.simulators.misleading import ELSEWHERE, ELSEWHERE_LABEL
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Answer
from snapproof.simulators.solidfire import bulk_ranges, rights
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import methods, perform
from snapproof.simulators.solidfire.errors import ERRORS, ElementError, checked_name
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.lies import check_lie, lied
from snapproof.simulators.solidfire.limits import BODY_BYTES_MAX
from snapproof.simulators.solidfire.logins import Administrator
from snapproof.simulators.solidfire.method import Port
from snapproof.simulators.solidfire.methods.administrators import found_cluster
from snapproof.simulators.solidfire.older import aged, serves
from snapproof.simulators.solidfire.repeated import repeats_a_member
from snapproof.simulators.solidfire.reports import report
from snapproof.simulators.solidfire.shown import shown
from snapproof.simulators.solidfire.surface.shapes import Version
from snapproof.simulators.solidfire.versions import PAIRS

USUAL_REFUSAL = "xNotReadyForIO"
UNKNOWN_LABEL = "UnknownMethod"
"""How the journal calls every method that is none, so that no caller writes what it likes into it."""
_VERSIONS = {f"/json-rpc/{pair}{slash}": version for pair, version in PAIRS.items() for slash in ("", "/")}
"""The versions by the paths at which they are served."""
_JSON = {"content-type": "application/json"}
_HTML = {"content-type": "text/html"}
_NULL = msgspec.Raw(b"null")
_NO_ID = frozenset({b"{", b"[", b"t", b"f"})
_encode = msgspec.json.Encoder(enc_hook=shown).encode

BOUNDS = Bounds(body_bytes_max=BODY_BYTES_MAX)
"""For the server around an endpoint: what is longer is refused by the length it announces, before it is read."""

_REASONS = {
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Payload Too Large",
    500: "Internal Server Error",
}

DIALECT = Dialect(check_name=lambda _method, name: checked_name(name), check_damage=check_lie)
"""Every fault makes sense here: an Element API is plain HTTP, and its errors have names."""


class _Request(msgspec.Struct, gc=False):
    """The members of an envelope that matter. The id is echoed as the bytes that came."""

    method: str | None = None
    params: Any = None
    id: msgspec.Raw = _NULL


_decode = msgspec.json.Decoder(_Request).decode


class Endpoint:
    """The HTTPS door of a cluster or, with `node`, of its node. A Wire: call it with one HTTP exchange.

    The credentials are those of the cluster's first administrator, whom the first door of an array makes. `service`
    is how the seam names the cluster.
    """

    def __init__(
        self,
        array: Array,
        *,
        username: str,
        password: str,
        seam: Seam | None = None,
        node: bool = False,
        service: str = "array",
    ) -> None:
        self._array = array
        self._seam = seam
        self._service = service
        self._port = Port.NODE if node else Port.CLUSTER
        self._recent: tuple[bytes, Administrator] | None = None
        with array.lock:
            found_cluster(array, username=username, password=password)

    def __repr__(self) -> str:
        return f"Endpoint(array={self._array.name!r}, port={self._port.name})"

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one exchange. AnswerLostError and CrashedError of an armed fault pass through."""
        path, _, query = target.partition("?")
        version = _VERSIONS.get(path)
        if version is not None and not serves(self._array, version):
            version = None
        if version is None and bulk_ranges.is_range(target):
            with self._array.lock:
                return bulk_ranges.answer(self._array, method, target, body)
        caller = self._caller(headers.get("authorization", ""))
        if caller is None:
            with self._array.lock:
                self._array.logins_refused += 1
            return _page(401)
        if path == ELSEWHERE and self._seam is not None:
            return self._seam.cross(self._service, ELSEWHERE_LABEL, lambda: _page(404), refuse=refusal)
        if version is None:
            found = report(self._array, path) if method == "GET" else None
            return (200, _JSON, found) if found else _page(404)
        host = headers.get("host", "")
        if method == "POST":
            return self._posted(caller, version, body, host)
        return self._got(caller, version, query, host) if method == "GET" and query else _page(405)

    def _caller(self, header: str) -> Administrator | None:
        """Find who sent this header; whoever called last is not read out of it again."""
        offered = header.encode(errors="replace")
        if self._recent and hmac.compare_digest(offered, self._recent[0]):
            known = self._recent[1]
            if self._array.administrators.get(known.row.cluster_admin_id) is known:
                return known
        scheme, _, encoded = offered.partition(b" ")
        try:
            username, _, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        except binascii.Error:
            return None
        caller = self._array.administrator_named(username.decode(errors="replace"))
        expected = caller.password.encode() if caller else b""
        if caller is None or scheme.lower() != b"basic" or not hmac.compare_digest(password, expected):
            return None
        self._recent = offered, caller
        return caller

    def _posted(self, caller: Administrator, version: Version, body: bytes, host: str) -> Answer:
        if len(body) > BODY_BYTES_MAX:
            return _page(413)
        try:
            request = _decode(body)
            members = (request.method is not None) + (request.params is not None) + (request.id is not _NULL)
            repeated = repeats_a_member(body, members=members, value=request.params)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return _failure(ElementError(GUESSED.bad_body, "The body must be one JSON object with method and params."))
        if bytes(request.id)[:1] in _NO_ID:
            return _failure(ElementError(GUESSED.bad_body, "The id must be a string, a number or null."))
        if repeated:
            return _failure(ElementError(GUESSED.bad_body, "A member of the body is named twice."), request.id)
        return self._answer(caller, version, request, host)

    def _got(self, caller: Administrator, version: Version, query: str, host: str) -> Answer:
        params = dict(parse_qsl(query))
        return self._answer(caller, version, _Request(method=params.pop("method", None), params=params), host)

    def _answer(self, caller: Administrator, version: Version, request: _Request, host: str) -> Answer:
        name, params = request.method, request.params
        if not name:
            return _failure(ElementError("xMissingParameter", member="method"), request.id)
        if params is not None and type(params) is not dict:
            return _failure(ElementError(GUESSED.bad_type, "params must be of type object."), request.id)

        act = partial(self._performed, caller, version, request)
        if self._seam is None:
            return act()
        label = name if name in methods() else UNKNOWN_LABEL
        return self._seam.cross(
            self._service,
            label,
            act,
            refuse=partial(refusal, call_id=request.id),
            damage=lambda lie: lied(self._array, lie, act(), host=host),
        )

    def _performed(self, caller: Administrator, version: Version, request: _Request) -> Answer:
        array, name = self._array, request.method or ""
        with array.lock:
            before = array.caller  # a script of this cluster may be calling, on behalf of whoever called first
            try:
                if name in methods():
                    rights.check(caller.row, name)
                array.caller = caller
                params = request.params or {}
                result, unused = perform(array, name, params, version=version, port=self._port)
                envelope: dict[str, Any] = {"id": request.id, "result": result}
                if unused:
                    envelope["warning"] = {"unusedParameters": {word: params[word] for word in unused}}
                return aged(array, (200, _JSON, _encode(envelope)))
            except ElementError as refused:
                return _failure(refused, request.id)
            finally:
                array.caller = before


def refusal(name: str, call_id: msgspec.Raw = _NULL) -> Answer:
    """Answer an error as a fault wants it, the usual transient one for an empty name.

    Raises ValueError with the nearest names for an error that Element does not have.
    """
    if name == SERVER_FAILURE:
        return _page(500)
    name = checked_name(name or USUAL_REFUSAL)
    status = ERRORS[name].http
    return _failure(ElementError(name), call_id) if status == 200 else _page(status)


def _failure(error: ElementError, call_id: msgspec.Raw = _NULL) -> Answer:
    shown = {"code": 500, "message": error.message, "name": error.name}
    return 200, _JSON, _encode({"id": call_id, "error": shown})


def _page(status: int) -> Answer:
    """Write an error page with the words that clients look for: `401 Unauthorized.` with its dot, `<p> ... </p>`."""
    title = f"{status} {_REASONS[status]}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><p> {title}. </p></body></html>\n"
    headers = _HTML | ({"www-authenticate": 'Basic realm="Element API"'} if status == 401 else {})
    return status, headers, page.encode()
