"""The cluster's way out: HTTP to hosts outside, by their names. Where it leads is the wiring's choice.

`Sockets` is the real way, for a cluster that is served; certificates are not verified, because clusters do not.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from typing import Protocol

from snapproof.simulators.serving import Answer

TIMEOUT_S = 30.0
HTTPS_PORT = 443
PORT_MAX = 65535


class Web(Protocol):
    """Where HTTPS requests of the cluster go."""

    def exchange(self, host: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request to `host[:port]`. Raises OSError when there is no answer."""


class Nowhere:
    """A cluster without a way out."""

    def exchange(self, host: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Reach nobody."""
        raise ConnectionRefusedError(f"No host {host} can be reached from this cluster.")


NOWHERE = Nowhere()


class Sockets:
    """HTTPS over TCP, to this machine only unless more is allowed."""

    def __init__(self, *, allow_remote: bool = False) -> None:
        self._allow_remote = allow_remote
        self._trusting = ssl.create_default_context()
        self._trusting.check_hostname = False
        self._trusting.verify_mode = ssl.CERT_NONE

    def exchange(self, host: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request on a connection of its own."""
        address = self._address(*_split(host))
        connection = http.client.HTTPSConnection(*address, timeout=TIMEOUT_S, context=self._trusting)
        try:
            connection.request(method, target, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{host} does not speak HTTP.") from error
        finally:
            connection.close()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, content

    def _address(self, name: str, port: int) -> tuple[str, int]:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0][4]
        address = str(found[0])
        if not self._allow_remote and not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
            raise PermissionError(f"{name} is another machine, and this cluster may reach its own machine only.")
        return address, port


def _split(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    if port and not (port.isascii() and port.isdigit() and int(port[:6]) <= PORT_MAX):
        raise ConnectionError("What follows the colon in a host name is no port.")
    return name, int(port or HTTPS_PORT)
