"""The digest of a backup: a SHA-256 tree over pieces of 1 MiB, combined in pairs, as Amazon Glacier defines its own.

A tree is as strong as one long hash, but every core can work on it while bytes still flow, and a piece of zeros costs a
comparison. Small contents never start a thread.
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from snapproof.vocabulary import ReadableFile, WritableFile

PREFIX = "sha256-tree:"
PIECE_BYTES = 1 << 20
CHUNK_BYTES = PIECE_BYTES
"""What files are read in: few enough bytes that they are still in the processor's cache when they are hashed."""

_ALONE_PIECES = 8
"""So many pieces are hashed before it is worth to start threads."""

_KEPT_BYTES = 16 << 20
_HASH_OF_ZEROS = bytes.fromhex("30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58")
_ZEROS = bytes(PIECE_BYTES)


class TreeDigest:
    """A digest that is fed. Immutable content is not copied; no more than a few pieces wait to be hashed."""

    __slots__ = ("_gathered", "_gathered_bytes", "_hashes", "_pending", "_pool", "_workers")

    def __init__(self) -> None:
        self._gathered: list[memoryview] = []
        self._gathered_bytes = 0
        self._hashes: list[bytes] = []
        self._pending: deque[Future[bytes]] = deque()
        self._pool: ThreadPoolExecutor | None = None
        self._workers = os.cpu_count() or 1

    def feed(self, content: bytes | bytearray | memoryview) -> None:
        """Go on with these bytes."""
        view = memoryview(content if isinstance(content, bytes) else bytes(content))
        while view:
            fitting = view[: PIECE_BYTES - self._gathered_bytes]
            self._gathered.append(fitting)
            self._gathered_bytes += len(fitting)
            view = view[len(fitting) :]
            if self._gathered_bytes == PIECE_BYTES:
                self._end_piece()

    def digest(self) -> str:
        """End, and say what was fed."""
        if self._gathered or not (self._hashes or self._pending):
            self._end_piece()
        while self._pending:
            self._hashes.append(self._pending.popleft().result())
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        return PREFIX + _root(self._hashes).hex()

    def _end_piece(self) -> None:
        piece, self._gathered, self._gathered_bytes = self._gathered, [], 0
        if self._pool is None and len(self._hashes) < _ALONE_PIECES:
            self._hashes.append(_hash(piece))
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._workers)
            bytes(_KEPT_BYTES)  # glibc keeps as much as was ever let go in one; else every chunk's pages come and go
        self._pending.append(self._pool.submit(_hash, piece))
        if len(self._pending) > self._workers + 2:
            self._hashes.append(self._pending.popleft().result())


class DigestedFile:
    """A WritableFile that passes everything on to another and knows the digest of what it passed."""

    def __init__(self, file: WritableFile) -> None:
        self._file = file
        self._tree = TreeDigest()
        self.size_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes; hashing goes on beside writing."""
        self._tree.feed(data)
        self._file.write(data)
        self.size_bytes += len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def digest(self) -> str:
        """Say what was written, once."""
        return self._tree.digest()


def digest_of(file: ReadableFile) -> str:
    """Hash a file in bounded memory."""
    return tree_digest(file.read_at(at, CHUNK_BYTES) for at in range(0, file.size_bytes, CHUNK_BYTES))


def tree_digest(chunks: Iterable[bytes]) -> str:
    """Hash chunks of any lengths as one stream."""
    tree = TreeDigest()
    for chunk in chunks:
        tree.feed(chunk)
    return tree.digest()


def _hash(piece: list[memoryview]) -> bytes:
    if all(_ZEROS.startswith(view) for view in piece) and sum(map(len, piece)) == PIECE_BYTES:
        return _HASH_OF_ZEROS
    sha = hashlib.sha256()
    for view in piece:
        sha.update(view)
    return sha.digest()


def _root(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        pairs = (hashes[at : at + 2] for at in range(0, len(hashes), 2))
        hashes = [hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
    return hashes[0]
