"""The trees under the block store: persistent nodes that name the blocks of a disk, what they share, how they differ.

A node is a plain list. Who may change one, and when, is the business of blocks.py.
"""

from collections.abc import Iterator
from typing import Any, TypeAlias

from snapproof.simulators.arena import BLOCK_BYTES, LEAF_BLOCKS, LEAF_BYTES, Arena, Leaf

SIZE_BYTES_MAX = 64 << 40
LEAVES_MAX = SIZE_BYTES_MAX // LEAF_BYTES

LEVELS = ((22, 63), (16, 63), (10, 63), (5, 31), (0, 31))
"""Shift and mask that pick a child by the number of a leaf, from the root down."""

_TOP_BYTES = LEAF_BYTES << 22
"""What one child of the root covers: a TiB. The root is as wide as its volume needs, so small volumes copy little."""

Node: TypeAlias = list[Any]
"""Children, then the epoch that may change the node. The children of the lowest nodes are leaves.

A root has one entry more, before its epoch: how many blocks its tree maps.
"""

MAPPED = -2
"""Where a root has that entry."""


class Pool(Arena):
    """An arena with the nodes that all unwritten ranges share, roots included; they belong to no epoch."""

    __slots__ = ("_blank_roots", "blanks")

    def __init__(self) -> None:
        super().__init__()
        self._blank_roots: dict[int, Node] = {}
        self.blanks: list[Any] = [self.blank_leaf()]
        for _, mask in reversed(LEVELS[1:]):
            self.blanks.insert(0, [self.blanks[0]] * (mask + 1) + [None])

    def blank_root(self, size_bytes: int) -> Node:
        if not 0 <= size_bytes <= SIZE_BYTES_MAX:
            raise ValueError(f"A disk has 0 to {SIZE_BYTES_MAX} bytes (64 TiB), not {size_bytes}.")
        width = max(1, -(-size_bytes // _TOP_BYTES))
        if width not in self._blank_roots:
            self._blank_roots[width] = [self.blanks[0]] * width + [0, None]
        return self._blank_roots[width]


def leaves(node: Any, level: int, seen: set[int]) -> Iterator[Leaf]:
    """Yield the leaves below a child of the root (level 1) or deeper, each node once for one and the same `seen`."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if level == len(LEVELS):
        yield node
        return
    for child in node[:-1]:
        yield from leaves(child, level + 1, seen)


def numbered_leaves(root: Node, pool: Pool) -> Iterator[tuple[int, Leaf]]:
    """Yield each leaf of a tree that was ever written, with its number, ascending."""
    blank = [pool.blanks[0]] * (len(root) + MAPPED) + [None]
    for number, leaf, _ in _differing_leaves([*root[:MAPPED], None], blank, 0, 0, range(LEAVES_MAX)):
        yield number, leaf


def differing(
    ours: Node, theirs: Node, pool: Pool, *, first_leaf: int = 0, last_leaf: int = LEAVES_MAX
) -> Iterator[tuple[int, int]]:
    """Yield `(first, last)` of the blocks that two trees name differently, not merged across leaves.

    Looks at leaves from `first_leaf` on and before `last_leaf` only.
    """
    width = max(len(ours), len(theirs)) + MAPPED
    ours, theirs = ([*root[:MAPPED], *[pool.blanks[0]] * (width - MAPPED - len(root)), None] for root in (ours, theirs))
    for number, left, right in _differing_leaves(ours, theirs, 0, 0, range(first_leaf, last_leaf)):
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


def _differing_leaves(
    ours: Node, theirs: Node, level: int, base: int, within: range
) -> Iterator[tuple[int, Leaf, Leaf]]:
    """Walk down only where the trees share nothing: what is one and the same node cannot differ."""
    shift = LEVELS[level][0]
    first = max(0, within.start - base >> shift)
    for slot in range(first, min(len(ours) - 1, -(base - within.stop >> shift))):
        left, right = ours[slot], theirs[slot]
        if left is not right:
            number = base + (slot << shift)
            if shift:
                yield from _differing_leaves(left, right, level + 1, number, within)
            else:
                yield number, left, right


def ranges(runs: Iterator[tuple[int, int]], size_bytes: int) -> Iterator[tuple[int, int]]:
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
