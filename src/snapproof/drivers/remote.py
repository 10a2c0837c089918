"""A driver behind HTTP, as the suite sees it: every verb of the port becomes one POST of the contract.

How its process is started and ended is in process.py; what the messages are is in contract.py.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import msgspec
import urllib3

from snapproof.driver import DriverUnderTest
from snapproof.drivers.contract import (
    BEGIN,
    CALLER,
    JOBS,
    JSON,
    PROBLEM,
    BrokenContractError,
    DriverDiedError,
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
BEGIN_VERB = Verb(name="begin", body=SiteMessage, answer=None, purpose="Begin a life at this site.")


class UnansweredError(Exception):
    """There was no answer: the connection was refused, reset, or silent for too long."""


def begin(wire: Wire, site: SiteMessage, *, clock: Clock, explain: Callable[[str], BaseException]) -> DriverUnderTest:
    """Begin a life of the driver that answers on `wire`. `explain` turns a missing answer into who is to blame."""
    caller = _Caller(wire, clock, explain)
    caller.call(BEGIN_VERB, BEGIN, msgspec.json.encode(site))
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
        except urllib3.exceptions.HTTPError as error:
            raise UnansweredError(f"{url} gave no answer to {method} {target}: {error}") from error
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data

    return exchange


class _Caller:
    """Has every verb of the port as a method; the port's own text says what each means."""

    def __init__(
        self, wire: Wire, clock: Clock, explain: Callable[[str], BaseException], caller: AccountId | None = None
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
        return self.call(verb, verb.path, verb.written(verb.bind(*positional, **named)))

    def call(self, verb: Verb, path: str, body: bytes) -> Any:
        """Post one message and wait for the end of what it begins. Raises DriverError, or what breaks the contract."""
        started_s = self._clock.time()
        status, headers, answer = self._exchange("POST", path, body)
        while status == 202:
            job = _decoded(answer, Job, verb)
            if self._clock.time() - started_s > PATIENCE_S:
                raise DriverSilentError(f"Job {job.job} of {verb.name} did not end within {PATIENCE_S:g} s.")
            self._clock.sleep(job.poll_after_s)
            status, headers, answer = self._exchange("GET", JOBS + job.job, b"")
        if status in {200, 204}:
            return None if verb.answer in {None, type(None)} else _decoded(answer, verb.answer, verb)
        if headers.get("content-type", "").partition(";")[0].strip() == PROBLEM:
            raise error_of(_decoded(answer, Problem, verb))
        raise _broken(verb, f"HTTP {status}", answer)

    def _exchange(self, method: str, target: str, body: bytes) -> Answer:
        try:
            return self._wire(method, target, self._headers, body)
        except UnansweredError as error:
            raise self._explain(str(error)) from error


def _decoded(answer: bytes, kind: Any, verb: Verb) -> Any:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.MsgspecError as error:
        raise _broken(verb, str(error), answer) from error


def _broken(verb: Verb, why: str, answer: bytes) -> BrokenContractError:
    quoted = answer[:QUOTED_MAX].decode(errors="replace")
    return BrokenContractError(f"The driver's answer to {verb.name} is not what the contract says ({why}): {quoted!r}")
