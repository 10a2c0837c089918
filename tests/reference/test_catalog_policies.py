"""Policies in the catalog: read back as they were put into force, on every database."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Catalog
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.schedules import Interval
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.vocabulary import (
    LocationType,
    OperationId,
    Policy,
    PolicyId,
    PolicyRequest,
    Qos,
    SnapshotId,
    VolumeId,
)

POLICY = Policy(
    id=PolicyId("p"),
    volume=VolumeId("v"),
    interval="DAILY",
    schedule="30:02",
    timezone="Asia/Tokyo",
    keep_max=3,
    location=LocationType.SECONDARY,
    next_run="2026-03-29T01:30:00+00:00",
)
NEXT_RUN_S = 1_774_747_800


@pytest.fixture
def catalog(database: str) -> Iterator[Catalog]:
    """A catalog with two volumes."""
    opened = Catalog(database, call_point=Seam(Journal(VirtualClock().time)), clock=VirtualClock())
    write(opened, lambda tx: insert_volume(tx, "v", 1))
    write(opened, lambda tx: insert_volume(tx, "other", 2))
    yield opened
    opened.close()


def write(catalog: Catalog, change: Callable[[Transaction], None]) -> None:
    with catalog.transaction() as session:
        change(Transaction(session, catalog.now()))


def insert_volume(tx: Transaction, uuid: str, lun_id: int) -> None:
    qos = Qos(min_iops=1, max_iops=2, burst_iops=3)
    tx.insert_volume(uuid=uuid, account="blue", name=uuid, lun_id=lun_id, target="iqn.x", size_bytes=4096, qos=qos)


def put_into_force(tx: Transaction, policy: Policy, next_run_s: int) -> None:
    request = PolicyRequest(
        operation=OperationId(policy.id),
        volume=policy.volume,
        interval=policy.interval,
        schedule=policy.schedule,
        timezone=policy.timezone,
        keep_max=policy.keep_max,
    )
    tx.insert_policy(request, uuid=policy.id, location=policy.location, next_run_s=next_run_s)


def listed(catalog: Catalog, volume: str | None = None) -> list[Policy]:
    with catalog.reading() as session:
        return list(queries.policies(session, None if volume is None else VolumeId(volume)))


@pytest.mark.parametrize("interval", Interval)
def test_a_policy_is_read_back_with_its_latest_slot(catalog: Catalog, interval: str) -> None:
    policy = replace(POLICY, interval=interval)
    write(catalog, lambda tx: put_into_force(tx, policy, 0))
    write(catalog, lambda tx: tx.schedule_policy("p", NEXT_RUN_S))
    assert listed(catalog) == listed(catalog, "v") == [policy]
    assert listed(catalog, "other") == []


@pytest.mark.parametrize(
    "end", [lambda tx: tx.remove_policy("p"), lambda tx: tx.remove_volume("v")], ids=["policy", "volume"]
)
def test_a_policy_ends_alone_and_its_snapshots_still_tell_of_it(
    catalog: Catalog, end: Callable[[Transaction], None]
) -> None:
    other = replace(POLICY, id=PolicyId("q"), volume=VolumeId("other"))
    write(catalog, lambda tx: put_into_force(tx, POLICY, NEXT_RUN_S))
    write(catalog, lambda tx: put_into_force(tx, other, NEXT_RUN_S))
    write(
        catalog,
        lambda tx: tx.insert_snapshot(
            uuid="s", account="blue", volume="v", name="s", location="SECONDARY", size_bytes=4096, policy="p"
        ),
    )
    write(catalog, end)
    assert listed(catalog) == [other]
    with catalog.reading() as session:
        assert queries.snapshot(session, SnapshotId("s")).policy == "p"
