"""Where initiators connect: a TCP port, a thread for each connection, and what outlives a session.

It serves from `serve` until `close`. Which targets there are is the owner's affair (targets.py).
"""

import contextlib
import logging
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from snapproof.simulators.iscsi.keys import text_of
from snapproof.simulators.iscsi.login import Answer, Login, LoginFailedError, Status
from snapproof.simulators.iscsi.pdu import RESPONSE, Inbox, Opcode, Outbox, ProtocolError, Request
from snapproof.simulators.iscsi.resets import LogicalUnits
from snapproof.simulators.iscsi.session import WINDOW, Session
from snapproof.simulators.iscsi.targets import Opened, Targets
from snapproof.simulators.listening import CannotServeError, bind
from snapproof.simulators.serving import STOP_S

log = logging.getLogger(__name__)

LOGIN_S = 15.0
"""How long an initiator may take over each step of its login."""
CONNECTIONS_MAX = 1024


class _Connection:
    """One TCP connection: a login, then a session, then nothing."""

    def __init__(self, peer: socket.socket, portal: "Portal") -> None:
        self._peer = peer
        self._portal = portal
        self._targets = portal.targets
        self._opened: Opened | None = None
        self.place: tuple[str, bytes, str] | None = None
        """Initiator, ISID and target once it is logged in: there is one session at a time between these."""
        host, port = peer.getpeername()[:2]
        self.address = f"{host}:{port}"
        self.thread = threading.Thread(target=self._run, name=f"iscsi {self.address}", daemon=True)

    def cut(self) -> None:
        """End the connection now, from whatever thread."""
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._converse()
        except OSError:
            log.debug("The connection of %s was lost.", self.address)
        except Exception:  # the server skin: one connection's trouble is nobody else's
            log.exception("The iSCSI target failed over the connection of %s", self.address)
        finally:
            if self._opened is not None:
                self._opened.close()
            self._portal.forget(self)
            self._peer.close()

    def _converse(self) -> None:
        inbox, outbox = Inbox(self._peer.recv_into), Outbox(self._peer)
        login = Login(self._targets, address=self.address, nonce=secrets.token_bytes)
        self._peer.settimeout(LOGIN_S)
        last = self._logged_in(login, inbox, outbox)
        if last is None:
            return
        self._peer.settimeout(None)
        session = Session(
            login,
            self._opened,
            inbox=inbox,
            outbox=outbox,
            command_sn=(last.cmd_sn + (not last.immediate)) & 0xFFFFFFFF,
            status_sn=(last.exp_stat_sn + 1) & 0xFFFFFFFF,
            targets=self._targets,
            portal=self._portal.portal,
            units=self._portal.units,
        )
        self._portal.record_session(self._targets, "logged in", login, self._opened)
        try:
            session.run()
        except ProtocolError as error:
            log.debug("%s: %s", self.address, error)
            session.reject_last(error.header)
        finally:
            session.end()
            self._portal.record_session(self._targets, "logged out", login, self._opened)

    def _logged_in(self, login: Login, inbox: Inbox, outbox: Outbox) -> Request | None:
        """Lead the login to its end; None where it ends badly."""
        while True:
            try:
                request = inbox.take()
            except ProtocolError:
                return None
            if request is None:
                return None
            try:
                answer = self._step(login, request)
            except LoginFailedError as error:
                self._refuse(login, request, error, outbox)
                return None
            _reply(request, answer, outbox)
            if answer.finished:
                return request

    def _step(self, login: Login, request: Request) -> Answer:
        if request.opcode != Opcode.LOGIN:
            raise LoginFailedError(Status.INVALID_REQUEST, "Something else than a login came first.")
        answer = login.answer(request)
        if answer.finished and not login.discovery:
            self._open(login)
        return answer

    def _open(self, login: Login) -> None:
        self._portal.reinstate(self, (login.initiator, login.isid, login.target))
        self._opened = login.open()
        self._opened.on_drop(self.cut)

    def _refuse(self, login: Login, request: Request, error: LoginFailedError, outbox: Outbox) -> None:
        self._targets.record("login refused", initiator=login.initiator, target=login.target, status=error.status.name)
        outbox.put(_login_header(request, flags=0, length=0, status=error.status))
        outbox.flush()


