"""A backup's life over sockets, in a process that blocks and counts whatever connection is not the site's own.

Run as `python outgoing_run.py STORE DRIVER FOLDER`; prints what was blocked, as a JSON list, when everything went well.
"""

import importlib
import json
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from snapproof.driver import DriverUnderTest
from snapproof.fixtures.lab import simulated_lab
from snapproof.site import Site
from snapproof.vocabulary import AccountId, OperationId, SnapshotRequest, VolumeRequest


class Watch:
    """What may be reached, and what was tried besides."""

    def __init__(self) -> None:
        self.allowed: set[Any] = set()
        self.blocked: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
            self._judge(arguments[1][:2], f"connect {arguments[1][0]}")
        elif event == "socket.sendto" and any(arguments[1:2]):
            self._judge(arguments[1][:2], f"send to {arguments[1][0]}")
        elif event == "socket.getaddrinfo" and arguments[0] not in {None, "127.0.0.1", "localhost", b"127.0.0.1"}:
            self._judge((arguments[0], 0), f"look up {arguments[0]}")

    def _judge(self, address: Any, act: str) -> None:
        if address not in self.allowed:
            self.blocked.append(act)
            raise ConnectionRefusedError(f"Blocked: {act}")


class OverSockets:
    """Starts the driver in this process, at a site on sockets."""

    killable = False

    def __init__(self, name: str, watch: Watch) -> None:
        module, _, kind = name.partition(":")
        self._driver = getattr(importlib.import_module(module), kind)
        self._watch = watch

    def __call__(self, site: Site) -> DriverUnderTest:
        services = [site.array, site.hypervisor] + ([site.bucket.endpoint] if site.bucket else [])
        parts = [urlsplit(service.url) for service in services]
        self._watch.allowed = {(part.hostname, part.port) for part in parts}
        driver: DriverUnderTest = self._driver(site)
        return driver

    def kill(self) -> None:
        """Nobody asks for it."""


def live(store: str, name: str, folder: Path) -> list[str]:
    """Take a backup, restore it, delete everything; give what was blocked."""
    watch = Watch()
    sys.addaudithook(watch)
    with simulated_lab(OverSockets(name, watch), store=store, seed=1, directory=folder) as lab:
        account, ids = AccountId("blue"), iter(map(OperationId, "123456"))
        request = VolumeRequest(operation=next(ids), account=account, name="a", size_bytes=2**20)
        volume = lab.attempt(lambda driver: driver.create_volume(request)).result()
        lab.start_guest(volume).fill(blocks=3)
        taking = SnapshotRequest(operation=next(ids), volume=volume.id, name="n", location="SECONDARY")
        snapshot = lab.attempt(lambda driver: driver.take_snapshot(taking)).result()
        again = VolumeRequest(
            operation=next(ids), account=account, name="b", size_bytes=2**20, from_snapshot=snapshot.id
        )
        lab.attempt(lambda driver: driver.create_volume(again)).result()
        lab.attempt(lambda driver: driver.delete_snapshot(next(ids), snapshot.id)).raise_if_failed()
    return watch.blocked


if __name__ == "__main__":
    blocked = live(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    sys.stdout.write(json.dumps(blocked))
