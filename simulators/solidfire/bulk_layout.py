"""How a backup lies in a bucket, which is our choice: all under one prefix, whole when it has a manifest.

`<prefix>/manifest.json` names the objects `<prefix>/blocks-<lba>`, each holding the blocks of one window of 4 MiB that
differ from zero, one after the other; a window of zeros has no object. Format native is deflated, uncompressed is not.
Everything is checked by its SHA-256 when it is read back.
"""

import hashlib
import zlib
from collections.abc import Iterator

import msgspec

from snapproof.simulators.blocks import BLOCK_BYTES, BlockImage
from snapproof.simulators.solidfire.bulk import ScriptError

NATIVE, UNCOMPRESSED = FORMATS = ("native", "uncompressed")
WINDOW_BLOCKS = 1024
RANGE_BLOCKS_MAX = 200
"""At once over HTTP: even blocks that do not compress stay below the longest body that a cluster takes."""
MANIFEST = "manifest.json"


class Chunk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object: which blocks it holds, as (first, count), and the digest of what it unpacks to."""

    name: str
    extents: tuple[tuple[int, int], ...]
    sha256: str

    @property
    def blocks(self) -> int:
        return sum(count for _, count in self.extents)


class Manifest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What makes the objects a backup."""

    layout: int = 1
    format: str
    cluster: str
    volume_id: int
    volume_name: str
    size_bytes: int
    lba: int
    blocks: int
    chunks: tuple[Chunk, ...]


def pack(content: bytes, how: str) -> bytes:
    """Write blocks as this format does."""
    return zlib.compress(content, 1) if how == NATIVE else content


def unpack(packed: bytes, how: str, *, length: int) -> bytes:
    """Read blocks back. Raises ScriptError for what is not `length` bytes of this format."""
    content = packed
    if how == NATIVE:
        inflate = zlib.decompressobj()
        try:
            content = inflate.decompress(packed, length + 1)
        except zlib.error:
            content = b""
    if len(content) != length:
        raise ScriptError(f"A chunk does not unpack to the {length} bytes that it should have.")
    return content


def windows(image: BlockImage, lba: int, blocks: int, size: int) -> Iterator[tuple[int, tuple[tuple[int, int], ...]]]:
    """Yield the end of every window of the range that is not all zeros, with its extents in blocks."""
    end = lba + blocks
    held: list[tuple[int, int]] = []
    window = -1
    for first, last in _extents(image, lba, end):
        at = first
        while at < last:
            if at // size != window and held:
                yield min((window + 1) * size, end), tuple(held)
                held = []
            window = at // size
            stop = min(last, (window + 1) * size)
            held.append((at, stop - at))
            at = stop
    if held:
        yield min((window + 1) * size, end), tuple(held)


def _extents(image: BlockImage, lba: int, end: int) -> Iterator[tuple[int, int]]:
    for offset, length in image.extents():
        first = max(offset // BLOCK_BYTES, lba)
        last = min(-(-(offset + length) // BLOCK_BYTES), end)
        if first < last:
            yield first, last


def content_of(image: BlockImage, extents: tuple[tuple[int, int], ...]) -> bytes:
    """Put the blocks of extents one after the other."""
    return b"".join(image.read(first * BLOCK_BYTES, count * BLOCK_BYTES) for first, count in extents)


def chunk_of(extents: tuple[tuple[int, int], ...], content: bytes) -> Chunk:
    """Describe the object that holds these blocks."""
    name = f"blocks-{extents[0][0] // WINDOW_BLOCKS * WINDOW_BLOCKS:012x}"
    return Chunk(name=name, extents=extents, sha256=hashlib.sha256(content).hexdigest())


def checked(chunk: Chunk, packed: bytes, how: str) -> bytes:
    """Unpack an object. Raises ScriptError if it is not what was written."""
    content = unpack(packed, how, length=chunk.blocks * BLOCK_BYTES)
    if hashlib.sha256(content).hexdigest() != chunk.sha256:
        raise ScriptError(f"The object {chunk.name} is not what the manifest says.")
    return content


def read_manifest(octets: bytes) -> Manifest:
    """Read a manifest. Raises ScriptError for what is none."""
    try:
        manifest = msgspec.json.decode(octets, type=Manifest)
    except msgspec.DecodeError:
        raise ScriptError("The manifest cannot be read.") from None
    if manifest.layout != 1 or manifest.format not in FORMATS:
        raise ScriptError("The manifest is of another layout.")
    if min(manifest.lba, manifest.blocks, manifest.size_bytes) < 0 or not all(map(_sound, manifest.chunks)):
        raise ScriptError("The manifest contradicts itself.")
    return manifest


def _sound(chunk: Chunk) -> bool:
    """Say whether the blocks of a chunk are some of one window, ascending."""
    if not chunk.extents:
        return False
    at = chunk.extents[0][0] // WINDOW_BLOCKS * WINDOW_BLOCKS
    end = at + WINDOW_BLOCKS
    for first, count in chunk.extents:
        if not 0 <= at <= first or count < 1:
            return False
        at = first + count
    return at <= end
