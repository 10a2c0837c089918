"""Where the scenario takes place: which kind of secondary storage the site has, and what its hosts run."""

from collections.abc import Callable

from pytest_bdd import given, parsers

from snapproof.lab import Lab
from snapproof.vocabulary import HypervisorType


@given(parsers.parse("backups are kept on {store}"), target_fixture="lab")
def backups_kept_on(open_lab: Callable[[str], Lab], store: str) -> Lab:
    """Build the site with backups on `NFS` or `S3`."""
    return open_lab(store.lower())


@given(parsers.parse("the hosts run {hypervisor}"), target_fixture="lab")
def hosts_run(open_lab: Callable[[str, HypervisorType], Lab], hypervisor: str) -> Lab:
    """Build the site with hosts that run `KVM` or `XenServer`; backups, if any, are kept on NFS."""
    return open_lab("nfs", HypervisorType(hypervisor))
