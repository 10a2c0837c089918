"""Accounts, domains, projects, users, limits and tags in the catalog, on every kind of database."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import pytest

from snapproof.accounts import Account, Limits, Role
from snapproof.driver import LimitExceededError, NotFoundError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.queries import Page
from snapproof.reference_impl.catalog.store import Catalog
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.vocabulary import AccountId, LocationType, Qos

T = TypeVar("T")
QOS = Qos(min_iops=100, max_iops=200, burst_iops=300)
ODD = "'; DROP TABLE account; -- %_\\ \"`é"
ACCOUNTS = (
    Account(name=AccountId("root"), role=Role.ROOT_ADMIN),
    Account(name=AccountId("desk"), role=Role.SUPPORT),
    Account(name=AccountId("maker"), role=Role.VENDOR),
    Account(name=AccountId("nick"), domain="/sales/north/", limits=Limits(snapshots=2, primary_storage_bytes=5)),
    Account(name=AccountId("sam"), domain="/sales/", role=Role.DOMAIN_ADMIN, enabled=False),
    Account(name=AccountId("quay"), domain="/sales/", role=Role.PROJECT, members=(AccountId("nick"), AccountId("sam"))),
)


@pytest.fixture
def catalog(database: str) -> Iterator[Catalog]:
    clock = VirtualClock()
    opened = Catalog(database, call_point=Seam(Journal(clock.time)), clock=clock)
    yield opened
    opened.close()


def write(catalog: Catalog, *changes: Callable[[Transaction], object]) -> None:
    for change in changes:
        with catalog.transaction() as session:
            change(Transaction(session, catalog.now()))


def read(catalog: Catalog, query: Callable[..., T], *given: Any, **named: Any) -> T:
    with catalog.reading() as session:
        return query(session, *given, **named)


def volume(tx: Transaction, *, uuid: str, account: str, size_bytes: int = 4, name: str = "database") -> None:
    tx.insert_volume(uuid=uuid, account=account, name=name, lun_id=1, target="iqn.x", size_bytes=size_bytes, qos=QOS)


def putting(account: Account) -> Callable[[Transaction], None]:
    return lambda tx: tx.put_account(account)


def test_accounts_are_read_as_they_were_put_however_often(catalog: Catalog) -> None:
    for _ in range(2):
        for account in ACCOUNTS:
            write(catalog, putting(account))
    assert sorted(read(catalog, queries.accounts), key=lambda row: row.name) == sorted(
        ACCOUNTS, key=lambda row: row.name
    )
    changed = Account(name=AccountId("quay"), domain="/sales/", role=Role.PROJECT, members=(), enabled=False)
    write(catalog, lambda tx: tx.put_account(changed))
    assert read(catalog, queries.account, "quay") == changed


def test_an_account_that_nobody_put_is_a_user_at_the_root(catalog: Catalog) -> None:
    write(catalog, lambda tx: volume(tx, uuid="v", account="early"))
    assert read(catalog, queries.accounts) == [Account(name=AccountId("early"))]


def test_a_key_is_its_users_until_there_is_another_or_the_account_may_not_act(catalog: Catalog) -> None:
    write(catalog, lambda tx: tx.put_account(ACCOUNTS[3]), lambda tx: tx.put_user("nick", ODD, "key one"))
    found = read(catalog, queries.user_of_key, "key one")
    assert found is not None
    assert (found.account, found.username) == ("nick", ODD)
    assert read(catalog, queries.user_of_key, "key two") is None
    write(catalog, lambda tx: tx.put_user("nick", ODD, "key two"))
    assert read(catalog, queries.user_of_key, "key one") is None
    assert [user.api_key for user in read(catalog, queries.users)] == ["key two"]
    disabled = Account(name=AccountId("nick"), enabled=False)
    write(catalog, lambda tx: tx.put_account(disabled))
    assert read(catalog, queries.user_of_key, "key two") is None


def test_a_removal_is_remembered_with_its_operation_until_and_after_its_end(catalog: Catalog) -> None:
    write(catalog, lambda tx: tx.put_account(ACCOUNTS[3]), lambda tx: tx.put_user("nick", "nick", "key"))
    write(catalog, lambda tx: tx.begin_removal("nick", "op"))
    assert (read(catalog, queries.removals), read(catalog, queries.removal_of, "nick")) == (["nick"], "op")
    pending = read(catalog, queries.removal_by, "op")
    assert pending is not None
    assert pending.pending
    write(catalog, lambda tx: tx.end_removal("nick"))
    assert (read(catalog, queries.removals), read(catalog, queries.removal_of, "nick")) == ([], "op")
    assert read(catalog, queries.users) == []
    with pytest.raises(NotFoundError, match="There is no account nick"):
        read(catalog, queries.account, "nick")


@pytest.mark.parametrize(
    ("location", "size_bytes", "limit"),
    [
        (LocationType.PRIMARY, 1, None),
        (LocationType.PRIMARY, 2, "primary_storage"),
        (LocationType.SECONDARY, 2**50, None),
    ],
)
def test_a_limit_is_one_of_what_is_used(
    catalog: Catalog, location: LocationType, size_bytes: int, limit: str | None
) -> None:
    write(catalog, lambda tx: tx.put_account(ACCOUNTS[3]), lambda tx: volume(tx, uuid="v", account="nick"))
    with catalog.transaction() as session:
        if limit is None:
            queries.require_room(session, AccountId("nick"), location, size_bytes)
        else:
            with pytest.raises(LimitExceededError, match=f"The limit {limit} of account nick is 5"):
                queries.require_room(session, AccountId("nick"), location, size_bytes)
    with catalog.transaction() as session, pytest.raises(LimitExceededError, match="primary_storage"):
        queries.require_room_for_volume(session, AccountId("nick"), 2)


def test_pages_are_picked_by_owner_name_part_of_it_and_tags_as_they_are_written(catalog: Catalog) -> None:
    names = ["one", ODD, "a_b", "a%b", "axb", "One"]
    for number, name in enumerate(names):
        owner = "nick" if number % 2 else "sue"
        write(catalog, partial(volume, uuid=f"v{number}", account=owner, name=name))
    write(catalog, lambda tx: tx.put_tags("nick", "Volume", "v1", {ODD: ODD, "for": "audit"}))
    write(catalog, lambda tx: tx.put_tags("sue", "Snapshot", "v0", {ODD: ODD}))

    def names_of(**wanted: Any) -> list[str]:
        given = {"owners": None, "exactly": {}, **wanted}
        total, rows = read(catalog, queries.listed, "volume", **given)
        assert total >= len(rows)
        return [row["name"] for row in rows]

    assert names_of() == names
    assert names_of(owners={"nick"}) == [ODD, "a%b", "One"]
    assert names_of(owners=set()) == []
    for name in names:
        assert names_of(exactly={"name": name}) == [name]
    assert names_of(keyword="_b") == ["a_b"]
    assert names_of(keyword="%b") == ["a%b"]
    assert names_of(keyword="DROP TABLE") == [ODD]
    assert names_of(tags={ODD: ODD}) == [ODD]
    assert names_of(tags={ODD: ODD, "for": "audit"}) == [ODD]
    assert names_of(tags={"for": "audits"}) == []
    assert names_of(page=Page(skip=2, most=2)) == ["a_b", "a%b"]
    assert names_of(exactly={"id": ["v0", "v2", "nothing"]}) == ["one", "a_b"]
    assert read(catalog, queries.tags_of, ["v0", "v1"])["v1"] == sorted([(ODD, ODD), ("for", "audit")])
