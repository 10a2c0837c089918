"""Dynamic VHDs: other readers read what we write, and we what others write. Broken files are in test_vhd_hostile.py."""

import io
import json
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from dissect.hypervisor.disk.vhd import VHD
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.fixtures.images import OpenText
from snapproof.simulators.blocks import BlockStore, BlockVolume
from snapproof.simulators.clock import EPOCH_S
from snapproof.simulators.xenserver.vhd import (
    VHD_BYTES_MAX,
    ReadableDisk,
    VhdError,
    copy_into,
    file_bytes,
    inspect,
    read_dynamic,
    write_dynamic,
)
from snapproof.simulators.xenserver.vhd_headers import geometry

SECTOR_BYTES, BLOCK_BYTES = 512, 2 << 20
UUID_ = UUID("0d6f4c2e-58f2-4a6b-9a0e-3f8f3b7c1a55")

qemu = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed here")


class Sink:
    """A WritableFile that keeps its bytes."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.content += data

    def close(self) -> None:
        """Nothing to let go of."""


class Sparse:
    """A disk of any size that holds what it is told: a source whose extents the test decides."""

    def __init__(self, size_bytes: int, extents: list[tuple[int, int]]) -> None:
        self.size_bytes = size_bytes
        self.told = extents

    def read(self, offset: int, length: int) -> bytes:
        return b"\xee" * length

    def extents(self) -> Iterator[tuple[int, int]]:
        return iter(self.told)


def vhd_of(source: ReadableDisk) -> bytearray:
    sink = Sink()
    for written in write_dynamic(source, sink, uuid=UUID_, time_s=EPOCH_S):
        assert written == len(sink.content)
    return sink.content


def disk(size_bytes: int, *writes: tuple[int, bytes]) -> BlockVolume:
    volume = BlockStore().create(size_bytes)
    for offset, content in writes:
        volume.write(offset, content)
    return volume


@st.composite
def written_disks(draw: st.DrawFn) -> BlockVolume:
    size_bytes = draw(st.integers(1, 3 * BLOCK_BYTES + 1234))
    volume = BlockStore().create(size_bytes)
    for _ in range(draw(st.integers(0, 5))):
        offset = draw(st.integers(0, size_bytes - 1))
        content = draw(st.binary(min_size=1, max_size=40)) * draw(st.sampled_from([1, 100, 60_000]))
        volume.write(offset, content[: size_bytes - offset])
    return volume


@given(written_disks())
@settings(max_examples=60, deadline=None)
def test_two_readers_find_in_the_file_what_the_disk_holds(volume: BlockVolume) -> None:
    vhd = vhd_of(volume)
    assert len(vhd) == file_bytes(volume)
    image = read_dynamic(OpenText(vhd))
    padding = -volume.size_bytes % SECTOR_BYTES
    expected = volume.read(0, volume.size_bytes) + bytes(padding)
    assert image.size_bytes == len(expected)
    assert image.read(0, len(expected)) == expected
    with VHD(io.BytesIO(vhd)) as second:
        assert second.size == len(expected)
        assert second.read() == expected


@given(written_disks(), st.data())
@settings(max_examples=40, deadline=None)
def test_any_part_reads_like_the_same_part_of_the_disk(volume: BlockVolume, data: st.DataObject) -> None:
    image = read_dynamic(OpenText(vhd_of(volume)))
    offset = data.draw(st.integers(0, volume.size_bytes))
    length = data.draw(st.integers(0, volume.size_bytes - offset))
    assert image.read(offset, length) == volume.read(offset, length)


@given(written_disks(), written_disks())
@settings(max_examples=40, deadline=None)
def test_a_restore_makes_a_device_equal_whatever_it_held_before(source: BlockVolume, device: BlockVolume) -> None:
    device.resize(max(device.size_bytes, source.size_bytes))
    copied = list(copy_into(read_dynamic(OpenText(vhd_of(source))), device))
    source.resize(device.size_bytes)
    assert device.snapshot().digest() == source.snapshot().digest()
    assert copied == sorted(copied)


@given(written_disks())
@settings(max_examples=30, deadline=None)
def test_extents_come_back_as_they_were(volume: BlockVolume) -> None:
    image = read_dynamic(OpenText(vhd_of(volume)))
    rounded = [(offset, -(-length // SECTOR_BYTES) * SECTOR_BYTES) for offset, length in volume.extents()]
    assert list(image.extents()) == rounded


def test_the_headers_say_who_when_and_that_there_is_no_parent() -> None:
    header = inspect(OpenText(vhd_of(disk(10_000, (0, b"x")))))
    assert header.uuid == UUID_
    assert header.time_s == EPOCH_S
    assert header.size_bytes == 10_240
    assert header.creator == b"tap\0"
    assert not header.has_parent


def test_a_file_of_2040_gib_is_short_and_one_byte_more_is_refused() -> None:
    last = VHD_BYTES_MAX - 4096
    vhd = vhd_of(disk(VHD_BYTES_MAX, (last, b"x" * 4096)))
    assert len(vhd) < 7 << 20
    assert list(read_dynamic(OpenText(vhd)).extents()) == [(last, 4096)]
    with pytest.raises(VhdError, match=f"2040 GiB.*{VHD_BYTES_MAX + 1}"):
        next(write_dynamic(disk(VHD_BYTES_MAX + 1), Sink(), uuid=UUID_, time_s=EPOCH_S))


def test_a_disk_of_no_bytes_is_refused() -> None:
    with pytest.raises(VhdError, match="the disk has 0"):
        next(write_dynamic(disk(0), Sink(), uuid=UUID_, time_s=EPOCH_S))


@pytest.mark.parametrize("time_s", [0.0, 946_684_799.0, 946_684_800.0 + 2**32])
def test_a_time_that_no_vhd_can_say_is_refused(time_s: float) -> None:
    with pytest.raises(VhdError, match="cannot be dated"):
        next(write_dynamic(disk(4096), Sink(), uuid=UUID_, time_s=time_s))


def test_a_disk_that_changes_while_it_is_written_is_noticed() -> None:
    for later in ([(0, 512), (3 * BLOCK_BYTES, 512)], [(0, 512)], []):
        source = Sparse(4 * BLOCK_BYTES, [(0, 512), (BLOCK_BYTES, 512)])
        steps = write_dynamic(source, Sink(), uuid=UUID_, time_s=EPOCH_S)
        next(steps)
        source.told = later
        with pytest.raises(VhdError, match="changed meanwhile"):
            list(steps)


def test_memory_does_not_grow_with_what_is_written() -> None:
    class Nowhere(Sink):
        def write(self, data: bytes | bytearray | memoryview) -> None:
            assert len(data) <= BLOCK_BYTES

    tracemalloc.start()
    try:
        for _ in write_dynamic(
            Sparse(128 * BLOCK_BYTES, [(0, 128 * BLOCK_BYTES)]), Nowhere(), uuid=UUID_, time_s=EPOCH_S
        ):
            pass
        assert tracemalloc.get_traced_memory()[1] < 4 * BLOCK_BYTES
    finally:
        tracemalloc.stop()


def test_a_sector_that_the_bitmap_calls_unwritten_reads_as_zeros() -> None:
    vhd = vhd_of(Sparse(BLOCK_BYTES, [(0, BLOCK_BYTES)]))
    bitmap_at = len(vhd) - 512 - BLOCK_BYTES - 512
    assert vhd[bitmap_at : bitmap_at + 512] == b"\xff" * 512
    vhd[bitmap_at] = 0b1011_1111
    image = read_dynamic(OpenText(vhd))
    assert image.read(500, 600) == b"\xee" * 12 + bytes(512) + b"\xee" * 76
    assert list(image.extents()) == [(0, 512), (1024, BLOCK_BYTES - 1024)]
    vhd[bitmap_at] = 0b1000_0011
    assert read_dynamic(OpenText(vhd)).read(1024, 1024) == bytes(1024)


def test_bits_of_sectors_behind_the_end_of_the_disk_mean_nothing() -> None:
    vhd = vhd_of(disk(4096, (0, b"x")))
    bitmap_at = len(vhd) - 512 - BLOCK_BYTES - 512
    vhd[bitmap_at + 2] = 0xFF
    assert list(read_dynamic(OpenText(vhd)).extents()) == [(0, 4096)]


@pytest.mark.parametrize(
    ("sectors", "expected"),
    [
        (8 * 1024 * 17 - 1, (1023, 8, 17)),
        (8 * 1024 * 17, (280, 16, 31)),
        (16 * 1024 * 31 - 1, (1023, 16, 31)),
        (16 * 1024 * 31, (503, 16, 63)),
        (65535 * 16 * 63 - 1, (65534, 16, 63)),
        (65535 * 16 * 63, (16191, 16, 255)),
        (65535 * 16 * 255 + 1, (65535, 16, 255)),
    ],
)
def test_the_geometry_changes_its_step_where_the_specification_says(
    sectors: int, expected: tuple[int, int, int]
) -> None:
    assert geometry(sectors) == expected


def test_a_range_outside_the_image_is_refused_with_its_numbers() -> None:
    image = read_dynamic(OpenText(vhd_of(disk(1000))))
    for offset, length in ((-1, 1), (0, 1025), (1024, 1), (0, -1)):
        with pytest.raises(ValueError, match=rf"Bytes {offset} to {offset + length} .* 1024 bytes"):
            image.read(offset, length)


def test_a_device_that_is_too_small_is_refused_untouched() -> None:
    image = read_dynamic(OpenText(vhd_of(disk(10_000, (0, b"x")))))
    device = disk(9_728, (5, b"before"))
    with pytest.raises(VhdError, match=r"10240 bytes does not fit a device of 9728"):
        next(copy_into(image, device))
    assert device.read(5, 6) == b"before"


def test_content_in_the_rounding_that_a_device_cannot_hold_is_refused() -> None:
    image = read_dynamic(OpenText(vhd_of(disk(1024, (1023, b"x")))))
    with pytest.raises(VhdError, match="beyond the 1000 bytes"):
        list(copy_into(image, disk(1000)))


def qemu_img(*arguments: str | Path) -> str:
    """Run qemu-img; the format is always given, never probed."""
    return subprocess.run(
        ["qemu-img", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=60
    ).stdout


@pytest.mark.real
@qemu
@pytest.mark.parametrize("size_bytes", [1, 512, 3 * BLOCK_BYTES + 512, 268_435_456, 1_000_000_007, VHD_BYTES_MAX])
def test_qemu_reads_the_same_disk_of_the_same_size(size_bytes: int, tmp_path: Path) -> None:
    last = max(0, size_bytes - 70_000)
    volume = disk(size_bytes, (0, b"x"), (last, b"y" * (size_bytes - last)), (size_bytes // 2, b"z"))
    (tmp_path / "ours.vhd").write_bytes(vhd_of(volume))
    report = json.loads(qemu_img("info", "-f", "vpc", "--output=json", tmp_path / "ours.vhd"))
    rounded = -(-size_bytes // SECTOR_BYTES) * SECTOR_BYTES
    assert report["virtual-size"] == rounded
    with (tmp_path / "disk.raw").open("wb") as raw:
        raw.truncate(rounded)
        for offset, length in volume.extents():
            raw.seek(offset)
            raw.write(volume.read(offset, length))
    if size_bytes < 1 << 32:  # qemu-img compares unmapped terabytes too slowly
        assert "identical" in qemu_img(
            "compare", "-f", "vpc", "-F", "raw", tmp_path / "ours.vhd", tmp_path / "disk.raw"
        )
    stored = json.loads(qemu_img("map", "-f", "vpc", "--output=json", tmp_path / "ours.vhd"))
    mapped = {part["start"] // BLOCK_BYTES for part in stored if part["data"]}
    assert mapped >= {offset // BLOCK_BYTES for offset, _ in volume.extents()}


@pytest.mark.real
@qemu
@pytest.mark.parametrize("size_bytes", [512, 40 << 20, 600 << 20, 3 << 30, 40 << 30, 100 << 30, 126 << 30, 2000 << 30])
def test_we_reckon_the_geometry_that_qemu_reckons(size_bytes: int, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.vhd"
    qemu_img("create", "-f", "vpc", "-o", "subformat=dynamic", theirs, str(size_bytes))
    vhd = theirs.read_bytes()
    image = read_dynamic(OpenText(vhd))
    assert image.size_bytes >= size_bytes
    assert list(image.extents()) == []
    assert vhd_of(disk(image.size_bytes))[-512 + 56 : -512 + 60] == vhd[-512 + 56 : -512 + 60]


@pytest.mark.real
@qemu
def test_content_that_qemu_converted_restores_byte_by_byte(tmp_path: Path) -> None:
    source = disk(
        9 * BLOCK_BYTES + 512, (5, b"head"), (4 * BLOCK_BYTES - 3, b"middle" * 1000), (9 * BLOCK_BYTES, b"tail")
    )
    (tmp_path / "disk.raw").write_bytes(source.read(0, source.size_bytes))
    options = "subformat=dynamic,force_size=on"
    qemu_img("convert", "-f", "raw", "-O", "vpc", "-o", options, tmp_path / "disk.raw", tmp_path / "theirs.vhd")
    device = disk(source.size_bytes)
    for _ in copy_into(read_dynamic(OpenText((tmp_path / "theirs.vhd").read_bytes())), device):
        pass
    assert device.snapshot().digest() == source.snapshot().digest()
