"""Speaking XenAPI: sessions, calls, tasks, and what xapi's failure codes mean for certain.

Which calls make up a verb of the hypervisor port is in xen.py. Arguments of a failure are never repeated in a message:
they may hold what was sent, CHAP secrets included (hazard C14).
"""

import xmlrpc.client
from collections.abc import Mapping
from typing import Any
from xml.parsers.expat import ExpatError, ParserCreate

from snapproof.reference_impl.adapters.transport import Transport
from snapproof.reference_impl.ports import CallError, GoneError, RefusedError, TransientError, UnknownOutcomeError
from snapproof.reference_impl.waiting import pause_s
from snapproof.site import Clock, Endpoint

ANSWER_BYTES_MAX = 8 * 2**20
ORIGINATOR = "managed-snapshots"
"""What the hosts' log calls our sessions."""

DEPTH_MAX = 64
"""How deep elements may stand in one another: a record in a map in a list takes a third of it."""

MEANINGS: Mapping[str, type[CallError]] = {
    "HANDLE_INVALID": GoneError,
    "UUID_INVALID": GoneError,
    "HOST_OFFLINE": TransientError,
    "HOST_STILL_BOOTING": TransientError,
    "HOST_NOT_LIVE": TransientError,
    "OTHER_OPERATION_IN_PROGRESS": TransientError,
    "TOO_MANY_PENDING_TASKS": TransientError,
    "INTERNAL_ERROR": UnknownOutcomeError,
}
"""Codes that mean something else than a final no."""


EXPLANATIONS: Mapping[str, str] = {"SR_ATTACH_FAILED": ", the hosts have as many storage repositories as they may"}
"""What codes mean that nobody understands by themselves."""


class XapiFailureError(RefusedError):
    """Xapi's own refusal; `text` is its explanation, kept apart from the message."""

    def __init__(self, method: str, description: list[str]) -> None:
        self.code = description[0] if description else "no code"
        self.arguments = tuple(description[1:])
        super().__init__(f"The host refused {method}: {self.code}{EXPLANATIONS.get(self.code, '')}.")


class XenApi:
    """A session with a pool, logged in when first used and again when xapi has forgotten it."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._transport = Transport(endpoint)
        self._clock = clock
        self._session: str | None = None

    def call(self, method: str, *arguments: Any) -> Any:
        """Make one call. Raises XapiFailureError for a final no, another CallError otherwise."""
        if self._session is None:
            self._session = self._log_in()
        try:
            return self._exchange(method, self._session, *arguments)
        except XapiFailureError as error:
            if error.code != "SESSION_INVALID":
                raise
        self._session = self._log_in()
        return self._exchange(method, self._session, *arguments)

    def finish(self, task: str, *, poll_s: float, timeout_s: float) -> str:
        """Wait for a task, bounded, and give its result; the task record is gone afterwards."""
        began = self._clock.time()
        deadline = began + timeout_s
        while (status := str(self.call("task.get_status", task))) == "pending":
            if self._clock.time() >= deadline:
                self.call("task.cancel", task)
                raise RefusedError(f"A task of the host did not end within {timeout_s:g} s and was cancelled.")
            self._clock.sleep(pause_s(self._clock, began_s=began, deadline_s=deadline, least_s=poll_s))
        if status != "success":
            description = [str(part) for part in self.call("task.get_error_info", task)]
            self.call("task.destroy", task)
            raise failure("the task", description)
        result = str(self.call("task.get_result", task))
        self.call("task.destroy", task)
        return result.removeprefix("<value>").removesuffix("</value>")

    def close(self) -> None:
        """Let go of the connection; the session expires by itself."""
        self._transport.close()

    def read(self, method: str, text: bytes) -> Mapping[str, Any]:
        """Read an answer; a variant of the zoo may read otherwise."""
        return _read(method, text)

    def _log_in(self) -> str:
        password = self._endpoint.password.reveal()
        return str(self._exchange("session.login_with_password", self._endpoint.username, password, "1.0", ORIGINATOR))

    def _exchange(self, method: str, *arguments: Any) -> Any:
        body = xmlrpc.client.dumps(arguments, method).encode()
        try:
            status, _, text = self._transport.exchange("POST", "/RPC2", {"content-type": "text/xml"}, body)
        except CallError as error:
            raise type(error)(f"{method}: the pool's master host: {error}") from error
        if status != 200:
            raise UnknownOutcomeError(f"{method}: the host answered with HTTP {status}.")
        answer = self.read(method, text)
        if answer.get("Status") == "Success":
            return answer.get("Value")
        if answer.get("Status") == "Failure":
            raise failure(method, [str(part) for part in answer.get("ErrorDescription", [])])
        raise UnknownOutcomeError(f"{method}: the host's answer has no status.")


def failure(method: str, description: list[str]) -> CallError:
    """Translate a refusal by the table."""
    refusal = XapiFailureError(method, description)
    kind = MEANINGS.get(refusal.code)
    return refusal if kind is None else kind(str(refusal))


def _read(method: str, text: bytes) -> Mapping[str, Any]:
    """Parse an answer. No xapi answer declares a document type or goes deep, so entities never come to be expanded."""
    if len(text) > ANSWER_BYTES_MAX:
        raise RefusedError(f"{method}: the host's answer is too large; it is refused.")
    reader = _Reader(method)
    try:
        (answer,) = reader.values(text)
    except (ExpatError, xmlrpc.client.Error, ValueError, LookupError, TypeError) as error:
        raise UnknownOutcomeError(f"{method}: the host's answer cannot be read.") from error
    if not isinstance(answer, dict):
        raise UnknownOutcomeError(f"{method}: the host's answer has no status.")
    return answer


class _Reader:
    """Reads one document: XML-RPC in UTF-8 whatever the document says of itself, with no declarations and a floor."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._depth = 0
        self._unmarshaller = xmlrpc.client.Unmarshaller()
        self._unmarshaller.xml(None, None)  # type: ignore[arg-type]  # as the library itself says that texts are decoded

    def values(self, text: bytes) -> tuple[Any, ...]:
        """Give the values of the answer. Raises RefusedError for what no answer of xapi's holds."""
        parser = ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._unmarshaller.data
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.Parse(text, True)
        return tuple(self._unmarshaller.close())

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise RefusedError(f"{self._method}: the host's answer is nested too deeply; it is refused.")
        self._unmarshaller.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._unmarshaller.end(tag)

    def _refuse(self, *_declared: object) -> None:
        raise RefusedError(f"{self._method}: the host's answer declares a document type; it is refused.")
