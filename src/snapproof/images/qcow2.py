"""QCOW2 files: written as version 3 in one stream from a disk, and read in place, versions 2 and 3.

Little is kept in memory whatever the size of the disk. Backing files, compression and encryption are refused.
"""

import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from snapproof.images.disk import ImageError, ReadableDisk
from snapproof.images.qcow2_header import (
    CLUSTER_BITS,
    ENTRY_BYTES,
    SECTOR_BYTES,
    Qcow2Header,
    pack_header,
    read_header,
)
from snapproof.site import ReadableFile, WritableFile

CLUSTER_BYTES = 1 << CLUSTER_BITS
ENTRIES = CLUSTER_BYTES // ENTRY_BYTES
COUNTS = CLUSTER_BYTES // 2
"""Counts of 16 bits in one cluster."""

_COPIED = 1 << 63  # the cluster is counted once
_COMPRESSED = 1 << 62
_ZEROS = 1
_PLACE = 0x00FF_FFFF_FFFF_FE00
_TABLES_KEPT = 32
_CLUSTERS_MAX = 1 << 29  # one bit for each is 64 MiB
SIZE_BYTES_MAX = 64 << 40


class Qcow2Image:
    """The disk in a QCOW2 file, read in place; the file stays open."""

    def __init__(self, file: ReadableFile, header: Qcow2Header, tables: "array[int]") -> None:
        self._file = file
        self._header = header
        self._tables = tables
        self._kept: dict[int, array[int]] = {}

    @property
    def size_bytes(self) -> int:
        """The size of the disk, not of the file."""
        return self._header.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises ValueError for a range outside the disk, ImageError for a file that shrank."""
        end = offset + length
        if offset < 0 or length < 0 or end > self.size_bytes:
            raise ValueError(f"Bytes {offset} to {end} do not lie within a disk of {self.size_bytes} bytes.")
        parts = []
        while offset < end:
            cluster, within = divmod(offset, self._header.cluster_bytes)
            step = min(self._header.cluster_bytes - within, end - offset)
            parts.append(self._read_cluster(cluster, within, step))
            offset += step
        return b"".join(parts)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of all clusters that are stored, ascending and merged."""
        first = last = 0
        for cluster in self._stored():
            start = cluster * self._header.cluster_bytes
            if start != last:
                if first != last:
                    yield first, last - first
                first = start
            last = min(start + self._header.cluster_bytes, self.size_bytes)
        if first != last:
            yield first, last - first

    def check(self) -> None:
        """Refuse tables that reach outside the file, share clusters, or need what is not read here."""
        clusters = -(-self._file.size_bytes // self._header.cluster_bytes)
        if clusters > _CLUSTERS_MAX:
            raise ImageError(f"It has {clusters} clusters; {_CLUSTERS_MAX} is the most that is looked through here.")
        taken = bytearray(-(-clusters // 8))
        first = self._header.table_offset >> self._header.cluster_bits
        own = -(-self._header.tables * ENTRY_BYTES // self._header.cluster_bytes)
        for cluster in (0, *range(first, first + own)):
            _take(taken, cluster, "The first table")
        for number, place in enumerate(self._tables):
            if place:
                self._take_table(taken, number, place)

    def _take_table(self, taken: bytearray, number: int, place: int) -> None:
        self._require_whole(place, f"Table {number}")
        _take(taken, place >> self._header.cluster_bits, f"Table {number}")
        for entry in self._table(number):
            if entry & _COMPRESSED:
                raise ImageError("It has compressed clusters; convert it without compression first.")
            if at := entry & _PLACE:
                name = f"The cluster at byte {at}"
                if at % self._header.cluster_bytes or at >= self._file.size_bytes:
                    raise ImageError(f"{name} does not fit a file of {self._file.size_bytes} bytes.")
                _take(taken, at >> self._header.cluster_bits, name)

    def _require_whole(self, place: int, name: str) -> None:
        if place % self._header.cluster_bytes or place + self._header.cluster_bytes > self._file.size_bytes:
            raise ImageError(f"{name} at byte {place} does not fit a file of {self._file.size_bytes} bytes.")

    def _stored(self) -> Iterator[int]:
        clusters = -(-self.size_bytes // self._header.cluster_bytes)
        for number, place in enumerate(self._tables):
            if place:
                base = number * self._header.entries
                for index, entry in enumerate(self._table(number)):
                    if self._place(entry) and base + index < clusters:
                        yield base + index

    def _read_cluster(self, cluster: int, within: int, length: int) -> bytes:
        number, index = divmod(cluster, self._header.entries)
        place = self._place(self._table(number)[index]) if self._tables[number] else 0
        if not place:
            return bytes(length)
        content = self._file.read_at(place + within, length)
        if place + within + len(content) < min(place + within + length, self._file.size_bytes):
            raise ImageError(f"The file ends within the cluster at byte {place}: it has shrunk.")
        return content.ljust(length, b"\0")  # the last cluster of a file may be short; its end is zeros

    def _place(self, entry: int) -> int:
        return 0 if self._header.version == 3 and entry & _ZEROS else entry & _PLACE

    def _table(self, number: int) -> "array[int]":
        if number not in self._kept:
            while len(self._kept) >= _TABLES_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[number] = _read_entries(self._file, self._tables[number], self._header.entries)
        return self._kept[number]


def open_qcow2(file: ReadableFile) -> Qcow2Image:
    """Open an image that stands alone. Raises ImageError for anything else."""
    header = read_header(file)
    places = _read_entries(file, header.table_offset, header.tables)
    image = Qcow2Image(file, header, array("Q", (place & _PLACE for place in places)))
    image.check()
    return image


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where what lies in a file that is written, in clusters: header, first table, tables, counts, content."""

    table_numbers: tuple[int, ...]
    first_tables: int
    counts_tables: int
    counts: int
    content: int

    @property
    def tables_at(self) -> int:
        return 1 + self.first_tables

    @property
    def counts_table_at(self) -> int:
        return self.tables_at + len(self.table_numbers)

    @property
    def counts_at(self) -> int:
        return self.counts_table_at + self.counts_tables

    @property
    def content_at(self) -> int:
        return self.counts_at + self.counts

    @property
    def clusters(self) -> int:
        return self.content_at + self.content


def write_qcow2(source: ReadableDisk, sink: WritableFile) -> Iterator[int]:
    """Write a self-contained image; yield the bytes written so far, after the tables and after each cluster.

    Only what `extents` names is stored. A size that is no whole number of sectors is rounded up. The source must not
    change meanwhile; where that can be seen it raises ImageError. The caller closes the sink, and discards a file
    whose writing was broken off.
    """
    size_bytes = -(-source.size_bytes // SECTOR_BYTES) * SECTOR_BYTES
    if not 0 < size_bytes <= SIZE_BYTES_MAX:
        raise ImageError(f"A QCOW2 image holds 1 to {SIZE_BYTES_MAX} bytes here; the disk has {source.size_bytes}.")
    layout = _planned(source, size_bytes)
    written = 0
    for part in _tables(source, size_bytes, layout):
        sink.write(part)
        written += len(part)
    if written != layout.content_at * CLUSTER_BYTES:
        raise ImageError("The disk has changed since its image was begun.")
    yield written
    for cluster in _clusters(source):
        offset = cluster * CLUSTER_BYTES
        sink.write(source.read(offset, min(CLUSTER_BYTES, source.size_bytes - offset)).ljust(CLUSTER_BYTES, b"\0"))
        written += CLUSTER_BYTES
        yield written
    if written != layout.clusters * CLUSTER_BYTES:
        raise ImageError("The disk has changed since its image was begun.")


def _planned(source: ReadableDisk, size_bytes: int) -> _Layout:
    content, numbers = 0, list[int]()
    for cluster in _clusters(source):
        content += 1
        if not numbers or numbers[-1] != cluster // ENTRIES:
            numbers.append(cluster // ENTRIES)
    first_tables = -(-_table_count(size_bytes) * ENTRY_BYTES // CLUSTER_BYTES)
    fixed = 1 + first_tables + len(numbers) + content
    counts = counts_tables = 0
    while counts * COUNTS < fixed + counts + counts_tables:
        counts = -(-(fixed + counts + counts_tables) // COUNTS)
        counts_tables = -(-counts * ENTRY_BYTES // CLUSTER_BYTES)
    return _Layout(
        table_numbers=tuple(numbers),
        first_tables=first_tables,
        counts_tables=counts_tables,
        counts=counts,
        content=content,
    )


def _tables(source: ReadableDisk, size_bytes: int, layout: _Layout) -> Iterator[bytes]:
    """Write all that comes before the content."""
    header = pack_header(
        size_bytes=size_bytes,
        tables=_table_count(size_bytes),
        table_offset=CLUSTER_BYTES,
        counts_offset=layout.counts_table_at * CLUSTER_BYTES,
        counts_clusters=layout.counts_tables,
    )
    yield header.ljust(CLUSTER_BYTES, b"\0")
    first = array("Q", bytes(layout.first_tables * CLUSTER_BYTES))
    for at, number in enumerate(layout.table_numbers, layout.tables_at):
        first[number] = at * CLUSTER_BYTES | _COPIED
    yield _big_endian(first).tobytes()
    yield from _second_tables(source, layout)
    places = array("Q", (at * CLUSTER_BYTES for at in range(layout.counts_at, layout.content_at)))
    yield _big_endian(places).tobytes().ljust(layout.counts_tables * CLUSTER_BYTES, b"\0")
    left = layout.clusters
    for _ in range(layout.counts):
        yield (b"\0\1" * min(left, COUNTS)).ljust(CLUSTER_BYTES, b"\0")
        left -= min(left, COUNTS)


def _second_tables(source: ReadableDisk, layout: _Layout) -> Iterator[bytes]:
    """One table after the other, each when its last cluster was seen."""
    number, table = -1, array("Q")
    for at, cluster in enumerate(_clusters(source), layout.content_at):
        if cluster // ENTRIES != number:
            if table:
                yield _big_endian(table).tobytes()
            number, table = cluster // ENTRIES, array("Q", bytes(CLUSTER_BYTES))
        table[cluster % ENTRIES] = at * CLUSTER_BYTES | _COPIED
    if table:
        yield _big_endian(table).tobytes()


def _clusters(source: ReadableDisk) -> Iterator[int]:
    """Number every cluster that holds something."""
    after = 0
    for offset, length in source.extents():
        last = -(-(offset + length) // CLUSTER_BYTES)
        yield from range(max(after, offset // CLUSTER_BYTES), last)
        after = last


def _table_count(size_bytes: int) -> int:
    return -(-size_bytes // (CLUSTER_BYTES * ENTRIES))


def _take(taken: bytearray, cluster: int, name: str) -> None:
    if taken[cluster >> 3] & 1 << (cluster & 7):
        raise ImageError(f"{name} overlaps something else: the image is damaged.")
    taken[cluster >> 3] |= 1 << (cluster & 7)


def _read_entries(file: ReadableFile, offset: int, count: int) -> "array[int]":
    text = file.read_at(offset, count * ENTRY_BYTES)
    if len(text) != count * ENTRY_BYTES:
        raise ImageError(f"The file ends within the table at byte {offset}: it is truncated.")
    return _big_endian(array("Q", text))


def _big_endian(table: "array[int]") -> "array[int]":
    """Turn the numbers of a table from this machine's byte order to the file's, or back."""
    turned = table[:]
    if sys.byteorder == "little":
        turned.byteswap()
    return turned
