"""Images that were cut, damaged or made to do harm: each is refused in a sentence, or read; none takes much memory."""

import struct
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.images.disk import ImageError, ReadableDisk
from snapproof.images.formats import ImageFormat, Label, open_image, write_image
from snapproof.images.qcow2 import open_qcow2
from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import EPOCH_S
from snapproof.simulators.xenserver.vhd import VhdError, read_dynamic

LABEL = Label(uuid=UUID(int=9), time_s=EPOCH_S)
CLUSTER = 64 << 10
U32, U64 = struct.Struct(">I").pack, struct.Struct(">Q").pack
TABLE_AT, SECOND_AT, COUNTS_TABLE_AT, COUNTS_AT, CONTENT_AT = (number * CLUSTER for number in range(1, 6))
SIZE_BYTES = 10 * CLUSTER
COPIED = 1 << 63


class File:
    """A ReadableFile over bytes that minds how much is asked of it at once."""

    def __init__(self, content: bytes | bytearray, size_bytes: int | None = None) -> None:
        self._content = bytes(content)
        self.size_bytes = len(content) if size_bytes is None else size_bytes

    def read_at(self, offset: int, length: int) -> bytes:
        assert 0 <= offset < 1 << 63
        assert length <= 32 << 20, "the reader must bound what it asks for"
        return self._content[offset : offset + length]

    def close(self) -> None:
        """Nothing to let go of."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[ImageFormat, bytes]:
    """A sound image of each format, of a disk of ten clusters with two stored."""
    volume, folder = BlockStore().create(SIZE_BYTES), tmp_path_factory.mktemp("whole")
    volume.write(0, b"first" * 100)
    volume.write(5 * CLUSTER + 77, b"second" * 100)
    for form in ImageFormat:
        list(write_image(volume, folder / form, form, LABEL))
    return {form: (folder / form).read_bytes() for form in ImageFormat}


def patched(text: bytes, *changes: tuple[int, bytes]) -> bytes:
    """Replace bytes at places; a negative place counts from the end."""
    made = bytearray(text)
    for at, content in changes:
        start = at % len(made)
        made[start : start + len(content)] = content
    return bytes(made)


Change = Callable[[bytes], bytes]


def at(place: int, content: bytes) -> Change:
    return lambda text: patched(text, (place, content))


BROKEN: dict[str, tuple[Change, str]] = {
    "empty": (lambda _: b"", "does not begin like"),
    "another kind": (lambda _: b"KDMV" + bytes(4096), "does not begin like"),
    "half a header": (lambda text: text[:60], "ends within its header"),
    "header of version 2 in version 3": (lambda text: text[:90], "ends within its header"),
    "cut in the tables": (lambda text: text[: SECOND_AT + 100], "does not fit a file"),
    "cut before the content": (lambda text: text[:CONTENT_AT], "does not fit a file"),
    "version 1": (at(4, U32(1)), "version 1"),
    "version 9": (at(4, U32(9)), "version 9"),
    "backing file": (at(8, U64(200)), "backing file"),
    "encrypted": (at(32, U32(1)), "encrypted"),
    "clusters of 1 byte": (at(20, U32(0)), "2\\^0 bytes"),
    "clusters of 4 GiB": (at(20, U32(32)), "2\\^32 bytes"),
    "no size": (at(24, U64(0)), "a disk of 0 bytes"),
    "size bomb": (at(24, U64(1 << 62)), "which clusters of 65536 bytes cannot"),
    "size beyond the table": (at(24, U64(1 << 30)), "has 1 entries, and a disk of this size needs 2"),
    "table bomb": (
        lambda text: patched(text, (24, U64(1 << 50)), (36, U32(0xFFFF_FFFF))),
        "does not fit a file|cannot",
    ),
    "table on the header": (at(40, U64(0)), "first table at byte 0"),
    "table askew": (at(40, U64(TABLE_AT + 512)), "does not fit a file"),
    "table beyond the end": (at(40, U64(1 << 60)), "does not fit a file"),
    "marked corrupt": (at(72, U64(2)), "marked corrupt"),
    "content elsewhere": (at(72, U64(4)), "in another file"),
    "compressed in another way": (at(72, U64(8)), "compressed in another way"),
    "subclusters": (at(72, U64(16)), "subclusters"),
    "unknown feature": (at(72, U64(1 << 40)), "features that nobody here knows: 0x10000000000"),
    "short header": (at(100, U32(72)), "says that it has 72 bytes"),
    "second table on the first": (at(TABLE_AT, U64(TABLE_AT | COPIED)), "Table 0 overlaps"),
    "second table on the header": (at(TABLE_AT, U64(COPIED)), ""),
    "second table beyond the end": (at(TABLE_AT, U64(1 << 40)), "Table 0 at byte"),
    "second table on content": (at(TABLE_AT, U64(CONTENT_AT | COPIED)), "does not fit|overlaps|compressed"),
    "content on the header": (at(SECOND_AT, U64(512)), "does not fit a file"),
    "content on the first table": (at(SECOND_AT, U64(TABLE_AT | COPIED)), "overlaps"),
    "content on its own table": (at(SECOND_AT, U64(SECOND_AT | COPIED)), "overlaps"),
    "two clusters in one place": (at(SECOND_AT + 5 * 8, U64(CONTENT_AT | COPIED)), "overlaps"),
    "content beyond the end": (at(SECOND_AT, U64(1 << 40 | COPIED)), "does not fit a file"),
    "compressed cluster": (at(SECOND_AT, U64(1 << 62 | CONTENT_AT)), "compressed clusters"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_qcow2_is_refused_and_the_sentence_says_why(whole: dict[ImageFormat, bytes], name: str) -> None:
    change, sentence = BROKEN[name]
    text = change(whole[ImageFormat.QCOW2])
    if not sentence:  # a table at byte 0 is none at all, and the disk reads as zeros
        assert list(open_qcow2(File(text)).extents()) == []
        return
    with pytest.raises(ImageError, match=sentence):
        open_qcow2(File(text))


def test_a_file_that_claims_to_be_vast_takes_no_memory_for_it(whole: dict[ImageFormat, bytes]) -> None:
    with pytest.raises(ImageError, match="the most that is looked through"):
        open_qcow2(File(whole[ImageFormat.QCOW2], size_bytes=1 << 60))


def test_a_file_that_shrinks_while_it_is_read_is_noticed(whole: dict[ImageFormat, bytes]) -> None:
    text = whole[ImageFormat.QCOW2]
    file = File(text)
    image = open_qcow2(file)
    file._content = text[: CONTENT_AT + 100]
    with pytest.raises(ImageError, match="it has shrunk"):
        image.read(0, CLUSTER)


def test_a_cluster_that_the_entry_calls_zeros_reads_as_zeros(whole: dict[ImageFormat, bytes]) -> None:
    image = open_qcow2(File(patched(whole[ImageFormat.QCOW2], (SECOND_AT, U64(CONTENT_AT | COPIED | 1)))))
    assert image.read(0, CLUSTER) == bytes(CLUSTER)
    assert list(image.extents()) == [(5 * CLUSTER, CLUSTER)]


changes = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, 120),
            st.integers(TABLE_AT, TABLE_AT + 16),
            st.integers(SECOND_AT, SECOND_AT + 100),
            st.integers(-600, -1),
            st.integers(0, CONTENT_AT),
        ),
        st.one_of(
            st.binary(min_size=1, max_size=8),
            st.sampled_from([b"\xff" * 8, bytes(8), U64(1 << 40), U64(TABLE_AT), U64(CONTENT_AT | COPIED), U32(9)]),
        ),
    ),
    max_size=4,
)
READERS: dict[ImageFormat, Callable[[File], ReadableDisk]] = {
    ImageFormat.QCOW2: open_qcow2,
    ImageFormat.VHD: read_dynamic,
}


@pytest.mark.parametrize("form", READERS)
@given(made=changes, cut=st.none() | st.integers(0, CONTENT_AT + 3 * CLUSTER))
@settings(max_examples=200, deadline=None)
def test_a_mutated_image_is_refused_or_read_whole_and_never_breaks_the_reader(
    whole: dict[ImageFormat, bytes], form: ImageFormat, made: list[tuple[int, bytes]], cut: int | None
) -> None:
    text = patched(whole[form], *made)[:cut]
    try:
        disk = READERS[form](File(text))
        stored = list(disk.extents())
        for offset, length in stored:
            assert len(disk.read(offset, min(length, 1 << 20))) == min(length, 1 << 20)
    except (ImageError, VhdError) as error:
        assert str(error).endswith(".")  # noqa: PT017  refusing is as good as reading
        return
    assert all(offset >= 0 and offset + length <= disk.size_bytes for offset, length in stored)
    if not made:
        assert disk.read(0, 500) == b"first" * 100


@pytest.mark.parametrize("form", ImageFormat)
@given(guest=st.binary(max_size=600), place=st.integers(0, SIZE_BYTES - 600))
@settings(max_examples=25, deadline=None)
def test_whatever_a_guest_writes_comes_back_byte_for_byte(
    tmp_path_factory: pytest.TempPathFactory,
    whole: dict[ImageFormat, bytes],
    form: ImageFormat,
    guest: bytes,
    place: int,
) -> None:
    """Even a whole image of another format, written by the guest on its raw disk."""
    path = tmp_path_factory.mktemp("guest") / "image"
    volume = BlockStore().create(len(whole[ImageFormat.QCOW2]))
    volume.write(0, whole[ImageFormat.QCOW2])
    volume.write(place % (volume.size_bytes - 600), guest)
    list(write_image(volume, path, form, LABEL))
    with open_image(path, form) as disk:
        assert disk.read(0, volume.size_bytes) == volume.read(0, volume.size_bytes)


def test_a_link_or_a_folder_in_the_target_s_place_is_not_written_through(tmp_path: Path) -> None:
    volume = BlockStore().create(4096)
    (tmp_path / "victim").write_bytes(b"precious")
    (tmp_path / ".image.part").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError, match="symbolic links"):
        list(write_image(volume, tmp_path / "image", ImageFormat.RAW, LABEL))
    assert (tmp_path / "victim").read_bytes() == b"precious"
