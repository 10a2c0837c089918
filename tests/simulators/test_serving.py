"""The HTTP(S) skin: what clients of every temper meet. Raw sockets where a well-behaved client could not say it."""

import contextlib
import errno
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from snapproof.simulators.certificates import certificate
from snapproof.simulators.faults import AnswerLostError, CrashedError
from snapproof.simulators.http1 import Bounds, Refusal, Request, RequestReader, written
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.serving import LINGER_S, Answer, Server, Wire, serve

SMALL = Bounds(head_bytes_max=1024, body_bytes_max=4096)


def echo(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
    return 200, {"x-method": method, "x-target": target, "x-seen": headers.get("x-seen", "")}, body


def by_target(answer: Callable[[str], Answer]) -> Wire:
    return lambda *exchange: answer(exchange[1])


@contextlib.contextmanager
def dialled(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        yield sock


def plain_client(server: Server) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(server.host, server.port, timeout=10)


def everything(sock: socket.socket) -> bytes:
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def get(target: str, *extra: str) -> bytes:
    return "\r\n".join([f"GET {target} HTTP/1.1", "Host: here", *extra, "", ""]).encode()


LAST = "Connection: close"


def test_one_connection_carries_many_exchanges() -> None:
    with serve(echo) as server, contextlib.closing(plain_client(server)) as client:
        for number in range(20):
            client.request("POST", f"/{number}", body=b"x" * number, headers={"X-Seen": "yes"})
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b"x" * number)
            assert answer.headers["x-target"] == f"/{number}"
            assert answer.headers["x-seen"] == "yes"
            assert client.sock is not None


@pytest.mark.parametrize("blocking", [False, True])
def test_pipelined_requests_are_answered_in_order(*, blocking: bool) -> None:
    first_may_end = threading.Event()

    def slow_first(target: str) -> Answer:
        if blocking and target == "/0":
            assert first_may_end.wait(5)
        first_may_end.set()
        return 200, {}, target.encode()

    with serve(by_target(slow_first), blocking=blocking) as server, dialled(server) as sock:
        sock.sendall(b"".join(get(f"/{number}") for number in range(50)) + get("/last", LAST))
        threading.Timer(0.05, first_may_end.set).start()
        text = everything(sock).decode()
    bodies = [part.rpartition("\r\n\r\n")[2] for part in text.split("HTTP/1.1 200 OK")[1:]]
    assert bodies == [f"/{number}" for number in range(50)] + ["/last"]


def test_a_blocking_wire_serves_connections_side_by_side() -> None:
    meeting = threading.Barrier(4, timeout=5)

    def meet(_: str) -> Answer:
        meeting.wait()
        return 204, {}, b""

    def ask(url: str, statuses: list[int]) -> None:
        statuses.append(requests.get(url, timeout=10).status_code)

    statuses: list[int] = []
    with serve(by_target(meet), blocking=True) as server:
        threads = [threading.Thread(target=ask, args=(server.url, statuses)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert statuses == [204] * 4


def test_tls_verifies_against_the_authority(tmp_path: Path) -> None:
    issued = certificate()
    (tmp_path / "authority.pem").write_bytes(issued.authority_pem)
    with serve(echo, tls=issued.context) as server, requests.Session() as session:
        for host in ("127.0.0.1", "localhost"):
            answer = session.post(
                f"https://{host}:{server.port}/path?q=1", data=b"body" * 30_000, verify=str(tmp_path / "authority.pem")
            )
            assert (answer.status_code, answer.content) == (200, b"body" * 30_000)
            assert answer.headers["x-target"] == "/path?q=1"


def test_a_client_that_trusts_somebody_else_is_not_served() -> None:
    with serve(echo, tls=certificate().context) as server, dialled(server) as sock:
        context = ssl.create_default_context(cadata=certificate().authority_pem.decode())
        with pytest.raises(ssl.SSLCertVerificationError):
            context.wrap_socket(sock, server_hostname="localhost")


def test_a_tls_server_ends_while_a_client_hesitates_to_greet() -> None:
    with serve(echo, tls=certificate().context) as server, dialled(server) as sock:
        with pytest.raises(OSError, match=r"aborted|reset"):
            requests.get(f"http://{server.host}:{server.port}", timeout=10)
        server.close()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""


def test_a_chunked_body_arrives_whole() -> None:
    with serve(echo) as server:
        answer = requests.put(server.url, data=iter([b"one", b"two" * 1000, b"three"]), timeout=10)
    assert answer.content == b"one" + b"two" * 1000 + b"three"


def test_continue_is_said_before_the_body_and_not_after_a_refusal() -> None:
    head = "PUT / HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n"
    with serve(echo, bounds=SMALL) as server:
        with dialled(server) as sock:
            sock.sendall(head.format(4).encode())
            assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
            sock.sendall(b"body")
            assert sock.recv(1000).endswith(b"\r\n\r\nbody")
        with dialled(server) as sock:
            sock.sendall(head.format(5000).encode())
            assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_head_tells_the_length_and_sends_no_body() -> None:
    def known(target: str) -> Answer:
        return (200, {"Content-Length": "77"}, b"") if target == "/own" else (200, {}, b"four")

    with serve(by_target(known)) as server, contextlib.closing(plain_client(server)) as client:
        for target, length in (("/own", "77"), ("/", "4"), ("/own", "77")):
            client.request("HEAD", target)
            answer = client.getresponse()
            assert (answer.headers["content-length"], answer.read()) == (length, b"")


def test_an_answer_that_is_lost_resets_the_connection() -> None:
    def lost(_: str) -> Answer:
        raise AnswerLostError("The connection died at array.CreateSnapshot#1.")

    for tls in (None, certificate()):
        with serve(by_target(lost), tls=tls.context if tls else None) as server, dialled(server) as bare:
            sock = bare
            if tls:
                context = ssl.create_default_context(cadata=tls.authority_pem.decode())
                sock = context.wrap_socket(bare, server_hostname="localhost", suppress_ragged_eofs=False)
            sock.sendall(get("/"))
            with pytest.raises(OSError, match=r"reset|EOF"):
                sock.recv(100)
            sock.close()


def test_a_crash_is_told_before_the_connection_dies() -> None:
    told: list[CrashedError] = []

    def crash(_: str) -> Answer:
        raise CrashedError("The caller was killed at array.CreateSnapshot#1 (crash_after).")

    for blocking in (False, True):
        with serve(by_target(crash), on_crash=told.append, blocking=blocking) as server, dialled(server) as sock:
            sock.sendall(get("/"))
            with pytest.raises(ConnectionResetError):
                sock.recv(100)
            assert "array.CreateSnapshot#1" in str(told.pop())


def test_a_wire_that_fails_is_a_500_and_a_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: str) -> Answer:
        raise KeyError("volumeID")

    with serve(by_target(broken)) as server, caplog.at_level(logging.ERROR):
        answer = requests.get(server.url + "/rpc?token=hidden", timeout=10)
    assert answer.status_code == 500
    assert "volumeID" not in answer.text
    assert "KeyError: 'volumeID'" in caplog.text
    assert "hidden" not in caplog.text


def test_what_is_too_long_is_refused_and_the_client_reads_why() -> None:
    with serve(echo, bounds=SMALL) as server:
        assert requests.post(server.url, data=b"x" * 4096, timeout=10).status_code == 200
        assert requests.post(server.url, data=b"x" * 4097, timeout=10).status_code == 413
        assert requests.post(server.url, data=iter([b"x" * 4000] * 2), timeout=10).status_code == 413
        assert requests.get(server.url, headers={"X-Long": "x" * 2000}, timeout=10).status_code == 431
        assert requests.get(server.url + "/" + "x" * 2000, timeout=10).status_code == 431
        with dialled(server) as sock:  # a head that never ends
            for _ in range(20):
                with contextlib.suppress(ConnectionError):
                    sock.sendall(b"GET /" + b"x" * 100)
            assert sock.recv(1000).startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))


