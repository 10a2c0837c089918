"""Variants that go wrong with lives and words: restarts, logs. Each breaks one rule; the table of all is zoo.toml."""

import logging

from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.orders import TakeSnapshot
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Ports
from snapproof.vocabulary import Snapshot, SnapshotRequest

LOG = logging.getLogger("snapproof.variants")


class ForgetsJobs(ReferenceDriver):
    """Breaks R-081: jobs live in memory alone as far as the next life is concerned (CloudStack's restart did this)."""

    def reconcile(self) -> None:
        """Start with a clean conscience."""


class LogsPasswords(ReferenceDriver):
    """Breaks R-151: it logs how it connects, password included."""

    def ports(self) -> Ports:
        """Connect, and say so."""
        array = self.site.array
        LOG.info("connecting to %s as %s:%s", array.url, array.username, array.password.reveal())
        return super().ports()


class RemovesVolumesOfJobs(ReferenceDriver):
    """Breaks R-081 (hazard C12): what a restart finds under way was for nothing, and so was its volume (CloudStack)."""

    def reconcile(self) -> None:
        """Take the rows of the volumes away, then finish."""
        for job in self._catalog.unfinished_jobs():
            if isinstance(job.order, TakeSnapshot):
                with self._catalog.transaction() as session:
                    Transaction(session, self._catalog.now()).remove_volume(job.order.volume)
        super().reconcile()


class ForgetsInTheLongRun(ForgetsJobs):
    """Breaks R-040: each of its days is good, but for what it was about when it died."""


class OutlivesItsDeath(ReferenceDriver):
    """Breaks R-081: it works on after it was killed, and nobody has seen what its next life would have made of it."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Go on where it was killed."""
        try:
            return super().take_snapshot(request)
        except BaseException as error:  # the deviation itself: nothing survives that signal
            if isinstance(error, Exception):
                raise
            self.reconcile()
            return super().take_snapshot(request)
