"""The check of a backup's footer and header: any single wrong byte is found, by the rule that it breaks."""

import struct
import uuid
from collections.abc import Callable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapproof.reference_impl.core.image import FOOTER_BYTES, HEADER_BYTES, BrokenImageError, check_image
from snapproof.simulators.blocks import BlockStore
from snapproof.simulators.clock import EPOCH_S
from snapproof.simulators.xenserver.vhd import write_dynamic

SIZE_BYTES = 3 * 2**20 + 512


class Sink:
    """A file being written that keeps its bytes."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.content += data

    def close(self) -> None:
        """Nothing to let go of."""


def checked(image: bytes, size_bytes: int = SIZE_BYTES) -> None:
    check_image(image[: FOOTER_BYTES + HEADER_BYTES], image[-FOOTER_BYTES:], path="x.vhd", size_bytes=size_bytes)


def sealed(image: bytes, start: int, length: int, at: int) -> bytes:
    """Write a checksum that is right again, as whoever damages an image on purpose would."""
    block = bytearray(image[start : start + length])
    block[at : at + 4] = bytes(4)
    block[at : at + 4] = struct.pack(">I", ~sum(block) & 0xFFFFFFFF)
    return image[:start] + bytes(block) + image[start + length :]


def resealed_footers(image: bytes, change: Callable[[bytearray], None]) -> bytes:
    footer = bytearray(image[:FOOTER_BYTES])
    change(footer)
    whole = sealed(bytes(footer), 0, FOOTER_BYTES, 64)
    return whole + image[FOOTER_BYTES:-FOOTER_BYTES] + whole


@pytest.fixture(scope="module")
def image() -> bytes:
    """A real image of a disk with a little on it, as a host writes it."""
    disk = BlockStore().create(SIZE_BYTES)
    disk.write(4096, b"something" * 100)
    sink = Sink()
    for _ in write_dynamic(disk, sink, uuid=uuid.UUID(int=7), time_s=EPOCH_S):
        pass
    return bytes(sink.content)


def test_a_real_image_passes(image: bytes) -> None:
    checked(image)


def test_no_byte_of_the_start_may_differ(image: bytes) -> None:
    for at, bits in product(range(FOOTER_BYTES + HEADER_BYTES), (1, 0x80, 0xFF)):
        broken = bytearray(image)
        broken[at] ^= bits
        with pytest.raises(BrokenImageError, match=r"x\.vhd"):
            checked(bytes(broken))


def test_no_byte_of_the_footer_may_differ_even_if_its_copy_does_too(image: bytes) -> None:
    for at in range(FOOTER_BYTES):
        broken = bytearray(image)
        broken[at - FOOTER_BYTES] ^= 0x10
        with pytest.raises(BrokenImageError, match=r"x\.vhd is cut off or no VHD"):
            checked(bytes(broken))
        broken[at] ^= 0x10
        with pytest.raises(BrokenImageError, match=r"x\.vhd"):
            checked(bytes(broken))


@given(st.integers(0, FOOTER_BYTES + HEADER_BYTES + FOOTER_BYTES - 1))
def test_an_image_that_is_too_short_is_refused(length: int) -> None:
    start = b"conectix" + bytes(length)
    with pytest.raises(BrokenImageError):
        check_image(start[:1535], start[-FOOTER_BYTES:], path="x.vhd", size_bytes=SIZE_BYTES)


def test_an_image_whose_end_is_missing_is_refused(image: bytes) -> None:
    with pytest.raises(BrokenImageError, match=r"x\.vhd is cut off or no VHD"):
        checked(image[:-1])
    with pytest.raises(BrokenImageError, match=r"x\.vhd is cut off: shorter"):
        check_image(image[:1536], image[-100:], path="x.vhd", size_bytes=SIZE_BYTES)


@pytest.mark.parametrize("kind", [0, 2, 4])
def test_only_a_dynamic_disk_stands_alone(image: bytes, kind: int) -> None:
    def change(footer: bytearray) -> None:
        footer[60:64] = struct.pack(">I", kind)

    with pytest.raises(BrokenImageError, match=rf"x\.vhd is a VHD of type {kind}; a backup stands alone, as type 3"):
        checked(resealed_footers(image, change))


def test_a_parents_name_is_refused_though_every_checksum_is_right(image: bytes) -> None:
    at = FOOTER_BYTES + 40
    broken = sealed(image[:at] + b"\x01" + image[at + 1 :], FOOTER_BYTES, HEADER_BYTES, 36)
    with pytest.raises(BrokenImageError, match=r"x\.vhd names a parent"):
        checked(broken)


def test_a_header_of_another_kind_is_refused_though_its_checksum_is_right(image: bytes) -> None:
    broken = sealed(image[:FOOTER_BYTES] + b"CXSPARSE" + image[FOOTER_BYTES + 8 :], FOOTER_BYTES, HEADER_BYTES, 36)
    with pytest.raises(BrokenImageError, match=r"x\.vhd has no dynamic disk header"):
        checked(broken)


@pytest.mark.parametrize("size_bytes", [SIZE_BYTES - 512, SIZE_BYTES + 1, 0, 2**40])
def test_a_disk_of_another_size_is_refused(image: bytes, size_bytes: int) -> None:
    with pytest.raises(BrokenImageError, match=f"holds a disk of {SIZE_BYTES} bytes; the volume has"):
        checked(image, size_bytes)


@pytest.mark.parametrize("size_bytes", [SIZE_BYTES, SIZE_BYTES - 1, SIZE_BYTES - 511])
def test_a_disk_ends_with_its_last_sector(image: bytes, size_bytes: int) -> None:
    checked(image, size_bytes)
