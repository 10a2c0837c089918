"""A base for variants that list snapshots otherwise than they are, and such variants. The table of all is zoo.toml."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from snapproof.reference_impl.adapters.element import ElementArray
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import GoneError, OwnedKind, Ports
from snapproof.vocabulary import (
    AccountId,
    Copy,
    LocationType,
    OperationId,
    Snapshot,
    SnapshotId,
    SnapshotState,
    VolumeId,
)

SHOWN = 60
"""So many letters of a name fit into a narrow column."""


class Retelling(ReferenceDriver):
    """The reference itself, but for a hook through which its lists of snapshots pass."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """What is listed in place of these rows. `of` is the volume that was asked for, as policies do."""
        raise NotImplementedError

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """Tell the rows in the variant's own way."""
        return self.told(super().list_snapshots(account, volume=volume, location=location), of=volume)


class ShortensNames(Retelling):
    """Breaks R-047: a name is listed as far as there is room for it."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Cut it."""
        return [replace(row, name=row.name[:SHOWN]) for row in rows]


class ShortensLongNames(ShortensNames):
    """Breaks R-162: a name of the greatest length is taken, and is listed as far as there is room for it."""


class NarrowsNothing(ReferenceDriver):
    """Breaks R-029: whoever asks for the snapshots at one place is given all."""

    def list_snapshots(
        self,
        account: AccountId | None = None,
        *,
        volume: VolumeId | None = None,
        location: LocationType | None = None,
    ) -> Sequence[Snapshot]:
        """Forget the place."""
        del location
        return super().list_snapshots(account, volume=volume)


class TellsWhereItWasGoing(Retelling):
    """Breaks R-039: a snapshot whose archive was cancelled is on its way to secondary storage for ever."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Tell the wish for the fact."""
        return [replace(row, location=LocationType.SECONDARY) for row in rows]


class NamesNoImageStore(Retelling):
    """Breaks R-059: in which image store a backup lies is not told."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Leave the store out."""
        return [without_stores(row) for row in rows]


def without_stores(row: Snapshot) -> Snapshot:
    """The same snapshot, of whose copies it is not told in which store they lie."""
    return replace(row, copies=tuple(replace(copy, store="") for copy in row.copies))


class ForgetsWhoseItIs(Retelling):
    """Breaks R-028: it is not told which policy a snapshot was taken for."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Leave it out, but for policies themselves."""
        return rows if of is not None else [replace(row, policy=None) for row in rows]


class LingersInLists(Retelling):
    """Breaks R-020: what was deleted is listed for half a minute more, as from a cache."""

    cached: tuple[tuple[float, Snapshot], ...] = ()

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Keep the row."""
        rows = [row for row in self.list_snapshots() if row.id == snapshot]
        super().delete_snapshot(operation, snapshot)
        until_s = self._ports.clock.time() + 30
        self.cached += tuple((until_s, replace(row, copies=(), state=SnapshotState.DESTROYING)) for row in rows)

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """With what is still cached."""
        known, now = {row.id for row in rows}, self._ports.clock.time()
        return [*rows, *(row for until_s, row in self.cached if now < until_s and row.id not in known)]


class HidesWhatFailed(Retelling):
    """Breaks R-084: a failed snapshot that cannot be deleted is not shown again before somebody has seen to it."""

    hidden_until_s = 0.0

    def delete_snapshot(self, operation: OperationId, snapshot: SnapshotId) -> None:
        """Put a failure out of sight."""
        self.hidden_until_s = self._ports.clock.time() + 60
        super().delete_snapshot(operation, snapshot)
        self.hidden_until_s = 0

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Without what failed, for a while."""
        hidden = self._ports.clock.time() < self.hidden_until_s
        return [row for row in rows if not hidden or row.state is SnapshotState.BACKED_UP]


class _MisaimingArray(ElementArray):
    def delete_snapshot(self, snapshot_id: int) -> None:
        """Ask for another number, and be content that there is none."""
        with suppress(GoneError):
            super().delete_snapshot(snapshot_id + 1_000_000)


class FindsWhatItLost(Retelling):
    """Breaks R-083: an array snapshot that is left over is not deleted, but listed as found."""

    def ports(self) -> Ports:
        """Miss when deleting."""
        return replace(super().ports(), array=_MisaimingArray(self.site.array, group=self.site.hosts_group))

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """With what was found."""
        known = {copy.reference for row in rows for copy in row.copies}
        held = [owned for owned in self._ports.array.list_owned() if owned.kind is OwnedKind.SNAPSHOT]
        return [*rows, *(_found(owned.id) for owned in held if f"SfSnapshotId={owned.id}" not in known)]


def _found(array_snapshot: int) -> Snapshot:
    copy = Copy(location=LocationType.PRIMARY, reference=f"SfSnapshotId={array_snapshot}", physical_size_bytes=0)
    return Snapshot(
        id=SnapshotId(f"found-{array_snapshot}"),
        account=AccountId("nobody"),
        volume=VolumeId("none"),
        name="found",
        location=LocationType.PRIMARY,
        state=SnapshotState.ERROR,
        size_bytes=0,
        copies=(copy,),
    )


class FindsWhatFailed(FindsWhatItLost):
    """Breaks R-084: what a failed snapshot left on the array is not deleted, but listed as found."""
