"""The doors of a pool, one for each host: XML-RPC and JSON-RPC as xapi speaks them, over TCP or a unix socket.

A wire is bytes in, bytes out (serving.py puts it on a socket). What calls do is in methods*.py. Sessions are opened
here, where the passwords are, and calls wait here for events, so that nobody is kept from the pool meanwhile.
"""

import hmac
import re
import xmlrpc.client
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.parsers.expat import ExpatError

from snapproof.simulators.faults import SERVER_FAILURE, AnswerCutError, AnswerLostError, Dialect, known_name
from snapproof.simulators.misleading import ELSEWHERE, ELSEWHERE_LABEL, XML_LIES, known_lie, misled
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Answer
from snapproof.simulators.xenserver import jsonrpc
from snapproof.simulators.xenserver.datamodel import Role
from snapproof.simulators.xenserver.failures import CODES, XapiError
from snapproof.simulators.xenserver.methods import LIST_METHODS, LOGINS
from snapproof.simulators.xenserver.pool import Pool
from snapproof.simulators.xenserver.waiting import WAIT_S_MAX, patience_of, waited

BODY_BYTES_MAX = 1 * 2**20
PATHS = ("/", "/RPC2", "/xmlrpc")
JSON_PATH = "/jsonrpc"
EMPTY_ANSWER = "EMPTY"
"""A fault of this name is no refusal: the call answers an empty string, as a probe does through a bad transport."""
HOST_DIES = "HOST_DIES"
"""The master dies at this call, and comes back: whatever it was doing breaks off, and the answer is lost."""
POWER_CUT = "POWER_CUT"
"""The master's power goes at this call; whoever arranged it gives it back."""
ECHO = "answer-echo"
"""The call fails, and the host says why in full: what it was sent, and how its iSCSI initiator is configured."""
MOUNTS_STALE = "MOUNTS_STALE"
"""Whatever the hosts have mounted goes stale just before this call, which is then performed."""
_LOCAL = frozenset({*LOGINS[1:], "session.local_logout", LIST_METHODS})
"""What a slave answers itself."""
_FORBIDDEN = ("<!DOCTYPE", "<!ENTITY", "\0")  # no client needs them; entities can blow up and read files
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BETWEEN_TAGS = re.compile("(?<!<string)(?<!<name)>\n(?=<)")  # xapi puts nothing there, and xen-api relies on it
_BAD_DOCUMENT = (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AttributeError, OverflowError)
_HEADERS = {"content-type": "text/xml"}
_BACKEND_FAILURE = re.compile(r"SR_BACKEND_FAILURE_[1-9][0-9]*")
_FAILED: Answer = (
    500,
    {"content-type": "text/html"},
    b"<html><body><h1>HTTP 500 internal server error</h1></body></html>",
)


def check_name(_method: str, name: str) -> None:
    """Raise ValueError for a code that xapi does not have; the storage manager's numbers are all its own."""
    if not _BACKEND_FAILURE.fullmatch(name):
        known_name(name, {*CODES, EMPTY_ANSWER, HOST_DIES, POWER_CUT, MOUNTS_STALE}, "xapi")


def check_lie(_method: str, name: str) -> None:
    """Raise UnfitFaultError for a lie that a host does not tell."""
    known_lie(name, {*XML_LIES, ECHO}, "A host")


DIALECT = Dialect(check_name=check_name, check_damage=check_lie)
"""Every fault makes sense here: calls come over plain HTTP, and failures have codes."""


class _FailedError(Exception):
    """This call is answered with HTTP 500, whatever wire it came over."""


