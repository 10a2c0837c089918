"""CloudStack's signatures: HMAC-SHA1 over the sorted parameters, in lower case, with an end from version 3 on.

Whose secret it is, is said by keys.py. What is compared is compared in constant time.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from snapproof.vocabulary import Secret

SIGNATURE = "signature"
EXPIRES = "expires"
VERSION = "signatureversion"
VERSION_WITH_AN_END = "3"
FORMAT = "%Y-%m-%dT%H:%M:%S%z"


def signature(parameters: Mapping[str, str], secret: Secret, *, by_lower_case: bool = False, tilde: str = "~") -> str:
    """Sign the parameters, a signature among them left aside.

    Clients differ in two ways that no document settles: whether names are sorted as they are or in lower case, and
    whether a tilde is written as it is or as %7E. The server tries each.
    """
    named = sorted(
        ((name, value) for name, value in parameters.items() if name.lower() != SIGNATURE),
        key=lambda pair: pair[0].lower() if by_lower_case else pair[0],
    )
    text = "&".join(f"{name}={quote(value, safe='*').replace('~', tilde)}" for name, value in named).lower()
    digest = hmac.new(secret.reveal().encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def is_signed(parameters: Mapping[str, str], given: str, secret: Secret) -> bool:
    """Say whether the signature is the one of these parameters and this secret."""
    wanted = [
        signature(parameters, secret, by_lower_case=lower, tilde=tilde)
        for lower in (False, True)
        for tilde in ("~", "%7E")
    ]
    matches = [hmac.compare_digest(each.encode(), given.encode()) for each in wanted]
    return any(matches)


def has_ended(parameters: Mapping[str, str], now_s: float) -> bool:
    """Say whether a request of version 3 has come too late, or says no end that can be read."""
    lower = {name.lower(): value for name, value in parameters.items()}
    if lower.get(VERSION) != VERSION_WITH_AN_END:
        return False
    try:
        end = datetime.strptime(lower.get(EXPIRES, ""), FORMAT)  # noqa: DTZ007  what has no zone is refused below
    except ValueError:
        return True
    return end.tzinfo is None or end.timestamp() < now_s
