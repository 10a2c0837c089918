"""The Cinder bridge over a driver that is no Cinder's: what the manager does around a driver, and what it keeps."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.driver import (
    BackendError,
    ConflictError,
    DriverError,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
    UnavailableError,
)
from snapproof.drivers.cinder.book import Book, SnapshotRecord, VolumeRecord
from snapproof.drivers.cinder.bridge import Bridge
from snapproof.drivers.cinder.posts import Posts
from snapproof.drivers.contract import verbs
from snapproof.vocabulary import (
    AccountId,
    Capability,
    OperationId,
    SnapshotId,
    SnapshotRequest,
    SnapshotState,
    VolumeId,
    VolumeRequest,
)

MIB, GIB = 1 << 20, 1 << 30
NOBODY = VolumeId("00000000-0000-4000-8000-000000000000")


class Backend:
    """An array as simple as can be: names of volumes and of snapshots, and what goes wrong next."""

    def __init__(self) -> None:
        self.volumes: list[str] = []
        self.snapshots: list[str] = []
        self.calls: list[str] = []
        self.fails: list[BaseException] = []


class FakeDriver:
    """A Cinder driver by its methods."""

    VERSION = "3.1"

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def _called(self, name: str) -> None:
        self.backend.calls.append(name)
        if self.backend.fails:
            raise self.backend.fails.pop()

    def create_volume(self, volume: Any) -> dict[str, Any]:
        self._called("create_volume")
        self.backend.volumes.append(volume.id)
        number = len(self.backend.volumes)
        where = f"192.0.2.1:3260 iqn.2010-01.com.example:{number} 0"
        return {"provider_id": f"{number} 1", "provider_location": where, "provider_auth": "CHAP team canary"}

    def delete_volume(self, volume: Any) -> None:
        self._called("delete_volume")
        self.backend.volumes.remove(volume.id)

    def create_snapshot(self, snapshot: Any) -> dict[str, Any]:
        self._called("create_snapshot")
        self.backend.snapshots.append(snapshot.id)
        return {"provider_id": f"{len(self.backend.snapshots)} {snapshot.volume.id}"}

    def delete_snapshot(self, snapshot: Any) -> None:
        self._called("delete_snapshot")
        if snapshot.id in self.backend.snapshots:
            self.backend.snapshots.remove(snapshot.id)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> dict[str, Any]:
        assert snapshot.id in self.backend.snapshots
        return self.create_volume(volume)


class RevertingDriver(FakeDriver):
    """One that can take a volume back, and says anew where things are."""

    def revert_to_snapshot(self, context: Any, volume: Any, snapshot: Any) -> None:
        self._called(f"revert_to_snapshot {volume.id} {snapshot.id}")

    def update_provider_info(self, volumes: list[Any], snapshots: list[Any]) -> Any:
        self._called("update_provider_info")
        return [{"id": volumes[0].id, "provider_id": "77 1"}], None


class Placeholder:
    """What Cinder's own base class has: methods that do nothing yet."""

    def revert_to_snapshot(self, context: Any, volume: Any, snapshot: Any) -> None:
        raise NotImplementedError


Placeholder.__module__ = "cinder.volume.driver"


class InheritingDriver(FakeDriver, Placeholder):
    """A driver that has the placeholder and nothing of its own."""


class FakeCloud:
    """Cinder without Cinder."""

    version = "Cinder 29.9"
    context = "admin"

    def __init__(self, driver: FakeDriver) -> None:
        self.driver = driver

    def now(self) -> str:
        return "2026-01-01T00:00:00+00:00"

    def volume(self, row: VolumeRecord) -> Any:
        return SimpleNamespace(id=row.id, size=row.size_gib)

    def snapshot(self, row: SnapshotRecord, volume: VolumeRecord) -> Any:
        return SimpleNamespace(id=row.id, volume=self.volume(volume))


class BusyError(Exception):
    """As Cinder's."""


