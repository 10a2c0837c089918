"""History: every snapshot leaves as many rows as the one before, and old ones are forgotten while what lives stays."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from itertools import islice

import pytest

from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.catalog import purging
from snapproof.reference_impl.settings import Settings
from snapproof.vocabulary import LocationType

TABLES = (
    *("snapshots", "snapshot_store_ref", "snapshot_details", "async_job", "storage_leak", "event", "usage_event"),
    *("usage_storage", "outbox"),
)
HISTORY_S = Settings().history_s


def counted(caller: Caller) -> Mapping[str, int]:
    with closing(sqlite3.connect(caller.lab._state_directory / "catalog.sqlite")) as database:
        return {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608  of the list above


def grown(caller: Caller, before: Mapping[str, int]) -> Mapping[str, int]:
    return {table: number - before[table] for table, number in counted(caller).items()}


def live_through(caller: Caller, name: str) -> None:
    """A snapshot at each place, taken and deleted."""
    (volume,) = caller.lab.driver.list_volumes()
    for location in LocationType:
        taken = caller.take(f"{name} {location}", volume.id, location).result()
        caller.delete(f"{name} {location} is deleted", taken.id).raise_if_failed()


def wait(caller: Caller, seconds: float) -> None:
    caller.lab.advance(seconds)
    caller.lab.driver.run_due_work()


@pytest.mark.requirement(id="R-143")
def test_every_snapshot_leaves_as_many_rows_as_the_one_before(caller: Caller) -> None:
    caller.used_volume()
    grew = []
    for name in ("one", "two", "three"):
        before = counted(caller)
        live_through(caller, name)
        grew.append(grown(caller, before))
    assert grew[0] == grew[1] == grew[2]
    assert grew[0]["snapshots"] == 2


def kept_too_long(caller: Caller) -> Mapping[str, int]:
    """The rows that are left of what was over long ago."""
    caller.used_volume()
    wait(caller, HISTORY_S + 2)
    before = counted(caller)
    live_through(caller, "old")
    wait(caller, HISTORY_S / 2)
    assert grown(caller, before)["snapshots"] == 2, "It is not old yet."
    wait(caller, HISTORY_S / 2 + 2)
    return {table: number for table, number in grown(caller, before).items() if number > 0}


@pytest.mark.requirement(id="R-143")
def test_what_is_old_and_over_is_forgotten(caller: Caller) -> None:
    assert kept_too_long(caller) == {}


def test_what_is_kept_for_ever_is_found(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    with_rows_of_their_own = dict(islice(purging._IDS.items(), 2))
    assert {table.name for table in with_rows_of_their_own} == {"async_job", "snapshots"}
    monkeypatch.setattr(purging, "_IDS", with_rows_of_their_own)
    counts = purging._COUNTS.with_only_columns(*islice(purging._COUNTS.selected_columns, 2))
    monkeypatch.setattr(purging, "_COUNTS", counts)
    assert set(kept_too_long(caller)) == {"event", "outbox", "usage_event", "usage_storage"}


def test_a_purge_takes_many_rows_in_pieces(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "ROWS_MAX", 1)
    assert kept_too_long(caller) == {}


def test_what_lives_is_what_it_was_and_its_request_still_means_it(any_caller: Caller) -> None:
    volume = any_caller.used_volume()
    here = any_caller.take("here", volume.id).result()
    there = any_caller.take("there", volume.id, LocationType.SECONDARY).result()
    inventory = any_caller.lab.inventory()
    wait(any_caller, 3 * HISTORY_S)
    assert any_caller.lab.inventory() == inventory
    assert any_caller.lab.driver.list_snapshots() == [here, there]
    assert any_caller.take("here", volume.id).result() == here
    assert any_caller.take("there", volume.id, LocationType.SECONDARY).result() == there
    assert any_caller.create("volume").result() == volume
    assert any_caller.create("restored", source=there.id).error is None


def test_a_job_that_is_not_over_is_never_old(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.GetAsyncResult", "refused:xPermissionDenied")
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    assert caller.take("take", volume.id, LocationType.SECONDARY).error is not None
    wait(caller, 3 * HISTORY_S)
    assert counted(caller)["storage_leak"] == 1
    caller.lab.repair()
    caller.lab.driver.reconcile()
    assert not caller.lab.array_snapshots()
