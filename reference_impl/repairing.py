"""Repairing by hand what no job does: finding orphans, and bringing back a volume that was deleted by mistake (R-099).

docs/repair.md says when. What is taken back carries our owner tag and is what the record says it was, or nothing is.
"""

from collections.abc import Sequence

from snapproof.driver import ConflictError, UnavailableError
from snapproof.reference_impl.catalog import queries
from snapproof.reference_impl.catalog.store import Session
from snapproof.reference_impl.catalog.transaction import Transaction
from snapproof.reference_impl.life import Life
from snapproof.reference_impl.ports import CallError, Lun, Owned
from snapproof.reference_impl.recording.recorder import BEGINNING, usage
from snapproof.reference_impl.sweeping import Sweeper
from snapproof.vocabulary import AuditEvent, OperationId, Volume, VolumeId

KIND = "VOLUME.RECOVER"
"""CloudStack's type of this event."""


class Repairing(Life):
    """What an operator does by hand."""

    _sweeper: Sweeper

    def find_orphans(self) -> Sequence[Owned]:
        """What is ours on the arrays and nobody needs, however young. Raises UnavailableError."""
        try:
            return [owned for _, owned in self._sweeper.orphans()]
        except CallError as error:
            raise UnavailableError(f"An array could not be looked through: {error}") from error

    def recover_volume(self, volume: VolumeId) -> Volume:
        """Bring back a deleted volume, as long as the array has not purged it; one that is there is left as it is.

        Raises NotFoundError, ConflictError, UnavailableError.
        """
        removed = self._read(queries.removed_volume, volume)
        if removed is not None:
            self._restore_lun(removed)
            self._bring_back(removed)
        return self._read(queries.volume, volume)

    def _restore_lun(self, removed: queries.RemovedVolume) -> None:
        array = self._ports.at(removed.pool, "").array
        try:
            lun = array.get_lun(removed.lun_id)
            _require_same(lun, removed)
            if lun.deleted:
                array.restore_lun(lun.id)
            lun = array.get_lun(removed.lun_id)
        except CallError as error:
            raise UnavailableError(f"Volume {removed.volume} cannot be brought back on the array: {error}") from error
        if lun.deleted:
            raise UnavailableError(f"The array keeps volume {lun.id} deleted; ask again.")

    def _bring_back(self, removed: queries.RemovedVolume) -> None:
        operation = OperationId(f"recover {removed.volume}")

        def write(_session: Session, tx: Transaction) -> None:
            tx.bring_back_volume(removed.volume)
            for phase in (*BEGINNING, "Completed"):
                tx.audit(
                    AuditEvent(
                        operation=operation,
                        type=KIND,
                        phase=phase,
                        level="INFO",
                        account=removed.account,
                        subject=removed.volume,
                    )
                )
            tx.usage(usage("VOLUME.CREATE", removed.account, removed.volume, removed.size_bytes))

        self._orchestrator.write(write, lambda: self._read(queries.removed_volume, removed.volume) is None or None)


def _require_same(lun: Lun, removed: queries.RemovedVolume) -> None:
    """Another volume may have got its number since (hazard C5)."""
    if lun.target != removed.target or lun.owner is None or lun.owner.subject != removed.volume:
        raise ConflictError(
            f"The array's volume {lun.id} is not what was volume {removed.volume}; nothing was brought back."
        )
