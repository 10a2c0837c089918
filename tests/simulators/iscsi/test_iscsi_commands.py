"""SCSI commands one by one: what they tell, what they refuse, and who holds what against whom."""

from typing import Any

import pytest

from snapproof.simulators.iscsi import scsi, sense
from snapproof.simulators.iscsi.sense import Sense

OTHER = {"name": "iqn.1994-05.com.redhat:host2"}
KEY_A, KEY_B = (0xA).to_bytes(8), (0xB).to_bytes(8)
GOOD, CONFLICT = 0x00, 0x18


def test_every_command_of_the_table_is_told_and_has_a_cdb_of_its_group(bench: Any) -> None:
    host = bench.login()
    told = host.command("a30c0000000000001000000000"[:24], room=4096).content
    assert int.from_bytes(told[:4]) == len(told) - 4
    listed = {
        (told[at], int.from_bytes(told[at + 2 : at + 4]) if told[at + 5] & 1 else None) for at in range(4, len(told), 8)
    }
    assert listed == set(scsi.operations())
    lengths = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}
    for (code, action), operation in scsi.operations().items():
        usage = bytes.fromhex(operation.usage)
        assert (usage[0], len(usage)) == (code, lengths[code >> 5]), hex(code)
        option = 2 if action is not None else 1
        one = bytes([0xA3, 0x0C, option, code]) + (action or 0).to_bytes(2) + (255).to_bytes(4) + bytes(2)
        answer = host.command(one, room=255).content
        assert (answer[1], len(answer) - 4) == (3, len(usage))


@pytest.mark.parametrize("code", [0x01, 0x04, 0x48, 0x83, 0xC0, 0xFF])
def test_other_commands_are_refused(bench: Any, code: int) -> None:
    host = bench.login()
    assert host.command(bytes([code]) + bytes(15)).trouble == (0x5, 0x2000)
    assert host.command(bytes([code]) + bytes(15), out=b"x" * 5000).trouble == (0x5, 0x2000)
    assert host.command("000000000000").status == GOOD


@pytest.mark.parametrize(("cdb", "code"), [
    ("9e1f00000000000000000000002000000", 0x2400), ("5e0400000000000008000000", 0x2400),
    ("12000100ff00", 0x2400), ("12018100ff00", 0x2400), ("1a003f01ff00", 0x2400), ("1a00ff00ff00", 0x3900),
    ("1a000500ff00", 0x2400), ("a00001000000000000ff0000", 0x2400), ("1b0000000200", 0x2400),
    ("2820000000000000010000", 0x2400), ("2f04000000000000010000", 0x2400),
    ("9e12" + "ff" * 8 + "000000ff0000", 0x2100),
    ("4100000000000000000000", 0x2400), ("9310" + "00" * 8 + "000000010000", 0x2400),
])  # fmt: skip
def test_fields_that_mean_nothing_are_refused(bench: Any, cdb: str, code: int) -> None:
    answer = bench.login().command(bytes.fromhex(cdb[:32].ljust(32, "0")), room=255)
    assert answer.trouble == (0x5, code)


def test_a_lun_that_is_not_there_says_so(bench: Any) -> None:
    host = bench.login()
    assert host.command("120000006000", room=96, lun=5).content[0] == 0x7F
    assert host.command("a00000000000000000ff0000", room=255, lun=5).content == bytes([0, 0, 0, 8]) + bytes(12)
    assert host.command("030000001200", room=18, lun=5).content[12:14] == b"\x25\0"
    assert host.command("000000000000", lun=5).trouble == (0x5, 0x2500)
    assert host.command("000000000000", lun=0xC101).trouble == (0x5, 0x2500)


def test_verify_compares_and_tells_the_first_difference(bench: Any) -> None:
    bench.disk.write(0, b"a" * 1024)
    host = bench.login()
    verify = "2f020000000000000200"
    assert host.command(verify, out=b"a" * 1024).status == GOOD
    answer = host.command(verify, out=b"a" * 1000 + b"b" + b"a" * 23)
    assert answer.trouble == (0xE, 0x1D00)
    assert int.from_bytes(answer.sense[3:7]) == 1000
    assert host.command("2f060000000000000200", out=b"a" * 512).status == GOOD
    assert host.command("2f000000000000000200").status == GOOD


