"""The footer and the dynamic header of a VHD file: packed for writing, and read with suspicion.

Blocks, bitmaps and the copying of content are in vhd.py. Numbers in a VHD are big-endian throughout.
"""

import struct
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from snapproof.site import ReadableFile

SECTOR_BYTES = 512
FOOTER_BYTES = 512
HEADER_BYTES = 1024
VHD_BYTES_MAX = 2040 << 30
"""The largest disk that a VHD may hold, by its specification: 2040 GiB."""

_FOOTER = struct.Struct(">8sIIQI4sIIQQHBBII16sB427x")
_HEADER = struct.Struct(">8sQQIIII16sII512s192s256x")
_CHECKSUM = struct.Struct(">I")
_FOOTER_CHECKSUM_AT, _HEADER_CHECKSUM_AT = 64, 36

_FOOTER_COOKIE, _HEADER_COOKIE = b"conectix", b"cxsparse"
_VERSION = 0x0001_0000
_FEATURES = 2  # the one bit that is always set
_NOWHERE = 0xFFFF_FFFF_FFFF_FFFF
_EPOCH_S = 946_684_800  # VHD time starts at 2000-01-01T00:00:00Z
_FIXED, _DYNAMIC, _DIFFERENCING = 2, 3, 4
_BLOCK_BYTES_MIN, _BLOCK_BYTES_MAX = 512 << 10, 64 << 20

CREATOR = b"tap\0"
"""What XenServer's own tools sign with. qemu then believes the size in the footer and not the geometry beside it."""

GUESSES = {
    "creator version": 0x0001_0003,
    "creator host": 0,
}
"""What XenServer 7 and 8 write into these two fields was not seen on a real pool."""


