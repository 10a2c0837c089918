"""CHAP (RFC 1994, RFC 7143): who knows a secret proves it without telling it. No secret leaves here."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

CHALLENGE_BYTES = 16
_BINARY_BYTES_MAX = 1024

ALGORITHMS: Mapping[str, str] = {"5": "md5", "6": "sha1", "7": "sha256", "8": "sha3_256"}
"""The numbers of CHAP_A and what hashlib calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What both sides know: the initiator proves `secret`, and we prove `own_secret` if it asks."""

    name: str
    secret: str = field(repr=False)
    own_name: str
    own_secret: str = field(repr=False)


class ChapError(Exception):
    """The proof is wrong, or what came is none. The message never says which secret was expected."""


def proof(algorithm: str, identifier: int, secret: str, challenge: bytes) -> bytes:
    """Work out the response to a challenge."""
    return hashlib.new(ALGORITHMS[algorithm], bytes([identifier]) + secret.encode() + challenge).digest()


def written(octets: bytes) -> str:
    """Write binary as text keys do."""
    return f"0x{octets.hex()}"


def read(text: str) -> bytes:
    """Read binary out of a text key. Raises ChapError."""
    try:
        if text[:2] in {"0x", "0X"}:
            digits = text[2:]
            octets = bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}")
        elif text[:2] in {"0b", "0B"}:
            octets = base64.b64decode(text[2:], validate=True)
        else:
            octets = b""
    except (ValueError, binascii.Error) as error:
        raise ChapError("A CHAP value is neither hexadecimal nor base64.") from error
    if not 0 < len(octets) <= _BINARY_BYTES_MAX:
        raise ChapError("A CHAP value is empty or too long.")
    return octets


class Chap:
    """One exchange, seen from the target: begin with a challenge, judge the answer, and prove ourselves if asked."""

    def __init__(self, algorithms: str, nonce: Callable[[int], bytes]) -> None:
        """Take the first algorithm of the initiator's list that we know. Raises ChapError."""
        chosen = next((number for number in algorithms.split(",") if number in ALGORITHMS), None)
        if chosen is None:
            raise ChapError(f"None of the CHAP algorithms {algorithms} is known.")
        self.algorithm = chosen
        self._identifier = nonce(1)[0]
        self._challenge = nonce(CHALLENGE_BYTES)
        self.mutual = False

    def opening(self) -> list[tuple[str, str]]:
        """The keys that challenge the initiator."""
        challenge = written(self._challenge)
        return [("CHAP_A", self.algorithm), ("CHAP_I", str(self._identifier)), ("CHAP_C", challenge)]

    def answer(self, keys: Mapping[str, str], credentials: Credentials) -> list[tuple[str, str]]:
        """Judge what the initiator answers; give our own proof where it asks for one. Raises ChapError."""
        expected = proof(self.algorithm, self._identifier, credentials.secret, self._challenge)
        if not hmac.compare_digest(read(keys.get("CHAP_R", "")), expected):
            raise ChapError("The CHAP response is wrong.")
        if "CHAP_C" not in keys and "CHAP_I" not in keys:
            return []
        challenge, identifier = read(keys.get("CHAP_C", "")), keys.get("CHAP_I", "")
        if challenge == self._challenge:
            raise ChapError("The initiator sent our own challenge back.")
        if not (identifier.isascii() and identifier.isdigit() and int(identifier) < 256):
            raise ChapError("CHAP_I is no number from 0 to 255.")
        self.mutual = True
        response = proof(self.algorithm, int(identifier), credentials.own_secret, challenge)
        return [("CHAP_N", credentials.own_name), ("CHAP_R", written(response))]
