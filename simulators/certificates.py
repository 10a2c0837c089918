"""Certificates of simulated services, signed by an authority of their own that lives only as long as the run."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's side of TLS, and what a client needs to verify it."""

    context: ssl.SSLContext
    authority_pem: bytes


def certificate(*hosts: str) -> Certificate:
    """Issue an EC certificate for localhost, the loopback addresses and `hosts` (names or addresses)."""
    return certificate_for("localhost", "127.0.0.1", "::1", *hosts)


def certificate_for(*hosts: str, expired: bool = False) -> Certificate:
    """Issue an EC certificate for these hosts and no others, `expired` one that was good until the year 2000."""
    import trustme

    authority = trustme.CA(organization_name="snapproof simulators")
    until = datetime(2000, 1, 1, tzinfo=UTC) if expired else None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = dict.fromkeys(hosts)
    issued = authority.issue_cert(*names, organization_name="snapproof simulators", not_after=until)
    issued.configure_cert(context)
    return Certificate(context, authority.cert_pem.bytes())
