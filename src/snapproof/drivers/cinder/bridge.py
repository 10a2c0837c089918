"""The verbs of the port over a Cinder volume driver: what Cinder's API and manager do around the driver, and no more.

It knows Cinder by the names of its drivers' methods only; who builds the driver and its records is in cloud.py.
"""

import contextlib
import threading
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from snapproof.driver import (
    ConflictError,
    DriverError,
    InvalidRequestError,
    NotFoundError,
    NotSupportedError,
)
from snapproof.drivers.cinder.answers import SETTLED, has_own, shown_snapshot, shown_volume, sound, translated
from snapproof.drivers.cinder.book import Book, Record, SnapshotRecord, VolumeRecord
from snapproof.vocabulary import (
    AccountId,
    Capability,
    Description,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotId,
    SnapshotRequest,
    Volume,
    VolumeId,
    VolumeRequest,
)

T = TypeVar("T")
GIB = 1 << 30
ROOM_PERCENT = 10
"""How much larger a LUN is than the guest's disk, for what a host keeps beside that."""
IDS = uuid.UUID("6f1c1c2e-3b57-4a53-9d0e-0f6f3a1f7c11")
"""Ids are derived from operations, so that an operation that is sent again names the same thing."""
SERVED = {
    Capability.SNAPSHOT_PRIMARY: "create_snapshot",
    Capability.VOLUME_FROM_PRIMARY: "create_volume_from_snapshot",
    Capability.REVERT: "revert_to_snapshot",
}
"""What is declared of a driver that has a method of its own for it."""

REASONS = {
    "archive_snapshot": "a Cinder volume driver keeps snapshots where the volume is; backups are another service's",
    "create_template": "images are Glance's",
    "create_policy": "Cinder has no schedules; they are Mistral's or the user's",
    "reconcile": "what is left after a crash is the manager's affair, who sets it to error; drivers are not asked",
    "resize_volume": "extending ends at the LUN, and the disk on it is the hosts' affair",
    "resource_counts": "quotas are counted by Cinder's API",
    "put_account": "projects are Keystone's",
}
"""Why a verb is not served."""


class Cloud(Protocol):
    """Cinder around the driver."""

    @property
    def driver(self) -> Any:
        """The driver, set up."""

    @property
    def context(self) -> Any:
        """The administrator's request context."""

    @property
    def version(self) -> str:
        """Of what is around it, with its name."""

    def now(self) -> str:
        """The time, ISO 8601 in UTC."""

    def volume(self, row: VolumeRecord) -> Any:
        """Make the object that drivers are handed for a volume."""

    def snapshot(self, row: SnapshotRecord, volume: VolumeRecord) -> Any:
        """Make the object that drivers are handed for a snapshot."""


