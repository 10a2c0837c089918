"""The doors of `snapproof serve`: every service of a stage on its sockets, and what clients are told of them.

Which options there are, and how it all ends, is in serve.py.
"""

import argparse
import contextlib
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from snapproof.commands.watching import is_loopback, measured
from snapproof.fixtures.ground import NFS_URL
from snapproof.fixtures.management import Managements
from snapproof.fixtures.services import iscsi_service
from snapproof.fixtures.stage import Stage
from snapproof.fixtures.world import World
from snapproof.simulators.certificates import Certificate
from snapproof.simulators.iscsi.portal import Portal
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.simulators.serving import Server, Wire, serve
from snapproof.simulators.solidfire.iscsi import ElementTargets, lead_to, serve_iscsi
from snapproof.simulators.solidfire.wire import BOUNDS as ELEMENT_BOUNDS

Places: TypeAlias = tuple[tuple[str, int], ...]
"""Where a simulator listens: addresses, empty for the usual one, and ports, 0 for any."""


class _Named(Protocol):
    @property
    def url(self) -> str:
        """Where clients find it."""


class Doors:
    """Opens every door that the options ask for; `made` closes them again. `ready` is what to tell."""

    def __init__(
        self,
        stage: Stage,
        options: argparse.Namespace,
        *,
        addresses: Sequence[str],
        issued: Certificate,
        made: contextlib.ExitStack,
        seed: int,
        own: Path,
    ) -> None:
        self._stage, self._options, self._issued, self._made = stage, options, issued, made
        self._wires = stage.wires()
        self._doors: list[tuple[list[Server], Wire]] = []
        self._portals: list[tuple[int, Portal]] = []
        self._exports: list[NfsServer] = []
        world = stage.world
        pool = world.secrets.pool
        self._managements = made.enter_context(Managements(stage, seed=seed, folder=own, variables=os.environ))
        self.ready: dict[str, Any] = {
            "solidfire": [self._cluster(number, address) for number, address in enumerate(addresses)],
            "xenserver": [
                _urls(self._open(self._wires.pool, options.port_xenserver, blocking=True))
                | {"username": pool.username, "password": pool.password}
            ],
            "s3": self._store()
            | {
                "bucket": world.store.bucket,
                "access_key": world.secrets.access_key,
                "secret_key": world.secrets.secret_key,
            },
            "nfs": {"path": str(world.export.root.resolve()), "url": NFS_URL, "mounted_as": NFS_URL} | self._export(),
            "control": _urls(self._open(self._wires.control, options.port_control)) | {"token": world.secrets.token},
            "cloudstack": self._management(),
        }
        stage.always(self._lead_to)

    def _open(self, wire: Wire, places: Places, address: str | None = None, **options: Any) -> list[Server]:
        return [
            self._made.enter_context(
                serve(
                    wire,
                    host=host or address or self._options.address,
                    port=port,
                    allow_remote=self._options.allow_remote,
                    **options,
                )
            )
            for host, port in places
        ]

    def _cluster(self, number: int, address: str) -> dict[str, Any]:
        options, login = self._options, self._stage.world.secrets.clusters[number]
        tls = {"tls": self._issued.context, "bounds": ELEMENT_BOUNDS}
        doors = self._open(self._wires.clusters[number], options.port_solidfire, address, **tls)
        self._doors.append((doors, self._wires.clusters[number]))
        told = _urls(doors) | {"username": login.username, "password": login.password}
        if options.port_node:
            told |= _urls(self._open(self._wires.nodes[number], options.port_node, address, **tls), "node_url")
        if options.port_iscsi:
            told |= _urls([self._portal(number, host or address, port) for host, port in options.port_iscsi], "iscsi")
        return told

    def _portal(self, number: int, address: str, port: int) -> Portal:
        world = self._stage.world
        portal = serve_iscsi(_targets(world, number), host=address, port=port, allow_remote=self._options.allow_remote)
        self._portals.append((number, self._made.enter_context(portal)))
        return portal

    def _store(self) -> dict[str, Any]:
        doors = self._open(self._wires.s3, self._options.port_s3, blocking=True)
        self._doors.append((doors, self._wires.s3))
        return _urls(doors)

    def _management(self) -> dict[str, Any]:
        doors = [
            door
            for place in self._options.port_cloudstack
            for door in self._open(self._watched(place[0] or self._options.address), (place,), blocking=True)
        ]
        now = self._managements.present
        told = {name: f"{url}/client/api" for name, url in _urls(doors).items() if isinstance(url, str)}
        metrics = {"metrics": f"{doors[0].url}/metrics"} if is_loopback(self._options.address) else {}
        return told | metrics | {"key": now.key, "secret": now.secret.reveal()}

    def _watched(self, address: str) -> Wire:
        """The orchestrator's door, with its figures where nobody but this machine can ask."""
        found = self._managements
        return measured(found.wire, found.metrics) if is_loopback(address) else found.wire

    def _export(self) -> dict[str, Any]:
        for host, port in self._options.port_nfs or ():
            server = serve_nfs(
                self._stage.world.export,
                host=host or self._options.address,
                port=port,
                allow_remote=self._options.allow_remote,
            )
            self._exports.append(self._made.enter_context(server))
        return _urls(self._exports) if self._exports else {}

    def _lead_to(self, world: World) -> None:
        """Let every door lead into this world, and the world know its doors."""
        for array, (doors, _) in zip(world.arrays, self._doors, strict=False):
            array.bulk_url = f"{doors[0].url}/"
        for doors, wire in self._doors:
            _name(world, doors, wire)
        for number, portal in self._portals:
            lead_to(portal, _targets(world, number))
        for server in self._exports:
            server.present(world.export)


def _targets(world: World, number: int) -> ElementTargets:
    meet = partial(world.seam.meet, iscsi_service(number))
    return ElementTargets(world.arrays[number], journal=world.journal, turn=world.turn, meet=meet)


def _urls(doors: Sequence[_Named], name: str = "url") -> dict[str, Any]:
    """Say where a simulator is: its first door, and all of them where there are more."""
    several = {f"{name}s": [door.url for door in doors]} if len(doors) > 1 else {}
    return {name: doors[0].url} | several


def _name(world: World, doors: Sequence[Server], wire: Wire) -> None:
    """Let clusters reach a service of their own world without a socket: they would wait for their own answer."""
    for door in doors:
        address = urlsplit(door.url)
        for host in (address.hostname, "localhost"):
            world.internet.put(f"{host}:{address.port}", wire)
