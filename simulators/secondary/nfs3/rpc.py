"""ONC RPC version 2 (RFC 5531) on TCP: records, call headers, and the refusals that the protocol has for each mistake.

Programs are tables of procedures; what one does is not known here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

from snapproof.simulators.secondary.nfs3.xdr import GarbageError, Reader, uint

RECORD_BYTES_MAX = 2**20 + 2**16
"""One call: the largest WRITE and room for its head."""
FRAGMENTS_MAX = 1024
"""Pieces of one record; more is no client that means to be understood."""

_LAST = 1 << 31
_CALL, _REPLY = 0, 1
_ACCEPTED, _DENIED = 0, 1
_RPC_MISMATCH, _AUTH_ERROR = 0, 1
_AUTH_BYTES_MAX = 400
_AUTH_NONE, _AUTH_SYS = 0, 1
NO_VERIFIER = uint(_AUTH_NONE, 0)


class Accepted(IntEnum):
    """How a call that was understood as a call ended."""

    SUCCESS = 0
    PROG_UNAVAIL = 1
    PROG_MISMATCH = 2
    PROC_UNAVAIL = 3
    GARBAGE_ARGS = 4
    SYSTEM_ERR = 5


class Rejected(IntEnum):
    """What was wrong with a caller's credentials."""

    BAD_CREDENTIALS = 1
    TOO_WEAK = 5  # RFC 5531 has no "flavour unknown"; servers answer this one


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, its arguments unread."""

    xid: int
    program: int
    version: int
    procedure: int
    arguments: Reader


Procedure: TypeAlias = Callable[[Call], bytes]
"""Reads the arguments and gives the results. Raises GarbageError where they cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One version of one RPC program."""

    number: int
    version: int
    procedures: Mapping[int, Procedure]


class NoRpcError(ValueError):
    """These bytes are no call at all; the connection can only be closed."""


class _DeniedError(Exception):
    """The call is refused before a program is asked."""

    def __init__(self, body: bytes) -> None:
        super().__init__("denied")
        self.body = body


class Records:
    """Puts records together from whatever pieces a connection delivers."""

    def __init__(self) -> None:
        self._unread = bytearray()
        self._fragments: list[bytes] = []

    def feed(self, octets: bytes) -> list[memoryview]:
        """Take bytes and give the records that are whole now. Raises NoRpcError for what no client would send."""
        self._unread += octets
        whole = []
        at = 0
        while len(self._unread) - at >= 4:
            mark = int.from_bytes(self._unread[at : at + 4])
            length = mark & ~_LAST
            if sum(map(len, self._fragments)) + length > RECORD_BYTES_MAX or len(self._fragments) >= FRAGMENTS_MAX:
                raise NoRpcError(f"A record of more than {RECORD_BYTES_MAX} bytes or {FRAGMENTS_MAX} pieces.")
            if len(self._unread) - at - 4 < length:
                break
            at += 4 + length
            self._fragments.append(bytes(memoryview(self._unread)[at - length : at]))
            if mark & _LAST:
                pieces, self._fragments = self._fragments, []
                whole.append(memoryview(pieces[0] if len(pieces) == 1 else b"".join(pieces)))
        del self._unread[:at]
        return whole


def record(message: bytes) -> bytes:
    """Write a message as one record."""
    return uint(_LAST | len(message)) + message


def answer(message: memoryview, programs: Mapping[int, Program]) -> bytes:
    """Answer one record. Whatever a procedure raises but GarbageError is the caller's affair, and SYSTEM_ERR's."""
    try:
        call = read_call(message)
    except _DeniedError as denied:
        return denied.body
    program = programs.get(call.program)
    if program is None:
        return accepted(call.xid, Accepted.PROG_UNAVAIL)
    if program.version != call.version:
        return accepted(call.xid, Accepted.PROG_MISMATCH, uint(program.version, program.version))
    procedure = program.procedures.get(call.procedure)
    if procedure is None:
        return accepted(call.xid, Accepted.PROC_UNAVAIL)
    try:
        return accepted(call.xid, Accepted.SUCCESS, procedure(call))
    except GarbageError:
        return accepted(call.xid, Accepted.GARBAGE_ARGS)


def accepted(xid: int, outcome: Accepted, results: bytes = b"") -> bytes:
    """Write the reply to a call that was understood."""
    return b"".join((uint(xid, _REPLY, _ACCEPTED), NO_VERIFIER, uint(outcome), results))


def read_call(message: memoryview) -> Call:
    """Read the head of a call. Raises NoRpcError where there is none, _DeniedError for one that is refused."""
    reader = Reader(message)
    try:
        xid, kind = reader.uint(), reader.uint()
    except GarbageError as error:
        raise NoRpcError("A record without even an id.") from error
    if kind != _CALL:
        raise NoRpcError("A reply to a question that nobody asked.")
    try:
        rpc, program, version, procedure = (reader.uint() for _ in range(4))
    except GarbageError as error:
        raise NoRpcError("A call that ends before it says what it wants.") from error
    if rpc != 2:
        raise _DeniedError(uint(xid, _REPLY, _DENIED, _RPC_MISMATCH, 2, 2))
    try:
        _check_credentials(reader)
    except GarbageError as error:
        raise _refused(xid, Rejected.BAD_CREDENTIALS) from error
    except PermissionError as error:
        raise _refused(xid, Rejected.TOO_WEAK) from error
    return Call(xid=xid, program=program, version=version, procedure=procedure, arguments=Reader(reader.rest()))


def _check_credentials(reader: Reader) -> None:
    """Accept no name or a Unix one; nobody is asked who they are, since everybody is whoever runs the simulator."""
    flavour, body = reader.uint(), reader.opaque(_AUTH_BYTES_MAX)
    reader.uint()  # the verifier of these flavours is empty, whatever it calls itself
    reader.opaque(_AUTH_BYTES_MAX)
    if flavour == _AUTH_SYS:
        credentials = Reader(body)
        credentials.uint()
        credentials.opaque(255)
        credentials.uint()
        credentials.uint()
        for _ in range(credentials.choice(17)):
            credentials.uint()
        credentials.end()
    elif flavour != _AUTH_NONE:
        raise PermissionError(f"Flavour {flavour} is not spoken here.")


def _refused(xid: int, why: Rejected) -> _DeniedError:
    return _DeniedError(uint(xid, _REPLY, _DENIED, _AUTH_ERROR, why))
