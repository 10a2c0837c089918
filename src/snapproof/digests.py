"""The digest of a backup: BLAKE3 over all its bytes, reckoned as they are written or read.

BLAKE3 rather than SHA-256: it is several times as fast, and a backup is hashed when it is written and each time it is
read back. It is reckoned in the thread that feeds it: a second one cost more in waking than it hashed meanwhile.
"""

from collections.abc import Iterable

from blake3 import blake3

from snapproof.site import ReadableFile

PREFIX = "blake3:"
CHUNK_BYTES = 1 << 20
"""What files are read in: few enough bytes that they are still in the processor's cache when they are hashed."""


class Digest:
    """A digest that is fed."""

    __slots__ = ("_hash",)

    def __init__(self) -> None:
        self._hash = blake3()

    def feed(self, content: bytes | bytearray | memoryview) -> None:
        """Go on with these bytes."""
        self._hash.update(content)

    def digest(self) -> str:
        """Say what was fed."""
        return PREFIX + self._hash.hexdigest()


def digest_of(file: ReadableFile) -> str:
    """Hash a file in bounded memory."""
    return digest_of_chunks(file.read_at(at, CHUNK_BYTES) for at in range(0, file.size_bytes, CHUNK_BYTES))


def digest_of_chunks(chunks: Iterable[bytes]) -> str:
    """Hash chunks of any lengths as one stream."""
    digest = Digest()
    for chunk in chunks:
        digest.feed(chunk)
    return digest.digest()