class VhdError(Exception):
    """A disk that fits no VHD, or a file that is not the self-contained dynamic VHD it should be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VhdHeader:
    """What the headers of a VHD file say. All numbers were checked against the size of the file."""

    size_bytes: int
    uuid: UUID
    has_parent: bool
    creator: bytes
    time_s: float
    block_bytes: int
    table_offset: int
    blocks: int

    @property
    def bitmap_bytes(self) -> int:
        """Before each block stand whole sectors with one bit for each of the block's sectors."""
        return _whole_sectors(self.block_bytes // SECTOR_BYTES // 8)


def pack_footer(*, size_bytes: int, uuid: UUID, time_s: float) -> bytes:
    """Write the footer of a dynamic disk; a copy of it opens the file."""
    seconds = int(time_s) - _EPOCH_S
    if not 0 <= seconds <= 0xFFFF_FFFF:
        raise VhdError(f"A VHD counts seconds from the year 2000 to 2136; it cannot be dated {time_s}.")
    packed = _FOOTER.pack(
        _FOOTER_COOKIE,
        _FEATURES,
        _VERSION,
        FOOTER_BYTES,  # the header follows the copy of the footer
        seconds,
        CREATOR,
        GUESSES["creator version"],
        GUESSES["creator host"],
        size_bytes,
        size_bytes,
        *geometry(size_bytes // SECTOR_BYTES),
        _DYNAMIC,
        0,
        uuid.bytes,
        0,
    )
    return _sealed(packed, _FOOTER_CHECKSUM_AT)


def pack_header(*, table_offset: int, blocks: int, block_bytes: int) -> bytes:
    """Write the dynamic header of a disk without a parent."""
    packed = _HEADER.pack(
        _HEADER_COOKIE, _NOWHERE, table_offset, _VERSION, blocks, block_bytes, 0, bytes(16), 0, 0, b"", b""
    )
    return _sealed(packed, _HEADER_CHECKSUM_AT)


def geometry(sectors: int) -> tuple[int, int, int]:
    """Cylinders, heads and sectors per track, by the rule of the VHD specification; never more than the disk."""
    sectors = min(sectors, 65535 * 16 * 255)
    if sectors >= 65535 * 16 * 63:
        return sectors // 255 // 16, 16, 255
    tracks = sectors // 17
    heads = max(4, -(-tracks // 1024))
    if tracks < heads * 1024 and heads <= 16:
        return tracks // heads, heads, 17
    tracks = sectors // 31
    if tracks < 16 * 1024:
        return tracks // 16, 16, 31
    return sectors // 63 // 16, 16, 63


def inspect(file: ReadableFile) -> VhdHeader:
    """Read the headers of a dynamic or differencing VHD. Raises VhdError for whatever else the file may be."""
    footer, header_offset = _read_footer(file)
    header = exactly(file, header_offset, HEADER_BYTES)
    _check_seal(header, _HEADER_COOKIE, _HEADER_CHECKSUM_AT, "dynamic header")
    _, _, table_offset, version, blocks, block_bytes, _, parent, _, _, parent_name, locators = _HEADER.unpack(header)
    _, _, _, _, seconds, creator, _, _, _, size_bytes, _, _, _, kind, _, uuid, _ = footer
    _refuse_unless(version == _VERSION, f"The dynamic header has version {version:#x}; only 1.0 is known.")
    _refuse_unless(
        0 < size_bytes <= VHD_BYTES_MAX and size_bytes % SECTOR_BYTES == 0,
        f"The VHD says it holds a disk of {size_bytes} bytes; that must be whole sectors, at most {VHD_BYTES_MAX}.",
    )
    _refuse_unless(
        _BLOCK_BYTES_MIN <= block_bytes <= _BLOCK_BYTES_MAX and block_bytes & (block_bytes - 1) == 0,
        f"The VHD has blocks of {block_bytes} bytes; a power of two from 512 KiB to 64 MiB is expected.",
    )
    needed = -(-size_bytes // block_bytes)
    _refuse_unless(
        blocks >= needed, f"The table has {blocks} entries, but a disk of {size_bytes} bytes needs {needed}."
    )
    _refuse_unless(
        FOOTER_BYTES <= table_offset <= file.size_bytes - FOOTER_BYTES - 4 * needed
        and (table_offset >= header_offset + HEADER_BYTES or table_offset + 4 * needed <= header_offset),
        f"The table of {needed} blocks at byte {table_offset} does not fit a file of {file.size_bytes} bytes.",
    )
    return VhdHeader(
        size_bytes=size_bytes,
        uuid=UUID(bytes=uuid),
        has_parent=kind == _DIFFERENCING or any(parent) or any(parent_name) or any(locators),
        creator=creator,
        time_s=float(seconds + _EPOCH_S),
        block_bytes=block_bytes,
        table_offset=table_offset,
        blocks=needed,
    )


def exactly(file: ReadableFile, offset: int, length: int) -> bytes:
    """Read a part that must be there. Raises VhdError when the file ends before it."""
    content = file.read_at(offset, length)
    _refuse_unless(
        len(content) == length,
        f"The file ends at byte {offset + len(content)}, within {length} bytes from {offset}: it is truncated.",
    )
    return content


def _read_footer(file: ReadableFile) -> tuple[tuple[Any, ...], int]:
    least = 2 * FOOTER_BYTES + HEADER_BYTES + SECTOR_BYTES
    _refuse_unless(file.size_bytes >= least, f"A file of {file.size_bytes} bytes is too short for a dynamic VHD.")
    footer = exactly(file, file.size_bytes - FOOTER_BYTES, FOOTER_BYTES)
    _check_seal(footer, _FOOTER_COOKIE, _FOOTER_CHECKSUM_AT, "footer")
    fields = _FOOTER.unpack(footer)
    version, header_offset, kind = fields[2], fields[3], fields[13]
    _refuse_unless(version == _VERSION, f"The footer has version {version:#x}; only 1.0 is known.")
    _refuse_unless(kind != _FIXED, "The VHD is of the fixed kind; a dynamic one is expected.")
    _refuse_unless(kind in {_DYNAMIC, _DIFFERENCING}, f"The VHD is of kind {kind}; a dynamic one (3) is expected.")
    _refuse_unless(
        exactly(file, 0, FOOTER_BYTES) == footer,
        "The copy of the footer at the beginning of the VHD differs from the footer at its end.",
    )
    _refuse_unless(
        FOOTER_BYTES <= header_offset <= file.size_bytes - FOOTER_BYTES - HEADER_BYTES,
        f"The dynamic header at byte {header_offset} lies outside a file of {file.size_bytes} bytes.",
    )
    return fields, header_offset


def _sealed(packed: bytes, checksum_at: int) -> bytes:
    """Fill in the checksum: the complement of the sum of all other bytes."""
    checksum = _CHECKSUM.pack(~sum(packed[:checksum_at] + packed[checksum_at + 4 :]) & 0xFFFF_FFFF)
    return packed[:checksum_at] + checksum + packed[checksum_at + 4 :]


def _check_seal(packed: bytes, cookie: bytes, checksum_at: int, name: str) -> None:
    _refuse_unless(
        packed.startswith(cookie),
        f"Where the {name} should be stands no {cookie.decode()!r}: this is no dynamic VHD, or it is truncated.",
    )
    _refuse_unless(_sealed(packed, checksum_at) == packed, f"The checksum of the {name} is wrong: the VHD is damaged.")


def _refuse_unless(sound: object, sentence: str) -> None:
    if not sound:
        raise VhdError(sentence)


def _whole_sectors(length: int) -> int:
    return -(-length // SECTOR_BYTES) * SECTOR_BYTES
