"""Any driver of our own process behind the contract: a wire to hand to a server.

The command that does so, `snapproof host`, is in commands/host.py.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import msgspec

from snapproof.driver import DriverError, DriverUnderTest
from snapproof.drivers.contract import (
    BEGIN,
    CALLER,
    JSON,
    PROBLEM,
    DriverFailedError,
    Problem,
    SiteMessage,
    Verb,
    problem_of,
    verbs,
)
from snapproof.site import Answer
from snapproof.vocabulary import AccountId

_JSON = {"content-type": JSON}
_PROBLEM = {"content-type": PROBLEM}
_MALFORMED = "urn:snapproof:problem:malformed"

log = logging.getLogger(__name__)


class Hosting:
    """A wire. One life at a time: `begin` starts one and ends the one before. Verbs may come while others last.

    What a driver raises beside the port's errors comes out as it is, unless the driver is a Confessing one.
    """

    def __init__(self, start: Callable[[SiteMessage], DriverUnderTest], begun: DriverUnderTest | None = None) -> None:
        self._start = start
        self._driver = begun
        self._beginning = threading.Lock()
        self._verbs = {verb.path: verb for verb in verbs().values()}

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Answer one exchange."""
        if method != "POST" or (target != BEGIN and target not in self._verbs):
            return _problem(404, "There is no such verb; see the contract's OpenAPI document.")
        try:
            return (
                self._begin(body) if target == BEGIN else self._perform(self._verbs[target], body, headers.get(CALLER))
            )
        except msgspec.ValidationError as error:
            return _problem(422, f"{target} was sent a message that breaks the contract: {error}")
        except msgspec.DecodeError as error:
            return _problem(400, f"{target} was sent no JSON: {error}")
        except (DriverError, DriverFailedError) as error:
            problem = problem_of(error)
            return problem.status, _PROBLEM, msgspec.json.encode(problem)

    def _begin(self, body: bytes) -> Answer:
        site = msgspec.json.decode(body, type=SiteMessage)
        with self._beginning:
            self.close()
            self._driver = self._start(site)
        return 204, {}, b""

    def _perform(self, verb: Verb, body: bytes, caller: str | None) -> Answer:
        asked = msgspec.json.decode(body, type=verb.body)
        if self._driver is None:
            return _problem(409, "No life has begun; post a site to /v1/begin first.")
        driver = self._driver if caller is None else self._driver.on_behalf_of(AccountId(caller))
        answer: Any = getattr(driver, verb.name)(**verb.arguments(asked))
        with confessed(f"What {verb.name} answered"):
            return 200, _JSON, msgspec.json.encode(answer)

    def metrics(self) -> bytes | None:
        """What the present life's driver has to tell Prometheus, if it measures anything."""
        asked = getattr(self._driver, "metrics", None)
        return cast("bytes", asked()) if callable(asked) else None

    def close(self) -> None:
        """End the present life."""
        if self._driver is not None:
            self._driver.close()
            self._driver = None


class Confessing:
    """A driver for callers in other processes: where its own code fails, they learn what was raised there."""

    def __init__(self, driver: DriverUnderTest) -> None:
        self._driver = driver

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Give the same driver as this account may use it."""
        with confessed("on_behalf_of"):
            return cast("DriverUnderTest", Confessing(self._driver.on_behalf_of(caller)))

    def __getattr__(self, name: str) -> Any:
        return partial(self._ask, name) if name in verbs() else getattr(self._driver, name)

    def _ask(self, verb: str, *positional: Any, **named: Any) -> Any:
        with confessed(verb):
            return getattr(self._driver, verb)(*positional, **named)


@contextmanager
def confessed(act: str) -> Iterator[None]:
    """Turn what is no refusal into DriverFailedError, which names its type alone: in the text there may be a secret."""
    try:
        yield
    except DriverError:
        raise
    except Exception as error:
        log.exception("%s failed in the driver.", act)
        raise DriverFailedError(
            f"{act} ended in {type(error).__name__}, which is no refusal; the driver's log says more."
        ) from error


def _problem(status: int, detail: str) -> Answer:
    problem = Problem(type=_MALFORMED, title="Malformed", status=status, detail=detail)
    return status, _PROBLEM, msgspec.json.encode(problem)
