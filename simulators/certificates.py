"""Certificates of simulated services, signed by an authority of their own that lives only as long as the run."""

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Certificate:
    """A server's side of TLS, and what a client needs to verify it."""

    context: ssl.SSLContext
    authority_pem: bytes


def certificate(*hosts: str) -> Certificate:
    """Issue an EC certificate for localhost, the loopback addresses and `hosts` (names or addresses)."""
    import trustme

    authority = trustme.CA(organization_name="snapproof simulators")
    names = dict.fromkeys(("localhost", "127.0.0.1", "::1", *hosts))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, organization_name="snapproof simulators").configure_cert(context)
    return Certificate(context, authority.cert_pem.bytes())
