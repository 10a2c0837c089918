"""Whom a connection may be opened to: schemes, ports and addresses that are refused before anything is opened.

A pool's address is typed by an administrator and may be anybody's; certificates are checked by transport.py.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from snapproof.reference_impl.ports import RefusedError, TransientError

PRIVILEGED_PORTS = frozenset({80, 443})
"""The ports below 1024 at which HTTP is spoken. Behind the others are services that HTTP could be smuggled into."""
_USUAL_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What is allowed beyond the rule: HTTPS with a certificate to trust, no link-local address."""

    certificates_verified: bool = True
    link_local_allowed: bool = False
    plain_allowed: bool = False
    """Whether HTTP without TLS will do, as where requests are signed and carry no password."""


USUAL_TRUST = Trust()
SIGNED = Trust(plain_allowed=True)


def require_allowed(url: str, trust: Trust) -> None:
    """Raise RefusedError, with the rule, unless a connection may be opened to this URL."""
    try:
        parts = urlsplit(url)
        port = _USUAL_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port
    except ValueError as error:
        raise RefusedError(f"{url} is no address of a service.") from error
    if parts.scheme not in ({"http", "https"} if trust.plain_allowed else {"https"}):
        raise RefusedError(
            f"{url} is not spoken to: its scheme is {parts.scheme or 'none'}, and only https is allowed."
        )
    if parts.username is not None or parts.password is not None:
        raise RefusedError("An address that holds a name or a password is not spoken to; give them apart from it.")
    if port < 1024 and port not in PRIVILEGED_PORTS:
        raise RefusedError(f"{url} is not spoken to: port {port} is another service's, not HTTP's.")
    if not trust.link_local_allowed and any(map(_is_nobodys, _addresses(parts.hostname or "", port))):
        raise RefusedError(f"{url} is not spoken to: a link-local address is no array's, host's or store's.")


def _addresses(host: str, port: int) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise TransientError(f"{host} has no address.") from error


def _is_nobodys(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    plain = getattr(found, "ipv4_mapped", None) or found
    return bool(plain.is_link_local or plain.is_multicast or plain.is_unspecified)
