"""Cinder around a driver: its configuration, its objects, and functions that stand in for its database.

The only file that imports Cinder. The driver is as it came; what it may ask the database for is told here.
"""

import datetime as dt
import importlib
import os
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cinder import context, coordination, objects, version  # type: ignore[import-not-found]  # in its own environment
from cinder.volume import configuration, volume_types  # type: ignore[import-not-found]  # in its own environment
from cinder.volume.driver import volume_opts  # type: ignore[import-not-found]  # in its own environment
from oslo_config import cfg  # type: ignore[import-not-found]  # in its own environment

from snapproof.drivers.cinder.book import SnapshotRecord, VolumeRecord

GROUP = "snapproof"
OPTIONS = {
    "san_ip": "{host}",
    "san_api_port": "{port}",
    "sf_api_port": "{port}",
    "san_login": "{username}",
    "san_password": "{password}",
    "volume_backend_name": GROUP,
}
"""What stands in the backend's section of cinder.conf unless the URI says otherwise; {words} are the site's."""
HELPER = Path(sys.executable).parent / "privsep-helper"
HELPERS = tuple(
    line
    for section in ("cinder_sys_admin", "privsep_osbrick")
    for line in (f"[{section}]", f"helper_command = {HELPER}")
)
"""Where the bridge is root it need not become so by sudo, which a container may lack."""
SAVED = frozenset({"provider_id", "provider_location", "admin_metadata"})
"""What drivers change in an object by themselves and have to find again; logins are not kept."""
TYPES = uuid.UUID("a3f2c1c4-50b5-4f0a-9b39-5d2a4c6f9d10")


def words_of(site: Mapping[str, Any]) -> dict[str, str]:
    """Name what options may refer to."""
    array = urlsplit(site["array"]["url"])
    return {
        "host": array.hostname or "",
        "port": str(array.port or 443),
        "username": site["array"]["username"],
        "password": site["array"]["password"],
        "state": site["state_directory"],
        "export": site["export_path"],
        "export_url": site["export_url"],
    }


class CinderCloud:
    """One driver, built and set up as cinder-volume does. Raises whatever the driver raises."""

    def __init__(self, driver: str, options: Mapping[str, str], site: Mapping[str, Any]) -> None:
        objects.register_all()
        volume_types.get_volume_type = lambda _context, type_id: self._types[type_id]
        objects.Volume.save = objects.Snapshot.save = lambda made: self._save(made)  # noqa: PLW0108  a function is bound to `made`
        self._types: dict[str, dict[str, Any]] = {}
        self._rows: dict[str, VolumeRecord | SnapshotRecord] = {}
        self.context = context.get_admin_context()
        self.version = f"Cinder {version.version_string()}"
        _configure({**OPTIONS, **options}, words_of(site), Path(site["state_directory"]))
        coordination.COORDINATOR.start()  # many drivers lock by it; here it is files in the state directory
        module, _, name = driver.rpartition(".")
        kind = getattr(importlib.import_module(module), name)
        self.driver: Any = kind(
            configuration=configuration.Configuration(volume_opts, config_group=GROUP), host=f"here@{GROUP}"
        )
        self.driver.do_setup(self.context)
        self.driver.check_for_setup_error()
        self.driver.set_initialized()

    def now(self) -> str:
        """By the machine."""
        return dt.datetime.now(dt.UTC).isoformat()  # noqa: TID251  a life outside the lab has the machine's time

    def volume(self, row: VolumeRecord) -> Any:
        """With all that a driver may look at; nothing is fetched later."""
        known = {
            "id": row.id,
            "_name_id": None,
            "size": row.size_gib,
            "project_id": row.account,
            "user_id": row.account,
            "display_name": row.name,
            "display_description": "",
            "created_at": dt.datetime.fromisoformat(row.created_at),
            "status": row.status,
            "host": f"here@{GROUP}#{GROUP}",
            "volume_type_id": self._type_of(row),
            "migration_status": None,
            "encryption_key_id": None,
            "source_volid": None,
            "snapshot_id": None,
            "group_id": None,
            "attach_status": "detached",
            "multiattach": False,
            "metadata": {},
            "admin_metadata": {},
            "volume_attachment": objects.VolumeAttachmentList(objects=[]),
            "provider_id": None,
            "provider_location": None,
            "provider_auth": None,
            "provider_geometry": None,
        }
        made = objects.Volume(self.context, **known)
        self._rows[row.id] = row
        return _with(made, row.model)

    def snapshot(self, row: SnapshotRecord, volume: VolumeRecord) -> Any:
        """With its volume."""
        made = objects.Snapshot(
            self.context,
            id=row.id,
            volume_id=volume.id,
            volume=self.volume(volume),
            project_id=row.account,
            user_id=row.account,
            display_name=row.name,
            volume_size=row.volume_gib,
            created_at=dt.datetime.fromisoformat(row.created_at),
            status=row.status,
            encryption_key_id=None,
            group_snapshot_id=None,
            provider_id=None,
            provider_location=None,
            provider_auth=None,
            metadata={},
        )
        self._rows[row.id] = row
        return _with(made, row.model)

    def _save(self, made: Any) -> None:
        """Write what a driver has changed in an object into its row, in place of `save`, which asks the database."""
        model = self._rows[made.id].model
        for name, value in made.obj_get_changes().items():
            if name in SAVED:
                model[name] = value
        made.obj_reset_changes()

    def _type_of(self, row: VolumeRecord) -> str:
        """A volume type of its own for each volume, since that is where IOPS stand in Cinder."""
        type_id = str(uuid.uuid5(TYPES, row.id))
        specs = {f"qos:{name}": str(number) for name, number in row.qos.items()}
        self._types[type_id] = {"id": type_id, "name": type_id, "extra_specs": specs, "qos_specs_id": None}
        return type_id


def _with(made: Any, model: Mapping[str, Any]) -> Any:
    """Write what the driver has returned into an object, as the manager does."""
    for name, value in model.items():
        if name in made.fields and name != "id":
            setattr(made, name, value)
    return made


def _configure(options: Mapping[str, str], words: Mapping[str, str], state: Path) -> None:
    """Read cinder.conf from memory: it holds a password, and no file shall."""
    lines = [
        "[DEFAULT]",
        f"state_path = {state}",
        f"enabled_backends = {GROUP}",
        "[oslo_concurrency]",
        f"lock_path = {state / 'locks'}",
        f"[{GROUP}]",
        *(f"{name} = {value.format_map(words)}" for name, value in options.items()),
        *(HELPERS if os.geteuid() == 0 else ()),
    ]
    memory = os.memfd_create("cinder.conf")
    try:
        os.write(memory, ("\n".join(lines) + "\n").encode())
        cfg.CONF(["--config-file", f"/proc/self/fd/{memory}"], project="cinder")
    finally:
        os.close(memory)
