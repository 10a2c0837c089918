"""Volumes on storage that is not managed, as an upgraded database has them: no location is ever read for those."""

import pytest
from sqlalchemy import create_engine, text

from snapproof.driver import InvalidRequestError
from snapproof.fixtures.caller import Caller
from snapproof.vocabulary import OperationId, SnapshotRequest, VolumeId

SHARED = VolumeId("5f4d1c1e-0000-4000-8000-000000000001")


@pytest.fixture
def with_shared_volume(caller: Caller) -> Caller:
    """Somebody whose account has a volume that CloudStack made on a pool of LUNs that volumes share."""
    owned = caller.used_volume()
    engine = create_engine(f"sqlite:///{caller.lab._state_directory / 'catalog.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO storage_pool (id, name, pool_type, managed) VALUES (90, 'nfs', 'NFS', 0)"))
        connection.execute(
            text(
                "INSERT INTO volumes (account_id, pool_id, name, uuid, size) "
                "SELECT account_id, 90, 'shared', :uuid, size FROM volumes WHERE uuid = :owned"
            ),
            {"uuid": SHARED, "owned": owned.id},
        )
    engine.dispose()
    return caller


@pytest.mark.requirement(id="R-007")
@pytest.mark.parametrize("location", ["PRIMARY", "SECONDARY", "primary"])
def test_a_location_for_a_volume_on_shared_storage_is_refused_and_nothing_is_written(
    with_shared_volume: Caller, location: str
) -> None:
    refused_and_unwritten(with_shared_volume, location)


@pytest.mark.requirement(id="R-008")
def test_without_a_location_it_is_left_to_whoever_took_those_before(with_shared_volume: Caller) -> None:
    refused_and_unwritten(with_shared_volume, None)


def refused_and_unwritten(with_shared_volume: Caller, location: str | None) -> None:
    lab = with_shared_volume.lab
    before, events = lab.inventory(), lab.driver.audit_events()
    lab.watch_calls()
    request = SnapshotRequest(operation=OperationId("take"), volume=SHARED, name="nightly", location=location)
    outcome = lab.attempt(lambda driver: driver.take_snapshot(request))
    assert isinstance(outcome.error, InvalidRequestError)
    assert "managed storage" in str(outcome.error)
    assert not [call for call in lab.calls() if call.startswith("array.")]
    assert before.changes(lab.inventory()) == ()
    assert lab.driver.list_snapshots() == []
    assert lab.driver.audit_events() == events
