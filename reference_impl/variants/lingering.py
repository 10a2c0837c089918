"""Variants that wait too long, hold on too long, or keep silent about what stands in the way. The table is zoo.toml."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from snapproof.driver import ConflictError
from snapproof.reference_impl.adapters.xen import XenHypervisor
from snapproof.reference_impl.adapters.xenapi import XenApi
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import TakeSnapshot
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Ports
from snapproof.reference_impl.recording.recorder import FULL
from snapproof.reference_impl.recording.snapshots import fail_take
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.moving import with_recorder
from snapproof.site import Clock, Endpoint
from snapproof.vocabulary import LocationType, OperationId, Snapshot, SnapshotId, SnapshotRequest


def with_hosts(driver: ReferenceDriver, kind: type[XenHypervisor], ports: Ports) -> Ports:
    """The same ports with other manners towards hosts."""
    site = driver.site
    hypervisor = kind(
        site.hypervisor, site.clock, portal=site.array_portal, export_url=site.export_url, settings=driver.live
    )
    return replace(ports, hypervisor=hypervisor)


class WaitsForADay(ReferenceDriver):
    """Breaks R-078 (hazard C4): whoever waits for a clone that never comes waits for longer than a day."""

    def settings(self) -> Settings:
        """Be patient."""
        return Settings(clone_timeout_s=30 * 3_600.0)


class KeepsItsLocks(ReferenceDriver):
    """Breaks R-085 (hazard C9): the lock on a snapshot is given back at the end, which an exception never reaches."""

    locked: frozenset[SnapshotId] = frozenset()

    def archive_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> Snapshot:
        """Lock, work, unlock."""
        self._lock(snapshot)
        archived = super().archive_snapshot(operation, snapshot)
        self.locked -= {snapshot}
        return archived

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Lock, work, unlock."""
        self._lock(snapshot)
        super().delete_snapshot(operation, snapshot)
        self.locked -= {snapshot}

    def _lock(self, snapshot: SnapshotId) -> None:
        if snapshot in self.locked:
            raise ConflictError(f"Snapshot {snapshot} is locked.")
        self.locked |= {snapshot}


class _NeverCancels(XenApi):
    def call(self, method: str, *arguments: Any) -> Any:
        return None if method == "task.cancel" else super().call(method, *arguments)


class _LeavesTasks(XenHypervisor):
    def __init__(
        self, endpoint: Endpoint, clock: Clock, *, portal: str, export_url: str, settings: Callable[[], Settings]
    ) -> None:
        super().__init__(endpoint, clock, portal=portal, export_url=export_url, settings=settings)
        self._api = _NeverCancels(endpoint, clock)


class LeavesCopiesRunning(ReferenceDriver):
    """Breaks R-088: a copy that takes too long is forgotten, and goes on."""

    def ports(self) -> Ports:
        """Never cancel."""
        return with_hosts(self, _LeavesTasks, super().ports())


class _ReadsNoReasons(XenHypervisor):
    @contextmanager
    def _on_export(self, host: str, directory: str) -> Iterator[None]:
        yield


class ReadsNoReasons(ReferenceDriver):
    """Breaks R-091: what a host says of its mount is passed on as a number of the storage manager."""

    def ports(self) -> Ports:
        """Read nothing but codes."""
        return with_hosts(self, _ReadsNoReasons, super().ports())


class FillsUpInSilence(ReferenceDriver):
    """Breaks R-042: that there is no more room for backups is told to the caller, who can do nothing about it."""

    def rules(self) -> Rules:
        """Raise no alert."""

        def fail(tx: Transaction, order: TakeSnapshot, facts: Facts) -> None:
            fail_take(tx, order, {name: fact for name, fact in facts.items() if name != FULL})

        return Rules(recorders=with_recorder(TakeSnapshot, fail=fail))


class LooksTooOften(ReferenceDriver):
    """Breaks R-130: before an array snapshot is taken the volume is looked at, again and again."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Look at it five times."""
        if request.location == LocationType.PRIMARY:
            for _ in range(5):
                self._ports.array.get_lun(self.lun_of(request.volume))
        return super().take_snapshot(request)
