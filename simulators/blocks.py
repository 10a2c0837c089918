"""Thin volumes over one pool of 4 KiB blocks: snapshot, clone and restore keep or take the root of a persistent tree.

Nodes are never changed once an image shares them: a write copies its path and goes to a fresh block. A block of zeros
is never stored, so what is mapped is what differs from zero. One writer per store at a time; images may be read
beside it, also from other threads. Names, access and time belong to the simulators that own the volumes.
"""

import hashlib
from collections.abc import Iterable, Iterator

from snapproof.simulators.arena import BLOCK_BYTES, LEAF_BLOCKS, LEAF_BYTES, ZEROS, Arena, Leaf
from snapproof.simulators.block_trees import (
    LEVELS,
    MAPPED,
    SIZE_BYTES_MAX,
    Node,
    Pool,
    differing,
    leaves,
    numbered_leaves,
    ranges,
)

__all__ = ["BLOCK_BYTES", "SIZE_BYTES_MAX", "BlockImage", "BlockStore", "BlockVolume", "ReleasedError"]


class ReleasedError(ValueError):
    """The volume or image was released; its blocks may hold something else by now."""


def _clipped(extents: Iterator[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    for offset, length in extents:
        first, last = max(start, offset), min(end, offset + length)
        if first < last:
            yield first, last - first


class _Content:
    """What volumes and images have in common: a size, a tree, and reading."""

    __slots__ = ("_pool", "_root", "_size")

    def __init__(self, pool: Pool, root: Node, size_bytes: int) -> None:
        self._pool = pool
        self._root: Node = root
        self._size = size_bytes

    @property
    def size_bytes(self) -> int:
        """The size of the disk: any number of bytes, not only whole blocks."""
        self._refuse_if_released()
        return self._size

    @property
    def mapped_blocks(self) -> int:
        """How many blocks differ from zero. The tree knows; nothing is counted."""
        self._refuse_if_released()
        mapped: int = self._root[MAPPED]
        return mapped

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

    def extents(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
        """Yield `(offset, length)` of all blocks that are not zero, ascending and merged.

        Takes them from the tree as it is; where a volume may be written meanwhile, ask a snapshot. With `start` and
        `end`, only of what lies between these offsets; that costs as much as what is found there.
        """
        self._refuse_if_released()
        found = differing(
            self._root,
            [0, None],
            self._pool,
            first_leaf=start // LEAF_BYTES,
            last_leaf=-(-(self._size if end is None else end) // LEAF_BYTES),
        )
        whole = ranges(found, self._size)
        return whole if not start and end is None else _clipped(whole, start, self._size if end is None else end)

    def release(self) -> None:
        """Let go of the blocks. Doing it again does nothing; any other use is refused from now on."""
        self._root = []
        self._size = -1

    def root_within(self, pool: Arena) -> Node:
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

    def __init__(self, pool: Pool, root: Node, size_bytes: int) -> None:
        self._pool = pool
        self._root = root
        self._size = size_bytes
        self._epoch: object = None  # the first write begins one; no node carries it yet, so its path is copied

    def snapshot(self) -> "BlockImage":
        """Keep the present content, in constant time."""
        self._refuse_if_released()
        self._epoch = None
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
        root = self._pool.blank_root(size_bytes).copy()
        if size_bytes < self._size:
            self.discard(size_bytes, self._size - size_bytes)
        kept = min(len(root), len(self._root)) + MAPPED
        root[:kept] = self._root[:kept]
        root[MAPPED] = self._root[MAPPED]
        self._root = root
        self._size = size_bytes

    def _write_part(self, block: int, within: int, part: memoryview) -> None:
        whole = bytearray(self._pool.part(self._leaf(block >> 6).ids[block & 63], 0, BLOCK_BYTES))
        whole[within : within + len(part)] = part
        self._write_blocks(block, memoryview(whole))

    def _write_blocks(self, block: int, content: memoryview) -> None:
        """Write whole blocks of one leaf; those of zeros are unmapped."""
        count = len(content) // BLOCK_BYTES
        if not content[0] and ZEROS.startswith(content):
            self._unmap(block, block + count)
            return
        pool = self._pool
        slot = block & 63
        ids = self._writable_leaf(block >> 6, wholly=count == LEAF_BLOCKS).ids
        if count == 1:  # a short way for the most frequent write of all
            self._root[MAPPED] += not ids[slot]
            pool.put(pool.destination(ids, slot), content)
            return
        more = first = 0
        for last in (*_zero_blocks(content), count):
            at = first * BLOCK_BYTES
            pieces, newly = pool.destinations(ids, slot + first, slot + last)
            for here, length in pieces:
                pool.put(here, content[at : at + length])
                at += length
            more += newly
            if last < count:
                more -= pool.unmap(ids, slot + last)
            first = last + 1
        self._root[MAPPED] += more  # the leaf is this epoch's, and so is the root above it

    def _unmap(self, first: int, last: int) -> None:
        """Let blocks `first` to `last` be zero: whole leaves by cutting them off, the others slot by slot."""
        head = min(last, -(-first // LEAF_BLOCKS) * LEAF_BLOCKS)
        tail = max(head, last - last % LEAF_BLOCKS)
        self._unmap_slots(first, head)
        if head < tail:
            root = self._own(self._root)
            root[MAPPED] -= self._cut(root, 0, head // LEAF_BLOCKS, tail // LEAF_BLOCKS)
            self._root = root
        self._unmap_slots(tail, last)

    def _unmap_slots(self, first: int, last: int) -> None:
        number, slot = divmod(first, LEAF_BLOCKS)
        slots = range(slot, slot + last - first)
        if slots and any(self._leaf(number).ids[slot : slots.stop]):
            ids = self._writable_leaf(number).ids
            self._root[MAPPED] -= len(slots) - ids[slot : slots.stop].count(0)
            for slot in slots:
                self._pool.unmap(ids, slot)

    def _cut(self, node: Node, level: int, first: int, last: int) -> int:
        """Put blanks in place of leaves `first` to `last`, counted from the first leaf of the node, which is our own.

        Returns how many blocks that unmapped.
        """
        shift = LEVELS[level][0]
        blank = self._pool.blanks[level]
        unmapped = 0
        for slot in range(first >> shift, (last - 1 >> shift) + 1):
            low = max(first - (slot << shift), 0)
            high = min(last - (slot << shift), 1 << shift)
            if node[slot] is blank:
                continue
            if high - low == 1 << shift:
                unmapped += sum(leaf.mapped_blocks for leaf in leaves(node[slot], level + 1, set()))
                node[slot] = blank
            else:
                child = node[slot] = self._own(node[slot])
                unmapped += self._cut(child, level + 1, low, high)
        return unmapped

    def _writable_leaf(self, number: int, *, wholly: bool = False) -> Leaf:
        """Copy the path to a leaf as far as it is shared. What carries this epoch has a path of this epoch.

        In place of a shared leaf that will be written wholly comes an empty one: its numbers are of no more use.
        """
        leaf = self._leaf(number)
        epoch = self._epoch
        if epoch is None:
            epoch = self._epoch = object()
        elif leaf.epoch is epoch:
            return leaf
        node = self._root = self._own(self._root)
        for shift, mask in LEVELS[:-1]:
            slot = number >> shift & mask
            child = node[slot]
            if child[-1] is not epoch:
                child = node[slot] = child[:]
                child[-1] = epoch
            node = child
        if wholly:
            self._root[MAPPED] -= leaf.mapped_blocks
            fresh = self._pool.empty_leaf(epoch)
        else:
            fresh = self._pool.copy_leaf(leaf, epoch)
        node[number & 31] = fresh
        return fresh

    def _own(self, node: Node) -> Node:
        if self._epoch is None:
            self._epoch = object()
        if node[-1] is not self._epoch:
            node = node[:]
            node[-1] = self._epoch
        return node


def _zero_blocks(content: memoryview) -> Iterator[int]:
    """Number the blocks of zeros. Only those that begin with a zero are looked at."""
    beginnings = content[::BLOCK_BYTES].tobytes()
    block = beginnings.find(0)
    while block >= 0:
        at = block * BLOCK_BYTES
        if ZEROS.startswith(content[at : at + BLOCK_BYTES]):
            yield block
        block = beginnings.find(0, block + 1)


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
        changed = differing(self._root, other.root_within(self._pool), self._pool)
        return ranges(changed, max(self.size_bytes, other.size_bytes))

    def digest(self) -> str:
        """Hash size and content: images that a guest cannot tell apart have equal digests.

        What images share is hashed once: after a change, the next digest reads the leaves that changed.
        """
        self._refuse_if_released()
        sha = hashlib.sha256(b"%d\n" % self._size)
        for number, leaf in numbered_leaves(self._root, self._pool):
            if leaf.mapped_blocks:
                sha.update(b"%d " % number)
                sha.update(leaf.digest or self._pool.digest_leaf(leaf))
        return sha.hexdigest()

    def block_digests(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number and the SHA-256 of every block that is not zero, ascending."""
        for offset, length in self.extents():
            for at in range(offset, offset + length, BLOCK_BYTES):
                content = self.read(at, min(BLOCK_BYTES, self._size - at))
                yield at // BLOCK_BYTES, hashlib.sha256(content).digest()


class BlockStore:
    """A pool of blocks from which volumes are made. Blocks that nothing refers to any more are used again."""

    __slots__ = ("_pool",)

    def __init__(self) -> None:
        self._pool = Pool()

    def create(self, size_bytes: int) -> BlockVolume:
        """Make a volume of zeros of up to 64 TiB; it holds no block before something else is written."""
        return BlockVolume(self._pool, self._pool.blank_root(size_bytes), size_bytes)

    def used_blocks(self) -> int:
        """Count the blocks that volumes and images hold; one that several share counts once. A writer's turn, too."""
        return self._pool.used_blocks()

    def distinct_blocks(self, contents: Iterable[BlockVolume | BlockImage]) -> int:
        """Count the blocks that some of these hold; one that several share counts once. A writer's turn, too.

        Costs as much as the trees have parts of their own.
        """
        seen: set[int] = set()
        blocks: set[int] = set()
        for content in contents:
            for top in content.root_within(self._pool)[:MAPPED]:
                for leaf in leaves(top, 1, seen):
                    blocks.update(leaf.ids)
        return len(blocks - {0})
