"""Chains of VDIs on a LUN: the bytes of a disk through its ancestors, its snapshots, and coalescing.

As with sm's VHD trees, a snapshot turns a disk's bytes into a hidden parent of two: the disk, which from now on holds
what changes, and the snapshot, which holds nothing of its own. Which VDIs there are is the layout's (lun.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from snapproof.simulators.fabric import BlockDevice
from snapproof.simulators.xenserver.attachments import Fork, Source
from snapproof.simulators.xenserver.lun import (
    MAP_BLOCK_BYTES,
    Layout,
    LayoutError,
    VdiEntry,
    read_layout,
    write_layout,
)

COPY_BYTES = 512 * MAP_BLOCK_BYTES


class VdiImage:
    """The bytes of one VDI of a LUN, or of an image of one, as a disk of their own to read from."""

    def __init__(self, device: Source, layout: Layout, uuid: str) -> None:
        self._device = device
        self._lineage = layout.lineage(layout.entry(uuid))

    @property
    def uuid(self) -> str:
        return self._lineage[0].uuid

    @property
    def size_bytes(self) -> int:
        return self._lineage[0].size_bytes

    def read(self, offset: int, length: int) -> bytes:
        self._check(offset, length)
        if len(self._lineage) == 1:
            return self._device.read(self._lineage[0].offset + offset, length)
        return b"".join(
            self._device.read(holder.offset + first, last - first) for holder, first, last in self._runs(offset, length)
        )

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield what any VDI of the chain holds; where one hides another, nothing is lost by naming both."""
        ranges = sorted(found for entry in self._lineage for found in self._extents_of(entry))
        first = last = 0
        for begin, end in ranges:
            if begin > last:
                if last > first:
                    yield first, last - first
                first = begin
            last = max(last, end)
        if last > first:
            yield first, last - first

    def _extents_of(self, entry: VdiEntry) -> Iterator[tuple[int, int]]:
        for offset, length in self._device.extents():
            first, last = max(offset, entry.offset), min(offset + length, entry.data_end)
            if first < last:
                yield first - entry.offset, last - entry.offset

    def _runs(self, offset: int, length: int) -> Iterator[tuple[VdiEntry, int, int]]:
        """Name who holds each range, as `(entry, first, last)`, neighbours of one holder together."""
        first_block, end = offset // MAP_BLOCK_BYTES, offset + length
        maps = [self._map(entry, first_block, -(-end // MAP_BLOCK_BYTES)) for entry in self._lineage]
        start, held = offset, None
        for block in range(first_block, -(-end // MAP_BLOCK_BYTES)):
            holder = next(entry for entry, holds in zip(self._lineage, maps, strict=True) if holds(block))
            at = max(offset, block * MAP_BLOCK_BYTES)
            if held is not None and holder is not held:
                yield held, start, at
                start = at
            held = holder
        if held is not None:
            yield held, start, end

    def _map(self, entry: VdiEntry, first: int, last: int) -> Callable[[int], bool]:
        """Read which of these blocks an entry holds itself: the eldest all, a bare snapshot none."""
        if not entry.parent:
            return lambda _block: True
        if not entry.mapped:
            return lambda _block: False
        skipped = first // 8
        bits = self._device.read(entry.map_offset + skipped, -(-last // 8) - skipped)
        return lambda block: bool(bits[block // 8 - skipped] >> block % 8 & 1)

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise ValueError(f"{length} bytes at {offset} lie outside VDI {self.uuid} of {self.size_bytes} bytes.")


class VdiView(VdiImage):
    """The bytes of one VDI of a LUN, to read and write. A block that it shares is its own before it changes."""

    def __init__(self, device: BlockDevice, layout: Layout, uuid: str) -> None:
        super().__init__(device, layout, uuid)
        self._writable = device

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        view = memoryview(data).cast("B")
        self._check(offset, len(view))
        own = self._lineage[0]
        if not own.parent:
            self._writable.write(own.offset + offset, view)
            return
        if not own.mapped:
            raise ValueError(f"VDI {own.uuid} is a snapshot and cannot be written.")
        if len(view):
            self._own(offset, offset + len(view))
            self._writable.write(own.offset + offset, view)

    def _own(self, first: int, last: int) -> None:
        """Bring the blocks at both ends of a write over, and note all of them as its own."""
        own = self._lineage[0]
        for at in sorted({first // MAP_BLOCK_BYTES, (last - 1) // MAP_BLOCK_BYTES}):
            begin, end = at * MAP_BLOCK_BYTES, min((at + 1) * MAP_BLOCK_BYTES, self.size_bytes)
            if (first > begin or last < end) and not self._map(own, at, at + 1)(at):
                self._writable.write(own.offset + begin, self.read(begin, end - begin))
        low, high = first // MAP_BLOCK_BYTES, (last - 1) // MAP_BLOCK_BYTES
        place = own.map_offset + low // 8
        bits = bytearray(self._device.read(place, high // 8 - low // 8 + 1))
        for block in range(low, high + 1):
            bits[block // 8 - low // 8] |= 1 << block % 8
        self._writable.write(place, bits)

    def own_blocks(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of what it holds itself, in pieces to copy."""
        own = self._lineage[0]
        holds = self._map(own, 0, -(-self.size_bytes // MAP_BLOCK_BYTES))
        first = None
        for block in range(-(-self.size_bytes // MAP_BLOCK_BYTES) + 1):
            at = min(block * MAP_BLOCK_BYTES, self.size_bytes)
            held = at < self.size_bytes and holds(block)
            if first is not None and (not held or at - first >= COPY_BYTES):
                yield first, at - first
                first = None
            if held and first is None:
                first = at


def fork(layout: Layout, uuid: str, wanted: Fork, *, lun_bytes: int) -> Layout:
    """Snapshot or clone a VDI. Raises LayoutError where the LUN has no room for what changes from now on."""
    entry = layout.entry(uuid)
    if entry.parent and not entry.taken_bytes:  # a bare snapshot shares its parent with the new one
        return _with_child(layout, wanted, entry.parent, entry, lun_bytes)
    base = replace(entry, uuid=wanted.base_uuid, label="base copy", hidden=True, snapshot=False)
    layout = layout.replaced(uuid, base)
    layout = layout.placed(
        uuid=uuid, label=entry.label, size_bytes=entry.size_bytes, lun_bytes=lun_bytes, parent=base.uuid
    )
    again = replace(layout.entry(uuid), snapshot_of=entry.snapshot_of, snapshot_s=entry.snapshot_s)
    return _with_child(layout.replaced(uuid, again), wanted, base.uuid, entry, lun_bytes)


def _with_child(layout: Layout, wanted: Fork, parent: str, of: VdiEntry, lun_bytes: int) -> Layout:
    if wanted.writable:
        return layout.placed(
            uuid=wanted.uuid, label=wanted.label, size_bytes=of.size_bytes, lun_bytes=lun_bytes, parent=parent
        )
    bare = layout.placed(uuid=wanted.uuid, label=wanted.label, size_bytes=0, lun_bytes=lun_bytes)
    entry = replace(
        bare.entry(wanted.uuid),
        size_bytes=of.size_bytes,
        parent=parent,
        snapshot=True,
        snapshot_of=of.uuid,
        snapshot_s=wanted.time_s,
    )
    return bare.replaced(wanted.uuid, entry)


def new_regions(before: Layout, after: Layout) -> Iterator[tuple[int, int]]:
    """Yield `(offset, length)` of what VDIs took that were not there, or lay elsewhere: it must read as zeros."""
    taken = {(entry.offset, entry.taken_bytes) for entry in before.vdis}
    for entry in after.vdis:
        if entry.taken_bytes and (entry.offset, entry.taken_bytes) not in taken:
            yield entry.offset, entry.taken_bytes


def coalesce(device: BlockDevice, layout: Layout) -> Layout | None:
    """Take one hidden VDI that has no or one child out of the tree; None where there is nothing left to do.

    The child's blocks are written over the parent's first; only then does the table change.
    """
    for base in layout.vdis:
        children = layout.children(base.uuid)
        if not base.hidden or len(children) > 1:
            continue
        if not children:
            return _stored(device, layout.replaced(base.uuid))
        (child,) = children
        if child.taken_bytes:
            source, target = VdiView(device, layout, child.uuid), VdiView(device, layout, base.uuid)
            for offset, length in source.own_blocks():
                target.write(offset, source.read(offset, length))
        merged = replace(child, offset=base.offset, taken_bytes=base.taken_bytes, parent=base.parent)
        return _stored(device, layout.replaced(child.uuid).replaced(base.uuid, merged))
    return None


def _stored(device: BlockDevice, layout: Layout) -> Layout:
    write_layout(device, layout)
    return layout


def vdi_of(device: Source) -> VdiImage:
    """The single disk of a LUN, or of an image of one, for judges. Raises LayoutError unless there is exactly one.

    Snapshots and hidden parents are no disks.
    """
    layout = read_layout(device)
    if layout is None:
        raise LayoutError("The LUN holds no SR, so there is no VDI to look at.")
    disks = [entry for entry in layout.vdis if not entry.hidden and not entry.snapshot]
    if len(disks) != 1:
        raise LayoutError(f"SR {layout.sr_uuid} holds {len(disks)} VDIs where one was expected.")
    return VdiImage(device, layout, disks[0].uuid)
