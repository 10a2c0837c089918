"""What changed between two images, as one file: an incremental export in the form of `rbd export-diff`, version 1.

Written in one stream and applied in place, in pieces of at most 256 KiB; it costs what changed, whatever the disk's
size. The form has no checksum: whoever stores such a file keeps its digest beside it and checks it before use.
"""

import struct
from collections.abc import Iterator

from snapproof.simulators.blocks import BLOCK_BYTES, BlockImage
from snapproof.simulators.fabric import BlockDevice
from snapproof.site import ReadableFile, WritableFile

_MAGIC = b"rbd diff v1\n"
_LENGTH = struct.Struct("<I")
_SIZE = struct.Struct("<Q")
_RANGE = struct.Struct("<QQ")
_NAME_BYTES_MAX = 4096
_PIECE_BYTES = 256 << 10
_ZEROS = bytes(_PIECE_BYTES)


class ChangesError(ValueError):
    """The file is no whole list of changes, or not one for this device."""


def write_changes(since: BlockImage, image: BlockImage, sink: WritableFile, *, names: tuple[str, str]) -> Iterator[int]:
    """Write what turns `since` into `image`; yield the bytes written so far. The caller closes the sink.

    `names` are what the two images are called. Blocks that became zero are named, not written.
    """
    opening = _MAGIC
    for tag, name in zip((b"f", b"t"), names, strict=True):
        opening += tag + _LENGTH.pack(len(name.encode())) + name.encode()
    opening += b"s" + _SIZE.pack(image.size_bytes)
    sink.write(opening)
    written = len(opening)
    yield written
    for offset, length in image.diff(since):
        end = min(offset + length, image.size_bytes)
        for at in range(offset, end, _PIECE_BYTES):
            piece = memoryview(image.read(at, min(_PIECE_BYTES, end - at)))
            for first, last, zeros in _runs(piece):
                head = (b"z" if zeros else b"w") + _RANGE.pack(at + first, last - first)
                sink.write(head)
                written += len(head)
                if not zeros:
                    sink.write(piece[first:last])
                    written += last - first
            yield written
    sink.write(b"e")
    yield written + 1


def apply_changes(file: ReadableFile, device: BlockDevice) -> Iterator[int]:
    """Make a device that reads like the older image read like the newer one; yield the bytes changed so far.

    Raises ChangesError before anything is written where the file is cut off, damaged in its structure, or made for a
    disk of another size.
    """
    for _ in _records(file, device.size_bytes):
        pass
    changed = 0
    for tag, offset, length, at in _records(file, device.size_bytes):
        for within in range(0, length, _PIECE_BYTES):
            step = min(_PIECE_BYTES, length - within)
            device.write(offset + within, file.read_at(at + within, step) if tag == b"w" else _ZEROS[:step])
            changed += step
            yield changed


def _runs(piece: memoryview) -> Iterator[tuple[int, int, bool]]:
    """Part a piece into runs of blocks that are zero and of blocks that are not."""
    first, zeros = 0, False
    for at in range(0, len(piece), BLOCK_BYTES):
        now = not piece[at] and _ZEROS.startswith(piece[at : at + BLOCK_BYTES])
        if now is not zeros:
            if first < at:
                yield first, at, zeros
            first, zeros = at, now
    yield first, len(piece), zeros


def _records(file: ReadableFile, size_bytes: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield tag, offset, length and place in the file of every change, in order and each behind the last."""
    at = _opening_bytes(file, size_bytes)
    free_from = 0
    while (tag := _exactly(file, at, 1)) != b"e":
        if tag not in {b"w", b"z"}:
            raise ChangesError(f"The changes have a record {tag!r} at byte {at}; w, z or e was expected.")
        offset, length = _RANGE.unpack(_exactly(file, at + 1, _RANGE.size))
        at += 1 + _RANGE.size
        if offset < free_from or not length or offset + length > size_bytes:
            raise ChangesError(
                f"The changes name {length} bytes from {offset}; a range from {free_from} to {size_bytes} was expected."
            )
        yield tag, offset, length, at
        free_from = offset + length
        at += length if tag == b"w" else 0
    if at + 1 != file.size_bytes:
        raise ChangesError(f"The changes end at byte {at + 1}, but their file has {file.size_bytes}.")


def _opening_bytes(file: ReadableFile, size_bytes: int) -> int:
    """Read what stands before the changes; say where they begin."""
    if _exactly(file, 0, len(_MAGIC)) != _MAGIC:
        raise ChangesError("The file does not begin like a list of changes.")
    at = len(_MAGIC)
    while (tag := _exactly(file, at, 1)) in {b"f", b"t"}:
        (length,) = _LENGTH.unpack(_exactly(file, at + 1, _LENGTH.size))
        if length > _NAME_BYTES_MAX:
            raise ChangesError(f"The changes name an image with {length} bytes; at most {_NAME_BYTES_MAX} are read.")
        at += 1 + _LENGTH.size + length
    if tag != b"s":
        raise ChangesError(f"The changes have a record {tag!r} at byte {at}; the size of the disk was expected.")
    (held,) = _SIZE.unpack(_exactly(file, at + 1, _SIZE.size))
    if held != size_bytes:
        raise ChangesError(f"The changes are of a disk of {held} bytes; the device has {size_bytes}.")
    return at + 1 + _SIZE.size


def _exactly(file: ReadableFile, offset: int, length: int) -> bytes:
    found = file.read_at(offset, length)
    if len(found) != length:
        raise ChangesError(f"The changes are cut off at byte {offset + len(found)}.")
    return found
