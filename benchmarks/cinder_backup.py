"""Cinder's posix backup driver on its own: its loop, its files, no database and no service. Run by Cinder's Python.

`python cinder_backup.py backup|increment|restore IMAGE FOLDER`: what a backup knows of itself is kept in FOLDER.
"""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cinder import objects  # type: ignore[import-not-found]  # installed where this runs
from cinder.backup import chunkeddriver  # type: ignore[import-not-found]  # installed where this runs
from cinder.backup.drivers import posix  # type: ignore[import-not-found]  # installed where this runs
from oslo_config import cfg  # type: ignore[import-not-found]  # installed where this runs

OBJECT_BYTES = 52_428_800  # what other drivers of the family use; 1.9 GB, the default here, is held in memory whole


class Backup(SimpleNamespace):
    """The row of a backup, which nobody else changes."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def save(self) -> None:
        """There is no database."""

    def refresh(self) -> None:
        """There is no database."""

    @contextlib.contextmanager
    def as_read_deleted(self) -> Iterator[None]:
        """Nobody deletes it."""
        yield


def kept(folder: Path, name: str) -> Backup:
    return Backup(**json.loads((folder / f"{name}.json").read_text()))


def driver_of(folder: Path, size_gib: int) -> Any:
    cfg.CONF([], project="cinder")
    for option, value in (
        ("backup_file_size", OBJECT_BYTES),
        ("backup_compression_algorithm", "none"),
        ("backup_enable_progress_timer", False),
    ):
        cfg.CONF.set_override(option, value)
    cfg.CONF.set_override("connection", "sqlite://", group="database")  # is asked to let go of; never used
    chunkeddriver.volume_utils.notify_about_backup_usage = lambda *_args, **_kwargs: None
    made = posix.PosixBackupDriver(None, backup_path=str(folder))
    made.db = SimpleNamespace(volume_get=lambda _context, _id: {"size": size_gib})
    objects.Backup = SimpleNamespace(get_by_id=lambda _context, name: kept(folder, name))
    return made


def main() -> None:
    verb, image, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    objects.register_all()
    size_gib = max(1, image.stat().st_size >> 30) if image.exists() else 1
    driver = driver_of(folder, size_gib)
    if verb == "restore":
        name = "second" if (folder / "second.json").exists() else "first"
        with image.open("wb") as volume:
            backup = kept(folder, name)
            volume.truncate(backup.size_bytes)
            driver.restore(backup, "volume", volume, True)
        return
    name, parent = ("first", None) if verb == "backup" else ("second", "first")
    backup = Backup(
        id=f"{name}-backup", volume_id="volume", container=None, parent_id=parent, size=size_gib, status="restoring",
        service_metadata="", object_count=0, size_bytes=image.stat().st_size,
        user_id="", project_id="", display_name="", display_description="", created_at=None,
    )  # fmt: skip
    with image.open("rb") as volume:
        driver.backup(backup, volume, backup_metadata=False)
    (folder / f"{name}.json").write_text(json.dumps(vars(backup)))


if __name__ == "__main__":
    main()
