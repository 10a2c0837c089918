"""Reading who owns things: accounts with their domains, roles, members and limits, users by their keys; and limits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from snapproof.accounts import ROOT_DOMAIN, Account, Limits, Role
from snapproof.driver import LimitExceededError, NotFoundError
from snapproof.reference_impl.catalog.account_rows import REMOVAL, TYPES
from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.ownership import (
    ACCOUNT_DETAILS,
    DOMAIN,
    PROJECT_ACCOUNT,
    PROJECTS,
    RESOURCE_LIMIT,
    ROLES,
    USER,
)
from snapproof.reference_impl.catalog.queries.accounts import primary_bytes, resource_counts
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    PRIMARY_BYTES,
    SECONDARY_BYTES,
    SNAPSHOT_COUNT,
)
from snapproof.vocabulary import AccountId, LocationType, OperationId

ROLE_OF_TYPE = {number: role for role, number in reversed(list(TYPES.items()))}
"""What an account is whose role nobody wrote down; CloudStack's 3 has no domain of its own to look after here."""

_ACCOUNTS: Select[Any] = (
    select(ACCOUNT.c.id, ACCOUNT.c.account_name, ACCOUNT.c.type, ACCOUNT.c.state)
    .add_columns(DOMAIN.c.path, ROLES.c.name.label("role"))
    .outerjoin(DOMAIN, ACCOUNT.c.domain_id == DOMAIN.c.id)
    .outerjoin(ROLES, ACCOUNT.c.role_id == ROLES.c.id)
    .where(ACCOUNT.c.removed.is_(None))
    .order_by(ACCOUNT.c.id)
)

