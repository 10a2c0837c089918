"""Looking at a part of a disk: what is mapped between two offsets, and no more work than that."""

from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.blocks import BLOCK_BYTES, SIZE_BYTES_MAX, BlockStore

SIZE_MAX = 5 * 64 * BLOCK_BYTES + 777


@given(
    written=st.lists(st.tuples(st.integers(0, SIZE_MAX - 1), st.integers(1, 3 * BLOCK_BYTES)), max_size=8),
    bounds=st.tuples(st.integers(0, SIZE_MAX), st.integers(0, SIZE_MAX)),
)
def test_extents_between_two_offsets_are_the_part_that_lies_there(
    written: list[tuple[int, int]], bounds: tuple[int, int]
) -> None:
    volume, (start, end) = BlockStore().create(SIZE_MAX), sorted(bounds)
    for offset, length in written:
        volume.write(offset, b"x" * min(length, SIZE_MAX - offset))
    whole = list(volume.extents())
    clipped = [(max(start, at), min(end, at + length)) for at, length in whole]
    assert list(volume.extents(start, end)) == [(first, last - first) for first, last in clipped if first < last]
    assert list(volume.extents(start)) == list(volume.extents(start, SIZE_MAX))
    assert list(volume.extents(0, None)) == whole


def test_looking_at_a_part_of_a_huge_disk_costs_no_more_than_the_part() -> None:
    volume = BlockStore().create(SIZE_BYTES_MAX)
    for number in range(64):
        volume.write(number << 40, b"x")
    assert list(volume.extents(3 << 40, 5 << 40)) == [(3 << 40, BLOCK_BYTES), (4 << 40, BLOCK_BYTES)]
    assert list(volume.extents((7 << 40) + BLOCK_BYTES, 8 << 40)) == []
    assert list(volume.extents(63 << 40)) == [(63 << 40, BLOCK_BYTES)]
