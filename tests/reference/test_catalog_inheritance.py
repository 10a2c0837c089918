"""What an upgrade finds on the way is brought to an end (R-111), and jobs are read across releases (R-114)."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, text

from snapproof.campaign.invariants import violations
from snapproof.fixtures.caller import Caller
from snapproof.reference_impl.catalog.engines import open_engine
from snapproof.reference_impl.catalog.inheriting import adopt
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.catalog.upgrading import downgrade
from snapproof.reference_impl.core.names import array_name
from snapproof.reference_impl.core.orders import ORDERS, DeleteSnapshot, TakeSnapshot
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.solidfire.calls import call
from snapproof.vocabulary import LocationType, OperationId, SnapshotState, Volume

LEFT = ("Allocated", "Creating", "CreatedOnPrimary", "BackingUp", "Copying", "Destroying")
ENDS = {"Allocated": "Error", "Creating": "Error", "CreatedOnPrimary": "BackedUp", "BackingUp": "BackedUp"} | {
    "Copying": "BackedUp",
    "Destroying": None,
}


READ_BY_4_9 = """SELECT s.status, s.size, s.removed, s.snapshot_type, c.store_role, c.physical_size, c.state,
    c.update_count, v.state, v.removed FROM snapshots s JOIN snapshot_store_ref c ON c.snapshot_id = s.id
    JOIN volumes v ON v.id = s.volume_id WHERE s.uuid = '{uuid}'"""
"""What the old release knows of a snapshot on storage that is not managed."""


class OldServer:
    """CloudStack 4.9 on the lab's array and in the lab's catalog, whose own tables have been given back to it."""

    def __init__(self, caller: Caller, engine: Engine, volume: Volume) -> None:
        self._caller, self._engine, self._volume = caller, engine, volume
        self._lun_id = int(volume.target.rpartition(".")[2])

    def leave(self, state: str, *, copied: bool, copy: str | None = None) -> str:
        """Leave a snapshot in some state; `copied` says whether the array got as far as making it.

        `copy` is the state of its copy, where that is not the one that goes with the snapshot's.
        """
        uuid = f"0ld5{LEFT.index(state)}{int(copied)}-1111-2222-3333-444455556666"
        size, volume = self._volume.size_bytes, self._volume.id
        row = {"uuid": uuid, "state": state, "size": size, "volume": volume}
        self._run(
            """INSERT INTO snapshots (data_center_id, account_id, domain_id, volume_id, disk_offering_id, status, name,
            uuid, snapshot_type, size, created, hypervisor_type) SELECT 1, account_id, 1, id, 1, :state, :uuid, :uuid,
            0, :size, '2016-05-04 03:02:01.000000', 'XenServer' FROM volumes WHERE uuid = :volume""",
            row,
        )
        self._run("UPDATE resource_count SET count = count + 1 WHERE type = 'snapshot'", {})
        if copied:
            with_it = {"Creating": "Creating", "Copying": "Copying", "Destroying": "Destroying"}.get(state, "Ready")
            self._copy(uuid, row | {"copy": copy or with_it})
        return uuid

    def remove_volume(self) -> None:
        """Delete the volume as the old server does: the array keeps it for its snapshots."""
        self._run(
            "UPDATE volumes SET removed = '2016-05-04 03:03:00' WHERE uuid = :volume", {"volume": self._volume.id}
        )
        self._run("UPDATE resource_count SET count = count - 1 WHERE type = 'volume'", {})

    def _copy(self, uuid: str, row: dict[str, Any]) -> None:
        made = call(
            self._caller.lab._world.arrays[0],
            "CreateSnapshot",
            volumeID=self._lun_id,
            name=array_name(self._volume.name, uuid),
            attributes={"CloudStackSnapshotId": "7", "CloudStackSnapshotSize": str(self._volume.size_bytes)},
        )
        self._run(
            """INSERT INTO snapshot_store_ref (store_id, store_role, snapshot_id, install_path, size, physical_size,
            state, update_count, ref_cnt) SELECT 1, 'Primary', id, :path, :size, :size, :copy, 0, 0 FROM snapshots
            WHERE uuid = :uuid""",
            row | {"path": f"SfSnapshotId={made['snapshotID']}"},
        )

    def schedule(self, interval: int, *, keep: int) -> str:
        """A policy as CloudStack writes it: a number for the interval, and no place; due since long."""
        row = {"uuid": f"p0l1c{interval}-{keep}", "interval": interval, "keep": keep, "volume": self._volume.id}
        self._run(
            """INSERT INTO snapshot_policy (uuid, volume_id, schedule, timezone, interval, max_snaps, active)
            SELECT :uuid, id, '30:02', 'Europe/Berlin', :interval, :keep, 1 FROM volumes WHERE uuid = :volume""",
            row,
        )
        self._run(
            """INSERT INTO snapshot_schedule (uuid, volume_id, policy_id, scheduled_timestamp) SELECT 's' || uuid,
            volume_id, id, '2016-05-04 00:30:00.000000' FROM snapshot_policy WHERE uuid = :uuid""",
            row,
        )
        return str(row["uuid"])

    def share(self) -> None:
        """Have a volume on storage that is not managed, beside the managed one."""
        self._run("INSERT INTO storage_pool (id, name, pool_type, managed) VALUES (90, 'nfs', 'NFS', 0)", {})
        self._run(
            """INSERT INTO volumes (account_id, domain_id, pool_id, name, uuid, size, data_center_id, state)
            SELECT account_id, 1, 90, 'shared', 'shared', size, 1, 'Ready' FROM volumes WHERE uuid = :volume""",
            {"volume": self._volume.id},
        )

    def live_with_shared(self, uuid: str, between: Callable[[], None]) -> list[list[tuple[Any, ...]]]:
        """Take, back up and delete a snapshot of the shared volume as 4.9 does; what it reads after each step."""
        walk = ("Allocated", "Creating", "CreatedOnPrimary", "BackingUp", "BackedUp", "Destroying", "Destroyed")
        given = {"uuid": uuid, "path": f"snapshots/2/7/{uuid}"}
        self._run(
            """INSERT INTO snapshots (data_center_id, account_id, domain_id, volume_id, disk_offering_id, status, name,
            uuid, snapshot_type, size, created, hypervisor_type) SELECT 1, account_id, 1, id, 1, 'Allocated', :uuid,
            :uuid, 0, size, '2016-05-04 03:02:01.000000', 'XenServer' FROM volumes WHERE uuid = 'shared'""",
            given,
        )
        self._run(
            """INSERT INTO snapshot_store_ref (store_id, store_role, snapshot_id, install_path, size, physical_size,
            state, update_count, ref_cnt) SELECT 1, 'Image', id, :path, size, size, 'Creating', 0, 0 FROM snapshots
            WHERE uuid = :uuid""",
            given,
        )
        seen = []
        for state in walk:
            copy = {"BackedUp": "Ready", "Destroying": "Destroying", "Destroyed": "Destroyed"}.get(state, "Creating")
            self._run("UPDATE snapshots SET status = :state WHERE uuid = :uuid", {**given, "state": state})
            self._run("UPDATE snapshot_store_ref SET state = :copy WHERE install_path = :path", {**given, "copy": copy})
            between()
            seen.append(self.rows(READ_BY_4_9.format(uuid=uuid)))
        return seen

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the old server reads."""
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def _run(self, statement: str, given: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), given)


