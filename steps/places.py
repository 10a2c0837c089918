"""Where the scenario takes place: which kind of secondary storage the site has, and what its hosts run."""

from collections.abc import Callable

from pytest_bdd import given, parsers, then, when

from snapproof.lab import Lab, Scenery
from snapproof.vocabulary import HypervisorType


@given(parsers.parse("backups are kept on {store}"), target_fixture="lab")
def backups_kept_on(open_lab: Callable[[str], Lab], store: str) -> Lab:
    """Build the site with backups on `NFS` or `S3`."""
    return open_lab(store.lower())


@given(parsers.parse("there are {number:d} storage pools"), target_fixture="lab")
def several_pools(open_lab: Callable[..., Lab], number: int) -> Lab:
    """Build the site with so many arrays, each a storage pool; the first is `primary-1`."""
    return open_lab("nfs", scenery=Scenery(pools=number))


@given(parsers.parse("there are {number:d} image stores"), target_fixture="lab")
def several_image_stores(open_lab: Callable[..., Lab], number: int) -> Lab:
    """Build the site with so many exports, each an image store; the first is `secondary-1`."""
    return open_lab("nfs", scenery=Scenery(image_stores=number))


@given("no host can re-sign", target_fixture="lab")
def no_host_can_resign(open_lab: Callable[..., Lab]) -> Lab:
    """Build the site with XenServer hosts that cannot give the clone of a disk an identity of its own."""
    return open_lab("nfs", scenery=Scenery(resign=False))


@given(parsers.parse("there are two clusters of hosts, of which {which} can re-sign"), target_fixture="lab")
def two_clusters(open_lab: Callable[..., Lab], which: str) -> Lab:
    """Build the site with a second cluster of hosts; `the second` of them can re-sign, or `none`."""
    able = {"the second": True, "none": False}[which]
    return open_lab("nfs", scenery=Scenery(resign=False, host_clusters=(able,)))


@then("the hosts of the second cluster alone have made the copy")
def the_second_alone_copied(lab: Lab) -> None:
    """By what each cluster was asked for since calls were counted."""
    asked = {call.partition("#")[0] for call in lab.calls()}
    copied = {call.partition(".")[0] for call in asked if call.endswith(("VDI.copy", "SR.create"))}
    assert copied == {"host-2"}, f"These made repositories and copies: {', '.join(sorted(copied)) or 'none'}."


@when("the hosts can re-sign no longer")
def the_hosts_can_resign_no_longer(lab: Lab) -> None:
    """All of them, as after an update; a driver knows it in its next life at the latest."""
    lab.let_hosts_resign(able=False)


@given(parsers.parse("a host may be given {number:d} copies at once"), target_fixture="lab")
def copies_at_once(open_lab: Callable[..., Lab], number: int) -> Lab:
    """Build the site with that threshold, as concurrent.snapshots.threshold.perhost says it."""
    return open_lab("nfs", scenery=Scenery(copies_per_host=number))


@given(parsers.parse("a storage pool may be made to hold {size:d} MiB"), target_fixture="lab")
def a_pool_of_a_size(open_lab: Callable[..., Lab], size: int) -> Lab:
    """Build the site with that capacity, as capacityBytes says it."""
    return open_lab("nfs", scenery=Scenery(capacity_bytes=size * 2**20))


@given(parsers.parse("the hosts run {hypervisor}"), target_fixture="lab")
def hosts_run(open_lab: Callable[[str, HypervisorType], Lab], hypervisor: str) -> Lab:
    """Build the site with hosts that run `KVM` or `XenServer`; backups, if any, are kept on NFS."""
    return open_lab("nfs", HypervisorType(hypervisor))


@given("the driver's account on the array has no right but to volumes and to whom they belong")
def few_rights(lab: Lab) -> None:
    """Element calls these rights `volumes`, with snapshots and access groups, and `accounts`."""
    rights = list(lab.array_rights())
    assert rights == ["accounts", "volumes"], f"The driver's account has the rights {rights}."


@given(parsers.parse("the array's API goes up to version {newest}"))
def an_older_array(lab: Lab, newest: str) -> None:
    """A cluster of that release; each of its answers holds what nobody knows, and lacks what it may lack."""
    lab.set_array_api(newest)


@given(parsers.parse("the bucket is addressed by {part}"))
def bucket_addressed_by(lab: Lab, part: str) -> None:
    """By `path`, as every store understands it, or by `host`, as the largest one wants it."""
    if part == "host":
        lab.address_bucket_by_host()
