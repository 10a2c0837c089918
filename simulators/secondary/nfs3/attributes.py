"""Attributes of files: written as the protocol has them (fattr3, wcc_data), and read as clients set them (sattr3)."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError
from snapproof.simulators.secondary.nfs3.xdr import TRUE, Reader, hyper, uint

TYPES = {
    stat.S_IFREG: 1,
    stat.S_IFDIR: 2,
    stat.S_IFBLK: 3,
    stat.S_IFCHR: 4,
    stat.S_IFLNK: 5,
    stat.S_IFSOCK: 6,
    stat.S_IFIFO: 7,
}
"""ftype3 by the file's mode."""

PERMISSIONS = 0o777
"""Nothing served here runs as somebody else: the set-id bits cannot be set."""
WORD = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Attributes that a client asks for; times are nanoseconds, and `NOW` is the server's own."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size_bytes: int | None = None
    read_ns: int | None = None
    changed_ns: int | None = None


NOW = -1
NOTHING = Wanted()


def read_wanted(reader: Reader) -> Wanted:
    """Read sattr3."""
    return Wanted(
        mode=reader.optional(reader.uint),
        uid=reader.optional(reader.uint),
        gid=reader.optional(reader.uint),
        size_bytes=reader.optional(reader.hyper),
        read_ns=_time(reader),
        changed_ns=_time(reader),
    )


def _time(reader: Reader) -> int | None:
    how = reader.choice(3)
    if how == 0:
        return None
    return NOW if how == 1 else reader.uint() * 10**9 + reader.uint()


def attributes(found: os.stat_result) -> bytes:
    """Write fattr3."""
    return b"".join(
        (
            uint(TYPES[stat.S_IFMT(found.st_mode)], stat.S_IMODE(found.st_mode), found.st_nlink),
            uint(found.st_uid, found.st_gid),
            hyper(found.st_size, found.st_blocks * 512),
            uint(os.major(found.st_rdev), os.minor(found.st_rdev)),
            hyper(found.st_dev, found.st_ino),
            *(_written(ns) for ns in (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)),
        )
    )


def present(found: os.stat_result) -> bytes:
    """Write attributes that may be missing and are not."""
    return TRUE + attributes(found)


def change(before: os.stat_result, after: os.stat_result) -> bytes:
    """Write wcc_data: what a client needs to know whether somebody else changed the file as well."""
    earlier = hyper(before.st_size) + _written(before.st_mtime_ns) + _written(before.st_ctime_ns)
    return TRUE + earlier + present(after)


def _written(ns: int) -> bytes:
    return uint(max(0, ns) // 10**9 & WORD, ns % 10**9)


def require_own(wanted: Wanted, found: os.stat_result) -> None:
    """Refuse to give a file away: everything belongs to whoever runs the simulator."""
    if wanted.uid not in {None, WORD, found.st_uid} or wanted.gid not in {None, WORD, found.st_gid}:
        raise StatusError(Status.PERM)


def set_at(wanted: Wanted, at: int, name: str, found: os.stat_result) -> None:
    """Set mode and times of what stands there; a link's own mode cannot be set, and is not its target's."""
    if wanted.mode is not None and not stat.S_ISLNK(found.st_mode):
        set_mode(wanted.mode, at, name)
    if NOW in {wanted.read_ns, wanted.changed_ns}:
        os.utime(name, dir_fd=at, follow_symlinks=False)
    touched = os.stat(name, dir_fd=at, follow_symlinks=False)
    read_ns = {None: found.st_atime_ns, NOW: touched.st_atime_ns}.get(wanted.read_ns, wanted.read_ns)
    changed_ns = {None: found.st_mtime_ns, NOW: touched.st_mtime_ns}.get(wanted.changed_ns, wanted.changed_ns)
    if read_ns is not None and changed_ns is not None and (wanted.read_ns, wanted.changed_ns) != (None, None):
        os.utime(name, ns=(read_ns, changed_ns), dir_fd=at, follow_symlinks=False)


def set_mode(mode: int, at: int, name: str) -> None:
    """Set permissions by a descriptor that is nothing but a place, so that neither a link nor a pipe can interfere."""
    place = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        if not stat.S_ISLNK(os.fstat(place).st_mode):
            Path("/proc/self/fd", str(place)).chmod(mode & PERMISSIONS)
    finally:
        os.close(place)
