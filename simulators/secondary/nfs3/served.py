"""What the procedures of one export share: its tree, the handles that clients hold, and files that are open.

The procedures themselves are in files.py, names.py, listing.py and figures.py.
"""

import os
import stat
from collections import OrderedDict

from snapproof.simulators.secondary.export_tree import Condition, ExportTree
from snapproof.simulators.secondary.nfs3.nodes import HANDLE_BYTES_MAX, Node, Nodes, Spot
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError
from snapproof.simulators.secondary.nfs3.xdr import Reader, hyper
from snapproof.simulators.secondary.nfs_faults import refusal

IO_BYTES_MAX = 2**20
"""How much one READ gives and one WRITE takes; FSINFO says so."""
NAME_BYTES_MAX = 255
ARGUMENT_BYTES_MAX = 2**16
"""A name or a link's target that is longer is no mistake that deserves an answer of its own."""
OPEN_MAX = 64
READ_WRITE = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Served:
    """One export behind the protocol, to be used while the tree's turn is held.

    `edition` tells its handles from those of an export served here before.
    """

    def __init__(self, tree: ExportTree, *, edition: int) -> None:
        self.tree = tree
        self.nodes = Nodes(tree.root, edition=edition)
        self.exclusive: dict[int, bytes] = {}
        self.cookies: dict[int, dict[str, int]] = {}
        self._open: OrderedDict[int, int] = OrderedDict()
        tree.observe(self)

    @property
    def verifier(self) -> bytes:
        """What changes when bytes that were not durable may be lost."""
        return hyper(self.nodes.edition << 32 | self.tree.boots)

    def close(self) -> None:
        """Leave the export in good order: everything durable, nothing open."""
        with self.tree.turn:
            self.tree.unobserve(self)
            self.tree.settle()
            while self._open:
                os.close(self._open.popitem()[1])
            self.nodes.close()

    def gone(self, inode: int) -> None:
        """Forget what was remembered of a file that is gone."""
        if (file := self._open.pop(inode, None)) is not None:
            os.close(file)
        self.exclusive.pop(inode, None)
        self.cookies.pop(inode, None)
        self.nodes.gone(inode)

    def moved(self, inode: int, old: tuple[int, str], new: tuple[int, str], *, path: str) -> None:
        """Follow a file to its new name."""
        self.nodes.moved(inode, old, new, path=path)

    def node(self, handle: memoryview) -> Node:
        """Find what a handle means, unless no handle means anything any more."""
        if self.tree.condition is Condition.STALE:
            raise refusal("ESTALE")
        return self.nodes.named(handle)

    def opened(self, node: Node) -> int:
        """Give the descriptor of a file; it stays open for a while. Raises StatusError for what has no bytes."""
        file = self._open.get(node.inode)
        if file is not None:
            if os.fstat(file).st_nlink == 0:
                self.gone(node.inode)
                raise StatusError(Status.STALE)
            self._open.move_to_end(node.inode)
            return file
        with self.nodes.spot(node) as spot:
            return self.keep_open(_open_file(spot))

    def keep_open(self, file: int) -> int:
        """Take over an open file."""
        inode = os.fstat(file).st_ino
        if (before := self._open.pop(inode, None)) is not None:
            os.close(before)
        self._open[inode] = file
        while len(self._open) > OPEN_MAX:
            os.close(self._open.popitem(last=False)[1])
        return file


def read_handle(reader: Reader) -> memoryview:
    """Read nfs_fh3."""
    return reader.opaque(HANDLE_BYTES_MAX)


def read_entry(reader: Reader) -> tuple[memoryview, bytes]:
    """Read diropargs3: the handle of a directory, and a name in it."""
    return read_handle(reader), bytes(reader.opaque(ARGUMENT_BYTES_MAX))


def plain_name(octets: bytes) -> str:
    """Read a name that can be walked to: one component, and never a way up."""
    if len(octets) > NAME_BYTES_MAX:
        raise StatusError(Status.NAMETOOLONG)
    if octets in {b"", b".", b".."}:
        raise StatusError(Status.INVAL)
    if any(mark in octets for mark in (b"/", b"\0", b"\\")):
        raise StatusError(Status.ACCES)
    return os.fsdecode(octets)


def require_directory(spot: Spot) -> None:
    """Raise NOTDIR for anything else."""
    if not spot.is_directory:
        raise StatusError(Status.NOTDIR)


def _open_file(spot: Spot) -> int:
    if not spot.is_file:
        raise StatusError(Status.ISDIR if spot.is_directory else Status.INVAL)
    try:
        file = os.open(spot.name, READ_WRITE, dir_fd=spot.at)
    except OSError:
        file = os.open(spot.name, READ_ONLY, dir_fd=spot.at)
    found = os.fstat(file)
    if found.st_ino != spot.node.inode or not stat.S_ISREG(found.st_mode):
        os.close(file)
        raise StatusError(Status.STALE)
    return file