class _MisleadingError(Exception):
    """This call has been performed, and its true answer is not given."""

    def __init__(self, name: str, answer: dict[str, object]) -> None:
        super().__init__(name)
        self.name = name
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who may log in, and what sessions of theirs may do."""

    password: str = field(repr=False)
    role: Role = Role.POOL_ADMIN


class Endpoint:
    """One host's door. Every call passes the seam as `<service>.<Class.method>`.

    `turn` is held while the pool is asked, and not while a call waits for events. Over a unix socket a slave passes on
    what only the master can answer; over TCP it tells who the master is. `configuration` is what the hosts' iSCSI
    initiators are configured with, CHAP secrets included; only a host that echoes tells it.
    """

    def __init__(
        self,
        pool: Pool,
        *,
        username: str,
        password: str,
        seam: Seam | None = None,
        service: str = "host",
        host: int = 0,
        unix: bool = False,
        users: Mapping[str, User] | None = None,
        turn: AbstractContextManager[object] | None = None,
        wait_s_max: float = WAIT_S_MAX,
        configuration: Callable[[], str] = str,
    ) -> None:
        self._pool = pool
        self._configuration = configuration
        self._users = {**(users or {}), username: User(password=password, role=Role.ROOT)}
        self._seam = seam
        self._service = service
        self._host = host
        self._unix = unix
        self._turn: AbstractContextManager[object] = turn or nullcontext()
        self._wait_s_max = wait_s_max

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path = target.partition("?")[0]
        if path == ELSEWHERE and self._seam is not None:
            return self._seam.cross(self._service, ELSEWHERE_LABEL, lambda: _FAILED, refuse=lambda _: _FAILED)
        if path not in PATHS and path != JSON_PATH:
            return (
                404,
                {"content-type": "text/plain"},
                b"There is nothing here; POST XML-RPC to / or JSON to /jsonrpc.\n",
            )
        if method != "POST":
            return 405, {"content-type": "text/plain", "allow": "POST"}, b"Calls are POSTed.\n"
        if len(body) > BODY_BYTES_MAX:
            return 413, {"content-type": "text/plain"}, b"The document is larger than any call of this API.\n"
        if not self._pool.has_power(self._host):
            raise AnswerLostError(f"Host {self._host} of the pool has no power.")
        try:
            return self._by_json(body) if path == JSON_PATH else self._by_xml(body)
        except _MisleadingError as lie:
            true = 200, _HEADERS, _written(lie.answer)
            return misled(lie.name, true, XML_LIES, host=headers.get("host", ""))

    def answer(self, name: str, arguments: tuple[object, ...]) -> dict[str, object]:
        """Answer one call in xapi's shape, whatever wire it came over."""
        if self._seam is None or "." not in name:
            return self._performed(name, arguments)

        def refuse(fault: str) -> dict[str, object]:
            if fault != MOUNTS_STALE:
                return self._refused(fault)
            with self._turn:
                self._pool.stale_mounts()
            return self._performed(name, arguments)

        return self._seam.cross(
            self._service,
            name,
            lambda: self._performed(name, arguments),
            refuse=refuse,
            damage=lambda lie: self._misled(lie, name, arguments),
        )

    def _by_xml(self, body: bytes) -> Answer:
        try:
            name, arguments = _read(body)
        except _BAD_DOCUMENT:
            return 200, _HEADERS, xmlrpc.client.dumps(xmlrpc.client.Fault(400, "This is no XML-RPC call.")).encode()
        return self._exchanged(name, arguments, _HEADERS, _written)

    def _by_json(self, body: bytes) -> Answer:
        try:
            call = jsonrpc.read(body)
        except jsonrpc.BadRequestError as error:
            return 200, jsonrpc.HEADERS, jsonrpc.refused(error)
        return self._exchanged(call.name, call.arguments, jsonrpc.HEADERS, lambda answer: jsonrpc.written(call, answer))

    def _exchanged(
        self,
        name: str,
        arguments: tuple[object, ...],
        headers: Mapping[str, str],
        written: Callable[[Any], bytes],
    ) -> Answer:
        try:
            return 200, headers, written(self.answer(name, arguments))
        except _FailedError:
            return _FAILED
        except AnswerCutError as cut:
            raise AnswerCutError(str(cut), (200, headers, written(cut.answer))) from cut

    def _performed(self, name: str, arguments: tuple[object, ...]) -> dict[str, object]:
        try:
            self._require_master(name)
            value = self._log_in(name, arguments) if name in LOGINS else self._asked(name, arguments)
        except XapiError as error:
            return {"Status": "Failure", "ErrorDescription": list(error.description)}
        return {"Status": "Success", "Value": "" if value is None else value}

    def _asked(self, name: str, arguments: tuple[object, ...]) -> object:
        """Ask the pool, again and again where the call waits for something to happen."""

        def ask() -> object:
            with self._turn:
                return self._pool.call(name, arguments)

        patience_s = patience_of(name, arguments, wait_s_max=self._wait_s_max)
        return ask() if patience_s is None else waited(self._pool.clock, ask, patience_s)

    def _require_master(self, name: str) -> None:
        master = self._pool.master_of(self._host)
        if master is not None and not self._unix and name not in _LOCAL:
            raise XapiError("HOST_IS_SLAVE", master)

    def _log_in(self, name: str, arguments: tuple[object, ...]) -> str:
        most, least = (4, 2) if name == LOGINS[0] else (2, 2)
        if not least <= len(arguments) <= most:
            raise XapiError("MESSAGE_PARAMETER_COUNT_MISMATCH", name, str(most), str(len(arguments)))
        username, password = str(arguments[0]), str(arguments[1])
        user = self._users.get(username)
        known = user or User(password="")
        fits = hmac.compare_digest(known.password.encode(), password.encode())
        if user is None or not fits:
            raise XapiError("SESSION_AUTHENTICATION_FAILED", username, "Authentication failure")
        with self._turn:
            return self._pool.log_in(username, user.role)

    def _misled(self, lie: str, name: str, arguments: tuple[object, ...]) -> dict[str, object]:
        if lie != ECHO:
            raise _MisleadingError(lie, self._performed(name, arguments))
        said = f"{name}{arguments}: iscsiadm: login failed with {self._configuration()}"
        return {"Status": "Failure", "ErrorDescription": ["SR_BACKEND_FAILURE_68", "", said, ""]}

    def _refused(self, name: str) -> dict[str, object]:
        if name == SERVER_FAILURE:
            raise _FailedError
        if name == EMPTY_ANSWER:
            return {"Status": "Success", "Value": ""}
        if name in {HOST_DIES, POWER_CUT}:
            with self._turn:
                (self._pool.crash_host if name == HOST_DIES else self._pool.cut_power)(self._pool.master)
            raise AnswerLostError("The master died.")
        detail = ["", "The storage manager failed", ""] if name.startswith("SR_BACKEND_FAILURE") else []
        described = [name, *detail] if name else ["INTERNAL_ERROR", "The host failed"]
        return {"Status": "Failure", "ErrorDescription": described}


