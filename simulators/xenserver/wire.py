"""XML-RPC as xapi speaks it: one POST for each call, an answer with Status and Value or ErrorDescription.

A wire is bytes in, bytes out (serving.py puts it on a socket). What calls do is in methods*.py.
"""

import hmac
import re
import xmlrpc.client
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.parsers.expat import ExpatError

from snapproof.simulators.faults import SERVER_FAILURE, AnswerCutError, Dialect, Seam, known_name
from snapproof.simulators.serving import Answer
from snapproof.simulators.xenserver.failures import CODES, XapiError
from snapproof.simulators.xenserver.pool import Pool

BODY_BYTES_MAX = 1 * 2**20
PATHS = ("/", "/RPC2")
EMPTY_ANSWER = "EMPTY"
"""A fault of this name is no refusal: the call answers an empty string, as a probe does through a bad transport."""

_LOGIN = "session.login_with_password"
_FORBIDDEN = ("<!DOCTYPE", "<!ENTITY", "\0")  # no client needs them; entities can blow up and read files
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BAD_DOCUMENT = (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AttributeError, OverflowError)
_HEADERS = {"content-type": "text/xml"}
_BACKEND_FAILURE = re.compile(r"SR_BACKEND_FAILURE_[1-9][0-9]*")


def check_name(_method: str, name: str) -> None:
    """Raise ValueError for a code that xapi does not have; the storage manager's numbers are all its own."""
    if not _BACKEND_FAILURE.fullmatch(name):
        known_name(name, {*CODES, EMPTY_ANSWER}, "xapi")


DIALECT = Dialect(check_name=check_name)
"""Every fault makes sense here: calls come over plain HTTP, and failures have codes."""


class _FailedError(Exception):
    """This call is answered with HTTP 500, whatever wire it came over."""


class Endpoint:
    """A pool's XML-RPC door. Every call passes the seam as `host.<Class.method>`."""

    def __init__(self, pool: Pool, *, username: str, password: str, seam: Seam | None = None) -> None:
        self._pool = pool
        self._username = username
        self._password = password
        self._seam = seam

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if target.partition("?")[0] not in PATHS:
            return 404, {"content-type": "text/plain"}, b"There is nothing here; POST XML-RPC to / or /RPC2.\n"
        if method != "POST":
            return 405, {"content-type": "text/plain", "allow": "POST"}, b"XML-RPC is POSTed.\n"
        if len(body) > BODY_BYTES_MAX:
            return 413, {"content-type": "text/plain"}, b"The document is larger than any call of this API.\n"
        try:
            name, arguments = _read(body)
        except _BAD_DOCUMENT:
            return 200, _HEADERS, xmlrpc.client.dumps(xmlrpc.client.Fault(400, "This is no XML-RPC call.")).encode()
        try:
            return 200, _HEADERS, _written(self.answer(name, arguments))
        except _FailedError:
            return (
                500,
                {"content-type": "text/html"},
                b"<html><body><h1>HTTP 500 internal server error</h1></body></html>",
            )
        except AnswerCutError as cut:
            raise AnswerCutError(str(cut), (200, _HEADERS, _written(cut.answer))) from cut

    def answer(self, name: str, arguments: tuple[object, ...]) -> dict[str, object]:
        """Answer one call in xapi's shape, whatever wire it came over."""
        if self._seam is None or "." not in name:
            return self._performed(name, arguments)
        return self._seam.cross("host", name, lambda: self._performed(name, arguments), refuse=_refused)

    def _performed(self, name: str, arguments: tuple[object, ...]) -> dict[str, object]:
        try:
            value = self._log_in(arguments) if name == _LOGIN else self._pool.call(name, arguments)
        except XapiError as error:
            return {"Status": "Failure", "ErrorDescription": list(error.description)}
        return {"Status": "Success", "Value": "" if value is None else value}

    def _log_in(self, arguments: tuple[object, ...]) -> str:
        if not 2 <= len(arguments) <= 4:
            raise XapiError("MESSAGE_PARAMETER_COUNT_MISMATCH", _LOGIN, "4", str(len(arguments)))
        given = [str(argument).encode() for argument in arguments[:2]]
        wanted = [self._username.encode(), self._password.encode()]
        if not all(hmac.compare_digest(one, other) for one, other in zip(given, wanted, strict=True)):
            raise XapiError("SESSION_AUTHENTICATION_FAILED", str(arguments[0]), "Authentication failure")
        return self._pool.log_in(self._username)


def _refused(name: str) -> dict[str, object]:
    if name == SERVER_FAILURE:
        raise _FailedError
    if name == EMPTY_ANSWER:
        return {"Status": "Success", "Value": ""}
    detail = ["", "The storage manager failed", ""] if name.startswith("SR_BACKEND_FAILURE") else []
    return {"Status": "Failure", "ErrorDescription": [name, *detail] if name else ["INTERNAL_ERROR", "The host failed"]}


def _read(body: bytes) -> tuple[str, tuple[object, ...]]:
    document = body.decode()  # handing text to the parser also takes the choice of an encoding from the document
    if any(word in document for word in _FORBIDDEN):
        raise ValueError("A call needs no document type and no entities.")
    arguments, name = xmlrpc.client.loads(document)
    if name is None:
        raise ValueError("This is an answer, not a call.")
    return name, arguments


def _written(answer: object) -> bytes:
    plain: Any = _plain(answer)  # typeshed names what can be marshalled, but not publicly
    return xmlrpc.client.dumps((plain,), methodresponse=True).encode()


def _plain(value: object) -> object:
    """xapi's types on the wire: integers are strings, times are UTC with a Z."""
    match value:
        case bool() | float():
            return value
        case int():
            return str(value)
        case datetime():
            return xmlrpc.client.DateTime(value.strftime("%Y%m%dT%H:%M:%SZ"))
        case dict():
            return {str(key): _plain(content) for key, content in value.items()}
        case list():
            return [_plain(content) for content in value]
        case _:
            return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value))
