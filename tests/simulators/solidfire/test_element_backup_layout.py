"""The layout of backups: whatever was written and whatever range is asked for, just its blocks are there, once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.blocks import BLOCK_BYTES, BlockStore
from snapproof.simulators.solidfire.bulk import ScriptError
from snapproof.simulators.solidfire.bulk_layout import (
    FORMATS,
    Manifest,
    checked,
    chunk_of,
    content_of,
    pack,
    read_manifest,
    unpack,
    windows,
)

BLOCKS = 4096


@given(
    writes=st.lists(st.tuples(st.integers(0, BLOCKS - 1), st.integers(1, 3)), max_size=12),
    ends=st.lists(st.integers(0, BLOCKS), min_size=2, max_size=2, unique=True).map(sorted),
    size=st.sampled_from([1, 7, 200, 1024]),
    form=st.sampled_from(FORMATS),
)
def test_windows_hold_exactly_the_blocks_that_differ_from_zero(
    writes: list[tuple[int, int]], ends: list[int], size: int, form: str
) -> None:
    disk = BlockStore().create(BLOCKS * BLOCK_BYTES)
    for block, count in writes:
        length = min(count, BLOCKS - block) * BLOCK_BYTES
        disk.write(block * BLOCK_BYTES, bytes([block % 255 + 1]) * length)
    image = disk.snapshot()
    lba, end = ends
    expected = {block for first, count in writes for block in range(first, min(first + count, BLOCKS))}
    found: list[int] = []
    reached = lba
    for window_end, extents in windows(image, lba, end - lba, size):
        assert reached < window_end <= end
        reached = window_end
        assert {first // size for first, _ in extents} == {(window_end - 1) // size}
        content = content_of(image, extents)
        assert checked(chunk_of(extents, content), pack(content, form), form) == content
        found += [block for first, count in extents for block in range(first, first + count)]
    assert found == sorted(expected & set(range(lba, end)))


@given(octets=st.binary(max_size=64), length=st.integers(0, 64), form=st.sampled_from(FORMATS))
def test_what_does_not_unpack_to_its_length_is_refused(octets: bytes, length: int, form: str) -> None:
    assert unpack(pack(octets, form), form, length=len(octets)) == octets
    if length != len(octets):
        with pytest.raises(ScriptError, match="does not unpack"):
            unpack(pack(octets, form), form, length=length)


CHUNK = {"name": "blocks-000000000400", "extents": [[1024, 3], [2040, 8]], "sha256": "0"}
SOUND: dict[str, Any] = {
    "layout": 1, "format": "native", "cluster": "c", "volume_id": 1, "volume_name": "v", "size_bytes": 1 << 30,
    "lba": 0, "blocks": 5000, "chunks": [CHUNK],
}  # fmt: skip
UNSOUND: list[list[list[int]]] = [
    [], [[-1, 5]], [[0, 0]], [[0, 2**64]], [[0, 1025]], [[5, 2], [6, 1]], [[5, 2], [2000, 1]], [[1]],
]  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        *({"chunks": [{**CHUNK, "extents": extents}]} for extents in UNSOUND),
        {"layout": 2}, {"format": "zip"}, {"lba": -1}, {"chunks": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_manifest_that_contradicts_itself_is_refused(changed: dict[str, Any]) -> None:
    assert isinstance(read_manifest(msgspec.json.encode(SOUND)), Manifest)
    with pytest.raises(ScriptError, match=r"The manifest"):
        read_manifest(msgspec.json.encode(SOUND | changed))
