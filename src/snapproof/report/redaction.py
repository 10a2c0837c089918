"""Taking secrets out of texts before they are reported. What is secret is said by the lab."""

import base64
import re
from collections.abc import Collection, Iterable
from urllib.parse import quote

HIDDEN = "***"
_URL_SAFE = str.maketrans("+/", "-_")
_SEARCHABLE = 4
"""Of so many characters something is left of a secret that is not found everywhere."""
_PASSWORD = re.compile(r"(//[^/@:\s]*:)[^/@\s]+(@)")


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret, also where it is URL-quoted or in base64, by three stars."""
    forms = {form for secret in secrets if secret for form in (*forms_of(secret), _base64(secret))}
    for written in sorted(forms, key=len, reverse=True):
        text = text.replace(written, HIDDEN)
    return text


def without_password(selector: str) -> str:
    """Take the password out of a URI that names a driver; its user stays."""
    return _PASSWORD.sub(rf"\g<1>{HIDDEN}\g<2>", selector)


def forms_of(secret: str) -> Collection[str]:
    """All that may be searched for where a secret may stand: itself, URL-quoted, and the heart of any base64 of it.

    What stands before and behind it, as the user in `user:password`, decides only how base64 begins and ends there.
    """
    hearts = (_heart(secret.encode(), before) for before in range(3)) if len(secret) >= _SEARCHABLE else ()
    written = {form for heart in hearts for form in (heart, heart.translate(_URL_SAFE))}
    return {secret, quote(secret, safe="")} | written


def _heart(secret: bytes, before: int) -> str:
    """Those characters that say nothing of so many bytes before it, nor of what comes behind it."""
    whole = 8 * (before + len(secret)) // 6
    return base64.b64encode(bytes(before) + secret).decode()[-(-8 * before // 6) : whole]


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()
