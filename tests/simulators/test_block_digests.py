"""Digests of images: by what a guest reads alone, and of what changed alone."""

from snapproof.simulators.block_trees import numbered_leaves
from snapproof.simulators.blocks import BLOCK_BYTES, BlockStore

LEAF_BYTES = 64 * BLOCK_BYTES


def test_a_digest_depends_on_what_a_guest_reads_and_not_on_how_it_was_written() -> None:
    store = BlockStore()
    one, two = store.create(100_000), BlockStore().create(200_000)
    one.write(10, b"x" * 50_000)
    for at in range(50_009, 9, -1):
        two.write(at, b"x")
    two.write(60_000, b"y" * 9_000)
    two.discard(60_000, 9_000)
    two.resize(100_000)
    assert one.snapshot().digest() == two.snapshot().digest()
    two.resize(100_001)
    assert one.snapshot().digest() != two.snapshot().digest()


def test_equal_blocks_in_other_places_make_another_digest() -> None:
    store = BlockStore()
    digests = set()
    for places in ((0, 1), (0, 2), (1, 2), (3, 4)):
        volume = store.create(1 << 20)
        for block in places:
            volume.write(block * BLOCK_BYTES, b"x" * BLOCK_BYTES)
        digests.add(volume.snapshot().digest())
    assert len(digests) == 4


def test_a_digest_hashes_only_the_leaves_that_changed_since_the_last() -> None:
    volume = BlockStore().create(1 << 40)
    for leaf in range(50):
        volume.write(leaf * 1000 * LEAF_BYTES, b"x" * 3 * BLOCK_BYTES)
    volume.snapshot().digest()
    volume.write(7 * 1000 * LEAF_BYTES, b"y")
    image = volume.snapshot()
    assert [number for number, leaf in numbered_leaves(image._root, image._pool) if not leaf.digest] == [7000]
    volume.write(7 * 1000 * LEAF_BYTES, b"x")
    assert image.digest() != volume.snapshot().digest()
