"""What the catalog writes when a job begins, goes on, succeeds, has cleaned up, or has failed: one table by order.

All of it happens in the transaction that moves the job, so that state, count, audit and usage can never disagree.
"""

from collections.abc import Mapping

from snapproof.reference_impl.core.orders import (
    AbandonSnapshot,
    ArchiveSnapshot,
    BackUpSnapshot,
    CreateTemplate,
    CreateVolume,
    DeleteSnapshot,
    DeleteTemplate,
    DeleteVolume,
    Order,
    ResizeVolume,
    RevertVolume,
    TakeSnapshot,
)
from snapproof.reference_impl.recording import backups, snapshots, templates, volumes
from snapproof.reference_impl.recording.recorder import Recorder

RECORDERS: Mapping[type[Order], Recorder] = {
    TakeSnapshot: snapshots.TAKE,
    ArchiveSnapshot: backups.ARCHIVE,
    BackUpSnapshot: backups.BACK_UP,
    AbandonSnapshot: backups.ABANDON,
    DeleteSnapshot: snapshots.DELETE,
    CreateVolume: volumes.CREATE,
    RevertVolume: volumes.REVERT,
    DeleteVolume: volumes.DELETE,
    ResizeVolume: volumes.RESIZE,
    CreateTemplate: templates.CREATE,
    DeleteTemplate: templates.DELETE,
}
"""Recorders by order."""
