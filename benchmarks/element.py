"""What the simulated Element cluster costs, beside its peers in the same run: one table, under a minute, no verdict.

Run `python benchmarks/element.py [--volumes 1000000]`; moto's own server is a peer where `moto[server]` is installed.
Times vary between machines and moments; the ratios are what to compare.
"""

import argparse
import base64
import gc
import json
import os
import random
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")
USERNAME, PASSWORD = "admin", "of-no-use-elsewhere"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
PATH = "/json-rpc/12.3"
SMALL_VOLUMES = 1000
CONNECTIONS = 16
ROUND_S = 1.0
ROUNDS = 3
CALLS = 4000
SIGNED = "AWS4-HMAC-SHA256 Credential=mock/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES


def cpu_us(pid: int) -> float:
    """CPU time of a process so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) * TICK_US


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that sets itself no limits, and its door, behind which calls pass the seam."""

    array: Any
    endpoint: Any

    def ask(self, body: bytes) -> bytes:
        answer: bytes = self.endpoint("POST", PATH, {"authorization": AUTHORIZATION}, body)[2]
        return answer


def cluster(*, forgetful: bool = False) -> Cluster:
    """Make one. A forgetful one journals nothing, so that what is measured is what its records take."""
    from snapproof.simulators.blocks import BlockStore
    from snapproof.simulators.clock import VirtualClock
    from snapproof.simulators.journal import Journal
    from snapproof.simulators.seam import Seam
    from snapproof.simulators.solidfire.array import Array
    from snapproof.simulators.solidfire.limits import LIMITS
    from snapproof.simulators.solidfire.wire import Endpoint

    class Forgetful(Journal):
        """Remembers nothing."""

        def keep(self, side: str, event: str, facts: Mapping[str, Any]) -> Any:
            return None

    clock = VirtualClock()
    journal = (Forgetful if forgetful else Journal)(clock.time)
    limits = dict.fromkeys(("volumeCountMax", "volumesPerAccountCountMax", "snapshotsPerVolumeMax"), 10**9)
    array = Array(
        clock=clock, journal=journal, blocks=BlockStore(), dice=random.Random(1), limits={**LIMITS, **limits},
        size_bytes=1 << 60,
    )  # fmt: skip
    endpoint = Endpoint(array, username=USERNAME, password=PASSWORD, seam=Seam(journal))
    made = Cluster(array, endpoint)
    made.ask(request("AddAccount", username="tenant"))
    return made


def request(method: str, **params: object) -> bytes:
    return json.dumps({"method": method, "params": params, "id": 1}).encode()


def fill(made: Cluster, count: int) -> None:
    """Create volumes as a client would, past HTTP and seam."""
    from snapproof.simulators.solidfire import volumes

    array, size_bytes = made.array, 1 << 30
    for number in range(count):
        order = volumes.Order(
            name=f"volume-{number}", account_id=1, size_bytes=size_bytes, qos=array.default_qos, attributes={},
            fifo_size=24, min_fifo_size=0,
        )  # fmt: skip
        volumes.create(array, order, array.blocks.create(size_bytes))
    array.events.clear()


def freeze_all(made: Cluster) -> None:
    """Take a snapshot of every volume."""
    from snapproof.simulators.solidfire import snapshots

    for volume in made.array.volumes:
        snapshots.take(made.array, volume, snapshots.Order(name=f"snap-{volume.volume_id}", attributes={}))
    made.array.events.clear()


def memory_acts(count: int) -> Iterator[tuple[str, str, str]]:
    made = cluster(forgetful=True)
    fill(made, 1000)
    freeze_all(made)

    def grown_by(act: Callable[[], object]) -> tuple[float, float]:
        gc.collect()
        before, started = resident_bytes(), time.perf_counter()
        act()
        return (resident_bytes() - before) / count, (time.perf_counter() - started) / count * 1e6

    row = made.ask(request("ListVolumes", startVolumeID=1, limit=1))
    kept: list[Any] = []
    peers = min(count, 50_000)
    gc.collect()
    before = resident_bytes()
    kept.extend(json.loads(row)["result"]["volumes"][0] for _ in range(peers))
    as_dict = (resident_bytes() - before) / peers
    kept.clear()
    for thing, act in (("volume", lambda: fill(made, count)), ("snapshot", lambda: freeze_all(made))):
        size, spent_us = grown_by(act)
        yield (
            f"a {thing}, of {count:,}",
            f"{size:.0f} B, made in {spent_us:.1f} µs",
            f"{as_dict / size:.1f}x less than its row as a dict",
        )
    from snapproof.simulators.clock import VirtualClock
    from snapproof.simulators.journal import Journal

    journal = Journal(VirtualClock().time)
    entries = min(count, 200_000)
    gc.collect()
    before = resident_bytes()
    for number in range(entries):
        journal.record("array", "snapshot created", snapshot_id=number, volume_id=number, name=f"snap-{number}")
    yield "a journal entry about it", f"{(resident_bytes() - before) / entries:.0f} B", ""


