"""A tiny iSCSI initiator of our own, which does as it is told: also what no honest initiator would do."""

import hashlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from snapproof.simulators.iscsi.portal import Portal

HOST = "iqn.1994-05.com.redhat:host1"
PATIENCE_S = 10.0
NO_TAG = 0xFFFFFFFF


class RefusedError(Exception):
    """The target refused the login; `status` is class and detail."""

    def __init__(self, status: int) -> None:
        super().__init__(f"login refused with {status:#06x}")
        self.status = status


class HungUpError(ConnectionError):
    """The target closed the connection."""


@dataclass(frozen=True, kw_only=True)
class Pdu:
    """A PDU of the target."""

    header: bytes
    payload: bytes

    @property
    def opcode(self) -> int:
        return self.header[0] & 0x3F

    def word(self, offset: int) -> int:
        return int.from_bytes(self.header[offset : offset + 4])


@dataclass(kw_only=True)
class Answer:
    """How a command ended."""

    status: int
    content: bytes
    sense: bytes = b""
    flags: int = 0
    residual: int = 0
    asked: list[tuple[int, int]] = field(default_factory=list)
    """The ranges that the target asked for."""

    @property
    def trouble(self) -> tuple[int, int]:
        """Sense key, and code with qualifier."""
        return self.sense[2] & 0x0F, int.from_bytes(self.sense[12:14])


