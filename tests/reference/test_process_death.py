"""A driver that is really killed: a process of its own, real sockets and TLS, SIGKILL in the middle of a call."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from snapproof.campaign.invariants import violations
from snapproof.campaign.schedule import Schedule
from snapproof.driver import DriverUnderTest
from snapproof.drivers.outside import CommandDriver
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.reference_impl.configuring import FILE
from snapproof.site import Site
from snapproof.vocabulary import LocationType, SnapshotState, VolumeId

SEED = 11
DEATHS = 3
"""How many calls of a backup are drawn to be the last ones, on either store."""


class Hosted(CommandDriver):
    """The reference driver in a process of its own. Its catalog is a file unless it is said where."""

    def __init__(self, catalog_url: str | None) -> None:
        super().__init__(f"cmd:{sys.executable} -m snapproof host reference")
        self._catalog_url = catalog_url

    def __call__(self, site: Site) -> DriverUnderTest:
        if self._catalog_url:
            (site.state_directory / FILE).write_text(f"snapshot.catalog.url = {self._catalog_url}\n")
        return super().__call__(site)


@contextmanager
def arranged(store: str, catalog_url: str | None = None) -> Iterator[tuple[Caller, VolumeId]]:
    """Have a used volume with a snapshot on the array, and whoever asks for more."""
    with lab_opener(Hosted(catalog_url))(Schedule(workflow="kill", store=store, seed=SEED)) as lab:
        caller = Caller(lab)
        volume = caller.used_volume().id
        caller.take("keep", volume, LocationType.PRIMARY).result()
        lab.watch_calls()
        yield caller, volume


def calls_of_a_backup(store: str, catalog_url: str | None = None) -> list[str]:
    """Let it live, and give what it called."""
    with arranged(store, catalog_url) as (caller, volume):
        caller.take("nightly", volume, LocationType.SECONDARY).result()
        calls = list(caller.lab.calls())
        assert_sound(caller, ended={SnapshotState.BACKED_UP})
    return calls


def die_at(label: str, fault: str, store: str, catalog_url: str | None = None) -> None:
    """Kill it in one call, and see what its next life makes of that."""
    with arranged(store, catalog_url) as (caller, volume):
        caller.lab.arm(label, fault)
        assert caller.take("nightly", volume, LocationType.SECONDARY).crashed, label
        assert not caller.lab.unspent_faults()
        caller.lab.restart_driver()
        assert_sound(caller, ended={SnapshotState.BACKED_UP, SnapshotState.ERROR})


def assert_sound(caller: Caller, *, ended: set[SnapshotState]) -> None:
    """One more life has nothing to do, and all is as it should be."""
    lab = caller.lab
    lab.watch_calls()
    lab.restart_driver()
    assert not lab.calls()
    assert {s.state for s in lab.driver.list_snapshots() if s.name == "nightly"} <= ended
    lab.settle()
    assert violations(lab) == ()


@pytest.mark.parametrize("store", ["nfs", "s3"])
def test_a_killed_driver_is_taken_up_by_its_next_life(store: str) -> None:
    dice = random.Random(f"deaths of {SEED} on {store}")
    for label in dice.sample(calls_of_a_backup(store), DEATHS):
        die_at(label, dice.choice(["crash_before", "crash_after"]), store)


@pytest.mark.real
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_killed_driver_is_taken_up_where_its_catalog_is_on_a_server(kind: str, servers: Any, tmp_path: Any) -> None:
    """The server ends the transaction that its client was killed in, and lets go of its locks."""
    with servers.database(kind, tmp_path) as url:
        calls = calls_of_a_backup("nfs", url)
    dice = random.Random(f"deaths of {SEED} on {kind}")
    for label in dice.sample(calls, DEATHS):
        with servers.database(kind, tmp_path) as url:
            die_at(label, dice.choice(["crash_before", "crash_after"]), "nfs", url)
