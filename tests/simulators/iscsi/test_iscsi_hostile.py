"""Whatever an initiator sends: it is refused or cut off, and nobody else notices."""

import logging
import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NO_TAG = 0xFFFFFFFF
REJECT, PROTOCOL_ERROR, NOT_SUPPORTED = 0x3F, 0x04, 0x05


@pytest.fixture(autouse=True)
def _nothing_fails_inside(caplog: pytest.LogCaptureFixture) -> Any:
    with caplog.at_level(logging.WARNING, "snapproof.simulators.iscsi"):
        yield
    assert caplog.records == []


def answers(bench: Any) -> bool:
    """Say whether the target still serves others."""
    host = bench.login(name="iqn.2026-11.org.example:witness")
    try:
        return bool(host.read(0, 8).content == bytes(4096))
    finally:
        host.close()


@given(octets=st.binary(max_size=200))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_noise_before_the_login_harms_nobody(bench: Any, octets: bytes) -> None:
    noisy = bench.dial()
    noisy.socket.sendall(octets)
    noisy.socket.shutdown(socket.SHUT_WR)
    while not noisy.gone():
        pass
    noisy.close()
    assert answers(bench)


@given(
    opcode=st.integers(0, 0xFF),
    flags=st.integers(0, 0xFF),
    additional=st.integers(0, 3),
    rest=st.binary(min_size=40, max_size=40),
    payload=st.binary(max_size=64),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pdu_of_a_session_harms_nobody_else(
    bench: Any, opcode: int, flags: int, additional: int, rest: bytes, payload: bytes
) -> None:
    host = bench.login()
    cdb_reads_only = rest[:24] + bytes(16) if opcode & 0x3F == 1 else rest
    head = bytes([opcode, flags, 0, 0, additional]) + len(payload).to_bytes(3) + cdb_reads_only
    host.socket.sendall(head + bytes(4 * additional) + payload + bytes(-len(payload) % 4))
    host.socket.shutdown(socket.SHUT_WR)
    while not host.gone():
        pass
    host.close()
    assert answers(bench)


@given(
    cdb=st.binary(min_size=16, max_size=16), flags=st.sampled_from([0x80, 0xA0, 0xC0, 0xE0]),
    announced=st.integers(0, 70000), payload=st.binary(max_size=600),
)  # fmt: skip
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_command_is_answered(bench: Any, cdb: bytes, flags: int, announced: int, payload: bytes) -> None:
    host = bench.login(keys={"ImmediateData": "Yes"})
    payload = payload[:announced]
    rest = announced.to_bytes(4) + host.command_sn.to_bytes(4) + bytes(4) + cdb
    host.send(0x01, flags, tag=1, rest=rest, payload=payload)
    pdu = host.receive()
    while pdu.opcode == 0x31:
        host.data_out(1, pdu.word(20), 0, pdu.word(40), bytes(pdu.word(44)))
        pdu = host.receive()
    while pdu.opcode == 0x25 and not pdu.header[1] & 1:
        pdu = host.receive()
    assert pdu.opcode in {0x21, 0x25}
    assert pdu.word(16) == 1
    host.close()


@pytest.mark.parametrize("cut", [1, 47, 48, 60, 100])
def test_a_pdu_that_ends_early_ends_the_session_only(bench: Any, cut: int) -> None:
    host = bench.login()
    head = bytes([0x01, 0xA0, 0, 0]) + (512).to_bytes(4) + bytes(8) + (1).to_bytes(4) + (512).to_bytes(4)
    whole = head + host.command_sn.to_bytes(4) + bytes(4) + bytes.fromhex("2a000000000000000100").ljust(16, b"\0")
    host.socket.sendall((whole + b"x" * 512)[:cut])
    host.socket.shutdown(socket.SHUT_WR)
    assert host.gone()
    assert answers(bench)
    assert not any(bench.disk.read(0, 512))


def test_a_segment_that_is_too_long_is_rejected_and_ends_the_session(bench: Any) -> None:
    host = bench.login()
    host.socket.sendall(bytes([0x00, 0x80, 0, 0, 0, 0xFF, 0xFF, 0xFF]) + bytes(40))
    rejected = host.receive()
    assert (rejected.opcode, rejected.header[2], len(rejected.payload)) == (REJECT, PROTOCOL_ERROR, 48)
    assert host.gone()
    assert answers(bench)


@pytest.mark.parametrize("opcode", [0x07, 0x10, 0x1C, 0x20, 0x25, 0x3F])
def test_a_pdu_that_is_none_of_ours_is_rejected_and_the_session_goes_on(bench: Any, opcode: int) -> None:
    host = bench.login()
    rejected = host.ask(opcode | 0x40)
    assert (rejected.opcode, rejected.header[2]) == (REJECT, NOT_SUPPORTED)
    assert host.read(0, 1).status == 0


@pytest.mark.parametrize("opcode", [0x01, 0x02, 0x05])
def test_a_discovery_session_has_no_commands(bench: Any, opcode: int) -> None:
    host = bench.dial(target="").login()
    rejected = host.ask(opcode | 0x40)
    assert (rejected.opcode, rejected.header[2]) == (REJECT, PROTOCOL_ERROR)
    assert host.discover() == ["iqn.2026-11.org.example:disk"]


@pytest.mark.parametrize("text", [b"no equals sign\0", b"\xff\xfe=1\0", b"=1\0"])
def test_text_that_is_none_is_rejected(bench: Any, text: bytes) -> None:
    host = bench.login()
    rejected = host.ask(0x44, payload=text, word=NO_TAG)
    assert (rejected.opcode, rejected.header[2]) == (REJECT, PROTOCOL_ERROR)
    assert host.read(0, 1).status == 0


def test_endless_text_is_rejected(bench: Any) -> None:
    host = bench.login()
    replies = [host.ask(0x44, 0x40, payload=b"k=" + b"v" * 60_000, word=NO_TAG).opcode for _ in range(2)]
    assert replies == [0x24, REJECT]


@pytest.mark.parametrize("ahead", [64, 1000, NO_TAG])
def test_commands_from_outside_the_window_are_ignored(bench: Any, ahead: int) -> None:
    host = bench.login()
    due = host.command_sn
    host.command_sn = due + ahead & NO_TAG
    host.start(bytes(6))
    host.command_sn = due
    assert host.read(0, 1).status == 0


def test_commands_that_come_early_wait_for_their_turn(bench: Any) -> None:
    host = bench.login()
    due = host.command_sn
    host.command_sn = due + 1
    late, _ = host.start(bytes.fromhex("28000000000000000100"), room=512)
    host.command_sn = due
    early, _ = host.start(bytes.fromhex("2a000000000000000100"), out=b"x" * 512)
    assert host.finish(early).status == 0
    assert host.finish(late, room=512).content == b"x" * 512


def test_more_immediate_data_than_agreed_ends_the_session(bench: Any) -> None:
    host = bench.login(keys={"ImmediateData": "No"})
    rest = (512).to_bytes(4) + host.command_sn.to_bytes(4) + bytes(4) + bytes.fromhex("2a000000000000000100")
    host.send(0x01, 0xA0, tag=1, rest=rest, payload=b"x" * 512)
    assert host.receive().opcode == REJECT
    assert host.gone()
    assert not any(bench.disk.read(0, 512))
    assert answers(bench)


def test_a_ping_comes_back_and_a_silent_one_does_not(bench: Any) -> None:
    host = bench.login()
    assert host.ask(0x40, payload=b"ping").payload == b"ping"
    host.send(0x40, 0x80, tag=NO_TAG, rest=NO_TAG.to_bytes(4) + host.command_sn.to_bytes(4))
    assert host.read(0, 1).status == 0
