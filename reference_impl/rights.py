"""What one caller may do, asked of the catalog as it is at this moment. The table itself is core/access.py.

What a caller may not know of is refused in the very words for what does not exist.
"""

from enum import StrEnum
from typing import assert_never

from snapproof.accounts import Account, Role
from snapproof.driver import DeniedError, NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Catalog, Session
from snapproof.reference_impl.core.access import (
    RIGHTS,
    SERVICE_RIGHTS,
    Answer,
    Operation,
    OutOfReachError,
    Question,
    Service,
    answer,
    covered,
)
from snapproof.vocabulary import AccountId, OperationId, PolicyId, SnapshotId, TemplateId, VolumeId

ABOVE_DOMAINS = frozenset({Role.ROOT_ADMIN, Role.SUPPORT})


class Thing(StrEnum):
    """What somebody owns, in the words in which its absence is told."""

    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    TEMPLATE = "template"
    POLICY = "snapshot policy"
    JOB = "operation"
    ACCOUNT = "account"


class Rights:
    """The rights of one caller. An account that nobody put in is a user at the root, as it always was."""

    def __init__(self, catalog: Catalog, caller: AccountId) -> None:
        self._catalog, self._name = catalog, caller

    @property
    def caller(self) -> Account:
        """The caller as he stands now. Raises DeniedError if he may nothing at all."""
        with self._catalog.reading() as session:
            return self._caller(session)

    def require(self, operation: Operation, thing: Thing, name: str, *, job: OperationId | None = None) -> AccountId:
        """Let the caller do this with that thing, and say who owns it. Raises DeniedError, NotFoundError.

        A `job` that is known stands for a thing that is gone: whoever may ask again hears how it ended.
        """
        with self._catalog.reading() as session:
            caller = self._able(session, operation)
            owner = _owner(session, thing, name) if job is None else _owner_by_now(session, thing, name, job)
            told = self._answer(caller, operation, _account(session, owner))
        if told is Answer.UNKNOWN:
            raise NotFoundError(no_such(thing, name))
        if told is Answer.DENIED:
            raise DeniedError(f"Account {caller.name} may not {operation} with {thing} {name}.")
        return owner

    def require_service(self, service: Service) -> None:
        """Let the caller do this with the installation. Raises DeniedError."""
        caller = self.caller
        if service not in SERVICE_RIGHTS[caller.role]:
            raise DeniedError(f"Account {caller.name} may not {service}.")

    def require_management(self, wanted: Account) -> None:
        """Let the caller make an account what is said. Raises DeniedError, NotFoundError.

        Both what it is now and what it will be must be his to look after, and only the root makes what sees everything.
        """
        with self._catalog.reading() as session:
            caller = self._able(session, Operation.MANAGE_ACCOUNT)
            stands = [row for row in queries.accounts(session) if row.name == wanted.name]
        if any(answer(caller, Operation.MANAGE_ACCOUNT, row) is not Answer.ALLOWED for row in (*stands, wanted)):
            raise DeniedError(f"Account {caller.name} may not {Operation.MANAGE_ACCOUNT} {wanted.name}.")
        if wanted.role in ABOVE_DOMAINS and caller.role is not Role.ROOT_ADMIN:
            raise DeniedError(f"Account {caller.name} may not make anybody {wanted.role}.")

    def visible(self, operation: Operation = Operation.LIST) -> frozenset[AccountId]:
        """The accounts whose things the caller may list. Raises DeniedError."""
        with self._catalog.reading() as session:
            caller = self._caller(session)
            known = {row.name: row for row in queries.accounts(session)} | {caller.name: caller}
        return frozenset(name for name, row in known.items() if self._answer(caller, operation, row) is Answer.ALLOWED)

    def covered(self, question: Question) -> frozenset[AccountId]:
        """The accounts that a listing covers. Raises DeniedError, NotFoundError."""
        with self._catalog.reading() as session:
            caller = self._caller(session)
            known = {row.name: row for row in queries.accounts(session)} | {caller.name: caller}
        try:
            return covered(caller, question, list(known.values()))
        except OutOfReachError as error:
            raise NotFoundError(str(error)) from error

    def _answer(self, caller: Account, operation: Operation, owner: Account) -> Answer:
        """Ask the table; a variant of the zoo may read it in its own way."""
        return answer(caller, operation, owner)

    def _caller(self, session: Session) -> Account:
        if queries.removal_of(session, self._name) is not None:
            raise DeniedError(f"Account {self._name} is disabled.")
        caller = _account(session, self._name)
        if not caller.enabled:
            raise DeniedError(f"Account {self._name} is disabled.")
        return caller

    def _able(self, session: Session, operation: Operation) -> Account:
        """The caller, if there is anything at all with which somebody of his role may do this."""
        caller = self._caller(session)
        if not any(operation in rights for rights in RIGHTS[caller.role].values()):
            raise DeniedError(f"Account {caller.name} may not {operation}.")
        return caller


def no_such(thing: Thing, name: str) -> str:
    """The sentence for what does not exist, or not for this caller."""
    return f"There is no {thing} {name}."


def _account(session: Session, name: AccountId) -> Account:
    try:
        return queries.account(session, name)
    except NotFoundError:
        return Account(name=name)


def _owner_by_now(session: Session, thing: Thing, name: str, job: OperationId) -> AccountId:
    """Whose a thing is, or was when this job began to work on it. Raises NotFoundError."""
    try:
        return _owner(session, thing, name)
    except NotFoundError as gone:
        try:
            return queries.owner_of_job(session, job, about=name)
        except NotFoundError:
            raise gone from None


def _owner(session: Session, thing: Thing, name: str) -> AccountId:
    """Whose a thing is. Raises NotFoundError."""
    match thing:
        case Thing.VOLUME:
            return queries.volume(session, VolumeId(name)).account
        case Thing.SNAPSHOT:
            return queries.snapshot(session, SnapshotId(name)).account
        case Thing.TEMPLATE:
            return queries.template(session, TemplateId(name)).account
        case Thing.POLICY:
            return queries.owner_of_policy(session, PolicyId(name))
        case Thing.JOB:
            return queries.owner_of_job(session, OperationId(name))
        case Thing.ACCOUNT:
            return AccountId(name)
        case _:
            assert_never(thing)