@pytest.fixture
def old_server(caller: Caller) -> Iterator[OldServer]:
    """The driver has been stopped, and its catalog been brought back to the old release."""
    volume = caller.used_volume()
    kept = caller.take("kept", volume.id, LocationType.PRIMARY).result()
    assert kept.state is SnapshotState.BACKED_UP
    caller.lab.driver.close()
    engine = open_engine(f"sqlite:///{caller.lab._state_directory / 'catalog.sqlite'}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE storage_pool SET managed = 1"))
    downgrade(engine, "base")
    yield OldServer(caller, engine, volume)
    engine.dispose()


@pytest.mark.requirement(id="R-111")
@pytest.mark.parametrize(
    ("state", "copied"),
    [(state, True) for state in LEFT if state != "Allocated"] + [("Allocated", False), ("Creating", False)],
)
def test_what_an_upgrade_finds_on_the_way_comes_to_an_end(
    caller: Caller, old_server: OldServer, state: str, *, copied: bool
) -> None:
    """R-111."""
    uuid = old_server.leave(state, copied=copied)
    caller.lab.restart_driver()
    states = {str(listed.id): listed.state for listed in caller.lab.driver.list_snapshots()}
    assert states.pop(uuid, None) == ENDS[state]
    assert list(states.values()) == [SnapshotState.BACKED_UP]
    alive = [listed for listed in caller.lab.driver.list_snapshots() if listed.state is SnapshotState.BACKED_UP]
    assert len(caller.lab.array_snapshots()) == len(alive)
    caller.lab.settle()
    assert violations(caller.lab) == ()


