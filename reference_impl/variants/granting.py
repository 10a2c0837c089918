"""Variants that go wrong with callers: rights, limits, names, and who asked. The table of all is zoo.toml."""

import traceback
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from snapproof.accounts import Account, Role
from snapproof.driver import (
    BackendError,
    ConflictError,
    DeniedError,
    DriverUnderTest,
    LimitExceededError,
    NotFoundError,
)
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.schema import SNAPSHOT_COUNT
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.access import Answer, Operation
from snapproof.reference_impl.core.orders import TakeSnapshot
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.on_behalf_of import OnBehalfOf
from snapproof.reference_impl.rights import Rights, Thing
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    Policy,
    PolicyRequest,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    UsageRecord,
    VolumeId,
)


class KnowsNoOwners(ReferenceDriver):
    """Breaks R-148: whoever knows an id may use it."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Everybody is everybody."""
        return self._for(caller)


class ForgetsTheSlash(ReferenceDriver):
    """Breaks R-149: a domain is known by how its path begins, so that /sales looks after /salesforce as well."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Compare paths without their ends."""
        return OnBehalfOf(self._for(caller), _BySpelling(self._catalog, caller))


class _BySpelling(Rights):
    def _answer(self, caller: Account, operation: Operation, owner: Account) -> Answer:
        alike = owner.domain.startswith(caller.domain.rstrip("/"))
        return super()._answer(caller, operation, replace(owner, domain=caller.domain) if alike else owner)


class LetsSupportAct(ReferenceDriver):
    """Breaks R-171: whoever may see everything may do everything."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Support is one more administrator."""
        return OnBehalfOf(self._for(caller), _HelpfulRights(self._catalog, caller))


class _HelpfulRights(Rights):
    def _able(self, session: Session, operation: Operation) -> Account:
        return self._caller(session)

    def _answer(self, caller: Account, operation: Operation, owner: Account) -> Answer:
        promoted = replace(caller, role=Role.ROOT_ADMIN) if caller.role is Role.SUPPORT else caller
        return super()._answer(promoted, operation, owner)


class LetsSupportKeepPolicies(ReferenceDriver):
    """Breaks R-171: taking and deleting is denied to support; what comes of policies was not thought of."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Support puts things in order."""
        return OnBehalfOf(self._for(caller), _OrderlyRights(self._catalog, caller))


class _OrderlyRights(Rights):
    def _able(self, session: Session, operation: Operation) -> Account:
        return self._caller(session) if operation is Operation.MAKE_POLICY else super()._able(session, operation)

    def _answer(self, caller: Account, operation: Operation, owner: Account) -> Answer:
        promoted = caller.role is Role.SUPPORT and operation is Operation.MAKE_POLICY
        return super()._answer(replace(caller, role=Role.ROOT_ADMIN) if promoted else caller, operation, owner)


class TellsWhatExists(ReferenceDriver):
    """Breaks R-063: who may nothing is told at least whether there is such a thing."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Look the thing up first."""
        return OnBehalfOf(self._for(caller), _TalkativeRights(self._catalog, caller))


class _TalkativeRights(Rights):
    def require(self, operation: Operation, thing: Thing, name: str, *, job: OperationId | None = None) -> AccountId:
        """Say more than is good."""
        try:
            return super().require(operation, thing, name, job=job)
        except DeniedError:
            if thing is Thing.SNAPSHOT:
                with self._catalog.reading() as session:
                    queries.snapshot(session, SnapshotId(name))
            raise


class ChargesTheWrongPlace(ReferenceDriver):
    """Breaks R-065: a snapshot on the array is checked against the limit of secondary storage (bug 47)."""

    def _take_order(
        self, session: Session, request: SnapshotRequest, location: LocationType, now: datetime
    ) -> TakeSnapshot:
        volume = queries.volume(session, request.volume)
        queries.require_room(session, volume.account, LocationType.SECONDARY, volume.size_bytes)
        return super()._take_order(session, request, location, now)


class CutsNamesShort(ReferenceDriver):
    """Breaks R-162: what does not fit is cut off without a word."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Make it fit."""
        return super().take_snapshot(replace(request, name=request.name[:255]))


class TakesNoneForOne(ReferenceDriver):
    """Breaks R-162: a policy that keeps nothing is made one that keeps something, and nobody hears of it."""

    def create_policy(self, request: PolicyRequest) -> Policy:
        """Make it a number."""
        return super().create_policy(replace(request, keep_max=max(1, request.keep_max)))


class MournsAccounts(ReferenceDriver):
    """Breaks R-185: an account is deleted with all that it has, and that is called a failure."""

    def delete_account(self, operation: OperationId, account: AccountId) -> None:
        """Miss it when it is gone."""
        super().delete_account(operation, account)
        raise BackendError(f"Account {account} cannot be found any more; it was there a moment ago.")


class RemovesQuotes(ReferenceDriver):
    """Breaks R-161: what might be SQL is taken out of a name, and the name is another."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Clean it."""
        return super().take_snapshot(replace(request, name=request.name.replace("'", "").replace(";", "")))


class ShowsItsInside(ReferenceDriver):
    """Breaks R-064: what cannot be found is answered with where in the program that happened."""

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Tell all."""
        try:
            super().delete_snapshot(operation, snapshot)
        except NotFoundError as error:
            raise BackendError("".join(traceback.format_exception(error))) from error


class ForgetsWhoAsked(ReferenceDriver):
    """Breaks R-167: a revert is audited under its owner alone."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Keep the rights, and leave the name aside."""
        return OnBehalfOf(self, Rights(self._catalog, caller))


class CountsMessages(ReferenceDriver):
    """Breaks R-168: every message that asks for a snapshot is charged, one that comes again too."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Charge first."""
        if self._catalog.job(request.operation) is not None:
            owner = self._read(queries.volume, request.volume).account

            def charge(_session: Session, tx: Transaction) -> None:
                tx.count(owner, SNAPSHOT_COUNT, 1)

            self._orchestrator.write(charge, lambda: True)
        return super().take_snapshot(request)


class ForgetsTheCopies(ReferenceDriver):
    """Breaks R-185: deleting an account deletes what stands in the catalog of it."""

    def _remove(self, account: AccountId, operation: OperationId) -> None:
        self._orchestrator.write(lambda _session, tx: tx.end_removal(account), lambda: True)


class ShowsAllPolicies(ReferenceDriver):
    """Breaks R-148: whoever lists policies sees everybody's."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Keep the rights, but here."""
        return _WithAllPolicies(self._for(caller), Rights(self._catalog, caller))


class _WithAllPolicies(OnBehalfOf):
    def list_policies(self, volume: VolumeId | None = None) -> Sequence[Policy]:
        """Ask for no rights."""
        return self._driver.list_policies(volume)


class ShowsAllBills(ReferenceDriver):
    """Breaks R-148: whoever reads his bill reads everybody's."""

    def on_behalf_of(self, caller: AccountId) -> DriverUnderTest:
        """Keep the rights, but here."""
        return _WithAllBills(self._for(caller), Rights(self._catalog, caller))


class _WithAllBills(OnBehalfOf):
    def usage_records(self) -> Sequence[UsageRecord]:
        """Ask for no rights."""
        return self._driver.usage_records()


class NamesNoLimit(ReferenceDriver):
    """Breaks R-065: that a limit is reached is told as a conflict, with nothing to have raised."""

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Say as little as that."""
        try:
            return super().take_snapshot(request)
        except LimitExceededError as error:
            raise ConflictError("This cannot be done now.") from error
