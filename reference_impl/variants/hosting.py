"""Variants that go wrong with hosts: what they run, and what they find on a LUN. The table of all is zoo.toml."""

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from snapproof.reference_impl.adapters.kvm import KvmHypervisor
from snapproof.reference_impl.adapters.xen import LUN_SR, XenHypervisor
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Hypervisor, ImageFormat, Ports, RefusedError
from snapproof.reference_impl.settings import Settings
from snapproof.site import Site
from snapproof.vocabulary import HypervisorType


class _CallsItVhd(KvmHypervisor):
    image_format = ImageFormat.VHD


class ChecksTheFormatTooLate(ReferenceDriver):
    """Breaks R-009: that KVM has no VHD is noticed by the job, when row and array snapshot are made (CloudStack)."""

    def ports(self) -> Ports:
        """Know nothing of formats beforehand."""
        hypervisor: Hypervisor = _CallsItVhd(self.site.hypervisor, portal=self.site.array_portal)
        ports = super().ports()
        return replace(ports, hypervisor=hypervisor) if self.site.hypervisor_type is HypervisorType.KVM else ports


class _FormatsUnreadable(XenHypervisor):
    def _probe(self, host: str, config: Mapping[str, str], target: str) -> str:
        try:
            return super()._probe(host, config, target)
        except RefusedError:
            self._api.call("SR.create", host, config, "0", f"/{target}/0", "", LUN_SR, "user", False, {})
            raise


class FormatsWhatItCannotProbe(ReferenceDriver):
    """Breaks R-098: a probe that says nothing means an empty LUN to it, and it formats the clone (hazard C25)."""

    def ports(self) -> Ports:
        """Reach hosts in that way."""
        site = self.site
        hypervisor = _FormatsUnreadable(
            site.hypervisor, site.clock, portal=site.array_portal, export_url=site.export_url, settings=Settings
        )
        return replace(super().ports(), hypervisor=hypervisor)


class TakesVmwareForXenServer(ReferenceDriver):
    """Breaks R-119: whatever is not KVM is taken for XenServer."""

    def ports(self) -> Ports:
        """Call its disks VHDs."""
        ports, site = super().ports(), self.site
        if site.hypervisor_type is not HypervisorType.VMWARE:
            return ports
        hypervisor = XenHypervisor(
            site.hypervisor, site.clock, portal=site.array_portal, export_url=site.export_url, settings=self.settings
        )
        return replace(ports, hypervisor=hypervisor)


class IgnoresThePort(ReferenceDriver):
    """Breaks R-107 (hazard C17): the array is looked for at its host's usual port, whatever port was configured."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        there = urlsplit(site.array.url)
        host_alone = f"{there.scheme}://{there.hostname}"
        super().__init__(replace(site, array=replace(site.array, url=host_alone)), settings)
