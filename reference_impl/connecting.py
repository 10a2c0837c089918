"""The adapters for a site's services, put behind the ports. What is asked of them is not decided here."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.adapters.kvm import KvmHypervisor
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.adapters.vmware import VmwareHypervisor
from snapproof.reference_impl.adapters.xen import XenHypervisor
from snapproof.reference_impl.pacing import Pace, paced
from snapproof.reference_impl.ports import Hypervisor, Ports, Reach, SecondaryStore
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.waiting import WatchedClock
from snapproof.site import Directory, S3Place, Site
from snapproof.vocabulary import HypervisorType


def _xen(site: Site, settings: Callable[[], Settings]) -> Hypervisor:
    return XenHypervisor(
        site.hypervisor, site.clock, portal=site.array_portal, export_url=site.export_url, settings=settings
    )


def _kvm(site: Site, _settings: Callable[[], Settings]) -> Hypervisor:
    return KvmHypervisor(site.hypervisor, portal=site.array_portal)


HYPERVISORS: Mapping[HypervisorType, Callable[[Site, Callable[[], Settings]], Hypervisor]] = {
    HypervisorType.XENSERVER: _xen,
    HypervisorType.KVM: _kvm,
    HypervisorType.VMWARE: lambda _site, _settings: VmwareHypervisor(),
}


def _bucket(place: S3Place, directory: Directory) -> SecondaryStore:
    # Slow to import, and most sites have none.
    from snapproof.reference_impl.adapters.s3 import S3Bucket, S3Store

    return S3Store(directory, S3Bucket(place))


def connect(site: Site, settings: Callable[[], Settings]) -> Ports:
    """Put the adapters for the site's services behind the ports."""
    clock = WatchedClock(site.clock)
    pace = Pace(clock, lambda: settings().backup_bandwidth)
    directory: Directory = paced(site.export, pace)
    watched = replace(site, clock=clock)
    arrays = {
        pool.name: Reach(at=pool.array_portal, array=ElementArray(pool.array, group=site.hosts_group))
        for pool in site.further_pools
    }
    stores = {
        store.name: Reach(at=store.export_url, store=NfsStore(paced(store.export, pace)))
        for store in site.further_stores
    }
    clusters = {
        cluster.name: Reach(
            at=cluster.hosts_group,
            hypervisor=HYPERVISORS[site.hypervisor_type](replace(watched, hypervisor=cluster.hypervisor), settings),
        )
        for cluster in site.further_clusters
    }
    return Ports(
        array=ElementArray(site.array, group=site.hosts_group),
        hypervisor=HYPERVISORS[site.hypervisor_type](watched, settings),
        store=NfsStore(directory) if site.bucket is None else _bucket(site.bucket, directory),
        clock=clock,
        pace=pace,
        portal=site.array_portal,
        export_url=site.export_url,
        further={**arrays, **stores, **clusters},
    )
