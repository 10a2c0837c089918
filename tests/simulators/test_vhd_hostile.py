"""VHD files that were cut, damaged or made to do harm: each is refused in a sentence, and none takes much memory."""

import struct
from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import EPOCH_S
from snapproof.simulators.xenserver.vhd import (
    VHD_BYTES_MAX,
    VhdError,
    VhdImage,
    inspect,
    read_dynamic,
    write_dynamic,
)

BLOCK_BYTES = 2 << 20
TABLE_OFFSET = 1536


class Sink:
    """A WritableFile that keeps its bytes."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.content += data

    def close(self) -> None:
        """Nothing to let go of."""


class File:
    """A ReadableFile over bytes that minds how much is asked of it at once."""

    def __init__(self, content: bytes | bytearray) -> None:
        self._content = bytes(content)
        self.size_bytes = len(content)

    def read_at(self, offset: int, length: int) -> bytes:
        assert 0 <= offset < 1 << 60
        assert length <= 32 << 20, "the reader must bound what it asks for"
        return self._content[offset : offset + length]

    def close(self) -> None:
        """Nothing to let go of."""


def sealed(vhd: bytearray) -> bytearray:
    """Mend the checksums of a doctored VHD of ours, and the copy of its footer, so that only the doctoring shows."""
    vhd[-512:] = with_checksum(vhd[-512:], 64)
    vhd[:512] = vhd[-512:]
    vhd[512:1536] = with_checksum(vhd[512:1536], 36)
    return vhd


def with_checksum(part: bytearray, at: int) -> bytes:
    part[at : at + 4] = bytes(4)
    part[at : at + 4] = struct.pack(">I", 0xFFFF_FFFF - sum(part))
    return bytes(part)


def doctored(*, footer: dict[int, bytes] | None = None, header: dict[int, bytes] | None = None) -> bytearray:
    """A VHD of three blocks, two of them stored, with bytes of its footer or header replaced and sealed again."""
    volume = BlockStore().create(3 * BLOCK_BYTES)
    volume.write(0, b"x" * 4096)
    volume.write(2 * BLOCK_BYTES, b"y" * 4096)
    sink = Sink()
    for _ in write_dynamic(volume, sink, uuid=UUID(int=7), time_s=EPOCH_S):
        pass
    vhd = sink.content
    for base, changes in ((len(vhd) - 512, footer), (512, header)):
        for at, content in (changes or {}).items():
            vhd[base + at : base + at + len(content)] = content
    return sealed(vhd)


def with_table(*entries: int) -> bytearray:
    vhd = doctored()
    vhd[TABLE_OFFSET : TABLE_OFFSET + 4 * len(entries)] = struct.pack(f">{len(entries)}I", *entries)
    return vhd


def patched(at: int, content: bytes) -> bytearray:
    vhd = doctored()
    at %= len(vhd)
    vhd[at : at + len(content)] = content
    return vhd


U32, U64 = struct.Struct(">I").pack, struct.Struct(">Q").pack
UNUSED = 0xFFFF_FFFF
FIRST_PLACE = (TABLE_OFFSET + 512) // 512
BLOCK_SECTORS = 4096 + 1

BROKEN: dict[str, tuple[Callable[[], bytearray], str]] = {
    "empty": (bytearray, "too short"),
    "half a header": (lambda: doctored()[:1000], "too short"),
    "cut in the middle": (lambda: doctored()[:-BLOCK_BYTES], "truncated"),
    "cut by one byte": (lambda: doctored()[:-1], "truncated"),
    "no footer cookie": (lambda: patched(-512, b"c0nectix"), "no 'conectix'"),
    "footer flipped": (lambda: patched(-512 + 300, b"\1"), "checksum of the footer"),
    "footer copy flipped": (lambda: patched(300, b"\1"), "differs from the footer at its end"),
    "no header cookie": (lambda: doctored(header={0: b"cxsparsf"}), "no 'cxsparse'"),
    "header flipped": (lambda: patched(512 + 700, b"\1"), "checksum of the dynamic header"),
    "footer version": (lambda: doctored(footer={12: U32(0x20000)}), "footer has version 0x20000"),
    "header version": (lambda: doctored(header={24: U32(0x20000)}), "header has version 0x20000"),
    "fixed": (lambda: doctored(footer={60: U32(2)}), "fixed kind"),
    "unknown kind": (lambda: doctored(footer={60: U32(9)}), "kind 9"),
    "differencing": (lambda: doctored(footer={60: U32(4)}), "differencing disk"),
    "parent uuid": (lambda: doctored(header={40: b"\1"}), "differencing disk"),
    "parent name": (lambda: doctored(header={64: b"\0p"}), "differencing disk"),
    "parent locator": (lambda: doctored(header={576: b"W2ku"}), "differencing disk"),
    "header nowhere": (lambda: doctored(footer={16: U64(2**64 - 1)}), "lies outside a file"),
    "size 0": (lambda: doctored(footer={48: U64(0)}), "disk of 0 bytes"),
    "size odd": (lambda: doctored(footer={48: U64(1025)}), "disk of 1025 bytes"),
    "size bomb": (lambda: doctored(footer={48: U64(1 << 62)}), f"disk of {1 << 62} bytes"),
    "size beyond the table": (lambda: doctored(footer={48: U64(1 << 30)}), "needs 512"),
    "table bomb": (
        lambda: doctored(footer={48: U64(VHD_BYTES_MAX)}, header={28: U32(UNUSED), 32: U32(512 << 10)}),
        "does not fit a file",
    ),
    "table on the header": (lambda: doctored(header={16: U64(1024)}), "does not fit a file"),
    "table on the footer copy": (lambda: doctored(header={16: U64(0)}), "does not fit a file"),
    "table beyond the end": (lambda: doctored(header={16: U64(1 << 63)}), "does not fit a file"),
    "block size 0": (lambda: doctored(header={32: U32(0)}), "blocks of 0 bytes"),
    "block size odd": (lambda: doctored(header={32: U32(3 << 20)}), "blocks of 3145728 bytes"),
    "block size bomb": (lambda: doctored(header={32: U32(1 << 31)}), "blocks of 2147483648 bytes"),
    "block on the header": (lambda: with_table(1, UNUSED, UNUSED), "overlaps"),
    "block on the table": (lambda: with_table(3, UNUSED, UNUSED), "overlaps"),
    "blocks in one place": (lambda: with_table(FIRST_PLACE, UNUSED, FIRST_PLACE), "overlaps"),
    "blocks overlapping": (lambda: with_table(FIRST_PLACE + 1, UNUSED, FIRST_PLACE), "overlaps"),
    "block on the footer": (lambda: with_table(FIRST_PLACE + BLOCK_SECTORS + 1, UNUSED, UNUSED), "beyond the end"),
    "block outside": (lambda: with_table(UNUSED - 1, UNUSED, UNUSED), "beyond the end"),
    "too many blocks": (lambda: with_table(*[FIRST_PLACE] * 3), "names 3 blocks"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_and_the_sentence_says_why(name: str) -> None:
    make, sentence = BROKEN[name]
    with pytest.raises(VhdError, match=sentence):
        read_dynamic(File(make()))


def test_a_differencing_disk_can_be_inspected_though_not_read() -> None:
    assert inspect(File(doctored(footer={60: U32(4)}))).has_parent


def test_a_file_that_shrinks_while_it_is_read_is_noticed() -> None:
    vhd = doctored()
    whole = read_dynamic(File(vhd))

    class Shrunk(File):
        def read_at(self, offset: int, length: int) -> bytes:
            return super().read_at(offset, length)[: max(0, len(vhd) - 3_000_000 - offset)]

    image = VhdImage(Shrunk(vhd), whole._header, whole._table)
    with pytest.raises(VhdError, match="truncated"):
        image.read(2 * BLOCK_BYTES, 4096)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([("footer", 512), ("header", 1024), ("table", 512)]),
            st.integers(0, 1023),
            st.one_of(
                st.binary(min_size=1, max_size=8),
                st.sampled_from([b"\xff" * 8, bytes(8), U32(1 << 31), U32(FIRST_PLACE), U64(1 << 40)]),
            ),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=300, deadline=None)
def test_hostile_headers_are_refused_or_read_but_never_break_the_reader(
    changes: list[tuple[tuple[str, int], int, bytes]],
) -> None:
    vhd = doctored()
    for (place, span), at, content in changes:
        base = {"footer": len(vhd) - 512, "header": 512, "table": TABLE_OFFSET}[place]
        start = base + at % (span - len(content) + 1)
        vhd[start : start + len(content)] = content
    try:
        image = read_dynamic(File(sealed(vhd)))
        for offset, length in image.extents():
            assert len(image.read(offset, length)) == length
    except VhdError:
        return
    assert 0 < image.size_bytes <= VHD_BYTES_MAX
