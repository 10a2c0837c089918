"""The memory under the block store: 4 KiB blocks in huge-page mappings, and who still refers to each of them.

A block is known by its number. Which numbers make up a volume is the business of blocks.py.
"""

import contextlib
import hashlib
import mmap
from array import array
from collections import deque

BLOCK_BYTES = 4096
LEAF_BLOCKS = 64
LEAF_BYTES = LEAF_BLOCKS * BLOCK_BYTES

ZEROS = bytes(LEAF_BYTES)
"""Zeros to compare with: `ZEROS.startswith(view)` is one memcmp for any view of at most a leaf."""

_NOWHERE = array("I", bytes(4 * LEAF_BLOCKS))
_ONCE = array("I", [1]) * LEAF_BLOCKS

_CHUNK_BLOCKS = 1 << 14
_CHUNK_BYTES = _CHUNK_BLOCKS * BLOCK_BYTES
_CHUNK_SHIFT = 14
_CHUNK_MASK = _CHUNK_BLOCKS - 1
_GROWTH_BLOCKS = 256
_SMALL_PAGES_BYTES = 2 << 20
_ZERO_VIEW = memoryview(ZEROS)


class Leaf:
    """Sixty-four consecutive blocks of a volume, by number; 0 stands for a block of zeros.

    A leaf may be changed only by the volume whose present epoch it carries. When the last tree lets go of a leaf, it
    queues its numbers for the arena to count down: only an append, since that can happen at any moment in any thread.
    """

    __slots__ = ("_dead", "digest", "epoch", "ids")

    def __init__(self, epoch: object, ids: "array[int]", dead: "deque[array[int]]") -> None:
        self.digest = b""  # what an image found out about it: no volume can change what an image holds
        self.epoch = epoch
        self.ids = ids
        self._dead = dead

    def __del__(self) -> None:
        self._dead.append(self.ids)

    @property
    def mapped_blocks(self) -> int:
        """How many of its blocks are not zero."""
        return 0 if self.ids == _NOWHERE else LEAF_BLOCKS - self.ids.count(0)