MALFORMED = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS to a plain port
    b"GARBAGE\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",  # names no Host
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",  # smuggling
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
]


@pytest.mark.parametrize("octets", MALFORMED)
def test_a_malformed_request_is_answered_400_after_those_before_it(octets: bytes) -> None:
    with serve(echo) as server, dialled(server) as sock:
        sock.sendall(get("/good") + octets)
        text = everything(sock)
    assert text.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 400 Bad Request" in text
    assert text.count(b"\r\nconnection: ") == 2


def test_a_request_to_upgrade_is_answered_as_if_it_had_not_asked() -> None:
    upgrade = get("/first", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAAA")
    with serve(echo) as server, dialled(server) as sock:
        sock.sendall(upgrade + get("/second", LAST))
        text = everything(sock)
    assert [b"x-target: /first" in text, b"x-target: /second" in text] == [True, True]


def test_a_tunnel_is_refused() -> None:
    with serve(echo) as server, dialled(server) as sock:
        sock.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert everything(sock).startswith(b"HTTP/1.1 501 ")


def test_a_client_that_stops_sending_still_gets_its_answers() -> None:
    def slow(target: str) -> Answer:
        time.sleep(0.05)  # noqa: TID251  the client must be first to finish
        return 200, {}, target.encode()

    with serve(by_target(slow), blocking=True) as server, dialled(server) as sock:
        sock.sendall(get("/one") + get("/two"))
        sock.shutdown(socket.SHUT_WR)
        text = everything(sock)
    assert text.count(b"HTTP/1.1 200 OK") == 2
    assert text.endswith(b"/two")


def test_a_client_that_reads_nothing_does_not_fill_the_memory() -> None:
    asked = threading.Semaphore(0)

    def large(_: str) -> Answer:
        asked.release()
        return 200, {}, bytes(2**20)

    with serve(by_target(large)) as server, dialled(server) as sock:
        sock.settimeout(1)
        with contextlib.suppress(TimeoutError):
            sock.sendall(get("/") * 20_000)
        answered = 0
        while asked.acquire(timeout=0.2 if answered else 10):  # a busy machine may take its time to begin
            answered += 1
    assert 0 < answered < 100


def test_http_1_0_closes_after_the_answer() -> None:
    with serve(echo) as server, dialled(server) as sock:
        started = time.monotonic()
        sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"connection: close" in everything(sock)
        assert time.monotonic() - started < LINGER_S


def test_closing_ends_every_thread_and_every_connection() -> None:
    before = set(threading.enumerate())
    server = serve(echo, blocking=True)
    with dialled(server) as sock, dialled(server):
        sock.sendall(get("/"))
        sock.recv(1000)
        server.close()
        server.close()
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
    assert set(threading.enumerate()) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.host, server.port), timeout=1)


