"""As many volumes and snapshots as the largest array holds: pages come quickly, no query walks a table for each row."""

import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from snapproof.fixtures.site import site_of
from snapproof.fixtures.world import World
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.queries.listed import Page, listed
from snapproof.reference_impl.catalog.store import Catalog
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.policies import BACKLOG_S, Policies
from snapproof.simulators.clock import VirtualClock
from snapproof.vocabulary import AccountId, PolicyId, SnapshotRequest, VolumeId

VOLUMES, SNAPSHOTS, PAGE = 4_000, 100_000, 500
PAGE_S_MAX = 1.0
POLICIES = 5_000


def filled(path: Path, start: datetime, *, volumes: int, snapshots: int, policies: int) -> None:
    """Write rows past the driver, which would take hours."""
    stamp = start.strftime("%Y-%m-%d %H:%M:%S.000000")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO account (id, account_name) VALUES (1, 'blue')")
        database.executemany(
            "INSERT INTO volumes (id, account_id, name, uuid, size, folder, iscsi_name, min_iops, max_iops, burst_iops,"
            " created) VALUES (?, 1, ?, ?, 1048576, ?, ?, 100, 200, 300, ?)",
            ((n, f"volume {n}", f"v-{n}", str(n), f"/iqn.{n}/0", stamp) for n in range(1, volumes + 1)),
        )
        database.executemany(
            "INSERT INTO snapshots (id, account_id, volume_id, status, name, uuid, size, created, location_type)"
            " VALUES (?, 1, ?, 'BackedUp', ?, ?, 1048576, ?, 'PRIMARY')",
            ((n, n % volumes + 1, f"snapshot {n}", f"s-{n}", stamp) for n in range(1, snapshots + 1)),
        )
        database.executemany(
            "INSERT INTO snapshot_store_ref (store_role, snapshot_id, install_path, physical_size, state)"
            " VALUES ('Primary', ?, ?, 4096, 'Ready')",
            ((n, f"SfSnapshotId={n}") for n in range(1, snapshots + 1)),
        )
        database.executemany(
            "INSERT INTO snapshot_policy (id, uuid, volume_id, schedule, timezone, interval, max_snaps, active,"
            " location_type) VALUES (?, ?, ?, ?, 'UTC', 0, 2, 1, 'PRIMARY')",
            ((n, f"p-{n}", n, str(n % 60)) for n in range(1, policies + 1)),
        )
        database.executemany(
            "INSERT INTO snapshot_schedule (uuid, volume_id, policy_id, scheduled_timestamp) VALUES (?, ?, ?, ?)",
            (
                (f"r-{n}", n, n, start.replace(minute=n % 60).strftime("%Y-%m-%d %H:%M:%S.000000"))
                for n in range(1, policies + 1)
            ),
        )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Catalog, Path]]:
    """A catalog of the largest array."""
    directory = tmp_path_factory.mktemp("large")
    clock = VirtualClock()
    with World.build(seed=1, clock=clock, directory=directory / "export") as world:
        site = site_of(world, store="nfs", seed=1, state_directory=directory)
        driver = ReferenceDriver(site)
        path = directory / "catalog.sqlite"
        start = datetime.fromtimestamp(clock.time(), UTC)
        filled(path, start, volumes=VOLUMES, snapshots=SNAPSHOTS, policies=0)
        yield driver._catalog, path
        driver.close()


def plans_of(catalog: Catalog, path: Path, ask: object) -> Sequence[str]:
    """How SQLite carries out every query that something asks."""
    asked: list[tuple[str, object]] = []

    def hear(_connection: object, _cursor: object, statement: str, parameters: object, *_rest: object) -> None:
        asked.append((statement, parameters))

    event.listen(catalog._engine, "before_cursor_execute", hear)
    try:
        assert callable(ask)
        ask()
    finally:
        event.remove(catalog._engine, "before_cursor_execute", hear)
    with closing(sqlite3.connect(path)) as database:
        return [
            str(row[3])
            for statement, parameters in asked
            if statement.lstrip().upper().startswith(("SELECT", "WITH"))
            for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[arg-type]  # as they were given
        ]


def walked(plans: Sequence[str]) -> list[str]:
    """The walks through the two largest tables; a search that uses nothing is a walk as well."""
    of_large = [plan for plan in plans if re.match(r"(SCAN|SEARCH) (snapshots|snapshot_store_ref)\b", plan)]
    return [plan for plan in of_large if plan.startswith("SCAN") or "USING" not in plan]