BusyError.__name__ = "SnapshotIsBusy"


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def begin(backend: Backend, tmp_path: Path) -> Callable[..., Bridge]:
    """Give a function that begins a life on the same book and the same array."""

    def life(kind: type[FakeDriver] = RevertingDriver) -> Bridge:
        return Bridge(FakeCloud(kind(backend)), Book(tmp_path / "cinder.json"))

    return life


def wanted(operation: str, **more: Any) -> VolumeRequest:
    return VolumeRequest(
        operation=OperationId(operation), account=AccountId("blue"), name="disk", size_bytes=3 * MIB, **more
    )


def taking(operation: str, volume: VolumeId, **more: Any) -> SnapshotRequest:
    return SnapshotRequest(operation=OperationId(operation), volume=volume, name="nightly", **more)


def test_what_is_declared_is_what_the_drivers_own_classes_bring(begin: Callable[..., Bridge]) -> None:
    common = {Capability.SNAPSHOT_PRIMARY, Capability.VOLUME_FROM_PRIMARY}
    assert begin(FakeDriver).describe().capabilities == common
    assert begin(InheritingDriver).describe().capabilities == common
    described = begin(RevertingDriver).describe()
    assert described.capabilities == common | {Capability.REVERT}
    assert (described.name, described.version) == ("RevertingDriver", "3.1 (Cinder 29.9)")


def test_a_life_of_volumes_and_snapshots(begin: Callable[..., Bridge], backend: Backend) -> None:
    bridge = begin()
    volume = bridge.create_volume(wanted("1"))
    assert (volume.size_bytes, volume.target) == (3 * MIB, "iqn.2010-01.com.example:1")
    snapshot = bridge.take_snapshot(taking("2", volume.id))
    assert (snapshot.state, snapshot.copies[0].reference) == (SnapshotState.BACKED_UP, "SfSnapshotId=1")
    copy = bridge.create_volume(wanted("3", from_snapshot=snapshot.id))
    assert [row.id for row in bridge.list_volumes()] == [volume.id, copy.id]
    bridge.revert_volume(OperationId("4"), snapshot.id)
    with pytest.raises(ConflictError, match="it has snapshots"):
        bridge.delete_volume(OperationId("5"), volume.id)
    bridge.delete_snapshot(OperationId("6"), snapshot.id)
    bridge.delete_volume(OperationId("7"), volume.id)
    assert backend.volumes == [copy.id]
    assert not backend.snapshots
    assert not bridge.list_snapshots()


def test_a_lun_has_room_beside_the_guests_disk(begin: Callable[..., Bridge], tmp_path: Path) -> None:
    bridge = begin()
    for number, size_bytes in enumerate((1, GIB, 10 * GIB)):
        bridge.create_volume(replace(wanted(str(number)), size_bytes=size_bytes))
    kept = json.loads((tmp_path / "cinder.json").read_text())["volumes"]
    assert [row["size_gib"] for row in kept] == [1, 2, 11]


def test_an_operation_that_is_sent_again_is_not_done_again(begin: Callable[..., Bridge], backend: Backend) -> None:
    bridge = begin()
    volume = bridge.create_volume(wanted("1"))
    assert bridge.create_volume(wanted("1")) == volume
    assert bridge.take_snapshot(taking("2", volume.id)) == bridge.take_snapshot(taking("2", volume.id))
    snapshot = bridge.list_snapshots()[0]
    for _ in range(2):
        bridge.revert_volume(OperationId("3"), snapshot.id)
    for _ in range(2):
        bridge.delete_snapshot(OperationId("4"), snapshot.id)
    reverts = f"revert_to_snapshot {volume.id} {snapshot.id}"
    assert backend.calls == ["create_volume", "create_snapshot", reverts, "delete_snapshot"]