def spent_us(act: Callable[[int], object], count: int = CALLS) -> float:
    """CPU microseconds of a call: the best of several rounds, since only other work can make it worse."""
    found = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for number in range(count):
            act(number)
        found.append((time.process_time() - started) / count * 1e6)
    return min(found)


def call_acts(count: int) -> Iterator[tuple[str, str, str]]:
    few, many = cluster(), cluster(forgetful=True)
    fill(few, SMALL_VOLUMES)
    fill(many, count)
    gc.collect()
    gc.freeze()
    for method, bodies in (
        ("CreateSnapshot", [request("CreateSnapshot", volumeID=1 + n % SMALL_VOLUMES) for n in range(CALLS)]),
        (
            "ListVolumes, one row",
            [request("ListVolumes", startVolumeID=1 + n % SMALL_VOLUMES, limit=1) for n in range(CALLS)],
        ),
        ("GetVolumeStats", [request("GetVolumeStats", volumeID=1 + n % SMALL_VOLUMES) for n in range(CALLS)]),
        ("GetAPI", [request("GetAPI")] * CALLS),
    ):
        answer = json.loads(few.ask(bodies[0]))
        codec = spent_us(lambda n, bodies=bodies, answer=answer: (json.loads(bodies[n]), json.dumps(answer)))  # type: ignore[misc]  # the defaults bind this method's
        small = spent_us(lambda n, bodies=bodies: few.ask(bodies[n]))  # type: ignore[misc]  # see above
        large = spent_us(lambda n, bodies=bodies: many.ask(bodies[n]))  # type: ignore[misc]  # see above
        yield (
            f"{method}, bytes to bytes past the seam",
            f"{small:.1f} µs",
            f"{small / codec:.2f} of stdlib json's part alone; {large / small:.2f} of it among {count:,} volumes",
        )
    gc.unfreeze()


