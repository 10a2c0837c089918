"""Dynamic VHD files: written in one stream from a disk, read in place, and copied back onto a disk.

Everything advances in pieces of at most 2 MiB and keeps little in memory, whatever the size of the disk. Knows blocks,
bitmaps and the table; the headers are in vhd_headers.py. Differencing disks are recognised and refused.
"""

import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from typing import Protocol
from uuid import UUID

from snapproof.simulators.fabric import BlockDevice
from snapproof.simulators.xenserver.vhd_headers import (
    FOOTER_BYTES,
    HEADER_BYTES,
    SECTOR_BYTES,
    VHD_BYTES_MAX,
    VhdError,
    VhdHeader,
    exactly,
    inspect,
    pack_footer,
    pack_header,
)
from snapproof.site import ReadableFile, WritableFile

__all__ = [
    "VHD_BYTES_MAX",
    "ReadableDisk",
    "VhdError",
    "VhdHeader",
    "VhdImage",
    "copy_into",
    "file_bytes",
    "inspect",
    "read_dynamic",
    "write_dynamic",
]

_BLOCK_BYTES = 2 << 20
_BLOCK_SECTORS = _BLOCK_BYTES // SECTOR_BYTES
_BITMAP_BYTES = _BLOCK_SECTORS // 8
_TABLE_OFFSET = FOOTER_BYTES + HEADER_BYTES
_UNUSED = 0xFFFF_FFFF
_GAP_BYTES = 64 << 10
_PIECE_BYTES = 256 << 10  # still in the processor's cache when the sink takes it
_ZEROS = memoryview(bytes(_BLOCK_BYTES))
_RUN_OF_ONES = re.compile("1+")


class ReadableDisk(Protocol):
    """The reading half of a BlockDevice: an image of a block store or a VHD will do as well."""

    @property
    def size_bytes(self) -> int:
        """The size of the disk."""

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes."""

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of everything that is not zero, ascending and merged."""


