"""Waiting for a place in every lane that an effect needs, in the order of asking. What the lanes are, core/ says."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from snapproof.reference_impl.core.admission import Lane, Limits, Ticket, lanes_of, may_enter
from snapproof.reference_impl.core.effects import Effect
from snapproof.site import Clock

LOOK_AGAIN_S = 0.5
"""How long somebody who waits sleeps before he looks again."""


class Admission:
    """Who has entered and who waits, in one life. Waiting is sleeping on the clock, so that it can be interrupted."""

    def __init__(self, clock: Clock, limits: Callable[[], Limits]) -> None:
        self._clock = clock
        self._limits = limits
        self._lock = threading.Lock()
        self._entered: list[Ticket] = []
        self._waiting: list[Ticket] = []
        self._count = 0

    @contextmanager
    def admitted(self, job: str, effect: Effect, pool: str) -> Iterator[None]:
        """Wait for a place in all lanes that an effect needs, and hold it as long as the context lasts."""
        lanes = lanes_of(effect, pool=pool, limits=self._limits())
        ticket = self._asked(job, lanes)
        try:
            while not self._enter(ticket):
                self._clock.sleep(LOOK_AGAIN_S)
            yield
        finally:
            with self._lock:
                self._waiting = [other for other in self._waiting if other is not ticket]
                self._entered = [other for other in self._entered if other is not ticket]

    def queue(self) -> Sequence[str]:
        """The jobs that wait, those first that asked first."""
        with self._lock:
            return [ticket.job for ticket in self._waiting]

    def _asked(self, job: str, lanes: Mapping[Lane, int]) -> Ticket:
        with self._lock:
            self._count += 1
            ticket = Ticket(number=self._count, job=job, lanes=lanes)
            self._waiting.append(ticket)
            return ticket

    def _enter(self, ticket: Ticket) -> bool:
        with self._lock:
            ahead = [other for other in self._waiting if other.number < ticket.number]
            free = may_enter(ticket, entered=self._entered, ahead=ahead)
            if free:
                self._waiting.remove(ticket)
                self._entered.append(ticket)
            return free
