"""Incremental exports: applied to the older image they make the newer one; broken ones touch nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.fixtures.images import OpenText
from snapproof.simulators.blocks import BLOCK_BYTES, BlockImage, BlockStore, BlockVolume
from snapproof.simulators.changes import ChangesError, apply_changes, write_changes

SIZE_BYTES = 3 * 64 * BLOCK_BYTES + 777


class Kept:
    """A WritableFile that keeps its bytes."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.content += data

    def close(self) -> None:
        """Nothing to let go of."""


def changes_of(since: BlockImage, image: BlockImage) -> bytes:
    kept = Kept()
    for written in write_changes(since, image, kept, names=("monday", "tuesday")):
        assert written == len(kept.content)
    return bytes(kept.content)


def scribble(volume: BlockVolume, writes: list[tuple[float, int, int]]) -> None:
    for place, length, seed in writes:
        offset = int(place * volume.size_bytes)
        fitting = min(length, volume.size_bytes - offset)
        volume.write(offset, bytes(fitting) if seed == 0 else bytes([seed]) * fitting)


writes = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 300_000), st.integers(0, 3)), max_size=6)


@given(writes, writes, st.integers(1, SIZE_BYTES))
@settings(max_examples=80, deadline=None)
def test_the_older_image_and_the_changes_make_the_newer_one(
    before: list[tuple[float, int, int]], after: list[tuple[float, int, int]], size_bytes: int
) -> None:
    volume = BlockStore().create(size_bytes)
    scribble(volume, before)
    since = volume.snapshot()
    scribble(volume, after)
    image = volume.snapshot()
    device = since.clone()
    done = list(apply_changes(OpenText(changes_of(since, image)), device))
    assert device.snapshot().digest() == image.digest()
    assert done == sorted(done)


def test_no_more_is_written_than_what_changed_and_little_for_each_extent() -> None:
    volume = BlockStore().create(1 << 40)
    volume.write(0, b"x" * (1 << 20))
    since = volume.snapshot()
    for number in range(100):
        volume.write(number * (10 << 30), b"y" * 2 * BLOCK_BYTES)
    assert len(changes_of(since, volume.snapshot())) <= 100 * (2 * BLOCK_BYTES + 64)


def test_what_became_zero_is_named_and_not_written() -> None:
    volume = BlockStore().create(1 << 30)
    volume.write(0, b"x" * (1 << 20))
    since = volume.snapshot()
    volume.discard(0, 1 << 20)
    assert len(changes_of(since, volume.snapshot())) < 200


def test_changes_are_laid_out_as_rbd_lays_them_out() -> None:
    volume = BlockStore().create(1 << 30)
    volume.write(2 * BLOCK_BYTES, b"x" * BLOCK_BYTES)
    since = volume.snapshot()
    volume.write(BLOCK_BYTES, b"y" * BLOCK_BYTES)
    volume.discard(2 * BLOCK_BYTES, BLOCK_BYTES)
    assert changes_of(since, volume.snapshot()) == (
        b"rbd diff v1\n"
        b"f\x06\0\0\0monday"
        b"t\x07\0\0\0tuesday"
        b"s\0\0\0\x40\0\0\0\0"
        b"w\0\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0" + b"y" * BLOCK_BYTES + b"z\0\x20\0\0\0\0\0\0\0\x10\0\0\0\0\0\0"
        b"e"
    )


def whole() -> tuple[BlockImage, bytes]:
    volume = BlockStore().create(10 * BLOCK_BYTES)
    since = volume.snapshot()
    volume.write(BLOCK_BYTES, b"y" * BLOCK_BYTES)
    volume.write(5 * BLOCK_BYTES, b"z" * BLOCK_BYTES)
    return since, changes_of(since, volume.snapshot())


@given(st.integers(0, 3 * BLOCK_BYTES))
@settings(max_examples=60, deadline=None)
def test_changes_that_are_cut_off_anywhere_change_nothing(length: int) -> None:
    since, changes = whole()
    device = since.clone()
    with pytest.raises(ChangesError):
        list(apply_changes(OpenText(changes[: min(length, len(changes) - 1)]), device))
    assert device.mapped_blocks == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"rbd diff v1", b"rbd diff v2", "does not begin"),
        (b"f\x06\0\0\0monday", b"f\xff\xff\xff\xffmonday", "4294967295 bytes"),
        (b"s\0\xa0\0\0\0\0\0\0", b"x\0\xa0\0\0\0\0\0\0", "size of the disk"),
        (b"s\0\xa0\0\0\0\0\0\0", b"s\0\xb0\0\0\0\0\0\0", "disk of 45056 bytes; the device has 40960"),
        (b"w\0\x10\0\0", b"q\0\x10\0\0", "record b'q'"),
        (b"w\0\x50\0\0", b"w\0\x10\0\0", "4096 bytes from 4096; a range from 8192 to 40960"),
        (b"w\0\x50\0\0", b"w\0\xa0\0\0", "4096 bytes from 40960"),
    ],
)
def test_changes_that_are_not_what_they_should_be_change_nothing(old: bytes, new: bytes, told: str) -> None:
    since, changes = whole()
    assert changes.count(old) == 1
    device = since.clone()
    with pytest.raises(ChangesError, match=told):
        list(apply_changes(OpenText(changes.replace(old, new)), device))
    assert device.mapped_blocks == 0


def test_something_behind_the_end_is_refused() -> None:
    since, changes = whole()
    with pytest.raises(ChangesError, match="their file has"):
        list(apply_changes(OpenText(changes + b"e"), since.clone()))
