"""What the export can hold and what the server can do: FSSTAT, FSINFO, PATHCONF (RFC 1813, 3.3.18 to 3.3.20)."""

import os

from snapproof.simulators.secondary.nfs3.attributes import present
from snapproof.simulators.secondary.nfs3.files import OFFSET_MAX
from snapproof.simulators.secondary.nfs3.served import IO_BYTES_MAX, NAME_BYTES_MAX, Served, read_handle
from snapproof.simulators.secondary.nfs3.xdr import FALSE, TRUE, Reader, hyper, uint

_LINKS, _SYMBOLIC_LINKS, _HOMOGENEOUS, _TIMES = 1, 2, 8, 16
BLOCK_BYTES = 4096
LIST_BYTES = 2**16
LINKS_MAX = 32_000


def space(served: Served, reader: Reader) -> bytes:
    """FSSTAT: bytes and files, in all and free."""
    handle = read_handle(reader)
    reader.end()
    with served.nodes.spot(served.node(handle)) as spot:
        total, free = served.tree.space()
        files = os.statvfs(served.tree.root)
        counts = hyper(files.f_files, files.f_ffree, files.f_favail)
        return present(spot.found) + hyper(total, free, free) + counts + uint(0)


def abilities(served: Served, reader: Reader) -> bytes:
    """FSINFO: sizes of transfers, and what kinds of names there are."""
    handle = read_handle(reader)
    reader.end()
    with served.nodes.spot(served.node(handle)) as spot:
        transfer = (IO_BYTES_MAX, IO_BYTES_MAX, BLOCK_BYTES)
        properties = _LINKS | _SYMBOLIC_LINKS | _HOMOGENEOUS | _TIMES
        figures = uint(*transfer, *transfer, LIST_BYTES) + hyper(OFFSET_MAX)
        return present(spot.found) + figures + uint(0, 1) + uint(properties)


def path_limits(served: Served, reader: Reader) -> bytes:
    """PATHCONF."""
    handle = read_handle(reader)
    reader.end()
    with served.nodes.spot(served.node(handle)) as spot:
        nothing_cut_nobody_gives_away = TRUE + TRUE
        case_matters_and_is_kept = FALSE + TRUE
        limits = uint(LINKS_MAX, NAME_BYTES_MAX)
        return present(spot.found) + limits + nothing_cut_nobody_gives_away + case_matters_and_is_kept
