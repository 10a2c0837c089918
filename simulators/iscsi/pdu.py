"""iSCSI PDUs: how they lie on the wire, read from a buffer that fills in large steps and written in batches.

What they mean is decided in login.py and session.py.
"""

import socket
from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import Final

HEADER_BYTES = 48
NO_TAG = 0xFFFFFFFF
NO_LUN = bytes(8)
FINAL = 0x80
SEGMENT_BYTES_MAX = 256 << 10
"""The longest data segment that we declare to accept."""
_ADDITIONAL_BYTES_MAX = 255 * 4
_BUFFER_BYTES = 4 * SEGMENT_BYTES_MAX
_BATCH_PIECES = 256
_BATCH_BYTES = 4 << 20

_REQUEST = Struct(">BBHI8sIIII")
RESPONSE: Final = Struct(">BBBBI8sIIIIIIII")
"""Opcode, flags, two bytes, length, LUN, tags, StatSN, ExpCmdSN, MaxCmdSN, three more words: every PDU of a target."""


class Opcode(IntEnum):
    """What a PDU is."""

    NOP_OUT = 0x00
    SCSI_COMMAND = 0x01
    TASK_MANAGEMENT = 0x02
    LOGIN = 0x03
    TEXT = 0x04
    DATA_OUT = 0x05
    LOGOUT = 0x06
    SNACK = 0x10
    NOP_IN = 0x20
    SCSI_RESPONSE = 0x21
    TASK_MANAGEMENT_RESPONSE = 0x22
    LOGIN_RESPONSE = 0x23
    TEXT_RESPONSE = 0x24
    DATA_IN = 0x25
    LOGOUT_RESPONSE = 0x26
    R2T = 0x31
    ASYNC_MESSAGE = 0x32
    REJECT = 0x3F


class Rejection(IntEnum):
    """Why a PDU is rejected."""

    PROTOCOL_ERROR = 0x04
    NOT_SUPPORTED = 0x05
    TASK_IN_PROGRESS = 0x07
    INVALID_FIELD = 0x09


class ProtocolError(Exception):
    """The peer broke the protocol so that the connection cannot go on. `header` is what it sent, if it is whole."""

    def __init__(self, sentence: str, header: bytes = b"") -> None:
        super().__init__(sentence)
        self.header = header


class Request:
    """A PDU of an initiator. Its payload lies in the reader's buffer and is good until the next PDU is taken."""

    __slots__ = ("cmd_sn", "exp_stat_sn", "flags", "header", "immediate", "itt", "lun", "opcode", "payload", "word")

    def __init__(self, header: bytes, payload: memoryview) -> None:
        first, self.flags, _, _, self.lun, self.itt, self.word, self.cmd_sn, self.exp_stat_sn = _REQUEST.unpack_from(
            header
        )
        self.opcode = first & 0x3F
        self.immediate = bool(first & 0x40)
        self.header = header
        self.payload = payload

    def number(self, offset: int, length: int = 4) -> int:
        """Read a field of the header."""
        return int.from_bytes(self.header[offset : offset + length])

    def kept(self) -> "Request":
        """Copy the payload, so that it outlives the next PDU."""
        return Request(self.header, memoryview(bytes(self.payload)))


class Inbox:
    """Reads PDUs from a socket."""

    def __init__(self, receive: Callable[[memoryview], int]) -> None:
        self._receive = receive
        self._view = memoryview(bytearray(_BUFFER_BYTES))
        self._start = self._end = 0

    @property
    def ready(self) -> bool:
        """Whether the next PDU is here already, so that taking it will not wait."""
        held, view, at = self._end - self._start, self._view, self._start
        if held < HEADER_BYTES:
            return False
        length = view[at + 4] * 4 + int.from_bytes(view[at + 5 : at + 8])
        return held >= HEADER_BYTES + length + (-length & 3)

    def take(self) -> Request | None:
        """Wait for the next PDU; None when the peer has hung up. Raises ProtocolError when it cannot be read."""
        if not self._filled(HEADER_BYTES):
            return None
        header = bytes(self._view[self._start : self._start + HEADER_BYTES])
        additional, length = header[4] * 4, int.from_bytes(header[5:8])
        if length > SEGMENT_BYTES_MAX:
            raise ProtocolError(f"A data segment of {length} bytes is longer than we accept.", header)
        total = HEADER_BYTES + additional + length
        if not self._filled(total + (-length & 3)):
            return None
        begin = self._start + HEADER_BYTES + additional
        self._start += total + (-length & 3)
        return Request(header, self._view[begin : begin + length])

    def _filled(self, wanted: int) -> bool:
        while self._end - self._start < wanted:
            if self._start == self._end:
                self._start = self._end = 0
            elif self._start + wanted > _BUFFER_BYTES:
                rest = bytes(self._view[self._start : self._end])
                self._view[: len(rest)] = rest
                self._start, self._end = 0, len(rest)
            received = self._receive(self._view[self._end :])
            if not received:
                return False
            self._end += received
        return True


class Outbox:
    """Sends PDUs in batches: whoever fills it says when there is nothing more to come for now."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._pieces: list[bytes | memoryview] = []
        self._bytes = 0

    def put(self, header: bytes, payload: bytes | memoryview = b"") -> None:
        """Add one PDU, whose header tells the length of its payload."""
        pieces = self._pieces
        pieces.append(header)
        if payload:
            pieces.append(payload)
            self._bytes += len(payload)
            if pad := -len(payload) & 3:
                pieces.append(bytes(pad))
        if len(pieces) > _BATCH_PIECES or self._bytes > _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send everything."""
        pieces, self._pieces, self._bytes = self._pieces, [], 0
        if not pieces:
            return
        total = sum(map(len, pieces))
        sent = self._peer.sendmsg(pieces)
        for piece in pieces if sent < total else ():
            if sent < len(piece):
                self._peer.sendall(memoryview(piece)[sent:])
            sent = max(0, sent - len(piece))
