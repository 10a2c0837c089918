"""The digest of a backup against botocore's own reckoning of the same tree, however the bytes arrive."""

import io
from typing import Any

from botocore.utils import calculate_tree_hash
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.digests import PIECE_BYTES, PREFIX, DigestedFile, digest_of, tree_digest


class Kept:
    """A file that is written, then read."""

    def __init__(self) -> None:
        self.content = b""

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.content += data

    def read_at(self, offset: int, length: int) -> bytes:
        return self.content[offset : offset + length]

    def close(self) -> None:
        """Nothing to let go of."""


def reckoned_elsewhere(content: bytes) -> str:
    body: Any = io.BytesIO(content)  # the stubs of botocore ask for text; it reads a file
    return PREFIX + str(calculate_tree_hash(body))


contents = st.builds(
    lambda parts, tail: b"".join(bytes([part]) * (PIECE_BYTES // 2) for part in parts) + tail,
    st.lists(st.sampled_from([0, 0, 7]), max_size=40),
    st.binary(max_size=100),
)


@given(contents, st.integers(1, 3 * PIECE_BYTES))
@settings(max_examples=40, deadline=None)
def test_the_digest_is_the_tree_that_others_reckon_whatever_the_chunks(content: bytes, chunk_bytes: int) -> None:
    chunk_bytes = max(chunk_bytes, len(content) // 50)
    chunks = [content[at : at + chunk_bytes] for at in range(0, len(content), chunk_bytes)]
    assert tree_digest(chunks) == reckoned_elsewhere(content)


def test_a_file_has_the_digest_of_what_was_written_to_it() -> None:
    kept = Kept()
    file = DigestedFile(kept)
    reused = bytearray(PIECE_BYTES // 2 + 5)
    for number in range(30):
        reused[:] = bytes([number]) * len(reused)
        file.write(memoryview(reused) if number % 2 else reused)
    file.close()
    assert file.digest() == digest_of(kept) == reckoned_elsewhere(kept.content)
    assert file.size_bytes == kept.size_bytes


def test_one_flipped_bit_anywhere_makes_another_digest() -> None:
    content = bytes(5 * PIECE_BYTES + 3)
    digests = {tree_digest([content])}
    for at in (0, PIECE_BYTES - 1, PIECE_BYTES, 5 * PIECE_BYTES, len(content) - 1):
        digests.add(tree_digest([content[:at], b"\1", content[at + 1 :]]))
    assert len(digests) == 6
