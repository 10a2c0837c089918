"""Accounts: the tenants that own volumes, and their CHAP secrets, which only the API's own answers ever show."""

from collections.abc import Mapping
from typing import Any

from snapproof.simulators.solidfire import checks, hosts
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.method import Rules
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Account, AccountRow, Volume
from snapproof.simulators.solidfire.shelf import Part
from snapproof.simulators.solidfire.state import Numbered

STATUSES = ("active", "locked")


def add_account(array: Array, given: Given) -> Mapping[str, Any]:
    """Add an account, with secrets of its own where none were given."""
    username = _free_username(array, given["username"])
    initiator_secret, target_secret = _secrets(array, given)
    attributes = checks.attributes(given) or {}
    if len(array.accounts) >= array.limits["accountCountMax"]:
        raise ElementError(GUESSED.too_many, f"The cluster has {len(array.accounts)} accounts already.")
    owned: Part[Volume] = Part(array.volumes)
    account_id = array.next_number(Numbered.ACCOUNT)
    row = AccountRow(
        account_id=account_id,
        username=username,
        volumes=owned,
        initiator_secret=initiator_secret or array.new_secret(),
        target_secret=target_secret or array.new_secret(),
        attributes=attributes,
        enable_chap=given.get("enableChap", True),
    )
    array.accounts.put(account_id, Account(row=row, volumes=owned))
    array.account_ids[username] = account_id
    array.record("account created", account_id=account_id, username=username)
    return {"accountID": account_id, "account": row}


def _free_username(array: Array, username: str) -> str:
    checks.name_within(array, username, "accountNameLengthMax")
    if username in array.account_ids:
        raise ElementError("xDuplicateUsername")
    return username


def _secrets(array: Array, given: Given) -> tuple[str, str]:
    return checks.secret(array, given, "initiatorSecret"), checks.secret(array, given, "targetSecret")


def give_secrets(array: Array, row: AccountRow, given: Given) -> None:
    """Replace the secrets that were given, both or none. Raises ElementError."""
    initiator_secret, target_secret = _secrets(array, given)
    row.initiator_secret = initiator_secret or row.initiator_secret
    row.target_secret = target_secret or row.target_secret


def get_account_by_id(array: Array, given: Given) -> Mapping[str, Any]:
    """Show one account."""
    return {"account": array.account(given["accountID"]).row}


def get_account_by_name(array: Array, given: Given) -> Mapping[str, Any]:
    """Show the account of a name."""
    account_id = array.account_ids.get(given["username"])
    if account_id is None:
        raise ElementError("xUnknownAccount")
    return {"account": array.accounts[account_id].row}


def list_accounts(array: Array, given: Given) -> Mapping[str, Any]:
    """List accounts by their ids."""
    found = checks.listed(array.accounts, given, "startAccountID")
    if not given.get("includeStorageContainers", True):
        found = (account for account in found if account.row.account_id not in array.settings.containers)
    return {"accounts": [account.row for account in checks.limited(found, given)]}


def modify_account(array: Array, given: Given) -> Mapping[str, Any]:
    """Change what was given."""
    row = array.account(given["accountID"]).row
    username = given.get("username", row.username)
    if username != row.username:
        _free_username(array, username)
    status = checks.one_of(given.get("status", row.status), STATUSES)
    attributes = checks.attributes(given)
    give_secrets(array, row, given)
    del array.account_ids[row.username]
    array.account_ids[username] = row.account_id
    row.username, row.status = username, status
    row.attributes = row.attributes if attributes is None else attributes
    row.enable_chap = given.get("enableChap", row.enable_chap)
    if status == "locked":
        hosts.drop_account(array, row.account_id, f"account {row.account_id} was locked")
    array.record("account modified", account_id=row.account_id, username=username, status=status)
    return {"account": row}


def remove_account(array: Array, given: Given) -> Mapping[str, Any]:
    """Remove an account that owns nothing any more, deleted volumes included."""
    account = array.account(given["accountID"])
    if account.volumes:
        raise ElementError(
            GUESSED.account_in_use,
            f"AccountID {account.row.account_id} still owns volumes {account.row.volumes}; purge them first.",
        )
    if account.row.account_id in array.settings.containers:
        raise ElementError(
            GUESSED.account_in_use,
            f"AccountID {account.row.account_id} is a storage container; delete the container first.",
        )
    array.accounts.drop(account.row.account_id)
    del array.account_ids[account.row.username]
    array.record("account removed", account_id=account.row.account_id, username=account.row.username)
    return {}


RULES: Rules = {
    "AddAccount": add_account,
    "GetAccountByID": get_account_by_id,
    "GetAccountByName": get_account_by_name,
    "ListAccounts": list_accounts,
    "ModifyAccount": modify_account,
    "RemoveAccount": remove_account,
}