class Child:
    """A server in a process of its own, and how long it took from its start to its first answer."""

    def __init__(self, kind: str) -> None:
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", kind], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline() or 0)
        self.wires = WIRES[kind](self.port)
        if self.port:
            exchange_all(self.port, self.wires, connections=1, seconds=0)
        self.started_in_s = time.perf_counter() - started

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def http(verb: str, path: str, port: int, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{verb} {path} HTTP/1.1", f"host: 127.0.0.1:{port}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def posts(port: int, bodies: list[bytes]) -> list[bytes]:
    return [http("POST", PATH, port, body, authorization=AUTHORIZATION) for body in bodies]


WIRES: dict[str, Callable[[int], list[bytes]]] = {
    "CreateSnapshot": lambda port: posts(
        port, [request("CreateSnapshot", volumeID=1 + number) for number in range(SMALL_VOLUMES)]
    ),
    "GetAPI": lambda port: posts(port, [request("GetAPI")]),
    "moto": lambda port: [http("GET", "/bucket/key", port, authorization=SIGNED)],
}


NAMES = {"CreateSnapshot": "CreateSnapshot", "GetAPI": "GetAPI", "moto": "moto: GET of 600 bytes"}


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange_all(port: int, wires: list[bytes], *, connections: int, seconds: float) -> int:
    """Send the requests in turn over kept connections, each the next when it was answered; return the answers' number.

    A connection that the server wants closed after its answer is made anew. Answers as long as one that was read
    whole are not read again: what a client costs is not what is measured.
    """
    poll, answers, ends, usual = select.epoll(), 0, time.perf_counter() + seconds, 0
    open_now: dict[int, tuple[socket.socket, bytearray]] = {}

    def send_anew() -> None:
        connection = connected(port)
        open_now[connection.fileno()] = connection, bytearray()
        poll.register(connection, select.EPOLLIN)
        connection.sendall(wires[answers % len(wires)])

    for _ in range(connections):
        send_anew()
    while answers < connections or time.perf_counter() < ends:
        for number, _ in poll.poll(10):
            connection, pending = open_now[number]
            octets = connection.recv(65536)
            if pending or len(octets) != usual or not octets.startswith(b"HTTP/1.1 200"):
                pending += octets
                head = head_if_whole(pending)
                if head is None:
                    continue
                usual = 0 if b"connection: close" in head else len(pending)
                pending.clear()
            answers += 1
            if usual:
                connection.send(wires[answers % len(wires)])
            else:
                poll.unregister(number)
                open_now.pop(number)[0].close()
                send_anew()
    for connection, _ in open_now.values():
        connection.close()
    return answers


def head_if_whole(pending: bytearray) -> bytes | None:
    """The head of an answer of which all has come, in lower case. It must be a good answer."""
    end = pending.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(pending[:end]).lower()
    if not head.startswith(b"http/1.1 200"):
        raise ConnectionError(f"The server answered {head[:40]!r}.")
    length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    return head if len(pending) >= end + 4 + length else None


def server_acts() -> Iterator[tuple[str, str, str]]:
    children = {kind: Child(kind) for kind in WIRES}
    try:
        rates: dict[str, list[tuple[float, float]]] = {kind: [] for kind in WIRES}
        for _ in range(ROUNDS):
            for kind, child in children.items():
                if not child.port:
                    continue
                cpu, started = cpu_us(child.process.pid), time.perf_counter()
                answers = exchange_all(child.port, child.wires, connections=CONNECTIONS, seconds=ROUND_S)
                lasted = time.perf_counter() - started
                rates[kind].append((answers / lasted, (cpu_us(child.process.pid) - cpu) / answers))
    finally:
        for child in children.values():
            child.close()
    peer = middle(rates["moto"]) if rates["moto"] else None
    for kind, found in rates.items():
        if found:
            rate, cost = middle(found)
            beside = (
                f"{rate / peer[0]:.0f}x moto's rate, {peer[1] / cost:.0f}x less CPU"
                if peer
                else "moto[server] is not installed"
            )
            yield f"{NAMES[kind]} over {CONNECTIONS} connections", f"{rate:,.0f}/s, {cost:.0f} µs CPU", beside
    own, moto = children["GetAPI"], children["moto"]
    beside = f"{moto.started_in_s / own.started_in_s:.1f}x sooner than moto's server" if moto.port else ""
    yield "start of a process to its first answer", f"{own.started_in_s:.2f} s", beside


def middle(found: list[tuple[float, float]]) -> tuple[float, float]:
    return sorted(found)[len(found) // 2]


def serve_here(kind: str) -> None:
    """Be the child: serve, print the port, stay until killed. Port 0 says that the peer is not installed."""
    if kind == "moto":
        print(moto_port(), flush=True)
    else:
        from snapproof.simulators.serving import serve, spare_collections

        made = cluster()
        if kind == "CreateSnapshot":
            fill(made, SMALL_VOLUMES)
        spare_collections()
        print(serve(made.endpoint).port, flush=True)
    threading.Event().wait()


def moto_port() -> int:
    try:
        import flask_cors  # noqa: F401  what moto's server needs beside moto
        from moto.server import ThreadedMotoServer
    except ImportError:
        return 0
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port: int = server.get_host_and_port()[1]
    for verb, path, body in (("PUT", "/bucket", b""), ("PUT", "/bucket/key", b"x" * 600)):
        exchange_all(port, [http(verb, path, port, body, authorization=SIGNED)], connections=1, seconds=0)
    return port


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--volumes", type=int, default=200_000, help="how many volumes the large cluster has")
    parser.add_argument("--serve", choices=list(WIRES), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        serve_here(chosen.serve)
        return
    table = Table("act", "cost", "beside its peer", title="Simulated Element cluster")
    for rows in (server_acts(), memory_acts(chosen.volumes), call_acts(chosen.volumes)):
        for row in rows:
            table.add_row(*row)
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