class Initiator:
    """One session. Nothing is checked on the way out, so that tests can send what they like."""

    def __init__(
        self,
        portal: Portal,
        *,
        name: str = HOST,
        target: str = "",
        chap: tuple[str, str] | None = None,
        own_secret: str = "",
        algorithm: str = "5",
        methods: str = "",
        keys: Mapping[str, str] | None = None,
        isid: bytes = b"\x80\0\0\0\0\1",
    ) -> None:
        self.name, self.target, self.isid = name, target, isid
        self.chap, self.own_secret, self.algorithm = chap, own_secret, algorithm
        self.methods = methods or ("CHAP,None" if chap else "None")
        self.wanted = dict(keys or {})
        self.agreed: dict[str, str] = {}
        self.command_sn, self.status_sn, self.tag = 1, 0, 0
        self.socket = socket.create_connection((portal.host, portal.port), timeout=PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        self.socket.close()

    def send(
        self, opcode: int, flags: int, *, lun: bytes = bytes(8), tag: int = 0, rest: bytes = b"", payload: bytes = b""
    ) -> None:
        """Send a PDU; `rest` is the header from byte 20 on."""
        head = bytes([opcode, flags, 0, 0]) + len(payload).to_bytes(4) + lun + tag.to_bytes(4) + rest.ljust(28, b"\0")
        self.socket.sendall(head + payload + bytes(-len(payload) % 4))

    def receive(self) -> Pdu:
        header = self._exactly(48)
        length = int.from_bytes(header[5:8])
        return Pdu(header=header, payload=self._exactly(length + -length % 4)[:length])

    def _exactly(self, length: int) -> bytes:
        came = bytearray()
        while len(came) < length:
            try:
                piece = self.socket.recv(length - len(came))
            except ConnectionError:
                piece = b""
            if not piece:
                raise HungUpError
            came += piece
        return bytes(came)

    def gone(self) -> bool:
        """Say whether the target has hung up, waiting for it."""
        try:
            self.receive()
        except HungUpError:
            return True
        return False

    # -- login

    def step(self, flags: int, pairs: Sequence[tuple[str, str]] | Mapping[str, str]) -> tuple[int, dict[str, str]]:
        """Send one login request; return flags and keys of the answer."""
        listed = pairs.items() if isinstance(pairs, Mapping) else pairs
        text = b"".join(f"{key}={value}\0".encode() for key, value in listed)
        rest = bytes(4) + self.command_sn.to_bytes(4) + self.status_sn.to_bytes(4)
        self.send(0x43, flags, lun=self.isid + bytes(2), tag=1, rest=rest, payload=text)
        answer = self.receive()
        assert answer.opcode == 0x23
        if status := answer.word(36) >> 16:
            raise RefusedError(status)
        found = dict(part.split("=", 1) for part in answer.payload.decode().split("\0") if part)
        self.agreed.update(found)
        self.status_sn = answer.word(24) + 1
        return answer.header[1], found

    def login(self) -> "Initiator":
        """Log in: prove, agree, go on."""
        who = {"InitiatorName": self.name, "SessionType": "Normal" if self.target else "Discovery"}
        who |= {"TargetName": self.target} if self.target else {}
        flags, keys = self.step(0x00 if self.chap else 0x81, who | {"AuthMethod": self.methods})
        if keys.get("AuthMethod") == "CHAP" and self.chap:
            self._prove(*self.chap)
        elif not flags & 0x80:
            self.step(0x81, {})
        self.step(0x87, self.wanted)
        return self

    def _prove(self, user: str, secret: str) -> None:
        _, keys = self.step(0x00, {"CHAP_A": self.algorithm})
        proof = self._proof(int(keys["CHAP_I"]), secret, bytes.fromhex(keys["CHAP_C"][2:]))
        mutual = {"CHAP_I": "7", "CHAP_C": "0x" + "5a" * 16} if self.own_secret else {}
        _, keys = self.step(0x81, {"CHAP_N": user, "CHAP_R": "0x" + proof} | mutual)
        if self.own_secret:
            assert keys["CHAP_R"] == "0x" + self._proof(7, self.own_secret, b"\x5a" * 16)

    def _proof(self, number: int, secret: str, challenge: bytes) -> str:
        name = {"5": "md5", "6": "sha1", "7": "sha256", "8": "sha3_256"}[self.algorithm]
        return hashlib.new(name, bytes([number]) + secret.encode() + challenge).hexdigest()

    # -- full feature phase

    def ask(self, opcode: int, flags: int = 0x80, *, payload: bytes = b"", word: int = 0, lun: int = 0) -> Pdu:
        """Send a PDU that is answered by one."""
        self.tag += 1
        rest = word.to_bytes(4) + self.command_sn.to_bytes(4) + self.status_sn.to_bytes(4)
        self.send(opcode, flags, tag=self.tag, rest=rest, payload=payload, lun=lun.to_bytes(2) + bytes(6))
        self.command_sn += not opcode & 0x40
        return self.receive()

    def start(
        self, cdb: bytes, *, out: bytes = b"", room: int = 0, lun: int = 0, flags: int | None = None
    ) -> tuple[int, int]:
        """Send a command and what may come with it unasked; return its tag and how much of `out` went."""
        self.tag += 1
        first = min(len(out), self._number("FirstBurstLength", 65536), self._number("MaxBurstLength", 262144))
        segment = self._number("MaxRecvDataSegmentLength", 8192)
        immediate = min(first, segment) if self._yes("ImmediateData", "Yes") else 0
        unasked = first if not self._yes("InitialR2T", "Yes") else immediate
        wanted = (0x40 if room else 0) | (0x20 if out else 0) | (0x80 if unasked == immediate else 0)
        rest = (len(out) or room).to_bytes(4) + self.command_sn.to_bytes(4) + self.status_sn.to_bytes(4)
        rest += cdb.ljust(16, b"\0")
        self.send(
            0x01, wanted if flags is None else flags, lun=lun.to_bytes(2) + bytes(6), tag=self.tag, rest=rest,
            payload=out[:immediate],
        )  # fmt: skip
        self.command_sn += 1
        self._send_out(self.tag, NO_TAG, out, immediate, unasked)
        return self.tag, unasked

    def _send_out(self, tag: int, transfer: int, out: bytes, first: int, last: int) -> None:
        segment = self._number("MaxRecvDataSegmentLength", 8192)
        for number, at in enumerate(range(first, last, segment)):
            piece = out[at : min(at + segment, last)]
            flags = 0x80 if at + len(piece) == last else 0
            self.data_out(tag, transfer, number, at, piece, flags)

    def data_out(self, tag: int, transfer: int, number: int, offset: int, piece: bytes, flags: int = 0x80) -> None:
        rest = transfer.to_bytes(4) + bytes(4) + self.status_sn.to_bytes(4) + bytes(4)
        rest += number.to_bytes(4) + offset.to_bytes(4)
        self.send(0x05, flags, tag=tag, rest=rest, payload=piece)

    def finish(self, tag: int, *, out: bytes = b"", room: int = 0) -> Answer:
        """Take what comes of a command until its end."""
        content, asked = bytearray(room), []
        end = 0
        while True:
            pdu = self.receive()
            assert pdu.word(16) == tag, pdu
            if pdu.opcode == 0x31:
                at, length = pdu.word(40), pdu.word(44)
                asked.append((at, length))
                self._send_out(tag, pdu.word(20), out, at, at + length)
                continue
            if pdu.opcode == 0x25:
                at = pdu.word(40)
                content[at : at + len(pdu.payload)] = pdu.payload
                end = max(end, at + len(pdu.payload))
                if not pdu.header[1] & 1:
                    continue
            sense = pdu.payload[2:] if pdu.opcode == 0x21 else b""
            self.status_sn = pdu.word(24) + 1
            return Answer(
                status=pdu.header[3], content=bytes(content[:end]), sense=sense, flags=pdu.header[1] & 0x06,
                residual=pdu.word(44), asked=asked,
            )  # fmt: skip

    def command(self, cdb: bytes | str, *, out: bytes = b"", room: int = 0, lun: int = 0) -> Answer:
        """Perform a command; the CDB may be hexadecimal."""
        octets = bytes.fromhex(cdb) if isinstance(cdb, str) else cdb
        tag, _ = self.start(octets, out=out, room=room, lun=lun)
        return self.finish(tag, out=out, room=room)

    def read(self, lba: int, blocks: int, *, block_bytes: int = 512, lun: int = 0) -> Answer:
        cdb = b"\x88\0" + lba.to_bytes(8) + blocks.to_bytes(4)
        return self.command(cdb, room=blocks * block_bytes, lun=lun)

    def write(self, lba: int, out: bytes, *, block_bytes: int = 512, lun: int = 0) -> Answer:
        cdb = b"\x8a\0" + lba.to_bytes(8) + (len(out) // block_bytes).to_bytes(4)
        return self.command(cdb, out=out, lun=lun)

    def discover(self) -> list[str]:
        """Ask for the targets."""
        return [
            part.removeprefix("TargetName=")
            for part in self.ask(0x04, payload=b"SendTargets=All\0", word=NO_TAG).payload.decode().split("\0")
            if part.startswith("TargetName=")
        ]

    def _number(self, key: str, usual: int) -> int:
        theirs = key == "MaxRecvDataSegmentLength"
        value = self.agreed.get(key, usual if theirs else self.wanted.get(key, usual))
        return usual if value == "Reject" else int(value)

    def _yes(self, key: str, usual: str) -> bool:
        return self.agreed.get(key, usual) == "Yes"


@pytest.fixture(scope="session")
def initiator_maker() -> type[Initiator]:
    """For tests that connect to a portal."""
    return Initiator
