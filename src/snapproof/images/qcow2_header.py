"""The header of a QCOW2 file: packed for writing, and read with suspicion. Tables and clusters are in qcow2.py."""

import struct
from dataclasses import dataclass

from snapproof.images.disk import ImageError
from snapproof.site import ReadableFile

MAGIC = b"QFI\xfb"
SECTOR_BYTES = 512
ENTRY_BYTES = 8
CLUSTER_BITS = 16
"""Of what we write: clusters of 64 KiB, as everybody does."""

_HEADER = struct.Struct(">4sIQIIQIIQQIIQ")
_MORE = struct.Struct(">QQQII")
_HEADER_BYTES = _HEADER.size + _MORE.size
_REFCOUNT_ORDER = 4  # counts of 16 bits
_CLUSTER_BITS_MIN, _CLUSTER_BITS_MAX = 9, 21
_TABLE_BYTES_MAX = 32 << 20
_DIRTY = 1  # the counts may be wrong; they are not needed for reading
_FEATURES = {1 << 1: "is marked corrupt", 1 << 2: "keeps its content in another file", 1 << 3: "is compressed in "
             "another way", 1 << 4: "has subclusters"}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Qcow2Header:
    """What a header says. All numbers were checked against the size of the file."""

    version: int
    size_bytes: int
    cluster_bits: int
    table_offset: int
    tables: int

    @property
    def cluster_bytes(self) -> int:
        """How much one entry of a table stands for."""
        return 1 << self.cluster_bits

    @property
    def entries(self) -> int:
        """How many entries a table of the second level has."""
        return self.cluster_bytes // ENTRY_BYTES

    @property
    def covered_bytes(self) -> int:
        """How much of the disk a table of the second level stands for."""
        return self.cluster_bytes * self.entries


def pack_header(*, size_bytes: int, tables: int, table_offset: int, counts_offset: int, counts_clusters: int) -> bytes:
    """Write the header of an image without backing file, encryption and snapshots, version 3."""
    first = _HEADER.pack(
        MAGIC, 3, 0, 0, CLUSTER_BITS, size_bytes, 0, tables, table_offset, counts_offset, counts_clusters, 0, 0
    )
    return first + _MORE.pack(0, 0, 0, _REFCOUNT_ORDER, _HEADER_BYTES)


def read_header(file: ReadableFile) -> Qcow2Header:
    """Read a header. Raises ImageError for whatever cannot be read here, before memory is taken for it."""
    head = file.read_at(0, _HEADER_BYTES)
    _refuse_unless(head.startswith(MAGIC), "It does not begin like a QCOW2 image.")
    _refuse_unless(len(head) >= _HEADER.size, f"It ends within its header, at byte {len(head)}.")
    _, version, backing, _, bits, size_bytes, crypt, tables, table_offset, _, _, _, _ = _HEADER.unpack_from(head)
    _refuse_unless(version in {2, 3}, f"It has version {version}; 2 and 3 are known.")
    _refuse_unless(backing == 0, "It is a difference from a backing file; without that it is not the whole disk.")
    _refuse_unless(crypt == 0, "It is encrypted.")
    if version == 3:
        _check_features(head)
    _refuse_unless(
        _CLUSTER_BITS_MIN <= bits <= _CLUSTER_BITS_MAX, f"It has clusters of 2^{bits} bytes; 2^9 to 2^21 are known."
    )
    covered = (1 << bits) * ((1 << bits) // ENTRY_BYTES)
    needed = -(-size_bytes // covered)
    _refuse_unless(
        size_bytes > 0 and needed * ENTRY_BYTES <= _TABLE_BYTES_MAX,
        f"It says it holds a disk of {size_bytes} bytes, which clusters of {1 << bits} bytes cannot.",
    )
    _refuse_unless(tables >= needed, f"Its first table has {tables} entries, and a disk of this size needs {needed}.")
    _refuse_unless(
        table_offset % (1 << bits) == 0 and 0 < table_offset <= file.size_bytes - needed * ENTRY_BYTES,
        f"Its first table at byte {table_offset} does not fit a file of {file.size_bytes} bytes.",
    )
    return Qcow2Header(
        version=version, size_bytes=size_bytes, cluster_bits=bits, table_offset=table_offset, tables=needed
    )


def _check_features(head: bytes) -> None:
    _refuse_unless(len(head) == _HEADER_BYTES, f"It ends within its header, at byte {len(head)}.")
    features, _, _, _, length = _MORE.unpack_from(head, _HEADER.size)
    _refuse_unless(length >= _HEADER_BYTES, f"Its header says that it has {length} bytes; {_HEADER_BYTES} are needed.")
    for bit, sentence in _FEATURES.items():
        _refuse_unless(not features & bit, f"It {sentence}.")
    unknown = features & ~_DIRTY
    _refuse_unless(not unknown, f"It has features that nobody here knows: {unknown:#x}.")


def _refuse_unless(sound: object, sentence: str) -> None:
    if not sound:
        raise ImageError(sentence)
