"""A driver that is really killed: a process of its own, real sockets and TLS, SIGKILL in the middle of a call."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from snapproof.campaign.invariants import violations
from snapproof.campaign.schedule import Schedule
from snapproof.fixtures.caller import Caller
from snapproof.fixtures.campaign_lab import lab_opener
from snapproof.fixtures.lab import SimulatedLab
from snapproof.reference_impl.driver import ReferenceDriver
from snapproof.reference_impl.settings import Settings
from snapproof.simulators.certificates import certificate
from snapproof.simulators.clock import Transition
from snapproof.simulators.faults import CrashedError
from snapproof.simulators.serving import Wire, serve
from snapproof.site import Endpoint, Site
from snapproof.vocabulary import LocationType, Secret, SnapshotState, Volume

CHILD = Path(__file__).parent / "dying_driver.py"
PATIENCE_S = 20.0
SEED = 11
DEATHS = 3
"""How many calls of a backup are drawn to be the last ones, on either store."""


@dataclass
class Arena:
    """A lab whose services are on sockets, and the process that works in it."""

    lab: SimulatedLab
    volume: Volume
    told: dict[str, Any]
    child: "subprocess.Popen[str] | None" = None

    def live(self, verb: str) -> bool:
        """Let one process do one verb; say whether it lived to tell."""
        order = json.dumps({**self.told, "verb": verb}) + "\n"
        with subprocess.Popen(
            [sys.executable, str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as self.child:
            try:
                said, complained = self.child.communicate(order, timeout=PATIENCE_S)
            finally:
                self.child.kill()
        assert self.child.returncode in {0, -9}, complained
        return said == "ended\n"

    def kill(self, _crash: CrashedError) -> None:
        """What a fault `crash_*` does here: the caller's process is gone before it hears an answer."""
        assert self.child is not None
        self.child.kill()


@contextmanager
def arena(store: str, catalog_url: str | None = None) -> Iterator[Arena]:
    """Arrange a used volume with a snapshot on the array, and open the doors. The catalog is a file unless said."""

    def driver(site: Site) -> ReferenceDriver:
        return ReferenceDriver(site, Settings(catalog_url=Secret(catalog_url) if catalog_url else None))

    with ExitStack() as opened:
        lab = opened.enter_context(lab_opener(driver)(Schedule(workflow="kill", store=store, seed=SEED)))
        caller = Caller(lab)
        volume = caller.used_volume()
        caller.take("keep", volume.id, LocationType.PRIMARY).result()
        lab.driver.close()
        lab._world.arrays[0].clone_time = Transition(polls=2)  # the child's clock is not the world's
        arena = Arena(lab, volume, {})
        issued = certificate()

        def door(endpoint: Endpoint, *, tls: bool, blocking: bool = False) -> dict[str, str]:
            wire: Wire | None = endpoint.wire
            assert wire is not None
            context = issued.context if tls else None
            server = opened.enter_context(serve(wire, tls=context, blocking=blocking, on_crash=arena.kill))
            login = {"username": endpoint.username, "password": endpoint.password.reveal()}
            return {"url": server.url, **login, "ca_pem": issued.authority_pem.decode()}

        site = lab._site
        bucket = site.bucket and {**door(site.bucket.endpoint, tls=False, blocking=True), "name": site.bucket.bucket}
        arena.told = {
            "array": door(site.array, tls=True),
            "hypervisor": door(site.hypervisor, tls=True),
            "bucket": bucket,
            "array_portal": site.array_portal,
            "hosts_group": site.hosts_group,
            "export_url": site.export_url,
            "export": str(lab._world.export.root),
            "state_directory": str(site.state_directory),
            "seed": site.seed,
            "volume": volume.id,
            "catalog": catalog_url,
        }
        lab.watch_calls()
        yield arena


@pytest.mark.parametrize("store", ["nfs", "s3"])
def test_a_killed_driver_is_taken_up_by_its_next_life(store: str) -> None:
    with arena(store) as whole:
        assert whole.live("take")
        calls = [call for call in whole.lab.calls() if not call.startswith("catalog.")]
        assert_sound(whole, ended={SnapshotState.BACKED_UP})
    dice = random.Random(f"deaths of {SEED} on {store}")
    for label in dice.sample(calls, DEATHS):
        with arena(store) as broken:
            broken.lab.arm(label, dice.choice(["crash_before", "crash_after"]))
            assert not broken.live("take"), label
            assert not broken.lab.unspent_faults()
            assert broken.live("reconcile"), label
            assert_sound(broken, ended={SnapshotState.BACKED_UP, SnapshotState.ERROR})


@pytest.mark.real
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_killed_driver_is_taken_up_where_its_catalog_is_on_a_server(kind: str, servers: Any, tmp_path: Path) -> None:
    """The server ends the transaction that its client was killed in, and lets go of its locks."""
    with servers.database(kind, tmp_path) as url, arena("nfs", url) as whole:
        assert whole.live("take")
        calls = [call for call in whole.lab.calls() if not call.startswith("catalog.")]
        assert_sound(whole, ended={SnapshotState.BACKED_UP})
    dice = random.Random(f"deaths of {SEED} on {kind}")
    for label in dice.sample(calls, DEATHS):
        with servers.database(kind, tmp_path) as url, arena("nfs", url) as broken:
            broken.lab.arm(label, dice.choice(["crash_before", "crash_after"]))
            assert not broken.live("take"), label
            assert not broken.lab.unspent_faults()
            assert broken.live("reconcile"), label
            assert_sound(broken, ended={SnapshotState.BACKED_UP, SnapshotState.ERROR})


def assert_sound(arena: Arena, *, ended: set[SnapshotState]) -> None:
    """The lab's own driver opens the state that the processes left, has nothing to do, and all is as it should be."""
    lab = arena.lab
    lab.watch_calls()
    lab.restart_driver()
    assert not [call for call in lab.calls() if not call.startswith("catalog.")]
    assert {s.state for s in lab.driver.list_snapshots() if s.name == "nightly"} <= ended
    lab.settle()
    assert violations(lab) == ()