def test_what_failed_is_in_error_and_can_be_deleted_as_in_cinder(
    begin: Callable[..., Bridge], backend: Backend
) -> None:
    bridge = begin()
    volume = bridge.create_volume(wanted("1"))
    backend.fails.append(ValueError("no space"))
    for _ in range(2):
        with pytest.raises(BackendError, match="ValueError: no space"):
            bridge.take_snapshot(taking("2", volume.id))
    (failed,) = bridge.list_snapshots()
    assert (failed.state, failed.copies, failed.revertable) == (SnapshotState.ERROR, (), False)
    with pytest.raises(ConflictError, match="is error"):
        bridge.revert_volume(OperationId("3"), failed.id)
    backend.fails.append(ConnectionResetError("gone"))
    with pytest.raises(UnavailableError):
        bridge.delete_snapshot(OperationId("4"), failed.id)
    assert not bridge.list_snapshots()[0].copies, "What was never made lies nowhere."
    bridge.delete_snapshot(OperationId("5"), failed.id)
    assert not bridge.list_snapshots()


def test_a_busy_snapshot_stays_as_it_was(begin: Callable[..., Bridge], backend: Backend) -> None:
    bridge = begin()
    snapshot = bridge.take_snapshot(taking("2", bridge.create_volume(wanted("1")).id))
    backend.fails.append(BusyError("it has a clone"))
    with pytest.raises(ConflictError, match="it has a clone"):
        bridge.delete_snapshot(OperationId("3"), snapshot.id)
    assert bridge.list_snapshots()[0] == snapshot


class KilledError(BaseException):
    """The end of the process, as far as a test can show it within one."""


def test_what_was_being_made_when_the_process_died_is_in_error_afterwards(
    begin: Callable[..., Bridge], backend: Backend
) -> None:
    bridge = begin()
    volume = bridge.create_volume(wanted("1"))
    backend.fails.append(KilledError())
    with pytest.raises(KilledError):
        bridge.take_snapshot(taking("2", volume.id))
    second = begin()
    assert [row.state for row in second.list_snapshots()] == [SnapshotState.ERROR]
    with pytest.raises(BackendError, match="The process ended while it was being made"):
        second.take_snapshot(taking("2", volume.id))


def test_a_deletion_that_was_under_way_is_taken_up(begin: Callable[..., Bridge], backend: Backend) -> None:
    bridge = begin(FakeDriver)
    volume = bridge.create_volume(wanted("1"))
    snapshot = bridge.take_snapshot(taking("2", volume.id))
    backend.fails.append(KilledError())
    with pytest.raises(KilledError):
        bridge.delete_snapshot(OperationId("3"), snapshot.id)
    assert not begin(FakeDriver).list_snapshots()
    assert not backend.snapshots


def test_a_deletion_that_cannot_be_taken_up_keeps_nobody_from_beginning(
    begin: Callable[..., Bridge], backend: Backend
) -> None:
    bridge = begin(FakeDriver)
    snapshot = bridge.take_snapshot(taking("2", bridge.create_volume(wanted("1")).id))
    backend.fails += [ValueError("not now"), KilledError()]
    with pytest.raises(KilledError):
        bridge.delete_snapshot(OperationId("3"), snapshot.id)
    assert [row.state for row in begin(FakeDriver).list_snapshots()] == [SnapshotState.ERROR]


def test_a_next_life_lets_the_driver_say_where_things_are(begin: Callable[..., Bridge], tmp_path: Path) -> None:
    begin().create_volume(wanted("1"))
    begin()
    (kept,) = json.loads((tmp_path / "cinder.json").read_text())["volumes"]
    assert kept["model"]["provider_id"] == "77 1"


def test_what_hosts_log_in_with_is_written_nowhere(begin: Callable[..., Bridge], tmp_path: Path) -> None:
    begin().create_volume(wanted("1"))
    assert "canary" not in (tmp_path / "cinder.json").read_text()


@pytest.mark.parametrize(
    ("more", "words"),
    [({"location": "secondary"}, "No SECONDARY snapshots"), ({"quiesce": True}, "quiesce")],
)
def test_what_no_volume_driver_does_is_refused_with_the_reason(
    begin: Callable[..., Bridge], more: dict[str, Any], words: str
) -> None:
    bridge = begin()
    volume = bridge.create_volume(wanted("1"))
    with pytest.raises(NotSupportedError, match=words):
        bridge.take_snapshot(taking("2", volume.id, **more))
    assert not bridge.list_snapshots()


