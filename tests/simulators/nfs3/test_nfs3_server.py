"""How clients find the export, what the server says of itself, and that it serves several of them at once."""

import threading

from snapproof.fixtures.nfs3_client import MOUNT, NFS, PORT_MAPPER, Nfs3Client
from snapproof.simulators.secondary.nfs3.server import NfsServer
from snapproof.simulators.secondary.nfs3.xdr import opaque, uint


def test_the_server_says_what_it_can(client: Nfs3Client, root: bytes) -> None:
    reply = client.nfs(19, opaque(root))
    reply.fixed(88)
    assert [reply.uint() for _ in range(7)] == [2**20, 2**20, 4096, 2**20, 2**20, 4096, 2**16]
    assert (reply.hyper(), reply.uint(), reply.uint(), reply.uint()) == (2**63 - 1, 0, 1, 27)
    reply.end()
    reply = client.nfs(20, opaque(root))
    reply.fixed(88)
    assert [reply.uint() for _ in range(6)] == [32_000, 255, 1, 1, 0, 1]
    reply.end()


def test_a_client_finds_its_way_to_the_export(client: Nfs3Client, server: NfsServer) -> None:
    for program, version in ((NFS, 3), (MOUNT, 3), (PORT_MAPPER, 2)):
        client.call(program, version, 0).end()
    assert client.call(PORT_MAPPER, 2, 3, uint(NFS, 3, 6, 0)).uint() == server.port
    assert client.call(PORT_MAPPER, 2, 3, uint(MOUNT, 3, 6, 0)).uint() == server.port
    assert [client.call(PORT_MAPPER, 2, 3, uint(*asked, 0)).uint() for asked in ((NFS, 4, 6), (NFS, 3, 17))] == [0, 0]
    dumped = client.call(PORT_MAPPER, 2, 4)
    assert [dumped.uint() for _ in range(11)] == [1, NFS, 3, 6, server.port, 1, MOUNT, 3, 6, server.port, 0]
    exports = client.call(MOUNT, 3, 5)
    assert (exports.boolean(), bytes(exports.opaque(99)), exports.uint(), exports.uint()) == (
        True, b"/export/secondary", 0, 0,
    )  # fmt: skip
    client.call(MOUNT, 3, 3, opaque(b"/export/secondary")).end()
    client.call(MOUNT, 3, 4).end()
    assert client.call(MOUNT, 3, 2).uint() == 0
    assert server.url.startswith(f"nfs://127.0.0.1/export/secondary?version=3&nfsport={server.port}&mountport=")


def test_several_clients_write_one_file_at_once(server: NfsServer, client: Nfs3Client, root: bytes) -> None:
    handle, block = client.create(root, b"file"), 64 * 1024

    def write_own(number: int) -> None:
        with Nfs3Client(server.host, server.port) as own:
            for turn in range(8):
                own.write(handle, (turn * 4 + number) * block, bytes([number + 1]) * block)
            own.commit(handle)

    writers = [threading.Thread(target=write_own, args=(number,)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    whole = b"".join(client.read(handle, at, 2**20)[0] for at in range(0, 32 * block, 2**20))
    assert whole == b"".join(bytes([number + 1]) * block for number in range(4)) * 8
