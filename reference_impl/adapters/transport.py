"""Reaching an endpoint: in process through its wire, else over HTTP(S). What is said over it is not known here.

Certificates are verified, by the site's own authority alone where it names one, unless a setting says no. Proxies and
redirects are ignored, and nothing is ever sent twice: whether to ask again is the orchestrator's decision alone.
"""

import ssl
import time
from collections.abc import Mapping

import urllib3

from snapproof.reference_impl.adapters.trust import USUAL_TRUST, Trust, require_allowed
from snapproof.reference_impl.ports import RefusedError, TransientError, UnknownOutcomeError
from snapproof.site import Answer, Endpoint

TIMEOUT_S = 60.0
"""For a connection, and for each silence within an answer."""
ANSWER_BYTES_MAX = 24 * 2**20
"""The longest answer that is taken in: one part of a backup, or a list of everything that an array holds."""
PATIENCE_S = 600.0
"""How long an answer may take in all, however steadily it drips."""
_PIECE_BYTES = 2**16


class Transport:
    """One endpoint's connection."""

    def __init__(
        self, endpoint: Endpoint, *, trust: Trust = USUAL_TRUST, answer_bytes_max: int = ANSWER_BYTES_MAX
    ) -> None:
        self._endpoint = endpoint
        self._trust = trust
        self._answer_bytes_max = answer_bytes_max
        self._sockets = None if endpoint.wire else urllib3.PoolManager(ssl_context=_context(endpoint, trust))

    def exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request. Raises UnknownOutcomeError if it may have arrived; else TransientError, or RefusedError."""
        if self._endpoint.wire is not None:
            try:
                status, found, text = self._endpoint.wire(method, path, headers, body)
            except ConnectionError as error:
                raise UnknownOutcomeError(f"{self._endpoint.url} did not answer.") from error
            if len(text) > self._answer_bytes_max:
                raise self._too_long()
            return status, _lower(found), text
        return self._over_sockets(method, path, headers, body)

    def _over_sockets(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        assert self._sockets is not None
        require_allowed(self._endpoint.url, self._trust)
        url = self._endpoint.url.rstrip("/") + path
        try:
            answer = self._sockets.request(
                method,
                url,
                headers=headers,
                body=body,
                retries=False,
                redirect=False,
                timeout=TIMEOUT_S,
                preload_content=False,
            )
            text = self._read(answer)
        except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
            raise TransientError(f"{self._endpoint.url} cannot be reached.") from error
        except urllib3.exceptions.SSLError as error:
            if isinstance(error.args[0], ssl.SSLCertVerificationError):
                raise RefusedError(f"{self._endpoint.url} has no certificate to trust; nothing was sent.") from error
            raise UnknownOutcomeError(f"{self._endpoint.url} did not answer.") from error
        except urllib3.exceptions.HTTPError as error:
            raise UnknownOutcomeError(f"{self._endpoint.url} did not answer.") from error
        return answer.status, _lower(answer.headers), text

    def _read(self, answer: urllib3.BaseHTTPResponse) -> bytes:
        """Take the answer in, as far as it may go. Raises UnknownOutcomeError for one that goes on and on."""
        pieces, taken = [], 0
        deadline = time.monotonic() + PATIENCE_S
        for piece in answer.stream(_PIECE_BYTES, decode_content=False):
            taken += len(piece)
            if taken > self._answer_bytes_max:
                answer.close()
                raise self._too_long()
            if time.monotonic() > deadline:
                answer.close()
                raise UnknownOutcomeError(f"{self._endpoint.url} did not end its answer within {PATIENCE_S:g} s.")
            pieces.append(piece)
        answer.release_conn()
        return b"".join(pieces)

    def _too_long(self) -> UnknownOutcomeError:
        return UnknownOutcomeError(
            f"{self._endpoint.url} answers with more than {self._answer_bytes_max} bytes; the answer is not taken in."
        )

    def close(self) -> None:
        """Let go of the connection."""
        if self._sockets is not None:
            self._sockets.clear()


def _lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _context(endpoint: Endpoint, trust: Trust) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=endpoint.ca_pem)
    if not trust.certificates_verified:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # each start has warned of it already
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
