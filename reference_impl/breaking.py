"""Leaving alone what keeps failing: a circuit breaker for each verb of a secondary store.

After so many failures in a row a verb is refused without a call, for a while; then one call may try it again. Failures
are counted by verb, since a store that takes no more bytes may well answer questions. What a life has counted dies with
it: the next one finds out anew.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from snapproof.driver import UnavailableError
from snapproof.reference_impl.ports import CallError, GoneError, SecondaryStore, StoppedError, TransientError
from snapproof.reference_impl.settings import Settings
from snapproof.site import Clock

LOG = logging.getLogger("snapproof.breaker")

VERBS = ("inspect", "publish", "published", "fetch", "delete", "clear_staging")
BACKING_UP = ("inspect", "publish")
"""What a backup cannot do without."""

NO_FAILURE = (GoneError, StoppedError)
"""Answers that tell nothing against the store."""


class Breaker:
    """Counts the failures of one verb in a row, and refuses it while there are too many."""

    def __init__(self, verb: str, clock: Clock, settings: Callable[[], Settings]) -> None:
        self._verb = verb
        self._clock = clock
        self._settings = settings
        self._lock = threading.Lock()
        self._failures = 0
        self._tried_s = 0.0

    @property
    def open_until_s(self) -> float:
        """Until when the verb is refused; nought while it is not."""
        if self._failures < self._settings().breaker_failures:
            return 0.0
        return self._tried_s + self._settings().breaker_pause_s

    def require(self) -> None:
        """Raise TransientError while the verb is refused."""
        until_s = self.open_until_s
        if self._clock.time() < until_s:
            raise TransientError(
                f"The secondary store has failed {self._failures} times in a row to {self._verb} and is left alone for "
                f"{until_s - self._clock.time():.0f} s more; nothing was called."
            )

    def guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same verb, refused while it must be."""

        def guarded_call(*given: Any, **named: Any) -> Any:
            with self._lock:
                self.require()
                self._tried_s = self._clock.time()  # whoever comes next while this one tries is refused again
            try:
                found = call(*given, **named)
            except NO_FAILURE:
                self._failures = 0
                raise
            except CallError as error:
                self._fail(error)
                raise
            self._failures = 0
            return found

        return guarded_call

    def _fail(self, error: CallError) -> None:
        self._failures += 1
        self._tried_s = self._clock.time()
        if self._failures == self._settings().breaker_failures:
            told = {"outcome": "left alone", "cause": str(error)}
            LOG.warning("the store is left alone: %d failures in a row: %s", self._failures, error, extra=told)


class GuardedStore:
    """A secondary store behind its breakers; all its other members are what they were."""

    def __init__(self, store: SecondaryStore, clock: Clock, settings: Callable[[], Settings]) -> None:
        self._store = store
        self.breakers: Mapping[str, Breaker] = {verb: Breaker(verb, clock, settings) for verb in VERBS}

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return self.breakers[name].guarded(found) if name in self.breakers else found


def guarded(store: SecondaryStore, clock: Clock, settings: Callable[[], Settings]) -> SecondaryStore:
    """The same store behind breakers."""
    behind: Any = GuardedStore(store, clock, settings)  # as wide as the store, whatever members it has
    found: SecondaryStore = behind
    return found


def require_store(store: SecondaryStore) -> None:
    """Refuse to begin a backup that could not be kept. Raises UnavailableError."""
    breakers: Mapping[str, Breaker] = getattr(store, "breakers", {})
    for verb in BACKING_UP:
        if verb in breakers:
            try:
                breakers[verb].require()
            except TransientError as error:
                raise UnavailableError(str(error)) from error
