"""The whole state of an array as one JSON document, and back: everything it remembers, by what it is made of.

What belongs to the process and not to the state (clock, journal, lock, the blocks below, sessions of hosts) stays out.
Disks are written by their contents; what clones share with their sources is shared no more after loading.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from snapproof.simulators.blocks import BlockStore, BlockVolume
from snapproof.simulators.solidfire.array import Array
from snapproof.simulators.solidfire.graphs import Graph, GraphReader, GraphWriter
from snapproof.simulators.solidfire.volumes import drop_sessions

FORMAT = "snapproof element array 1"
LEFT_OUT = frozenset({
    "lock", "clock", "blocks", "peers", "web", "_journal", "_stamp", "caller", "sessions", "scripts",
    "mvip", "svip", "bulk_url",
})  # fmt: skip
"""Attributes of an array that are no state, but where it stands, who is connected and what its scripts are doing.

Whatever else it has is dumped, so that nothing new is forgotten.
"""


class Extent(msgspec.Struct, frozen=True):
    """Bytes of a disk that are not all zeros."""

    offset: int
    base64: str


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a disk holds; `extents` is missing where only digests were asked for."""

    size_bytes: int
    extents: tuple[Extent, ...] | None = None


class Dump(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An array written down. `digest` covers state, objects and disks: equal states have equal digests."""

    format: str
    name: str
    time_s: float
    digest: str
    state: dict[str, Any]
    objects: list[Any]
    disks: dict[str, Content]


def dump(array: Array, *, contents: bool = True) -> Dump:
    """Write the array down, its secrets included. Without `contents` nobody can load it, but it is small."""
    with array.lock:
        array.settle()
        disks = _Written(contents=contents)
        writer = GraphWriter(disks)
        state = {name: writer.value(value) for name, value in sorted(vars(array).items()) if name not in LEFT_OUT}
        return Dump(
            format=FORMAT,
            name=array.name,
            time_s=array.clock.time(),
            digest=_digest(state, writer.objects, disks.found),
            state=state,
            objects=writer.objects,
            disks=disks.found,
        )


def digest(array: Array) -> str:
    """Hash everything the array remembers."""
    return dump(array, contents=False).digest


def load(array: Array, octets: bytes) -> str:
    """Let the array be as it was when `dump` wrote this; hosts lose their sessions. Answers the digest.

    Raises ValueError, the array unchanged, for what is no whole dump of an array of this version.
    """
    try:
        read = msgspec.json.decode(octets, type=Dump)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"This is no dump of an array: {error}.") from error
    _check(read)
    with array.lock:
        expected = vars(array).keys() - LEFT_OUT
        if read.state.keys() != expected:
            odd = ", ".join(sorted(read.state.keys() ^ expected))
            raise ValueError(f"The dump is of another version of the simulator: {odd} is only in one of them.")
        state = _state(read, array.blocks)
        for volume in array.volumes:
            drop_sessions(array, volume, "another state was loaded into the array")
        vars(array).update(state)
        array.scripts.clear()
        array.peers.join(array)
    return read.digest


def _check(read: Dump) -> None:
    if read.format != FORMAT:
        raise ValueError(f"The dump says that it is {read.format[:60]!r}, not {FORMAT!r}.")
    if any(content.extents is None for content in read.disks.values()):
        raise ValueError("The dump tells contents by digests only; dump with contents=bytes to load it again.")
    if _digest(read.state, read.objects, read.disks) != read.digest:
        raise ValueError("The dump was changed since it was written: its digest is another.")


def _digest(state: Mapping[str, Any], objects: list[Any], disks: Mapping[str, Content]) -> str:
    sizes = {name: content.size_bytes for name, content in disks.items()}
    return hashlib.sha256(msgspec.json.encode([state, objects, sizes], order="sorted")).hexdigest()


def _state(read: Dump, blocks: BlockStore) -> dict[str, Any]:
    try:
        reader = GraphReader(read.objects, _Restored(read.disks, blocks))
        return {name: reader.value(value) for name, value in read.state.items()}
    except (KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"The dump is not made of what an array is made of: {error!r}.") from error


class _Written:
    """Disks on their way into a dump, each content once."""

    def __init__(self, *, contents: bool) -> None:
        self.found: dict[str, Content] = {}
        self._contents = contents

    def write(self, disk: Graph) -> str:
        image = disk.snapshot() if isinstance(disk, BlockVolume) else disk
        name: str = image.digest()
        if name not in self.found:
            extents = None
            if self._contents:
                extents = tuple(
                    Extent(offset, b64encode(image.read(offset, length)).decode()) for offset, length in image.extents()
                )
            self.found[name] = Content(image.size_bytes, extents)
        if image is not disk:
            image.release()
        return name


class _Restored:
    """Disks on their way out of a dump; equal contents share their blocks."""

    def __init__(self, contents: Mapping[str, Content], blocks: BlockStore) -> None:
        self._images = {}
        for name, content in contents.items():
            disk = blocks.create(content.size_bytes)
            for extent in content.extents or ():
                disk.write(extent.offset, b64decode(extent.base64, validate=True))
            self._images[name] = disk.snapshot()
            disk.release()
            if self._images[name].digest() != name:
                raise ValueError(f"The contents of disk {name[:12]} are not those that were dumped.")

    def read(self, name: str, *, writable: bool) -> Graph:
        disk = self._images[name].clone()
        if writable:
            return disk
        image = disk.snapshot()
        disk.release()
        return image
