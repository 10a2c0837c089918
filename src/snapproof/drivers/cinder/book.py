"""What Cinder would keep in its database: volumes, snapshots and what was asked for, in one small file.

Written whole before and after every call of the driver, so that a next life finds what was under way. What hosts log in
with (`provider_auth`) is left out: nobody connects through the driver here, and a file keeps no secret.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

UNKEPT = frozenset({"provider_auth", "metadata", "admin_metadata"})


@dataclass(slots=True, kw_only=True)
class VolumeRecord:
    """A row of `volumes`. `size_gib` is what the driver is asked for, `size_bytes` what the guest was promised.

    `made` says of either kind of row whether the driver ever reported success.
    """

    id: str
    account: str
    name: str
    size_bytes: int
    size_gib: int
    qos: dict[str, int]
    created_at: str
    status: str = "creating"
    model: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    made: bool = False


@dataclass(slots=True, kw_only=True)
class SnapshotRecord:
    """A row of `snapshots`."""

    id: str
    account: str
    volume: str
    name: str
    size_bytes: int
    volume_gib: int
    created_at: str
    status: str = "creating"
    model: dict[str, Any] = field(default_factory=dict)
    failure: str = ""
    made: bool = False


Record = VolumeRecord | SnapshotRecord


class Book:
    """The file. Its rows are changed in place and kept by `write`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.volumes: dict[str, VolumeRecord] = {}
        self.snapshots: dict[str, SnapshotRecord] = {}
        self.done: list[str] = []
        """Operations that ended well and have made nothing that a row would tell of."""
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self.volumes = {row["id"]: VolumeRecord(**row) for row in kept["volumes"]}
            self.snapshots = {row["id"]: SnapshotRecord(**row) for row in kept["snapshots"]}
            self.done = kept["done"]

    def write(self) -> None:
        """Keep everything, durably."""
        text = json.dumps(
            {
                "volumes": [asdict(row) for row in self.volumes.values()],
                "snapshots": [asdict(row) for row in self.snapshots.values()],
                "done": self.done,
            }
        )
        beside = self._path.with_suffix(".new")
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)

    def take_over(self, record: Record, update: Any) -> None:
        """Write into a row what the driver returned for it, as Cinder's manager does."""
        plain = (str, int, float, bool, type(None))
        for name, value in dict(update or {}).items():
            if name not in UNKEPT and isinstance(value, plain):
                record.model[name] = value

    def snapshots_of(self, volume: str) -> list[SnapshotRecord]:
        """The rows of a volume's snapshots."""
        return [row for row in self.snapshots.values() if row.volume == volume]
