"""Variants that go wrong with reverts and with the telling of states. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Facts
from snapproof.reference_impl.core.orders import RevertVolume
from snapproof.reference_impl.core.states import VolumeEvent
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.cloning import do_nothing, with_performer
from snapproof.reference_impl.variants.moving import with_recorder
from snapproof.reference_impl.variants.retelling import Retelling
from snapproof.vocabulary import Snapshot, SnapshotState, StateChange, VolumeId


class RevertsNothing(ReferenceDriver):
    """Breaks R-018: a revert is recorded and never done."""

    def rules(self) -> Rules:
        """Report success."""
        return Rules(performers=with_performer(fx.RollBackLun, lambda p: replace(p, do=do_nothing)))


class HidesTheWay(ReferenceDriver):
    """Breaks R-174: that a snapshot was being backed up is told to nobody."""

    def state_changes(self) -> Sequence[StateChange]:
        """Leave out what leads to BackingUp."""
        return [change for change in super().state_changes() if change.after is not SnapshotState.BACKING_UP]


class RevertsUnderSnapshots(ReferenceDriver):
    """Breaks R-019: that a machine has snapshots of its own is looked for by nobody."""

    def rules(self) -> Rules:
        """Leave the look out."""
        return Rules(performers=with_performer(fx.RequireOneDisk, lambda p: replace(p, do=do_nothing)))


class SaysAllCanBeRevertedTo(Retelling):
    """Breaks R-019 (hazard C10): a snapshot on secondary storage is listed as one to revert to."""

    def told(self, rows: Sequence[Snapshot], *, of: VolumeId | None) -> Sequence[Snapshot]:
        """Ask the pool what it can do, not where the bytes are."""
        return [replace(row, revertable=True) for row in rows]


class KeepsTheNewSize(ReferenceDriver):
    """Breaks R-049: a volume that was made larger is listed and charged as large when it is reverted."""

    def rules(self) -> Rules:
        """Leave the row's size as it is."""

        def succeed(tx: Transaction, order: RevertVolume, _facts: Facts) -> None:
            tx.move_volume(order.volume, VolumeEvent.OPERATION_SUCCEEDED)

        return Rules(recorders=with_recorder(RevertVolume, succeed=succeed))