def test_compare_and_write_writes_only_where_it_compared_equal(bench: Any) -> None:
    host = bench.login()
    swap = "89" + "00" * 12 + "010000"
    assert host.command(swap, out=bytes(512) + b"n" * 512).status == GOOD
    assert host.command(swap, out=bytes(512) + b"o" * 512).trouble == (0xE, 0x1D00)
    assert host.command(swap, out=b"n" * 512).trouble == (0x5, 0x2400)
    assert bench.disk.read(0, 512) == b"n" * 512


def test_or_write_sets_bits(bench: Any) -> None:
    bench.disk.write(0, b"\x0f" * 512)
    assert bench.login().command("8b" + "00" * 12 + "010000", out=b"\xf0" * 512).status == GOOD
    assert bench.disk.read(0, 512) == b"\xff" * 512


@pytest.mark.parametrize("out", [
    bytes(7), bytes([0, 22, 0, 15]) + bytes(20), bytes([0, 22, 0, 32]) + bytes(20),
    bytes([0, 22, 0, 32, 0, 0, 0, 0]) + bytes(11) + b"\1" + bytes(4) + b"\xff" * 16,
])  # fmt: skip
def test_an_unmap_that_is_wrong_anywhere_unmaps_nothing(bench: Any, out: bytes) -> None:
    bench.disk.write(0, b"x" * 512)
    cdb = b"\x42" + bytes(6) + len(out).to_bytes(2) + bytes(1)
    assert bench.login().command(cdb, out=out).trouble[0] == 0x5
    assert bench.disk.read(0, 512) == b"x" * 512


def test_mode_pages_can_be_read_and_two_bits_changed(bench: Any) -> None:
    host, other = bench.login(), bench.login(**OTHER)
    other.command("000000000000")
    page = host.command("1a080a00ff00", room=255).content
    assert page[4:] == bytes([0x0A, 10]) + bytes(10)
    protect = bytes([0, 0, 0, 0, 0x0A, 10, 0x04, 0, 0x08]) + bytes(7)
    assert host.command("151000001000", out=protect).status == GOOD
    assert other.command("000000000000").sense[:4] == b"\x72\x06\x2a\x01"
    refused = host.write(0, b"x" * 512)
    assert (refused.sense[0], refused.sense[1], refused.sense[2:4]) == (0x72, 0x7, b"\x27\0")
    assert host.command("5a080a0000000000ff00", room=255).content[3] & 0x80
    assert host.command("151000001000", out=bytes([0, 0, 0, 0, 0x0A, 10]) + b"\xff" * 10).status == 2
    assert host.command("151000001000", out=bytes([0, 0, 0, 0, 0x0A, 10]) + bytes(10)).status == GOOD
    assert host.write(0, b"x" * 512).status == GOOD


def test_sense_is_written_in_both_formats() -> None:
    fixed = sense.written(Sense.MISCOMPARE, information=7)
    assert (fixed[0], fixed[2], int.from_bytes(fixed[3:7]), fixed[12:14]) == (0xF0, 0xE, 7, b"\x1d\0")
    assert len(fixed) == 18
    described = sense.written(Sense.MISCOMPARE, information=1 << 40, descriptors=True)
    assert (described[0], described[1], described[2:4], described[7]) == (0x72, 0xE, b"\x1d\0", 12)
    assert int.from_bytes(described[12:20]) == 1 << 40
    assert sense.written(Sense.MISCOMPARE, information=1 << 40)[0] == 0x70


# -- reservations


def order(action: int, kind: int = 0, *, key: bytes = bytes(8), new_key: bytes = bytes(8)) -> tuple[bytes, bytes]:
    """Write PERSISTENT RESERVE OUT and its parameters."""
    return bytes([0x5F, action, kind, 0, 0, 0, 0, 0, 24, 0]), key + new_key + bytes(8)


def reserve_out(host: Any, *parts: Any, **keys: Any) -> int:
    cdb, out = order(*parts, **keys)
    return int(host.command(cdb, out=out).status)


READ, WRITE = "read", "write"
LETS = {
    0x1: ({READ}, {READ}), 0x3: (set(), set()), 0x5: ({READ, WRITE}, {READ}), 0x6: ({READ, WRITE}, set()),
    0x7: ({READ, WRITE}, {READ}), 0x8: ({READ, WRITE}, set()),
}  # fmt: skip


