"""The reference driver, as the suite sees it: the verbs of each noun put together, and policies beside them.

What a request becomes is in volume_verbs.py and snapshot_verbs.py, how it is carried out in orchestrator.py.
"""

import random
from collections.abc import Sequence

from snapproof import __version__
from snapproof.driver import DriverUnderTest
from snapproof.reference_impl.account_verbs import AccountVerbs
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.explaining import Explained
from snapproof.reference_impl.logs import telling_failures
from snapproof.reference_impl.measuring import Measured
from snapproof.reference_impl.on_behalf_of import OnBehalfOf
from snapproof.reference_impl.policies import Policies
from snapproof.reference_impl.repairing import Repairing
from snapproof.reference_impl.rights import Rights
from snapproof.reference_impl.settings import Settings
from snapproof.reference_impl.sweeping import Sweeper
from snapproof.reference_impl.telling import Telling
from snapproof.reference_impl.verifying import Verifier
from snapproof.site import Site
from snapproof.vocabulary import (
    AccountId,
    Capability,
    Description,
    OperationId,
    Policy,
    PolicyId,
    PolicyRequest,
    Snapshot,
    VolumeId,
)


@telling_failures
class ReferenceDriver(AccountVerbs, Telling, Measured, Explained, Repairing):
    """CloudStack's snapshot orchestration for managed storage, made crash-proof. One instance is one life."""

    def __init__(self, site: Site, settings: Settings | None = None) -> None:
        super().__init__(site, settings)
        self._sweeper = Sweeper(self._catalog, self._orchestrator, self._ports, self.live)
        dice = random.Random(f"verification of {site.seed}")
        self._verifier = Verifier(self._catalog, self._orchestrator, self._ports, self.live, dice)
        self._policies = Policies(
            self._catalog,
            self._orchestrator,
            self._ports.clock,
            settings=self.live,
            take=self._take,
            delete=self._delete,
            runs=self._runs,
        )

    def describe(self) -> Description:
        """Everything that the port knows."""
        return Description(name="reference", version=__version__, capabilities=frozenset(Capability))

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Give this driver as an account may use it."""
        return OnBehalfOf(self._for(caller), Rights(self._catalog, caller))

    def create_policy(self, request: PolicyRequest) -> Policy:
        """Put a policy into force."""
        return self._policies.create(request, self._new_uuid("policy", request.operation))

    def list_policies(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """The policies in force."""
        return self._policies.listed(volume)

    def delete_policy(self, operation: OperationId, policy: PolicyId) -> None:
        """End a policy."""
        self._policies.delete(operation, policy)

    def _runs(self, policy: Policy) -> Sequence[Snapshot]:
        """What a policy has taken, oldest first."""
        with self._catalog.reading() as session:
            return [row for row in queries.snapshots(session, None, volume=policy.volume) if row.policy == policy.id]

    def queued_operations(self) -> Sequence[OperationId]:
        """The jobs that wait; what waits in the background is of the operation that began it."""
        return [OperationId(job.partition("/")[0]) for job in self._orchestrator.queue()]

    def run_due_work(self) -> None:
        """What was put off and is due, whatever else is unfinished, what policies ask for; now and then a sweep."""
        self._configuration.refresh()
        self._orchestrator.resume()
        self._tend()

    def _tend(self) -> None:
        """What is due beside the jobs that there are."""
        self._finish_removals()
        self._policies.run_due()
        self._sweeper.run_due()
        self._verifier.run_due()

    def reconcile(self) -> None:
        """Bring every unfinished job to its end."""
        self._orchestrator.resume()
        self._finish_removals()
