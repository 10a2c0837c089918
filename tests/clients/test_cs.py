"""PyPI's cs, unmodified: a client of CloudStack's API at the management server of a simulated world."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapproof.accounts import Account
from snapproof.fixtures.management import Management
from snapproof.fixtures.world import World
from snapproof.simulators.clock import WallClock
from snapproof.simulators.serving import serve
from snapproof.vocabulary import AccountId, OperationId, VolumeRequest

pytestmark = pytest.mark.clients
SIZE_BYTES = 3 * 2**20


class Served:
    """A management server on a socket, with two users and a volume that has been used."""

    def __init__(self, management: Management, url: str) -> None:
        self.management, self.url = management, f"{url}/client/api"
        request = VolumeRequest(
            operation=OperationId("volume"), account=AccountId("admin"), name="database", size_bytes=SIZE_BYTES
        )
        self.volume = management.driver.create_volume(request).id
        management.use_once(self.volume)

    def login(self, key: str = "") -> dict[str, str]:
        """How a user logs in, the first one without a key."""
        known = key or self.management.key
        return {"url": self.url, "key": known, "secret": self.management.keys.secret_of(known).reveal()}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    for name in ("export", "state"):
        (tmp_path / name).mkdir()
    with World.build(seed=5, clock=WallClock(), directory=tmp_path / "export") as world:
        management = Management(world, seed=5, state_directory=tmp_path / "state")
        with serve(management.door, blocking=True) as server:
            yield Served(management, server.url)
        management.close()


@pytest.fixture
def client(teller_of: Callable[..., Any]) -> Any:
    return teller_of("cs", "cs_story.py")


def test_it_takes_archives_restores_reverts_and_deletes(client: Any, served: Served) -> None:
    assert client("life", login=served.login(), volume=served.volume) == {
        "first": ["nightly ä ~*+ %/&=", "BackedUp", "PRIMARY", [{"key": "for", "value": "audit & co"}]],
        "second": ["BackedUp", "SECONDARY"],
        "moved": [True, "BackedUp", "SECONDARY"],
        "reverted": {"success": True},
        "listed": True,
        "tagged": True,
        "copy": [SIZE_BYTES, "Ready"],
        "template": [SIZE_BYTES, True],
        "deleted": [{"success": True}, {"success": True}],
        "left": {},
    }


def test_it_makes_changes_and_ends_a_policy(client: Any, served: Served) -> None:
    assert client("policies", login=served.login(), volume=served.volume) == {
        "made": [1, "0:4", 3, "SECONDARY"],
        "changed": [5, "0:4"],
        "listed": True,
        "ended": {"success": True},
        "left": {},
    }


def test_it_reads_every_refusal_and_learns_nothing_of_others(client: Any, served: Served) -> None:
    stranger = served.login(served.management.add(Account(name=AccountId("sue"))))
    found = client("refusals", login=served.login(), stranger=stranger, volume=served.volume)
    told = found["told"]
    assert {name: text[:3] for name, text in told.items()} == {
        "wrong secret": "401",
        "wrong key": "401",
        "expired": "401",
        "unknown command": "432",
        **dict.fromkeys(set(told) - {"wrong secret", "wrong key", "expired", "unknown command"}, "431"),
    }
    assert told["wrong secret"] == told["wrong key"] == told["expired"]
    for verb in ("deleteSnapshot", "revertSnapshot", "archiveSnapshot", "listSnapshots"):
        assert told[f"{verb} unknown"] == told[f"{verb} another's"] == "431 There is no snapshot ID."
    assert (found["seen"], found["own"]) == ({}, 1)
