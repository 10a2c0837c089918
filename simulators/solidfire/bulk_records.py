"""What a cluster remembers of its bulk volume jobs. No rule lives here."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec

from snapproof.simulators.solidfire.shelf import Shelf

Script: TypeAlias = Iterator[int]
"""Moves some blocks each time it is asked and tells how many of the job's blocks it is done with."""


class BulkJob(msgspec.Struct, kw_only=True, gc=False):
    """A job that reads a volume or writes to it. Blocks are counted within the job's range, which starts at `lba`."""

    handle: int
    bulk_id: int
    key: str
    kind: str
    volume_id: int
    snapshot_id: int = 0
    own_snapshot: bool = False
    format: str
    script: str
    parameters: dict[str, Any]
    """What the script is told, credentials included."""
    attributes: dict[str, Any]
    create_time: str
    started_s: float
    update_time: str
    polls: int = 0
    lba: int
    blocks: int
    done_blocks: int = 0
    percent: int | None = None
    message: str = ""
    status: str = "preparing"
    ended_s: float = 0.0

    def __repr__(self) -> str:
        return f"BulkJob(bulk_id={self.bulk_id}, kind={self.kind!r}, volume_id={self.volume_id}, {self.status!r})"

    @property
    def completed(self) -> bool:
        return self.status in {"done", "failed"}


class BulkJobs:
    """Jobs by their handles as long as somebody may ask for the result, and by their keys as long as those work."""

    def __init__(self) -> None:
        self.by_handle: Shelf[BulkJob] = Shelf()
        self.by_key: dict[str, BulkJob] = {}
        self.moving = False

    def running(self) -> list[BulkJob]:
        """The unfinished jobs, oldest first."""
        return [job for job in self.by_key.values() if not job.completed]

    def remembered(self) -> list[Any]:
        """Everything, to compare before with after."""
        return [list(self.by_handle), list(self.by_key.values())]
