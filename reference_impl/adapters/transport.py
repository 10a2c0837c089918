"""Reaching an endpoint: in process through its wire, else over HTTP(S). What is said over it is not known here.

Certificates are always verified, by the site's own authority alone where it names one; proxies and redirects are
ignored, and nothing is ever sent twice: whether to ask again is the orchestrator's decision alone.
"""

import ssl
from collections.abc import Mapping

import urllib3

from snapproof.reference_impl.ports import RefusedError, TransientError, UnknownOutcomeError
from snapproof.site import Answer, Endpoint

TIMEOUT_S = 60.0


class Transport:
    """One endpoint's connection."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sockets = None if endpoint.wire else urllib3.PoolManager(ssl_context=_trust(endpoint))

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request. Raises UnknownOutcomeError if it may have arrived; else TransientError, or RefusedError."""
        if self._endpoint.wire is not None:
            try:
                status, found, text = self._endpoint.wire(method, path, headers, body)
            except ConnectionError as error:
                raise UnknownOutcomeError(f"{self._endpoint.url} did not answer.") from error
            return status, _lower(found), text
        return self._over_sockets(method, path, headers, body)

    def _over_sockets(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        assert self._sockets is not None
        url = self._endpoint.url.rstrip("/") + path
        try:
            answer = self._sockets.request(
                method, url, headers=headers, body=body, retries=False, redirect=False, timeout=TIMEOUT_S
            )
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise TransientError(f"{self._endpoint.url} cannot be reached.") from error
        except urllib3.exceptions.SSLError as error:
            if isinstance(error.args[0], ssl.SSLCertVerificationError):
                raise RefusedError(f"{self._endpoint.url} has no certificate to trust; nothing was sent.") from error
            raise UnknownOutcomeError(f"{self._endpoint.url} did not answer.") from error
        except urllib3.exceptions.HTTPError as error:
            raise UnknownOutcomeError(f"{self._endpoint.url} did not answer.") from error
        return answer.status, _lower(answer.headers), answer.data

    def close(self) -> None:
        """Let go of the connection."""
        if self._sockets is not None:
            self._sockets.clear()


def _lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=endpoint.ca_pem)
