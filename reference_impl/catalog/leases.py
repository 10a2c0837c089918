"""Who may carry out a job: the leases that one life holds, and the look at them before every external call.

A lease is three columns of async_job: who holds it, until when, and a fence that counts the holders. It runs on by
itself with every step that is recorded, and is renewed here while one step takes long.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Protocol

from snapproof.reference_impl.catalog.engines import Terms
from snapproof.reference_impl.catalog.store import Catalog, Job, OvertakenError
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.ports import CallError, TransientError


class Insist(Protocol):
    """How the caller repeats what fails for a moment."""

    def __call__(self, attempt: Callable[..., Job], /) -> Job:
        """Give what `attempt(again=...)` gives in the end."""


class Leases:
    """The leases of one life. Jobs may run in several threads or greenlets of it, each job in one at a time."""

    def __init__(self, catalog: Catalog, terms: Terms) -> None:
        self._catalog = catalog
        self._terms = terms
        self._lock = threading.Lock()
        self._carried_out: set[int] = set()
        self._present: ContextVar[Job | None] = ContextVar("present job", default=None)

    @contextmanager
    def holding(self, job: Job, *, begun: bool, insist: Insist) -> Iterator[Job]:
        """Carry out a job: one just opened, or one `begun` before, which has to be taken over, as `insist` repeats it.

        Raises OvertakenError if somebody else carries it out, in this life or in another, and CallError if the catalog
        does not answer.
        """
        with self._lock:
            if job.id in self._carried_out:
                raise OvertakenError(f"Job {job.uuid} is carried out by this management server already.")
            self._carried_out.add(job.id)
        try:
            held = insist(partial(self._take_over, job)) if begun else job
            before = self._present.set(held)
            try:
                yield held
            finally:
                self._present.reset(before)
        finally:
            with self._lock:
                self._carried_out.remove(job.id)

    def require(self) -> None:
        """Look, before an external call, whether the job at hand is still this life's to carry out.

        Raises OvertakenError if it is not, TransientError if the catalog does not say.
        """
        job = self._present.get()
        if job is None:
            return
        fence, leased_until_ms = self._catalog.lease_of(job)
        if fence != job.fence:
            raise OvertakenError(f"Job {job.uuid} is carried out by another life: fence {fence}, not {job.fence}.")
        if leased_until_ms - self._catalog.clock.time() * 1000 < self._terms.lease_s * 1000 / 2:
            self._renew(job)

    def _take_over(self, job: Job, **_again: bool) -> Job:
        with self._catalog.transaction() as session:
            return Transaction(session, self._catalog.now()).take_over(job)

    def _renew(self, job: Job) -> None:
        try:
            with self._catalog.transaction() as session:
                Transaction(session, self._catalog.now()).keep(job)
        except CallError as error:
            raise TransientError(f"The lease of job {job.uuid} could not be renewed; nothing was called.") from error
