"""The digest of a backup: BLAKE3 over all its bytes, reckoned beside the reading or writing of them.

BLAKE3 rather than SHA-256: it is several times as fast, and a backup is hashed when it is written and each time it is
read back. Small contents never start a thread.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from blake3 import blake3

from snapproof.vocabulary import ReadableFile

PREFIX = "blake3:"
CHUNK_BYTES = 1 << 20
"""What files are read in: few enough bytes that they are still in the processor's cache when they are hashed."""

_ALONE_BYTES = 8 << 20
"""So many bytes are hashed before it is worth to start a thread."""

_GATHERED_BYTES = 4 << 20
"""So many bytes are worth a word to the thread."""

_WAITING_MAX = 2
_KEPT_BYTES = 16 << 20


class Digest:
    """A digest that is fed. Immutable content is not copied; few bytes wait to be hashed."""

    __slots__ = ("_gathered", "_gathered_bytes", "_hash", "_helper", "_size_bytes", "_waiting")

    def __init__(self) -> None:
        self._hash = blake3()
        self._size_bytes = 0
        self._gathered: list[bytes | memoryview] = []
        self._gathered_bytes = 0
        self._helper: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def feed(self, content: bytes | bytearray | memoryview) -> None:
        """Go on with these bytes."""
        self._size_bytes += len(content)
        if self._size_bytes <= _ALONE_BYTES:
            self._hash.update(content)
            return
        self._gathered.append(_frozen(content))
        self._gathered_bytes += len(content)
        if self._gathered_bytes >= _GATHERED_BYTES:
            self._hand_over()

    def digest(self) -> str:
        """End, and say what was fed."""
        if self._gathered:
            self._hand_over()
        if self._helper is not None:
            self._helper.shutdown()
            self._helper = None
        while self._waiting:
            self._waiting.popleft().result()
        return PREFIX + self._hash.hexdigest()

    def _hand_over(self) -> None:
        """Let the helper hash what was gathered, in its turn."""
        gathered, self._gathered, self._gathered_bytes = self._gathered, [], 0
        if self._helper is None:
            self._helper = ThreadPoolExecutor(1)
            bytes(_KEPT_BYTES)  # glibc keeps as much as was ever let go in one; else every chunk's pages come and go
        self._waiting.append(self._helper.submit(self._update, gathered))
        if len(self._waiting) > _WAITING_MAX:
            self._waiting.popleft().result()

    def _update(self, gathered: list[bytes | memoryview]) -> None:
        for part in gathered:
            self._hash.update(part)


def digest_of(file: ReadableFile) -> str:
    """Hash a file in bounded memory."""
    return digest_of_chunks(file.read_at(at, CHUNK_BYTES) for at in range(0, file.size_bytes, CHUNK_BYTES))


def digest_of_chunks(chunks: Iterable[bytes]) -> str:
    """Hash chunks of any lengths as one stream."""
    digest = Digest()
    for chunk in chunks:
        digest.feed(chunk)
    return digest.digest()


def _frozen(content: bytes | bytearray | memoryview) -> bytes | memoryview:
    """Give the same bytes in memory that nobody will change; copied only where somebody could."""
    if isinstance(content, bytearray) or (isinstance(content, memoryview) and not isinstance(content.obj, bytes)):
        return bytes(content)
    return content
