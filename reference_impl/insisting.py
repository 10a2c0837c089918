"""Trying again, and committing what a lost answer leaves in doubt. What is tried and written is not known here."""

import logging
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from snapproof.driver import DriverError, UnavailableError
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError, Phase, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.ports import CallError, TransientError, UnknownOutcomeError
from snapproof.reference_impl.settings import Settings
from snapproof.site import Clock

LOG = logging.getLogger("snapproof.orchestrator")

T = TypeVar("T")


class Patience:
    """How often one life tries what fails for a moment, and how long it pauses between."""

    def __init__(self, settings: Callable[[], Settings], clock: Clock, dice: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._dice = dice

    def insist(self, attempt: Callable[..., T], about: Mapping[str, Any] = MappingProxyType({})) -> T:
        """Try again after a refusal that may pass and after a lost answer, not after a final no."""
        settings, number = self._settings(), 1
        while True:
            try:
                return attempt(again=number > 1)
            except (TransientError, UnknownOutcomeError) as error:
                told = {**about, "attempt": number, "cause": str(error)}
                LOG.warning("attempt %d of %d failed: %s", number, settings.attempts_max, error, extra=told)
                if number >= settings.attempts_max:
                    raise
                pause_s = settings.backoff_s * 2 ** (number - 1)
                self._clock.sleep(pause_s * self._dice.uniform(0.5, 1.5))
            number += 1


class Writer:
    """Commits one change after another to the catalog."""

    def __init__(self, catalog: Catalog, patience: Patience) -> None:
        self._catalog = catalog
        self._patience = patience

    def write(self, change: Callable[[Session, Transaction], None], changed: Callable[[], T | None]) -> T:
        """Commit one change. A lost answer is no riddle here: the row's version tells whether the change is there."""

        def attempt(*, again: bool) -> T:
            known = changed() if again else None
            if known is not None:
                return known
            with self._catalog.transaction() as session:
                change(session, Transaction(session, self._catalog.now()))
            written = changed()
            if written is None:
                raise OvertakenError("What was committed has been changed again by somebody else.")
            return written

        try:
            return self._patience.insist(attempt)
        except CallError as error:
            raise UnavailableError(f"The catalog cannot be written: {error}") from error

    def move(
        self,
        job: Job,
        phase: Phase,
        *,
        cursor: int | None = None,
        facts: Facts | None = None,
        error: DriverError | None = None,
        write: Callable[[Transaction], None] = lambda _tx: None,
    ) -> Job:
        place = job.cursor if cursor is None else cursor

        found = job.facts if facts is None else facts

        def change(_session: Session, tx: Transaction) -> None:
            tx.advance_job(job, phase, place, found, error)
            write(tx)

        def changed() -> Job | None:
            now = self._catalog.job(job.uuid)
            ours = (job.version + 1, phase, place, found)
            return now if now and (now.version, now.phase, now.cursor, now.facts) == ours else None

        return self.write(change, changed)
