"""Images that are larger than one request, or than S3 takes: in parts, as many as are allowed, or not at all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snapproof.fixtures.site import site_of
from snapproof.fixtures.world import World
from snapproof.reference_impl.adapters.s3 import (
    OBJECT_BYTES_MAX,
    PART_BYTES,
    PARTS_MAX,
    S3Bucket,
    S3Store,
    part_bytes_for,
)
from snapproof.reference_impl.ports import Image, RefusedError
from snapproof.simulators.clock import VirtualClock

REQUEST_BYTES_MAX = 5 * 2**30
"""How much S3 takes in one request, of a whole object or a part."""
SMALL_PART_BYTES = 5 * 2**20
STAGED = "snapshots/blue/v/s.part/disk.vhd"
PATH = "snapshots/blue/v/s.vhd"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    export = tmp_path / "export"
    export.mkdir()
    with World.build(seed=1, clock=VirtualClock(), directory=export) as world:
        yield world


def store_of(world: World, tmp_path: Path) -> S3Store:
    site = site_of(world, store="s3", seed=1, state_directory=tmp_path)
    assert site.bucket is not None
    return S3Store(site.export, S3Bucket(site.bucket, part_bytes=SMALL_PART_BYTES))


def s3_calls(world: World) -> list[str]:
    return [label.partition("#")[0] for label in world.seam.labels() if label.startswith("s3.")]


@pytest.mark.requirement(id="R-140")
def test_an_image_of_many_parts_is_uploaded_part_by_part(world: World, tmp_path: Path) -> None:
    store = store_of(world, tmp_path)
    staged = world.export.root / STAGED
    staged.parent.mkdir(parents=True)
    staged.write_bytes(b"x" * (2 * SMALL_PART_BYTES + 1))
    with store.opened(STAGED) as file:
        store.bucket.put_in_parts(PATH, file, digest="none")
    assert s3_calls(world) == ["s3.CreateMultipartUpload", *["s3.UploadPart"] * 3, "s3.CompleteMultipartUpload"]


@pytest.mark.requirement(id="R-140")
@given(size_bytes=st.integers(PART_BYTES + 1, OBJECT_BYTES_MAX))
@example(size_bytes=OBJECT_BYTES_MAX)
@example(size_bytes=PARTS_MAX * PART_BYTES + 1)
def test_no_image_has_more_parts_than_s3_takes_nor_larger_ones(size_bytes: int) -> None:
    part_bytes = part_bytes_for(size_bytes, least=PART_BYTES)
    assert -(-size_bytes // part_bytes) <= PARTS_MAX
    assert PART_BYTES <= part_bytes <= REQUEST_BYTES_MAX


@pytest.mark.requirement(id="R-140")
def test_what_no_object_can_hold_is_refused_before_a_byte_is_sent(world: World, tmp_path: Path) -> None:
    store = store_of(world, tmp_path)
    image = Image(path=PATH, physical_size_bytes=OBJECT_BYTES_MAX + 1, digest="none")
    with pytest.raises(RefusedError, match=f"has {OBJECT_BYTES_MAX + 1} bytes; S3 takes {OBJECT_BYTES_MAX}"):
        store.publish(STAGED, image)
    assert not s3_calls(world)
    assert PART_BYTES <= REQUEST_BYTES_MAX, "What is put at once is no larger than a part."
