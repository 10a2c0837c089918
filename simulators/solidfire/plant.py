"""The machine under the volumes: one node, its drives, how full they are, what is wrong, what an administrator set.

What the API shows of it is in methods/; what volumes hold is counted in accounting.py.
"""

from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from snapproof.simulators.solidfire.limits import (
    BLOCK_DRIVES,
    CRITICAL_PERCENT,
    OVER_PROVISION_FACTOR,
    STAGE2_AWARE,
    STAGE3_PERCENT,
)
from snapproof.simulators.solidfire.shelf import Shelf

NODE_ID = 1
MASTER_SERVICE_ID, SLICE_SERVICE_ID = 1, 2


class Fullness(IntEnum):
    """How full the cluster is; from stage 4 on it takes no snapshots."""

    HAPPY = 1
    AWARE = 2
    LOW = 3
    CRITICAL = 4
    CONSUMED = 5

    @property
    def shown(self) -> str:
        """The stage as the API spells it."""
        return f"stage{int(self)}{_STAGES[self]}"


_STAGES: Mapping[Fullness, str] = {
    Fullness.HAPPY: "Happy",
    Fullness.AWARE: "Aware",
    Fullness.LOW: "Low",
    Fullness.CRITICAL: "Critical",
    Fullness.CONSUMED: "CompletelyConsumed",
}


class DriveStatus(StrEnum):
    """Whether the cluster uses a drive."""

    ACTIVE = "active"
    AVAILABLE = "available"
    REMOVING = "removing"


class Severity(StrEnum):
    """How bad a fault is."""

    BEST_PRACTICE = "bestPractice"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class FaultScope(StrEnum):
    """What a fault is of."""

    NODE = "node"
    DRIVE = "drive"
    CLUSTER = "cluster"
    SERVICE = "service"
    VOLUME = "volume"


class Drive(msgspec.Struct, kw_only=True, gc=False):
    """A drive: `volume` for metadata, `block` for contents."""

    drive_id: int
    slot: int
    kind: str
    size_bytes: int
    status: str = DriveStatus.ACTIVE.value


class ClusterFault(msgspec.Struct, kw_only=True, gc=False):
    """Something that is, or was, wrong. Times are seconds; `resolved_s` is 0 while it lasts."""

    number: int
    code: str
    severity: str
    scope: str
    details: str
    raised_s: float
    resolved_s: float = 0.0
    drive_ids: tuple[int, ...] = ()


class DriveJob(msgspec.Struct, kw_only=True, gc=False):
    """Drives that are being added, removed or erased: what GetAsyncResult tells about."""

    handle: int
    kind: str
    drive_ids: tuple[int, ...]
    started_s: float
    create_time: str
    update_time: str
    polls: int = 0
    completed: bool = False
    message: str = ""


class Thresholds(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """What ModifyClusterFullThreshold sets."""

    stage2_aware: int = STAGE2_AWARE
    stage3_percent: int = STAGE3_PERCENT
    stage3_metadata_percent: int = STAGE3_PERCENT
    over_provision_factor: int = OVER_PROVISION_FACTOR

    def stages(self, size_bytes: int, percent: int) -> dict[Fullness, int]:
        """From how many bytes on a space of that size is at each stage above the first."""
        critical = size_bytes * CRITICAL_PERCENT // 100
        low = critical * (100 - percent) // 100
        return {
            Fullness.AWARE: low * (100 - percent) // 100,
            Fullness.LOW: low,
            Fullness.CRITICAL: critical,
            Fullness.CONSUMED: size_bytes,
        }


class Plant:
    """Node, drives, faults and settings of one cluster."""

    def __init__(self, size_bytes: int, uuid: Callable[[str, int], str]) -> None:
        each = -(-size_bytes // BLOCK_DRIVES)
        kinds = ["volume", *["block"] * BLOCK_DRIVES, "block"]
        self.uuid = uuid
        self.drives = {
            number: Drive(drive_id=number, slot=number - 1, kind=kind, size_bytes=each)
            for number, kind in enumerate(kinds, 1)
        }
        self.drives[len(kinds)].status = DriveStatus.AVAILABLE.value
        self.thresholds = Thresholds()
        self.faults: list[ClusterFault] = []
        self.jobs: Shelf[DriveJob] = Shelf()
        self.peak_sessions = 0
        self.settings: dict[str, Any] = {}
        """What was set, by noun, in the words of the API; what is not here is as it came."""
        self.measure()

    def measure(self) -> None:
        """Work out anew how large the cluster is. Call it after any change to drives or thresholds."""
        self.size_bytes = sum(
            drive.size_bytes
            for drive in self.drives.values()
            if drive.kind == "block" and drive.status == DriveStatus.ACTIVE
        )
        self._stages = self.thresholds.stages(self.size_bytes, self.thresholds.stage3_percent)
        self._happy_below = min(self._stages.values())

    @property
    def metadata_bytes(self) -> int:
        """What the metadata drive holds."""
        return self.drives[1].size_bytes

    def fullness(self, used_bytes: int) -> Fullness:
        """At which stage that many used bytes are."""
        return Fullness.HAPPY if used_bytes < self._happy_below else stage_of(self._stages, used_bytes)


def stage_of(stages: Mapping[Fullness, int], used_bytes: int) -> Fullness:
    """The highest stage whose threshold is reached."""
    return max((stage for stage, least in stages.items() if used_bytes >= least), default=Fullness.HAPPY)
