"""Variants that go wrong with array snapshots, clones and the LUNs they belong to.

Each class breaks one rule, and its docstring says which. The table of all of them, with what catches them, is zoo.toml.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from snapproof.reference_impl.bench import Workbench
from snapproof.reference_impl.core import effects as fx
from snapproof.reference_impl.core.effects import Effect, Facts
from snapproof.reference_impl.core.orders import DeleteVolume, Order
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.performing import (
    PERFORMERS,
    Performer,
    leave,
    start_over,
    undo_array_snapshot,
    undo_lun,
    wait_for_clone,
)
from snapproof.reference_impl.rules import Rules


def with_performer(kind: type[Effect], change: Callable[[Performer], Performer]) -> Mapping[type[Effect], Performer]:
    """The reference's table with one entry changed."""
    return {**PERFORMERS, kind: change(PERFORMERS[kind])}


def do_nothing(_bench: Workbench, _effect: Any, _facts: Facts) -> Facts:
    """Report success without having done anything."""
    return {}


class BlindRetry(ReferenceDriver):
    """Breaks R-001: after a lost answer it asks again without looking, and the array has two snapshots."""

    def rules(self) -> Rules:
        """Never settle."""
        return Rules(performers=with_performer(fx.TakeArraySnapshot, lambda p: replace(p, settle=start_over)))


class KeepsArraySnapshot(ReferenceDriver):
    """Breaks R-002: the array's snapshot stays when its backup is complete (hazard C16)."""

    def rules(self) -> Rules:
        """Undo nothing."""
        return Rules(performers=with_performer(fx.TakeArraySnapshot, lambda p: replace(p, undo=leave)))


class CopiesLiveVolume(ReferenceDriver):
    """Breaks R-003: it clones the volume as it is by then, not the snapshot that was taken."""

    def rules(self) -> Rules:
        """Clone the active branch, which Element calls snapshot 0."""

        def clone_active(bench: Workbench, effect: fx.CloneToLun, _facts: Facts) -> Facts:
            lun, handle = bench.ports.array.start_clone(
                effect.lun_id, 0, account=effect.account, name=effect.name, owner=effect.owner
            )
            wait_for_clone(bench, lun, handle)
            return {"lun": lun.id, "target": lun.target}

        return Rules(performers=with_performer(fx.CloneToLun, lambda p: replace(p, do=clone_active)))


class NeverResigns(ReferenceDriver):
    """Breaks R-014: the clone keeps its parent's identities, and hosts refuse it beside the parent."""

    def rules(self) -> Rules:
        """Leave the signatures alone."""
        return Rules(performers=with_performer(fx.ResignDisk, lambda p: replace(p, do=do_nothing)))


class ForgetsQos(ReferenceDriver):
    """Breaks R-016: a restored volume keeps the IOPS that it was filled with."""

    def rules(self) -> Rules:
        """Set nothing."""
        return Rules(performers=with_performer(fx.SetQos, lambda p: replace(p, do=do_nothing)))


class DeletesOnlyTheRow(ReferenceDriver):
    """Breaks R-020: a deleted snapshot disappears from the lists and stays on the array."""

    def rules(self) -> Rules:
        """Delete nothing."""
        return Rules(performers=with_performer(fx.DeleteArraySnapshot, lambda p: replace(p, do=do_nothing)))


class DeletesParentLun(ReferenceDriver):
    """Breaks R-024: the LUN is deleted with its volume, and the array snapshots on it are lost."""

    def rules(self) -> Rules:
        """Release the LUN in every case."""
        return Rules(plan=lambda order: plan_for(self._released(order)))

    def _released(self, order: Order) -> Order:
        lun = self.lun_of(order.volume) if isinstance(order, DeleteVolume) else None
        return replace(order, release_lun=lun) if isinstance(order, DeleteVolume) else order


class KeepsEveryLun(ReferenceDriver):
    """Breaks R-025: the LUN of a deleted volume is kept although no array snapshot needs it."""

    def rules(self) -> Rules:
        """Release no LUN."""

        def plan(order: Order) -> Plan:
            kept = replace(order, release_lun=None) if isinstance(order, DeleteVolume) else order
            return plan_for(kept)

        return Rules(plan=plan)


class DeletesParentOfFailedClone(ReferenceDriver):
    """Breaks R-077 (hazard C1): clean-up deletes the LUN it remembers, which is the parent until a clone exists."""

    def rules(self) -> Rules:
        """Delete by remembered id."""

        def undo(bench: Workbench, effect: fx.CloneToLun, facts: Facts) -> None:
            if "lun" in facts:
                undo_lun(bench, effect, facts)
            else:
                bench.ports.array.delete_lun(effect.lun_id)

        return Rules(performers=with_performer(fx.CloneToLun, lambda p: replace(p, undo=undo)))


class OrphansOnFailure(ReferenceDriver):
    """Breaks R-079 (hazard C8): a failed backup is marked as cleaned up, and the array is never asked to delete."""

    def rules(self) -> Rules:
        """Undo after success only."""

        def undo(bench: Workbench, effect: fx.TakeArraySnapshot, facts: Facts) -> None:
            if "digest" in facts:
                undo_array_snapshot(bench, effect, facts)

        return Rules(performers=with_performer(fx.TakeArraySnapshot, lambda p: replace(p, undo=undo)))


class LeavesRepository(ReferenceDriver):
    """Breaks R-086: the clone's storage repository stays on the host when something behind it fails."""

    def rules(self) -> Rules:
        """Never detach."""
        return Rules(performers=with_performer(fx.AttachDisk, lambda p: replace(p, undo=leave)))
