"""Bytes through the wire: whatever was agreed about bursts and segments, a disk holds what a bytearray would hold."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

BLOCK = 512
DISK_BLOCKS = (16 << 20) // BLOCK
WINDOW_BLOCKS = 2048
"""Where examples write, so that they meet one another."""

BURSTS = st.fixed_dictionaries({
    "InitialR2T": st.sampled_from(["Yes", "No"]),
    "ImmediateData": st.sampled_from(["Yes", "No"]),
    "FirstBurstLength": st.sampled_from(["512", "4096", "70000", "262144"]),
    "MaxBurstLength": st.sampled_from(["4096", "65536", "1048576"]),
    "MaxRecvDataSegmentLength": st.sampled_from(["512", "1000", "8192", "262144"]),
})  # fmt: skip

WRITES = {0x0A: 255, 0x2A: 600, 0xAA: 600, 0x8A: 600, 0x2E: 300, 0xAE: 300, 0x8E: 300, 0x9C: 300}
READS = {0x08: 255, 0x28: 600, 0xA8: 600, 0x88: 600}


def cdb_of(code: int, lba: int, blocks: int) -> bytes:
    """Write a CDB by its group."""
    if code == 0x9C:
        return bytes([code, 0]) + lba.to_bytes(8) + bytes(2) + blocks.to_bytes(2) + bytes(2)
    group = code >> 5
    if group == 0:
        return bytes([code]) + lba.to_bytes(3) + bytes([blocks, 0])
    if group == 4:
        return bytes([code, 0]) + lba.to_bytes(8) + blocks.to_bytes(4) + bytes(2)
    if group == 5:
        return bytes([code, 0]) + lba.to_bytes(4) + blocks.to_bytes(4) + bytes(2)
    return bytes([code, 0]) + lba.to_bytes(4) + bytes(1) + blocks.to_bytes(2) + bytes(1)


@st.composite
def accesses(draw: st.DrawFn) -> tuple[str, int, int, int]:
    """Draw what to do: a kind, an operation code, where and how much."""
    kind = draw(st.sampled_from(["read", "write", "unmap", "same"]))
    code = draw(st.sampled_from(sorted({"read": READS, "write": WRITES}.get(kind, {0: 0}))))
    most = {**READS, **WRITES}.get(code, 500)
    blocks = draw(st.integers(1, most))
    return kind, code, draw(st.integers(0, WINDOW_BLOCKS - blocks)), blocks


@given(keys=BURSTS, steps=st.lists(st.tuples(accesses(), st.integers(0, 255)), max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_disk_holds_what_a_bytearray_would_hold(
    bench: Any, keys: dict[str, str], steps: list[tuple[tuple[str, int, int, int], int]]
) -> None:
    bench.disk.discard(0, bench.disk.size_bytes)
    model = bytearray(WINDOW_BLOCKS * BLOCK)
    host = bench.login(keys=keys)
    for (kind, code, lba, blocks), seed in steps:
        at, length = lba * BLOCK, blocks * BLOCK
        if kind == "read":
            answer = host.command(cdb_of(code, lba, blocks), room=length)
            assert answer.content == model[at : at + length]
        elif kind == "write":
            out = (bytes(range(seed, 256)) + bytes([seed, 1])) * (length // 2)
            answer = host.command(cdb_of(code, lba, blocks), out=out[:length])
            model[at : at + length] = out[:length]
        elif kind == "unmap":
            descriptor = lba.to_bytes(8) + blocks.to_bytes(4) + bytes(4)
            answer = host.command("42000000000000001800", out=bytes([0, 22, 0, 16, 0, 0, 0, 0]) + descriptor)
            model[at : at + length] = bytes(length)
        else:
            answer = host.command(cdb_of(0x93, lba, blocks), out=bytes([seed]) * BLOCK)
            model[at : at + length] = bytes([seed]) * length
        assert (answer.status, answer.flags, answer.residual) == (0, 0, 0)
    assert bench.disk.read(0, len(model)) == model
    host.close()


@given(
    runs=st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 40)), max_size=8), lba=st.integers(0, DISK_BLOCKS - 1)
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lba_status_tells_where_blocks_are_mapped(bench: Any, runs: list[tuple[int, int]], lba: int) -> None:
    bench.disk.discard(0, bench.disk.size_bytes)
    for first, count in runs:
        bench.disk.write(first * 4096, b"x" * 4096 * min(count, 4096 - first))
    mapped = {block for at, length in bench.disk.extents() for block in range(at // BLOCK, (at + length) // BLOCK)}
    host = bench.login()
    position = lba
    while position < DISK_BLOCKS:
        answer = host.command(b"\x9e\x12" + position.to_bytes(8) + (8 + 16 * 3).to_bytes(4), room=56)
        assert len(answer.content) == 4 + int.from_bytes(answer.content[:4])
        for at in range(8, len(answer.content), 16):
            first, blocks = (int.from_bytes(answer.content[a:b]) for a, b in ((at, at + 8), (at + 8, at + 12)))
            assert first == position
            assert blocks > 0
            told = answer.content[at + 12] == 0
            assert all((block in mapped) == told for block in range(first, first + blocks))
            position += blocks
    assert position == DISK_BLOCKS
    host.close()


@pytest.mark.parametrize(("announced", "blocks", "flags", "residual", "written"), [
    (1024, 1, 0x02, 512, 512), (512, 2, 0x04, 512, 512), (1000, 2, 0x04, 24, 512), (512, 1, 0, 0, 512),
])  # fmt: skip
def test_a_write_that_is_not_as_long_as_announced_has_a_residual(
    bench: Any, announced: int, blocks: int, flags: int, residual: int, written: int
) -> None:
    bench.disk.write(0, b"o" * 2048)
    answer = bench.login().command(cdb_of(0x2A, 0, blocks), out=b"n" * announced)
    assert (answer.status, answer.flags, answer.residual) == (0, flags, residual)
    assert bench.disk.read(0, 2048) == b"n" * written + b"o" * (2048 - written)


@pytest.mark.parametrize(("room", "flags", "residual"), [(1024, 0x02, 512), (100, 0x04, 412), (512, 0, 0)])
def test_a_read_that_is_not_as_long_as_announced_has_a_residual(
    bench: Any, room: int, flags: int, residual: int
) -> None:
    bench.disk.write(0, b"x" * 512)
    answer = bench.login().command(cdb_of(0x28, 0, 1), room=room)
    assert (answer.status, answer.flags, answer.residual) == (0, flags, residual)
    assert answer.content == b"x" * min(room, 512)


@pytest.mark.parametrize("code", [0x08, 0x0A, 0x28, 0x2A, 0xA8, 0xAA, 0x88, 0x8A, 0x2E, 0x8B, 0x9C, 0x93])
def test_nothing_beyond_the_end_is_touched(bench: Any, code: int) -> None:
    reads = code in READS
    out = b"" if reads else b"x" * (BLOCK if code == 0x93 else 2 * BLOCK)
    answer = bench.login().command(cdb_of(code, DISK_BLOCKS - 1, 2), out=out, room=2 * BLOCK if reads else 0)
    assert answer.trouble == (0x5, 0x2100)
    assert not any(bench.disk.read(bench.disk.size_bytes - BLOCK, BLOCK))


def test_commands_that_wait_for_data_do_not_hold_up_others(bench: Any) -> None:
    host = bench.login(keys={"InitialR2T": "Yes", "ImmediateData": "No"})
    tag, _ = host.start(cdb_of(0x2A, 0, 4), out=b"w" * 2048)
    asked = host.receive()
    assert (asked.opcode, asked.word(40), asked.word(44)) == (0x31, 0, 2048)
    assert host.read(0, 4).content == bytes(2048)
    host.data_out(tag, asked.word(20), 0, 0, b"w" * 2048)
    assert host.finish(tag).status == 0
    assert host.read(0, 4).content == b"w" * 2048


def test_an_aborted_write_is_never_written(bench: Any) -> None:
    host = bench.login(keys={"InitialR2T": "Yes", "ImmediateData": "No"})
    tag, _ = host.start(cdb_of(0x2A, 0, 4), out=b"w" * 2048)
    asked = host.receive()
    assert host.ask(0x42, 0x81, word=tag).header[2] == 0
    host.data_out(tag, asked.word(20), 0, 0, b"w" * 2048)
    assert host.ask(0x42, 0x81, word=tag).header[2] == 1
    assert not any(bench.disk.read(0, 2048))


@pytest.mark.parametrize(("number", "offset", "tag_change"), [(1, 0, 0), (0, 512, 0), (0, 0, 1)])
def test_a_write_whose_data_comes_out_of_order_fails_alone(
    bench: Any, number: int, offset: int, tag_change: int
) -> None:
    host = bench.login(keys={"InitialR2T": "Yes", "ImmediateData": "No"})
    tag, _ = host.start(cdb_of(0x2A, 0, 4), out=b"w" * 2048)
    asked = host.receive()
    host.data_out(tag, asked.word(20) + tag_change, number, offset, b"w" * 1024, flags=0)
    assert host.finish(tag).trouble == (0xB, 0x4B00)
    host.data_out(tag, asked.word(20), 1, 1024, b"w" * 1024)
    assert host.write(0, b"n" * 512).status == 0
    assert bench.disk.read(0, 1024) == b"n" * 512 + bytes(512)
