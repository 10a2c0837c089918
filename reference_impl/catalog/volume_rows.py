"""Writing volumes: made, walked along their states, removed with their policies."""

from sqlalchemy import bindparam, insert, select, update

from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.policy_rows import PolicyRows
from snapproof.reference_impl.catalog.schema import (
    SNAPSHOT_POLICY,
    STORAGE_POOL,
    VOLUMES,
)
from snapproof.reference_impl.core.states import (
    VOLUME_TRANSITIONS,
    VolumeEvent,
    VolumeState,
    advance,
)
from snapproof.vocabulary import Qos

_STATE = select(VOLUMES.c.state).where(VOLUMES.c.uuid == bindparam("volume"))


class VolumeRows(PolicyRows):
    """The writer of volumes."""

    def insert_volume(
        self, *, uuid: str, account: str, name: str, lun_id: int, target: str, size_bytes: int, qos: Qos, pool: str = ""
    ) -> None:
        """Write a volume that is ready for use."""
        self._connection.execute(
            insert(VOLUMES).values(
                uuid=uuid,
                account_id=self.ensure_account(account),
                domain_id=self.domain_of(account),
                name=name,
                pool_id=select(STORAGE_POOL.c.id).where(STORAGE_POOL.c.name == pool).scalar_subquery(),
                folder=str(lun_id),
                iscsi_name=f"/{target}/0",
                size=size_bytes,
                min_iops=qos.min_iops,
                max_iops=qos.max_iops,
                burst_iops=qos.burst_iops,
                created=self._now,
            )
        )

    def move_volume(self, uuid: str, event: VolumeEvent, *, size_bytes: int | None = None) -> None:
        """Walk a volume along its state table. Raises IllegalTransitionError."""
        found = locked(self._connection, _STATE)
        state = VolumeState(self._connection.execute(found, {"volume": uuid}).scalar_one())
        sized = {} if size_bytes is None else {"size": size_bytes}
        moved = advance(VOLUME_TRANSITIONS, state, event)
        self._connection.execute(update(VOLUMES).where(VOLUMES.c.uuid == uuid).values(state=moved, **sized))

    def resize_volume(self, uuid: str, size_bytes: int) -> None:
        """Write down another size."""
        self._connection.execute(update(VOLUMES).where(VOLUMES.c.uuid == uuid).values(size=size_bytes))

    def bring_back_volume(self, uuid: str) -> None:
        """Take the removal of a volume back; its policies stay ended."""
        self._connection.execute(update(VOLUMES).where(VOLUMES.c.uuid == uuid).values(removed=None))

    def remove_volume(self, uuid: str) -> None:
        """Mark a volume as removed, and end its policies; its row stays, its snapshots refer to it."""
        self._end_policies(SNAPSHOT_POLICY.c.volume_id == self._volume_id(uuid))
        self._connection.execute(update(VOLUMES).where(VOLUMES.c.uuid == uuid).values(removed=self._now))