@pytest.mark.parametrize("kind", LETS)
@pytest.mark.parametrize("registered", [True, False])
def test_a_reservation_lets_others_do_what_its_type_says(bench: Any, kind: int, registered: bool) -> None:  # noqa: FBT001  a table
    holder, other = bench.login(), bench.login(**OTHER)
    assert reserve_out(holder, 0, new_key=KEY_A) == GOOD
    if registered:
        assert reserve_out(other, 0, new_key=KEY_B) == GOOD
    assert reserve_out(holder, 1, kind, key=KEY_A) == GOOD
    assert {holder.read(0, 1).status, holder.write(0, b"h" * 512).status} == {GOOD}
    lets = LETS[kind][0 if registered else 1]
    assert other.read(0, 1).status == (GOOD if READ in lets else CONFLICT)
    assert other.write(0, b"o" * 512).status == (GOOD if WRITE in lets else CONFLICT)
    assert bench.disk.read(0, 1) == (b"o" if WRITE in lets else b"h")
    assert other.command("120000006000", room=96).status == GOOD
    assert reserve_out(holder, 2, kind, key=KEY_A) == GOOD
    if registered and kind > 4:
        assert other.command("000000000000").trouble == (0x6, 0x2A04)
    assert other.write(0, b"o" * 512).status == GOOD


def test_keys_are_listed_preempted_and_cleared(bench: Any) -> None:
    first, second = bench.login(), bench.login(**OTHER)
    for host, key in ((first, KEY_A), (second, KEY_B)):
        assert reserve_out(host, 0, new_key=key) == GOOD
        assert reserve_out(host, 0, new_key=key) == CONFLICT
    assert reserve_out(first, 1, 1, key=KEY_A) == GOOD
    assert reserve_out(second, 1, 1, key=KEY_B) == CONFLICT
    keys = first.command("5e000000000000ff00"[:16] + "0000", room=255)
    assert keys.status == GOOD
    listed = first.command(bytes([0x5E, 0, 0, 0, 0, 0, 0, 0, 255, 0]), room=255).content
    assert listed == (2).to_bytes(4) + (16).to_bytes(4) + KEY_A + KEY_B
    assert reserve_out(second, 4, 3, key=KEY_B, new_key=KEY_A) == GOOD
    assert first.command("000000000000").trouble == (0x6, 0x2A05)
    assert first.read(0, 1).status == CONFLICT
    held = second.command(bytes([0x5E, 1, 0, 0, 0, 0, 0, 0, 255, 0]), room=255).content
    assert held == (3).to_bytes(4) + (16).to_bytes(4) + KEY_B + bytes([0, 0, 0, 0, 0, 3, 0, 0])
    assert reserve_out(second, 3, key=KEY_B) == GOOD
    assert first.read(0, 1).status == GOOD
    assert reserve_out(second, 2, 3, key=KEY_B) == CONFLICT


def test_registrations_outlive_sessions_and_old_reservations_do_not(bench: Any) -> None:
    first, second = bench.login(), bench.login(**OTHER)
    assert first.command("160000000000").status == GOOD
    assert second.read(0, 1).status == CONFLICT
    first.ask(0x06)
    assert first.gone()
    assert second.read(0, 1).status == GOOD
    again = bench.login()
    assert reserve_out(again, 0, new_key=KEY_A) == GOOD
    assert reserve_out(again, 1, 3, key=KEY_A) == GOOD
    assert again.command("160000000000").status == CONFLICT
    again.ask(0x06)
    assert again.gone()
    assert second.read(0, 1).status == CONFLICT
    assert bench.login().read(0, 1).status == GOOD


@pytest.mark.parametrize(("function", "code"), [(5, 0x2903), (6, 0x2902), (7, 0x2902)])
def test_a_reset_frees_the_unit_and_tells_the_others(bench: Any, function: int, code: int) -> None:
    first, second = bench.login(), bench.login(**OTHER)
    assert first.command("160000000000").status == GOOD
    assert second.command("000000000000").status == GOOD
    assert second.ask(0x42, 0x80 | function).header[2] == 0
    assert first.command("000000000000").trouble == (0x6, code)
    assert second.read(0, 1).status == GOOD


@pytest.mark.parametrize(
    ("function", "lun", "outcome"), [(1, 0, 1), (2, 0, 0), (3, 0, 5), (5, 9, 2), (8, 0, 5), (99, 0, 5)]
)
def test_task_management_answers_what_it_can_do(bench: Any, function: int, lun: int, outcome: int) -> None:
    assert bench.login().ask(0x42, 0x80 | function, lun=lun, word=77).header[2] == outcome
