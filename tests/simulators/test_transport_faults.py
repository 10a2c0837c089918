"""Faults of the transport over real sockets: what clients of every temper meet, and what the service did meanwhile."""

import http.client
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pytest
import requests

from snapproof.simulators.faults import FAULTS, SERVER_FAILURE
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Answer, Server, serve

BODY = b"0123456789" * 10
PATIENCE_S = 0.3


class Service:
    """A wire behind a seam that counts its effects."""

    def __init__(self) -> None:
        self.seam = Seam(Journal(lambda: 0.0))
        self.effects = 0

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return self.seam.cross("web", "Get", self._act, refuse=self._refuse)

    def _act(self) -> Answer:
        self.effects += 1
        return 200, {}, BODY

    def _refuse(self, name: str) -> Answer:
        assert name == SERVER_FAILURE
        return 500, {}, b"failed"

    def arm(self, word: str) -> None:
        self.seam.arm_next("web.Get", FAULTS[word])


@contextmanager
def served(*, blocking: bool = False, patience_s: float = PATIENCE_S) -> Iterator[tuple[Service, Server]]:
    service = Service()
    with serve(service, blocking=blocking, patience_s=patience_s) as server:
        yield service, server


def raw(server: Server, request: bytes) -> socket.socket:
    sock = socket.create_connection((server.host, server.port), timeout=10)
    sock.sendall(request)
    return sock


GET = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")


def everything(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize(("word", "error", "effects"), [
    ("lost_before", requests.ConnectionError, 0), ("lost_after", requests.ConnectionError, 1),
    ("hang_before", requests.ReadTimeout, 0), ("hang_after", requests.ReadTimeout, 1),
    ("truncated", requests.exceptions.ChunkedEncodingError, 1),
])  # fmt: skip
@pytest.mark.parametrize("blocking", [False, True])
def test_requests_meets_each_loss_as_its_own_error_and_the_effect_is_as_armed(
    word: str, error: type[Exception], effects: int, *, blocking: bool
) -> None:
    with served(blocking=blocking, patience_s=10) as (service, server):
        service.arm(word)
        with pytest.raises(error):
            requests.get(server.url, timeout=0.2)
        assert service.effects == effects
        assert requests.get(server.url, timeout=10).content == BODY


@pytest.mark.parametrize(("word", "effects"), [("http500_before", 0), ("http500_after", 1)])
def test_a_500_is_an_answer_like_any_other(word: str, effects: int) -> None:
    with served() as (service, server):
        service.arm(word)
        answer = requests.get(server.url, timeout=10)
    assert (answer.status_code, answer.content, service.effects) == (500, b"failed", effects)


def test_a_truncated_answer_promises_more_than_it_brings_and_closes() -> None:
    with served() as (service, server):
        service.arm("truncated")
        with closing(raw(server, GET)) as sock:
            head, _, body = everything(sock).partition(b"\r\n\r\n")
    assert b"content-length: 100" in head
    assert body == BODY[:50]


def test_an_answer_without_a_body_is_cut_in_its_head() -> None:
    with served() as (service, server):
        service.arm("truncated")
        with closing(raw(server, HEAD)) as sock:
            seen = everything(sock)
    assert seen.startswith(b"HTTP/1.1 200")
    assert b"\r\n\r\n" not in seen


def test_a_hanging_connection_is_dropped_when_the_server_has_waited_long_enough() -> None:
    with served() as (service, server):
        service.arm("hang_after")
        started_s = time.monotonic()
        with closing(raw(server, GET + GET)) as sock:
            assert everything(sock) == b""
        assert PATIENCE_S <= time.monotonic() - started_s < 5
        assert service.effects == 1, "the request behind the one that hangs is never asked"


def test_a_client_that_gives_up_leaves_nothing_behind() -> None:
    with served(patience_s=60) as (service, server):
        service.arm("hang_before")
        client = http.client.HTTPConnection(server.host, server.port, timeout=0.1)
        client.request("GET", "/")
        with pytest.raises(TimeoutError):
            client.getresponse()
        client.close()
        deadline_s = time.monotonic() + 5
        while server._service.connections and time.monotonic() < deadline_s:
            requests.get(server.url, timeout=10, headers={"Connection": "close"})
        assert len(server._service.connections) <= 1


def test_a_server_ends_while_an_answer_hangs() -> None:
    with served(patience_s=60) as (service, server):
        service.arm("hang_before")
        with closing(raw(server, GET)) as sock:
            sock.settimeout(0.1)
            with pytest.raises(TimeoutError):
                sock.recv(1)
            server.close()
