"""The verbs about accounts: made, changed, deleted with all that they have. What callers may do is in rights.py."""

import copy
import logging
from collections.abc import Sequence
from itertools import count
from typing import Self

from snapproof.accounts import Account
from snapproof.driver import ConflictError, DriverError, InvalidRequestError, NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Phase, Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.names import require_account
from snapproof.reference_impl.recording.recorder import BEGINNING
from snapproof.reference_impl.snapshot_verbs import SnapshotVerbs
from snapproof.reference_impl.template_verbs import TemplateVerbs
from snapproof.reference_impl.volume_verbs import VolumeVerbs
from snapproof.vocabulary import AccountId, AuditEvent, OperationId

LOG = logging.getLogger("snapproof.accounts")
DOMAIN_CHARACTERS_MAX = 255


class AccountVerbs(VolumeVerbs, SnapshotVerbs, TemplateVerbs):
    """What can be asked about accounts."""

    def put_account(self, account: Account) -> None:
        """Make an account, or make it what is said. The name of a deleted one is not given again: its bill has it."""
        try:
            require_account(account.name)
        except ValueError as error:
            raise InvalidRequestError(str(error)) from error
        if len(account.domain) > DOMAIN_CHARACTERS_MAX:
            raise InvalidRequestError(f"A domain's path has at most {DOMAIN_CHARACTERS_MAX} characters.")
        if self._read(queries.removal_of, account.name) is not None:
            raise InvalidRequestError(f"Account {account.name} was deleted; choose another name.")

        def known() -> Account | None:
            found = next((row for row in self.list_accounts() if row.name == account.name), None)
            return found if found == account else None

        if known() is None:
            self._orchestrator.write(lambda _session, tx: tx.put_account(account), known)

    def list_accounts(self) -> Sequence[Account]:
        """The accounts that were not removed."""
        return self._read(queries.accounts)

    def delete_account(self, operation: OperationId, account: AccountId) -> None:
        """Delete an account with all that it has. What cannot be deleted now, `reconcile` tries again (R-185)."""
        if self._read(queries.removal_of, account) != operation:
            self._begin_removal(operation, account)
        if account in self._read(queries.removals):
            self._remove(account, operation)

    def _for(self, caller: AccountId) -> Self:
        """The same life; what is done through this one is written down as asked for by the caller."""
        twin = copy.copy(self)
        twin._caller = caller  # noqa: SLF001  its own, of the same class
        return twin

    def _finish_removals(self) -> None:
        """Go on with accounts whose deletion has not ended."""
        for account in self._read(queries.removals):
            operation = self._read(queries.removal_of, account)
            assert operation is not None, f"Nobody deletes account {account}."
            try:
                self._remove(account, operation)
            except DriverError as error:
                level = logging.INFO if error.retry_sensible else logging.WARNING
                LOG.log(level, "account %s is not yet deleted: %s", account, error)

    def _begin_removal(self, operation: OperationId, account: AccountId) -> None:
        def write(session: Session, tx: Transaction) -> None:
            begun = queries.removal_of(session, account)
            if begun == operation:
                return  # another life was told as well
            if begun is not None:
                raise NotFoundError(f"There is no account {account}.")
            queries.account(session, account)
            tx.begin_removal(account, operation)
            for phase in BEGINNING:
                tx.audit(_audit(operation, account, phase, self._caller))

        self._orchestrator.write(write, lambda: self._read(queries.removal_of, account))

    def _remove(self, account: AccountId, operation: OperationId) -> None:
        self._require_rest(account)
        for volume in self.list_volumes(account):
            self.delete_volume(self._untried(f"{operation} {volume.id}"), volume.id)
        for snapshot in self.list_snapshots(account):
            self.delete_snapshot(self._untried(f"{operation} {snapshot.id}"), snapshot.id)
        for template in self.list_templates(account):
            self.delete_template(self._untried(f"{operation} {template.id}"), template.id)

        def write(session: Session, tx: Transaction) -> None:
            if account not in queries.removals(session):
                return  # a life that took this one for dead has ended it
            if queries.volumes(session, account) or queries.snapshots(session, account):
                raise ConflictError(f"Account {account} has been given something meanwhile; it is deleted as well.")
            tx.end_removal(account)
            tx.audit(_audit(operation, account, "Completed", self._caller))

        def ended() -> bool | None:
            return True if account not in self._read(queries.removals) else None

        self._orchestrator.write(write, ended)

    def _require_rest(self, account: AccountId) -> None:
        """What the account's jobs are about to make has to be there before it can be deleted."""
        for job in self._catalog.unfinished_jobs():
            if job.order.account == account and job.phase is not Phase.CLEANING:
                raise ConflictError(f"Job {job.uuid} of account {account} is still under way; wait for its end.")

    def _untried(self, what: str) -> OperationId:
        """The id of one part of a deletion that no failed try has used: a failure of before stays a failure."""
        ids = (OperationId(self._new_uuid(f"try {number} of", OperationId(what))) for number in count(1))
        return next(job for job in ids if not self._has_failed(job))

    def _has_failed(self, job: OperationId) -> bool:
        known = self._catalog.job(job)
        return known is not None and known.phase is Phase.FAILED


def _audit(operation: OperationId, account: AccountId, phase: str, caller: AccountId | None) -> AuditEvent:
    return AuditEvent(
        operation=operation,
        type="ACCOUNT.DELETE",
        phase=phase,
        level="INFO",
        account=account,
        subject=account,
        caller=caller,
    )
