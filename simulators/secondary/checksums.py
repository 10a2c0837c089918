"""The checksums of S3 by their names.

The standard library has CRC-32, SHA-1 and SHA-256; the two other CRCs are computed here, a byte at a time.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping
from functools import cache

_CRC32C = 0x82F6_3B78
_CRC64_NVME = 0x9A6C_9329_AC4B_C9B5
"""The polynomials, lowest bit first."""

_EMPTY_BITS = {32: 0xFFFF_FFFF, 64: 0xFFFF_FFFF_FFFF_FFFF}


def crc32c(body: bytes) -> int:
    """CRC-32C (Castagnoli)."""
    return _crc(body, _CRC32C, 32)


def crc64nvme(body: bytes) -> int:
    """CRC-64/NVME."""
    return _crc(body, _CRC64_NVME, 64)


DIGESTS: Mapping[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "CRC32C": lambda body: crc32c(body).to_bytes(4, "big"),
    "CRC64NVME": lambda body: crc64nvme(body).to_bytes(8, "big"),
    "SHA1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}
"""By the names that S3 gives them."""

OF_WHOLE_OBJECTS = frozenset({"CRC64NVME"})
"""What is always that of the whole object; the others are of the parts' checksums unless the client wants otherwise."""


def written(digest: bytes) -> str:
    """Write a checksum as headers and XML carry it."""
    return base64.b64encode(digest).decode()


def _crc(body: bytes, polynomial: int, bits: int) -> int:
    table = _table(polynomial)
    state = _EMPTY_BITS[bits]
    for octet in body:
        state = table[(state ^ octet) & 0xFF] ^ (state >> 8)
    return state ^ _EMPTY_BITS[bits]


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    """Say for each octet what it does to the state."""
    entries = []
    for octet in range(256):
        state = octet
        for _ in range(8):
            state = (state >> 1) ^ (polynomial if state & 1 else 0)
        entries.append(state)
    return tuple(entries)