def doors(
    pool: Pool,
    *,
    username: str,
    password: str,
    seam: Seam | None = None,
    service: str = "host",
    turn: AbstractContextManager[object] | None = None,
    unix: bool = False,
    wait_s_max: float = WAIT_S_MAX,
    configuration: Callable[[], str] = str,
) -> tuple[Endpoint, ...]:
    """Give every host of a pool its door, the first host's first. Serve them `blocking`: some calls wait for events."""
    return tuple(
        Endpoint(
            pool,
            username=username,
            password=password,
            seam=seam,
            service=service,
            turn=turn,
            host=number,
            unix=unix,
            wait_s_max=wait_s_max,
            configuration=configuration,
        )
        for number in range(pool.hosts)
    )


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
    return _BETWEEN_TAGS.sub(">", xmlrpc.client.dumps((plain,), methodresponse=True)).encode()


def _plain(value: object) -> object:
    """xapi's types on the wire: integers are strings, times are UTC with a Z."""
    match value:
        case bool() | float():
            return value
        case datetime():
            return xmlrpc.client.DateTime(value.strftime("%Y%m%dT%H:%M:%SZ"))
        case dict():
            return {str(key): _plain(content) for key, content in value.items()}
        case list():
            return [_plain(content) for content in value]
        case _:
            return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", "" if value is None else str(value))
