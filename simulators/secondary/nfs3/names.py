"""Procedures on names in directories: LOOKUP, what makes, moves and removes (RFC 1813, 3.3.3 and 3.3.8 to 3.3.15)."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from snapproof.simulators.secondary.export_tree import DIRECTORY
from snapproof.simulators.secondary.nfs3.attributes import (
    NOTHING,
    PERMISSIONS,
    Wanted,
    change,
    present,
    read_wanted,
    set_at,
)
from snapproof.simulators.secondary.nfs3.nodes import Node, Spot
from snapproof.simulators.secondary.nfs3.served import (
    ARGUMENT_BYTES_MAX,
    Served,
    plain_name,
    read_entry,
    read_handle,
    require_directory,
)
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError
from snapproof.simulators.secondary.nfs3.xdr import TRUE, Reader, opaque

_UNCHECKED, _GUARDED, _EXCLUSIVE = range(3)
_BLOCK, _CHARACTER, _SOCKET, _PIPE = 3, 4, 6, 7
TARGET_BYTES_MAX = 4095
FILE_MODE, FOLDER_MODE = 0o644, 0o755


class Folder:
    """A directory that is open for a procedure, and how it was before."""

    def __init__(self, spot: Spot, file: int) -> None:
        self.node = spot.node
        self.file = file
        self._path = spot.path
        self._before = os.fstat(file)

    def place(self, name: str) -> tuple[int, str]:
        """A name as nodes remember it."""
        return self.node.inode, name

    def path(self, name: str) -> str:
        """A name as people read it."""
        return f"{self._path}/{name}".lstrip("/")

    def change(self) -> bytes:
        """Write wcc_data."""
        return change(self._before, os.fstat(self.file))


@contextmanager
def folder(served: Served, node: Node) -> Iterator[Folder]:
    """Open a directory. Raises StatusError NOTDIR or STALE."""
    with ExitStack() as opened:
        spot = opened.enter_context(served.nodes.spot(node))
        require_directory(spot)
        file = os.open(spot.name, DIRECTORY, dir_fd=spot.at)
        opened.callback(os.close, file)
        yield Folder(spot, file)


def look_up(served: Served, reader: Reader) -> bytes:
    """LOOKUP. A directory's own name and its parent's work, and the root is its own parent."""
    handle, octets = read_entry(reader)
    reader.end()
    node = served.node(handle)
    served.tree.admit("open")
    with folder(served, node) as within:
        attributes = present(os.fstat(within.file))
        if octets in {b".", b".."}:
            target = node if octets == b"." else served.nodes.parent(node)
            with served.nodes.spot(target) as spot:
                return opaque(served.nodes.handle_of(target)) + present(spot.found) + attributes
        name = plain_name(octets)
        found = os.stat(name, dir_fd=within.file, follow_symlinks=False)
        target = served.nodes.seen(found, within.place(name))
        return opaque(served.nodes.handle_of(target)) + present(found) + attributes


def create(served: Served, reader: Reader) -> bytes:
    """CREATE: over what is there, only if nothing is there, or exclusively: once, however often it is asked."""
    handle, octets = read_entry(reader)
    how = reader.choice(3)
    wanted, verifier = (NOTHING, reader.fixed(8)) if how == _EXCLUSIVE else (read_wanted(reader), b"")
    reader.end()
    with folder(served, served.node(handle)) as within:
        served.tree.admit("create")
        name = _new_name(octets)
        try:
            mode = FILE_MODE if wanted.mode is None else wanted.mode & PERMISSIONS
            file = served.tree.create_file(within.file, name, within.path(name), mode=mode)
        except FileExistsError:
            return _created_before(served, within, name, how, wanted, verifier)
        served.keep_open(file)
        node = served.nodes.seen(os.fstat(file), within.place(name))
        if how == _EXCLUSIVE:
            served.exclusive[node.inode] = verifier
        return _arranged(served, within, name, wanted)


def _created_before(served: Served, within: Folder, name: str, how: int, wanted: Wanted, verifier: bytes) -> bytes:
    found = os.stat(name, dir_fd=within.file, follow_symlinks=False)
    same = how == _EXCLUSIVE and served.exclusive.get(found.st_ino) == verifier
    if not same and (how != _UNCHECKED or not stat.S_ISREG(found.st_mode)):
        raise StatusError(Status.EXIST)
    return _arranged(served, within, name, Wanted(size_bytes=wanted.size_bytes))


def _arranged(served: Served, within: Folder, name: str, wanted: Wanted) -> bytes:
    """Give what stands there the attributes that were asked for, and write the answer of everything that makes.

    Whoever is named as the owner, it belongs to whoever runs the simulator.
    """
    found = os.stat(name, dir_fd=within.file, follow_symlinks=False)
    node = served.nodes.seen(found, within.place(name))
    if wanted.size_bytes is not None and stat.S_ISREG(found.st_mode):
        served.tree.resize(served.opened(node), wanted.size_bytes)
    set_at(wanted, within.file, name, os.stat(name, dir_fd=within.file, follow_symlinks=False))
    after = os.stat(name, dir_fd=within.file, follow_symlinks=False)
    return b"".join((TRUE, opaque(served.nodes.handle_of(node)), present(after), within.change()))


def make_directory(served: Served, reader: Reader) -> bytes:
    """MKDIR."""
    handle, octets = read_entry(reader)
    wanted = read_wanted(reader)
    reader.end()
    mode = FOLDER_MODE if wanted.mode is None else wanted.mode & PERMISSIONS
    with folder(served, served.node(handle)) as within:
        served.tree.admit("make_directories")
        name = _new_name(octets)
        os.mkdir(name, mode, dir_fd=within.file)
        return _arranged(served, within, name, wanted)


def symbolic_link(served: Served, reader: Reader) -> bytes:
    """SYMLINK: it may point anywhere, since nobody follows it here."""
    handle, octets = read_entry(reader)
    wanted, target = read_wanted(reader), bytes(reader.opaque(ARGUMENT_BYTES_MAX))
    reader.end()
    if len(target) > TARGET_BYTES_MAX:
        raise StatusError(Status.NAMETOOLONG)
    if not target or b"\0" in target:
        raise StatusError(Status.INVAL)
    return _made(served, handle, octets, wanted, lambda name, at: os.symlink(os.fsdecode(target), name, dir_fd=at))


def make_node(served: Served, reader: Reader) -> bytes:
    """MKNOD: pipes and sockets, which nobody opens here; devices are not supported."""
    handle, octets = read_entry(reader)
    kind = reader.uint()
    wanted = read_wanted(reader) if kind in {_BLOCK, _CHARACTER, _SOCKET, _PIPE} else NOTHING
    if kind in {_BLOCK, _CHARACTER}:
        reader.fixed(8)
    reader.end()
    served.node(handle)
    if kind in {_BLOCK, _CHARACTER}:
        raise StatusError(Status.NOTSUPP)
    if kind not in {_SOCKET, _PIPE}:
        raise StatusError(Status.BADTYPE)
    mode = (FILE_MODE if wanted.mode is None else wanted.mode & PERMISSIONS) | (
        stat.S_IFSOCK if kind == _SOCKET else stat.S_IFIFO
    )
    return _made(served, handle, octets, wanted, lambda name, at: os.mknod(name, mode, dir_fd=at))


def _made(served: Served, handle: memoryview, octets: bytes, wanted: Wanted, make: Callable[[str, int], None]) -> bytes:
    """Make what is neither file nor directory."""
    with folder(served, served.node(handle)) as within:
        served.tree.admit("create")
        name = _new_name(octets)
        make(name, within.file)
        served.tree.record("no plain file made", path=within.path(name))
        return _arranged(served, within, name, wanted)


def remove(served: Served, reader: Reader) -> bytes:
    """REMOVE."""
    return _removed(served, reader, "delete", served.tree.delete_file)


def remove_directory(served: Served, reader: Reader) -> bytes:
    """RMDIR."""
    return _removed(served, reader, "delete_directory", served.tree.delete_folder)


def _removed(served: Served, reader: Reader, act: str, delete: Callable[[int, str, str], None]) -> bytes:
    handle, octets = read_entry(reader)
    reader.end()
    with folder(served, served.node(handle)) as within:
        served.tree.admit(act)
        name = plain_name(octets)
        delete(within.file, name, within.path(name))
        return within.change()


def rename(served: Served, reader: Reader) -> bytes:
    """RENAME: in one step, over what had the new name."""
    old_handle, old_octets = read_entry(reader)
    new_handle, new_octets = read_entry(reader)
    reader.end()
    with folder(served, served.node(old_handle)) as source, folder(served, served.node(new_handle)) as target:
        served.tree.admit("rename")
        old, new = plain_name(old_octets), plain_name(new_octets)
        served.tree.move(source.file, old, target.file, new, old_path=source.path(old), new_path=target.path(new))
        return source.change() + target.change()


def link(served: Served, reader: Reader) -> bytes:
    """LINK: another name for a file, within the export."""
    handle = read_handle(reader)
    folder_handle, octets = read_entry(reader)
    reader.end()
    node = served.node(handle)
    with served.nodes.spot(node) as spot, folder(served, served.node(folder_handle)) as within:
        served.tree.admit("create")
        name = _new_name(octets)
        os.link(spot.name, name, src_dir_fd=spot.at, dst_dir_fd=within.file, follow_symlinks=False)
        served.tree.record("file linked", path=spot.path, target=within.path(name))
        found = os.stat(name, dir_fd=within.file, follow_symlinks=False)
        served.nodes.seen(found, within.place(name))
        return present(found) + within.change()


def _new_name(octets: bytes) -> str:
    """A name that something shall get; those that every directory has are taken."""
    if octets in {b".", b".."}:
        raise StatusError(Status.EXIST)
    return plain_name(octets)
