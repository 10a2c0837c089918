"""JSON-RPC as xapi speaks it at /jsonrpc: version 2.0, and 1.0 for old clients. Bytes in and out; no calls here.

Whole numbers are numbers, times are text, a refusal is an error whose message is the code and whose data are its
arguments.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

HEADERS = {"content-type": "application/json"}
REFUSED, PARSE_ERROR, INVALID_REQUEST = 1, -32700, -32600
INT_MAX = 2**63 - 1
DEPTH_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it came; `version` is how it wants its answer."""

    name: str
    arguments: tuple[object, ...]
    identity: object
    version: int


class BadRequestError(ValueError):
    """The document is no call; `code` is JSON-RPC's word for it."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def read(body: bytes) -> Call:
    """Read one call. Raises BadRequestError."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise BadRequestError(PARSE_ERROR, "This is no JSON.") from error
    if not isinstance(document, dict) or not isinstance(document.get("method"), str):
        raise BadRequestError(INVALID_REQUEST, "This is no call: it takes an object with a method and an id.")
    params = document.get("params", [])
    if not isinstance(params, list) or _depth(params) > DEPTH_MAX:
        raise BadRequestError(INVALID_REQUEST, "The parameters of a call are a list, and not a deep one.")
    version = 2 if document.get("jsonrpc") == "2.0" else 1
    return Call(name=document["method"], arguments=tuple(params), identity=document.get("id"), version=version)


def written(call: Call, answer: Mapping[str, Any]) -> bytes:
    """Write what the call answered, a value or a description of why not."""
    described = answer.get("ErrorDescription")
    value = _plain(answer.get("Value", ""))
    if call.version == 1:
        return _octets({"result": None if described else value, "error": described or None, "id": call.identity})
    if described:
        return _octets(_error(REFUSED, described[0], call.identity, list(described[1:])))
    return _octets({"jsonrpc": "2.0", "result": value, "id": call.identity})


def refused(error: BadRequestError) -> bytes:
    """Write that the document was no call."""
    return _octets(_error(error.code, str(error), None, []))


def _error(code: int, message: str, identity: object, arguments: list[str]) -> dict[str, object]:
    return {"jsonrpc": "2.0", "error": {"code": code, "message": message, "data": arguments}, "id": identity}


def _octets(document: object) -> bytes:
    return json.dumps(document).encode()


def _plain(value: object) -> object:
    match value:
        case bool() | float() | None:
            return value
        case int():
            return value if abs(value) <= INT_MAX else str(value)
        case datetime():
            return value.strftime("%Y%m%dT%H:%M:%SZ")
        case dict():
            return {str(key): _plain(content) for key, content in value.items()}
        case list():
            return [_plain(content) for content in value]
        case _:
            return str(value)


def _depth(value: object, level: int = 0) -> int:
    if level > DEPTH_MAX or not isinstance(value, list | dict):
        return level
    members = value.values() if isinstance(value, dict) else value
    return max((_depth(member, level + 1) for member in members), default=level)