_NUMBER = select(ACCOUNT.c.id).where(ACCOUNT.c.account_name == bindparam("account"))
_LIMITS = select(RESOURCE_LIMIT.c.type, RESOURCE_LIMIT.c["max"].label("top")).where(
    RESOURCE_LIMIT.c["max"] >= 0, RESOURCE_LIMIT.c.account_id.in_(_NUMBER)
)
_REMOVALS = select(ACCOUNT.c.account_name).where(ACCOUNT.c.cleanup_needed).order_by(ACCOUNT.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Whoever has an API key, and the account that he acts for."""

    id: str
    username: str
    account: AccountId
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """The deletion of an account, and whether it still goes on."""

    account: AccountId
    pending: bool


def accounts(connection: Connection) -> Sequence[Account]:
    """Every account that was not removed, oldest first."""
    return _accounts(connection, _ACCOUNTS)


def account(connection: Connection, name: AccountId) -> Account:
    """One account. Raises NotFoundError."""
    found = _accounts(connection, _ACCOUNTS.where(ACCOUNT.c.account_name == name))
    if not found:
        raise NotFoundError(f"There is no account {name}.")
    return found[0]


def removal_of(connection: Connection, name: AccountId) -> OperationId | None:
    """The operation that deletes an account, or deleted it; None for one that nobody deletes."""
    found = select(ACCOUNT_DETAILS.c.value).join(ACCOUNT).where(ACCOUNT.c.account_name == name)
    value = connection.execute(found.where(ACCOUNT_DETAILS.c.name == REMOVAL)).scalar()
    return None if value is None else OperationId(value)


def removal_by(connection: Connection, operation: OperationId) -> Removal | None:
    """The deletion of an account that an operation stands for."""
    found = select(ACCOUNT.c.account_name, ACCOUNT.c.cleanup_needed).join(ACCOUNT_DETAILS)
    named = (ACCOUNT_DETAILS.c.name == REMOVAL) & (ACCOUNT_DETAILS.c.value == operation)
    row = connection.execute(found.where(named)).first()
    return None if row is None else Removal(account=AccountId(row.account_name), pending=bool(row.cleanup_needed))


def removals(connection: Connection) -> Sequence[AccountId]:
    """The accounts whose deletion was begun and has not ended."""
    return [AccountId(name) for name in connection.execute(_REMOVALS).scalars()]


def user_of_key(connection: Connection, api_key: str) -> User | None:
    """Whose API key this is."""
    found = _USERS.where(USER.c.api_key == api_key, ACCOUNT.c.state == "enabled")
    row = connection.execute(found).one_or_none()
    return None if row is None else _user(row)


def users(connection: Connection) -> Sequence[User]:
    """Every user that has a key."""
    return [_user(row) for row in connection.execute(_USERS.order_by(USER.c.id))]


_USERS = (
    select(USER.c.uuid, USER.c.username, USER.c.api_key, ACCOUNT.c.account_name)
    .join(ACCOUNT)
    .where(USER.c.removed.is_(None), USER.c.api_key.is_not(None), USER.c.state == "enabled")
)


def require_room(connection: Connection, name: AccountId, location: LocationType, size_bytes: int) -> None:
    """Refuse a snapshot beyond a limit of what it will use, and of nothing else. Raises LimitExceededError."""
    limits = _limits(connection, name)
    if not limits:
        return
    charged = resource_counts(connection, name)
    used = {SNAPSHOT_COUNT: charged.snapshots + 1}
    if location is LocationType.SECONDARY:
        used[SECONDARY_BYTES] = charged.secondary_storage_bytes + size_bytes
    else:
        used[PRIMARY_BYTES] = primary_bytes(connection, name) + size_bytes
    _require(name, limits, used)


def require_room_for_volume(connection: Connection, name: AccountId, size_bytes: int) -> None:
    """Refuse a volume beyond the limit of primary storage. Raises LimitExceededError."""
    limits = _limits(connection, name)
    if PRIMARY_BYTES in limits:
        _require(name, limits, {PRIMARY_BYTES: primary_bytes(connection, name) + size_bytes})


def _require(name: AccountId, limits: dict[str, int], used: dict[str, int]) -> None:
    for resource, wanted in used.items():
        if resource in limits and wanted > limits[resource]:
            raise LimitExceededError(
                f"The limit {resource} of account {name} is {limits[resource]}, and this would make it {wanted}; "
                "delete something first, or have the limit raised."
            )


def _limits(connection: Connection, name: AccountId) -> dict[str, int]:
    """An account's limits; its row is held, so that of two who ask at once one waits for what the other takes."""
    rows = connection.execute(_LIMITS, {"account": name}).all()
    if rows:
        connection.execute(locked(connection, _NUMBER), {"account": name})
    return {row.type: int(row.top) for row in rows}


def _accounts(connection: Connection, found: Select[Any]) -> Sequence[Account]:
    rows = connection.execute(found).all()
    members: dict[int, list[AccountId]] = {}
    limits: dict[int, dict[str, int]] = {}
    if any(row.type == TYPES[Role.PROJECT] for row in rows):
        joined = (
            select(PROJECTS.c.project_account_id, ACCOUNT.c.account_name)
            .join(PROJECT_ACCOUNT, PROJECT_ACCOUNT.c.project_id == PROJECTS.c.id)
            .join(ACCOUNT, PROJECT_ACCOUNT.c.account_id == ACCOUNT.c.id)
        )
        for row in connection.execute(joined.order_by(ACCOUNT.c.id)):
            members.setdefault(row.project_account_id, []).append(AccountId(row.account_name))
    tops = select(RESOURCE_LIMIT.c.account_id, RESOURCE_LIMIT.c.type, RESOURCE_LIMIT.c["max"].label("top"))
    for top in connection.execute(tops.where(RESOURCE_LIMIT.c["max"] >= 0, RESOURCE_LIMIT.c.account_id.is_not(None))):
        limits.setdefault(top.account_id, {})[top.type] = int(top.top)
    return [_account(row, members.get(row.id, []), limits.get(row.id, {})) for row in rows]


def _account(row: Any, members: Sequence[AccountId], limits: dict[str, int]) -> Account:
    known = row.role in set(Role)
    return Account(
        name=AccountId(row.account_name),
        domain=row.path or ROOT_DOMAIN,
        role=Role(row.role) if known else ROLE_OF_TYPE.get(row.type, Role.USER),
        enabled=row.state == "enabled",
        members=tuple(members),
        limits=Limits(
            snapshots=limits.get(SNAPSHOT_COUNT),
            primary_storage_bytes=limits.get(PRIMARY_BYTES),
            secondary_storage_bytes=limits.get(SECONDARY_BYTES),
        ),
    )


def _user(row: Any) -> User:
    return User(id=row.uuid, username=row.username, account=AccountId(row.account_name), api_key=row.api_key)
