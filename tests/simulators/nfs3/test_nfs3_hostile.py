"""Whatever arrives on the socket, the server refuses it as RPC says, or hangs up, and serves the next client."""

import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapproof.fixtures.nfs3_client import MOUNT, NFS, PORT_MAPPER, Nfs3Client, RefusedCallError
from snapproof.simulators.listening import CannotServeError
from snapproof.simulators.secondary.nfs import NfsExport
from snapproof.simulators.secondary.nfs3.door import PROCEDURES
from snapproof.simulators.secondary.nfs3.rpc import RECORD_BYTES_MAX
from snapproof.simulators.secondary.nfs3.server import NfsServer, serve_nfs
from snapproof.simulators.secondary.nfs3.xdr import FALSE, TRUE, hyper, opaque, uint

UNAVAILABLE, MISMATCH, NO_PROCEDURE, GARBAGE = 1, 2, 3, 4
QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def still_serving(server: NfsServer) -> Iterator[None]:
    """Another client is served afterwards as if nothing had been."""
    yield
    with Nfs3Client(server.host, server.port) as client:
        assert client.attributes(client.mount()).kind == 2


def refusal(client: Nfs3Client, program: int, version: int, procedure: int, arguments: bytes = b"") -> tuple[int, ...]:
    with pytest.raises(RefusedCallError) as caught:
        client.call(program, version, procedure, arguments)
    return caught.value.words


@pytest.mark.usefixtures("still_serving")
def test_unknown_programs_versions_and_procedures_are_told_apart(client: Nfs3Client) -> None:
    assert refusal(client, 100227, 3, 0) == (0, UNAVAILABLE)
    assert refusal(client, NFS, 4, 1) == (0, MISMATCH, 3, 3)
    assert refusal(client, MOUNT, 1, 0) == (0, MISMATCH, 3, 3)
    assert refusal(client, PORT_MAPPER, 4, 3) == (0, MISMATCH, 2, 2)
    assert refusal(client, NFS, 3, 22) == refusal(client, MOUNT, 3, 6) == refusal(client, PORT_MAPPER, 2, 5)
    assert refusal(client, NFS, 3, 2**32 - 1) == (0, NO_PROCEDURE)


@pytest.mark.usefixtures("still_serving")
@pytest.mark.parametrize("number", PROCEDURES)
def test_arguments_that_end_early_go_on_or_are_huge_are_garbage(
    client: Nfs3Client, export: NfsExport, number: int
) -> None:
    for arguments in (b"", b"\0", uint(2**32 - 1), uint(64) + b"x" * 60, uint(65) + b"x" * 68, b"\xff" * 4000):
        assert refusal(client, NFS, 3, number, arguments) == (0, GARBAGE)
    assert refusal(client, NFS, 3, 1, opaque(client.mount()) + b"more") == (0, GARBAGE)
    assert export.inventory() == ()


@pytest.mark.usefixtures("still_serving")
def test_choices_that_do_not_exist_are_garbage(client: Nfs3Client, root: bytes) -> None:
    name = opaque(root) + opaque(b"x")
    for number, arguments in (
        (2, opaque(root) + uint(2) + FALSE * 6),
        (2, opaque(root) + FALSE * 4 + uint(3) + FALSE + FALSE),
        (7, opaque(root) + hyper(0) + uint(0, 3) + opaque(b"")),
        (8, name + uint(3) + FALSE * 6),
        (8, name + uint(2) + b"short"),
        (9, name + TRUE),
        (7, opaque(root) + hyper(0) + uint(2**20 + 4, 0) + opaque(bytes(2**20 + 4))),
    ):
        assert refusal(client, NFS, 3, number, arguments) == (0, GARBAGE)
    assert refusal(client, MOUNT, 3, 1, opaque(b"/" * 1025)) == (0, GARBAGE)


@pytest.mark.usefixtures("still_serving")
def test_a_read_of_everything_gets_what_the_server_promised(client: Nfs3Client, root: bytes) -> None:
    handle = client.create(root, b"file")
    client.write(handle, 2**21, b"x")
    assert len(client.read(handle, 0, 2**32 - 1)[0]) == 2**20
    assert len(client.page(root, bytes_max=2**32 - 1)[0]) == 3