class Bridge:
    """One life of a driver. Verbs that change something take turns."""

    def __init__(self, cloud: Cloud, book: Book) -> None:
        self._cloud, self._book = cloud, book
        self._turn = threading.RLock()
        self._begin()

    def describe(self) -> Description:
        """Declare what the class itself brings."""
        driver = self._cloud.driver
        served = frozenset(capability for capability, method in SERVED.items() if has_own(driver, method))
        name, version = type(driver).__name__, getattr(driver, "VERSION", "?")
        return Description(name=name, version=f"{version} ({self._cloud.version})", capabilities=served)

    def create_volume(self, request: VolumeRequest) -> Volume:
        """Ask for a whole number of GiB with room for what hosts keep there; the guest sees what was asked for."""
        if request.from_template is not None:
            raise NotSupportedError("This driver makes no volumes of templates: images are Glance's.")
        with self._turn:
            known = self._book.volumes.get(self._id(request.operation))
            if known is not None:
                return shown_volume(sound(known))
            source = None if request.from_snapshot is None else self._snapshot(request.from_snapshot)
            row = self._new_volume(request, source)
            if source is None:
                self._make(row, lambda: self._cloud.driver.create_volume(self._cloud.volume(row)))
            else:
                of = self._cloud.snapshot(source, self._book.volumes[source.volume])
                self._make(row, lambda: self._cloud.driver.create_volume_from_snapshot(self._cloud.volume(row), of))
            return shown_volume(row)

    def delete_volume(self, operation: OperationId, volume: VolumeId) -> None:
        """Refuse, as Cinder's API does, while snapshots of the volume exist. Failed ones go along (`--cascade`)."""
        with self._turn:
            if operation in self._book.done:
                return
            row = self._volume(volume)
            snapshots = self._book.snapshots_of(volume)
            if kept := [snapshot.id for snapshot in snapshots if snapshot.status == "available"]:
                raise ConflictError(f"Volume {volume} cannot be deleted: it has snapshots, {', '.join(kept)}.")
            for failed in snapshots:
                self.delete_snapshot(OperationId(f"{operation} {failed.id}"), SnapshotId(failed.id))
            self._end(row, lambda: self._cloud.driver.delete_volume(self._cloud.volume(row)))
            del self._book.volumes[volume]
            self._settle(operation)

    def list_volumes(self, account: AccountId | None = None) -> Sequence[Volume]:
        """List those that are there to be used; one that is being deleted, or could not be, counts."""
        rows = [row for row in self._book.volumes.values() if row.made and row.status not in {"creating", "error"}]
        return [shown_volume(row) for row in rows if account in {None, row.account}]

    def take_snapshot(self, request: SnapshotRequest) -> Snapshot:
        """Take it where the volume is."""
        with self._turn:
            row = self._book.snapshots.get(self._id(request.operation))
            if row is None:
                volume = self._volume(request.volume)
                _check(request)
                row = self._new_snapshot(request, volume)
                made = self._cloud.snapshot(row, volume)
                self._make(row, lambda: self._cloud.driver.create_snapshot(made))
            return shown_snapshot(sound(row))

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """List all rows, failed ones too."""
        shown = [shown_snapshot(row) for row in self._book.snapshots.values() if row.status in SETTLED]
        return [
            row
            for row in shown
            if account in {None, row.account} and volume in {None, row.volume} and location in {None, row.location}
        ]

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Ask the driver; one that could not be made is deleted like any other, as Cinder does."""
        with self._turn:
            if operation in self._book.done:
                return
            row = self._snapshot(snapshot, also_failed=True)
            doomed = self._cloud.snapshot(row, self._book.volumes[row.volume])
            self._end(row, lambda: self._cloud.driver.delete_snapshot(doomed))
            del self._book.snapshots[snapshot]
            self._settle(operation)

    def revert_volume(self, operation: OperationId, snapshot: SnapshotId, *, keep_present: bool = False) -> Volume:
        """Ask the driver. Whether somebody uses the volume is known to Cinder's API, and to nobody here."""
        if keep_present:
            raise NotSupportedError("Cinder's drivers keep nothing of what a revert throws away.")
        with self._turn:
            row = self._snapshot(snapshot)
            volume = self._book.volumes[row.volume]
            if operation not in self._book.done:
                of, made = self._cloud.volume(volume), self._cloud.snapshot(row, volume)
                self._ask(lambda: self._cloud.driver.revert_to_snapshot(self._cloud.context, of, made))
                volume.size_bytes = row.size_bytes
                self._settle(operation)
            return shown_volume(volume)

    def close(self) -> None:
        """Let go of nothing: the driver ends with its process."""

    def _begin(self) -> None:
        """Do what the manager does when it starts: what was being made is in error, deletions are taken up."""
        rows: list[Record] = [*self._book.volumes.values(), *self._book.snapshots.values()]
        for row in rows:
            if row.status == "creating":
                row.status, row.failure = "error", "The process ended while it was being made."
        self._book.write()
        self._learn()
        for snapshot in [row for row in self._book.snapshots.values() if row.status == "deleting"]:
            with contextlib.suppress(DriverError):  # it is in error_deleting now
                self.delete_snapshot(OperationId(f"again {snapshot.id}"), SnapshotId(snapshot.id))
        for volume in [row for row in self._book.volumes.values() if row.status == "deleting"]:
            with contextlib.suppress(DriverError):
                self.delete_volume(OperationId(f"again {volume.id}"), VolumeId(volume.id))

    def _learn(self) -> None:
        """Let the driver say anew where things are, if it can."""
        volumes = [row for row in self._book.volumes.values() if row.status == "available"]
        if not volumes or not has_own(self._cloud.driver, "update_provider_info"):
            return
        snapshots = [row for row in self._book.snapshots.values() if row.status == "available"]
        told = self._ask(
            lambda: self._cloud.driver.update_provider_info(
                [self._cloud.volume(row) for row in volumes],
                [self._cloud.snapshot(row, self._book.volumes[row.volume]) for row in snapshots],
            )
        )
        for update in told[0] or ():
            self._book.take_over(self._book.volumes[update["id"]], {"provider_id": update["provider_id"]})
        for update in told[1] or ():
            row = self._book.snapshots[update["id"]]
            if not row.model.get("provider_id"):
                self._book.take_over(row, {"provider_id": update["provider_id"]})
        self._book.write()

    def _make(self, row: Record, act: Callable[[], Any]) -> None:
        """Have the driver make what a row tells of; note before, and after, whatever the end is."""
        self._book.write()
        try:
            update = self._ask(act)
        except DriverError as error:
            row.status, row.failure = "error", str(error)
            self._book.write()
            raise
        row.status, row.made = "available", True
        self._book.take_over(row, update)
        self._book.write()

    def _end(self, row: Record, act: Callable[[], Any]) -> None:
        """Have the driver delete what a row tells of."""
        before, row.status = row.status, "deleting"
        self._book.write()
        try:
            self._ask(act)
        except DriverError as error:
            row.status = before if isinstance(error, ConflictError) else "error_deleting"
            self._book.write()
            raise

    def _ask(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except DriverError:
            raise
        except Exception as error:
            raise translated(error) from error

    def _settle(self, operation: OperationId) -> None:
        self._book.done.append(operation)
        self._book.write()

    def _new_volume(self, request: VolumeRequest, source: SnapshotRecord | None) -> VolumeRecord:
        if request.size_bytes <= 0:
            raise InvalidRequestError(f"A volume of {request.size_bytes} bytes is none.")
        wanted = request.size_bytes * (100 + ROOM_PERCENT) // 100
        row = VolumeRecord(
            id=self._id(request.operation),
            account=request.account,
            name=request.name,
            size_bytes=request.size_bytes,
            size_gib=max(-(-wanted // GIB), source.volume_gib if source else 1),
            qos={
                "minIOPS": request.qos.min_iops,
                "maxIOPS": request.qos.max_iops,
                "burstIOPS": request.qos.burst_iops,
            },
            created_at=self._cloud.now(),
        )
        self._book.volumes[row.id] = row
        return row

    def _new_snapshot(self, request: SnapshotRequest, volume: VolumeRecord) -> SnapshotRecord:
        row = SnapshotRecord(
            id=self._id(request.operation),
            account=volume.account,
            volume=volume.id,
            name=request.name,
            size_bytes=volume.size_bytes,
            volume_gib=volume.size_gib,
            created_at=self._cloud.now(),
        )
        self._book.snapshots[row.id] = row
        return row

    def _id(self, operation: OperationId) -> str:
        return str(uuid.uuid5(IDS, operation))

    def _volume(self, volume: str) -> VolumeRecord:
        row = self._book.volumes.get(volume)
        if row is None or not row.made:
            raise NotFoundError(f"There is no volume {volume}.")
        return row

    def _snapshot(self, snapshot: str, *, also_failed: bool = False) -> SnapshotRecord:
        row = self._book.snapshots.get(snapshot)
        if row is None:
            raise NotFoundError(f"There is no snapshot {snapshot}.")
        if row.status != "available" and not also_failed:
            raise ConflictError(f"Snapshot {snapshot} is {row.status}.")
        return row


def _check(request: SnapshotRequest) -> None:
    written = LocationType.PRIMARY if request.location is None else request.location.strip()
    wanted = written.upper() if written.isascii() else ""  # a dotless i has the same capital as i
    if wanted not in set(LocationType):
        raise InvalidRequestError(f"There is no location {request.location!r}; write PRIMARY or SECONDARY.")
    if request.quiesce:
        raise NotSupportedError("No guest is asked to quiesce: a Cinder volume driver never talks to one.")
    if wanted != LocationType.PRIMARY or request.async_backup:
        raise NotSupportedError(f"No SECONDARY snapshots: {REASONS['archive_snapshot']}.")
