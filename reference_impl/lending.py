"""The reference orchestrator over somebody else's primary-storage driver, which it lends archive, policies and usage.

What a call of that driver becomes is in adapters/lent.py; how the driver is found is the door's affair.
"""

from collections.abc import Mapping
from dataclasses import replace

from snapproof.driver import DriverUnderTest
from snapproof.reference_impl.adapters.lent import LentArray
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Ports
from snapproof.reference_impl.settings import Settings
from snapproof.site import Site
from snapproof.vocabulary import Capability, Description

NEEDED = frozenset({Capability.SNAPSHOT_PRIMARY, Capability.VOLUME_FROM_PRIMARY})
"""Without these there is nothing to lend anything to: a backup is copied from a clone of a snapshot."""

NOT_LENT: Mapping[Capability, str] = {
    Capability.POOLS: "the driver knows one pool",
    Capability.ARRAY_VOLUMES: "an array volume in place of a snapshot is copied by hosts, and the driver knows none",
    Capability.KVM: "nobody has tried",
}
"""What the reference does and this combination does not, and why."""

ITS_OWN = frozenset({Capability.REVERT, Capability.RESIZE})
"""What is done by the driver or by nobody."""


class LendingDriver(ReferenceDriver):
    """The reference, with one life of the driver for its array. Ending one ends the other."""

    def __init__(self, site: Site, primary: DriverUnderTest, settings: Settings | None = None) -> None:
        self._primary, self._of_primary = primary, primary.describe()
        if missing := sorted(NEEDED - self._of_primary.capabilities):
            raise ValueError(f"{self._of_primary.name} can be lent nothing: it does not declare {', '.join(missing)}.")
        super().__init__(site, settings)

    def describe(self) -> Description:
        """Name both, and declare what they can do together."""
        declared = frozenset(Capability) - NOT_LENT.keys() - (ITS_OWN - self._of_primary.capabilities)
        own, of_primary = super().describe(), self._of_primary
        return replace(
            own,
            name=f"{own.name} over {of_primary.name}",
            version=f"{own.version} over {of_primary.version}",
            capabilities=declared,
        )

    def ports(self) -> Ports:
        """With the driver in the place of the array."""
        site = self.site
        array = LentArray(site.array, group=site.hosts_group, primary=self._primary, clock=site.clock)
        return replace(super().ports(), array=array)

    def reconcile(self) -> None:
        """What lies below first."""
        if Capability.RECONCILE in self._of_primary.capabilities:
            self._primary.reconcile()
        super().reconcile()

    def close(self) -> None:
        """Both."""
        super().close()
        self._primary.close()
