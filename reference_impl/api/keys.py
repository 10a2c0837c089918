"""API keys and what is signed with them. Secrets stand nowhere: each follows from its API key and one key of the site.

The catalog may be read, copied or lost without giving away a single secret; the file of the site's key may not.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from snapproof.vocabulary import Secret

FILE = "api.key"
KEY_BYTES = 32


class Keys:
    """Makes API keys, and gives the secret of each. `draw` gives random bytes."""

    def __init__(self, site_key: bytes, draw: Callable[[int], bytes]) -> None:
        self._site_key, self._draw = site_key, draw

    @classmethod
    def of(cls, directory: Path, draw: Callable[[int], bytes]) -> "Keys":
        """Read the site's key from its state directory, or draw it once."""
        path = directory / FILE
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(draw(KEY_BYTES))
        return cls(path.read_bytes(), draw)

    def new_api_key(self) -> str:
        """Draw a key that nobody has."""
        return base64.urlsafe_b64encode(self._draw(48)).decode()

    def secret_of(self, api_key: str) -> Secret:
        """What requests with this key are signed with."""
        digest = hmac.new(self._site_key, f"secret of {api_key}".encode(), hashlib.sha512).digest()
        return Secret(base64.urlsafe_b64encode(digest).decode())

    def __repr__(self) -> str:
        return "Keys(***)"