@pytest.mark.parametrize("written", ["", " ", "archive", "pr\N{LATIN SMALL LETTER DOTLESS I}mary", "secondary disk"])
def test_a_location_that_is_none_is_the_callers_mistake(begin: Callable[..., Bridge], written: str) -> None:
    bridge = begin()
    volume = bridge.create_volume(wanted("1"))
    with pytest.raises(InvalidRequestError, match="PRIMARY or SECONDARY"):
        bridge.take_snapshot(taking("2", volume.id, location=written))
    assert bridge.take_snapshot(taking("3", volume.id, location=" primary ")).state is SnapshotState.BACKED_UP


def test_what_nobody_knows_is_not_found(begin: Callable[..., Bridge]) -> None:
    bridge = begin()
    with pytest.raises(NotFoundError):
        bridge.take_snapshot(taking("1", NOBODY))
    with pytest.raises(NotFoundError):
        bridge.delete_snapshot(OperationId("2"), SnapshotId(NOBODY))


@given(acts=st.lists(st.sampled_from(["make", "take", "drop", "fail", "die"]), max_size=12))
def test_whatever_befalls_it_a_next_life_knows_what_the_last_one_did(
    tmp_path_factory: pytest.TempPathFactory, acts: list[str]
) -> None:
    book, backend = tmp_path_factory.mktemp("book") / "cinder.json", Backend()
    bridge = Bridge(FakeCloud(FakeDriver(backend)), Book(book))
    for number, act in enumerate(acts):
        operation = OperationId(str(number))
        volumes, snapshots = bridge.list_volumes(), bridge.list_snapshots()
        try:
            if act == "make":
                bridge.create_volume(wanted(operation))
            elif act == "take" and volumes:
                bridge.take_snapshot(taking(operation, volumes[-1].id))
            elif act == "drop" and snapshots:
                bridge.delete_snapshot(operation, snapshots[0].id)
            elif act in {"fail", "die"}:
                backend.fails.append(KilledError() if act == "die" else ValueError(act))
        except DriverError:
            pass
        except KilledError:
            backend.fails.clear()
            bridge = Bridge(FakeCloud(FakeDriver(backend)), Book(book))
    backend.fails.clear()
    again = Bridge(FakeCloud(FakeDriver(backend)), Book(book))
    assert again.list_volumes() == bridge.list_volumes()
    assert again.list_snapshots() == bridge.list_snapshots()
    listed = {row.id for row in again.list_snapshots()}
    assert set(backend.snapshots) <= listed, "No snapshot is forgotten: the next life can still delete it."


def test_answers_are_what_the_contract_says(begin: Callable[..., Bridge]) -> None:
    posts = Posts(lambda _site: begin())
    assert posts.answer("/v1/describe", b"{}")[0] == 409
    assert posts.answer("/v1/begin", b"{}")[0] == 204

    def ask(verb: str, **arguments: Any) -> Any:
        known = verbs()[verb]
        status, _kind, body = posts.answer(known.path, known.written(known.bind(**arguments)))
        assert status == 200, body
        return None if known.answer is type(None) else msgspec.json.decode(body, type=known.answer)

    volume = ask("create_volume", request=wanted("1"))
    snapshot = ask("take_snapshot", request=taking("2", volume.id))
    assert ask("list_snapshots", volume=volume.id) == [snapshot]
    assert ask("list_volumes") == [volume]
    assert Capability.REVERT in ask("describe").capabilities
    assert ask("revert_volume", operation="3", snapshot=snapshot.id) == volume
    ask("delete_snapshot", operation="4", snapshot=snapshot.id)
    status, kind, body = posts.answer("/v1/archive-snapshot", b'{"operation":"5","snapshot":"x"}')
    assert (status, kind) == (501, "application/problem+json")
    assert b"backups are another service's" in body
    assert posts.answer("/v1/levitate", b"{}")[0] == 404
    assert posts.answer("/v1/take-snapshot", b"{")[0] == 422
