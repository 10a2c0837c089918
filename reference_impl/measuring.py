"""Gathering the figures of one life for metrics.py: from its catalog, its turns, its pace, its array and its store."""

from collections.abc import Mapping

from snapproof.reference_impl.breaking import Breaker
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.life import Life
from snapproof.reference_impl.metrics import Figures, exposition
from snapproof.reference_impl.sweeping import Sweeper


class Measured(Life):
    """What can be measured from outside while it runs."""

    _sweeper: Sweeper

    def metrics(self) -> bytes:
        """What Prometheus scrapes; docs/metrics.md says what stands in it."""
        return exposition(self._figures())

    def _figures(self) -> Figures:
        turns, pace, now_s = self._orchestrator.turns, self._ports.pace, self._ports.clock.time()
        breakers: Mapping[str, Breaker] = getattr(self._ports.store, "breakers", {})
        return Figures(
            catalog=self._read(queries.measures, self._catalog.now()),
            turns_taken=turns.taken,
            turns_waiting=turns.waiting,
            moved_bytes=pace.moved_bytes,
            bytes_per_second=pace.bytes_per_second(),
            array_errors=dict(self._ports.array.errors),
            left_alone={verb: breaker.open_until_s > now_s for verb, breaker in breakers.items()},
            orphans=self._sweeper.orphans_seen,
        )
