"""The metrics: every name is scraped, says what is so at that moment, and is what it was when a load is over."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.metrics import TABLE, page
from snapproof.reference_impl.pacing import Turns
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.journal import Entry
from snapproof.vocabulary import LocationType, OperationId, SnapshotRequest

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
GAUGES = {measure.name for measure in TABLE if not measure.counter}
RATE = "snapproof_bytes_per_second"


def scrape(caller: Caller) -> Mapping[tuple[str, str], float]:
    """Every sample by its name and its label."""
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    families = list(text_string_to_metric_families(driver.metrics().decode()))
    assert all(family.documentation.endswith(".") for family in families)
    return {
        (sample.name, "".join(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def gauges(caller: Caller) -> Mapping[tuple[str, str], float]:
    return {name: value for name, value in scrape(caller).items() if name[0] in GAUGES}


@pytest.mark.requirement(id="R-075")
def test_the_page_of_metrics_is_published_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "Write it again: python -m snapproof.reference_impl.metrics."


@pytest.mark.requirement(id="R-075")
def test_a_scrape_shows_every_metric_of_the_table(caller: Caller) -> None:
    caller.lab.break_service("array.CreateSnapshot", "refused:xPermissionDenied")
    caller.take("take", caller.used_volume().id)
    assert {name for name, _ in scrape(caller)} == {measure.name for measure in TABLE}


@pytest.mark.requirement(id="R-075")
def test_a_scrape_shows_what_is_so_at_that_moment(caller: Caller) -> None:
    volume = caller.used_volume()
    seen: list[Mapping[tuple[str, str], float]] = []

    def look(entry: Entry) -> None:
        if entry.event == "host.Async.VDI.copy#1" and not seen:
            seen.append(scrape(caller))

    caller.lab.watch_calls()
    caller.lab._world.journal.watch(look)
    caller.take("take", volume.id, LocationType.SECONDARY).result()
    (during,), after = seen, scrape(caller)
    assert during["snapproof_snapshots", "BackingUp"] == 1
    assert during["snapproof_backups_in_flight", ""] == during["snapproof_copies_in_turn", ""] == 1
    assert after["snapproof_snapshots", "BackedUp"] == 1
    assert after["snapproof_backups_in_flight", ""] == after["snapproof_copies_in_turn", ""] == 0
    assert after["snapproof_moved_bytes_total", ""] > 0
    assert after[RATE, ""] == after["snapproof_moved_bytes_total", ""] / 60


@pytest.mark.requirement(id="R-075")
def test_what_waits_and_what_failed_is_counted(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("array.CloneVolume", "refused:xMaxClonesPerNodeExceeded")
    request = SnapshotRequest(operation=OperationId("late"), volume=volume.id, location="SECONDARY", async_backup=True)
    caller.lab.attempt(lambda driver: driver.take_snapshot(request)).result()
    caller.lab.driver.run_due_work()
    caller.lab.advance(100)
    found = scrape(caller)
    assert found["snapproof_retry_queue_length", ""] == 1
    assert found["snapproof_backups_in_flight", ""] == 0
    assert found["snapproof_oldest_backing_up_seconds", ""] >= 100
    assert found["snapproof_array_errors_total", "xMaxClonesPerNodeExceeded"] == Settings().attempts_max


@pytest.mark.requirement(id="R-075")
def test_a_store_that_is_left_alone_and_what_could_not_be_cleaned_up_are_shown(caller: Caller) -> None:
    volume = caller.used_volume()
    caller.lab.break_service("nfs.rename", "lost_before")
    for number in range(6):
        caller.take(f"take {number}", volume.id, LocationType.SECONDARY)
    assert scrape(caller)["snapproof_store_left_alone", "publish"] == 1
    caller.lab.repair()
    caller.lab.break_service("array.DeleteSnapshot", "refused:xPermissionDenied")
    caller.lab.advance(Settings().breaker_pause_s)
    caller.take("last", volume.id, LocationType.SECONDARY).result()
    found = scrape(caller)
    assert found["snapproof_store_left_alone", "publish"] == 0
    assert found["snapproof_leaks", ""] == 1


def load(caller: Caller) -> None:
    """Have snapshots taken, fail, wait, be tried again and deleted; let everything end."""
    (volume,) = caller.lab.driver.list_volumes()
    caller.lab.break_service("array.CloneVolume", "refused:xPermissionDenied")
    for number, location in enumerate([*LocationType, *LocationType]):
        caller.take(f"load {number}", volume.id, location)
    request = SnapshotRequest(operation=OperationId("late"), volume=volume.id, location="SECONDARY", async_backup=True)
    caller.lab.attempt(lambda driver: driver.take_snapshot(request)).result()
    caller.lab.driver.run_due_work()
    caller.lab.repair()
    caller.lab.advance(Settings().backup_retry_interval_s)
    caller.lab.driver.run_due_work()
    for row in caller.lab.driver.list_snapshots():
        caller.delete(f"delete {row.id}", row.id).raise_if_failed()
    caller.lab.advance(120)


def drifted(caller: Caller) -> list[str]:
    """Name the gauges that a load leaves at another value."""
    caller.used_volume()
    before = gauges(caller)
    load(caller)
    after = gauges(caller)
    assert scrape(caller)["snapproof_moved_bytes_total", ""] > 0, "Nothing was moved, so that equality proves nothing."
    return sorted(name for name, label in before if after[name, label] != before[name, label])


@pytest.mark.requirement(id="R-076")
def test_every_gauge_is_what_it_was_when_the_load_is_over(any_caller: Caller) -> None:
    assert drifted(any_caller) == []


def test_a_gauge_that_drifts_is_found(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Turns.turn

    @contextmanager
    def forgetful(turns: Turns, job: str) -> Iterator[None]:
        try:
            with honest(turns, job):
                yield
        except BaseException:
            turns.taken += 1
            raise
        turns.taken += 1

    monkeypatch.setattr(Turns, "turn", forgetful)
    assert drifted(caller) == ["snapproof_copies_in_turn"]
