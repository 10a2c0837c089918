"""Wires and how they reach a socket. A wire is bytes in, bytes out: in process it is called, over TCP it is served.

No simulator state lives here. One server is one daemon thread with its own event loop; it binds loopback only. What
speaks another protocol than HTTP is a `Service` of its own (services.py).
"""

import asyncio
import gc
import logging
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias

from snapproof.simulators.faults import HANG_S, AnswerCutError, AnswerHangsError, AnswerLostError, CrashedError
from snapproof.simulators.http1 import CONTINUE, Bounds, Refusal, Request, RequestReader, written
from snapproof.simulators.listening import CannotServeError, bind, bind_unix, named
from snapproof.simulators.services import Service

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
"""Status, headers, body."""

Wire: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""One HTTP exchange: method, target (path and query), headers with lower-case names, body."""

log = logging.getLogger(__name__)

TEXT = {"content-type": "text/plain; charset=utf-8"}
LINGER_S = 2.0
"""How long a refused client may go on sending before the connection is cut: it should find the answer, not a reset."""
QUEUED_MAX = 8
"""Requests of one connection that may wait for their answer before reading pauses."""
WORKERS = 16
"""Requests of a blocking wire that run at once; each holds one thread."""
STOP_S = 10.0
"""How long a server may take to start or to end before it is said that something hangs."""


class _Ending(Enum):
    """What becomes of the connection when an answer was written."""

    AS_ASKED = "as the client asked: kept alive, or closed"
    CUT = "closed in the middle of the answer"
    HANG = "left alone without an answer"
    RESET = "reset, as if the wire had been cut"


_Reply: TypeAlias = tuple[bytes, _Ending]


@dataclass(frozen=True, slots=True, kw_only=True)
class _HttpService:
    """What the connections of one HTTP server share."""

    scheme: str
    wire: Wire
    bounds: Bounds
    workers: Executor | None
    on_crash: Callable[[CrashedError], None]
    patience_s: float
    connections: set["_Connection"] = field(default_factory=set)

    def connect(self) -> asyncio.BaseProtocol:
        return _Connection(self)

    def end(self) -> None:
        if self.workers is not None:
            self.workers.shutdown(wait=True, cancel_futures=True)

    def reply(self, request: Request) -> _Reply:
        """Ask the wire and write its answer."""
        try:
            answer = self.wire(request.method, request.target, request.headers, request.body)
            return _octets(request, answer), _Ending.AS_ASKED
        except AnswerHangsError:
            return b"", _Ending.HANG
        except AnswerCutError as cut:
            return _first_half(request, cut.answer), _Ending.CUT
        except AnswerLostError:
            return b"", _Ending.RESET
        except CrashedError as crash:
            self.on_crash(crash)
            return b"", _Ending.RESET
        except Exception:  # the server skin: whatever a wire did wrong, the client gets an answer
            log.exception("The wire failed over %s %s", request.method, request.target.partition("?")[0])
            return _plain(HTTPStatus.INTERNAL_SERVER_ERROR, "The simulator failed; its log says why."), _Ending.AS_ASKED


def _octets(request: Request, answer: Answer) -> bytes:
    status, headers, body = answer
    return written(status, headers, body, method=request.method, keep_alive=request.keep_alive)


def _first_half(request: Request, answer: Any) -> bytes:
    """Write the head and half of the body, or half of the head where there is no body."""
    whole = _octets(request, answer)
    head_bytes = whole.index(b"\r\n\r\n") + 4
    return whole[: (head_bytes + len(whole)) // 2] if len(whole) > head_bytes else whole[: head_bytes // 2]


def _plain(status: HTTPStatus, sentence: str) -> bytes:
    return written(status, TEXT, f"{sentence}\n".encode(), keep_alive=False)


class _Connection(asyncio.Protocol):
    """One client: reads requests, answers them in order, one write per answer."""

    def __init__(self, service: _HttpService) -> None:
        self._service = service
        self._reader = RequestReader(service.bounds)
        self._queue: deque[Request | Refusal] = deque()
        self._busy = False
        self._over = False
        self._unread_by_peer = False
        self._peer_finished = False
        self._hanging: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.gone = asyncio.get_running_loop().create_future()
        peer = transport.get_extra_info("socket")
        if peer.family != socket.AF_UNIX:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._over = True
        self._queue.clear()
        if self._hanging:
            self._hanging.cancel()
        self._service.connections.discard(self)
        self.gone.set_result(None)

    def eof_received(self) -> bool:
        """Keep the way back open for answers that are still due; TLS has no half-closed state."""
        self._peer_finished = True
        due = (self._busy or bool(self._queue)) and not self._hanging
        return self._transport.can_write_eof() and due

    def pause_writing(self) -> None:
        self._unread_by_peer = True
        self._pace()

    def resume_writing(self) -> None:
        self._unread_by_peer = False
        self._answer_next()

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        self._queue.extend(self._reader.feed(data))
        self._answer_next()

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._over = True
        self._transport.abort()

    def _answer_next(self) -> None:
        while self._queue and not (self._busy or self._over or self._unread_by_peer):
            item = self._queue.popleft()
            if isinstance(item, Refusal):
                self._end(_plain(item.status, item.sentence))
            elif self._service.workers is None:
                self._send(item, self._service.reply(item))
            else:
                self._hand_over(item, self._service.workers)
        if self._reader.continue_due and not (self._busy or self._over or self._queue):
            self._reader.continue_due = False
            self._transport.write(CONTINUE)
        if self._peer_finished and not (self._busy or self._queue):
            self._transport.close()
        self._pace()

    def _hand_over(self, request: Request, workers: Executor) -> None:
        self._busy = True
        job = asyncio.get_running_loop().run_in_executor(workers, self._service.reply, request)
        job.add_done_callback(lambda done: None if done.cancelled() else self._take_back(request, done.result()))

    def _take_back(self, request: Request, reply: _Reply) -> None:
        self._busy = False
        if not self._over:
            self._send(request, reply)
            self._answer_next()

    def _send(self, request: Request, reply: _Reply) -> None:
        octets, ending = reply
        if ending is _Ending.RESET:
            self._reset()
        elif ending is _Ending.HANG:
            self._hang()
        elif ending is _Ending.CUT or not request.keep_alive:
            self._end(octets)
        else:
            self._transport.write(octets)

    def _hang(self) -> None:
        """Say nothing, and nothing to later requests either, until the client or our patience has had enough."""
        self._busy = True
        self._hanging = asyncio.get_running_loop().call_later(self._service.patience_s, self.abort)
        if self._peer_finished:
            self.abort()

    def _reset(self) -> None:
        """Let the client meet ECONNRESET, as if the wire had been cut."""
        linger_zero = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
        self.abort()

    def _end(self, last: bytes) -> None:
        """Say the last word and wait a moment for the client to hang up."""
        self._over = True
        self._transport.write(last)
        if self._transport.can_write_eof():
            self._transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER_S, self._transport.abort)
        else:
            self._transport.close()  # TLS: sends close_notify after the answer
        self._queue.clear()

    def _pace(self) -> None:
        """Read only while there is room for more."""
        full = len(self._queue) > QUEUED_MAX or self._unread_by_peer
        if self._over or self._transport.is_closing():
            return
        if full and self._transport.is_reading():
            self._transport.pause_reading()
        elif not full and not self._transport.is_reading():
            self._transport.resume_reading()


class Server:
    """A service on a socket. It serves from construction until `close`, in a daemon thread of its own."""

    def __init__(self, listener: socket.socket, service: Service, tls: ssl.SSLContext | None = None) -> None:
        self._listener = listener
        self._service = service
        self._tls = tls
        self.host, self.port, self.url = named(listener, service.scheme)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name=f"serve {self.url}", daemon=True)
        self._thread.start()
        if not self._started.wait(STOP_S):
            raise CannotServeError(f"{self.url} did not start within {STOP_S} s; the log of its thread says why.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, drop every connection, let requests under way finish, end the thread. Twice is fine."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(STOP_S)
            if self._thread.is_alive():
                raise CannotServeError(f"{self.url} did not stop within {STOP_S} s: a request is still under way.")

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        unix = self._listener.family == socket.AF_UNIX
        create = self._loop.create_unix_server if unix else self._loop.create_server
        server = await create(self._service.connect, sock=self._listener, ssl=self._tls, backlog=512)
        self._started.set()
        await self._stop.wait()
        server.close()
        leaving = tuple(self._service.connections)
        for connection in leaving:
            connection.abort()
        await asyncio.gather(*(connection.gone for connection in leaving))
        self._service.end()


def serve(
    wire: Wire,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    blocking: bool = False,
    bounds: Bounds | None = None,
    on_crash: Callable[[CrashedError], None] = lambda _: None,
    patience_s: float = HANG_S,
    allow_remote: bool = False,
) -> Server:
    """Serve the wire until the server is closed. Raises CannotServeError with the cure in its message.

    The wire is called in the server's own thread; with `blocking` it is called in a pool of threads, several at once,
    but one at a time per connection. `on_crash` is told of a CrashedError before the connection dies. A connection
    whose answer hangs is dropped after `patience_s`, unless the client leaves first.
    """
    listener = bind(host, port, allow_remote=allow_remote)
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix=f"worker {host}") if blocking else None
    service = _HttpService(
        scheme="https" if tls else "http",
        wire=wire,
        bounds=bounds or Bounds(),
        workers=workers,
        on_crash=on_crash,
        patience_s=patience_s,
    )
    return Server(listener, service, tls)


COLLECT_AFTER = 50_000
"""How many more things must live than before until a process that only serves looks for garbage."""


def spare_collections() -> None:
    """Let the garbage collector rest, in a process that lives to serve: what is there stays, records are no garbage.

    A full look among a million volumes and snapshots takes 0.9 s, in which nobody is answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 50, 100)


def serve_unix(
    wire: Wire,
    path: Path,
    *,
    blocking: bool = False,
    bounds: Bounds | None = None,
    on_crash: Callable[[CrashedError], None] = lambda _: None,
    patience_s: float = HANG_S,
) -> Server:
    """Serve the wire on a unix socket at `path`, as `serve` does; whoever closes the server removes the file."""
    listener = bind_unix(path)
    workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="worker of a unix socket") if blocking else None
    service = _HttpService(
        scheme="http",
        wire=wire,
        bounds=bounds or Bounds(),
        workers=workers,
        on_crash=on_crash,
        patience_s=patience_s,
    )
    return Server(listener, service, None)
