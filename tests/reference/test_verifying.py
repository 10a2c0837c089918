"""Backups are read again by themselves: what is wrong with one is marked and told once. Silence proves nothing."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from snapproof.digests import CHUNKS_MAX, Manifest, chunk_bytes_for, read_through
from snapproof.fixtures.caller import Caller
from snapproof.reference_impl import verifying
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.configuring import FILE
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.clock import EPOCH_S
from snapproof.vocabulary import LocationType, Snapshot

INTERVAL_S = Settings().verify_interval_s
MIB = 2**20


class Bytes:
    """A file of these bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size_bytes = len(content)

    def read_at(self, offset: int, length: int) -> bytes:
        return self._content[offset : offset + length]

    def close(self) -> None:
        """Nothing is open."""


WRITTEN = bytes(9 * MIB + 1)
_, MANIFEST = read_through(Bytes(WRITTEN))


@given(at=st.integers(0, 9 * MIB), bit=st.integers(0, 7))
def test_a_bit_is_missed_by_the_chunk_that_it_is_in_and_by_no_other(at: int, bit: int) -> None:
    rotten = bytearray(WRITTEN)
    rotten[at] ^= 1 << bit
    whole = [MANIFEST.holds(Bytes(bytes(rotten)), number) for number in range(MANIFEST.chunks)]
    assert whole == [number != at // MANIFEST.chunk_bytes for number in range(3)]


@given(size_bytes=st.integers(1, 2**46))
def test_no_manifest_is_longer_than_a_thousand_chunks(size_bytes: int) -> None:
    assert -(-size_bytes // chunk_bytes_for(size_bytes)) <= CHUNKS_MAX
    assert chunk_bytes_for(size_bytes) % MIB == 0


def driver_of(caller: Caller) -> ReferenceDriver:
    driver = caller.lab._driver
    assert isinstance(driver, ReferenceDriver)
    return driver


def set_share(caller: Caller, percent: int) -> None:
    settings = caller.lab._state_directory / FILE
    settings.write_text(f"snapshot.verify.share = {percent}\n", encoding="utf-8")
    caller.lab.driver.run_due_work()


def backed_up(caller: Caller, *names: str) -> list[Snapshot]:
    """Backups that are read again as a whole."""
    set_share(caller, 100)
    volume = caller.used_volume()
    return [caller.take(name, volume.id, LocationType.SECONDARY).result() for name in names]


def look(caller: Caller, after_s: float = INTERVAL_S) -> dict[str, str]:
    """Let time pass and the driver do its due work; what is marked as damaged, by name."""
    caller.lab.advance(after_s)
    caller.lab.driver.run_due_work()
    return {
        row.name: copy.details["damage"]
        for row in caller.lab.driver.list_snapshots()
        for copy in row.copies
        if "damage" in copy.details
    }


def file_of(caller: Caller, snapshot: Snapshot) -> Path:
    return caller.lab._world.export.root / snapshot.copies[0].reference


def flip(path: Path, at: int = 5_000) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_damage_is_marked_and_told_once_and_unmarked_when_it_is_mended(caller: Caller) -> None:
    monday, _ = backed_up(caller, "monday", "tuesday")
    assert look(caller) == {}
    flip(file_of(caller, monday))
    assert look(caller, INTERVAL_S / 2) == {}, "It was read not long ago."
    size = monday.copies[0].physical_size_bytes
    found = {"monday": f"its bytes 0 to {min(size, 4 * MIB)} are not what was written"}
    assert look(caller, INTERVAL_S / 2) == look(caller) == found
    (alert,) = caller.lab.driver.alerts()
    assert (alert.subject, monday.copies[0].reference in alert.text) == (monday.id, True)
    assert b"snapproof_backups_damaged 1.0" in driver_of(caller).metrics()
    flip(file_of(caller, monday))
    assert look(caller) == {}
    assert b"snapproof_backups_damaged 0.0" in driver_of(caller).metrics()


def test_what_was_found_damaged_stays_so_whichever_part_is_read_next(caller: Caller) -> None:
    (monday,) = backed_up(caller, "monday")
    assert monday.copies[0].physical_size_bytes > MANIFEST.chunk_bytes, "One chunk would be all of it."
    set_share(caller, 1)
    flip(file_of(caller, monday))
    while not (found := look(caller)):
        assert caller.lab.now_s() < 40 * INTERVAL_S + EPOCH_S, "It was not found in 40 days."
    assert [look(caller) for _ in range(8)] == [found] * 8
    assert len(caller.lab.driver.alerts()) == 1


def test_a_file_that_is_gone_is_told_of(caller: Caller) -> None:
    (monday,) = backed_up(caller, "monday")
    kept = file_of(caller, monday).read_bytes()
    file_of(caller, monday).unlink()
    assert look(caller) == {"monday": "it is gone"}
    file_of(caller, monday).write_bytes(kept)
    assert look(caller) == {}
    assert caller.delete("delete", monday.id).error is None
    assert look(caller) == {}


def test_a_store_that_does_not_answer_says_nothing_against_a_backup(caller: Caller) -> None:
    monday, tuesday = backed_up(caller, "monday", "tuesday")
    flip(file_of(caller, tuesday))
    caller.lab.break_service("nfs.open", "refused:ESTALE")
    assert look(caller) == look(caller, 300) == {}
    caller.lab.repair()
    look(caller, 300)
    assert list(look(caller, 300)) == ["tuesday"]
    assert [alert.subject for alert in caller.lab.driver.alerts()] == [tuesday.id]
    assert f"backup {monday.id} could not be verified" in caller.lab.captured_text()


def test_one_that_cannot_be_read_keeps_no_other_waiting(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "AT_ONCE", 1)
    monday, tuesday = backed_up(caller, "monday", "tuesday")
    flip(file_of(caller, tuesday))
    whole = file_of(caller, monday)
    kept = whole.read_bytes()
    whole.unlink()
    whole.mkdir()  # refused: no plain file
    look(caller)
    assert list(look(caller, 300)) == ["tuesday"]
    whole.rmdir()
    whole.write_bytes(kept)


def test_an_older_backup_is_read_through_and_has_a_manifest_from_then_on(caller: Caller) -> None:
    _, tuesday = backed_up(caller, "monday", "tuesday")
    flip(file_of(caller, tuesday))
    digests = "SELECT digests FROM backup_manifest ORDER BY snapshot_id"
    engine = driver_of(caller)._catalog._engine
    with engine.begin() as connection:
        kept = connection.execute(text(digests)).scalars().all()
        connection.execute(text("DELETE FROM backup_manifest"))
    assert look(caller) == {"tuesday": "it is not what was written"}
    with engine.begin() as connection:
        assert connection.execute(text(digests)).scalars().all() == [kept[0], ""]
    flip(file_of(caller, tuesday))
    assert look(caller) == {}
    with engine.begin() as connection:
        assert connection.execute(text(digests)).scalars().all() == kept


def test_no_more_is_read_than_the_share_that_is_set_and_nothing_where_it_is_nought(caller: Caller) -> None:
    (monday,) = backed_up(caller, "monday")
    driver, content, each = driver_of(caller), file_of(caller, monday).read_bytes(), 4_096
    with driver._catalog.reading() as session:
        (backup,) = queries.backups_due(session, driver._catalog.now() + timedelta(seconds=1), 9)
    parts = [read_through(Bytes(content[at : at + each]))[1].digests for at in range(0, len(content), each)]
    backup = replace(backup, image=replace(backup.image, manifest=Manifest(chunk_bytes=each, digests="".join(parts))))
    set_share(caller, 5)
    before = driver._ports.pace.moved_bytes
    assert driver._verifier.verify(backup) is None
    read = driver._ports.pace.moved_bytes - before
    assert 0 < read <= 3 * 1_024 + (len(parts) * 5 // 100 + 1) * each < len(content) / 4
    flip(file_of(caller, monday))
    set_share(caller, 0)
    assert look(caller) == {}
    set_share(caller, 100)
    assert list(look(caller, 300)) == ["monday"]


def test_every_database_keeps_what_backups_are_held_against(caller: Caller, database: str) -> None:
    settings = caller.lab._state_directory / FILE
    settings.write_text(f"snapshot.catalog.url = {database}\nsnapshot.verify.share = 100\n", encoding="utf-8")
    caller.lab.restart_driver()
    volume = caller.used_volume()
    monday = caller.take("monday", volume.id, LocationType.SECONDARY).result()
    assert look(caller) == {}
    flip(file_of(caller, monday))
    assert list(look(caller)) == ["monday"]
    with driver_of(caller)._catalog._engine.begin() as connection:
        connection.execute(text("DELETE FROM backup_manifest"))
    assert look(caller) == {"monday": "it is not what was written"}
    flip(file_of(caller, monday))
    assert look(caller) == {}
    assert caller.delete("delete", monday.id).error is None
    caller.lab.driver.close()
