"""The check before use: a sound site passes every item, each ailment is found by its item, and nothing is changed."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.adapters.nfs import NfsStore
from snapproof.reference_impl.configuring import FILE
from snapproof.reference_impl.doctor import SKEW_S_MAX, Finding, examine
from snapproof.simulators.clock import VirtualClock
from snapproof.site import Site
from snapproof.vocabulary import Secret

ITEMS = {
    *("settings", "catalog", "array login", "array API", "clocks", "access group", "export's room"),
    *("re-signing by pool-1-host-1", "re-signing by pool-1-host-2"),
}


def site_of(caller: Caller) -> Site:
    site: Site = caller.lab._site
    return site


def failed(findings: Sequence[Finding]) -> set[str]:
    return {finding.item for finding in findings if not finding.passed}


@pytest.mark.requirement(id="R-101")
def test_a_sound_site_passes_every_item(any_caller: Caller) -> None:
    site = site_of(any_caller)
    findings = examine(site)
    assert failed(findings) == set(), [str(finding) for finding in findings]
    assert {finding.item for finding in findings} == ITEMS | {"export" if site.bucket is None else "bucket"}


@pytest.mark.requirement(id="R-101")
def test_a_site_without_a_catalog_yet_passes_and_gets_none(caller: Caller, tmp_path: Path) -> None:
    findings = examine(replace(site_of(caller), state_directory=tmp_path))
    assert failed(findings) == set()
    assert "the first start makes it" in next(finding.words for finding in findings if finding.item == "catalog")
    assert not list(tmp_path.iterdir())


def state_file(caller: Caller, name: str) -> Path:
    return caller.lab._state_directory / name


def wrong_password(caller: Caller) -> Site:
    site = site_of(caller)
    return replace(site, array=replace(site.array, password=Secret("wrong")))


def skewed(caller: Caller) -> Site:
    return replace(site_of(caller), clock=VirtualClock(site_of(caller).clock.time() + 2 * SKEW_S_MAX))


def no_group(caller: Caller) -> Site:
    return replace(site_of(caller), hosts_group="nobody")


def lost_column(caller: Caller) -> Site:
    with closing(sqlite3.connect(state_file(caller, "catalog.sqlite"))) as database, database:
        database.execute("ALTER TABLE async_job DROP COLUMN cancelled")
    return site_of(caller)


def wrong_range(caller: Caller) -> Site:
    state_file(caller, FILE).write_text("snapshot.backup.parallel = 0", encoding="utf-8")
    return site_of(caller)


def unknown_setting(caller: Caller) -> Site:
    state_file(caller, FILE).write_text("snapshot.backup.paralel = 3", encoding="utf-8")
    return site_of(caller)


def broken(call: str, fault: str) -> Callable[[Caller], Site]:
    def breaking(caller: Caller) -> Site:
        caller.lab.break_service(call, fault)
        return site_of(caller)

    return breaking


def unable_hosts(caller: Caller) -> Site:
    managers = caller.lab._world.pool._state.sms
    for row in [row for row in managers if row.type == "relvmoiscsi"]:
        managers.remove(row)
    return site_of(caller)


AILMENTS: Mapping[str, tuple[Callable[[Caller], Site], set[str], str]] = {
    "wrong password": (wrong_password, {"array login"}, "HTTP 401"),
    "silent array": (broken("array.GetAPI", "lost_before"), {"array login"}, "did not answer"),
    "skewed clocks": (skewed, {"clocks"}, "the array is -60 s ahead"),
    "no access group": (no_group, {"access group"}, "the array has no nobody"),
    "lost column": (lost_column, {"catalog"}, "async_job.cancelled"),
    "wrong range": (wrong_range, {"settings"}, "must be from 1 to 1000"),
    "unknown setting": (unknown_setting, {"settings"}, "do you mean snapshot.backup.parallel?"),
    "export refuses": (broken("nfs.create", "refused:EROFS"), {"export"}, "EROFS"),
    "hosts refuse": (broken("host.host.get_all_records", "refused"), {"hosts"}, "host.get_all_records"),
    "hosts cannot re-sign": (unable_hosts, {"re-signing by pool-1-host-1", "re-signing by pool-1-host-2"}, "it cannot"),
}


@pytest.mark.requirement(id="R-101")
@pytest.mark.parametrize("name", AILMENTS)
def test_each_ailment_is_found_by_its_item(caller: Caller, name: str) -> None:
    ail, items, words = AILMENTS[name]
    findings = examine(ail(caller))
    assert failed(findings) == items, [str(finding) for finding in findings]
    assert any(words in finding.words for finding in findings if not finding.passed)


@pytest.mark.requirement(id="R-101")
def test_a_bucket_that_loses_what_it_is_given_is_found(open_caller: Callable[[str], Caller]) -> None:
    caller = open_caller("s3")
    caller.lab.break_service("s3.PutObject", "refused:AccessDenied")
    assert failed(examine(site_of(caller))) == {"bucket"}


def state(caller: Caller) -> Mapping[str, object]:
    """Everything that a check could have changed."""
    with closing(sqlite3.connect(state_file(caller, "catalog.sqlite"))) as database:
        rows = list(database.iterdump())
    files = sorted(path.name for path in caller.lab._state_directory.iterdir())
    return {"world": caller.lab.inventory(), "rows": rows, "files": [name for name in files if "-" not in name]}


@pytest.mark.requirement(id="R-102")
@pytest.mark.parametrize("fault", ["", "nfs.open", "nfs.close", "s3.GetObject", "s3.PutObject"])
def test_the_check_leaves_everything_as_it_was(any_caller: Caller, fault: str) -> None:
    any_caller.take("take", any_caller.used_volume().id).result()
    before = state(any_caller)
    if fault:
        any_caller.lab.break_service(fault, "refused")
    examine(site_of(any_caller))
    assert state(any_caller) == before


def test_a_probe_that_stays_is_found(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(caller)
    monkeypatch.setattr(NfsStore, "forget_file", lambda *_: None)
    examine(site_of(caller))
    assert state(caller) != before
