"""The full feature phase of one session: PDUs in, PDUs out, commands in their order.

What SCSI commands mean is in scsi.py; who may be here was decided in login.py.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

from snapproof.simulators.faults import AnswerLostError, Moment, Shape
from snapproof.simulators.iscsi import resets, scsi
from snapproof.simulators.iscsi.discovery import Discovery
from snapproof.simulators.iscsi.gathering import Gathering, SequenceError
from snapproof.simulators.iscsi.login import Login
from snapproof.simulators.iscsi.pdu import (
    FINAL,
    HEADER_BYTES,
    NO_LUN,
    NO_TAG,
    RESPONSE,
    Inbox,
    Opcode,
    Outbox,
    ProtocolError,
    Rejection,
    Request,
)
from snapproof.simulators.iscsi.resets import LogicalUnits
from snapproof.simulators.iscsi.sense import Sense
from snapproof.simulators.iscsi.targets import Lun, Opened, Targets
from snapproof.simulators.iscsi.troubles import act_of, sense_of
from snapproof.simulators.iscsi.units import Reply, Unit

WINDOW = 64
"""How many commands an initiator may have under way."""
_READ, _WRITE = 0x40, 0x20
_OVERFLOW, _UNDERFLOW, _STATUS = 0x04, 0x02, 0x01
_NO_EFFECT = memoryview(b"")
_LOGOUT_RECOVERY, _RECOVERY_NOT_SUPPORTED = 2, 2


class Session:
    """One initiator at one target, or at discovery. `run` returns when it is over."""

    def __init__(
        self,
        login: Login,
        opened: Opened | None,
        *,
        inbox: Inbox,
        outbox: Outbox,
        command_sn: int,
        status_sn: int,
        targets: Targets,
        portal: str,
        units: LogicalUnits,
    ) -> None:
        self.login, self.opened = login, opened
        self._inbox, self._outbox = inbox, outbox
        self._command_sn, self._status_sn = command_sn, status_sn
        self._discovery = Discovery(targets, login, portal=portal)
        self._targets = targets
        self._shared = units
        self._guard: AbstractContextManager[object] = opened.guard if opened else nullcontext()
        self._segment = login.negotiation.number("MaxRecvDataSegmentLength")
        self._burst = login.negotiation.number("MaxBurstLength")
        self._first_burst = min(login.negotiation.number("FirstBurstLength"), self._burst)
        self._immediate = login.negotiation.agreed("ImmediateData")
        self._units: dict[int, Unit] = {}
        self._gathering: dict[int, Gathering] = {}
        self._early: dict[int, Request] = {}
        self._last_tag = 0
        self._over = False

    def run(self) -> None:
        """Answer until the initiator leaves. Raises ProtocolError when it breaks the rules, OSError when it is cut."""
        while not self._over:
            if not self._inbox.ready:
                self._outbox.flush()
            request = self._inbox.take()
            if request is None:
                return
            if request.opcode in _UNNUMBERED or request.immediate:
                self._dispatch(request)
            else:
                self._in_turn(request)
        self._outbox.flush()

    def end(self) -> None:
        """Let go of what the session held."""
        with self._guard:
            for unit in self._units.values():
                unit.shared.leave(unit.nexus)
            self._shared.tidy()

    def _in_turn(self, request: Request) -> None:
        """Perform commands by their numbers; one that comes early waits, one from outside the window is ignored."""
        ahead = (request.cmd_sn - self._command_sn) & NO_TAG
        if ahead >= WINDOW:
            return
        if ahead:
            self._early[request.cmd_sn] = request.kept()
            return
        following: Request | None = request
        while following is not None and not self._over:
            self._command_sn = (self._command_sn + 1) & NO_TAG
            self._dispatch(following)
            following = self._early.pop(self._command_sn, None) if self._early else None

    def _dispatch(self, request: Request) -> None:
        act = _ACTS.get(request.opcode)
        if act is None:
            self._reject(request.header, Rejection.NOT_SUPPORTED)
        elif self.opened is None and request.opcode not in _IN_DISCOVERY:
            self._reject(request.header, Rejection.PROTOCOL_ERROR)
        else:
            act(self, request)

    # -- what is sent

    def send(
        self,
        opcode: Opcode,
        request: Request,
        payload: bytes | memoryview = b"",
        *,
        flags: int = FINAL,
        two: int = 0,
        three: int = 0,
        lun: bytes = NO_LUN,
        tag: int = NO_TAG,
        words: tuple[int, int, int] = (0, 0, 0),
        counts: bool = True,
    ) -> None:
        """Send a PDU that answers `request`; `counts` when it takes a status number."""
        header = RESPONSE.pack(
            opcode, flags, two, three, len(payload), lun, request.itt, tag,
            self._status_sn, self._command_sn, (self._command_sn + WINDOW - 1 - len(self._gathering)) & NO_TAG, *words,
        )  # fmt: skip
        if counts:
            self._status_sn = (self._status_sn + 1) & NO_TAG
        self._outbox.put(header, payload)

    def _reject(self, header: bytes, why: Rejection) -> None:
        about = Request(header.ljust(HEADER_BYTES, b"\0"), _NO_EFFECT)
        about.itt = NO_TAG
        self.send(Opcode.REJECT, about, header, two=why)

    def reject_last(self, header: bytes) -> None:
        """Say that what came cannot be understood, before the connection is closed."""
        if header:
            self._reject(header, Rejection.PROTOCOL_ERROR)
        self._outbox.flush()

    # -- SCSI

    def _command(self, request: Request) -> None:
        if request.itt in self._gathering:
            self._reject(request.header, Rejection.TASK_IN_PROGRESS)
            return
        came = len(request.payload)
        if came > min(request.word, self._first_burst) or (came and not self._immediate):
            raise ProtocolError("The immediate data is longer than agreed.", request.header)
        cdb = request.header[32:48]
        operation, unit = scsi.operation_of(cdb), self._unit(request.lun)
        wanted = 0
        if operation is not None and unit is not None and request.flags & _WRITE:
            wanted = min(request.word, operation.sends(cdb, unit.block_bytes))
        if came >= wanted and (request.flags & FINAL or not wanted):
            self._perform(request, request.payload[:wanted])
        elif len(self._gathering) > 2 * WINDOW:
            raise ProtocolError("Too many writes are under way.", request.header)
        else:
            task = Gathering(request, wanted=wanted, first_burst=self._first_burst)
            self._gathering[request.itt] = task
            self._further(task)

    def _data_out(self, request: Request) -> None:
        task = self._gathering.get(request.itt)
        if task is None:
            return  # of a command that has ended; its data was under way
        try:
            task.add(request)
        except SequenceError:
            del self._gathering[request.itt]
            self._answer(task.request, scsi.refused(Sense.DATA_PHASE_ERROR), 0)
        else:
            self._further(task)

    def _further(self, task: Gathering) -> None:
        """Perform a write whose data is there; ask for more where nothing is under way."""
        if task.complete:
            del self._gathering[task.request.itt]
            self._perform(task.request, task.content)
        elif task.idle:
            self._last_tag = (self._last_tag + 1) & 0x7FFFFFFF
            words = task.ask(self._last_tag, self._burst)
            self.send(
                Opcode.R2T, task.request, lun=task.request.lun, tag=self._last_tag, words=words, counts=False
            )  # fmt: skip

    def _perform(self, request: Request, out: memoryview) -> None:
        cdb = request.header[32:48]
        with self._guard:
            unit = self._unit(request.lun)
            if unit is None:
                reply, sends = scsi.without_unit(cdb, self._numbers()), 0
            else:
                operation = scsi.operation_of(cdb)
                sends = operation.sends(cdb, unit.block_bytes) if operation else 0
                sent = request.word if request.flags & _WRITE else 0
                reply = self._performed(cdb[0], lambda: scsi.perform(unit, operation, cdb, out, sent))
        self._answer(request, reply, sends)

    def _performed(self, opcode: int, perform: Callable[[], Reply]) -> Reply:
        """Perform a command, unless a trouble was ordered. Raises AnswerLostError where that ends the session."""
        act = act_of(opcode)
        fault = self._targets.meet(act)
        if fault is None:
            return perform()
        if fault.shape is Shape.ERROR:
            return scsi.refused(sense_of(act, fault.name))
        if fault.moment is Moment.AFTER:
            perform()
        raise AnswerLostError(f"The session with {self.login.target} was cut off at a {act}.")

    def _unit(self, address: bytes) -> Unit | None:
        number = scsi.lun_number(address)
        opened = self.opened
        lun = opened.lun(number) if opened and number >= 0 else None
        if lun is None:
            return None
        unit = self._units.get(number)
        if unit is None or unit.lun is not lun:
            unit = self._units[number] = self._met(lun, number)
        return unit

    def _met(self, lun: Lun, number: int) -> Unit:
        """Make the unit as this nexus sees it, while nobody forgets what all share."""
        target = self.login.target
        with self._guard:
            shared = self._shared.of(target, number)
            return Unit(lun, shared, nexus=self.login.visitor.port, target=target, numbers=self._numbers)

    def _numbers(self) -> list[int]:
        return list(self.opened.numbers()) if self.opened else []

    def _answer(self, request: Request, reply: Reply, sends: int) -> None:
        expected, content = request.word, reply.content
        moved = 0 if reply.status else (sends if request.flags & _WRITE or not content else len(content))
        if content and not request.flags & _READ:
            moved, content = len(content), b""
        flags, residual = _residual(expected, moved)
        content = content[:expected] if len(content) > expected else content
        if content:
            self._data_in(request, content, flags, residual)
            return
        payload = len(reply.sense).to_bytes(2) + reply.sense if reply.sense else b""
        self.send(
            Opcode.SCSI_RESPONSE, request, payload, flags=FINAL | flags, three=reply.status, tag=0,
            words=(0, 0, residual),
        )  # fmt: skip

    def _data_in(self, request: Request, content: bytes, flags: int, residual: int) -> None:
        """Send data in segments that the initiator can take; the last one carries the status."""
        view, total = memoryview(content), len(content)
        offset = number = 0
        while offset < total:
            burst_end = min(total, offset - offset % self._burst + self._burst)
            end = min(offset + self._segment, burst_end)
            last = end == total
            state = FINAL if end == burst_end else 0
            self.send(
                Opcode.DATA_IN, request, view[offset:end], flags=state | (flags | _STATUS if last else 0),
                words=(number, offset, residual if last else 0), counts=last,
            )  # fmt: skip
            offset, number = end, number + 1

    # -- the rest

    def _nop(self, request: Request) -> None:
        if request.itt != NO_TAG:
            self.send(Opcode.NOP_IN, request, bytes(request.payload[: self._segment]), lun=request.lun)

    def _text(self, request: Request) -> None:
        answer = self._discovery.answer(request, self._segment)
        if answer is None:
            self._reject(request.header, Rejection.PROTOCOL_ERROR)
        else:
            piece, flags, tag = answer
            self.send(Opcode.TEXT_RESPONSE, request, piece, flags=flags, tag=tag)

    def _logout(self, request: Request) -> None:
        refused = request.flags & 0x7F == _LOGOUT_RECOVERY
        self.send(Opcode.LOGOUT_RESPONSE, request, two=_RECOVERY_NOT_SUPPORTED if refused else 0, tag=0)
        self._over = not refused

    def _manage(self, request: Request) -> None:
        function, number = request.flags & 0x7F, scsi.lun_number(request.lun)
        with self._guard:
            outcome = resets.manage(
                function, number, request.word, units=self._shared, gathering=self._gathering,
                known=self._unit(request.lun) is not None, nexus=self.login.visitor.port, target=self.login.target,
            )  # fmt: skip
        self.send(Opcode.TASK_MANAGEMENT_RESPONSE, request, two=outcome, tag=0)


def _residual(expected: int, moved: int) -> tuple[int, int]:
    if moved > expected:
        return _OVERFLOW, moved - expected
    return (_UNDERFLOW, expected - moved) if moved < expected else (0, 0)


_UNNUMBERED = frozenset({Opcode.DATA_OUT, Opcode.SNACK})
_IN_DISCOVERY = frozenset({Opcode.TEXT, Opcode.LOGOUT, Opcode.NOP_OUT})

_ACTS: Mapping[int, Callable[[Session, Request], None]] = {
    Opcode.SCSI_COMMAND: Session._command,  # noqa: SLF001  the table is the session's own
    Opcode.DATA_OUT: Session._data_out,  # noqa: SLF001  as above
    Opcode.NOP_OUT: Session._nop,  # noqa: SLF001  as above
    Opcode.TEXT: Session._text,  # noqa: SLF001  as above
    Opcode.LOGOUT: Session._logout,  # noqa: SLF001  as above
    Opcode.TASK_MANAGEMENT: Session._manage,  # noqa: SLF001  as above
}
