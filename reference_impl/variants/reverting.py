"""Variants that go wrong with reverts and with the telling of states. The table of all is zoo.toml."""

from collections.abc import Sequence
from dataclasses import replace

from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.cloning import do_nothing, with_performer
from snapproof.vocabulary import SnapshotState, StateChange


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