@pytest.mark.requirement(id="R-111")
@pytest.mark.parametrize(
    ("state", "copy", "end"),
    [("Creating", "Ready", "Error"), ("CreatedOnPrimary", None, "Error"), ("Copying", "Ready", "BackedUp")],
)
def test_a_snapshot_and_its_copy_that_say_different_things_come_to_an_end(
    caller: Caller, old_server: OldServer, state: str, copy: str | None, end: str
) -> None:
    """The old release moved them in transactions of their own."""
    uuid = old_server.leave(state, copied=copy is not None, copy=copy)
    caller.lab.restart_driver()
    assert {str(listed.id): listed.state for listed in caller.lab.driver.list_snapshots()}[uuid] == end
    assert len(caller.lab.array_snapshots()) == 1 + (end == "BackedUp")
    assert violations(caller.lab) == ()


@pytest.mark.requirement(id="R-111")
def test_a_volume_that_was_deleted_is_kept_as_long_as_another_snapshot_needs_it(
    caller: Caller, old_server: OldServer
) -> None:
    old_server.leave("Destroying", copied=True)
    old_server.remove_volume()
    caller.lab.restart_driver()
    (kept,) = caller.lab.driver.list_snapshots()
    assert [row.active for row in caller.lab.array_volumes()] == [True]
    caller.delete("delete", kept.id).raise_if_failed()
    assert not any(row.active for row in caller.lab.array_volumes())
    assert caller.lab.array_snapshots() == []


def test_what_somebody_else_has_taken_up_meanwhile_gets_no_second_job(caller: Caller, old_server: OldServer) -> None:
    uuid = old_server.leave("Allocated", copied=False)
    caller.lab.restart_driver()
    driver = caller.lab.driver
    assert isinstance(driver, ReferenceDriver)
    before = old_server.rows("SELECT id FROM async_job")
    with driver._catalog.transaction() as session:
        adopt(uuid, session, Transaction(session, driver._catalog.now()))
    assert old_server.rows("SELECT id FROM async_job") == before


@pytest.mark.requirement(id="R-111")
def test_all_of_them_at_once_and_only_once(caller: Caller, old_server: OldServer) -> None:
    for state in LEFT:
        old_server.leave(state, copied=state != "Allocated")
    caller.lab.restart_driver()
    found, inventory = caller.lab.driver.list_snapshots(), caller.lab.inventory()
    caller.lab.watch_calls()
    caller.lab.driver.reconcile()
    assert not caller.lab.calls()
    assert (caller.lab.driver.list_snapshots(), caller.lab.inventory()) == (found, inventory)
    assert violations(caller.lab) == ()


def lives_before_and_beside(caller: Caller, old_server: OldServer) -> tuple[list[Any], list[Any]]:
    """The same life of a snapshot on shared storage before this release came, and while it works as hard as it can."""
    old_server.share()
    before = old_server.live_with_shared("before", lambda: None)
    caller.lab.restart_driver()
    caller.lab.watch_calls()

    def meanwhile() -> None:
        caller.lab.advance(Settings().stuck_after_s + Settings().reconcile_interval_s)
        caller.lab.driver.run_due_work()
        caller.lab.driver.reconcile()

    return before, old_server.live_with_shared("beside", meanwhile)


