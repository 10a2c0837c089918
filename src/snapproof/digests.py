"""The digest of a backup: BLAKE3 over all its bytes, reckoned as they are written or read.

BLAKE3 rather than SHA-256: it is several times as fast, and a backup is hashed when it is written and each time it is
read back. It is reckoned in the thread that feeds it: a second one cost more in waking than it hashed meanwhile.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

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


CHUNKS_MAX = 1_000
CHUNK_DIGEST_BYTES = 16
"""What tells a chunk from another: far more than chance, and a manifest stays short."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The digests of a file's chunks, one behind the other, so that a part of it can be verified alone."""

    chunk_bytes: int
    digests: str

    @property
    def chunks(self) -> int:
        """How many there are."""
        return len(self.digests) // (2 * CHUNK_DIGEST_BYTES)

    def holds(self, file: ReadableFile, number: int) -> bool:
        """Say whether a chunk of a file, counted from nought, is what it was; read in bounded memory."""
        at = number * 2 * CHUNK_DIGEST_BYTES
        wanted = self.digests[at : at + 2 * CHUNK_DIGEST_BYTES]
        return wanted == _of_chunk(file, number * self.chunk_bytes, self.chunk_bytes, lambda _piece: None)


def chunk_bytes_for(size_bytes: int) -> int:
    """Chunks of 4 MiB, and larger ones where there would be too many of them."""
    return max(4 * CHUNK_BYTES, -(-size_bytes // CHUNKS_MAX // CHUNK_BYTES) * CHUNK_BYTES)


def read_through(file: ReadableFile) -> tuple[str, Manifest]:
    """Give the digest of a whole file and those of its chunks, in bounded memory."""
    whole, chunk_bytes = Digest(), chunk_bytes_for(file.size_bytes)
    starts = range(0, file.size_bytes, chunk_bytes)
    digests = "".join(_of_chunk(file, start, chunk_bytes, whole.feed) for start in starts)
    return whole.digest(), Manifest(chunk_bytes=chunk_bytes, digests=digests)


def _of_chunk(file: ReadableFile, start: int, chunk_bytes: int, heard: Callable[[bytes], None]) -> str:
    """Hash one chunk piece by piece; whoever listens hears each piece."""
    chunk, stop = blake3(), min(start + chunk_bytes, file.size_bytes)
    for at in range(start, stop, CHUNK_BYTES):
        piece = file.read_at(at, min(CHUNK_BYTES, stop - at))
        chunk.update(piece)
        heard(piece)
    return chunk.hexdigest(length=CHUNK_DIGEST_BYTES)
