"""NetApp's collection for Ansible, netapp.elementsw: its modules as they came, each task run as a playbook would.

A task is repeated twice before it has failed (`until: result is succeeded`, `retries: 2`). Modules tell no numbers, so
those are read from the array afterwards by the SDK, as a playbook's author would have to.
"""

import json
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from solidfire.factory import ElementFactory  # type: ignore[import-not-found]  # in its own environment

GIB = 1 << 30
RETRIES = 2


class TaskFailedError(Exception):
    """What a module said when it failed."""


class ElementswModules:
    """The modules in a driver's place."""

    VERSION = version("ansible")
    PRODUCT = "netapp.elementsw in ansible"

    def __init__(self, place: str, username: str, password: str) -> None:
        self._login = {"hostname": place, "username": username, "password": password}
        found = find_spec("ansible_collections.netapp.elementsw.plugins.modules")
        assert found is not None
        self._folder = Path(next(iter(found.submodule_search_locations or ())))

    def create_volume(self, volume: Any) -> dict[str, Any]:
        """na_elementsw_account, na_elementsw_volume."""
        self._task("na_elementsw_account", element_username=volume.account)
        self._task(
            "na_elementsw_volume",
            name=f"v-{volume.id}",
            account_id=volume.account,
            enable512e=True,
            size=volume.size_gib * GIB,
            size_unit="bytes",
            qos=volume.qos,
        )
        return self._told(volume)

    def delete_volume(self, volume: Any) -> None:
        """na_elementsw_volume, absent."""
        self._task("na_elementsw_volume", state="absent", name=f"v-{volume.id}", account_id=volume.account)

    def create_snapshot(self, snapshot: Any) -> dict[str, Any]:
        """na_elementsw_snapshot."""
        self._task("na_elementsw_snapshot", name=f"s-{snapshot.id}", **self._source(snapshot))
        rows = self._element().list_snapshots(volume_id=snapshot.volume.number).snapshots
        return {"provider_id": str(next(row.snapshot_id for row in rows if row.name == f"s-{snapshot.id}"))}

    def delete_snapshot(self, snapshot: Any) -> None:
        """na_elementsw_snapshot, absent."""
        name = f"s-{snapshot.id}"
        self._task("na_elementsw_snapshot", state="absent", src_snapshot_id=name, **self._source(snapshot))

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> dict[str, Any]:
        """na_elementsw_snapshot_restore."""
        self._task(
            "na_elementsw_snapshot_restore",
            src_snapshot_id=f"s-{snapshot.id}",
            dest_volume_name=f"v-{volume.id}",
            **self._source(snapshot),
        )
        return self._told(volume)

    def _source(self, snapshot: Any) -> dict[str, Any]:
        return {"src_volume_id": f"v-{snapshot.volume.id}", "account_id": snapshot.volume.account}

    def _task(self, module: str, **arguments: Any) -> None:
        """Run a module in a process of its own, and again if it fails."""
        told = json.dumps({"ANSIBLE_MODULE_ARGS": {**self._login, **arguments}})
        for left in reversed(range(RETRIES + 1)):
            done = subprocess.run(
                [sys.executable, "-W", "ignore", str(self._folder / f"{module}.py")],
                input=told,
                capture_output=True,
                text=True,
                check=False,
            )
            answer = json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {"failed": True}
            if not answer.get("failed"):
                return
            if not left:
                raise TaskFailedError(f"{module}: {answer.get('msg') or done.stderr[-300:]}")

    def _element(self) -> Any:
        return ElementFactory.create(*self._login.values(), print_ascii_art=False)

    def _told(self, volume: Any) -> dict[str, Any]:
        rows = self._element().list_volumes().volumes
        row = next(row for row in rows if row.name == f"v-{volume.id}" and row.status == "active")
        return {"provider_id": str(row.volume_id), "provider_location": str(row.iqn)}
