"""Thin volumes over one pool of 4 KiB blocks: snapshot, clone and restore keep or take the root of a persistent tree.

Nodes are never changed once an image shares them: a write copies its path and goes to a fresh block. A block of zeros
is never stored, so what is mapped is what differs from zero. One writer per store at a time; images may be read
beside it, also from other threads. Names, access and time belong to the simulators that own the volumes.
"""

import hashlib
from collections.abc import Iterator
from typing import Any, TypeAlias

from snapproof.simulators.arena import BLOCK_BYTES, LEAF_BLOCKS, LEAF_BYTES, ZEROS, Arena, Leaf

__all__ = ["BLOCK_BYTES", "SIZE_BYTES_MAX", "BlockImage", "BlockStore", "BlockVolume", "ReleasedError"]

SIZE_BYTES_MAX = 64 << 40

_LEVELS = ((22, 63), (16, 63), (10, 63), (5, 31), (0, 31))
"""Shift and mask that pick a child by the number of a leaf, from the root down."""

_TOP_BYTES = LEAF_BYTES << 22
"""What one child of the root covers: a TiB. The root is as wide as its volume needs, so small volumes copy little."""

_DIGEST_PIECE_BYTES = 1 << 20

_Node: TypeAlias = list[Any]
"""Children, then the epoch that may change the node. The children of the lowest nodes are leaves."""


class ReleasedError(ValueError):
    """The volume or image was released; its blocks may hold something else by now."""