class Arena:
    """Blocks that are counted: one reference for every leaf that names the block.

    Memory grows by chunks of 64 MiB of address space, which cost nothing before they are touched, and blocks never
    move. A freed block is used again; the machine gets memory back when the arena itself goes.
    """

    __slots__ = ("_chunks", "_dead", "_free", "_references", "_views")

    def __init__(self) -> None:
        self._chunks: list[mmap.mmap] = []
        self._views: list[memoryview] = []
        self._free: list[int] = []
        self._dead: deque[array[int]] = deque()
        self._references = array("I", [0])  # block 0 is no block: it is never referred to

    def blank_leaf(self) -> Leaf:
        """Make the leaf that every unwritten range shares; it belongs to no epoch."""
        return Leaf(None, _NOWHERE[:], self._dead)

    def empty_leaf(self, epoch: object) -> Leaf:
        """Make a leaf of `epoch` that names no block."""
        self._bury(2)
        return Leaf(epoch, _NOWHERE[:], self._dead)

    def copy_leaf(self, leaf: Leaf, epoch: object) -> Leaf:
        """Make a leaf of `epoch` that names the same blocks."""
        if leaf.epoch is not None:
            references = self._references
            for block in leaf.ids:
                if block:
                    references[block] += 1
        self._bury(2)  # more than one copy can kill, so that the queue shrinks wherever leaves are copied
        return Leaf(epoch, leaf.ids[:], self._dead)

    def destination(self, ids: "array[int]", slot: int) -> int:
        """Return the block to which the slot's leaf may write: its own if nobody shares it, else a fresh one."""
        block = ids[slot]
        references = self._references
        if references[block] == 1:
            return block
        if block:
            references[block] -= 1
        if not self._free:
            self._refill()
        block = ids[slot] = self._free.pop()
        references[block] = 1
        return block

    def destinations(self, ids: "array[int]", first: int, last: int) -> tuple[list[tuple[int, int]], int]:
        """Like `destination` for `ids[first:last]`: the pieces of memory, as block and length, that take it in turn.

        Also says how many of the slots were zero before.
        """
        if last - first > 1:
            mapped = ids[first]
            block = self._run(ids, first, last)
            if block:
                return [(block, (last - first) * BLOCK_BYTES)], 0 if mapped else last - first
        pieces: list[tuple[int, int]] = []
        begin = expected = more = 0
        for slot in range(first, last):
            more += not ids[slot]
            block = self.destination(ids, slot)
            if block != expected or not block & _CHUNK_MASK:
                if begin:
                    pieces.append((begin, (expected - begin) * BLOCK_BYTES))
                begin = block
            expected = block + 1
        if begin:
            pieces.append((begin, (expected - begin) * BLOCK_BYTES))
        return pieces, more

    def digest_leaf(self, leaf: Leaf) -> bytes:
        """Hash which slots of a leaf hold what, and remember it: only for a leaf that no volume can change."""
        sha = hashlib.sha256(bytes(map(bool, leaf.ids)))
        views: list[memoryview] = []
        self.gather(leaf.ids, 0, LEAF_BLOCKS, views)
        for slot_view in views:
            if slot_view.obj is not ZEROS:
                sha.update(slot_view)
        leaf.digest = sha.digest()
        return leaf.digest

    def unmap(self, ids: "array[int]", slot: int) -> bool:
        """Let the slot be zero; say whether it was not."""
        block = ids[slot]
        if not block:
            return False
        ids[slot] = 0
        self._references[block] -= 1
        if not self._references[block]:
            self._free.append(block)
        return True

    def put(self, block: int, content: memoryview) -> None:
        """Write whole blocks from `block` on. They must not cross into another chunk."""
        start = (block & _CHUNK_MASK) * BLOCK_BYTES
        self._chunks[block >> _CHUNK_SHIFT][start : start + len(content)] = content

    def part(self, block: int, within: int, length: int) -> bytes:
        """Read from inside one block."""
        if not block:
            return ZEROS[:length]
        start = (block & _CHUNK_MASK) * BLOCK_BYTES + within
        return self._chunks[block >> _CHUNK_SHIFT][start : start + length]

    def gather(self, ids: "array[int]", first: int, last: int, views: list[memoryview]) -> None:
        """Append to `views` the content of `ids[first:last]`, in as few pieces as lie side by side."""
        while first < last:
            block = ids[first]
            after = first + 1
            if not block:
                while after < last and not ids[after]:
                    after += 1
                views.append(_ZERO_VIEW[: (after - first) * BLOCK_BYTES])
            else:
                expected = block + 1
                while after < last and ids[after] == expected and expected & _CHUNK_MASK:
                    after += 1
                    expected += 1
                start = (block & _CHUNK_MASK) * BLOCK_BYTES
                end = start + (after - first) * BLOCK_BYTES
                views.append(self._views[block >> _CHUNK_SHIFT][start:end])
            first = after

    def used_blocks(self) -> int:
        """Count the blocks that some leaf refers to."""
        if self._dead:
            self._bury(len(self._dead))
        return len(self._references) - 1 - len(self._free)

    def _bury(self, leaves: int) -> None:
        """Count down the blocks of up to `leaves` dead leaves; in reverse, so that they are reused in order."""
        references, free = self._references, self._free
        for _ in range(min(leaves, len(self._dead))):
            for block in reversed(self._dead.popleft()):
                if block:
                    references[block] -= 1
                    if not references[block]:
                        free.append(block)

    def _run(self, ids: "array[int]", first: int, last: int) -> int:
        """Find one run of blocks for all slots without a look at each: the run they have, or a new one; else 0."""
        count = last - first
        block = ids[first]
        if not block and ids[first:last] == _NOWHERE[:count]:
            block = self._new_run(count)
            if block:
                ids[first:last] = array("I", range(block, block + count))
            return block
        within = block & _CHUNK_MASK
        own = self._references[block : block + count] == _ONCE[:count] and within + count <= _CHUNK_BLOCKS
        return block if own and ids[first:last] == array("I", range(block, block + count)) else 0

    def _new_run(self, count: int) -> int:
        """Take blocks that never were used; 0 as long as enough others wait to be used again."""
        while self._dead and len(self._free) < count:
            self._bury(1)
        if len(self._free) >= count:
            return 0
        if (len(self._references) & _CHUNK_MASK) + count > _CHUNK_BLOCKS:
            self._grow(_CHUNK_BLOCKS - (len(self._references) & _CHUNK_MASK))
        first = len(self._references)
        if first >> _CHUNK_SHIFT == len(self._chunks):
            self._map_chunk()
        self._references.extend(_ONCE[:count])
        return first

    def _refill(self) -> None:
        """Find free blocks: those of dead leaves, else new ones at the end."""
        while self._dead and not self._free:
            self._bury(1)
        if self._free:
            return
        self._grow(_GROWTH_BLOCKS - len(self._references) % _GROWTH_BLOCKS)

    def _grow(self, count: int) -> None:
        """Make so many new blocks free, of one chunk."""
        first = len(self._references)
        if first >> _CHUNK_SHIFT == len(self._chunks):
            self._map_chunk()
        self._references.frombytes(bytes(self._references.itemsize * count))
        self._free.extend(reversed(range(first, first + count)))

    def _map_chunk(self) -> None:
        chunk = mmap.mmap(-1, _CHUNK_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # The first pages stay small: a store of a few blocks shall not pay for clearing a huge page.
        start = 0 if self._chunks else _SMALL_PAGES_BYTES
        with contextlib.suppress(OSError):  # a hint; a kernel without huge pages refuses it
            chunk.madvise(mmap.MADV_HUGEPAGE, start, _CHUNK_BYTES - start)
        self._chunks.append(chunk)
        self._views.append(memoryview(chunk))
