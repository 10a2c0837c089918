"""The states of a snapshot and of its copy rows, as tables, and the one function that walks them.

Everything that decides whether a transition is legal lives here; who causes it does not. The tables are CloudStack's
(SnapshotStateMachineManagerImpl, ObjectInDataStoreManagerImpl) with their gaps closed: each addition is named.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from snapproof.vocabulary import SnapshotState


class SnapshotEvent(StrEnum):
    """What can happen to a snapshot."""

    CREATE_REQUESTED = "CreateRequested"
    BACKUP_TO_SECONDARY = "BackupToSecondary"
    COPYING_REQUESTED = "CopyingRequested"
    DESTROY_REQUESTED = "DestroyRequested"
    OPERATION_SUCCEEDED = "OperationSucceeded"
    OPERATION_NOT_PERFORMED = "OperationNotPerformed"
    OPERATION_FAILED = "OperationFailed"


class CopyState(StrEnum):
    """The states of a row of snapshot_store_ref."""

    ALLOCATED = "Allocated"
    CREATING = "Creating"
    READY = "Ready"
    COPYING = "Copying"
    DESTROYING = "Destroying"
    DESTROYED = "Destroyed"
    FAILED = "Failed"


class CopyEvent(StrEnum):
    """What can happen to a copy row."""

    CREATE_ONLY_REQUESTED = "CreateOnlyRequested"
    COPYING_REQUESTED = "CopyingRequested"
    DESTROY_REQUESTED = "DestroyRequested"
    SUCCESS = "Success"
    FAILED = "Failed"


class VolumeState(StrEnum):
    """The states of a volume that snapshots touch."""

    READY = "Ready"
    SNAPSHOTTING = "Snapshotting"
    REVERT_SNAPSHOTTING = "RevertSnapshotting"


class VolumeEvent(StrEnum):
    """What snapshots do to a volume."""

    SNAPSHOT_REQUESTED = "SnapshotRequested"
    REVERT_SNAPSHOT_REQUESTED = "RevertSnapshotRequested"
    OPERATION_SUCCEEDED = "OperationSucceeded"
    OPERATION_FAILED = "OperationFailed"


class IllegalTransitionError(Exception):
    """Somebody tried to walk a way that the table does not have: a defect of the orchestrator, never of a caller."""


_S, _E = SnapshotState, SnapshotEvent

SNAPSHOT_TRANSITIONS: Mapping[tuple[SnapshotState, SnapshotEvent], SnapshotState] = {
    (_S.ALLOCATED, _E.CREATE_REQUESTED): _S.CREATING,
    (_S.CREATING, _E.OPERATION_SUCCEEDED): _S.CREATED_ON_PRIMARY,
    (_S.CREATING, _E.OPERATION_NOT_PERFORMED): _S.BACKED_UP,
    (_S.CREATING, _E.OPERATION_FAILED): _S.ERROR,
    (_S.CREATED_ON_PRIMARY, _E.BACKUP_TO_SECONDARY): _S.BACKING_UP,
    (_S.CREATED_ON_PRIMARY, _E.OPERATION_NOT_PERFORMED): _S.BACKED_UP,
    (_S.BACKING_UP, _E.BACKUP_TO_SECONDARY): _S.BACKING_UP,
    (_S.BACKING_UP, _E.OPERATION_SUCCEEDED): _S.BACKED_UP,
    (_S.BACKING_UP, _E.OPERATION_NOT_PERFORMED): _S.BACKED_UP,
    (_S.BACKING_UP, _E.OPERATION_FAILED): _S.ERROR,
    (_S.BACKED_UP, _E.BACKUP_TO_SECONDARY): _S.BACKING_UP,
    (_S.BACKED_UP, _E.COPYING_REQUESTED): _S.COPYING,
    (_S.BACKED_UP, _E.DESTROY_REQUESTED): _S.DESTROYING,
    (_S.COPYING, _E.OPERATION_SUCCEEDED): _S.BACKED_UP,
    (_S.COPYING, _E.OPERATION_FAILED): _S.BACKED_UP,
    (_S.DESTROYING, _E.DESTROY_REQUESTED): _S.DESTROYING,
    (_S.DESTROYING, _E.OPERATION_SUCCEEDED): _S.DESTROYED,
    (_S.DESTROYING, _E.OPERATION_FAILED): _S.BACKED_UP,
    # Gaps of CloudStack's table, closed: it has no way out of these states but to edit the database.
    (_S.ALLOCATED, _E.OPERATION_FAILED): _S.ERROR,
    (_S.CREATED_ON_PRIMARY, _E.OPERATION_FAILED): _S.ERROR,
    (_S.ERROR, _E.DESTROY_REQUESTED): _S.DESTROYING,
}

_C, _V = CopyState, CopyEvent

COPY_TRANSITIONS: Mapping[tuple[CopyState, CopyEvent], CopyState] = {
    (_C.ALLOCATED, _V.CREATE_ONLY_REQUESTED): _C.CREATING,
    (_C.ALLOCATED, _V.DESTROY_REQUESTED): _C.DESTROYING,
    (_C.ALLOCATED, _V.FAILED): _C.FAILED,
    (_C.ALLOCATED, _V.SUCCESS): _C.READY,
    (_C.CREATING, _V.FAILED): _C.ALLOCATED,
    (_C.CREATING, _V.SUCCESS): _C.READY,
    (_C.READY, _V.COPYING_REQUESTED): _C.COPYING,
    (_C.READY, _V.DESTROY_REQUESTED): _C.DESTROYING,
    (_C.READY, _V.SUCCESS): _C.READY,
    (_C.COPYING, _V.SUCCESS): _C.READY,
    (_C.COPYING, _V.FAILED): _C.READY,
    (_C.DESTROYING, _V.DESTROY_REQUESTED): _C.DESTROYING,
    (_C.DESTROYING, _V.FAILED): _C.DESTROYING,
    (_C.DESTROYING, _V.SUCCESS): _C.DESTROYED,
    (_C.FAILED, _V.DESTROY_REQUESTED): _C.DESTROYING,
    # Gap closed: a row left in Copying by a dead process could never be deleted (hazard C20).
    (_C.COPYING, _V.DESTROY_REQUESTED): _C.DESTROYING,
}

_L, _W = VolumeState, VolumeEvent

VOLUME_TRANSITIONS: Mapping[tuple[VolumeState, VolumeEvent], VolumeState] = {
    # Not walked here: several snapshots of one volume may be taken at once, which Snapshotting would forbid.
    (_L.READY, _W.SNAPSHOT_REQUESTED): _L.SNAPSHOTTING,
    (_L.SNAPSHOTTING, _W.OPERATION_SUCCEEDED): _L.READY,
    (_L.SNAPSHOTTING, _W.OPERATION_FAILED): _L.READY,
    (_L.READY, _W.REVERT_SNAPSHOT_REQUESTED): _L.REVERT_SNAPSHOTTING,
    (_L.REVERT_SNAPSHOTTING, _W.OPERATION_SUCCEEDED): _L.READY,
    (_L.REVERT_SNAPSHOTTING, _W.OPERATION_FAILED): _L.READY,
}

StateT = TypeVar("StateT", bound=StrEnum)
EventT = TypeVar("EventT", bound=StrEnum)


def advance(table: Mapping[tuple[StateT, EventT], StateT], state: StateT, *events: EventT) -> StateT:
    """Walk the table from `state` along `events`. Raises IllegalTransitionError with the legal events."""
    for event in events:
        if (state, event) not in table:
            legal = ", ".join(str(e) for s, e in table if s == state) or "none"
            raise IllegalTransitionError(f"{state} has no way out by {event}; it has {legal}.")
        state = table[state, event]
    return state
