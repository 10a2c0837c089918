"""The layout of a LUN: what was written is read again, clones keep it, damage is noticed, nothing strays."""

import random
from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.xenserver.chains import VdiView, vdi_of
from snapproof.simulators.xenserver.lun import (
    DATA_START,
    LABEL_BYTES_MAX,
    Layout,
    LayoutError,
    lun_size_for,
    read_layout,
    write_layout,
)

MIB = 2**20
uuids = st.uuids().map(str)
requests = st.lists(st.tuples(uuids, st.text(max_size=300), st.integers(1, 9 * MIB)), max_size=6)


class Disk:
    """The smallest block device."""

    def __init__(self, size_bytes: int) -> None:
        self.content = bytearray(size_bytes)

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    def read(self, offset: int, length: int) -> bytes:
        return bytes(self.content[offset : offset + length])

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self.content[offset : offset + len(bytes(data))] = data

    def extents(self) -> Iterator[tuple[int, int]]:
        return iter([(0, self.size_bytes)])


def filled(sr_uuid: str, wanted: list[tuple[str, str, int]], lun_bytes: int) -> Layout:
    layout = Layout(sr_uuid=sr_uuid)
    for uuid, label, size_bytes in wanted:
        layout = layout.placed(uuid=uuid, label=label, size_bytes=size_bytes, lun_bytes=lun_bytes)
    return layout


@given(sr_uuid=uuids, wanted=requests)
def test_an_identity_is_read_as_it_was_written(sr_uuid: str, wanted: list[tuple[str, str, int]]) -> None:
    lun = BlockStore().create(100 * MIB)
    layout = filled(sr_uuid, wanted, lun.size_bytes)
    write_layout(lun, layout)
    assert read_layout(lun) == layout
    assert read_layout(lun.snapshot()) == layout
    assert read_layout(lun.snapshot().clone()) == layout


@given(wanted=requests, gone=st.integers(0, 5), size_bytes=st.integers(1, 9 * MIB))
def test_vdis_never_overlap_each_other_the_identity_or_the_end(
    wanted: list[tuple[str, str, int]], gone: int, size_bytes: int
) -> None:
    lun_bytes = 100 * MIB
    layout = filled(str(UUID(int=1)), wanted, lun_bytes)
    layout = layout.without(wanted[gone][0]) if gone < len(wanted) else layout
    layout = layout.placed(uuid=str(UUID(int=2)), label="", size_bytes=size_bytes, lun_bytes=lun_bytes)
    ranges = sorted((entry.offset, entry.end) for entry in layout.vdis)
    assert all(offset % DATA_START == 0 for offset, _ in ranges)
    borders = [border for entry in [(0, DATA_START), *ranges, (lun_bytes, lun_bytes)] for border in entry]
    assert borders == sorted(borders)


@given(wanted=requests.filter(bool), seed=st.integers())
def test_resigning_changes_every_identity_and_no_place(wanted: list[tuple[str, str, int]], seed: int) -> None:
    dice = random.Random(seed)
    before = filled(str(UUID(int=1)), wanted, 100 * MIB)
    after = before.resigned(lambda: str(UUID(int=dice.getrandbits(128), version=4)))
    assert {after.sr_uuid, *(e.uuid for e in after.vdis)}.isdisjoint({before.sr_uuid, *(e.uuid for e in before.vdis)})
    places = [[(e.label, e.offset, e.size_bytes) for e in layout.vdis] for layout in (before, after)]
    assert places[0] == places[1]


@given(at=st.integers(8, 2 * 512 - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_never_passes_for_an_identity(at: int, bit: int) -> None:
    lun = Disk(DATA_START + MIB)
    write_layout(lun, filled(str(UUID(int=1)), [(str(UUID(int=2)), "x" * 400, 512)], 100 * MIB))
    whole = read_layout(lun)
    lun.content[at] ^= 1 << bit
    try:
        seen = read_layout(lun)
    except LayoutError:
        return
    assert seen == whole, "only padding may change without notice"
    assert 32 <= at < 512


def test_a_lun_that_was_never_formatted_holds_no_identity() -> None:
    assert read_layout(BlockStore().create(64 * MIB)) is None
    assert read_layout(Disk(100)) is None


def test_the_smallest_lun_for_a_vdi_takes_it_and_one_byte_less_does_not() -> None:
    lun_bytes = lun_size_for(MIB)
    layout = Layout(sr_uuid=str(UUID(int=1)))
    layout.placed(uuid=str(UUID(int=2)), label="", size_bytes=MIB, lun_bytes=lun_bytes)
    with pytest.raises(LayoutError, match="does not fit"):
        layout.placed(uuid=str(UUID(int=2)), label="", size_bytes=MIB, lun_bytes=lun_bytes - 1)


def test_a_long_label_is_cut_between_characters() -> None:
    layout = filled(str(UUID(int=1)), [(str(UUID(int=2)), "é" * 300, 512)], 100 * MIB)
    assert layout.vdis[0].label == "é" * (LABEL_BYTES_MAX // 2)
    assert layout.renamed(str(UUID(int=2)), "x" + "é" * 300).vdis[0].label == "x" + "é" * (LABEL_BYTES_MAX // 2 - 1)


@given(offset=st.integers(0, MIB), written=st.binary(max_size=2000))
def test_the_view_of_a_vdi_shows_its_bytes_and_stays_within_them(offset: int, written: bytes) -> None:
    lun = BlockStore().create(DATA_START + MIB + 4096)
    layout = filled(str(UUID(int=1)), [(str(UUID(int=2)), "", MIB)], lun.size_bytes)
    write_layout(lun, layout)
    view = VdiView(lun, layout, str(UUID(int=2)))
    if offset + len(written) > MIB:
        with pytest.raises(ValueError, match="outside"):
            view.write(offset, written)
        return
    view.write(offset, written)
    assert vdi_of(lun.snapshot()).read(offset, len(written)) == written
    assert lun.read(DATA_START + offset, len(written)) == written
    assert all(at >= 0 and at + length <= MIB for at, length in vdi_of(lun).extents())


def test_the_only_vdi_of_none_or_of_two_is_refused() -> None:
    lun = Disk(64 * MIB)
    with pytest.raises(LayoutError, match="no SR"):
        vdi_of(lun)
    for wanted in ([], [(str(UUID(int=2)), "", 512), (str(UUID(int=3)), "", 512)]):
        write_layout(lun, filled(str(UUID(int=1)), wanted, lun.size_bytes))
        with pytest.raises(LayoutError, match="where one was expected"):
            vdi_of(lun)
