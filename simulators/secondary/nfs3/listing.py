"""READDIR and READDIRPLUS (RFC 1813, 3.3.16 and 3.3.17).

A cookie is a number that a name keeps for as long as it exists. So a listing that is continued after others made and
deleted files neither repeats nor omits a name that was there all the time, and no cookie of ours ever grows bad.
"""

import bisect
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from snapproof.simulators.secondary.nfs3.attributes import present
from snapproof.simulators.secondary.nfs3.names import Folder, folder
from snapproof.simulators.secondary.nfs3.nodes import Node
from snapproof.simulators.secondary.nfs3.served import IO_BYTES_MAX, Served, read_handle
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError
from snapproof.simulators.secondary.nfs3.xdr import FALSE, TRUE, Reader, hyper, opaque

SELF, PARENT = 1, 2
"""The cookies of `.` and `..`; names come after them."""
HEAD_BYTES, END_BYTES = 4 + 88 + 8, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One name as a page shows it."""

    cookie: int
    name: str
    found: os.stat_result
    node: Node


def read_directory(served: Served, reader: Reader) -> bytes:
    """READDIR: names."""
    handle, cookie, verifier = read_handle(reader), reader.hyper(), reader.fixed(8)
    count = reader.uint()
    reader.end()
    return _page(served, served.node(handle), cookie, verifier, bytes_max=count, written=_bare)


def read_directory_plus(served: Served, reader: Reader) -> bytes:
    """READDIRPLUS: names with attributes and handles."""
    handle, cookie, verifier = read_handle(reader), reader.hyper(), reader.fixed(8)
    reader.uint()  # how much of it may be names; the whole is bounded by what follows
    count = reader.uint()
    reader.end()
    return _page(
        served,
        served.node(handle),
        cookie,
        verifier,
        bytes_max=count,
        written=lambda entry: _bare(entry) + _handle_and_attributes(served, entry),
    )


def _page(
    served: Served, node: Node, cookie: int, verifier: bytes, *, bytes_max: int, written: Callable[[Entry], bytes]
) -> bytes:
    """Write as many entries after the cookie as fit."""
    own = hyper(served.nodes.edition)
    with folder(served, node) as within:
        served.tree.admit("list")
        if cookie and (verifier != own or node.inode not in served.cookies):
            raise StatusError(Status.BAD_COOKIE)
        pieces = [present(os.fstat(within.file)), own]
        room = min(bytes_max, IO_BYTES_MAX) - HEAD_BYTES - END_BYTES
        for entry in _entries(served, within, cookie):
            piece = TRUE + written(entry)
            room -= len(piece)
            if room < 0:
                if len(pieces) == 2:
                    raise StatusError(Status.TOOSMALL)
                return b"".join((*pieces, FALSE, FALSE))
            pieces.append(piece)
        return b"".join((*pieces, FALSE, TRUE))


def _entries(served: Served, within: Folder, cookie: int) -> Iterator[Entry]:
    """Give what stands behind the cookie now, in the order of cookies."""
    if cookie < SELF:
        yield Entry(cookie=SELF, name=".", found=os.fstat(within.file), node=within.node)
    if cookie < PARENT:
        with served.nodes.spot(served.nodes.parent(within.node)) as spot:
            yield Entry(cookie=PARENT, name="..", found=spot.found, node=spot.node)
    numbers = _numbered(served, within, anew=cookie == 0)
    names = tuple(numbers)
    for name in names[bisect.bisect_right(tuple(numbers.values()), cookie) :]:
        with suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=within.file, follow_symlinks=False)
            node = served.nodes.seen(found, within.place(name))
            yield Entry(cookie=numbers[name], name=name, found=found, node=node)


def _numbered(served: Served, within: Folder, *, anew: bool) -> dict[str, int]:
    """Give the cookies of a directory's names, ascending; names that are new get the next numbers.

    The directory is read once for a listing: names made while it is under way may be missing, as the protocol allows.
    """
    known = served.cookies.get(within.node.inode, {})
    if not anew:
        return known
    with os.scandir(within.file) as found:
        there = {entry.name for entry in found}
    last = max(known.values(), default=PARENT)
    kept = {name: number for name, number in known.items() if name in there}
    new = sorted(there - kept.keys())
    numbers = kept | {name: number for number, name in enumerate(new, last + 1)}
    served.cookies[within.node.inode] = numbers
    return numbers


def _bare(entry: Entry) -> bytes:
    return hyper(entry.found.st_ino) + opaque(os.fsencode(entry.name)) + hyper(entry.cookie)


def _handle_and_attributes(served: Served, entry: Entry) -> bytes:
    return present(entry.found) + TRUE + opaque(served.nodes.handle_of(entry.node))
