"""Who may do what with whose things: the table of rights, and which accounts a listing covers.

docs/access.md is written from these tables. Who a caller is, and what stands in the catalog, is not known here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from snapproof.accounts import Account, Role
from snapproof.vocabulary import AccountId


class Relation(StrEnum):
    """How a caller stands to the account that owns a thing."""

    OWN = "own"  # the caller's own
    PROJECT = "project"  # of a project that the caller is a member of
    DOMAIN = "domain"  # of another account in the caller's domain, or in one below it
    ELSEWHERE = "elsewhere"  # of anybody else


class Operation(StrEnum):
    """What is done with a thing that somebody owns."""

    LIST = "list"
    CREATE_VOLUME = "create volume"
    DELETE_VOLUME = "delete volume"
    RESIZE_VOLUME = "resize volume"
    TAKE_SNAPSHOT = "take snapshot"
    ARCHIVE_SNAPSHOT = "archive snapshot"
    REVERT_SNAPSHOT = "revert to snapshot"
    DELETE_SNAPSHOT = "delete snapshot"
    VOLUME_FROM_SNAPSHOT = "volume from snapshot"
    TEMPLATE_FROM_SNAPSHOT = "template from snapshot"
    DELETE_TEMPLATE = "delete template"
    MAKE_POLICY = "make policy"
    CHANGE_POLICY = "change policy"
    DELETE_POLICY = "delete policy"
    CANCEL = "cancel backup"
    READ_EVENTS = "read events"
    READ_USAGE = "read usage"
    MANAGE_ACCOUNT = "manage account"


class Service(StrEnum):
    """What is done with the installation, which nobody owns."""

    READ_CONFIGURATION = "read configuration"
    CHANGE_CONFIGURATION = "change configuration"
    READ_ALERTS = "read alerts"


class Answer(StrEnum):
    """What a caller is told. Unknown: the very words for a thing that does not exist."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


_READ = frozenset({Operation.LIST, Operation.READ_EVENTS, Operation.READ_USAGE})
_ALL = frozenset(Operation)
_OWNED = _ALL - {Operation.MANAGE_ACCOUNT}
_NOTHING: frozenset[Operation] = frozenset()

RIGHTS: Mapping[Role, Mapping[Relation, frozenset[Operation]]] = MappingProxyType({
    Role.ROOT_ADMIN: dict.fromkeys(Relation, _ALL),
    Role.DOMAIN_ADMIN: {
        Relation.OWN: _OWNED, Relation.PROJECT: _OWNED, Relation.DOMAIN: _ALL, Relation.ELSEWHERE: _NOTHING,
    },
    Role.USER: {
        Relation.OWN: _OWNED, Relation.PROJECT: _OWNED, Relation.DOMAIN: _NOTHING, Relation.ELSEWHERE: _NOTHING,
    },
    Role.SUPPORT: dict.fromkeys(Relation, _READ),
    Role.VENDOR: {
        Relation.OWN: _OWNED, Relation.PROJECT: _NOTHING, Relation.DOMAIN: _NOTHING, Relation.ELSEWHERE: _NOTHING,
    },
    Role.PROJECT: dict.fromkeys(Relation, _NOTHING),
})  # fmt: skip
"""Support sees everything and touches nothing. A vendor has volumes of its own to prove its driver with."""

SERVICE_RIGHTS: Mapping[Role, frozenset[Service]] = MappingProxyType({
    Role.ROOT_ADMIN: frozenset(Service),
    Role.DOMAIN_ADMIN: frozenset(),
    Role.USER: frozenset(),
    Role.SUPPORT: frozenset({Service.READ_CONFIGURATION, Service.READ_ALERTS}),
    Role.VENDOR: frozenset({Service.READ_CONFIGURATION, Service.READ_ALERTS}),
    Role.PROJECT: frozenset(),
})  # fmt: skip


def relation(caller: Account, owner: Account) -> Relation:
    """Say how a caller stands to an owner, the nearest relation first."""
    if caller.name == owner.name:
        return Relation.OWN
    if caller.name in owner.members:
        return Relation.PROJECT
    return _beside_projects(caller, owner)