def test_closing_lets_a_request_under_way_finish() -> None:
    under_way, finished = threading.Event(), threading.Event()

    def slow(_: str) -> Answer:
        under_way.set()
        time.sleep(0.1)  # noqa: TID251  the server must be closed meanwhile
        finished.set()
        return 200, {}, b""

    with serve(by_target(slow), blocking=True) as server, dialled(server) as sock:
        sock.sendall(get("/") + get("/never"))
        assert under_way.wait(5)
        under_way.clear()
        server.close()
        assert finished.is_set()
        assert not under_way.is_set()


def test_ipv6_has_a_loopback_as_well() -> None:
    with serve(echo, host="::1") as server:
        assert server.url == f"http://[::1]:{server.port}"
        assert requests.get(server.url, timeout=10).status_code == 200


def test_an_address_that_cannot_be_served_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(echo) as server, pytest.raises(CannotServeError, match=rf"127.0.0.1:{server.port} is taken .* or 0"):
        serve(echo, port=server.port)
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(CannotServeError, match="can be reached from other machines"):
            serve(echo, host=host)
    with pytest.raises(CannotServeError, match="is no address of this machine"):
        serve(echo, host="192.0.2.1", allow_remote=True)
    with pytest.raises(CannotServeError, match=r"no-such-host.invalid:0 names no address"):
        serve(echo, host="no-such-host.invalid")
    with pytest.raises(CannotServeError, match="99999"):
        serve(echo, port=99999)

    def forbid(*_: object, **__: object) -> socket.socket:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", forbid)  # the tests may run as root, for whom no port is privileged
    with pytest.raises(CannotServeError, match=r"127.0.0.1:443 may only be served by root .* above 1023"):
        serve(echo, port=443)


methods = st.sampled_from(["GET", "PUT", "POST", "DELETE", "OPTIONS"])
targets = st.text("abc/?=&%2", min_size=0, max_size=20).map(lambda tail: "/" + tail)
exchanges = st.lists(st.tuples(methods, targets, st.binary(max_size=300), st.booleans()), min_size=1, max_size=6)


def octets_of(method: str, target: str, body: bytes, *, chunked: bool) -> bytes:
    if not chunked:
        return f"{method} {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    head = f"{method} {target} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    pieces = [body[start : start + 7] for start in range(0, len(body), 7)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@settings(deadline=None)
@given(exchanges, st.lists(st.integers(1, 40), min_size=1, max_size=20))
def test_requests_read_the_same_however_the_network_cuts_them(
    sent: list[tuple[str, str, bytes, bool]], cuts: list[int]
) -> None:
    octets = b"".join(octets_of(method, target, body, chunked=chunked) for method, target, body, chunked in sent)
    reader, seen, start = RequestReader(Bounds()), list[Request | Refusal](), 0
    for turn in range(len(octets)):
        size = cuts[turn % len(cuts)]
        seen += reader.feed(octets[start : start + size])
        start += size
    assert [(r.method, r.target, r.body) for r in seen if isinstance(r, Request)] == [
        (method, target, body) for method, target, body, _ in sent
    ]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=10))
def test_no_octets_break_the_reader(pieces: list[bytes]) -> None:
    reader = RequestReader(SMALL)
    seen = [item for piece in pieces for item in reader.feed(piece)]
    assert all(isinstance(item, Request) for item in seen[:-1])


def test_a_header_cannot_be_forged_by_a_line_break() -> None:
    with pytest.raises(ValueError, match="line break"):
        written(200, {"x-name": "a\r\nset-cookie: b"}, b"")
