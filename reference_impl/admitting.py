"""Waiting for a place in every lane that an effect needs, in the order of asking. What the lanes are, core/ says."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from snapproof.reference_impl.core.admission import Lane, Limits, Ticket, lanes_of, may_enter
from snapproof.reference_impl.core.effects import Effect
from snapproof.site import Clock

LOOK_AGAIN_S, LOOK_AGAIN_S_MAX = 0.5, 10.0
"""How long those who wait sleep before they look again: the first of a lane, and whoever has many before him."""
OF_A_ROUND = 4
"""So many may come before somebody while he sleeps no longer."""


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
                self._clock.sleep(self._pause_s(ticket))
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

    def _pause_s(self, ticket: Ticket) -> float:
        with self._lock:
            before = [other for other in self._waiting if other.number < ticket.number]
        rounds = 1 + sum(not ticket.lanes.keys().isdisjoint(other.lanes) for other in before) // OF_A_ROUND
        return min(rounds * LOOK_AGAIN_S, LOOK_AGAIN_S_MAX)

    def _enter(self, ticket: Ticket) -> bool:
        with self._lock:
            ahead = [other for other in self._waiting if other.number < ticket.number]
            free = may_enter(ticket, entered=self._entered, ahead=ahead)
            if free:
                self._waiting.remove(ticket)
                self._entered.append(ticket)
            return free