class _Pool(Arena):
    """An arena with the nodes that all unwritten ranges share; they belong to no epoch."""

    __slots__ = ("blanks",)

    def __init__(self) -> None:
        super().__init__()
        self.blanks: list[Any] = [self.blank_leaf()]
        for _, mask in reversed(_LEVELS[1:]):
            self.blanks.insert(0, [self.blanks[0]] * (mask + 1) + [None])

    def blank_root(self, size_bytes: int) -> _Node:
        if not 0 <= size_bytes <= SIZE_BYTES_MAX:
            raise ValueError(f"A disk has 0 to {SIZE_BYTES_MAX} bytes (64 TiB), not {size_bytes}.")
        return [self.blanks[0]] * max(1, -(-size_bytes // _TOP_BYTES)) + [None]


class _Content:
    """What volumes and images have in common: a size, a tree, and reading."""

    __slots__ = ("_pool", "_root", "_size")

    def __init__(self, pool: _Pool, root: _Node, size_bytes: int) -> None:
        self._pool = pool
        self._root: _Node = root
        self._size = size_bytes

    @property
    def size_bytes(self) -> int:
        """The size of the disk: any number of bytes, not only whole blocks."""
        self._refuse_if_released()
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Read `length` bytes. Raises ValueError for a range outside the disk."""
        end = offset + length
        if offset < 0 or length < 0 or end > self._size:
            self._refuse_range(offset, end)
        block = offset // BLOCK_BYTES
        within = offset % BLOCK_BYTES
        if 0 < length <= BLOCK_BYTES - within:
            return self._pool.part(self._leaf(block >> 6).ids[block & 63], within, length)
        views: list[memoryview] = []
        last = -(-end // BLOCK_BYTES)
        while block < last:
            slot = block & 63
            count = min(LEAF_BLOCKS - slot, last - block)
            self._pool.gather(self._leaf(block >> 6).ids, slot, slot + count, views)
            block += count
        if within and views:
            views[0] = views[0][within:]
        if end % BLOCK_BYTES and views:
            views[-1] = views[-1][: end % BLOCK_BYTES - BLOCK_BYTES]
        return b"".join(views)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of all blocks that are not zero, ascending and merged.

        Takes them from the tree as it is; where a volume may be written meanwhile, ask a snapshot.
        """
        self._refuse_if_released()
        return _ranges(_differing(self._root, [None], self._pool), self._size)

    def release(self) -> None:
        """Let go of the blocks. Doing it again does nothing; any other use is refused from now on."""
        self._root = [None]
        self._size = -1

    def root_within(self, pool: Arena) -> _Node:
        """Hand the tree to another content of the same store. Raises ValueError for a foreign store."""
        self._refuse_if_released()
        if self._pool is not pool:
            raise ValueError("The image belongs to another block store and shares no blocks; copy its bytes instead.")
        return self._root

    def _leaf(self, number: int) -> Leaf:
        leaf: Leaf = self._root[number >> 22][number >> 16 & 63][number >> 10 & 63][number >> 5 & 31][number & 31]
        return leaf

    def _refuse_if_released(self) -> None:
        if self._size < 0:
            raise ReleasedError(f"This {type(self).__name__} was released and cannot be used any more.")

    def _refuse_range(self, offset: int, end: int) -> None:
        self._refuse_if_released()
        raise ValueError(f"Bytes {offset} to {end} do not lie within a disk of {self._size} bytes.")


class BlockVolume(_Content):
    """A disk that can be written: a BlockDevice of the fabric that also has snapshots."""

    __slots__ = ("_epoch",)

    def __init__(self, pool: _Pool, root: _Node, size_bytes: int) -> None:
        self._pool = pool
        self._root = root
        self._size = size_bytes
        self._epoch = object()  # no node carries it yet, so the first write copies its path

    def snapshot(self) -> "BlockImage":
        """Keep the present content, in constant time."""
        self._refuse_if_released()
        self._epoch = object()
        return BlockImage(self._pool, self._root, self._size)

    def restore(self, image: "BlockImage") -> None:
        """Take content and size of an image of the same store, in constant time."""
        self._refuse_if_released()
        self._root = image.root_within(self._pool)  # no node of an image carries an epoch that a volume still has
        self._size = image.size_bytes

    def write(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write at any alignment. Raises ValueError for a range outside the disk."""
        view = memoryview(data).cast("B")
        position, end = offset, offset + len(view)
        if offset < 0 or end > self._size:
            self._refuse_range(offset, end)
        while position < end:
            block = position // BLOCK_BYTES
            within = position % BLOCK_BYTES
            if within or end - position < BLOCK_BYTES:
                step = min(BLOCK_BYTES - within, end - position)
                self._write_part(block, within, view[position - offset : position - offset + step])
            else:
                step = BLOCK_BYTES * min(LEAF_BLOCKS - (block & 63), (end - position) // BLOCK_BYTES)
                self._write_blocks(block, view[position - offset : position - offset + step])
            position += step

    def discard(self, offset: int, length: int) -> None:
        """Make a range read as zeros and give its blocks back. Raises ValueError for a range outside the disk."""
        end = offset + length
        if offset < 0 or length < 0 or end > self._size:
            self._refuse_range(offset, end)
        first = -(-offset // BLOCK_BYTES)
        last = end // BLOCK_BYTES
        if first >= last:
            self.write(offset, ZEROS[:length])
            return
        self.write(offset, ZEROS[: first * BLOCK_BYTES - offset])
        self._unmap(first, last)
        self.write(last * BLOCK_BYTES, ZEROS[: end - last * BLOCK_BYTES])

    def resize(self, size_bytes: int) -> None:
        """Grow with zeros at the end, or shrink and discard the tail."""
        self._refuse_if_released()
        root = self._pool.blank_root(size_bytes)
        if size_bytes < self._size:
            self.discard(size_bytes, self._size - size_bytes)
        kept = min(len(root), len(self._root)) - 1
        root[:kept] = self._root[:kept]
        self._root = root
        self._size = size_bytes

    def _write_part(self, block: int, within: int, part: memoryview) -> None:
        whole = bytearray(self._pool.part(self._leaf(block >> 6).ids[block & 63], 0, BLOCK_BYTES))
        whole[within : within + len(part)] = part
        self._write_blocks(block, memoryview(whole))

    def _write_blocks(self, block: int, content: memoryview) -> None:
        """Write whole blocks of one leaf, those that come to lie side by side in one copy."""
        if not content[0] and ZEROS.startswith(content):
            self._unmap(block, block + len(content) // BLOCK_BYTES)
            return
        pool = self._pool
        ids = self._writable_leaf(block >> 6).ids
        slot = block & 63
        first = first_at = 0
        expected = -1
        for at in range(0, len(content), BLOCK_BYTES):
            if not content[at] and ZEROS.startswith(content[at : at + BLOCK_BYTES]):
                here = pool.unmap(ids, slot)
            else:
                here = pool.destination(ids, slot)
            if here != expected or pool.starts_chunk(here):
                if first:
                    pool.put(first, content[first_at:at])
                first, first_at = here, at
            expected = here + 1 if here else -1
            slot += 1
        if first:
            pool.put(first, content[first_at:])

    def _unmap(self, first: int, last: int) -> None:
        """Let blocks `first` to `last` be zero: whole leaves by cutting them off, the others slot by slot."""
        head = min(last, -(-first // LEAF_BLOCKS) * LEAF_BLOCKS)
        tail = max(head, last - last % LEAF_BLOCKS)
        self._unmap_slots(first, head)
        if head < tail:
            self._root = self._cut(self._root, 0, head // LEAF_BLOCKS, tail // LEAF_BLOCKS)
        self._unmap_slots(tail, last)

    def _unmap_slots(self, first: int, last: int) -> None:
        number, slot = divmod(first, LEAF_BLOCKS)
        slots = range(slot, slot + last - first)
        if slots and any(self._leaf(number).ids[slot : slots.stop]):
            ids = self._writable_leaf(number).ids
            for slot in slots:
                self._pool.unmap(ids, slot)

    def _cut(self, node: _Node, level: int, first: int, last: int) -> _Node:
        """Put blanks in place of leaves `first` to `last`, counted from the node's own first leaf."""
        shift = _LEVELS[level][0]
        blank = self._pool.blanks[level]
        node = self._own(node)
        for slot in range(first >> shift, (last - 1 >> shift) + 1):
            low = max(first - (slot << shift), 0)
            high = min(last - (slot << shift), 1 << shift)
            if node[slot] is not blank:
                whole = high - low == 1 << shift
                node[slot] = blank if whole else self._cut(node[slot], level + 1, low, high)
        return node

    def _writable_leaf(self, number: int) -> Leaf:
        """Copy the path to a leaf as far as it is shared. What carries this epoch has a path of this epoch."""
        leaf = self._leaf(number)
        epoch = self._epoch
        if leaf.epoch is epoch:
            return leaf
        node = self._root = self._own(self._root)
        for shift, mask in _LEVELS[:-1]:
            slot = number >> shift & mask
            child = node[slot]
            if child[-1] is not epoch:
                child = node[slot] = child[:]
                child[-1] = epoch
            node = child
        copy = node[number & 31] = self._pool.copy_leaf(leaf, epoch)
        return copy

    def _own(self, node: _Node) -> _Node:
        if node[-1] is not self._epoch:
            node = node[:]
            node[-1] = self._epoch
        return node


class BlockImage(_Content):
    """The content of a volume at one moment. It never changes, and holds its blocks until it is released."""

    __slots__ = ()

    def clone(self) -> BlockVolume:
        """Make a volume that starts with this content and shares its blocks, in constant time."""
        self._refuse_if_released()
        return BlockVolume(self._pool, self._root, self._size)

    def diff(self, other: "BlockImage") -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of what was written between the two images, ascending and merged.

        Costs as much as the change, not as the disk. A block that was rewritten with equal bytes counts as changed;
        where one image is shorter, the other is compared with zeros.
        """
        self._refuse_if_released()
        changed = _differing(self._root, other.root_within(self._pool), self._pool)
        return _ranges(changed, max(self.size_bytes, other.size_bytes))

    def digest(self) -> str:
        """Hash size and content: images that a guest cannot tell apart have equal digests."""
        sha = hashlib.sha256(b"%d\n" % self.size_bytes)
        for offset, length in self.extents():
            sha.update(b"%d %d\n" % (offset, length))
            for start in range(offset, offset + length, _DIGEST_PIECE_BYTES):
                sha.update(self.read(start, min(_DIGEST_PIECE_BYTES, offset + length - start)))
        return sha.hexdigest()


class BlockStore:
    """A pool of blocks from which volumes are made. Blocks that nothing refers to any more are used again."""

    __slots__ = ("_pool",)

    def __init__(self) -> None:
        self._pool = _Pool()

    def create(self, size_bytes: int) -> BlockVolume:
        """Make a volume of zeros of up to 64 TiB; it holds no block before something else is written."""
        return BlockVolume(self._pool, self._pool.blank_root(size_bytes), size_bytes)

    def used_blocks(self) -> int:
        """Count the blocks that volumes and images hold; one that several share counts once. A writer's turn, too."""
        return self._pool.used_blocks()


def _differing(ours: _Node, theirs: _Node, pool: _Pool) -> Iterator[tuple[int, int]]:
    """Yield `(first, last)` of the blocks that two trees name differently, not merged across leaves."""
    width = max(len(ours), len(theirs)) - 1
    ours, theirs = ([*root[:-1], *[pool.blanks[0]] * (width + 1 - len(root)), None] for root in (ours, theirs))
    for number, left, right in _differing_leaves(ours, theirs, 0, 0):
        base = number * LEAF_BLOCKS
        start = -1
        for slot in range(LEAF_BLOCKS):
            if left.ids[slot] != right.ids[slot]:
                if start < 0:
                    start = slot
            elif start >= 0:
                yield base + start, base + slot
                start = -1
        if start >= 0:
            yield base + start, base + LEAF_BLOCKS


def _differing_leaves(ours: _Node, theirs: _Node, level: int, base: int) -> Iterator[tuple[int, Leaf, Leaf]]:
    """Walk down only where the trees share nothing: what is one and the same node cannot differ."""
    shift = _LEVELS[level][0]
    for slot in range(len(ours) - 1):
        left, right = ours[slot], theirs[slot]
        if left is not right:
            number = base + (slot << shift)
            if shift:
                yield from _differing_leaves(left, right, level + 1, number)
            else:
                yield number, left, right


def _ranges(runs: Iterator[tuple[int, int]], size_bytes: int) -> Iterator[tuple[int, int]]:
    """Merge runs of blocks that touch, and write them as byte ranges of a disk of that size."""
    first = last = 0
    for start, end in runs:
        if start != last:
            if first != last:
                yield first * BLOCK_BYTES, (last - first) * BLOCK_BYTES
            first = start
        last = end
    if first != last:
        yield first * BLOCK_BYTES, min(last * BLOCK_BYTES, size_bytes) - first * BLOCK_BYTES
