"""What NFS version 3 calls each error (RFC 1813, 2.6), and which errno of the export means which."""

import errno
from collections.abc import Mapping
from enum import IntEnum


class Status(IntEnum):
    """nfsstat3."""

    OK = 0
    PERM = 1
    NOENT = 2
    IO = 5
    NXIO = 6
    ACCES = 13
    EXIST = 17
    XDEV = 18
    NODEV = 19
    NOTDIR = 20
    ISDIR = 21
    INVAL = 22
    FBIG = 27
    NOSPC = 28
    ROFS = 30
    MLINK = 31
    NAMETOOLONG = 63
    NOTEMPTY = 66
    DQUOT = 69
    STALE = 70
    BADHANDLE = 10001
    NOT_SYNC = 10002
    BAD_COOKIE = 10003
    NOTSUPP = 10004
    TOOSMALL = 10005
    SERVERFAULT = 10006
    BADTYPE = 10007
    JUKEBOX = 10008


class StatusError(Exception):
    """A refusal in the protocol's own words."""

    def __init__(self, status: Status) -> None:
        super().__init__(f"NFS3ERR_{status.name}")
        self.status = status


_BY_ERRNO: Mapping[int, Status] = {
    errno.EPERM: Status.PERM,
    errno.ENOENT: Status.NOENT,
    errno.EIO: Status.IO,
    errno.ENXIO: Status.NXIO,
    errno.EACCES: Status.ACCES,
    errno.EBADF: Status.ACCES,  # the file could be opened for reading only
    errno.EEXIST: Status.EXIST,
    errno.EXDEV: Status.XDEV,
    errno.ENODEV: Status.NODEV,
    errno.ENOTDIR: Status.NOTDIR,
    errno.EISDIR: Status.ISDIR,
    errno.EINVAL: Status.INVAL,
    errno.ELOOP: Status.INVAL,  # a link where a file was meant; it is never followed
    errno.EFBIG: Status.FBIG,
    errno.ENOSPC: Status.NOSPC,
    errno.EROFS: Status.ROFS,
    errno.EMLINK: Status.MLINK,
    errno.ENAMETOOLONG: Status.NAMETOOLONG,
    errno.ENOTEMPTY: Status.NOTEMPTY,
    errno.EDQUOT: Status.DQUOT,
    errno.ESTALE: Status.STALE,
    errno.ETIMEDOUT: Status.JUKEBOX,  # the one word of the protocol for "ask again later"
}


def status_of(error: OSError) -> Status:
    """Give the word for an error; what the protocol has no word for is an I/O error."""
    return _BY_ERRNO.get(error.errno or 0, Status.IO)
