"""File handles: what each means, where its file is now, and that it goes stale when the file is gone.

A handle names an inode and the generation of its number. The tree is entered from the root's own descriptor, a name at
a time, and no link is ever followed. What is moved behind the server's back goes stale.
"""

import contextlib
import os
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from snapproof.simulators.secondary.export_tree import DIRECTORY
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError

HANDLE_BYTES_MAX = 64
DEPTH_MAX = 256
_HANDLE = struct.Struct(">4sIQI")
_MARK = b"sp-3"


@dataclass(slots=True, kw_only=True)
class Node:
    """What some client has a handle of. `places` are directories' inodes and names in them."""

    inode: int
    generation: int
    places: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where a node is now: an open directory, the name in it, what stands there, and the path for people."""

    node: Node
    at: int
    name: str
    found: os.stat_result
    path: str

    @property
    def is_directory(self) -> bool:
        """Whether names can be looked up in it."""
        return stat.S_ISDIR(self.found.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it has bytes."""
        return stat.S_ISREG(self.found.st_mode)


class Nodes:
    """The handles of one export. `edition` tells them from those of another export served here before."""

    def __init__(self, root: Path, *, edition: int) -> None:
        self.edition = edition
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._root_inode = os.fstat(self._root).st_ino
        self._generations = 0
        self._nodes: dict[int, Node] = {}
        self.root = self.seen(os.fstat(self._root), None)

    def close(self) -> None:
        """Let go of the root."""
        os.close(self._root)

    def handle_of(self, node: Node) -> bytes:
        """Write the handle of a node."""
        return _HANDLE.pack(_MARK, self.edition, node.inode, node.generation)

    def named(self, handle: bytes | memoryview) -> Node:
        """Read a handle. Raises StatusError BADHANDLE for what never was one, STALE for one of a file that is gone."""
        if len(handle) != _HANDLE.size or bytes(handle[:4]) != _MARK:
            raise StatusError(Status.BADHANDLE)
        _, edition, inode, generation = _HANDLE.unpack(handle)
        node = self._nodes.get(inode)
        if edition != self.edition or node is None or node.generation != generation:
            raise StatusError(Status.STALE)
        return node

    def seen(self, found: os.stat_result, place: tuple[int, str] | None) -> Node:
        """Give the node of something that was just found at a place, known before or not."""
        node = self._nodes.get(found.st_ino)
        if node is not None and place is not None and place not in node.places:
            node.places = [known for known in node.places if self._stands(node, known)]
            if not node.places and node is not self.root:
                node = None  # its number belongs to another file now, made behind the server's back
        if node is None:
            self._generations += 1
            node = self._nodes[found.st_ino] = Node(inode=found.st_ino, generation=self._generations)
        if place is not None and place not in node.places:
            node.places.append(place)
        return node

    def moved(self, inode: int, old: tuple[int, str], new: tuple[int, str], *, path: str) -> None:
        """Take note that something has another name now; its path tells of directories that no client has asked for."""
        if node := self._nodes.get(inode):
            node.places = [place for place in node.places if place not in {old, new}] + [new]
            if new[0] not in self._nodes:
                self._walk(path.split("/")[:-1])

    def gone(self, inode: int) -> None:
        """Take note that something is gone: its handles are stale, whatever gets its number next."""
        if inode != self._root_inode:
            self._nodes.pop(inode, None)

    @contextlib.contextmanager
    def spot(self, node: Node) -> Iterator[Spot]:
        """Find where a node is now. Raises StatusError STALE where it is nowhere."""
        with contextlib.ExitStack() as opened:
            spot = self._standing(node, opened)
            if spot is None:
                self.gone(node.inode)
                raise StatusError(Status.STALE)
            yield spot

    def parent(self, node: Node) -> Node:
        """The directory that holds a directory; the root holds itself."""
        for inode, _ in node.places:
            if inode in self._nodes:
                return self._nodes[inode]
        return self.root

    def _standing(self, node: Node, opened: contextlib.ExitStack) -> Spot | None:
        if node.inode == self._root_inode:
            return Spot(node=node, at=self._root, name=".", found=os.fstat(self._root), path="")
        for place in reversed(node.places):
            names = self._names(place)
            if names is None:
                continue
            try:
                at = self._entered(names[:-1], opened)
                found = os.stat(names[-1], dir_fd=at, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if found.st_ino == node.inode:
                return Spot(node=node, at=at, name=names[-1], found=found, path="/".join(names))
        return None

    def _walk(self, names: list[str]) -> None:
        """Know every directory on the way."""
        with contextlib.ExitStack() as opened:
            at, inode = self._root, self._root_inode
            for name in names:
                found = os.stat(name, dir_fd=at, follow_symlinks=False)
                self.seen(found, (inode, name))
                at, inode = self._entered([name], opened, at=at), found.st_ino

    def _stands(self, node: Node, place: tuple[int, str]) -> bool:
        with contextlib.ExitStack() as opened:
            return self._standing(Node(inode=node.inode, generation=0, places=[place]), opened) is not None

    def _names(self, place: tuple[int, str]) -> list[str] | None:
        """The path of a place, from the root; None where it hangs in the air."""
        names: list[str] = []
        for _ in range(DEPTH_MAX):
            inode, name = place
            names.append(name)
            if inode == self._root_inode:
                return names[::-1]
            node = self._nodes.get(inode)
            if node is None or not node.places:
                return None
            place = node.places[-1]
        return None

    def _entered(self, names: list[str], opened: contextlib.ExitStack, *, at: int | None = None) -> int:
        at = self._root if at is None else at
        for name in names:
            at = os.open(name, DIRECTORY, dir_fd=at)
            opened.callback(os.close, at)
        return at
