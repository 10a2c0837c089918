"""The block store against a plain bytearray: whatever order of writes, snapshots, clones and releases, same bytes."""

import hashlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from snapproof.simulators.blocks import BLOCK_BYTES, SIZE_BYTES_MAX, BlockImage, BlockStore, BlockVolume, ReleasedError

LEAF_BYTES = 64 * BLOCK_BYTES
SIZE_MAX = 5 * LEAF_BYTES + 777


def nonzero_blocks(content: bytes) -> set[int]:
    return {
        number
        for number in range(-(-len(content) // BLOCK_BYTES))
        if any(content[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES])
    }


def blocks_of(ranges: Iterable[tuple[int, int]]) -> set[int]:
    """Unfold ranges into block numbers, and check that they are ascending, merged and whole blocks."""
    blocks: set[int] = set()
    end_before = -1
    for offset, length in ranges:
        assert offset % BLOCK_BYTES == 0
        assert length > 0
        assert offset > end_before, "ranges that touch must be merged"
        end_before = offset + length
        blocks.update(range(offset // BLOCK_BYTES, -(-end_before // BLOCK_BYTES)))
    return blocks


def differing_blocks(left: bytes, right: bytes) -> set[int]:
    size = max(len(left), len(right))
    left, right = left.ljust(size, b"\0"), right.ljust(size, b"\0")
    return {
        at // BLOCK_BYTES
        for at in range(0, size, BLOCK_BYTES)
        if left[at : at + BLOCK_BYTES] != right[at : at + BLOCK_BYTES]
    }


def filler(length: int, seed: int) -> bytes:
    """Bytes in which zeros are frequent at every scale: seeds make zero pieces, constant pieces and mixed ones."""
    if seed % 4 == 0:
        return bytes(length)
    pattern = bytes((seed * (at + 1)) % 251 for at in range(17)) + bytes(seed % 3 * BLOCK_BYTES)
    pattern = pattern if seed % 5 else pattern[::-1]
    return (pattern * (length // len(pattern) + 1))[:length]


class AgainstBytearrays(RuleBasedStateMachine):
    """Volumes and images of one store beside models that simply copy."""

    volumes: Bundle[BlockVolume] = Bundle("volumes")
    images: Bundle[BlockImage] = Bundle("images")

    def __init__(self) -> None:
        super().__init__()
        self.store = BlockStore()
        self.model: dict[BlockVolume, bytearray] = {}
        self.kept: dict[BlockImage, bytes] = {}

    @rule(target=volumes, size_bytes=st.integers(0, SIZE_MAX))
    def create(self, size_bytes: int) -> BlockVolume:
        volume = self.store.create(size_bytes)
        self.model[volume] = bytearray(size_bytes)
        return volume

    @rule(volume=volumes, place=st.floats(0, 1), length=st.integers(0, 3 * LEAF_BYTES), seed=st.integers(0, 99))
    def write(self, volume: BlockVolume, place: float, length: int, seed: int) -> None:
        model = self.model[volume]
        offset = int(place * len(model))
        content = filler(min(length, len(model) - offset), seed)
        volume.write(offset, memoryview(content) if seed % 2 else content)
        model[offset : offset + len(content)] = content

    @rule(volume=volumes, block=st.integers(0, 320), count=st.integers(1, 130), seed=st.integers(0, 99))
    def write_whole_blocks(self, volume: BlockVolume, block: int, count: int, seed: int) -> None:
        model = self.model[volume]
        offset = min(block * BLOCK_BYTES, len(model))
        content = filler(min(count * BLOCK_BYTES, len(model) - offset), seed)
        volume.write(offset, content)
        model[offset : offset + len(content)] = content

    @rule(volume=volumes, place=st.floats(0, 1), length=st.integers(0, 3 * LEAF_BYTES))
    def discard(self, volume: BlockVolume, place: float, length: int) -> None:
        model = self.model[volume]
        offset = int(place * len(model))
        length = min(length, len(model) - offset)
        volume.discard(offset, length)
        model[offset : offset + length] = bytes(length)

    @rule(volume=volumes, size_bytes=st.integers(0, SIZE_MAX))
    def resize(self, volume: BlockVolume, size_bytes: int) -> None:
        volume.resize(size_bytes)
        model = self.model[volume]
        self.model[volume] = bytearray(model[:size_bytes].ljust(size_bytes, b"\0"))

    @rule(target=images, volume=volumes)
    def snapshot(self, volume: BlockVolume) -> BlockImage:
        image = volume.snapshot()
        self.kept[image] = bytes(self.model[volume])
        return image

    @rule(target=volumes, image=images)
    def clone(self, image: BlockImage) -> BlockVolume:
        volume = image.clone()
        self.model[volume] = bytearray(self.kept[image])
        return volume

    @rule(volume=volumes, image=images)
    def restore(self, volume: BlockVolume, image: BlockImage) -> None:
        volume.restore(image)
        self.model[volume] = bytearray(self.kept[image])

    @rule(image=consumes(images))
    def release_image(self, image: BlockImage) -> None:
        image.release()
        del self.kept[image]

    @rule(image=images)
    def every_block_has_its_own_digest(self, image: BlockImage) -> None:
        content = self.kept[image]
        assert dict(image.block_digests()) == {
            number: hashlib.sha256(content[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]).digest()
            for number in nonzero_blocks(content)
        }

    @rule(volume=consumes(volumes))
    def release_volume(self, volume: BlockVolume) -> None:
        volume.release()
        del self.model[volume]

    @rule(volume=volumes, place=st.floats(0, 1), length=st.integers(0, SIZE_MAX))
    def read_a_part(self, volume: BlockVolume, place: float, length: int) -> None:
        model = self.model[volume]
        offset = int(place * len(model))
        length = min(length, len(model) - offset)
        assert volume.read(offset, length) == model[offset : offset + length]

    @rule(left=images, right=images)
    def diff(self, left: BlockImage, right: BlockImage) -> None:
        found = blocks_of(left.diff(right))
        assert found == blocks_of(right.diff(left))
        assert found >= differing_blocks(self.kept[left], self.kept[right])
        assert found <= nonzero_blocks(self.kept[left]) | nonzero_blocks(self.kept[right])

    @rule(left=images, right=images)
    def digests_say_whether_contents_are_equal(self, left: BlockImage, right: BlockImage) -> None:
        assert (left.digest() == right.digest()) == (self.kept[left] == self.kept[right])

    @invariant()
    def all_bytes_are_the_models(self) -> None:
        for content, expected in (self.model | self.kept).items():
            assert content.size_bytes == len(expected)
            assert content.read(0, len(expected)) == expected
            assert blocks_of(content.extents()) == nonzero_blocks(bytes(expected))
            assert content.mapped_blocks == len(nonzero_blocks(bytes(expected)))

    @rule()  # not an invariant: counting settles what is pending, and most steps shall run with something pending
    def no_block_is_held_that_nobody_can_read(self) -> None:
        most = sum(len(nonzero_blocks(bytes(expected))) for expected in (self.model | self.kept).values())
        assert self.store.used_blocks() <= most
        assert self.store.used_blocks() == self.store.distinct_blocks([*self.model, *self.kept])
        if not most:
            assert self.store.used_blocks() == 0

    def teardown(self) -> None:
        for content in (*self.model, *self.kept):
            content.release()
        assert self.store.used_blocks() == 0


TestAgainstBytearrays = AgainstBytearrays.TestCase
TestAgainstBytearrays.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)


@given(
    st.lists(
        st.tuples(st.integers(0, SIZE_BYTES_MAX - 1), st.binary(min_size=1, max_size=9000)), min_size=1, max_size=6
    )
)
@settings(max_examples=60, deadline=None)
def test_a_volume_of_64_tib_reads_back_what_was_written_anywhere(writes: list[tuple[int, bytes]]) -> None:
    volume = BlockStore().create(SIZE_BYTES_MAX)
    model: dict[int, int] = {}
    for offset, content in writes:
        written = content[: SIZE_BYTES_MAX - offset]
        volume.write(offset, written)
        model.update(enumerate(written, offset))
    for offset, content in writes:
        length = min(len(content), SIZE_BYTES_MAX - offset)
        assert volume.read(offset, length) == bytes(model[at] for at in range(offset, offset + length))
    assert blocks_of(volume.extents()) == {at // BLOCK_BYTES for at, byte in model.items() if byte}


@given(st.integers(0, SIZE_BYTES_MAX), st.integers(0, SIZE_BYTES_MAX))
@settings(max_examples=60, deadline=None)
def test_a_discard_of_any_width_takes_exactly_its_range(offset: int, length: int) -> None:
    length = min(length, SIZE_BYTES_MAX - offset)
    marks = {0, SIZE_BYTES_MAX - 1, SIZE_BYTES_MAX // 3}
    marks |= {at for at in (offset - 1, offset, offset + length - 1, offset + length) if 0 <= at < SIZE_BYTES_MAX}
    volume = BlockStore().create(SIZE_BYTES_MAX)
    for at in marks:
        volume.write(at, b"x")
    before = volume.snapshot()
    volume.discard(offset, length)
    for at in marks:
        assert volume.read(at, 1) == (b"\0" if offset <= at < offset + length else b"x")
        assert before.read(at, 1) == b"x"


def test_zeros_written_to_a_fresh_place_hold_no_block() -> None:
    store = BlockStore()
    volume = store.create(1 << 30)
    volume.write(0, bytes(3 * LEAF_BYTES + 5))
    volume.write(12_345, bytes(10))
    assert store.used_blocks() == 0
    assert list(volume.extents()) == []


def test_zeros_written_over_content_give_its_block_back() -> None:
    store = BlockStore()
    volume = store.create(1 << 20)
    volume.write(0, b"x" * 2 * BLOCK_BYTES)
    volume.write(0, bytes(BLOCK_BYTES))
    assert store.used_blocks() == 1
    assert list(volume.extents()) == [(BLOCK_BYTES, BLOCK_BYTES)]


def test_the_first_block_of_a_store_may_follow_a_block_of_zeros() -> None:
    volume = BlockStore().create(1 << 20)
    volume.write(0, bytes(BLOCK_BYTES) + b"x" * BLOCK_BYTES)
    assert volume.read(0, 2 * BLOCK_BYTES) == bytes(BLOCK_BYTES) + b"x" * BLOCK_BYTES


def test_a_snapshot_costs_no_block_and_a_change_after_it_costs_one() -> None:
    store = BlockStore()
    volume = store.create(1 << 30)
    volume.write(0, b"x" * 100 * BLOCK_BYTES)
    image = volume.snapshot()
    assert store.used_blocks() == 100
    volume.write(7 * BLOCK_BYTES + 9, b"y")
    volume.write(7 * BLOCK_BYTES + 99, b"z")
    assert store.used_blocks() == 101
    image.release()
    assert store.used_blocks() == 100


def test_what_is_forgotten_without_a_release_comes_back_too() -> None:
    store = BlockStore()
    volume = store.create(1 << 20)
    volume.write(0, b"x" * BLOCK_BYTES)
    del volume
    assert store.used_blocks() == 0


def test_endless_snapshots_that_are_released_do_not_grow_the_store() -> None:
    store = BlockStore()
    volume = store.create(1 << 30)
    volume.write(0, b"x" * 64 * BLOCK_BYTES)
    seen: set[int] = set()
    for number in range(1, 200):
        volume.snapshot().release()
        volume.write(0, bytes([number]) * BLOCK_BYTES)
        seen.update(volume._leaf(0).ids)
    assert store.used_blocks() == 64
    assert max(seen) <= 70


def test_a_volume_grows_into_the_blocks_of_one_that_was_released() -> None:
    store = BlockStore()
    grows, goes = store.create(1 << 20), store.create(1 << 20)
    grows.write(0, b"x" * BLOCK_BYTES)
    goes.write(0, b"y" * 254 * BLOCK_BYTES)
    highest = max(max(volume._leaf(leaf).ids) for volume in (grows, goes) for leaf in range(4))
    goes.release()
    grows.write(BLOCK_BYTES, b"x" * 60 * BLOCK_BYTES)
    assert max(grows._leaf(0).ids) <= highest


def test_blocks_are_used_again_across_volumes_without_old_bytes_showing() -> None:
    store = BlockStore()
    first = store.create(1 << 20)
    first.write(0, b"secret" * 1000)
    first.release()
    second = store.create(1 << 20)
    second.write(5, b"y")
    assert second.read(0, 6) == b"\0\0\0\0\0y"
    assert second.read(6, 10_000) == bytes(10_000)


def test_contents_cross_the_chunks_of_the_arena() -> None:
    chunk_bytes = 64 << 20
    volume = BlockStore().create(chunk_bytes * 2)
    piece = bytes(range(1, 252)) * (LEAF_BYTES // 251 + 1)
    for offset in range(0, chunk_bytes + LEAF_BYTES, LEAF_BYTES):
        volume.write(offset, piece[:LEAF_BYTES])
    volume.write(chunk_bytes - 10_000, piece[:20_000])
    assert volume.read(chunk_bytes - LEAF_BYTES, 2 * LEAF_BYTES) == (
        piece[: LEAF_BYTES - 10_000] + piece[:20_000] + piece[10_000:LEAF_BYTES]
    )


def test_bytes_cut_off_by_a_shrink_do_not_come_back_when_it_grows() -> None:
    volume = BlockStore().create(10_000)
    volume.write(0, b"x" * 10_000)
    volume.resize(5_001)
    volume.resize(10_000)
    assert volume.read(5_000, 5_000) == b"x" + bytes(4_999)


def test_a_diff_of_a_terabyte_finds_the_one_block() -> None:
    volume = BlockStore().create(1 << 40)
    volume.write(1 << 39, b"x")
    before = volume.snapshot()
    volume.write((1 << 39) + (1 << 30), b"y")
    assert list(volume.snapshot().diff(before)) == [((1 << 39) + (1 << 30), BLOCK_BYTES)]


@pytest.mark.parametrize(("first", "count"), [(0, 64), (64, 128), (1, 63), (5, 200)])
def test_overwriting_what_a_snapshot_shares_leaves_the_snapshot_and_frees_it_later(first: int, count: int) -> None:
    store = BlockStore()
    volume = store.create(1 << 20)
    old = b"o" * (1 << 20)
    volume.write(0, old)
    image = volume.snapshot()
    new = b"".join(bytes([number % 250]) * BLOCK_BYTES for number in range(1, count + 1))
    volume.write(first * BLOCK_BYTES, new)
    after = first + count
    assert image.read(0, 1 << 20) == old
    assert volume.read(0, 1 << 20) == old[: first * BLOCK_BYTES] + new + old[after * BLOCK_BYTES :]
    assert store.used_blocks() == 256 + count
    image.release()
    assert store.used_blocks() == 256


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 1001), (1000, 1), (1001, 0), (1 << 70, 1), (0, -1)])
def test_a_range_outside_the_disk_is_refused_with_its_numbers(offset: int, length: int) -> None:
    volume = BlockStore().create(1000)
    with pytest.raises(ValueError, match=rf"Bytes {offset} to {offset + length} .* 1000 bytes"):
        volume.read(offset, length)
    with pytest.raises(ValueError, match=rf"Bytes {offset} to {offset + length} .* 1000 bytes"):
        volume.discard(offset, length)
    if length > 0:
        with pytest.raises(ValueError, match=rf"Bytes {offset} to {offset + length} .* 1000 bytes"):
            volume.write(offset, b"x" * length)


@pytest.mark.parametrize("size_bytes", [-1, SIZE_BYTES_MAX + 1])
def test_a_size_that_no_disk_can_have_is_refused(size_bytes: int) -> None:
    store = BlockStore()
    volume = store.create(1)
    with pytest.raises(ValueError, match=str(size_bytes)):
        store.create(size_bytes)
    with pytest.raises(ValueError, match=str(size_bytes)):
        volume.resize(size_bytes)


def test_whatever_was_released_refuses_every_use() -> None:
    store = BlockStore()
    volume, other = store.create(1000), store.create(1000)
    image, kept = volume.snapshot(), other.snapshot()
    for content in (volume, image, volume, image):
        content.release()
    for use in (
        lambda: volume.read(0, 1),
        lambda: volume.read(0, 0),
        lambda: volume.write(0, b"x"),
        lambda: volume.discard(0, 1),
        lambda: volume.size_bytes,
        volume.snapshot,
        volume.extents,
        lambda: volume.resize(1),
        lambda: volume.restore(kept),
        lambda: other.restore(image),
        lambda: image.read(0, 1),
        image.clone,
        image.digest,
        lambda: image.diff(kept),
        lambda: kept.diff(image),
    ):
        with pytest.raises(ReleasedError, match="was released"):
            use()


def test_an_image_of_another_store_is_refused() -> None:
    volume, foreign = BlockStore().create(1000), BlockStore().create(1000).snapshot()
    with pytest.raises(ValueError, match="another block store"):
        volume.restore(foreign)
    with pytest.raises(ValueError, match="another block store"):
        volume.snapshot().diff(foreign)
