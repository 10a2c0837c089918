"""What the block store costs, beside memcpy in the same run, and what was aimed at: one table, nothing asserted.

Run `python benchmarks/blocks.py`. Times vary between machines and moments; the ratios are what to compare.
"""

import gc
import mmap
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from snapproof.simulators.blocks import BLOCK_BYTES, BlockImage, BlockStore, BlockVolume

GIB, TIB = 1 << 30, 1 << 40
SEQUENTIAL_BYTES = 256 << 20
PIECE_BYTES = 1 << 20
ROUNDS = 9

Found: TypeAlias = tuple[str, float, str]
"""What was done; its median in µs, or its share of memcpy; the same in words."""

AT_MOST_US = {
    "snapshot": 1.0,
    "clone": 1.0,
    "first 4 KiB write after a snapshot": 10.0,
    "diff of 1 changed block": 50.0,
    "steady 4 KiB write": 3.0,
}
AT_LEAST_OF_MEMCPY = {
    "sequential write, new": 0.5,
    "sequential write, again": 0.5,
    "sequential write, after a snapshot": 0.5,
    "sequential read": 0.7,
}


def timed(act: Callable[[], object], count: int) -> list[float]:
    """Seconds of each of `count` calls, ascending. Each call's result dies after the clock was stopped."""
    times = []
    for _ in range(count):
        started = time.perf_counter()
        result = act()
        times.append(time.perf_counter() - started)
        del result
    return sorted(times)


def percentiles(name: str, times: list[float]) -> Found:
    p50, p99 = times[len(times) // 2] * 1e6, times[len(times) * 99 // 100] * 1e6
    return name, p50, f"{p50:.2f} µs (p99 {p99:.2f})"


def verdict(name: str, value: float) -> tuple[str, str]:
    """Say what was aimed at, and whether it was reached."""
    act = name.partition(" of a volume")[0]
    if act in AT_MOST_US:
        return f"at most {AT_MOST_US[act]:g} µs", "yes" if value <= AT_MOST_US[act] else "NO"
    if act in AT_LEAST_OF_MEMCPY:
        return f"at least {AT_LEAST_OF_MEMCPY[act]:g} of memcpy", "yes" if value >= AT_LEAST_OF_MEMCPY[act] else "NO"
    return "", ""


def filled(size_bytes: int, dice: random.Random) -> BlockVolume:
    """A volume with 2,000 written blocks scattered over it."""
    volume = BlockStore().create(size_bytes)
    for _ in range(2000):
        volume.write(dice.randrange(size_bytes // BLOCK_BYTES) * BLOCK_BYTES, dice.randbytes(BLOCK_BYTES))
    return volume


def constant_time_acts(size_bytes: int, name: str, dice: random.Random) -> Iterator[Found]:
    volume = filled(size_bytes, dice)
    image = volume.snapshot()
    yield percentiles(f"snapshot of a volume of {name}", timed(volume.snapshot, 20_000))
    yield percentiles(f"clone of a volume of {name}", timed(image.clone, 20_000))
    yield percentiles(f"restore of a volume of {name}", timed(lambda: volume.restore(image), 20_000))
    block = dice.randbytes(BLOCK_BYTES)
    offset = size_bytes // 2

    def first_write() -> None:
        volume.write(offset, block)

    kept: list[BlockImage] = []
    times = []
    for _ in range(3000):
        kept.append(volume.snapshot())
        times += timed(first_write, 1)
    yield percentiles(f"first 4 KiB write after a snapshot of a volume of {name}", sorted(times))
    after = volume.snapshot()
    yield percentiles(f"diff of 1 changed block of a volume of {name}", timed(lambda: list(after.diff(kept[-1])), 2000))


def steady_acts(dice: random.Random) -> Iterator[Found]:
    volume = BlockStore().create(TIB)
    blocks = 4096
    for block in range(blocks):
        volume.write(block * BLOCK_BYTES, dice.randbytes(BLOCK_BYTES))
    content = dice.randbytes(BLOCK_BYTES)
    offsets = iter([dice.randrange(blocks) * BLOCK_BYTES for _ in range(60_000)])
    yield percentiles("steady 4 KiB write", timed(lambda: volume.write(next(offsets), content), 20_000))
    yield percentiles("steady 4 KiB read", timed(lambda: volume.read(next(offsets), BLOCK_BYTES), 20_000))
    yield percentiles("steady 512 byte write", timed(lambda: volume.write(next(offsets) + 512, content[:512]), 20_000))


def sequential_acts(dice: random.Random) -> Iterator[Found]:
    """Whole passes in turn within each round, each as a share of the memcpy of its own round.

    By CPU time: others who use the machine meanwhile do not count.
    """
    source = memoryview(dice.randbytes(16 << 20) * (SEQUENTIAL_BYTES >> 24))
    target = memoryview(bytearray(SEQUENTIAL_BYTES))
    target[:] = source  # the first touch of pages is not what a memcpy costs
    rates: dict[str, list[float]] = {}

    def measure(name: str, act: Callable[[int], object]) -> None:
        started = time.thread_time()
        for at in range(0, SEQUENTIAL_BYTES, PIECE_BYTES):
            act(at)
        rates.setdefault(name, []).append(SEQUENTIAL_BYTES / (time.thread_time() - started))

    def copy(at: int) -> None:
        target[at : at + PIECE_BYTES] = source[at : at + PIECE_BYTES]

    for _ in range(ROUNDS):
        volume = BlockStore().create(TIB)

        def write(at: int, volume: BlockVolume = volume) -> None:
            volume.write(at, source[at : at + PIECE_BYTES])

        fresh = mmap.mmap(-1, SEQUENTIAL_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        fresh.madvise(mmap.MADV_HUGEPAGE)

        def touch(at: int, fresh: mmap.mmap = fresh) -> None:
            fresh[at : at + PIECE_BYTES] = source[at : at + PIECE_BYTES]

        measure("memcpy", copy)
        measure("memcpy to fresh huge pages", touch)
        measure("sequential write, new", write)
        measure("sequential write, again", write)
        image = volume.snapshot()
        measure("sequential write, after a snapshot", write)
        measure("sequential read", lambda at, volume=volume: volume.read(at, PIECE_BYTES))  # type: ignore[misc]  # the default binds this round's volume
        image.release()
    for name, found in rates.items():
        ratio = sorted(rate / memcpy for rate, memcpy in zip(found, rates["memcpy"], strict=True))[ROUNDS // 2]
        yield name, ratio, f"{sorted(found)[ROUNDS // 2] / 1e9:.1f} GB per CPU second ({ratio:.2f} of memcpy)"


def main() -> None:
    gc.disable()  # as campaigns run: a collection of many nodes would show up as a stall of some innocent write
    dice = random.Random(1)
    table = Table("act", "cost", "goal", "met", title=f"Block store; load of the machine {os.getloadavg()[0]:.1f}")
    for rows in (
        constant_time_acts(GIB, "1 GiB", dice),
        constant_time_acts(64 * TIB, "64 TiB", dice),
        steady_acts(dice),
        sequential_acts(dice),
    ):
        for name, value, words in rows:
            table.add_row(name, words, *verdict(name, value))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
