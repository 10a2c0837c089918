"""The vendor's own Python SDK, unmodified, over real HTTPS, against the simulated cluster."""

import json
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.certificates import certificate
from snapproof.simulators.clock import Transition, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Server, serve
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import call, methods
from snapproof.simulators.solidfire.errors import ERRORS
from snapproof.simulators.solidfire.method import Port, Standing
from snapproof.simulators.solidfire.surface.pages import Members, surface
from snapproof.simulators.solidfire.surface.shapes import Many, Shape, shape
from snapproof.simulators.solidfire.wire import BOUNDS, Endpoint

pytestmark = pytest.mark.clients

STORY = Path(__file__).parent / "solidfire_sdk_story.py"
SWEEP = Path(__file__).parent / "solidfire_sdk_sweep.py"
USERNAME, PASSWORD = "admin", "sdk-password"
STORY_S = 60


@pytest.fixture(scope="session")
def sdk_python(programs_of: Callable[[str], Path]) -> Path:
    """An interpreter that has the SDK and nothing of ours."""
    return programs_of("solidfire-sdk") / "python"


@pytest.fixture
def array() -> Array:
    clock = VirtualClock()
    return Array(
        clock=clock,
        journal=Journal(clock.time),
        blocks=BlockStore(),
        dice=random.Random(5),
        clone_time=Transition(polls=2),
    )


@pytest.fixture
def server(array: Array) -> Iterator[Server]:
    endpoint = Endpoint(array, username=USERNAME, password=PASSWORD, seam=Seam(Journal(array.clock.time)))
    with serve(endpoint, tls=certificate().context, bounds=BOUNDS) as running:
        yield running


@pytest.fixture
def node(array: Array) -> Iterator[Server]:
    endpoint = Endpoint(array, username=USERNAME, password=PASSWORD, node=True)
    with serve(endpoint, tls=certificate().context, bounds=BOUNDS) as running:
        yield running


def tell(python: Path, *arguments: str, script: Path = STORY, told: str = "") -> "subprocess.CompletedProcess[str]":
    """Run the story. A CA bundle in the environment would override the SDK's own verify_ssl=False."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_CA_BUNDLE")}
    command = [str(python), "-W", "ignore", str(script), *arguments]
    return subprocess.run(
        command, env=environment, input=told, capture_output=True, text=True, timeout=STORY_S, check=False
    )


def test_the_sdk_tells_the_life_of_a_volume(sdk_python: Path, array: Array, server: Server) -> None:
    run = tell(sdk_python, f"127.0.0.1:{server.port}", USERNAME, PASSWORD)
    assert run.returncode == 0, run.stderr
    story: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    iqn = f"iqn.2010-01.com.solidfire:{array.unique_id}.disk.1"
    assert story == {
        "api_version": 12.3,
        "secrets": [16, 16],
        "volume": [1, iqn, 2_000_683_008, 100, ""],
        "grown": 3_001_024_512,
        "snapshots": {
            "attributes": {"CloudStackSnapshotId": "7"},
            "group_uuid": "00000000-0000-0000-0000-000000000000",
            "expires": "2026-01-02T00:00:00Z",
            "kept": "kept",
            "plain": None,
            "left": ["first", "kept"],
        },
        "access": {"initiators": ["iqn.1994-05.com.redhat:sdk"], "volumes": [1], "emptied": []},
        "clone": {
            "volume_id": 2,
            "statuses": ["running", "running", "complete"],
            "result": {"cloneID": 1, "message": "Clone complete.", "volumeID": 2},
            "dead_handle": "xDBNoSuchPath",
        },
        "page": [2],
        "of_account": 2,
        "removal": {"status": "deleted", "purge_time": "2026-01-01T08:00:00Z", "active": [1, 2], "waiting": [2]},
        "refusals": ["xUnknownAccount", "xVolumeIDDoesNotExist", "xDuplicateUsername", "xUnknownAPIMethod"],
        "async_results": [],
        "cluster": "snapproof",
        "software": "12.3.0.958",
        "provisioned": 3_001_024_512,
        "snapshots_per_volume": 32,
        "default_burst": 15_000,
    }
    assert array.inventory() == (
        "access group 1 hosts volumes [1] initiators ['iqn.1994-05.com.redhat:sdk']",
        "snapshot 1 of volume 1 first",
        "snapshot 3 of volume 1 kept",
        "volume 1 disk active",
    )


def test_the_sdk_names_bad_credentials(sdk_python: Path, array: Array, server: Server) -> None:
    run = tell(sdk_python, f"127.0.0.1:{server.port}", USERNAME, "wrong")
    assert run.returncode != 0
    assert "Bad Credentials" in run.stderr
    assert array.inventory() == ()


CRASHES_OF_THE_SDK = {"list_volume_qos_histograms"}
"""It takes the volumeID and the timestamp of a row for lists. Clusters send one of each, as the exporters read them."""

PLAUSIBLE = {
    "integer": 1, "number": 1, "string": "plausible", "boolean": True, "object": {}, "name_or_id": "iqn.plausible",
    "uuid": "00000000-0000-0000-0000-000000000001",
}  # fmt: skip


def plausible(looks: Shape) -> Any:
    """Make up a value that fits."""
    tables = surface()
    if looks.word in tables.enumerations:
        one: Any = tables.enumerations[looks.word][0]
    else:
        one = needed(tables.types[looks.word]) if looks.word in tables.types else PLAUSIBLE[looks.word]
    return [one] if looks.many is Many.LIST else one


def needed(members: Members) -> dict[str, Any]:
    """Make up what is required, and every boolean: the SDK wants some that the cluster does without."""
    shapes = {name: shape(text) for name, text in members.items()}
    return {name: plausible(looks) for name, looks in shapes.items() if not looks.optional or looks.word == "boolean"}


def test_every_call_that_the_sdk_has_is_answered(sdk_python: Path, array: Array, server: Server, node: Server) -> None:
    call(array, "AddAccount", username="tenant")
    call(array, "CreateVolume", name="disk", accountID=1, totalSize=1_000_000_000)
    wanted = {
        name: {"door": "node" if method.port is Port.NODE else "cluster", "params": needed(method.entry.takes)}
        for name, method in methods().items()
    }
    targets = (f"127.0.0.1:{server.port}", f"127.0.0.1:{node.port}")
    run = tell(sdk_python, *targets, USERNAME, PASSWORD, script=SWEEP, told=json.dumps(wanted))
    assert run.returncode == 0, run.stderr[-2000:]
    outcomes: dict[str, str] = json.loads(run.stdout.splitlines()[-1])
    assert len(outcomes) == 316
    assert {name for name, outcome in outcomes.items() if outcome not in {"ok", *ERRORS}} == CRASHES_OF_THE_SDK
    unknown = [name for name, outcome in outcomes.items() if outcome == "xUnknownAPIMethod"]
    assert len(unknown) == sum(method.standing is Standing.REFUSED for method in methods().values())
