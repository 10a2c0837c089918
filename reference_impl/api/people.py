"""Commands about accounts, users and their keys, domains, projects and limits."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from snapproof.accounts import Account, Limits, Role
from snapproof.driver import InvalidRequestError, NotFoundError
from snapproof.reference_impl.api.command import PAGES, Command, table
from snapproof.reference_impl.api.desk import Body, Desk, Given, page_of
from snapproof.reference_impl.api.parameters import flag, identity, text, whole
from snapproof.reference_impl.api.shapes import domain_name, shaped
from snapproof.reference_impl.catalog.account_rows import TYPES
from snapproof.reference_impl.core.access import Operation
from snapproof.reference_impl.core.names import id_of
from snapproof.reference_impl.rights import Thing
from snapproof.vocabulary import AccountId

ROLES: Mapping[int, Role] = {0: Role.USER, 1: Role.ROOT_ADMIN, 2: Role.DOMAIN_ADMIN, 4: Role.SUPPORT}
"""CloudStack's account types that somebody may be made."""

NO_LIMIT = -1
LIMITED: Mapping[int, str] = {3: "snapshots", 10: "primary_storage_bytes", 11: "secondary_storage_bytes"}
"""CloudStack's numbers of what is limited here. It counts storage in GiB."""

GIB = 2**30


def create_account(desk: Desk, given: Given) -> Body:
    """Make an account with its first user."""
    name = AccountId(given.get("account", given["username"]))
    role = ROLES.get(given.get("accounttype", 0))
    if role is None:
        raise InvalidRequestError(f"Parameter accounttype is one of {', '.join(str(number) for number in ROLES)}.")
    account = Account(name=name, domain=desk.domain(given) or desk.rights.caller.domain, role=role)
    desk.rights.require_management(account)  # first: whoever may make none learns of none
    if any(row.name == name for row in desk.accounts()):
        raise InvalidRequestError(f"There is an account {name} already; names are used once in all domains.")
    desk.driver.put_account(account)
    desk.life.write(lambda _session, tx: tx.put_user(name, given["username"], desk.keys.new_api_key()))
    return {"account": _told(desk, account)}


def list_accounts(desk: Desk, given: Given) -> Body:
    """List the accounts that the caller may see; himself without `listall`."""
    covered = desk.covered(given) or ()
    found = [row for row in desk.accounts() if row.name in covered and row.role is not Role.PROJECT]
    if "id" in given:
        found = [row for row in found if id_of("account", row.name) == given["id"]]
        if not found:
            raise NotFoundError(f"There is no account {given['id']}.")
    if "name" in given:
        found = [row for row in found if row.name == given["name"]]
    page = page_of(given)
    told = [_told(desk, row) for row in found[page.skip : page.skip + page.most]]
    return {"count": len(found), "account": told} if found else {}


def change_state(enabled: bool) -> Any:  # noqa: FBT001  the one thing that two commands differ in
    """Enable or disable an account."""

    def change(desk: Desk, given: Given) -> Body:
        account = replace(_known(desk, given), enabled=enabled)
        desk.driver.put_account(account)
        return {"account": _told(desk, account)}

    return change


def delete_account(desk: Desk, given: Given) -> Body:
    """Delete an account with all that it has."""
    account = _known(desk, given)
    desk.rights.require(Operation.MANAGE_ACCOUNT, Thing.ACCOUNT, account.name)
    if account.name == desk.user.account:
        raise InvalidRequestError("Nobody deletes the account that he acts for.")
    desk.life.remove(desk.job, account.name)
    return {"jobid": desk.job}


def register_keys(desk: Desk, given: Given) -> Body:
    """Give a user other keys: his own, or those of somebody whom the caller looks after. The old ones end."""
    users = {user.id: user for user in desk.life.users()}
    user = users.get(given["id"])
    if user is None or not (user.account == desk.user.account or _manages(desk, user.account)):
        raise NotFoundError(f"There is no user {given['id']}.")
    api_key = desk.keys.new_api_key()
    desk.life.write(lambda _session, tx: tx.put_user(user.account, user.username, api_key))
    return {"userkeys": {"apikey": api_key, "secretkey": desk.keys.secret_of(api_key).reveal()}}


def list_users(desk: Desk, given: Given) -> Body:
    """List the users of the accounts that the caller may see. No key is told, not even half of one."""
    covered = desk.covered(given) or ()
    found = [
        {"id": user.id, "username": user.username, "account": user.account, "state": "enabled"}
        for user in desk.life.users()
        if user.account in covered and given.get("username") in {None, user.username}
    ]
    return {"count": len(found), "user": found} if found else {}


def list_domains(desk: Desk, given: Given) -> Body:
    """List the domains in which there is an account that the caller may see, and those above them up to his own."""
    visible = desk.rights.visible()
    home = desk.rights.caller.domain
    paths = {row.domain for row in desk.accounts() if row.name in visible} | {home}
    found = [
        {
            "id": id_of("domain", path),
            "name": domain_name(path),
            "path": f"ROOT{path}".rstrip("/"),
            "level": path.count("/") - 1,
        }
        for path in sorted(paths)
        if path.startswith(home) and given.get("id") in {None, id_of("domain", path)}
    ]
    return {"count": len(found), "domain": found} if found else {}


def list_projects(desk: Desk, given: Given) -> Body:
    """List the projects whose things the caller may see."""
    visible = desk.rights.visible()
    found = [
        {
            "id": id_of("project", row.name),
            "name": row.name,
            "domainid": id_of("domain", row.domain),
            "domain": domain_name(row.domain),
            "state": "Active" if row.enabled else "Suspended",
        }
        for row in desk.accounts()
        if row.role is Role.PROJECT and row.name in visible
    ]
    if "id" in given:
        found = [row for row in found if row["id"] == given["id"]]
    return {"count": len(found), "project": found} if found else {}


