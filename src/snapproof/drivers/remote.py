"""A driver behind HTTP, as the suite sees it: every verb of the port becomes one POST of the contract.

How its process is started and ended is in process.py; what the messages are is in contract.py.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import quote

import msgspec
import urllib3

from snapproof.driver import DriverError, DriverUnderTest
from snapproof.drivers.contract import (
    BEGIN,
    CALLER,
    IDEMPOTENCY_KEY,
    JOBS,
    JSON,
    PROBLEM,
    BrokenContractError,
    DriverDiedError,
    DriverFailedError,
    DriverSilentError,
    Job,
    Problem,
    SiteMessage,
    Verb,
    error_of,
    verbs,
)
from snapproof.site import Answer, Clock, Wire
from snapproof.vocabulary import AccountId

PATIENCE_S = 60.0
"""How long a driver may leave one request unanswered, and one job unfinished."""
QUOTED_MAX = 300
NOTHING_MORE: Mapping[str, str] = MappingProxyType({})
BEGIN_VERB = Verb(name="begin", body=SiteMessage, answer=None, purpose="Begin a life at this site.")


class UnansweredError(Exception):
    """There was no answer, for too long."""


class NobodyThereError(UnansweredError):
    """Nobody took the connection."""


class HungUpError(UnansweredError):
    """The connection was ended where an answer should have come, or in the middle of one."""


def begin(
    wire: Wire, site: SiteMessage, *, clock: Clock, explain: Callable[["UnansweredError"], BaseException]
) -> DriverUnderTest:
    """Begin a life of the driver that answers on `wire`. `explain` turns a missing answer into who is to blame."""
    caller = _Caller(wire, clock, explain)
    caller.call(BEGIN_VERB, BEGIN, BEGIN_VERB.written(site))
    return cast("DriverUnderTest", caller)


def speak(wire: Wire, *, clock: Clock) -> DriverUnderTest:
    """Go on with a life that has begun, on a wire that always answers."""
    return cast("DriverUnderTest", _Caller(wire, clock, DriverDiedError))


def over_socket(url: str, *, patience_s: float = PATIENCE_S) -> Wire:
    """Give a wire to a server. The wire raises UnansweredError."""
    pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=patience_s))

    def exchange(method: str, target: str, headers: Any, body: bytes) -> Answer:
        try:
            answer = pool.request(method, url.rstrip("/") + target, body=body, headers=headers, redirect=False)
        except (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError) as error:
            raise HungUpError(f"{url} ended {method} {target} without an answer: {error}") from error
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise NobodyThereError(f"{url} gave no answer to {method} {target}: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise UnansweredError(f"{url} gave no answer to {method} {target}: {error}") from error
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data

    return exchange


class _Caller:
    """Has every verb of the port as a method; the port's own text says what each means."""

    def __init__(
        self,
        wire: Wire,
        clock: Clock,
        explain: Callable[["UnansweredError"], BaseException],
        caller: AccountId | None = None,
    ) -> None:
        self._wire, self._clock, self._explain = wire, clock, explain
        self._headers = {"content-type": JSON, "accept": f"{JSON}, {PROBLEM}"} | ({CALLER: caller} if caller else {})

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Ask the same life in the name of an account."""
        return cast("DriverUnderTest", _Caller(self._wire, self._clock, self._explain, caller))

    def __getattr__(self, name: str) -> Any:
        verb = verbs().get(name)
        if verb is None:
            raise AttributeError(f"The contract has no verb {name!r}; there are {', '.join(verbs())}.")
        return partial(self._ask, verb)

    def _ask(self, verb: Verb, *positional: Any, **named: Any) -> Any:
        body = verb.bind(*positional, **named)
        return self.call(verb, verb.path, verb.written(body), key=operation_of(body))

    def call(self, verb: Verb, path: str, body: bytes, *, key: str = "") -> Any:
        """Post one message and wait for the end of what it begins. Raises DriverError, or what breaks the contract."""
        started_s = self._clock.time()
        status, headers, answer = self._exchange("POST", path, body, {IDEMPOTENCY_KEY: quote(key)} if key else {})
        while status == 202:
            job = _decoded(answer, Job, verb)
            if self._clock.time() - started_s > PATIENCE_S:
                raise DriverSilentError(f"Job {job.job} of {verb.name} did not end within {PATIENCE_S:g} s.")
            self._clock.sleep(job.poll_after_s)
            status, headers, answer = self._exchange("GET", JOBS + job.job, b"")
        if status in {200, 204}:
            return None if verb.answer in {None, type(None)} else _decoded(answer, verb.answer, verb)
        if headers.get("content-type", "").partition(";")[0].strip() == PROBLEM:
            raise _problem(verb, status, answer)
        raise _broken(verb, f"HTTP {status}", answer)

    def _exchange(self, method: str, target: str, body: bytes, more: Mapping[str, str] = NOTHING_MORE) -> Answer:
        try:
            return self._wire(method, target, {**self._headers, **more}, body)
        except UnansweredError as error:
            blamed = self._explain(error)
            hung_up = isinstance(error, HungUpError) and isinstance(blamed, DriverSilentError)
            raise (BrokenContractError(f"The driver lives, and {error}.") if hung_up else blamed) from error


def operation_of(body: msgspec.Struct) -> str:
    """Give the id that makes this message the same as another: the operation's, where it is about one."""
    for asked in (body, getattr(body, "request", None)):
        if operation := getattr(asked, "operation", ""):
            return str(operation)
    return ""


def _problem(verb: Verb, status: int, answer: bytes) -> DriverError | DriverFailedError:
    problem = _decoded(answer, Problem, verb)
    if problem.status not in {0, status}:
        raise _broken(verb, f"HTTP {status} with a problem that calls itself {problem.status}", answer)
    return error_of(problem)


def _decoded(answer: bytes, kind: Any, verb: Verb) -> Any:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as error:
        raise _broken(verb, str(error), answer) from error


def _broken(verb: Verb, why: str, answer: bytes) -> BrokenContractError:
    quoted = answer[:QUOTED_MAX].decode(errors="replace")
    return BrokenContractError(f"The driver's answer to {verb.name} is not what the contract says ({why}): {quoted!r}")
