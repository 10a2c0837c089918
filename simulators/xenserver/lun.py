"""What a LUN says of itself: SR and VDI identities live in its own bytes and nowhere else, so a clone clashes.

One block of 512 bytes names the SR, one block for each VDI follows, the bytes of VDIs begin at 4 MiB. A VDI with a
parent holds only what differs from it, and behind its bytes a map of the blocks that it holds. Reading is chains.py's.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from snapproof.simulators.fabric import BlockDevice
from snapproof.simulators.xenserver.attachments import Source

MAGIC = b"SNAPRFSR"
VERSION = 2
BLOCK_BYTES = 512
VDI_COUNT_MAX = 127
LABEL_BYTES_MAX = 400
DATA_START = 4 * 2**20
"""Where the first VDI begins; every VDI begins at a multiple of it, as logical volumes do."""

_HEAD = struct.Struct(">8sHH16sI")  # magic, version, number of VDIs, SR uuid, CRC-32 of everything else
_VDI = struct.Struct(">16sQQQ16s16sdBH")
"""Uuid, offset, size, bytes taken, uuids of parent and original, time, flags, and the bytes of the label to come."""

NO_UUID = str(UUID(int=0))
HIDDEN, SNAPSHOT = 1, 2
MAP_BLOCK_BYTES = 4096
"""What one bit of a map stands for."""


class LayoutError(ValueError):
    """The LUN does not hold what it should: no SR, a damaged one, or not exactly one VDI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VdiEntry:
    """One VDI of the table: its identity, where its bytes lie, and whose difference they are."""

    uuid: str
    label: str
    offset: int
    size_bytes: int
    taken_bytes: int
    parent: str = ""
    hidden: bool = False
    snapshot: bool = False
    snapshot_of: str = ""
    snapshot_s: float = 0.0

    @property
    def end(self) -> int:
        return self.offset + self.taken_bytes

    @property
    def data_end(self) -> int:
        """Where its own bytes end; a map may follow."""
        return self.offset + min(self.size_bytes, self.taken_bytes)

    @property
    def mapped(self) -> bool:
        """Say whether it holds some blocks of its own, and a map of them."""
        return bool(self.parent and self.taken_bytes)

    @property
    def map_offset(self) -> int:
        return self.offset + _whole_blocks(self.size_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The identity of a LUN: which SR it is and which VDIs it holds."""

    sr_uuid: str
    vdis: tuple[VdiEntry, ...] = ()

    def entry(self, uuid: str) -> VdiEntry:
        """Find a VDI by its uuid; raises LayoutError."""
        for entry in self.vdis:
            if entry.uuid == uuid:
                return entry
        raise LayoutError(f"SR {self.sr_uuid} holds no VDI {uuid}; scan the SR.")

    def without(self, uuid: str) -> "Layout":
        return replace(self, vdis=tuple(entry for entry in self.vdis if entry.uuid != uuid))

    def renamed(self, uuid: str, label: str) -> "Layout":
        return replace(self, vdis=tuple(replace(e, label=_cut(label)) if e.uuid == uuid else e for e in self.vdis))

    def resigned(self, new_uuid: Callable[[], str]) -> "Layout":
        """Give the SR and every VDI a new identity; where their bytes lie, and whose child is whose, stays."""
        sr_uuid = new_uuid()
        fresh = {entry.uuid: new_uuid() for entry in self.vdis}
        vdis = (
            replace(
                entry,
                uuid=fresh[entry.uuid],
                parent=fresh.get(entry.parent, ""),
                snapshot_of=fresh.get(entry.snapshot_of, ""),
            )
            for entry in self.vdis
        )
        return Layout(sr_uuid=sr_uuid, vdis=tuple(vdis))

    def lineage(self, entry: VdiEntry) -> tuple[VdiEntry, ...]:
        """The VDI and its ancestors, itself first. Raises LayoutError where one is missing or its own ancestor."""
        found = [entry]
        while found[-1].parent:
            if len(found) > VDI_COUNT_MAX:
                raise LayoutError(f"VDI {entry.uuid} of SR {self.sr_uuid} is its own ancestor.")
            found.append(self.entry(found[-1].parent))
        return tuple(found)

    def children(self, uuid: str) -> tuple[VdiEntry, ...]:
        return tuple(entry for entry in self.vdis if entry.parent == uuid)

    def replaced(self, uuid: str, *others: VdiEntry) -> "Layout":
        """Put others in the place of one entry; with none, it is taken out."""
        kept: list[VdiEntry] = []
        for entry in self.vdis:
            kept += others if entry.uuid == uuid else [entry]
        return replace(self, vdis=tuple(kept))

    def placed(self, *, uuid: str, label: str, size_bytes: int, lun_bytes: int, parent: str = "") -> "Layout":
        """Add a VDI in the first gap that takes it; raises LayoutError when there is none."""
        if len(self.vdis) >= VDI_COUNT_MAX:
            raise LayoutError(f"SR {self.sr_uuid} holds {VDI_COUNT_MAX} VDIs, more do not fit its table.")
        taken_bytes = size_bytes if not parent else _whole_blocks(size_bytes) + map_bytes(size_bytes)
        offset = self._gap(taken_bytes)
        if offset + taken_bytes > lun_bytes:
            raise LayoutError(f"A VDI of {size_bytes} bytes does not fit a LUN of {lun_bytes}; SR {self.sr_uuid}.")
        entry = VdiEntry(
            uuid=uuid, label=_cut(label), offset=offset, size_bytes=size_bytes, taken_bytes=taken_bytes, parent=parent
        )
        return replace(self, vdis=(*self.vdis, entry))

    def grown(self, uuid: str, size_bytes: int, *, lun_bytes: int) -> "Layout":
        """Let a VDI without relatives reach further, where nothing lies behind it; raises LayoutError."""
        entry = self.entry(uuid)
        if entry.parent or self.children(uuid):
            raise LayoutError(f"VDI {uuid} of SR {self.sr_uuid} is part of a chain; coalesce it first.")
        behind = [other.offset for other in self.vdis if other.offset > entry.offset]
        if entry.offset + size_bytes > min([lun_bytes, *behind]):
            raise LayoutError(f"A VDI of {size_bytes} bytes does not fit a LUN of {lun_bytes}; SR {self.sr_uuid}.")
        return self.replaced(uuid, replace(entry, size_bytes=size_bytes, taken_bytes=size_bytes))

    def _gap(self, taken_bytes: int) -> int:
        """Find where so many bytes fit between the VDIs, or behind the last."""
        offset = DATA_START
        for entry in sorted(self.vdis, key=lambda entry: entry.offset):
            if offset + taken_bytes <= entry.offset or not taken_bytes:
                break
            offset = max(offset, _aligned(entry.end))
        return offset


def lun_size_for(vdi_bytes: int) -> int:
    """The smallest LUN that takes an SR with one VDI of this size."""
    return DATA_START + vdi_bytes


def read_layout(device: Source) -> Layout | None:
    """Read the identity of a LUN: None where no SR was ever written, LayoutError where one is damaged."""
    if device.size_bytes < DATA_START:
        return None
    head = device.read(0, BLOCK_BYTES)
    magic, version, count, sr_uuid, checksum = _HEAD.unpack_from(head)
    if magic != MAGIC:
        return None
    if version != VERSION or count > VDI_COUNT_MAX:
        raise LayoutError(f"The LUN holds an SR of version {version} with {count} VDIs; this host cannot read it.")
    table = device.read(BLOCK_BYTES, count * BLOCK_BYTES)
    if _checksum(version, count, sr_uuid, table) != checksum:
        raise LayoutError("The LUN holds a damaged SR: its checksum does not match.")
    blocks = (table[at : at + BLOCK_BYTES] for at in range(0, len(table), BLOCK_BYTES))
    layout = Layout(sr_uuid=str(UUID(bytes=sr_uuid)), vdis=tuple(_unpack(block) for block in blocks))
    for entry in layout.vdis:
        if entry.offset < DATA_START or entry.end > device.size_bytes:
            raise LayoutError(f"VDI {entry.uuid} of SR {layout.sr_uuid} lies outside its LUN.")
    return layout


def write_layout(device: BlockDevice, layout: Layout) -> None:
    """Write the identity of a LUN in place; the bytes of its VDIs stay as they are."""
    if device.size_bytes < DATA_START:
        raise LayoutError(f"A LUN of {device.size_bytes} bytes is too small for an SR; it takes {DATA_START} bytes.")
    sr_uuid, table = UUID(layout.sr_uuid).bytes, b"".join(_pack(entry) for entry in layout.vdis)
    count = len(layout.vdis)
    head = _HEAD.pack(MAGIC, VERSION, count, sr_uuid, _checksum(VERSION, count, sr_uuid, table))
    device.write(0, head.ljust(BLOCK_BYTES, b"\0") + table)


def _checksum(version: int, count: int, sr_uuid: bytes, table: bytes) -> int:
    return zlib.crc32(table, zlib.crc32(struct.pack(">HH", version, count) + sr_uuid))


def map_bytes(size_bytes: int) -> int:
    """How long the map of a VDI of this size is."""
    return -(-size_bytes // (MAP_BLOCK_BYTES * 8))


def _pack(entry: VdiEntry) -> bytes:
    label = entry.label.encode()
    packed = _VDI.pack(
        UUID(entry.uuid).bytes,
        entry.offset,
        entry.size_bytes,
        entry.taken_bytes,
        UUID(entry.parent or NO_UUID).bytes,
        UUID(entry.snapshot_of or NO_UUID).bytes,
        entry.snapshot_s,
        entry.hidden * HIDDEN | entry.snapshot * SNAPSHOT,
        len(label),
    )
    return (packed + label).ljust(BLOCK_BYTES, b"\0")


def _unpack(block: bytes) -> VdiEntry:
    uuid, offset, size_bytes, taken_bytes, parent, original, time_s, flags, length = _VDI.unpack_from(block)
    return VdiEntry(
        uuid=str(UUID(bytes=uuid)),
        label=block[_VDI.size : _VDI.size + length].decode(errors="replace"),
        offset=offset,
        size_bytes=size_bytes,
        taken_bytes=taken_bytes,
        parent=str(UUID(bytes=parent)) if any(parent) else "",
        hidden=bool(flags & HIDDEN),
        snapshot=bool(flags & SNAPSHOT),
        snapshot_of=str(UUID(bytes=original)) if any(original) else "",
        snapshot_s=time_s,
    )


def _whole_blocks(size_bytes: int) -> int:
    return -(-size_bytes // MAP_BLOCK_BYTES) * MAP_BLOCK_BYTES


def _aligned(offset: int) -> int:
    return -(-offset // DATA_START) * DATA_START


def _cut(label: str) -> str:
    return label.encode()[:LABEL_BYTES_MAX].decode(errors="ignore")
