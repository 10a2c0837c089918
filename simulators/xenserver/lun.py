"""What a LUN says of itself: SR and VDI identities live in its own bytes and nowhere else, so a clone clashes.

One block of 512 bytes names the SR, one block for each VDI follows, the bytes of VDIs begin at 4 MiB. No hosts here.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID

from snapproof.simulators.fabric import BlockDevice
from snapproof.simulators.xenserver.attachments import Source

MAGIC = b"SNAPRFSR"
VERSION = 1
BLOCK_BYTES = 512
VDI_COUNT_MAX = 127
LABEL_BYTES_MAX = 400
DATA_START = 4 * 2**20
"""Where the first VDI begins; every VDI begins at a multiple of it, as logical volumes do."""

_HEAD = struct.Struct(">8sHH16sI")  # magic, version, number of VDIs, SR uuid, CRC-32 of everything else
_VDI = struct.Struct(">16sQQH")  # uuid, offset, size, bytes of the label that follows


class LayoutError(ValueError):
    """The LUN does not hold what it should: no SR, a damaged one, or not exactly one VDI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VdiEntry:
    """One VDI of the table: its identity and where its bytes lie."""

    uuid: str
    label: str
    offset: int
    size_bytes: int

    @property
    def end(self) -> int:
        return self.offset + self.size_bytes


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
        """Give the SR and every VDI a new identity; where their bytes lie stays."""
        return Layout(sr_uuid=new_uuid(), vdis=tuple(replace(entry, uuid=new_uuid()) for entry in self.vdis))

    def placed(self, *, uuid: str, label: str, size_bytes: int, lun_bytes: int) -> "Layout":
        """Add a VDI in the first gap that takes it; raises LayoutError when there is none."""
        if len(self.vdis) == VDI_COUNT_MAX:
            raise LayoutError(f"SR {self.sr_uuid} holds {VDI_COUNT_MAX} VDIs, more do not fit its table.")
        offset = DATA_START
        for entry in sorted(self.vdis, key=lambda entry: entry.offset):
            if offset + size_bytes <= entry.offset:
                break
            offset = max(offset, _aligned(entry.end))
        if offset + size_bytes > lun_bytes:
            raise LayoutError(f"A VDI of {size_bytes} bytes does not fit a LUN of {lun_bytes}; SR {self.sr_uuid}.")
        entry = VdiEntry(uuid=uuid, label=_cut(label), offset=offset, size_bytes=size_bytes)
        return replace(self, vdis=(*self.vdis, entry))


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


class VdiImage:
    """The bytes of one VDI of a LUN, or of an image of one, as a disk of their own to read from."""

    def __init__(self, device: Source, entry: VdiEntry) -> None:
        self._device = device
        self._entry = entry

    @property
    def uuid(self) -> str:
        return self._entry.uuid

    @property
    def size_bytes(self) -> int:
        return self._entry.size_bytes

    def read(self, offset: int, length: int) -> bytes:
        self._check(offset, length)
        return self._device.read(self._entry.offset + offset, length)

    def extents(self) -> Iterator[tuple[int, int]]:
        begin, end = self._entry.offset, self._entry.end
        for offset, length in self._device.extents():
            first, last = max(offset, begin), min(offset + length, end)
            if first < last:
                yield first - begin, last - first

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(f"{length} bytes at {offset} lie outside VDI {self.uuid} of {self.size_bytes} bytes.")


class VdiView(VdiImage):
    """The bytes of one VDI of a LUN, to read and write."""

    def __init__(self, device: BlockDevice, entry: VdiEntry) -> None:
        super().__init__(device, entry)
        self._writable = device

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        self._check(offset, memoryview(data).nbytes)
        self._writable.write(self._entry.offset + offset, data)


def vdi_of(device: Source) -> VdiImage:
    """The single VDI of a LUN, or of an image of one, for judges. Raises LayoutError unless there is exactly one."""
    layout = read_layout(device)
    if layout is None:
        raise LayoutError("The LUN holds no SR, so there is no VDI to look at.")
    if len(layout.vdis) != 1:
        raise LayoutError(f"SR {layout.sr_uuid} holds {len(layout.vdis)} VDIs where one was expected.")
    return VdiImage(device, layout.vdis[0])


def _checksum(version: int, count: int, sr_uuid: bytes, table: bytes) -> int:
    return zlib.crc32(table, zlib.crc32(struct.pack(">HH", version, count) + sr_uuid))


def _pack(entry: VdiEntry) -> bytes:
    label = entry.label.encode()
    packed = _VDI.pack(UUID(entry.uuid).bytes, entry.offset, entry.size_bytes, len(label)) + label
    return packed.ljust(BLOCK_BYTES, b"\0")


def _unpack(block: bytes) -> VdiEntry:
    uuid, offset, size_bytes, length = _VDI.unpack_from(block)
    label = block[_VDI.size : _VDI.size + length].decode(errors="replace")
    return VdiEntry(uuid=str(UUID(bytes=uuid)), label=label, offset=offset, size_bytes=size_bytes)


def _aligned(offset: int) -> int:
    return -(-offset // DATA_START) * DATA_START


def _cut(label: str) -> str:
    return label.encode()[:LABEL_BYTES_MAX].decode(errors="ignore")
