"""Procedures on what has bytes: attributes, access, READ, WRITE and COMMIT (RFC 1813, 3.3.1 to 3.3.7 and 3.3.21)."""

import os
import stat

from snapproof.simulators.secondary.export_tree import Condition
from snapproof.simulators.secondary.nfs3.attributes import attributes, change, present, read_wanted, require_own, set_at
from snapproof.simulators.secondary.nfs3.served import IO_BYTES_MAX, Served, read_handle
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError
from snapproof.simulators.secondary.nfs3.xdr import Reader, opaque, uint

OFFSET_MAX = 2**63 - 1
UNSTABLE, FILE_SYNC = 0, 2
_READ, _LOOKUP, _MODIFY, _EXTEND, _DELETE, _EXECUTE = 1, 2, 4, 8, 16, 32
_CHANGES = _MODIFY | _EXTEND | _DELETE


def get_attributes(served: Served, reader: Reader) -> bytes:
    """GETATTR."""
    handle = read_handle(reader)
    reader.end()
    served.tree.admit("size")
    with served.nodes.spot(served.node(handle)) as spot:
        return attributes(spot.found)


def set_attributes(served: Served, reader: Reader) -> bytes:
    """SETATTR: size, mode and times; a guard names the change time that the client last saw."""
    handle, wanted = read_handle(reader), read_wanted(reader)
    guard = reader.optional(lambda: reader.uint() * 10**9 + reader.uint())
    reader.end()
    node = served.node(handle)
    served.tree.admit("set_attributes")
    with served.nodes.spot(node) as spot:
        if guard is not None and guard != spot.found.st_ctime_ns:
            raise StatusError(Status.NOT_SYNC)
        require_own(wanted, spot.found)
        if wanted.size_bytes is not None:
            _resize(served, served.opened(node), wanted.size_bytes)
        found = os.stat(spot.name, dir_fd=spot.at, follow_symlinks=False)
        set_at(wanted, spot.at, spot.name, found)
        return change(spot.found, os.stat(spot.name, dir_fd=spot.at, follow_symlinks=False))


def _resize(served: Served, file: int, size_bytes: int) -> None:
    if size_bytes > OFFSET_MAX:
        raise StatusError(Status.FBIG)
    served.tree.resize(file, size_bytes)


def access(served: Served, reader: Reader) -> bytes:
    """ACCESS: what can be done here, whoever asks."""
    handle, asked = read_handle(reader), reader.uint()
    reader.end()
    with served.nodes.spot(served.node(handle)) as spot:
        if spot.is_directory:
            allowed = _READ | _LOOKUP | _CHANGES
        else:
            executable = bool(stat.S_IMODE(spot.found.st_mode) & 0o111)
            allowed = _READ | _MODIFY | _EXTEND | (_EXECUTE if executable else 0)
        if served.tree.condition is Condition.READ_ONLY:
            allowed &= ~_CHANGES
        return present(spot.found) + uint(asked & allowed)


def read_link(served: Served, reader: Reader) -> bytes:
    """READLINK: tell where a link points. Nobody follows it here."""
    handle = read_handle(reader)
    reader.end()
    with served.nodes.spot(served.node(handle)) as spot:
        if not stat.S_ISLNK(spot.found.st_mode):
            raise StatusError(Status.INVAL)
        return present(spot.found) + opaque(os.fsencode(os.readlink(spot.name, dir_fd=spot.at)))


def read(served: Served, reader: Reader) -> bytes:
    """READ: fewer bytes than asked for is no error, and none at or beyond the end."""
    handle, offset, count = read_handle(reader), reader.hyper(), reader.uint()
    reader.end()
    file = served.opened(served.node(handle))
    served.tree.admit("read")
    octets = os.pread(file, min(count, IO_BYTES_MAX), offset) if offset <= OFFSET_MAX else b""
    found = os.fstat(file)
    over = offset + len(octets) >= found.st_size
    return present(found) + uint(len(octets), over) + opaque(octets)


def write(served: Served, reader: Reader) -> bytes:
    """WRITE: UNSTABLE bytes are visible at once and durable after a COMMIT; others are durable with the answer."""
    handle, offset, count, how = read_handle(reader), reader.hyper(), reader.uint(), reader.choice(3)
    octets = reader.opaque(IO_BYTES_MAX)
    reader.end()
    file = served.opened(served.node(handle))
    if count != len(octets):
        raise StatusError(Status.INVAL)
    if offset + count > OFFSET_MAX:
        raise StatusError(Status.FBIG)
    before = os.fstat(file)
    served.tree.write(file, octets, offset)
    if how != UNSTABLE:
        served.tree.fsync(file)
    return change(before, os.fstat(file)) + uint(count, FILE_SYNC if how else UNSTABLE) + served.verifier


def commit(served: Served, reader: Reader) -> bytes:
    """COMMIT: the whole file, whatever range was named."""
    file = _committed(served, reader)
    before = os.fstat(file)
    served.tree.fsync(file)
    return change(before, os.fstat(file)) + served.verifier


def give_up(served: Served, reader: Reader) -> None:
    """Refuse a COMMIT: what it was to make durable is lost."""
    served.tree.lose(_committed(served, reader))


def _committed(served: Served, reader: Reader) -> int:
    handle = read_handle(reader)
    reader.hyper()
    reader.uint()
    reader.end()
    return served.opened(served.node(handle))