def _login_header(request: Request, *, flags: int, length: int, status: int, tsih: int = 0) -> bytes:
    expected = (request.cmd_sn + (not request.immediate)) & 0xFFFFFFFF
    lun = request.header[8:14] + tsih.to_bytes(2)
    window = (expected + WINDOW - 1) & 0xFFFFFFFF
    return RESPONSE.pack(
        Opcode.LOGIN_RESPONSE, flags, 0, 0, length, lun, request.itt, 0, request.exp_stat_sn, expected, window,
        status << 16, 0, 0,
    )  # fmt: skip


def _reply(request: Request, answer: Answer, outbox: Outbox) -> None:
    text = text_of(answer.pairs)
    tsih = 1 if answer.finished else 0
    outbox.put(_login_header(request, flags=answer.flags, length=len(text), status=0, tsih=tsih), text)
    outbox.flush()


def _end(leaving: Iterable[_Connection]) -> None:
    """Cut connections and wait until they are over."""
    for connection in leaving:
        connection.cut()
        connection.thread.join(STOP_S)


class Portal:
    """An iSCSI portal. `portal` is its address as initiators want it, `url` the same as a URL."""

    def __init__(self, listening: socket.socket, targets: Targets) -> None:
        self._listener = listening
        self.targets = targets
        self.units = LogicalUnits()
        self.host, self.port = listening.getsockname()[:2]
        name = f"[{self.host}]" if ":" in self.host else self.host
        self.portal = f"{name}:{self.port}"
        self.url = f"iscsi://{self.portal}"
        self._lock = threading.Lock()
        self._connections: set[_Connection] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name=f"serve {self.url}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def lead_to(self, targets: Targets) -> None:
        """Serve other targets from now on; whoever is logged in to the former ones is cut off."""
        self.targets = targets
        self.units = LogicalUnits()
        self._cut(lambda _connection: True)

    def drop(self, target: str) -> int:
        """Cut the live sessions of a target; answer how many there were. They may come back."""
        return self._cut(lambda connection: connection.place is not None and connection.place[2] == target.lower())

    def sessions(self) -> tuple[tuple[str, str], ...]:
        """Who is logged in: initiators and targets, sorted."""
        with self._lock:
            return tuple(sorted((one.place[0], one.place[2]) for one in self._connections if one.place))

    def close(self) -> None:
        """Stop listening, cut every session, end every thread. Twice is fine."""
        self._closing = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(STOP_S)
        with self._lock:
            leaving = list(self._connections)
        _end(leaving)
        if self._thread.is_alive():
            raise CannotServeError(f"{self.url} did not stop within {STOP_S} s.")

    def _accept(self) -> None:
        while not self._closing:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                if self._closing:
                    return
                continue  # the peer was gone before it was greeted
            with contextlib.suppress(OSError), self._lock:
                if len(self._connections) >= CONNECTIONS_MAX:
                    peer.close()
                    continue
                connection = _Connection(peer, self)
                self._connections.add(connection)
                connection.thread.start()

    def _cut(self, chosen: Callable[[_Connection], bool]) -> int:
        """Cut connections without waiting for their end: the caller may hold what they need for it."""
        with self._lock:
            leaving = [connection for connection in self._connections if chosen(connection)]
        for connection in leaving:
            connection.cut()
        return len(leaving)

    # -- for the connections

    def reinstate(self, connection: _Connection, place: tuple[str, bytes, str]) -> None:
        """Let a session take its place; an earlier one between the same ports ends."""
        with self._lock:
            earlier = [other for other in self._connections if other.place == place]
            connection.place = place
        _end(earlier)

    def forget(self, connection: _Connection) -> None:
        """A connection has ended."""
        with self._lock:
            self._connections.discard(connection)

    def record_session(self, targets: Targets, event: str, login: Login, opened: Opened | None) -> None:
        """Journal that a session began or ended."""
        facts = {"session": opened.number} if opened else {}
        targets.record(event, initiator=login.initiator, target=login.target or "discovery", **facts)


def serve(targets: Targets, *, host: str = "127.0.0.1", port: int = 0, allow_remote: bool = False) -> Portal:
    """Serve targets until the portal is closed. Raises CannotServeError with the cure in its message."""
    return Portal(bind(host, port, allow_remote=allow_remote), targets)
