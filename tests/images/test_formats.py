"""Images of every format: each reads back what was written, whoever wrote it, and nothing is probed."""

import io
import os
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from dissect.hypervisor.disk.qcow2 import QCow2
from dissect.hypervisor.disk.vhd import VHD
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.images.disk import ImageError, Progress, ReadableDisk, WithoutZeros, copy
from snapproof.images.formats import ImageFormat, Label, format_named, open_image, write_image
from snapproof.simulators.blocks import BlockStore, BlockVolume
from snapproof.simulators.clock import EPOCH_S

LABEL = Label(uuid=UUID(int=9), time_s=EPOCH_S)
MIB = 1 << 20
qemu = pytest.mark.skipif(shutil.which("qemu-img") is None, reason="qemu-img is not installed here")

MAGICS = {
    "qcow2": b"QFI\xfb\0\0\0\3" + b"\0\0\0\0\0\0\0\x68\0\0\0\x0a/etc/passwd",
    "vmdk": b"KDMV\1\0\0\0",
    "vmdk descriptor": b'# Disk DescriptorFile\nversion=1\nRW 1 FLAT "/etc/passwd" 0\n',
    "vhd": b"conectix\0\0\0\2\0\1\0\0",
    "vhdx": b"vhdxfile",
    "vdi": b"<<< Oracle VM VirtualBox Disk Image >>>\n".ljust(64, b"\0") + b"\x7f\x10\xda\xbe",
    "luks": b"LUKS\xba\xbe\0\1",
    "bochs": b"Bochs Virtual HD Image\0",
    "parallels": b"WithoutFreeSpace",
    "qed": b"QED\0",
}
"""How files of other kinds begin. A guest may write these on its raw disk."""


