"""Writing snapshots and their copies; every state change walks the tables of core/states.py."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.engine import Row

from snapproof.reference_impl.catalog.engines import locked
from snapproof.reference_impl.catalog.places import store_id_of
from snapproof.reference_impl.catalog.schema import (
    INTERVALS,
    SNAPSHOT_DETAILS,
    SNAPSHOT_POLICY,
    SNAPSHOT_STORE_REF,
    SNAPSHOTS,
    TYPE_OF_FIRST_INTERVAL,
    StoreRole,
)
from snapproof.reference_impl.catalog.writer import Writer
from snapproof.reference_impl.core.states import (
    COPY_TRANSITIONS,
    SNAPSHOT_TRANSITIONS,
    CopyEvent,
    CopyState,
    SnapshotEvent,
    advance,
)
from snapproof.vocabulary import SnapshotState, StateChange

_SNAPSHOT = select(SNAPSHOTS.c.id, SNAPSHOTS.c.volume_id, SNAPSHOTS.c.status, SNAPSHOTS.c.size).where(
    SNAPSHOTS.c.uuid == bindparam("uuid")
)
_INTERVAL = select(SNAPSHOT_POLICY.c.interval).where(SNAPSHOT_POLICY.c.uuid == bindparam("policy"))
_ALLOCATING = insert(SNAPSHOTS)
_MOVING = update(SNAPSHOTS).where(SNAPSHOTS.c.id == bindparam("number"))

_OF_THE_COPY = (SNAPSHOT_STORE_REF.c.snapshot_id == bindparam("number")) & (
    SNAPSHOT_STORE_REF.c.store_role == bindparam("role")
)
_STATE_OF_COPY = select(SNAPSHOT_STORE_REF.c.state).where(_OF_THE_COPY)
_MOVING_COPY = update(SNAPSHOT_STORE_REF).where(_OF_THE_COPY).values(update_count=SNAPSHOT_STORE_REF.c.update_count + 1)
_COPYING = {
    role: insert(SNAPSHOT_STORE_REF).values(store_id=store_id_of(role, bindparam("store"))) for role in StoreRole
}


class SnapshotRows(Writer):
    """The writer of snapshots and of their copies."""

    def insert_snapshot(
        self, *, uuid: str, account: str, volume: str, name: str, location: str, size_bytes: int, policy: str | None
    ) -> None:
        """Allocate a snapshot. An older release knows by its type of which policy it is."""
        interval = self._connection.execute(_INTERVAL, {"policy": policy}).scalar()
        kind = {} if interval is None else {"snapshot_type": TYPE_OF_FIRST_INTERVAL + interval}
        self._connection.execute(
            _ALLOCATING,
            {
                "uuid": uuid,
                "account_id": self.ensure_account(account),
                "domain_id": self.domain_of(account),
                "volume_id": self._volume_id(volume),
                "name": name,
                "status": SnapshotState.ALLOCATED,
                **kind,
                "type_description": "MANUAL" if interval is None else INTERVALS[interval],
                "location_type": location,
                "policy_uuid": policy,
                "size": size_bytes,
                "created": self._now,
            },
        )

    def move_snapshot(self, uuid: str, *events: SnapshotEvent) -> None:
        """Walk a snapshot along its state table, one message a step. Raises IllegalTransitionError."""
        row = self.snapshot(uuid)
        state = SnapshotState(row.status)
        for event in events:
            before, state = state, advance(SNAPSHOT_TRANSITIONS, state, event)
            self._send("state", StateChange(subject=uuid, event=event, before=before, after=state))
        gone = {"removed": self._now} if state is SnapshotState.DESTROYED else {}
        self._connection.execute(_MOVING, {"number": row.id, "status": state, **gone})

    def relocate(self, uuid: str, location: str) -> None:
        """Write down another location of a snapshot."""
        self._connection.execute(update(SNAPSHOTS).where(SNAPSHOTS.c.uuid == uuid).values(location_type=location))

    def insert_copy(
        self, snapshot: str, role: str, *, path: str, physical_size: int, digest: str | None, store: str = ""
    ) -> None:
        """Write the row of a copy that is complete: it walks from Allocated to Ready at once."""
        state = advance(COPY_TRANSITIONS, CopyState.ALLOCATED, CopyEvent.CREATE_ONLY_REQUESTED, CopyEvent.SUCCESS)
        row = self.snapshot(snapshot)
        self._connection.execute(
            _COPYING[StoreRole(role)],
            {
                "snapshot_id": row.id,
                "volume_id": row.volume_id,
                "store_role": role,
                "store": store,
                "install_path": path,
                "size": row.size,
                "physical_size": physical_size,
                "digest": digest,
                "state": state,
                "created": self._now,
            },
        )

    def insert_details(self, snapshot: str, details: Mapping[str, str]) -> None:
        """Write down what CloudStack's plug-in keeps about a copy."""
        number = self.snapshot(snapshot).id
        for name, value in details.items():
            self._connection.execute(insert(SNAPSHOT_DETAILS).values(snapshot_id=number, name=name, value=value))

    def remove_details(self, snapshot: str) -> None:
        """Forget them, with the copy."""
        gone = SNAPSHOT_DETAILS.c.snapshot_id == self.snapshot(snapshot).id
        self._connection.execute(delete(SNAPSHOT_DETAILS).where(gone))

    def move_copy(self, snapshot: str, role: str, *events: CopyEvent) -> None:
        """Walk a copy row along its state table, if there is such a row."""
        which = {"number": self.snapshot(snapshot).id, "role": role}
        state = self._connection.execute(locked(self._connection, _STATE_OF_COPY), which).scalar()
        if state is not None:
            moved = advance(COPY_TRANSITIONS, CopyState(state), *events)
            self._connection.execute(_MOVING_COPY, {**which, "state": moved, "updated": self._now})

    def snapshot(self, uuid: str) -> Row[Any, Any, Any, Any]:
        """One row of snapshots, held until the end of the transaction."""
        return self._connection.execute(locked(self._connection, _SNAPSHOT), {"uuid": uuid}).one()
