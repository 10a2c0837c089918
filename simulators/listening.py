"""Sockets that listen: at an address of this machine alone unless more is allowed, with the cure for what cannot be.

What is served on them is not said here.
"""

import errno
import ipaddress
import socket
from pathlib import Path


class CannotServeError(Exception):
    """The address cannot be served; the message says what to do about it."""


CURES = {
    errno.EADDRINUSE: "is taken by another program; choose another port, or 0 for any free one",
    errno.EACCES: "may only be served by root (or with CAP_NET_BIND_SERVICE); choose a port above 1023",
    errno.EADDRNOTAVAIL: "is no address of this machine; add it to an interface or choose another",
}


def bind(host: str, port: int, *, allow_remote: bool) -> socket.socket:
    """Listen at an address of this machine. Raises CannotServeError with the cure in its message."""
    if not 0 <= port <= 65535:
        raise CannotServeError(f"{host}:{port} is no address: a port is a number from 0 to 65535.")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise CannotServeError(f"{host}:{port} names no address: {error}.") from error
    if not allow_remote and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise CannotServeError(
            f"{host}:{port} can be reached from other machines, and a simulator is no server to expose; "
            "serve 127.0.0.1, or allow remote clients explicitly."
        )
    try:
        return socket.create_server(address[:2], family=family, backlog=512)
    except OSError as error:
        cure = CURES.get(error.errno or 0, f"cannot be served: {error}")
        raise CannotServeError(f"{host}:{port} {cure}.") from error


def bind_unix(path: Path) -> socket.socket:
    """Listen on a unix socket at `path`. Raises CannotServeError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise CannotServeError(
            f"{path} cannot be a socket: {error.strerror or error}; choose a short new path."
        ) from error
    return listener


def named(listener: socket.socket, scheme: str) -> tuple[str, int, str]:
    """Give host, port and URL of a listener; a unix socket has its path for a host, and no port."""
    if listener.family == socket.AF_UNIX:
        path = str(listener.getsockname())
        return path, 0, f"unix:{path}"
    host, port = listener.getsockname()[:2]
    return host, port, f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
