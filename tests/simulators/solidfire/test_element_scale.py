"""Size costs nothing: a call does as much in a full cluster as in a small one, and what nobody changed takes no room.

What is counted is functions called, Python's own and built-in ones, which is the same on every machine.
"""

import gc
import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.solidfire import snapshots, volumes
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.calls import perform
from snapproof.simulators.solidfire.limits import FIFO_SIZE, LIMITS
from snapproof.simulators.solidfire.method import Port
from snapproof.simulators.solidfire.shown import shown
from snapproof.simulators.solidfire.versions import CURRENT, PAIRS

GB = 1_000_000_000
SNAPSHOTS_EACH = 32
BYTES_PER_RECORD = 300


def write(array: Array, method: str, **params: object) -> bytes:
    """Perform a call and write its answer, as the wire does."""
    result, _ = perform(array, method, params, version=PAIRS[CURRENT], port=Port.CLUSTER)
    return msgspec.json.encode(result, enc_hook=shown)


def ask(array: Array, method: str, **params: object) -> Any:
    """Perform a call and read its answer."""
    return msgspec.json.decode(write(array, method, **params))


def cluster() -> Array:
    clock = VirtualClock()
    limits = {**LIMITS, "volumesPerAccountCountMax": 10**7, "volumeCountMax": 10**7, "snapshotsPerVolumeMax": 33}
    array = Array(clock=clock, journal=Journal(clock.time), blocks=BlockStore(), dice=random.Random(5), limits=limits)
    ask(array, "AddAccount", username="one")
    return array


def add_volume(array: Array, name: str) -> None:
    order = volumes.Order(
        name=name,
        account_id=1,
        size_bytes=1 << 30,
        qos=array.default_qos,
        attributes={},
        fifo_size=FIFO_SIZE,
        min_fifo_size=0,
    )
    volumes.create(array, order, array.blocks.create(order.size_bytes))


def filled(count: int) -> Array:
    array = cluster()
    for number in range(count):
        add_volume(array, f"volume-{number}")
    for volume in array.volumes:
        for number in range(SNAPSHOTS_EACH):
            snapshots.take(array, volume, snapshots.Order(name=f"s-{number}", attributes={}))
    return array


@pytest.fixture(scope="module")
def clusters() -> Iterator[tuple[Array, Array]]:
    """A small and a full cluster; both begin their last volume on the same place of a page."""
    yield filled(160), filled(4000)
    gc.collect()


def functions_called(act: Callable[[], object]) -> int:
    """Count the functions that a call calls, however deep, but not those that a garbage collection calls in between."""
    called = 0

    def count(_frame: object, event: str, _what: object) -> None:
        nonlocal called
        called += event in {"call", "c_call"}

    gc.disable()
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
        gc.enable()
    return called


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("ListVolumes", {"startVolumeID": 150, "limit": 1}),
    ("ListVolumes", {"startVolumeID": 150, "limit": 5}),
    ("ListVolumes", {"volumeIDs": [150]}),
    ("ListActiveVolumes", {"startVolumeID": 150, "limit": 1}),
    ("ListVolumesForAccount", {"accountID": 1, "startVolumeID": 150, "limit": 1}),
    ("ListSnapshots", {"volumeID": 150}),
    ("ListSnapshots", {"snapshotID": 150}),
    ("ListAccounts", {"limit": 1}),
    ("GetVolumeStats", {"volumeID": 150}),
    ("ListVolumeStats", {"volumeIDs": [150]}),
    ("ListEvents", {"maxEvents": 3}),
    ("ListEvents", {"startEventID": 100, "endEventID": 102}),
    ("ListISCSISessions", {}),
    ("ListClusterFaults", {}),
    ("GetVolumeCount", {}),
    ("ModifyVolume", {"volumeID": 150, "attributes": {"a": "b"}}),
]


@pytest.mark.parametrize(("method", "params"), CALLS)
def test_a_call_about_few_does_as_much_in_a_full_cluster(
    clusters: tuple[Array, Array], method: str, params: dict[str, Any]
) -> None:
    for array in clusters:
        write(array, method, **params)  # what is worked out once and kept is not what the call costs
    small, full = (functions_called(lambda array=array: write(array, method, **params)) for array in clusters)  # type: ignore[misc]  # the default binds this cluster
    assert small == full


def test_taking_and_deleting_a_snapshot_does_as_much_in_a_full_cluster(clusters: tuple[Array, Array]) -> None:
    def take_and_delete(array: Array) -> None:
        taken = ask(array, "CreateSnapshot", volumeID=150, name="one more")["snapshotID"]
        ask(array, "DeleteSnapshot", snapshotID=taken)

    small, full = (functions_called(lambda array=array: take_and_delete(array)) for array in clusters)  # type: ignore[misc]  # the default binds this cluster
    assert abs(small - full) <= 10  # a page of the shelf may begin or end with it


@pytest.mark.parametrize(("method", "each"), [("ListVolumes", 1), ("ListSnapshots", SNAPSHOTS_EACH)])
def test_listing_all_costs_the_same_for_every_row(clusters: tuple[Array, Array], method: str, each: int) -> None:
    per_row = []
    for array in clusters:
        written = b""

        def listed(array: Array = array) -> None:
            nonlocal written
            written = write(array, method)

        rows = len(array.volumes) * each
        per_row.append(functions_called(listed) / rows)
        assert written.count(b'"volumeID":') == rows
    assert per_row[1] <= per_row[0] * 1.01


class NoJournal(Journal):
    """Remembers nothing, so that what is measured is what the records take."""

    def keep(self, side: str, event: str, facts: Mapping[str, Any]) -> Any:
        return None


def test_volumes_and_snapshots_that_nobody_changed_take_few_bytes() -> None:
    count = 20_000
    array = cluster()
    array._journal = NoJournal(array.clock.time)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(count):
            add_volume(array, f"volume-{number}")
        array.events.clear()
        gc.collect()
        volumes_bytes, _ = tracemalloc.get_traced_memory()
        for volume in array.volumes:
            snapshots.take(array, volume, snapshots.Order(name=f"snap-{volume.volume_id}", attributes={}))
        array.events.clear()
        gc.collect()
        both_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert volumes_bytes / count <= BYTES_PER_RECORD
    assert (both_bytes - volumes_bytes) / count <= BYTES_PER_RECORD


def test_reading_lists_makes_no_volume_larger() -> None:
    array = filled(3)
    ask(array, "ListVolumes")
    ask(array, "ListVolumeStats")
    ask(array, "ListVolumes", isPaired=True)
    ask(array, "GetClusterCapacity")
    assert all(volume.seldom is volume.USUAL for volume in array.volumes)
    assert all(snapshot.seldom is snapshot.USUAL for snapshot in array.snapshots)
    ask(array, "ModifyVolume", volumeID=2, attributes={"a": 1})
    assert [volume.seldom is volume.USUAL for volume in array.volumes] == [True, False, True]
    assert [row["attributes"] for row in ask(array, "ListVolumes")["volumes"]] == [{}, {"a": 1}, {}]
