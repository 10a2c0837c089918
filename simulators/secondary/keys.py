"""What the key of an object may be: anything that is not too long. Nothing in it is a path or a pattern."""

import re

from snapproof.simulators.secondary.s3_errors import S3RefusalError

BYTES_MAX = 1024

ANSWERED_IN_XML = frozenset({"CompleteMultipartUpload", "CreateMultipartUpload"})
_UNTOLD_BY_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

GUESSES = {
    "code for a key that an answer cannot tell": "InvalidArgument",
}
"""XML 1.0 cannot write most control characters, and turns a carriage return into a line feed. S3 was not tried."""


def require_key(operation: str, key: str) -> None:
    """Raise S3RefusalError for a key that is too long, or that the operation's answer would have to tell and cannot."""
    size = len(key.encode("utf-8", "surrogateescape"))
    if size > BYTES_MAX:
        raise S3RefusalError("KeyTooLongError", f"Your key has {size} bytes; it is too long, {BYTES_MAX} is the most.")
    if operation in ANSWERED_IN_XML and _UNTOLD_BY_XML.search(key):
        code = GUESSES["code for a key that an answer cannot tell"]
        raise S3RefusalError(code, "The key has characters that the XML of the answer cannot tell.")
