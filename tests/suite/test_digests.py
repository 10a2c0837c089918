"""The digest of a backup against BLAKE3's published vectors, however the bytes arrive and whoever hashes them."""

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.digests import PREFIX, Digest, digest_of, digest_of_chunks
from snapproof.fixtures.images import OpenText

MIB = 1 << 20


@pytest.mark.parametrize(
    ("length", "digest"),
    [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
        (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
        (102_400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"),
    ],
)
def test_the_digest_is_the_published_one(length: int, digest: str) -> None:
    content = bytes(at % 251 for at in range(length))
    assert digest_of_chunks([content]) == PREFIX + digest


@given(st.lists(st.integers(0, 4 * MIB), max_size=8), st.integers(0, 255))
@settings(max_examples=30, deadline=None)
def test_the_digest_does_not_depend_on_the_chunks(lengths: list[int], seed: int) -> None:
    pattern = bytes((seed + at) % 253 for at in range(253)) * (4 * MIB // 253 + 1)
    chunks = [pattern[:length] for length in lengths]
    assert digest_of_chunks(chunks) == PREFIX + blake3(b"".join(chunks)).hexdigest()


def test_content_may_change_once_it_was_fed() -> None:
    digest, fed = Digest(), b""
    reused = bytearray(MIB // 2 + 5)
    for number in range(40):
        reused[:] = bytes([number]) * len(reused)
        digest.feed((reused, memoryview(reused), bytes(reused), memoryview(bytes(reused)))[number % 4])
        fed += reused
    assert digest.digest() == digest_of(OpenText(fed)) == PREFIX + blake3(fed).hexdigest()


def test_one_flipped_bit_anywhere_makes_another_digest() -> None:
    content = bytes(12 * MIB + 3)
    digests = {digest_of_chunks([content])}
    for at in (0, 8 * MIB - 1, 8 * MIB, len(content) - 1):
        digests.add(digest_of_chunks([content[:at], b"\1", content[at + 1 :]]))
    assert len(digests) == 5
