"""The MOUNT program and the port mapper's few words: how a client finds the root (RFC 1813, 5; RFC 1833)."""

import os
from collections.abc import Callable

from snapproof.simulators.secondary.nfs3.names import folder
from snapproof.simulators.secondary.nfs3.nodes import Node
from snapproof.simulators.secondary.nfs3.rpc import Call, Program
from snapproof.simulators.secondary.nfs3.served import Served, plain_name
from snapproof.simulators.secondary.nfs3.statuses import Status, StatusError, status_of
from snapproof.simulators.secondary.nfs3.xdr import FALSE, TRUE, opaque, uint

PATH_BYTES_MAX = 1024
NFS, MOUNT, PORT_MAPPER = 100003, 100005, 100000
_TCP = 6
_AUTH_NONE, _AUTH_SYS = 0, 1


def mount_program(served: Callable[[], Served], name: str) -> Program:
    """Make the program that gives out the root of the export called `name`, and of directories in it."""
    export = os.fsencode(name.strip("/"))

    def mount(call: Call) -> bytes:
        path = bytes(call.arguments.opaque(PATH_BYTES_MAX))
        call.arguments.end()
        try:
            with served().tree.turn:
                return _mounted(served(), export, path)
        except StatusError as error:
            return uint(error.status)
        except OSError as error:
            return uint(status_of(error))

    def forget(call: Call) -> bytes:
        call.arguments.opaque(PATH_BYTES_MAX)
        call.arguments.end()
        return b""

    shown = TRUE + opaque(b"/" + export) + FALSE + FALSE
    return Program(
        number=MOUNT,
        version=3,
        procedures={
            0: _said(b""),
            1: mount,
            2: _said(FALSE),  # nobody remembers who mounted: DUMP shows an empty list
            3: forget,
            4: _said(b""),
            5: _said(shown),
        },
    )


def port_mapper(port: Callable[[], int]) -> Program:
    """Make the program that tells the port of the others: our own."""
    spoken = ((NFS, 3), (MOUNT, 3))

    def get_port(call: Call) -> bytes:
        program, version, protocol = (call.arguments.uint() for _ in range(3))
        call.arguments.uint()
        call.arguments.end()
        return uint(port() if (program, version) in spoken and protocol == _TCP else 0)

    def dump(call: Call) -> bytes:
        call.arguments.end()
        return b"".join(TRUE + uint(*one, _TCP, port()) for one in spoken) + FALSE

    return Program(number=PORT_MAPPER, version=2, procedures={0: _said(b""), 3: get_port, 4: dump})


def _mounted(served: Served, export: bytes, path: bytes) -> bytes:
    """Walk from the root to the directory that is asked for."""
    names = [name for name in path.split(b"/") if name]
    own = export.split(b"/") if export else []
    if names[: len(own)] != own:
        raise StatusError(Status.NOENT)
    node = served.nodes.root
    for name in names[len(own) :]:
        node = _entered(served, node, plain_name(name))
    with folder(served, node):
        return uint(Status.OK) + opaque(served.nodes.handle_of(node)) + uint(2, _AUTH_SYS, _AUTH_NONE)


def _entered(served: Served, node: Node, name: str) -> Node:
    with folder(served, node) as within:
        found = os.stat(name, dir_fd=within.file, follow_symlinks=False)
        return served.nodes.seen(found, within.place(name))


def _said(answer: bytes) -> Callable[[Call], bytes]:
    def say(call: Call) -> bytes:
        call.arguments.end()
        return answer

    return say
