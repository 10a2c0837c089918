"""What a backup's bytes must look like before anybody trusts them: a whole dynamic VHD without a parent.

Only the footer and the header are read here; the rest is judged by its digest. The layout is Microsoft's VHD
specification.
"""

import struct

FOOTER_BYTES = 512
HEADER_BYTES = 1024
SECTOR_BYTES = 512
_DYNAMIC = 3
_FOOTER_CHECKSUM_AT = 64
_HEADER_CHECKSUM_AT = 36


BLOCK_BYTES = 2 * 2**20


class BrokenImageError(ValueError):
    """The image is not what it must be."""


def check_image(start: bytes, end: bytes, *, path: str, size_bytes: int) -> None:
    """Check an image by its first 1,536 bytes and its last 512. Raises BrokenImageError naming path and rule."""
    if len(start) < FOOTER_BYTES + HEADER_BYTES or len(end) != FOOTER_BYTES:
        raise BrokenImageError(f"{path} is cut off: shorter than a VHD's header and footer.")
    if not end.startswith(b"conectix") or start[:FOOTER_BYTES] != end:
        raise BrokenImageError(f"{path} is cut off or no VHD: its footer is not a copy of its start.")
    _check_sum(end, _FOOTER_CHECKSUM_AT, f"the footer of {path}")
    (kind,) = struct.unpack_from(">I", end, 60)
    if kind != _DYNAMIC:
        raise BrokenImageError(f"{path} is a VHD of type {kind}; a backup stands alone, as type {_DYNAMIC}.")
    header = start[FOOTER_BYTES : FOOTER_BYTES + HEADER_BYTES]
    if not header.startswith(b"cxsparse"):
        raise BrokenImageError(f"{path} has no dynamic disk header behind its first sector.")
    _check_sum(header, _HEADER_CHECKSUM_AT, f"the header of {path}")
    if any(header[40:56]):
        raise BrokenImageError(f"{path} names a parent; a backup stands alone.")
    (held,) = struct.unpack_from(">Q", end, 48)
    wanted = -(-size_bytes // SECTOR_BYTES) * SECTOR_BYTES
    if held != wanted:
        raise BrokenImageError(f"{path} holds a disk of {held} bytes; the volume has {wanted}.")


def _check_sum(block: bytes, at: int, name: str) -> None:
    (claimed,) = struct.unpack_from(">I", block, at)
    real = ~(sum(block) - sum(block[at : at + 4])) & 0xFFFFFFFF
    if claimed != real:
        raise BrokenImageError(f"The checksum of {name} is wrong.")


def image_bytes_max(size_bytes: int) -> int:
    """How large the image of a disk can become at most: every block of it, each with its map, and the tables."""
    blocks = -(-size_bytes // BLOCK_BYTES)
    table = -(-4 * blocks // SECTOR_BYTES) * SECTOR_BYTES
    return 2 * FOOTER_BYTES + HEADER_BYTES + table + blocks * (SECTOR_BYTES + BLOCK_BYTES)
