"""The text keys that initiator and target negotiate: a table of what we want and how two wishes become one result.

Keys that decide who may log in are login.py's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from snapproof.simulators.iscsi.pdu import SEGMENT_BYTES_MAX

NOT_UNDERSTOOD, REJECT, IRRELEVANT = "NotUnderstood", "Reject", "Irrelevant"
TEXT_BYTES_MAX = 64 << 10


class BadTextError(ValueError):
    """The text is no list of `key=value`."""


class Kind(Enum):
    """How the results of a key come about."""

    AND = "yes if both say yes"
    OR = "yes if either says yes"
    LEAST = "the smaller number"
    MOST = "the larger number"
    CHOICE = "the first of the list that we support"
    DECLARED = "each side tells, nobody answers"
    ABSENT = "we never do this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key: how it is settled, what holds if nobody mentions it, what we want, and between which numbers."""

    kind: Kind
    usual: str
    ours: str = ""
    low: int = 0
    high: int = 0


KEYS: Mapping[str, Key] = MappingProxyType({
    "HeaderDigest": Key(kind=Kind.CHOICE, usual="None", ours="None"),
    "DataDigest": Key(kind=Kind.CHOICE, usual="None", ours="None"),
    "MaxConnections": Key(kind=Kind.LEAST, usual="1", ours="1", low=1, high=65535),
    "InitialR2T": Key(kind=Kind.OR, usual="Yes", ours="No"),
    "ImmediateData": Key(kind=Kind.AND, usual="Yes", ours="Yes"),
    "MaxRecvDataSegmentLength": Key(kind=Kind.DECLARED, usual="8192", low=512, high=(1 << 24) - 1),
    "MaxBurstLength": Key(kind=Kind.LEAST, usual="262144", ours=str(16 << 20), low=512, high=(1 << 24) - 1),
    "FirstBurstLength": Key(kind=Kind.LEAST, usual="65536", ours=str(SEGMENT_BYTES_MAX), low=512, high=(1 << 24) - 1),
    "DefaultTime2Wait": Key(kind=Kind.MOST, usual="2", ours="0", high=3600),
    "DefaultTime2Retain": Key(kind=Kind.LEAST, usual="20", ours="0", high=3600),
    "MaxOutstandingR2T": Key(kind=Kind.LEAST, usual="1", ours="1", low=1, high=65535),
    "DataPDUInOrder": Key(kind=Kind.OR, usual="Yes", ours="Yes"),
    "DataSequenceInOrder": Key(kind=Kind.OR, usual="Yes", ours="Yes"),
    "ErrorRecoveryLevel": Key(kind=Kind.LEAST, usual="0", ours="0", high=2),
    "IFMarker": Key(kind=Kind.AND, usual="No", ours="No"),
    "OFMarker": Key(kind=Kind.AND, usual="No", ours="No"),
    "IFMarkInt": Key(kind=Kind.ABSENT, usual=""),
    "OFMarkInt": Key(kind=Kind.ABSENT, usual=""),
    "TaskReporting": Key(kind=Kind.CHOICE, usual="RFC3720", ours="RFC3720"),
    "iSCSIProtocolLevel": Key(kind=Kind.LEAST, usual="1", ours="1", high=31),
})  # fmt: skip


def pairs_of(text: bytes) -> list[tuple[str, str]]:
    """Read a text segment. Raises BadTextError."""
    pairs: list[tuple[str, str]] = []
    for piece in text.split(b"\0"):
        if not piece:
            continue
        try:
            name, equals, value = piece.decode().partition("=")
        except UnicodeDecodeError as error:
            raise BadTextError("The text is not UTF-8.") from error
        if not name or not equals or len(name) > 63:
            raise BadTextError("A text key must be written as key=value.")
        pairs.append((name, value))
    return pairs


def text_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Write a text segment."""
    return b"".join(f"{name}={value}\0".encode() for name, value in pairs)


class Negotiation:
    """What was agreed so far in one session."""

    def __init__(self) -> None:
        self._results = {name: key.usual for name, key in KEYS.items()}

    def offered(self, name: str, value: str) -> str | None:
        """Settle a key that the initiator offers; the answer, or None where none is due."""
        key = KEYS.get(name)
        if key is None:
            return NOT_UNDERSTOOD
        answer = _settled(key, value)
        if answer is None:
            return REJECT
        if answer not in {IRRELEVANT, REJECT}:
            self._results[name] = answer
        return None if key.kind is Kind.DECLARED else answer

    def number(self, name: str) -> int:
        """The result of a key whose values are numbers."""
        return int(self._results[name])

    def agreed(self, name: str) -> bool:
        """The result of a key whose values are Yes and No."""
        return self._results[name] == "Yes"


def _settled(key: Key, value: str) -> str | None:
    if key.kind is Kind.ABSENT:
        return IRRELEVANT
    if key.kind is Kind.CHOICE:
        return next((choice for choice in value.split(",") if choice == key.ours), None)
    if key.kind in {Kind.AND, Kind.OR}:
        return _both(key, value)
    number = _number(value)
    if number is None or not key.low <= number <= key.high:
        return None
    if key.kind is Kind.DECLARED:
        return str(number)
    return str((min if key.kind is Kind.LEAST else max)(number, int(key.ours)))


def _both(key: Key, value: str) -> str | None:
    if value not in {"Yes", "No"}:
        return None
    yes = {value == "Yes", key.ours == "Yes"}
    return "Yes" if (all(yes) if key.kind is Kind.AND else any(yes)) else "No"


def _number(text: str) -> int | None:
    digits, base = (text[2:], 16) if text[:2] in {"0x", "0X"} else (text, 10)
    allowed = "0123456789abcdefABCDEF" if base == 16 else "0123456789"
    if not digits or len(digits) > 16 or any(digit not in allowed for digit in digits):
        return None
    return int(digits, base)
