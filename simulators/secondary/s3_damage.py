"""What can become of content on its way into an S3 store, inside it and on its way out, without an error being said.

Which calls carry, keep or tell content is a table here; the store performs the damage.
"""

import difflib
from collections.abc import Callable, Mapping
from enum import StrEnum

from snapproof.simulators.faults import UnfitFaultError


class Where(StrEnum):
    """Where content is damaged."""

    REQUEST = "request"  # between client and store; the framing agrees with what is left
    STORED = "stored"  # inside the store, which vouches for what it no longer has
    ANSWER = "answer"  # between store and client; the Content-Length agrees with what is left


PAGE_BYTES = 4096


def flipped(content: bytes) -> bytes:
    """Make a bit in the middle of each page another one."""
    spoilt = bytearray(content)
    for at in range(min(PAGE_BYTES, len(content)) // 2, len(content), PAGE_BYTES):
        spoilt[at] ^= 1
    return bytes(spoilt)


SPOIL: Mapping[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "flipped": flipped,
}
"""The ways of damage: the second half is missing, or a bit in the middle of each page is another."""

CALLS: Mapping[Where, frozenset[str]] = {
    Where.REQUEST: frozenset({"PutObject", "UploadPart"}),
    Where.STORED: frozenset({"CompleteMultipartUpload", "CopyObject", "PutObject"}),
    Where.ANSWER: frozenset({
        "CompleteMultipartUpload", "CopyObject", "CreateMultipartUpload", "DeleteObjects", "GetObject",
        "ListMultipartUploads", "ListObjects", "ListObjectsV2", "ListParts", "UploadPartCopy",
    }),
}  # fmt: skip
"""The calls that carry content to the store, make it keep an object, or are answered with a body."""

DAMAGES = frozenset(f"{where}-{how}" for where in Where for how in SPOIL)


def check_damage(operation: str, name: str) -> None:
    """Raise UnfitFaultError for damage that there is not, or that this operation has nothing for."""
    if name not in DAMAGES:
        near = difflib.get_close_matches(name, DAMAGES, n=3, cutoff=0.4)
        raise UnfitFaultError(f"No damage is called {name!r}; there are {', '.join(sorted(DAMAGES))}.", near)
    where, _ = read_damage(name)
    if operation not in CALLS[where]:
        raise UnfitFaultError(f"{operation} has no content to damage in its {where}; {_listed(where)} have.")


def read_damage(name: str) -> tuple[Where, Callable[[bytes], bytes]]:
    """Tell where content is damaged, and give the function that does it."""
    where, _, how = name.partition("-")
    return Where(where), SPOIL[how]


def _listed(where: Where) -> str:
    return ", ".join(sorted(CALLS[where]))