def _beside_projects(caller: Account, owner: Account) -> Relation:
    return Relation.DOMAIN if owner.domain.startswith(caller.domain) else Relation.ELSEWHERE


def answer(caller: Account, operation: Operation, owner: Account) -> Answer:
    """Say whether a caller may do this with something that the owner has.

    A caller who is disabled may nothing. What a suspended project owns is gone for its members, not for those who
    look after its domain.
    """
    if not caller.enabled:
        return Answer.UNKNOWN
    standing, by_role = relation(caller, owner), RIGHTS[caller.role]
    rights = by_role[standing]
    if standing is Relation.PROJECT:  # who looks after a project's domain may what he could without being a member
        beside = by_role[_beside_projects(caller, owner)]
        rights = rights | beside if owner.enabled else beside
    if operation in rights:
        return Answer.ALLOWED
    return Answer.DENIED if Operation.LIST in rights else Answer.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a listing was asked for, as CloudStack's list commands are: whose things, in which domains, all of them.

    `project` names one, or all that the caller is a member of by `-1`.
    """

    account: AccountId | None = None
    domain: str | None = None
    project: AccountId | None = None
    recursive: bool = False
    everything: bool = False


EVERY_PROJECT = AccountId("-1")


class OutOfReachError(Exception):
    """The caller asked for an account, a domain or a project that he may not know of, or that does not exist."""


def covered(caller: Account, question: Question, accounts: Collection[Account]) -> frozenset[AccountId]:
    """The accounts whose things a listing shows. Raises OutOfReachError.

    What projects own is shown only where a project is asked for. A user sees no more than his own things, whatever
    else he asks for; who looks after a domain sees his own, or with `everything` those of the domain and all below it.
    """
    visible = [owner for owner in accounts if answer(caller, Operation.LIST, owner) is Answer.ALLOWED]
    if question.project is not None:
        return _of_projects(question, visible)
    people = [owner for owner in visible if owner.role is not Role.PROJECT]
    if question.domain is not None:
        _require_domain(caller, question.domain, accounts)
    if question.account is not None:
        domain = caller.domain if question.domain is None else question.domain
        return _of_account(question.account, domain, people)
    if question.domain is not None:
        return _names(owner for owner in people if _in_domain(owner, question.domain, recursive=question.recursive))
    return _names(people) if question.everything else _names(owner for owner in people if owner.name == caller.name)


def _of_projects(question: Question, visible: Iterable[Account]) -> frozenset[AccountId]:
    if question.account is not None:
        raise OutOfReachError("An account and a project cannot be asked for together.")
    projects = _names(owner for owner in visible if owner.role is Role.PROJECT)
    if question.project == EVERY_PROJECT:
        return projects
    if question.project not in projects:
        raise OutOfReachError(f"There is no project {question.project}.")
    return frozenset({question.project})


def _of_account(name: AccountId, domain: str, people: Iterable[Account]) -> frozenset[AccountId]:
    found = _names(owner for owner in people if (owner.name, owner.domain) == (name, domain))
    if not found:
        raise OutOfReachError(f"There is no account {name} in domain {domain}.")
    return found


def _require_domain(caller: Account, domain: str, accounts: Iterable[Account]) -> None:
    """Let those who look after domains name any that they look after, a user his own."""
    below = domain.startswith(caller.domain) if caller.role is Role.DOMAIN_ADMIN else domain == caller.domain
    reachable = below or caller.role in {Role.ROOT_ADMIN, Role.SUPPORT}
    if not reachable or not any(owner.domain.startswith(domain) for owner in accounts):
        raise OutOfReachError(f"There is no domain {domain}.")


def _in_domain(owner: Account, domain: str, *, recursive: bool) -> bool:
    return owner.domain.startswith(domain) if recursive else owner.domain == domain


def _names(owners: Iterable[Account]) -> frozenset[AccountId]:
    return frozenset(owner.name for owner in owners)