@pytest.mark.usefixtures("still_serving")
def test_credentials_that_nobody_can_read_are_refused(client: Nfs3Client) -> None:
    def denied(credentials: bytes, rpc: int = 2) -> list[int]:
        client.send(uint(7, 0, rpc, NFS, 3, 0) + credentials)
        reply = client.receive()
        return [reply.uint() for _ in range(len(reply.rest()) // 4)]

    nobody, unix = uint(0, 0), opaque(uint(0) + opaque(b"host") + uint(0, 0, 0))
    assert denied(nobody + nobody) == [7, 1, 0, 0, 0, 0]
    assert denied(uint(1) + unix + nobody) == [7, 1, 0, 0, 0, 0]
    assert denied(nobody + nobody, rpc=3) == [7, 1, 1, 0, 2, 2]
    too_weak, bad = [7, 1, 1, 1, 5], [7, 1, 1, 1, 1]
    assert denied(uint(6) + opaque(b"kerberos") + nobody) == too_weak
    assert denied(uint(1) + opaque(b"junk") + nobody) == bad
    assert denied(uint(1) + opaque(uint(0) + opaque(b"h" * 256) + uint(0, 0, 0)) + nobody) == bad
    assert denied(uint(1) + opaque(uint(0) + opaque(b"h") + uint(0, 0, 17, *range(17))) + nobody) == bad
    assert denied(uint(0, 401) + bytes(404) + nobody) == bad
    assert denied(nobody) == bad


@pytest.mark.usefixtures("still_serving")
@pytest.mark.parametrize(
    "record",
    [
        b"",
        uint(1),
        uint(1, 1, 0, 0, 0, 0),
        uint(1, 7),
        uint(1, 0, 2, NFS),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["nothing", "an id", "a reply", "no message", "half a head", "a browser"],
)
def test_what_is_no_call_is_hung_up_on(client: Nfs3Client, record: bytes) -> None:
    client.send(record)
    assert hung_up(client.socket)


@pytest.mark.usefixtures("still_serving")
@pytest.mark.parametrize(
    "stream",
    [uint(2**31 | RECORD_BYTES_MAX + 1), uint(2**31 - 1), uint(2**32 - 1), uint(0) * 2000],
    ids=["one byte too many", "an endless piece", "an endless last piece", "pieces of nothing"],
)
def test_a_record_without_bounds_is_hung_up_on_before_it_is_kept(client: Nfs3Client, stream: bytes) -> None:
    client.socket.sendall(stream)
    assert hung_up(client.socket)


def hung_up(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.usefixtures("still_serving")
@QUICK
@given(st.integers(0, 22), st.binary(max_size=300))
def test_no_arguments_make_a_procedure_fail(client: Nfs3Client, number: int, arguments: bytes) -> None:
    message = client.message(NFS, 3, number, arguments)
    client.send(message)
    reply = client.receive()
    assert [reply.uint() for _ in range(5)] == [int.from_bytes(message[:4]), 1, 0, 0, 0]
    assert reply.uint() in {0, NO_PROCEDURE, GARBAGE}


@pytest.mark.usefixtures("still_serving")
@QUICK
@given(st.integers(1, 21), st.lists(st.one_of(st.integers(0, 20), st.integers(0, 2**32 - 1)), max_size=24))
def test_no_words_behind_a_true_handle_make_a_procedure_fail(
    client: Nfs3Client, root: bytes, number: int, words: list[int]
) -> None:
    message = client.message(NFS, 3, number, opaque(root) + uint(*words))
    client.send(message)
    reply = client.receive()
    assert [reply.uint() for _ in range(5)] == [int.from_bytes(message[:4]), 1, 0, 0, 0]
    assert reply.uint() in {0, GARBAGE}


@pytest.mark.usefixtures("still_serving")
@QUICK
@given(st.binary(min_size=1, max_size=200))
def test_no_stream_of_bytes_ends_the_server(server: NfsServer, stream: bytes) -> None:
    with socket.create_connection((server.host, server.port)) as raw:
        raw.sendall(stream)


@QUICK
@given(st.integers(1, 9), st.integers(1, 50))
def test_a_call_may_come_in_any_pieces(client: Nfs3Client, piece_bytes: int, fragment_bytes: int) -> None:
    message = client.message(NFS, 3, 0, b"")
    pieces = [message[at : at + fragment_bytes] for at in range(0, len(message), fragment_bytes)]
    stream = b"".join(
        uint((number == len(pieces)) << 31 | len(piece)) + piece for number, piece in enumerate(pieces, 1)
    )
    for at in range(0, len(stream), piece_bytes):
        client.socket.sendall(stream[at : at + piece_bytes])
    client.answered(client.receive(), int.from_bytes(message[:4])).end()


@pytest.mark.usefixtures("still_serving")
def test_a_client_that_takes_no_answers_gets_no_more_of_them(client: Nfs3Client, root: bytes) -> None:
    handle = client.create(root, b"file")
    client.write(handle, 2**20 - 1, b"x")
    message = client.message(NFS, 3, 6, opaque(handle) + hyper(0) + uint(2**20), xid=5)
    for _ in range(200):
        client.send(message)
    for _ in range(200):
        client.answered(client.receive(), 5)


def test_only_this_machine_is_served_unless_it_is_allowed(export: NfsExport) -> None:
    with pytest.raises(CannotServeError, match="can be reached from other machines"):
        serve_nfs(export, host="0.0.0.0")
    with serve_nfs(export, host="::1") as six:
        assert six.url.startswith("nfs://[::1]/export/secondary?")
        with pytest.raises(CannotServeError, match="is taken by another program"):
            serve_nfs(export, host="::1", port=six.port)


def test_a_server_that_is_closed_has_let_go_of_everything(export: NfsExport) -> None:
    with serve_nfs(export) as server, Nfs3Client(server.host, server.port) as client:
        root = client.mount()
        handle = client.create(root, b"file")
        client.write(handle, 0, b"not synced")
        server.close()
        server.close()
        assert hung_up(client.socket)
    export.reboot()
    assert export.read("file") == b"not synced"
