"""Answers that no honest service gives, made of its true one: cut, garbled, huge, deep, sent elsewhere, about another.

Bytes in, bytes out, for JSON and for XML. Which of them a service can show, and when, is its own business; what only
one service can lie about is in its own folder.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from snapproof.simulators.faults import UnfitFaultError
from snapproof.simulators.serving import Answer

HUGE_BYTES = 100 * 2**20
DEPTH = 100_000
ELSEWHERE = "/elsewhere"
"""Where redirects and external entities lead: a place of the same service, which counts whoever comes."""
ELSEWHERE_LABEL = "Elsewhere"
"""How the seam calls a request to that place: no honest client ever makes one."""
REDIRECT = "answer-redirect"

_PROLOGUE = b"<?xml version='1.0'?>"
_SUCCESS = b"<string>Success</string>"
_LAUGHS = 12
"""Entities nested so deep: each of them is ten times the one before."""


def _cut(body: bytes, _url: str) -> bytes:
    return body[: len(body) // 2]


def _garbled(body: bytes, _url: str) -> bytes:
    return bytes(octet ^ 0x80 for octet in body)


def _huge_json(body: bytes, _url: str) -> bytes:
    """Add a member that nobody asked for, as long as a film."""
    return body.replace(b"{", b'{"padding":"' + b"a" * HUGE_BYTES + b'",', 1)


def _deep_json(body: bytes, _url: str) -> bytes:
    return body.replace(b"{", b'{"padding":' + b"[" * DEPTH + b"]" * DEPTH + b",", 1)


def _huge_xml(body: bytes, _url: str) -> bytes:
    return body + b"<!--" + b"a" * HUGE_BYTES + b"-->"


def _deep_xml(body: bytes, _url: str) -> bytes:
    nested = b"<value><array><data>" * DEPTH + b"</data></array></value>" * DEPTH
    return body.replace(b"<struct>", b"<struct><member><name>padding</name>" + nested + b"</member>", 1)


def _declaring(body: bytes, declarations: str, word: bytes) -> bytes:
    """Put a document type before the answer, and an entity where it says Success."""
    document = body.removeprefix(_PROLOGUE).replace(_SUCCESS, b"<string>" + word + b"</string>", 1)
    return _PROLOGUE + f"<!DOCTYPE methodResponse {declarations}>".encode() + document


def _entities(body: bytes, _url: str) -> bytes:
    """Let an entity stand for the status: to whoever expands it, nothing is wrong."""
    return _declaring(body, '[<!ENTITY word "Success">]', b"&word;")


def _exploding(body: bytes, _url: str) -> bytes:
    steps = ['<!ENTITY e0 "ha">', *(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, _LAUGHS))]
    return _declaring(body, f"[{''.join(steps)}]", f"&e{_LAUGHS - 1};".encode())


def _external_entity(body: bytes, url: str) -> bytes:
    return _declaring(body, f'[<!ENTITY word SYSTEM "{url}">]', b"&word;")


def _file_entity(body: bytes, _url: str) -> bytes:
    return _declaring(body, '[<!ENTITY word SYSTEM "file:///etc/hostname">]', b"&word;")


def _external_dtd(body: bytes, url: str) -> bytes:
    return _declaring(body, f'SYSTEM "{url}"', b"Success")


_ANY: Mapping[str, Callable[[bytes, str], bytes]] = MappingProxyType({
    "answer-cut": _cut,
    "answer-garbled": _garbled,
})  # fmt: skip

JSON_LIES: Mapping[str, Callable[[bytes, str], bytes]] = MappingProxyType({
    **_ANY,
    "answer-huge": _huge_json,
    "answer-deep": _deep_json,
})  # fmt: skip
"""What can be made of an answer in JSON."""

XML_LIES: Mapping[str, Callable[[bytes, str], bytes]] = MappingProxyType({
    **_ANY,
    "answer-huge": _huge_xml,
    "answer-deep": _deep_xml,
    "answer-entities": _entities,
    "answer-exploding-entities": _exploding,
    "answer-external-entity": _external_entity,
    "answer-file-entity": _file_entity,
    "answer-external-dtd": _external_dtd,
})  # fmt: skip
"""What can be made of an answer in XML."""


def misled(name: str, answer: Answer, lies: Mapping[str, Callable[[bytes, str], bytes]], *, host: str) -> Answer:
    """Give the answer that stands in place of the true one. `host` is whom the client believes to talk to."""
    url = f"https://{host}{ELSEWHERE}" if host else ELSEWHERE
    if name == REDIRECT:
        return 307, {"location": url, "content-type": "text/plain"}, b"This is to be found elsewhere.\n"
    status, headers, body = answer
    return status, headers, lies[name](body, url)


def known_lie(name: str, lies: Collection[str], whose: str) -> str:
    """Return `name` if it is one of these lies; raise UnfitFaultError with the nearest otherwise."""
    if name in lies or name == REDIRECT:
        return name
    names = sorted({*lies, REDIRECT})
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    raise UnfitFaultError(f"{whose} gives no {name!r}; there are {', '.join(names)}.", near)
