"""Variants that go wrong where there are several storage pools and image stores. The table of all is zoo.toml."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType

from snapproof.reference_impl.adapters.xenapi import XenApi
from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import DeleteSnapshot, Order
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import CallError
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.variants.cloning import with_performer
from snapproof.site import Site
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    PoolUse,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    Volume,
    VolumeRequest,
)


class IgnoresThePool(ReferenceDriver):
    """Breaks R-015: a volume that is wanted on another pool than its snapshot's is made on that one, and said to be."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Take the wish for a hint."""
        return super().create_volume(request if request.from_snapshot is None else replace(request, pool=None))


class DeletesInTheFirstStore(ReferenceDriver):
    """Breaks R-059: in which image store a backup lies is asked when it is read, and not when it is deleted."""

    def rules(self) -> Rules:
        """Delete where most backups are."""

        def delete(_bench: Workbench, effect: fx.DeleteBackup, _facts: Facts) -> Facts:
            self._ports.store.delete(effect.path)
            return {}

        return Rules(performers=with_performer(fx.DeleteBackup, lambda performer: replace(performer, do=delete)))


class FollowsTheOrigin(ReferenceDriver):
    """Breaks R-025 (hazard C27): of which volume a snapshot is goes by where that volume's bytes came from.

    Whoever moves a volume to another pool makes it anew there; then the two differ, and a LUN is kept for nobody.
    """

    origins: Mapping[str, str] = MappingProxyType({})

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Remember the origin."""
        made = super().create_volume(request)
        for source in self.list_snapshots():
            if source.id == request.from_snapshot:
                self.origins = {**self.origins, made.id: self._origin(source.volume)}
        return made

    def rules(self) -> Rules:
        """Count the snapshots of everything that came from there."""

        def plan(order: Order) -> Plan:
            return plan_for(self._kept(order) if isinstance(order, DeleteSnapshot) else order)

        return Rules(plan=plan)

    def _kept(self, order: DeleteSnapshot) -> DeleteSnapshot:
        others = [
            row
            for row in self.list_snapshots(location=LocationType.PRIMARY)
            if row.id != order.snapshot and self._origin(row.volume) == self._origin(order.volume)
        ]
        return replace(order, release_lun=None) if others else order

    def _origin(self, volume: str) -> str:
        return self.origins.get(volume, volume)


class IgnoresTheRoom(ReferenceDriver):
    """Breaks R-066: how much a pool may hold is told to nobody."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        super().__init__(replace(site, capacity_bytes=None), settings)


class CountsByNumberAlone(ReferenceDriver):
    """Breaks R-058 (hazard C6): what lies in an image store counts as used on the pool of the same number."""

    def list_pools(self) -> Sequence[PoolUse]:
        """Add up by the number of the store, whatever its role."""
        held = [copy for snapshot in self.list_snapshots() for copy in snapshot.copies]
        number = {name: place for names in (self._pools, self._image_stores) for place, name in enumerate(names)}
        return [
            replace(
                pool,
                used_bytes=pool.used_bytes
                + sum(
                    copy.physical_size_bytes for copy in held if number[copy.store] == place and copy.store != pool.name
                ),
            )
            for place, pool in enumerate(super().list_pools())
        ]


class NamesNoPool(ReferenceDriver):
    """Breaks R-015: on which pool a volume is, is not told."""

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """Leave it out."""
        return [replace(row, pool="") for row in super().list_volumes(account)]


class AsksEveryStore(ReferenceDriver):
    """Breaks R-059: before a backup is deleted, it is looked for in the first image store."""

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Look for it."""
        for row in self.list_snapshots():
            for copy in row.copies if row.id == snapshot else ():
                self._ports.store.published(copy.reference)
        super().delete_snapshot(operation, snapshot)


class TriesItsOwnHostsFirst(ReferenceDriver):
    """Breaks R-061: before another cluster's hosts work, its own are asked to, in vain."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Try."""
        api, host = XenApi(self.site.hypervisor, self.site.clock), "OpaqueRef:nobody"
        with suppress(CallError):
            api.call("SR.create", host, {}, "0", "attempt", "", "lvmoiscsi", "user", False, {})
        return super().take_snapshot(request)