@pytest.mark.requirement(id="R-008")
def test_a_snapshot_on_shared_storage_lives_as_it_did_before(caller: Caller, old_server: OldServer) -> None:
    before, beside = lives_before_and_beside(caller, old_server)
    assert before == beside
    assert old_server.rows("SELECT DISTINCT location_type FROM snapshots WHERE uuid IN ('before', 'beside')") == [
        (None,)
    ]
    assert [row.name for row in caller.lab.driver.list_snapshots()] == ["kept"]
    assert not [call for call in caller.lab.calls() if call.startswith(("nfs.", "host.", "array.Delete"))]


class TakesThemAll(ReferenceDriver):
    """Breaks R-008: whatever is on the way for long is given up, whoever's it is."""

    def run_due_work(self) -> None:
        """Ask for no pool."""
        super().run_due_work()
        with self._catalog._engine.begin() as connection:
            connection.execute(text("UPDATE snapshots SET status = 'Error' WHERE status = 'BackingUp'"))


def test_a_server_that_ends_what_is_not_its_own_is_noticed(caller: Caller, old_server: OldServer) -> None:
    caller.lab._factory = TakesThemAll
    before, beside = lives_before_and_beside(caller, old_server)
    assert before != beside


def test_what_an_old_server_may_still_be_doing_is_left_alone(caller: Caller, old_server: OldServer) -> None:
    """During a rolling upgrade both releases work on the same catalog."""
    uuid = old_server.leave("Creating", copied=False)
    now = caller.lab._world.clock.time()
    with old_server._engine.begin() as connection:
        connection.execute(text("UPDATE snapshots SET created = datetime(:now, 'unixepoch')"), {"now": now})
    caller.lab.restart_driver()
    assert uuid in [s.id for s in caller.lab.driver.list_snapshots() if s.state is SnapshotState.CREATING]
    caller.lab.advance(Settings().stuck_after_s + 1)
    caller.lab.driver.reconcile()
    assert uuid in [s.id for s in caller.lab.driver.list_snapshots() if s.state is SnapshotState.ERROR]


def test_a_policy_of_the_old_release_goes_on_at_the_only_place_that_it_knew(
    caller: Caller, old_server: OldServer
) -> None:
    uuid = old_server.schedule(1, keep=2)
    old_server.schedule(4, keep=1)
    old_server.schedule(0, keep=0)
    caller.lab.restart_driver()
    (policy,) = caller.lab.driver.list_policies()
    assert (policy.id, policy.interval, policy.location) == (uuid, "DAILY", LocationType.PRIMARY)
    assert policy.next_run == "2016-05-04T00:30:00+00:00"
    caller.lab.driver.run_due_work()
    (taken,) = [snapshot for snapshot in caller.lab.driver.list_snapshots() if snapshot.policy is not None]
    assert (taken.policy, taken.location, taken.state) == (uuid, LocationType.PRIMARY, SnapshotState.BACKED_UP)
    found = old_server.rows("SELECT snapshot_type, type_description FROM snapshots ORDER BY id")
    assert found == [(0, "MANUAL"), (4, "DAILY")]
    assert violations(caller.lab) == ()


def test_a_policy_that_cannot_be_read_holds_up_no_other(caller: Caller, old_server: OldServer) -> None:
    old_server.schedule(2, keep=2)
    uuid = old_server.schedule(1, keep=2)
    caller.lab.restart_driver()
    caller.lab.driver.run_due_work()
    assert [row.policy for row in caller.lab.driver.list_snapshots() if row.policy is not None] == [uuid]
    assert "'30:02' is no WEEKLY schedule" in caller.lab.captured_text()