def update_limit(desk: Desk, given: Given) -> Body:
    """Set a limit of an account; -1 takes it away."""
    what = LIMITED.get(given["resourcetype"])
    if what is None:
        raise InvalidRequestError(f"Parameter resourcetype is one of {', '.join(str(number) for number in LIMITED)}.")
    account = _known(desk, {**given, "name": given["account"]})
    top = given.get("max", NO_LIMIT)
    value = None if top == NO_LIMIT else top * (1 if what == "snapshots" else GIB)
    desk.driver.put_account(replace(account, limits=replace(account.limits, **{what: value})))
    told = {"account": account.name, "resourcetype": str(given["resourcetype"]), "max": top}
    return {"resourcelimit": told}


def list_limits(desk: Desk, given: Given) -> Body:
    """List an account's limits, the caller's own without a name."""
    name = given.get("account", desk.user.account)
    desk.rights.require(Operation.LIST, Thing.ACCOUNT, name)
    account = next((row for row in desk.accounts() if row.name == name), Account(name=name))
    found = [
        {"account": name, "resourcetype": str(number), "max": _told_limit(account.limits, what)}
        for number, what in LIMITED.items()
    ]
    return {"count": len(found), "resourcelimit": found}


def _told_limit(limits: Limits, what: str) -> int:
    top: int | None = getattr(limits, what)
    if top is None:
        return NO_LIMIT
    return top if what == "snapshots" else top // GIB


def _manages(desk: Desk, account: AccountId) -> bool:
    return account in desk.rights.visible(Operation.MANAGE_ACCOUNT)


def _known(desk: Desk, given: Given) -> Account:
    """The account that is named by id or by name, if the caller may see it. Raises NotFoundError."""
    visible = desk.rights.visible()
    for row in desk.accounts():
        named = given.get("id") == id_of("account", row.name) or ("id" not in given and given.get("name") == row.name)
        if named and row.name in visible:
            return row
    raise NotFoundError(f"There is no account {given.get('id') or given.get('name')}.")


def _told(desk: Desk, account: Account) -> Body:
    counts = desk.life.resource_counts(account.name)
    limit = account.limits.snapshots
    return shaped(
        "account",
        {
            "id": id_of("account", account.name),
            "name": account.name,
            "accounttype": TYPES[account.role],
            "rolename": account.role,
            "state": "enabled" if account.enabled else "disabled",
            "domain_path": account.domain,
            "domainid": id_of("domain", account.domain),
            "snapshottotal": counts.snapshots,
            "snapshotlimit": "Unlimited" if limit is None else str(limit),
            "secondarystoragetotal": counts.secondary_storage_bytes,
            "user": list(_users(desk, account.name)),
        },
    )


def _users(desk: Desk, account: AccountId) -> Iterable[Mapping[str, str]]:
    return (
        {"id": user.id, "username": user.username, "account": account}
        for user in desk.life.users()
        if user.account == account
    )


NAMED = (identity("id", "the account"), text("name", "its name"), text("account", "its name"))
JUST_ONE = identity("id", "one of them")
COMMANDS = table(
    Command(
        name="createAccount",
        purpose="Make an account with its first user.",
        use=create_account,
        shape="account",
        parameters=(
            text("username", "the user, and the account where that is not named", required=True, most=53),
            text("account", "the account", most=53),
            whole("accounttype", "0 user, 1 root, 2 domain, 4 reader", most=5),
            identity("domainid", "in which domain"),
            text("email", "is not kept"),
            text("firstname", "is not kept"),
            text("lastname", "is not kept"),
            text("password", "is not kept: nobody logs in with one"),
        ),
    ),
    Command(
        name="listAccounts",
        purpose="List accounts.",
        use=list_accounts,
        shape="account",
        parameters=(
            identity("id", "one account"),
            text("name", "those of one name"),
            identity("domainid", "in which domain"),
            flag("isrecursive", "domains below as well"),
            flag("listall", "all that may be seen"),
            *PAGES,
        ),
    ),
    Command(
        name="enableAccount", purpose="Let an account act again.", use=change_state(enabled=True), parameters=NAMED
    ),
    Command(
        name="disableAccount", purpose="Let an account do nothing.", use=change_state(enabled=False), parameters=NAMED
    ),
    Command(
        name="deleteAccount",
        purpose="Delete an account with all that it has.",
        use=delete_account,
        asynchronous=True,
        parameters=(identity("id", "the account", required=True),),
    ),
    Command(
        name="registerUserKeys",
        purpose="Give a user other keys.",
        use=register_keys,
        parameters=(identity("id", "the user", required=True),),
    ),
    Command(
        name="listUsers",
        purpose="List users.",
        use=list_users,
        parameters=(text("username", "one name"), flag("listall", "all that may be seen"), *PAGES),
    ),
    Command(name="listDomains", purpose="List domains.", use=list_domains, parameters=(identity("id", "one"), *PAGES)),
    Command(
        name="listProjects", purpose="List projects.", use=list_projects, parameters=(identity("id", "one"), *PAGES)
    ),
    Command(
        name="updateResourceLimit",
        purpose="Set a limit of an account.",
        use=update_limit,
        parameters=(
            whole("resourcetype", "3 snapshots, 10 primary, 11 secondary storage", most=99, required=True),
            whole("max", "how many, or how many GiB; -1: no limit", least=-1, most=2**31),
            text("account", "whose", required=True),
            identity("domainid", "in which domain"),
        ),
    ),
    Command(
        name="listResourceLimits",
        purpose="List the limits of an account.",
        use=list_limits,
        parameters=(text("account", "whose"), identity("domainid", "in which domain")),
    ),
)
