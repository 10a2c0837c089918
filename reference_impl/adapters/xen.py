"""The hypervisor port on a XenServer pool, VDI-per-LUN: a storage repository (SR) each LUN, a disk (VDI) each SR.

Everything is found again by name: the SR of a LUN is labelled `/<target>/0`, as CloudStack does, the SR of an export
directory by that directory. A LUN that should hold an SR is never formatted because a probe could not be read (hazard
C25).
"""

import copy
import errno
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from snapproof.reference_impl.adapters.xenapi import XapiFailureError, XenApi
from snapproof.reference_impl.ports import (
    Disk,
    FullError,
    GoneError,
    HostFacts,
    ImageFormat,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.reference_impl.settings import Settings
from snapproof.site import Clock, Endpoint

LUN_SR = "lvmoiscsi"
RESIGNED_SR = "relvmoiscsi"
FILE_SR = "file"
MOUNT_ROOT = "/var/cloud_mount"
PLUGIN = "cloud-plugin-storage"

STALE = ("ESTALE", os.strerror(errno.ESTALE))
FULL = ("ENOSPC", "EDQUOT", os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
"""What hosts say of an export that serves them no more, or has no more room."""

_WRONG_SCSI_ID = "SR_BACKEND_FAILURE_107"
_SR_LIST = re.compile(r"<SRlist\b")
_UUID = re.compile(r"<UUID>\s*([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s*</UUID>", re.IGNORECASE)
_LUN = re.compile(r"<LUN>(.*?)</LUN>", re.DOTALL)
_NAMES = uuid.UUID("6f6c0a52-33c8-5bd3-9a50-1f3c8b3c77a1")


class XenHypervisor:
    """One pool; its master does all the work. `portal` is the array's iSCSI address, `export_url` what hosts mount."""

    image_format = ImageFormat.VHD

    def __init__(
        self, endpoint: Endpoint, clock: Clock, *, portal: str, export_url: str, settings: Callable[[], Settings]
    ) -> None:
        self._api = XenApi(endpoint, clock)
        self._portal = portal
        self._export_url = export_url
        self._settings = settings
        self._host: str | None = None
        self._helpers: tuple[str, ...] = ()
        """Hosts beside the master that this life may have worked with."""

    def towards(self, *, portal: str, export_url: str) -> Self:
        """On the same connection."""
        other = copy.copy(self)
        vars(other).update(_portal=portal, _export_url=export_url)
        return other

    def examine(self) -> Sequence[HostFacts]:
        """Its hosts and their initiators; whether they re-sign is told by the pool's storage managers, for all."""
        managers = self._api.call("SM.get_all_records").values()
        resigns = any(row.get("type") == RESIGNED_SR for row in managers)
        hosts = self._api.call("host.get_all_records").values()
        return [
            HostFacts(
                name=str(row.get("name_label", "")),
                initiator=str(row.get("other_config", {}).get("iscsi_iqn", "")),
                resigns=resigns,
            )
            for row in hosts
        ]

    def repositories(self, target: str) -> Sequence[str]:
        """SRs of the LUN's label, by uuid."""
        srs = self._api.call("SR.get_by_name_label", _lun_label(target))
        return [str(self._api.call("SR.get_uuid", sr)) for sr in srs]

    def resign(self, target: str) -> None:
        """SR.create of type relvmoiscsi, which raises to say that it succeeded."""
        host = self._worker()
        config = self._lun_config(host, target)
        try:
            self._api.call("SR.create", host, config, "0", _lun_label(target), "", RESIGNED_SR, "user", False, {})
        except XapiFailureError as error:
            if not any("successfully resigned" in text for text in error.arguments):
                raise
            return
        raise RefusedError(f"The host did not say that it re-signed {target}.")

    def resigns(self) -> bool:
        """Ask for the plug-in that re-signs; CloudStack looks for the same one when a host connects."""
        return RESIGNED_SR in self._api.call("SR.get_supported_types")

    def snapshot_disk(self, target: str) -> str:
        """VDI.snapshot, which a running guest does not notice."""
        vdi = self._only_vdi(self._sr(_lun_label(target)), target)
        snapshot = self._api.call("VDI.snapshot", vdi, {})
        return str(self._api.call("VDI.get_uuid", snapshot))

    def drop_disk_snapshots(self, target: str) -> None:
        """VDI.destroy; what the chain needed is coalesced by the pool itself."""
        for sr in self._api.call("SR.get_by_name_label", _lun_label(target)):
            for vdi in self._api.call("SR.get_VDIs", sr):
                if self._api.call("VDI.get_is_a_snapshot", vdi):
                    self._api.call("VDI.destroy", vdi)

    def copy_disk(self, source: str, disk: str | None, target: str) -> str:
        """Copy into a new SR on the LUN."""
        if disk is None:
            vdi = self._only_vdi(self._sr(_lun_label(source)), source)
        else:
            vdi = str(self._api.call("VDI.get_by_uuid", disk))
        lun = self._format(self._worker(), target)
        return str(self._api.call("VDI.get_uuid", self._copy(vdi, lun, timeout_s=self._settings().restore_timeout_s)))

    def attach(self, target: str) -> Disk:
        """Find or introduce the SR that the LUN holds, plug it on the master, and look at its one VDI."""
        label = _lun_label(target)
        host = self._worker()
        srs = self._api.call("SR.get_by_name_label", label)
        config = self._lun_config(host, target)
        sr = srs[0] if srs else self._introduce(self._probe(host, config, target), label, LUN_SR)
        self._plug(host, sr, config)
        vdi = self._only_vdi(sr, target)
        record = self._api.call("VDI.get_record", vdi)
        return Disk(uuid=record["uuid"], size_bytes=int(record["virtual_size"]))

    def copy_out(self, target: str, directory: str) -> str:
        """Copy the LUN's VDI into a new file SR on the directory; the file bears the new VDI's uuid."""
        host = self._worker()
        vdi = self._only_vdi(self._sr(_lun_label(target)), target)
        with self._on_export(host, directory):
            location = self._mount(host, directory)
            self._plugin(host, "makeDirectory", {"path": location})
            config = {"location": location}
            sr = self._api.call("SR.create", host, config, "0", _file_label(directory), "", FILE_SR, "user", False, {})
            copy = self._copy(vdi, sr, timeout_s=self._settings().copy_timeout_s)
        name = str(self._api.call("VDI.get_uuid", copy))
        self.detach_export(directory)
        return f"{name}.vhd"

    def copy_in(self, directory: str, file: str, target: str, *, size_bytes: int) -> None:
        """Format the blank LUN, then copy the file's VDI onto it."""
        host = self._worker()
        lun = self._format(host, target)
        with self._on_export(host, directory):
            source = self._introduce(str(uuid.uuid5(_NAMES, f"{target} {directory}")), _file_label(directory), FILE_SR)
            self._plug(host, source, {"location": self._mount(host, directory)})
            vdi = self._api.call("VDI.get_by_uuid", file.removesuffix(".vhd"))
            held = int(self._api.call("VDI.get_virtual_size", vdi))
            if held < size_bytes:
                raise RefusedError(f"{directory}/{file} holds {held} bytes; the volume has {size_bytes}.")
            self._copy(vdi, lun, timeout_s=self._settings().restore_timeout_s)
        self.detach_export(directory)

    def is_formatted(self, target: str) -> bool:
        """By the label that SR.create gives."""
        return bool(self._api.call("SR.get_by_name_label", _lun_label(target)))

    def wipe(self, target: str) -> None:
        """Destroy the SRs of the LUN's label with their VDIs: SR.destroy takes the SR's identity off the LUN."""
        for sr in self._api.call("SR.get_by_name_label", _lun_label(target)):
            self._cancel_copies(sr)
            for vdi in self._api.call("SR.get_VDIs", sr):
                self._api.call("VDI.destroy", vdi)
            self._unplug(sr)
            self._api.call("SR.destroy", sr)

    def grow_disk(self, target: str, size_bytes: int) -> None:
        """VDI.resize, after a scan: the SR is larger by now."""
        sr = self._sr(_lun_label(target))
        self._api.call("SR.scan", sr)
        self._api.call("VDI.resize", self._only_vdi(sr, target), str(size_bytes))

    def detach(self, target: str) -> None:
        """Let go of every SR of the LUN's label."""
        for sr in self._api.call("SR.get_by_name_label", _lun_label(target)):
            self._let_go(sr)

    def clear_unused(self, target: str) -> bool:
        """A repository that no host has plugged is nobody's: whoever wants the LUN finds it again on the LUN itself."""
        for sr in self._api.call("SR.get_by_name_label", _lun_label(target)):
            if any(self._api.call("PBD.get_currently_attached", pbd) for pbd in self._api.call("SR.get_PBDs", sr)):
                return False
            self._let_go(sr)
        return True

    def detach_export(self, directory: str) -> None:
        """Let go of the directory's SR and of its mount."""
        for sr in self._api.call("SR.get_by_name_label", _file_label(directory)):
            self._let_go(sr)
        arguments = {"localDir": _mount_point(directory), "remoteDir": self._export_url}
        self._plugin(self._master(), "umountNfsSecondaryStorage", arguments)
        for host in self._helpers:
            with suppress(TransientError):  # a host that is down has forgotten its mounts
                self._plugin(host, "umountNfsSecondaryStorage", arguments)

    def close(self) -> None:
        """Let go of the connection."""
        self._api.close()

    def _master(self) -> str:
        """The pool's master, asked for once a life."""
        if self._host is None:
            pool = self._api.call("pool.get_all")[0]
            self._host = str(self._api.call("pool.get_master", pool))
        return self._host

    def _worker(self) -> str:
        """The host that works: the master, or the first other one, as long as that is in service (R-055)."""
        master = self._master()
        if self._api.call("host.get_enabled", master):
            return master
        self._helpers = tuple(host for host in self._api.call("host.get_all") if host != master)
        found = next((host for host in self._helpers if self._api.call("host.get_enabled", host)), None)
        if found is None:
            raise RefusedError("No host of the pool is in service: each is disabled or down.")
        return found

    def _lun_config(self, host: str, target: str) -> Mapping[str, str]:
        """Learn the LUN's SCSI id from a probe that fails with the list of LUNs."""
        config = {"target": self._portal, "targetIQN": target}
        try:
            self._api.call("SR.probe", host, config, LUN_SR, {})
        except XapiFailureError as error:
            if error.code != _WRONG_SCSI_ID:
                raise
            return {**config, "SCSIid": _scsi_id("".join(error.arguments), target)}
        raise RefusedError(f"The host did not list the LUNs of {target}.")

    def _probe(self, host: str, config: Mapping[str, str], target: str) -> str:
        found = _UUID.search(str(self._api.call("SR.probe", host, config, LUN_SR, {})))
        if found is None:
            raise RefusedError(f"The host found no storage repository on {target}; it is left as it is.")
        return found.group(1)

    def _format(self, host: str, target: str) -> str:
        """Make an SR on a LUN that holds none, for certain. One that may yet be formatted is given up."""
        config = self._lun_config(host, target)
        found = str(self._api.call("SR.probe", host, config, LUN_SR, {}))
        if _SR_LIST.search(found) is None:
            raise RefusedError(f"The host's answer about {target} cannot be read; the LUN is not formatted.")
        if _UUID.search(found):
            raise RefusedError(f"{target} holds data already; it is not formatted.")
        try:
            sr = self._api.call("SR.create", host, config, "0", _lun_label(target), "", LUN_SR, "user", True, {})
        except UnknownOutcomeError as error:
            raise RefusedError(f"The host may yet format {target}, so nothing is copied onto it.") from error
        return str(sr)

    def _introduce(self, sr_uuid: str, label: str, of_type: str) -> str:
        return str(self._api.call("SR.introduce", sr_uuid, label, "", of_type, "user", of_type == LUN_SR, {}))

    def _plug(self, host: str, sr: str, config: Mapping[str, str]) -> None:
        """Give the host a PBD for the SR unless it has one, plug it and scan the SR."""
        pbds = [pbd for pbd in self._api.call("SR.get_PBDs", sr) if self._api.call("PBD.get_host", pbd) == host]
        pbd = pbds[0] if pbds else self._api.call("PBD.create", {"host": host, "SR": sr, "device_config": config})
        self._api.call("PBD.plug", pbd)
        self._api.call("SR.scan", sr)

    def _sr(self, label: str) -> str:
        srs = self._api.call("SR.get_by_name_label", label)
        if not srs:
            raise RefusedError(f"No storage repository is called {label}; it was expected to be attached.")
        return str(srs[0])

    def _only_vdi(self, sr: str, target: str) -> str:
        vdis = self._api.call("SR.get_VDIs", sr)
        if len(vdis) > 1:  # a parent that the pool has not coalesced yet is no disk
            vdis = [vdi for vdi in vdis if self._api.call("VDI.get_managed", vdi)]
        if len(vdis) != 1:
            raise RefusedError(f"{target} holds {len(vdis)} virtual disks; exactly one is copied, or none.")
        return str(vdis[0])

    def _mount(self, host: str, directory: str) -> str:
        point = _mount_point(directory)
        self._plugin(host, "mountNfsSecondaryStorage", {"localDir": point, "remoteDir": self._export_url})
        return f"{point}/{directory}"

    @contextmanager
    def _on_export(self, host: str, directory: str) -> Iterator[None]:
        """Work on a directory of the export; what the host says of the export itself is told in our own words."""
        try:
            yield
        except XapiFailureError as error:
            said = " ".join(error.arguments)
            if any(words in said for words in STALE):
                name = self._api.call("host.get_name_label", host)
                raise TransientError(f"The mount of the export on host {name} is stale; it is mounted anew.") from error
            if any(words in said for words in FULL):
                raise FullError(f"Secondary storage is full: there was no room for {directory}.") from error
            raise

    def _plugin(self, host: str, function: str, arguments: Mapping[str, str]) -> None:
        self._api.call("host.call_plugin", host, PLUGIN, function, arguments)

    def _copy(self, vdi: str, sr: str, *, timeout_s: float) -> str:
        task = self._api.call("Async.VDI.copy", vdi, sr)
        return self._api.finish(task, poll_s=self._settings().copy_poll_s, timeout_s=timeout_s)

    def _let_go(self, sr: str) -> None:
        """End its copies, unplug it, forget it. The storage keeps its bytes."""
        self._cancel_copies(sr)
        self._unplug(sr)
        with suppress(GoneError):  # it was there a moment ago: somebody on the way has asked twice
            self._api.call("SR.forget", sr)

    def _cancel_copies(self, sr: str) -> None:
        for vdi in self._api.call("SR.get_VDIs", sr):
            operations: Mapping[str, Any] = self._api.call("VDI.get_current_operations", vdi)
            for task in operations:
                self._api.call("task.cancel", task)

    def _unplug(self, sr: str) -> None:
        """On every host, the master last."""
        master = self._master()
        pbds = {str(pbd): self._api.call("PBD.get_host", pbd) for pbd in self._api.call("SR.get_PBDs", sr)}
        for pbd in sorted(pbds, key=lambda pbd: pbds[pbd] == master):
            self._api.call("PBD.unplug", pbd)


def _scsi_id(document: str, target: str) -> str:
    """Read the SCSI id of LUN 0. Plain text search: whatever the document declares, nothing of it is ever expanded."""
    for entry in _LUN.findall(document):
        if re.search(r"<LUNid>\s*0\s*</LUNid>", entry):
            found = re.search(r"<SCSIid>\s*([0-9A-Za-z]+)\s*</SCSIid>", entry)
            if found:
                return found.group(1)
    raise RefusedError(f"The host lists no LUN 0 on {target}.")


def _lun_label(target: str) -> str:
    return f"/{target}/0"


def _file_label(directory: str) -> str:
    return f"backups in {directory}"


def _mount_point(directory: str) -> str:
    """A mount of its own for each directory, so that letting go of one job's never disturbs another's."""
    return f"{MOUNT_ROOT}/{uuid.uuid5(_NAMES, directory)}"
