"""The NFS door on a socket: one TCP port for NFS, MOUNT and the port mapper, loopback only unless it is allowed.

What is answered is door.py's; here are connections, their pace, and how an answer that never comes looks.
"""

import asyncio
import logging
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from snapproof.simulators.faults import AnswerHangsError, AnswerLostError, CrashedError
from snapproof.simulators.listening import bind
from snapproof.simulators.secondary.export_tree import ExportTree
from snapproof.simulators.secondary.nfs3.door import Door
from snapproof.simulators.secondary.nfs3.rpc import Accepted, NoRpcError, Records, accepted, record
from snapproof.simulators.serving import Server

log = logging.getLogger(__name__)

EXPORT_NAME = "/export/secondary"
_RESET = struct.pack("ii", 1, 0)


class _NfsConnection(asyncio.Protocol):
    """One client: records are answered in order, and not read faster than answers are taken."""

    def __init__(self, service: "_NfsService") -> None:
        self._service = service
        self._records = Records()
        self._queue: deque[memoryview] = deque()
        self._unread_by_peer = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.gone = asyncio.get_running_loop().create_future()
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._queue.clear()
        self._service.connections.discard(self)
        self.gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        try:
            self._queue.extend(self._records.feed(data))
        except NoRpcError as error:
            self._drop(error)
        self._answer_queued()

    def pause_writing(self) -> None:
        self._unread_by_peer = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._unread_by_peer = False
        self._answer_queued()
        if not self._unread_by_peer and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._queue.clear()
        self._transport.abort()

    def _answer_queued(self) -> None:
        while self._queue and not self._unread_by_peer:
            message = self._queue.popleft()
            try:
                self._transport.write(record(self._service.answer(message)))
            except AnswerHangsError:
                continue  # nothing is said to this one, ever
            except AnswerLostError:
                self._reset()
            except NoRpcError as error:
                self._drop(error)

    def _reset(self) -> None:
        """Let the client meet ECONNRESET, as if the wire had been cut."""
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.abort()

    def _drop(self, error: NoRpcError) -> None:
        log.warning("A connection is closed that speaks no RPC: %s", error)
        self.abort()


class _NfsService:
    """What the connections share: the door to the export that is served now."""

    scheme = "nfs"

    def __init__(self, name: str, on_crash: Callable[[CrashedError], None]) -> None:
        self.connections: set[_NfsConnection] = set()
        self.door: Door | None = None
        self.name = name
        self.turn = threading.Lock()
        self._on_crash = on_crash

    def connect(self) -> asyncio.BaseProtocol:
        return _NfsConnection(self)

    def end(self) -> None:
        if self.door is not None:
            self.door.close()

    def answer(self, message: memoryview) -> bytes:
        """Ask the door. What a simulator did wrong is said as RPC says it."""
        assert self.door is not None, "The door is there before the socket is served."
        try:
            with self.turn:
                return self.door(message)
        except CrashedError as crash:
            self._on_crash(crash)
            raise AnswerLostError("The client's process is dead.") from crash
        except (AnswerLostError, NoRpcError):
            raise
        except Exception:  # the server skin: whatever a procedure did wrong, the client gets an answer
            log.exception("A procedure failed")
            return accepted(int.from_bytes(message[:4]), Accepted.SYSTEM_ERR)


class NfsServer:
    """An export on a socket, from construction until `close`; `url` is what libnfs and its like take."""

    def __init__(self, listener: socket.socket, service: _NfsService, tree: ExportTree) -> None:
        self._service = service
        self._editions = 0
        self.host, self.port = listener.getsockname()[:2]
        self.present(tree)
        self._server = Server(listener, service)
        name = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"nfs://{name}{service.name}?version=3&nfsport={self.port}&mountport={self.port}"

    def present(self, tree: ExportTree) -> None:
        """Serve this export from now on: handles of the one before are stale, but its root is the root."""
        self._editions += 1
        door = Door(tree, name=self._service.name, edition=self._editions, port=lambda: self.port)
        with self._service.turn:
            leaving, self._service.door = self._service.door, door
            if leaving is not None:
                leaving.close()

    def close(self) -> None:
        """Drop every connection and leave the export in good order. Twice is fine."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


def serve_nfs(
    tree: ExportTree,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    name: str = EXPORT_NAME,
    on_crash: Callable[[CrashedError], None] = lambda _: None,
    allow_remote: bool = False,
) -> NfsServer:
    """Serve an export over NFS version 3 until the server is closed. Raises CannotServeError with the cure.

    NFS, MOUNT and the port mapper share the port. `on_crash` is told of a CrashedError before the connection dies.
    """
    return NfsServer(bind(host, port, allow_remote=allow_remote), _NfsService(name, on_crash), tree)