class VhdImage:
    """The disk in a VHD file, read in place. It has the reading half of a BlockDevice; the file stays open."""

    __slots__ = ("_file", "_header", "_table")

    def __init__(self, file: ReadableFile, header: VhdHeader, table: "array[int]") -> None:
        self._file = file
        self._header = header
        self._table = table

    @property
    def size_bytes(self) -> int:
        """The size of the disk, not of the file."""
        return self._header.size_bytes

    @property
    def uuid(self) -> UUID:
        """The identity that the writer gave to the file."""
        return self._header.uuid

    @property
    def has_parent(self) -> bool:
        """Whether content is missing here that a parent file holds. `read_dynamic` lets no such file pass."""
        return self._header.has_parent

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises ValueError for a range outside the disk, VhdError for a file that shrank."""
        end = offset + length
        if offset < 0 or length < 0 or end > self.size_bytes:
            raise ValueError(f"Bytes {offset} to {end} do not lie within a disk of {self.size_bytes} bytes.")
        pieces = []
        while offset < end:
            block, within = divmod(offset, self._header.block_bytes)
            step = min(self._header.block_bytes - within, end - offset)
            pieces.append(self._read_block(block, within, step))
            offset += step
        return b"".join(pieces)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of all sectors that the bitmaps call written, ascending and merged."""
        first = last = 0
        for start, end in self._written():
            if start != last:
                if first != last:
                    yield first, last - first
                first = start
            last = end
        if first != last:
            yield first, last - first

    def _written(self) -> Iterator[tuple[int, int]]:
        for block, sector in enumerate(self._table):
            if sector != _UNUSED:
                base = block * self._header.block_bytes
                for start, end in _runs(self._bitmap(sector)):
                    if base + start < self.size_bytes:
                        yield base + start, min(base + end, self.size_bytes)

    def _read_block(self, block: int, within: int, length: int) -> bytes | bytearray:
        sector = self._table[block]
        if sector == _UNUSED:
            return bytes(length)
        bitmap = self._bitmap(sector)
        content = exactly(self._file, sector * SECTOR_BYTES + self._header.bitmap_bytes + within, length)
        if bitmap.count(0xFF) == len(bitmap):
            return content
        masked = bytearray(length)
        for start, end in _runs(bitmap):
            low, high = max(start - within, 0), min(end - within, length)
            if low < high:
                masked[low:high] = content[low:high]
        return masked

    def _bitmap(self, sector: int) -> bytes:
        return exactly(self._file, sector * SECTOR_BYTES, self._header.block_bytes // SECTOR_BYTES // 8)


def write_dynamic(source: ReadableDisk, sink: WritableFile, *, uuid: UUID, time_s: float) -> Iterator[int]:
    """Write a self-contained dynamic VHD; yield the bytes written so far after the headers and after each block.

    Only what `extents` names is stored. A size that is no whole number of sectors is rounded up. The source must not
    change meanwhile; where that can be seen it raises VhdError. The caller closes the sink, and discards a file whose
    writing was broken off. Raises VhdError for a disk that fits no VHD, and whatever the sink raises.
    """
    size_bytes = _virtual_bytes(source)
    footer = pack_footer(size_bytes=size_bytes, uuid=uuid, time_s=time_s)
    table = _planned_table(source, size_bytes)
    header = pack_header(table_offset=_TABLE_OFFSET, blocks=len(table), block_bytes=_BLOCK_BYTES)
    written = 0
    for part in (footer, header, _big_endian(table).tobytes().ljust(_table_bytes(len(table)), b"\xff")):
        sink.write(part)
        written += len(part)
    yield written
    for block, bits in _written_sectors(source):
        if table[block] * SECTOR_BYTES != written:
            raise VhdError(f"Block {block} of the disk was not there when its VHD was begun: it changed meanwhile.")
        bitmap = bits.to_bytes(_BITMAP_BYTES, "big")
        sink.write(bitmap)
        for piece in _block_pieces(source, block, bitmap):
            sink.write(piece)
        written += _BITMAP_BYTES + _BLOCK_BYTES
        yield written
    if written + FOOTER_BYTES != _file_bytes(table):
        raise VhdError("Blocks of the disk have gone since its VHD was begun: it changed meanwhile.")
    sink.write(footer)
    yield written + FOOTER_BYTES


def file_bytes(source: ReadableDisk) -> int:
    """Foretell how long the file will be that `write_dynamic` writes of this disk."""
    return _file_bytes(_planned_table(source, _virtual_bytes(source)))


def read_dynamic(file: ReadableFile) -> VhdImage:
    """Open a self-contained dynamic VHD. Raises VhdError for anything else, before memory is taken for it."""
    header = inspect(file)
    if header.has_parent:
        raise VhdError(f"VHD {header.uuid} is a differencing disk: without its parent it is not the whole disk.")
    table = _big_endian(array("I", exactly(file, header.table_offset, 4 * header.blocks)))
    _check_places(table, header, file.size_bytes)
    return VhdImage(file, header, table)


def copy_into(image: VhdImage, device: BlockDevice) -> Iterator[int]:
    """Make the device read like the image, and zero beyond it; yield the bytes of the image copied so far.

    Only written ranges are copied. Content that the device had is zeroed first. Raises VhdError for a device that is
    smaller than the image (by more than the rounding to a sector), before anything is written.
    """
    if image.size_bytes - device.size_bytes >= SECTOR_BYTES:
        raise VhdError(f"A disk of {image.size_bytes} bytes does not fit a device of {device.size_bytes} bytes.")
    for offset, length in _pieces(list(device.extents())):
        device.write(offset, bytes(length))
        yield 0
    copied = 0
    for offset, length in _pieces(image.extents()):
        content = image.read(offset, length)
        fitting = content[: max(0, device.size_bytes - offset)]
        if any(content[len(fitting) :]):
            raise VhdError(f"The image holds content beyond the {device.size_bytes} bytes of the device.")
        device.write(offset, fitting)
        copied += length
        yield copied


def _virtual_bytes(source: ReadableDisk) -> int:
    size_bytes = -(-source.size_bytes // SECTOR_BYTES) * SECTOR_BYTES
    if not 0 < size_bytes <= VHD_BYTES_MAX:
        raise VhdError(f"A VHD holds 1 to {VHD_BYTES_MAX} bytes (2040 GiB); the disk has {source.size_bytes}.")
    return size_bytes


def _planned_table(source: ReadableDisk, size_bytes: int) -> "array[int]":
    """Say for each block at which sector of the file its bitmap will be."""
    table = array("I", [_UNUSED]) * -(-size_bytes // _BLOCK_BYTES)
    place = (_TABLE_OFFSET + _table_bytes(len(table))) // SECTOR_BYTES
    for block, _ in _written_sectors(source):
        table[block] = place
        place += (_BITMAP_BYTES + _BLOCK_BYTES) // SECTOR_BYTES
    return table


def _file_bytes(table: "array[int]") -> int:
    stored = len(table) - table.count(_UNUSED)
    return _TABLE_OFFSET + _table_bytes(len(table)) + stored * (_BITMAP_BYTES + _BLOCK_BYTES) + FOOTER_BYTES


def _table_bytes(blocks: int) -> int:
    return -(-4 * blocks // SECTOR_BYTES) * SECTOR_BYTES


def _written_sectors(source: ReadableDisk) -> Iterator[tuple[int, int]]:
    """Yield each block that holds something, with its bitmap as one number: the first sector is the highest bit."""
    block, bits = 0, 0
    for offset, length in source.extents():
        first, last = offset // SECTOR_BYTES, -(-(offset + length) // SECTOR_BYTES)
        while first < last:
            if first // _BLOCK_SECTORS != block:
                if bits:
                    yield block, bits
                block, bits = first // _BLOCK_SECTORS, 0
            end = min(last, (block + 1) * _BLOCK_SECTORS)
            bits |= ((1 << end - first) - 1) << ((block + 1) * _BLOCK_SECTORS - end)
            first = end
    if bits:
        yield block, bits


def _block_pieces(source: ReadableDisk, block: int, bitmap: bytes) -> Iterator[bytes | memoryview]:
    """Yield the content of a block. Wide gaps come as zeros on their own, of which a file system makes holes."""
    base = block * _BLOCK_BYTES
    held = min(_BLOCK_BYTES, source.size_bytes - base)
    at = 0
    for start, end in _runs(bitmap):
        if start - at >= _GAP_BYTES:
            yield _ZEROS[: start - at]
            at = start
        last = min(end, held)
        for first in range(at, last, _PIECE_BYTES):
            yield source.read(base + first, min(_PIECE_BYTES, last - first))
        at = last
    if at < _BLOCK_BYTES:
        yield _ZEROS[: _BLOCK_BYTES - at]


def _runs(bitmap: bytes) -> Iterator[tuple[int, int]]:
    """Yield `(start, end)` in bytes of the block for each run of written sectors."""
    bits = format(int.from_bytes(bitmap, "big"), f"0{8 * len(bitmap)}b")
    for run in _RUN_OF_ONES.finditer(bits):
        yield run.start() * SECTOR_BYTES, run.end() * SECTOR_BYTES


def _pieces(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for offset, length in ranges:
        for start in range(offset, offset + length, _PIECE_BYTES):
            yield start, min(_PIECE_BYTES, offset + length - start)


def _check_places(table: "array[int]", header: VhdHeader, file_size_bytes: int) -> None:
    """Refuse a table whose blocks share bytes with one another, the headers, the table itself or the footer."""
    block_sectors = (header.bitmap_bytes + header.block_bytes) // SECTOR_BYTES
    last = (file_size_bytes - FOOTER_BYTES) // SECTOR_BYTES
    stored = len(table) - table.count(_UNUSED)
    if stored * block_sectors > last:
        raise VhdError(f"The table names {stored} blocks, more than a file of {file_size_bytes} bytes can hold.")
    free_from = -(-(header.table_offset + 4 * header.blocks) // SECTOR_BYTES)
    for place in sorted(place for place in table if place != _UNUSED):
        if place < free_from:
            raise VhdError(f"The block at sector {place} overlaps what lies before sector {free_from}.")
        if place + block_sectors > last:
            raise VhdError(f"The block at sector {place} reaches beyond the end of the file, sector {last}.")
        free_from = place + block_sectors


def _big_endian(table: "array[int]") -> "array[int]":
    """Turn the numbers of a table from this machine's byte order to the file's, or back."""
    turned = table[:]
    if sys.byteorder == "little":
        turned.byteswap()
    return turned