@pytest.mark.requirement(id="R-135")
def test_a_page_of_500_comes_within_a_second(large: tuple[Catalog, Path]) -> None:
    catalog, _ = large
    started = time.process_time()
    with catalog.reading() as session:
        total, rows = listed(session, "snapshot", owners=["blue"], exactly={}, page=Page(skip=PAGE * 100, most=PAGE))
    took_s = time.process_time() - started
    assert (total, len(rows)) == (SNAPSHOTS, PAGE)
    assert took_s < PAGE_S_MAX


@pytest.mark.requirement(id="R-135")
def test_no_query_walks_a_table_for_each_row(large: tuple[Catalog, Path]) -> None:
    catalog, path = large

    def ask() -> None:
        with catalog.reading() as session:
            listed(session, "snapshot", owners=["blue"], exactly={"volumeid": "v-7"}, page=Page(most=PAGE))
            listed(session, "snapshot", owners=None, exactly={"id": "s-7"})
            queries.snapshots(session, AccountId("blue"), volume=VolumeId("v-7"))
            queries.volumes(session, AccountId("blue"))

    plans = plans_of(catalog, path, ask)
    assert plans
    assert walked(plans) == []


def test_a_walk_for_each_row_is_found(large: tuple[Catalog, Path]) -> None:
    _, path = large
    careless = (
        "SELECT (SELECT max(physical_size) FROM snapshot_store_ref WHERE +snapshot_id = snapshots.id)"
        " FROM snapshots WHERE uuid = 's-7'"
    )
    with closing(sqlite3.connect(path)) as database:
        assert walked([row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {careless}")])


def test_everything_is_listed_though_there_are_more_than_can_be_named(large: tuple[Catalog, Path]) -> None:
    catalog, _ = large
    with catalog.reading() as session:
        found = queries.snapshots(session, None)
    assert len(found) == SNAPSHOTS
    assert all(len(row.copies) == 1 for row in found[::1000])


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A directory where an fsync costs nothing, if this machine has one."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  of one test, and removed
    with tempfile.TemporaryDirectory(dir=where) as directory:
        yield Path(directory)


def hourly(tmp_path: Path, seconds_a_run: float, *, number: int) -> tuple[ReferenceDriver, list[float], float]:
    """Let an hour's worth of policies come due, each run taking so long; give when each began, and the hour's start."""
    clock = VirtualClock()
    clock.advance(3600 - clock.time() % 3600)
    with World.build(seed=1, clock=clock, directory=tmp_path / "export") as world:
        driver = ReferenceDriver(site_of(world, store="nfs", seed=1, state_directory=tmp_path))
        hour_s = clock.time()
        start = datetime.fromtimestamp(hour_s, UTC)
        filled(tmp_path / "catalog.sqlite", start, volumes=number, snapshots=0, policies=number)
        began: list[float] = []

        def take(_request: SnapshotRequest, _policy: PolicyId) -> None:
            began.append(clock.time())
            clock.advance(seconds_a_run)

        policies = Policies(
            driver._catalog,
            driver._orchestrator,
            clock,
            settings=driver.live,
            take=take,
            delete=lambda *_: None,
            runs=lambda _policy: [],
        )
        while len(began) < number:
            policies.run_due()
            clock.advance(60 - clock.time() % 60)
        return driver, began, hour_s


@pytest.mark.requirement(id="R-138")
def test_the_runs_of_an_hour_are_spread_over_it_and_begin_within_it(in_memory: Path) -> None:
    driver, began, hour_s = hourly(in_memory, 0.5, number=POLICIES)
    assert max(began) < hour_s + 3_600
    minutes = [int((moment - hour_s) // 60) for moment in began]
    assert max(minutes.count(minute) for minute in set(minutes)) <= 2 * POLICIES / 60
    assert driver.alerts() == []


@pytest.mark.requirement(id="R-138")
def test_a_backlog_is_told_and_measured(in_memory: Path) -> None:
    driver, began, hour_s = hourly(in_memory, 60.0, number=POLICIES // 20)
    assert max(began) > hour_s + 3_600 + BACKLOG_S
    texts = [alert.text for alert in driver.alerts()]
    assert texts
    assert all("policies are overdue, the first of them since" in text for text in texts)
    assert len(texts) <= (max(began) - hour_s) / BACKLOG_S
    overdue = re.search(r"^snapproof_policies_overdue (\d+)", driver.metrics().decode(), re.MULTILINE)
    assert overdue is not None
    assert int(overdue[1].partition(".")[0]) > 0
