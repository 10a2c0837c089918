"""The array port over somebody else's primary-storage driver, which makes, snapshots, clones and deletes by itself.

What no such driver does is done at the array itself: hosts are let in, IOPS are set, clones are waited for, temporary
ones are purged, and a LUN is looked at by its id.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from snapproof.driver import (
    ConflictError,
    DriverError,
    DriverUnderTest,
    NotFoundError,
    UnavailableError,
)
from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.ports import (
    GoneError,
    Lun,
    Owned,
    Owner,
    RefusedError,
    TransientError,
    UnknownOutcomeError,
)
from snapproof.site import Clock, Endpoint
from snapproof.vocabulary import (
    AccountId,
    LocationType,
    OperationId,
    Qos,
    Snapshot,
    SnapshotRequest,
    SnapshotState,
    Volume,
    VolumeRequest,
)

NO_HANDLE = -1
"""The array has no clone under way, as when the driver has waited for its end."""
_NUMBER = re.compile(r"\d+$")


class LentArray(ElementArray):
    """One cluster, reached through a driver wherever the driver has a verb for it.

    Each call is an operation of its own: whoever asks again has looked before.
    """

    def __init__(self, endpoint: Endpoint, *, group: str, primary: DriverUnderTest, clock: Clock) -> None:
        super().__init__(endpoint, group=group)
        self._primary, self._clock, self._asked = primary, clock, 0

    def create_lun(self, *, account: str, name: str, size_bytes: int, qos: Qos, owner: Owner) -> Lun:
        """An empty volume."""
        request = VolumeRequest(
            operation=self._operation(name),
            account=AccountId(account),
            name=_label(name, owner),
            size_bytes=size_bytes,
            qos=qos,
        )
        with _translated():
            return self._lun(self._primary.create_volume(request), name, owner)

    def find_luns(self, *, name: str, owner: Owner) -> Sequence[Lun]:
        """The volumes that the driver lists by that name."""
        with _translated():
            listed = self._primary.list_volumes()
        return [self._lun(row, name, owner) for row in listed if row.name == _label(name, owner)]

    def list_owned(self) -> Sequence[Owned]:
        """Nothing: a driver does not say how old things are, so nothing of its making is ever swept up."""
        return []

    def delete_lun(self, lun_id: int) -> None:
        """The driver deletes; what it had made for a while only is then purged at the array."""
        with _translated():
            self._primary.delete_volume(self._operation(f"delete {lun_id}"), self._volume(lun_id).id)

    def restore_lun(self, lun_id: int) -> None:
        """Refused."""
        raise RefusedError(f"LUN {lun_id} stays deleted: a primary-storage driver takes no deletion back.")

    def resize_lun(self, lun_id: int, size_bytes: int) -> None:
        """The driver resizes the volume, and whatever it keeps there."""
        with _translated():
            self._primary.resize_volume(self._operation(f"resize {lun_id}"), self._volume(lun_id).id, size_bytes)

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """A snapshot on PRIMARY. One that failed is deleted at once, so that the driver keeps no row of it."""
        volume = self._volume(lun_id)
        request = SnapshotRequest(
            operation=self._operation(name),
            volume=volume.id,
            name=_label(name, owner),
            location=LocationType.PRIMARY,
        )
        try:
            with _translated():
                return _number_of(self._primary.take_snapshot(request))
        except (RefusedError, UnknownOutcomeError):
            for row in self._snapshots(volume, name, owner):
                if row.state is SnapshotState.ERROR:
                    with _translated():
                        self._primary.delete_snapshot(self._operation(f"clear {row.id}"), row.id)
            raise

    def find_snapshots(self, lun_id: int, *, name: str, owner: Owner) -> Sequence[int]:
        """The snapshots that the driver lists by that name and that are there."""
        try:
            rows = self._snapshots(self._volume(lun_id), name, owner)
        except GoneError:
            return []
        return [_number_of(row) for row in rows if row.state is SnapshotState.BACKED_UP]

    def delete_snapshot(self, snapshot_id: int) -> None:
        """By the driver's own id."""
        with _translated():
            self._primary.delete_snapshot(self._operation(f"delete {snapshot_id}"), self._snapshot(snapshot_id).id)

    def roll_back(self, lun_id: int, snapshot_id: int) -> None:
        """The driver reverts."""
        with _translated():
            self._primary.revert_volume(self._operation(f"revert {lun_id}"), self._snapshot(snapshot_id).id)

    def start_clone(self, lun_id: int, snapshot_id: int, *, account: str, name: str, owner: Owner) -> tuple[Lun, int]:
        """A volume from a snapshot, as large as what it is a snapshot of."""
        snapshot = self._snapshot(snapshot_id)
        request = VolumeRequest(
            operation=self._operation(name),
            account=AccountId(account),
            name=_label(name, owner),
            size_bytes=snapshot.size_bytes,
            qos=self._volume(lun_id).qos,
            from_snapshot=snapshot.id,
        )
        with _translated():
            lun = self._lun(self._primary.create_volume(request), name, owner)
        handle = self.clone_handle(lun)
        return lun, NO_HANDLE if handle is None else handle

    def clone_finished(self, handle: int) -> bool:
        """Where the driver has not waited for the array, somebody must."""
        return handle == NO_HANDLE or super().clone_finished(handle)

    def _operation(self, purpose: str) -> OperationId:
        self._asked += 1
        return OperationId(f"{purpose} {self._clock.time():f} {self._asked}")

    def _volume(self, lun_id: int) -> Volume:
        with _translated():
            listed = self._primary.list_volumes()
        for row in listed:
            if _number_at_the_end(row.target) == lun_id:
                return row
        raise GoneError(f"The primary-storage driver lists no volume with the LUN {lun_id}.")

    def _snapshot(self, snapshot_id: int) -> Snapshot:
        with _translated():
            listed = self._primary.list_snapshots(location=LocationType.PRIMARY)
        for row in listed:
            if row.copies and _number_of(row) == snapshot_id:
                return row
        raise GoneError(f"The primary-storage driver lists no snapshot with the number {snapshot_id}.")

    def _snapshots(self, volume: Volume, name: str, owner: Owner) -> list[Snapshot]:
        with _translated():
            listed = self._primary.list_snapshots(volume=volume.id)
        return [row for row in listed if row.name == _label(name, owner)]

    def _lun(self, made: Volume, name: str, owner: Owner) -> Lun:
        return Lun(
            id=_number_at_the_end(made.target),
            name=name,
            target=made.target,
            size_bytes=made.size_bytes,
            owner=owner,
            deleted=False,
        )


@contextmanager
def _translated() -> Iterator[None]:
    """Say what a driver's refusal means for certain. One whose back end could not be reached may have acted."""
    try:
        yield
    except NotFoundError as error:
        raise GoneError(str(error)) from error
    except UnavailableError as error:
        raise UnknownOutcomeError(str(error)) from error
    except ConflictError as error:
        raise TransientError(str(error)) from error
    except DriverError as error:
        raise RefusedError(str(error)) from error


def _label(name: str, owner: Owner) -> str:
    """What a driver is told to call a thing: our name for it, and the owner tag, which has no other place there."""
    return f"{name} of {owner.subject} by {owner.job}"[:255]


def _number_of(row: Snapshot) -> int:
    return _number_at_the_end(row.copies[0].reference)


def _number_at_the_end(reference: str) -> int:
    """The array's number of a thing: the last one of its IQN or reference. Raises RefusedError where there is none."""
    found = _NUMBER.search(reference)
    if found is None:
        raise RefusedError(
            f"The primary-storage driver answers {reference!r}, which ends with no number of the array's."
        )
    return int(found[0])
