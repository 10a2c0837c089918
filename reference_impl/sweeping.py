"""Sweeping up what nobody needs: on the array, late effects of calls that had been given up; in the catalog, history.

Swept is only what carries our owner tag, was made by a job of this catalog that is over, and stands in no row. What a
job that is not over has left is that job's own business.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from snapproof.driver import DriverError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.purging import count_old, purge
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.orchestrator import Orchestrator
from snapproof.reference_impl.ports import CallError, GoneError, Owned, OwnedKind, Ports
from snapproof.reference_impl.settings import Settings
from snapproof.vocabulary import Alert

LOG = logging.getLogger("snapproof.sweep")


class Sweeper:
    """The sweeps of one life."""

    def __init__(
        self, catalog: Catalog, orchestrator: Orchestrator, ports: Ports, settings: Callable[[], Settings]
    ) -> None:
        self._catalog = catalog
        self._orchestrator = orchestrator
        self._ports = ports
        self._settings = settings
        self._last_s = ports.clock.time()
        self.orphans_seen = 0

    def run_due(self) -> None:
        """Sweep, if the last time is long enough ago. What cannot be swept now is left for the next time."""
        now_s = self._ports.clock.time()
        if now_s - self._last_s < self._settings().reconcile_interval_s:
            return
        self._last_s = now_s
        for name, act in {"sweep": self.sweep, "second look": self.look_again, "purge": self.purge}.items():
            try:
                act()
            except (CallError, DriverError) as error:
                told = {"outcome": "failed", "cause": str(error)}
                LOG.warning("the %s was given up for now: %s", name, error, extra=told)

    def look_again(self) -> None:
        """Take away what came late and carries no tag. Raises CallError, DriverError."""
        self._orchestrator.latecomers.clear()

    def purge(self) -> None:
        """Forget what has been over for longer than history is kept. Raises CallError, DriverError."""
        before = self._catalog.now() - timedelta(seconds=self._settings().history_s)
        left = self._count_old(before)
        while left:
            fewer = partial(self._fewer_than, left, before)
            self._orchestrator.write(lambda session, _tx: _forget(session, before), fewer)
            left = self._count_old(before)

    def _count_old(self, before: datetime) -> int:
        with self._catalog.reading() as session:
            return count_old(session, before)

    def _fewer_than(self, number: int, before: datetime) -> bool | None:
        """Nothing gets old before a moment that is over, so whatever is gone was purged, by us or by another life."""
        return self._count_old(before) < number or None

    def orphans(self) -> Sequence[tuple[Ports, Owned]]:
        """What nobody needs, however young, with the way to it. Raises CallError."""
        # First: whatever is listed had its job written down before.
        listed = [(ports, owned) for ports in self._everywhere() for owned in ports.array.list_owned()]
        with self._catalog.reading() as session:
            return [(ports, owned) for ports, owned in listed if queries.is_orphan(session, owned)]

    def _everywhere(self) -> Sequence[Ports]:
        """The ports of each array."""
        others = [name for name, reach in self._ports.further.items() if reach.array is not None]
        return [self._ports, *(self._ports.at(name, "") for name in others)]

    def sweep(self) -> Sequence[Owned]:
        """Remove the orphans that are older than the grace; give what was removed. Raises CallError, DriverError."""
        before_s = self._ports.clock.time() - self._settings().sweep_grace_s
        swept = []
        found = self.orphans()
        for ports, owned in found:
            if owned.created_s <= before_s and self._removed(ports, owned):
                self._tell(owned)
                swept.append(owned)
        self.orphans_seen = len(found) - len(swept)
        return swept

    def _removed(self, ports: Ports, owned: Owned) -> bool:
        """One that resists saves no other."""
        try:
            self._remove(ports, owned)
        except CallError as error:
            told = {"job": owned.owner.job, "outcome": "failed", "cause": str(error)}
            LOG.warning("array %s %d could not be swept up yet: %s", owned.kind, owned.id, error, extra=told)
            return False
        return True

    def _remove(self, ports: Ports, owned: Owned) -> None:
        array = ports.array
        try:
            if owned.kind is OwnedKind.SNAPSHOT:
                array.delete_snapshot(owned.id)
                return
            lun = array.get_lun(owned.id)
            if lun.shared:
                ports.hypervisor.detach(lun.target)
                array.revoke(lun.id)
            array.delete_lun(lun.id)
            array.purge_lun(lun.id)
        except GoneError:
            return

    def _tell(self, owned: Owned) -> None:
        text = (
            f"Array {owned.kind} {owned.id} ({owned.name}) of job {owned.owner.job} was needed by nobody "
            "and has been swept up."
        )
        LOG.warning("%s", text, extra={"job": owned.owner.job, "snapshot": owned.owner.subject, "outcome": "swept"})
        self._orchestrator.alert(Alert(subject=owned.owner.subject, text=text))


def _forget(session: Session, before: datetime) -> None:
    gone = purge(session, before)
    LOG.info("history before %s was forgotten: %s", before.isoformat(), ", ".join(f"{n} {t}" for t, n in gone.items()))
