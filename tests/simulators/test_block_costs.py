"""What acts of the block store cost, counted and not timed. Bytes are in test_blocks.py."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from functools import partial
from types import FrameType

from snapproof.simulators.blocks import BLOCK_BYTES, BlockImage, BlockStore

LEAF_BYTES = 64 * BLOCK_BYTES


def changed(image: BlockImage, before: BlockImage) -> list[tuple[int, int]]:
    return list(image.diff(before))


def calls_of(act: Callable[[], object]) -> int:
    """Count the Python calls that something takes: the same on every machine."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    gc.disable()  # what a collection calls is not the act's
    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(before)
        gc.enable()
    return calls


def test_snapshot_clone_and_diff_cost_the_same_whatever_the_volume_holds() -> None:
    costs = set()
    for size_bytes, leaves in ((1 << 30, 1), (16 << 40, 1), (16 << 40, 3000)):
        volume = BlockStore().create(size_bytes)
        for leaf in range(leaves):
            volume.write((leaf << 20) % (size_bytes - BLOCK_BYTES), b"x")
        before = volume.snapshot()
        volume.write(0, b"y")
        image = volume.snapshot()
        costs.add((calls_of(volume.snapshot), calls_of(image.clone), calls_of(partial(changed, image, before))))
    assert len(costs) == 1


def test_a_volume_of_16_tib_takes_memory_for_what_was_written_alone() -> None:
    store = BlockStore()
    tracemalloc.start()
    try:
        volume = store.create(16 << 40)
        for number in range(100):
            volume.write(number * (163 << 30) + 5, b"x")
        traced_bytes = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert store.used_blocks() == 100
    assert traced_bytes < 100 * 8192
