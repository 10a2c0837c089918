"""Writing accounts: put into a domain and a role, given limits and members, disabled, removed; users and their keys."""

from collections.abc import Mapping

from sqlalchemy import delete, insert, select, update

from snapproof.accounts import ROOT_DOMAIN, Account, Role
from snapproof.reference_impl.catalog.inserting import insert_unless_there
from snapproof.reference_impl.catalog.ownership import (
    ACCOUNT_DETAILS,
    DOMAIN,
    PROJECT_ACCOUNT,
    PROJECTS,
    RESOURCE_LIMIT,
    ROLES,
    USER,
)
from snapproof.reference_impl.catalog.schema import (
    ACCOUNT,
    PRIMARY_BYTES,
    SECONDARY_BYTES,
    SNAPSHOT_COUNT,
    SNAPSHOTS,
    VOLUMES,
)
from snapproof.reference_impl.catalog.writer import Writer
from snapproof.reference_impl.core.names import id_of

TYPES: Mapping[Role, int] = {
    Role.USER: 0,
    Role.ROOT_ADMIN: 1,
    Role.DOMAIN_ADMIN: 2,
    Role.SUPPORT: 4,
    Role.PROJECT: 5,
    Role.VENDOR: 0,
}
"""CloudStack's account types: 4 is its administrator who only reads."""

ROLE_TYPES: Mapping[Role, str] = {Role.ROOT_ADMIN: "Admin", Role.DOMAIN_ADMIN: "DomainAdmin"}
REMOVAL = "removal"
"""The account detail that names the operation which deletes it."""


class AccountRows(Writer):
    """The writer of accounts, domains, projects, users and limits."""

    def put_account(self, account: Account) -> None:
        """Make an account, or make it what is said; its things stay its own."""
        number = self.ensure_account(account.name)
        domain = self._ensure_domain(account.domain)
        values = {
            "type": TYPES[account.role],
            "role_id": self._ensure_role(account.role),
            "domain_id": domain,
            "state": "enabled" if account.enabled else "disabled",
        }
        self._connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == number).values(values))
        for owned in (VOLUMES, SNAPSHOTS):
            self._connection.execute(update(owned).where(owned.c.account_id == number).values(domain_id=domain))
        self._put_limits(number, account)
        if account.role is Role.PROJECT:
            self._put_project(number, domain, account)

    def begin_removal(self, name: str, operation: str) -> None:
        """Let an account do nothing any more, and remember who deletes it: the next life goes on with that."""
        number = self.ensure_account(name)
        values = {"state": "disabled", "cleanup_needed": True}
        self._connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == number).values(values))
        detail = {"account_id": number, "name": REMOVAL, "value": operation}
        self._connection.execute(insert(ACCOUNT_DETAILS).values(detail))

    def end_removal(self, name: str) -> None:
        """Write down that nothing of an account is left; its row stays, the bill refers to it."""
        number = self.ensure_account(name)
        gone = {"removed": self._now, "cleanup_needed": False}
        self._connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == number).values(gone))
        self._connection.execute(
            update(USER).where(USER.c.account_id == number).values(removed=self._now, api_key=None)
        )
        ended = PROJECTS.c.project_account_id == number
        self._connection.execute(update(PROJECTS).where(ended).values(removed=self._now))

    def put_user(self, account: str, username: str, api_key: str) -> None:
        """Make a user of an account, or give one that there is another key."""
        number = self.ensure_account(account)
        self._reserve_the_system(number)
        which = (USER.c.account_id == number) & (USER.c.username == username)
        if self._connection.execute(update(USER).where(which).values(api_key=api_key)).rowcount == 0:
            values = {"uuid": id_of("user", f"{account}/{username}"), "username": username, "account_id": number}
            names = {"firstname": username, "lastname": account, "email": ""}
            row = {"api_key": api_key, "created": self._now, **values, **names}
            insert_unless_there(self._connection, USER, row)

    def _reserve_the_system(self, account: int) -> None:
        """Number 1 is nobody's: it stands in events for whoever acts when nobody asked, as CloudStack has it."""
        if self._connection.execute(select(USER.c.id).limit(1)).first() is None:
            row = {"username": "system", "account_id": account, "uuid": id_of("user", "system"), "removed": self._now}
            insert_unless_there(self._connection, USER, row)

    def _ensure_domain(self, path: str) -> int:
        """Find or make a domain and those above it. The root comes first, and so is number 1, as everywhere."""
        known = self._connection.execute(
            select(DOMAIN.c.id).where(DOMAIN.c.path == path, DOMAIN.c.removed.is_(None))
        ).scalar()
        if known is not None:
            return int(known)
        values: dict[str, object] = {"path": path, "uuid": id_of("domain", path), "level": path.count("/") - 1}
        if path == ROOT_DOMAIN:
            values |= {"name": "ROOT"}
        else:
            above, _, name = path.rstrip("/").rpartition("/")
            values |= {"parent": self._ensure_domain(f"{above}/"), "name": name}
        insert_unless_there(self._connection, DOMAIN, values)
        made = self._connection.execute(select(DOMAIN.c.id).where(DOMAIN.c.uuid == values["uuid"])).scalar_one()
        return int(made)

    def _ensure_role(self, role: Role) -> int:
        which = select(ROLES.c.id).where(ROLES.c.name == role)
        known = self._connection.execute(which).scalar()
        if known is None:
            kind = ROLE_TYPES.get(role, "User")
            insert_unless_there(self._connection, ROLES, {"name": role, "role_type": kind, "uuid": id_of("role", role)})
            known = self._connection.execute(which).scalar_one()
        return int(known)

    def _put_limits(self, number: int, account: Account) -> None:
        limits = {
            SNAPSHOT_COUNT: account.limits.snapshots,
            PRIMARY_BYTES: account.limits.primary_storage_bytes,
            SECONDARY_BYTES: account.limits.secondary_storage_bytes,
        }
        self._connection.execute(delete(RESOURCE_LIMIT).where(RESOURCE_LIMIT.c.account_id == number))
        rows = [{"account_id": number, "type": kind, "max": top} for kind, top in limits.items() if top is not None]
        if rows:
            self._connection.execute(insert(RESOURCE_LIMIT), rows)

    def _put_project(self, number: int, domain: int, account: Account) -> None:
        values = {
            "name": account.name,
            "display_text": account.name,
            "domain_id": domain,
            "state": "Active" if account.enabled else "Suspended",
        }
        which = PROJECTS.c.project_account_id == number
        if self._connection.execute(update(PROJECTS).where(which).values(values)).rowcount == 0:
            made = {"project_account_id": number, "uuid": id_of("project", account.name), "created": self._now}
            insert_unless_there(self._connection, PROJECTS, {**values, **made})
        project = self._connection.execute(select(PROJECTS.c.id).where(which)).scalar_one()
        self._connection.execute(delete(PROJECT_ACCOUNT).where(PROJECT_ACCOUNT.c.project_id == project))
        for member in account.members:
            joined = {"project_id": project, "project_account_id": number, "created": self._now}
            self._connection.execute(insert(PROJECT_ACCOUNT).values(account_id=self.ensure_account(member), **joined))