@st.composite
def disks(draw: st.DrawFn) -> BlockVolume:
    sectors = draw(st.integers(1, 3 * MIB // 512))
    volume = BlockStore().create(512 * sectors)
    for _ in range(draw(st.integers(0, 5))):
        offset = draw(st.integers(0, volume.size_bytes - 1))
        content = draw(st.binary(min_size=1, max_size=40)) * draw(st.sampled_from([1, 100, 20_000]))
        volume.write(offset, content[: volume.size_bytes - offset])
    return volume


def written(source: ReadableDisk, path: Path, form: ImageFormat) -> list[Progress]:
    return list(write_image(source, path, form, LABEL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


@given(volume=disks(), forms=st.tuples(st.sampled_from(ImageFormat), st.sampled_from(ImageFormat)))
@settings(max_examples=40, deadline=None)
def test_an_image_that_goes_through_two_formats_is_the_disk_it_was(
    folder: Path, volume: BlockVolume, forms: tuple[ImageFormat, ImageFormat]
) -> None:
    first, second, device = folder / "two" / "first", folder / "two" / "second", BlockStore().create(volume.size_bytes)
    first.parent.mkdir(exist_ok=True)
    written(volume, first, forms[0])
    with open_image(first, forms[0]) as disk:
        written(disk, second, forms[1])
    with open_image(second, forms[1]) as disk:
        told = list(copy(disk, device))
    assert device.snapshot().digest() == volume.snapshot().digest()
    assert [progress.done_bytes for progress in told] == sorted(progress.done_bytes for progress in told)
    assert told[-1].fraction == 1.0
    assert sorted(path.name for path in first.parent.iterdir()) == ["first", "second"]


@given(volume=disks())
@settings(max_examples=30, deadline=None)
def test_other_readers_find_the_same_disk(folder: Path, volume: BlockVolume) -> None:
    whole = volume.read(0, volume.size_bytes)
    written(volume, folder / "x.qcow2", ImageFormat.QCOW2)
    qcow2 = QCow2(io.BytesIO((folder / "x.qcow2").read_bytes()))
    with qcow2.open() as stream:
        assert stream.read(len(whole)) == whole
    written(volume, folder / "x.vhd", ImageFormat.VHD)
    with VHD(io.BytesIO((folder / "x.vhd").read_bytes())) as vhd:
        assert vhd.read() == whole


@pytest.mark.parametrize("form", ImageFormat)
@pytest.mark.parametrize("magic", MAGICS)
def test_a_disk_that_begins_like_an_image_is_carried_as_it_is(tmp_path: Path, form: ImageFormat, magic: str) -> None:
    volume = BlockStore().create(4 * MIB)
    volume.write(0, MAGICS[magic])
    volume.write(4 * MIB - 512, MAGICS[magic])
    whole = volume.read(0, volume.size_bytes)
    written(volume, tmp_path / "image", form)
    with open_image(tmp_path / "image", form) as disk:
        assert disk.size_bytes == len(whole)
        assert disk.read(0, len(whole)) == whole
        written(disk, tmp_path / "raw", ImageFormat.RAW)
    assert (tmp_path / "raw").read_bytes() == whole


def test_a_file_is_what_it_was_declared_to_be_or_refused(tmp_path: Path) -> None:
    volume = BlockStore().create(MIB)
    volume.write(5, b"x")
    for form in ImageFormat:
        written(volume, tmp_path / form, form)
    for form in ImageFormat:
        for declared in set(ImageFormat) - {form, ImageFormat.RAW}:
            with pytest.raises(ImageError, match=f"{tmp_path / form} cannot be taken as a {declared} image: "):
                open_image(tmp_path / form, declared).__enter__()
    with open_image(tmp_path / "qcow2", ImageFormat.RAW) as disk:
        assert disk.read(0, disk.size_bytes) == (tmp_path / "qcow2").read_bytes()


@pytest.mark.parametrize("size_bytes", [0, 1, 513])
def test_a_raw_file_of_no_whole_sectors_is_no_disk(tmp_path: Path, size_bytes: int) -> None:
    (tmp_path / "raw").write_bytes(bytes(size_bytes))
    with pytest.raises(ImageError, match=f"It has {size_bytes} bytes; a disk has one or more whole sectors"):
        open_image(tmp_path / "raw", ImageFormat.RAW).__enter__()


def test_holes_are_not_read_and_zeros_become_holes(tmp_path: Path) -> None:
    with (tmp_path / "sparse.raw").open("wb") as file:
        file.truncate(1 << 42)
        file.seek(1 << 41)
        file.write(bytes(256 << 10) + b"x" * (64 << 10) + bytes(256 << 10))
    with open_image(tmp_path / "sparse.raw", ImageFormat.RAW) as disk:
        assert list(disk.extents()) == [((1 << 41) + (256 << 10), 64 << 10)]
        for form in (ImageFormat.QCOW2, ImageFormat.RAW):
            written(disk, tmp_path / form, form)
            assert (tmp_path / form).stat().st_blocks * 512 < 3 * MIB
    assert (tmp_path / "raw").stat().st_size == 1 << 42


@pytest.mark.parametrize("form", ImageFormat)
def test_a_copy_that_is_broken_off_leaves_the_older_file(tmp_path: Path, form: ImageFormat) -> None:
    volume = BlockStore().create(8 * MIB)
    volume.write(0, b"x" * 8 * MIB)
    (tmp_path / "image").write_bytes(b"older")
    steps = write_image(volume, tmp_path / "image", form, LABEL)
    next(steps)
    steps.close()  # type: ignore[attr-defined]  # the generator that it is
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("image", b"older")]


class Vast:
    """A disk of any size, scattered with content; its bytes are made when they are asked for."""

    def __init__(self, size_bytes: int, *, every: int, length: int) -> None:
        self.size_bytes = size_bytes
        self._every, self._length = every, length

    def read(self, offset: int, length: int) -> bytes:
        return b"\xee" * length

    def extents(self) -> Iterator[tuple[int, int]]:
        return ((offset, self._length) for offset in range(0, self.size_bytes, self._every))


class Nowhere:
    """A file that keeps nothing but its size."""

    size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.size_bytes += len(data)

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.mark.parametrize("form", ["vhd", "qcow2"])
def test_memory_is_bounded_for_every_size(form: str) -> None:
    """2040 GiB with a block in each 4 GiB; and 64 GiB with one in each 64 MiB."""
    from snapproof.images.qcow2 import write_qcow2
    from snapproof.simulators.xenserver.vhd import write_dynamic

    for size_bytes, every in ((2040 << 30, 4 << 30), (64 << 30, 64 * MIB)):
        source, sink = Vast(size_bytes, every=every, length=4096), Nowhere()
        tracemalloc.start()
        try:
            steps = (
                write_qcow2(source, sink)
                if form == "qcow2"
                else write_dynamic(source, sink, uuid=LABEL.uuid, time_s=LABEL.time_s)
            )
            assert max(steps) == sink.size_bytes
            assert tracemalloc.get_traced_memory()[1] < 32 * MIB
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("form", ["vhd", "qcow2"])
def test_reading_a_vast_image_takes_little_memory(tmp_path: Path, form: str) -> None:
    size_bytes = 2040 << 30
    written(Vast(size_bytes, every=256 << 30, length=4096), tmp_path / "image", ImageFormat(form))
    tracemalloc.start()
    try:
        with open_image(tmp_path / "image", ImageFormat(form)) as disk:
            stored = list(disk.extents())
            assert disk.read(256 << 30, 4096) == b"\xee" * 4096
        assert tracemalloc.get_traced_memory()[1] < 48 * MIB
    finally:
        tracemalloc.stop()
    assert [offset for offset, _ in stored] == list(range(0, size_bytes, 256 << 30))


def test_a_disk_without_zeros_still_reads_whole() -> None:
    disk = WithoutZeros(Vast(MIB, every=512 << 10, length=4096))
    assert list(disk.extents()) == [(0, 4096), (512 << 10, 4096)]
    assert disk.read(100, 3) == b"\xee" * 3
    assert disk.size_bytes == MIB


def test_a_target_that_is_too_small_is_refused_untouched() -> None:
    source, target = BlockStore().create(MIB), BlockStore().create(MIB - 512)
    target.write(0, b"before")
    with pytest.raises(ImageError, match="does not fit one of"):
        next(copy(source, target))
    assert target.read(0, 6) == b"before"


def test_a_copy_zeroes_what_the_target_had() -> None:
    source, target = BlockStore().create(MIB), BlockStore().create(2 * MIB)
    source.write(7, b"new")
    target.write(2 * MIB - 3, b"old")
    list(copy(source, target))
    assert target.read(0, 10) == b"\0" * 7 + b"new"
    assert target.mapped_blocks == 1


@pytest.mark.parametrize(("name", "form"), [("raw", "raw"), ("vpc", "vhd"), ("vhd", "vhd"), ("qcow2", "qcow2")])
def test_formats_have_their_names(name: str, form: str) -> None:
    assert format_named(name) == form


def test_a_format_that_there_is_not_is_told_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="No format of images is called 'vmdk'; there are raw, vhd, qcow2"):
        format_named("vmdk")


def qemu_img(*arguments: str | Path) -> str:
    """Run qemu-img; the format is always given, never probed."""
    return subprocess.run(
        ["qemu-img", *map(str, arguments)], check=True, capture_output=True, text=True, timeout=60
    ).stdout


def scattered(size_bytes: int) -> BlockVolume:
    volume = BlockStore().create(size_bytes)
    for offset in (0, size_bytes // 3, size_bytes - 5000):
        start = max(0, offset)
        volume.write(start, os.urandom(min(5000, size_bytes - start)))
    return volume


@pytest.mark.real
@qemu
@pytest.mark.parametrize("size_bytes", [512, 65_536, 65_536 + 512, 300 * MIB, (1 << 30) + 1024])
def test_qemu_checks_and_compares_what_we_write(tmp_path: Path, size_bytes: int) -> None:
    volume = scattered(size_bytes)
    for form in ImageFormat:
        written(volume, tmp_path / form, form)
    assert "No errors were found" in qemu_img("check", "-f", "qcow2", tmp_path / "qcow2")
    for form in (ImageFormat.QCOW2, ImageFormat.VHD):
        said = qemu_img("compare", "-f", "raw", "-F", form.qemu_name, tmp_path / "raw", tmp_path / form)
        assert "identical" in said
    mapped = qemu_img("map", "-f", "qcow2", "--output=json", tmp_path / "qcow2")
    assert '"data": true' in mapped


@pytest.mark.real
@qemu
@pytest.mark.parametrize(
    "options",
    ["compat=v3", "compat=0.10", "cluster_size=512", "cluster_size=2M", "lazy_refcounts=on", "refcount_bits=1"],
)
def test_we_read_what_qemu_writes(tmp_path: Path, options: str) -> None:
    volume = scattered(20 * MIB)
    written(volume, tmp_path / "raw", ImageFormat.RAW)
    qemu_img("convert", "-f", "raw", "-O", "qcow2", "-o", options, tmp_path / "raw", tmp_path / "theirs")
    with open_image(tmp_path / "theirs", ImageFormat.QCOW2) as disk:
        assert disk.read(0, disk.size_bytes) == volume.read(0, volume.size_bytes)


@pytest.mark.real
@qemu
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (["convert", "-c", "-f", "raw", "-O", "qcow2"], "compressed"),
        (["convert", "-f", "raw", "-O", "qcow2", "-o", "data_file=external"], "keeps its content in another file"),
        (["convert", "-f", "raw", "-O", "qcow2", "-o", "extended_l2=on"], "subclusters"),
        (["create", "-f", "qcow2", "-F", "raw", "-b"], "backing file"),
    ],
)
def test_what_stands_not_alone_is_refused(tmp_path: Path, make: list[str], sentence: str) -> None:
    written(scattered(MIB), tmp_path / "raw", ImageFormat.RAW)
    subprocess.run(
        ["qemu-img", *make, tmp_path / "raw", tmp_path / "theirs"], check=True, capture_output=True, cwd=tmp_path
    )
    with pytest.raises(ImageError, match=sentence):
        open_image(tmp_path / "theirs", ImageFormat.QCOW2).__enter__()
