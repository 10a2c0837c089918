"""Raw images as disks: through a VHD and back they hold the same bytes, and what is a hole is never read."""

import os
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.simulators.clock import EPOCH_S, VirtualClock
from snapproof.simulators.journal import Journal
from snapproof.simulators.raw_disks import RawDisk
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.xenserver.vhd import copy_into, read_dynamic, write_dynamic

MIB = 1 << 20


@given(
    st.integers(1, 9 * MIB),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=50), st.sampled_from([1, 999, 60_000]))),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_image_comes_back_from_an_export_byte_by_byte(
    tmp_path: Path, size_bytes: int, writes: list[tuple[float, bytes, int]]
) -> None:
    for name in ("disk.raw", "disk.vhd", "restored.raw"):
        (tmp_path / name).unlink(missing_ok=True)
    disk = RawDisk(tmp_path / "disk.raw", create_bytes=size_bytes)
    for place, pattern, count in writes:
        offset = int(place * size_bytes)
        disk.write(offset, (pattern * count)[: size_bytes - offset])
    expected = (tmp_path / "disk.raw").read_bytes()
    assert disk.read(0, size_bytes) == expected
    export = NfsExport(tmp_path, journal=Journal(VirtualClock().time))
    sink = export.create("disk.vhd")
    for _ in write_dynamic(disk, sink, uuid=UUID(int=1), time_s=EPOCH_S):
        pass
    sink.close()
    restored = RawDisk(tmp_path / "restored.raw", create_bytes=size_bytes)
    file = export.open("disk.vhd")
    for _ in copy_into(read_dynamic(file), restored):
        pass
    for opened in (disk, restored, file):
        opened.close()
    assert (tmp_path / "restored.raw").read_bytes() == expected


def test_extents_tell_the_holes_of_the_file(tmp_path: Path) -> None:
    disk = RawDisk(tmp_path / "disk.raw", create_bytes=64 * MIB)
    assert list(disk.extents()) == []
    disk.write(8 * MIB, b"x" * MIB)
    disk.write(9 * MIB, b"y" * MIB)
    disk.write(64 * MIB - 5, b"tail!")
    found = list(disk.extents())
    assert found[0] == (8 * MIB, 2 * MIB)
    assert sum(found[-1]) == 64 * MIB
    assert len(found) == 2
    disk.close()
    disk.close()


def test_a_terabyte_of_zeros_takes_no_room(tmp_path: Path) -> None:
    disk = RawDisk(tmp_path / "disk.raw", create_bytes=1 << 40)
    export = NfsExport(tmp_path, journal=Journal(VirtualClock().time))
    disk.write(1 << 39, b"x")
    sink = export.create("disk.vhd")
    for _ in write_dynamic(disk, sink, uuid=UUID(int=1), time_s=EPOCH_S):
        pass
    sink.close()
    disk.close()
    assert (tmp_path / "disk.vhd").stat().st_blocks * 512 < 4 * MIB


def test_a_hole_that_a_host_wrote_as_zeros_reads_as_zeros_at_its_size(tmp_path: Path) -> None:
    export = NfsExport(tmp_path, journal=Journal(VirtualClock().time))
    file = export.create("file")
    for part in (b"a", bytes(3 * MIB), bytes(MIB), b"b", bytes(4096)):
        file.write(part)
    assert (tmp_path / "file").stat().st_size == 4 * MIB + 4098
    file.close()
    assert export.read("file") == b"a" + bytes(4 * MIB) + b"b" + bytes(4096)
    assert (tmp_path / "file").stat().st_blocks * 512 < 3.5 * MIB


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, 1001), (1000, 1), (0, -1)])
def test_a_range_outside_a_raw_disk_is_refused_with_its_numbers(tmp_path: Path, offset: int, length: int) -> None:
    disk = RawDisk(tmp_path / "disk.raw", create_bytes=1000)
    with pytest.raises(ValueError, match=rf"Bytes {offset} to {offset + length} .* 1000 bytes"):
        disk.read(offset, length)
    if length > 0:
        with pytest.raises(ValueError, match="1000 bytes"):
            disk.write(offset, b"x" * length)
    disk.close()


def test_an_image_that_shrinks_while_it_is_read_is_an_io_error(tmp_path: Path) -> None:
    path = tmp_path / "disk.raw"
    disk = RawDisk(path, create_bytes=10_000)
    os.truncate(path, 5_000)
    with pytest.raises(OSError, match="cut off at byte 5000"):
        disk.read(0, 10_000)
    disk.close()
    with pytest.raises(FileExistsError):
        RawDisk(path, create_bytes=1)
    readable = RawDisk(path)
    with pytest.raises(OSError, match="Bad file descriptor"):
        readable.write(0, b"x")
    readable.close()