def test_an_ended_policy_leaves_the_old_release_nothing_to_run(caller: Caller, old_server: OldServer) -> None:
    uuid = old_server.schedule(1, keep=2)
    caller.lab.restart_driver()
    (policy,) = caller.lab.driver.list_policies()
    caller.lab.driver.delete_policy(OperationId("end"), policy.id)
    assert caller.lab.driver.list_policies() == []
    assert old_server.rows("SELECT uuid, active FROM snapshot_policy") == [(uuid, 0)]
    assert old_server.rows("SELECT id FROM snapshot_schedule") == []


def rewrite(caller: Caller, change: Any) -> None:
    """Let another release have written the one unfinished job."""
    engine = open_engine(f"sqlite:///{caller.lab._state_directory / 'catalog.sqlite'}")
    unfinished = "FROM async_job WHERE phase NOT IN ('done', 'failed')"
    with engine.begin() as connection:
        uuid, kind, written = connection.execute(text(f"SELECT uuid, job_cmd, job_cmd_info {unfinished}")).one()
        kind, order = change(kind, json.loads(written))
        connection.execute(
            text("UPDATE async_job SET job_cmd = :kind, job_cmd_info = :order WHERE uuid = :uuid"),
            {"kind": kind, "order": json.dumps(order), "uuid": uuid},
        )
    engine.dispose()


def interrupted(caller: Caller, at: str, location: LocationType) -> None:
    """A snapshot whose server died in the middle of a call."""
    volume = caller.used_volume()
    caller.lab.watch_calls()
    caller.lab.arm(at, "crash_after")
    assert caller.take("take", volume.id, location).crashed


@pytest.mark.requirement(id="R-114")
@pytest.mark.parametrize("field", sorted(set(TakeSnapshot.__dataclass_fields__)))
@pytest.mark.parametrize("location", LocationType)
def test_a_job_that_lacks_a_field_is_carried_out_all_the_same(
    caller: Caller, field: str, location: LocationType
) -> None:
    """R-114: the rows that it is about say what is missing."""
    interrupted(caller, "array.CreateSnapshot#1", location)
    rewrite(caller, lambda kind, order: (kind, {name: value for name, value in order.items() if name != field}))
    caller.lab.restart_driver()
    (snapshot,) = caller.lab.driver.list_snapshots()
    assert (snapshot.state, snapshot.location) == (SnapshotState.BACKED_UP, location)
    caller.lab.settle()
    assert violations(caller.lab) == ()


@pytest.mark.requirement(id="R-114")
def test_a_job_with_fields_of_a_later_release_is_carried_out(caller: Caller) -> None:
    interrupted(caller, "array.CreateSnapshot#1", LocationType.PRIMARY)
    rewrite(caller, lambda kind, order: (kind, order | {"colour": "blue", "nested": {"deep": [1, 2]}}))
    caller.lab.restart_driver()
    assert [snapshot.state for snapshot in caller.lab.driver.list_snapshots()] == [SnapshotState.BACKED_UP]


@pytest.mark.requirement(id="R-114")
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _, order: ("ReplicateSnapshot", order), "is a ReplicateSnapshot, which this release does not know"),
        (lambda kind, order: (kind, order | {"size_bytes": "huge"}), "lacks what a TakeSnapshot needs"),
    ],
)
def test_a_job_that_only_another_release_can_read_is_left_to_it(caller: Caller, change: Any, said: str) -> None:
    interrupted(caller, "array.CreateSnapshot#1", LocationType.PRIMARY)
    rewrite(caller, change)
    caller.lab.watch_calls()
    caller.lab.restart_driver()
    assert not caller.lab.calls()
    assert said in caller.lab.captured_text()
    other = caller.create("other").result()
    assert other in caller.lab.driver.list_volumes()


def test_every_order_is_read_back_as_it_was_written() -> None:
    order = DeleteSnapshot(
        job="j", account="a", volume="v", snapshot="s", array_snapshot=random.Random(1).randrange(99), backup=None,
        backup_size_bytes=0, release_lun=None,
    )  # fmt: skip
    assert msgspec.json.decode(msgspec.json.encode(order), type=ORDERS["DeleteSnapshot"]) == order
