"""Taking secrets out of texts before they are reported. What is secret is said by the lab."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"
_PASSWORD = re.compile(r"(//[^/@:\s]*:)[^/@\s]+(@)")


def redact(text: str, secrets: Iterable[str]) -> str:
    """Replace every secret, also where it is URL-quoted or base64 of its own, by three stars."""
    for written in sorted({form for secret in secrets if secret for form in _forms(secret)}, key=len, reverse=True):
        text = text.replace(written, HIDDEN)
    return text


def without_password(selector: str) -> str:
    """Take the password out of a URI that names a driver; its user stays."""
    return _PASSWORD.sub(rf"\g<1>{HIDDEN}\g<2>", selector)


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()
