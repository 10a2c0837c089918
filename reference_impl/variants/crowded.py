"""Variants that go wrong where it is crowded, or where others are at work too. The table of all is zoo.toml."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from snapproof.driver import ConflictError
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.adapters.xen import XenHypervisor
from snapproof.reference_impl.adapters.xenapi import XenApi
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.orders import CreateVolume, Order
from snapproof.reference_impl.core.plans import Lifetime, Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import CallError, Disk, Ports, RefusedError
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.lingering import with_hosts
from snapproof.vocabulary import Snapshot, SnapshotRequest, Volume, VolumeRequest


class _TakesTheFirst(XenHypervisor):
    def _only_vdi(self, sr: str, target: str) -> str:
        """Take the parent that the others rest on, or whatever there is."""
        vdis: Sequence[str] = self._api.call("SR.get_VDIs", sr)
        parents = [vdi for vdi in vdis if not self._api.call("VDI.get_managed", vdi)]
        if not vdis:
            raise RefusedError(f"{target} holds no disk.")
        return str((*parents, *vdis)[0])


class CopiesTheBase(ReferenceDriver):
    """Breaks R-034: of a chain of disks it copies the base, as who takes the first of the list does."""

    def ports(self) -> Ports:
        """Be content with the first disk."""
        return with_hosts(self, _TakesTheFirst, super().ports())


class TurnsMachinesAway(ReferenceDriver):
    """Breaks R-050: a machine that comes or goes meanwhile breaks the snapshot, for no reason that is told."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Compare who reached the volume before and after."""
        before = self._ports.array.get_lun(self.lun_of(request.volume)).shared
        taken = super().take_snapshot(request)
        if self._ports.array.get_lun(self.lun_of(request.volume)).shared != before:
            raise ConflictError("Unexpected error 530.")
        return taken


class _AnyHost(XenHypervisor):
    def _worker(self) -> str:
        return self._master()


class WorksWithAnyHost(ReferenceDriver):
    """Breaks R-055: the master works, in maintenance or not."""

    def ports(self) -> Ports:
        """Ask no host whether it is in service."""
        return with_hosts(self, _AnyHost, super().ports())


class FollowsTheLun(ReferenceDriver):
    """Breaks R-124: a snapshot is believed to be as large as its LUN is by now, whoever has resized that."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Compare the LUN with what it was."""
        if request.from_snapshot is not None:
            volume = next(row.volume for row in self.list_snapshots() if row.id == request.from_snapshot)
            if self._ports.array.get_lun(self.lun_of(volume)).size_bytes > 1_500_000_000:
                raise ConflictError("The volume is larger than its snapshot.")
        return super().create_volume(request)


class _TellsTheCodeOnly(ElementArray):
    def grant(self, lun_id: int) -> None:
        try:
            super().grant(lun_id)
        except RefusedError as error:
            raise RefusedError("The array refused AddVolumesToVolumeAccessGroup.") from error


class NamesNoGroup(ReferenceDriver):
    """Breaks R-136: that an access group is full is told in the words of the array, which name nothing."""

    def ports(self) -> Ports:
        """Explain nothing."""
        return replace(super().ports(), array=_TellsTheCodeOnly(self.site.array, group=self.site.hosts_group))


class _TellsNothing(XenHypervisor):
    def attach(self, target: str) -> Disk:
        try:
            return super().attach(target)
        except RefusedError as error:
            raise RefusedError("Unable to attach.") from error


class NamesNoRepositories(ReferenceDriver):
    """Breaks R-137: that the hosts take no more storage repositories is told as 'unable to attach'."""

    def ports(self) -> Ports:
        """Explain nothing."""
        return with_hosts(self, _TellsNothing, super().ports())


class _LooksThroughAll(NfsStore):
    def delete(self, path: str) -> None:
        for account in self.directory.list("snapshots"):
            self.directory.list(f"snapshots/{account}")
        super().delete(path)


class LooksThroughTheExport(ReferenceDriver):
    """Breaks R-142: to delete one file it looks through the directories of all accounts."""

    def ports(self) -> Ports:
        """Look for the file everywhere."""
        return replace(super().ports(), store=_LooksThroughAll(self.site.export))


class SharesForGood(ReferenceDriver):
    """Breaks R-165: a clone that waits to be attached is left in the hosts' access group."""

    def rules(self) -> Rules:
        """Keep what should be taken back."""

        def plan(order: Order) -> Plan:
            steps = plan_for(order)
            if not isinstance(order, CreateVolume):
                return steps
            return tuple(
                replace(step, lifetime=Lifetime.KEPT) if isinstance(step.effect, fx.GrantHosts) else step
                for step in steps
            )

        return Rules(plan=plan)


class _LeavesDirectories(NfsStore):
    def prune(self, path: str) -> None:
        """Let them be."""


class LeavesDirectories(ReferenceDriver):
    """Breaks R-142: the directory of a volume stays when its last backup is deleted."""

    def ports(self) -> Ports:
        """Delete files alone."""
        return replace(super().ports(), store=_LeavesDirectories(self.site.export))


class SaysNoWithoutAReason(ReferenceDriver):
    """Breaks R-034: a volume of a disk with a host's snapshots on it is refused, and nobody is told why."""

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Say no."""
        if request.from_snapshot is not None:
            raise ConflictError("Unexpected error 530.")
        return super().create_volume(request)


class KeepsHostsAway(ReferenceDriver):
    """Breaks R-050: while a snapshot is taken, one host alone reaches its volume, and no machine can be moved."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Unplug all others, and plug them again."""
        api = XenApi(self.site.hypervisor, self.site.clock)
        target = self._ports.array.get_lun(self.lun_of(request.volume)).target
        masters = [row["master"] for row in api.call("pool.get_all_records").values()]
        srs = api.call("SR.get_by_name_label", f"/{target}/0")
        plugs = [plug for sr in srs for plug in api.call("SR.get_PBDs", sr)]
        others = [plug for plug in plugs if api.call("PBD.get_host", plug) not in masters]
        for plug in others:
            api.call("PBD.unplug", plug)
        try:
            return super().take_snapshot(request)
        finally:
            for plug in others:
                with suppress(CallError):
                    api.call("PBD.plug", plug)
