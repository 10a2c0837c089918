"""Variants that go wrong where no host can re-sign a clone. The table of all is zoo.toml."""

from collections.abc import Mapping

from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.core.effects import Effect, Facts, ReleaseLun
from snapproof.reference_impl.core.orders import DeleteSnapshot, Order, TakeSnapshot
from snapproof.reference_impl.core.plans import Plan, plan_for
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.ports import Hypervisor
from snapproof.reference_impl.recording.snapshots import step_take
from snapproof.reference_impl.rules import Rules
from snapproof.reference_impl.variants.moving import with_recorder


class KeepsNoDetails(ReferenceDriver):
    """Breaks R-031: where the array volume of a snapshot is to be found, and which disk is on it, is not kept."""

    def rules(self) -> Rules:
        """Keep the number in the copy's row alone."""

        def step(tx: Transaction, /, order: TakeSnapshot, effect: Effect, facts: Facts) -> None:
            step_take(tx, order=order, effect=effect, facts=facts)
            tx.remove_details(order.snapshot)

        return Rules(recorders=with_recorder(TakeSnapshot, step=step))


class NoticesTooLate(ReferenceDriver):
    """Breaks R-032: that no host can re-sign is noticed when the clone is there already (CloudStack)."""

    def _clones_are_usable(self) -> bool:
        return True


class DeletesArraySnapshotsOnly(ReferenceDriver):
    """Breaks R-033: of a snapshot that is an array volume, the row is deleted and the volume stays."""

    def rules(self) -> Rules:
        """Know one kind."""

        def plan(order: Order) -> Plan:
            steps = plan_for(order)
            if not isinstance(order, DeleteSnapshot):
                return steps
            return tuple(step for step in steps if step.effect != ReleaseLun(lun_id=order.array_volume or 0))

        return Rules(plan=plan)


class AsksItsOwnHostsOnly(ReferenceDriver):
    """Breaks R-061: whether another cluster of hosts could re-sign is never asked."""

    def _clusters(self) -> Mapping[str, Hypervisor]:
        return {"": self._ports.hypervisor}
