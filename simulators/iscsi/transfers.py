"""Commands that move blocks: read, write, verify, compare, and what makes sure that they are there."""

from collections.abc import Callable
from dataclasses import replace

from snapproof.simulators.iscsi.sense import Sense, SenseError
from snapproof.simulators.iscsi.units import (
    DONE,
    TRANSFER_BYTES_MAX,
    Access,
    Command,
    Operation,
    Operations,
    Reply,
    Unit,
    refuse_unless,
)

COMPARE_BLOCKS_MAX = 255
_BYTE_CHECK = 0x06


def span(cdb: bytes) -> tuple[int, int]:
    """Read address and number of blocks out of a CDB of any group."""
    group = cdb[0] >> 5
    if group == 0:
        return int.from_bytes(cdb[1:4]) & 0x1FFFFF, cdb[4] or 256
    if group in {1, 2}:
        return int.from_bytes(cdb[2:6]), int.from_bytes(cdb[7:9])
    if group == 4:
        return int.from_bytes(cdb[2:10]), int.from_bytes(cdb[10:14])
    return int.from_bytes(cdb[2:6]), int.from_bytes(cdb[6:10])


def checked_range(unit: Unit, lba: int, blocks: int) -> tuple[int, int]:
    """Turn blocks into bytes. Raises SenseError for what lies beyond the end."""
    refuse_unless(lba + blocks <= unit.blocks, Sense.LBA_OUT_OF_RANGE)
    return lba * unit.block_bytes, blocks * unit.block_bytes


def checked_span(command: Command, *, protect: bool = True) -> tuple[int, int]:
    """Read which bytes a command is about. Raises SenseError for what is too much or beyond the end."""
    if protect and command.cdb[0] >> 5:
        refuse_unless(not command.cdb[1] & 0xE0)  # we keep no protection information
    offset, length = checked_range(command.unit, *span(command.cdb))
    refuse_unless(length <= TRANSFER_BYTES_MAX)
    return offset, length


def all_blocks(cdb: bytes, block_bytes: int) -> int:
    """Say that a command sends every block that it is about."""
    return span(cdb)[1] * block_bytes


def read(command: Command) -> Reply:
    """Give blocks."""
    offset, length = checked_span(command)
    return Reply(command.unit.lun.disk.read(offset, length)) if length else DONE


def write(command: Command) -> Reply:
    """Take blocks; of a transfer that is shorter than the CDB says, those that came whole."""
    offset, length = checked_span(command)
    came = min(length, len(command.out) // command.unit.block_bytes * command.unit.block_bytes)
    if came:
        command.unit.lun.disk.write(offset, command.out[:came])
    return DONE


def write_and_verify(command: Command) -> Reply:
    """Write; what was written is there by nature."""
    refuse_unless(command.cdb[1] & _BYTE_CHECK in {0, 0x02})
    return write(command)


def _atomic(command: Command) -> Command:
    """Rewrite the CDB as that of WRITE(16)."""
    lba, boundary, blocks = command.number(2, 8), command.number(10, 2), command.number(12, 2)
    checked_range(command.unit, lba, blocks)
    refuse_unless(not boundary)
    return replace(command, cdb=command.cdb[:10] + blocks.to_bytes(4) + command.cdb[14:])


def write_atomic(command: Command) -> Reply:
    """Write all or nothing, as every write is here."""
    return write(_atomic(command))


def verify(command: Command) -> Reply:
    """Compare blocks with what was sent: with nothing, block by block, or each with one and the same."""
    offset, length = checked_span(command)
    mode = command.cdb[1] & _BYTE_CHECK
    refuse_unless(mode != 0x04)
    if not mode or not length:
        return DONE
    expected = command.out if mode == 0x02 else bytes(command.out) * (length // command.unit.block_bytes)
    _compare(command.unit.lun.disk.read(offset, len(expected)), expected)
    return DONE


def _compare(held: bytes, expected: bytes | memoryview) -> None:
    if held != expected:
        unlike = int.from_bytes(held) ^ int.from_bytes(expected)
        raise SenseError(Sense.MISCOMPARE, information=len(held) - -(-unlike.bit_length() // 8))


def _verified_blocks(cdb: bytes, block_bytes: int) -> int:
    mode = cdb[1] & _BYTE_CHECK
    if mode == 0x06:
        return block_bytes if span(cdb)[1] else 0
    return all_blocks(cdb, block_bytes) if mode == 0x02 else 0


def compare_and_write(command: Command) -> Reply:
    """Write the second half of what was sent if the first is what is there, at one stroke."""
    refuse_unless(not command.cdb[1] & 0xE0)
    lba, blocks = command.number(2, 8), command.cdb[13]
    offset, length = checked_range(command.unit, lba, blocks)
    refuse_unless(command.sent == 2 * length)
    if length:
        _compare(command.unit.lun.disk.read(offset, length), command.out[:length])
        command.unit.lun.disk.write(offset, command.out[length:])
    return DONE


def or_write(command: Command) -> Reply:
    """Set bits."""
    offset, length = checked_span(command)
    refuse_unless(command.sent == length)
    if length:
        held = int.from_bytes(command.unit.lun.disk.read(offset, length))
        command.unit.lun.disk.write(offset, (held | int.from_bytes(command.out)).to_bytes(length))
    return DONE


def look_only(command: Command) -> Reply:
    """Check the range: whatever was written is safe, and near enough."""
    checked_range(command.unit, *span(command.cdb))
    return DONE


def _moving(
    perform: Callable[[Command], Reply], access: Access, sends: Callable[[bytes, int], int], usages: dict[int, str]
) -> Operations:
    return {
        (code, None): Operation(perform=perform, usage=usage, access=access, sends=sends)
        for code, usage in usages.items()
    }


def _none(_cdb: bytes, _block_bytes: int) -> int:
    return 0


OPERATIONS: Operations = {
    **_moving(read, Access.READS, _none, {
        0x08: "081fffffff00", 0x28: "28f8ffffffff1fffff00", 0xA8: "a8f8ffffffffffffffff1f00",
        0x88: "88f8ffffffffffffffffffffffff1f00",
    }),
    **_moving(write, Access.WRITES, all_blocks, {
        0x0A: "0a1fffffff00", 0x2A: "2af8ffffffff1fffff00", 0xAA: "aaf8ffffffffffffffff1f00",
        0x8A: "8af8ffffffffffffffffffffffff1f00",
    }),
    **_moving(write_and_verify, Access.WRITES, all_blocks, {
        0x2E: "2ef6ffffffff1fffff00", 0xAE: "aef6ffffffffffffffff1f00", 0x8E: "8ef6ffffffffffffffffffffffff1f00",
    }),
    **_moving(write_atomic, Access.WRITES, lambda cdb, size: int.from_bytes(cdb[12:14]) * size, {
        0x9C: "9cf8ffffffffffffffffffffffff1f00",
    }),
    **_moving(verify, Access.READS, _verified_blocks, {
        0x2F: "2ff6ffffffff1fffff00", 0xAF: "aff6ffffffffffffffff1f00", 0x8F: "8ff6ffffffffffffffffffffffff1f00",
    }),
    **_moving(compare_and_write, Access.WRITES, lambda cdb, size: 2 * cdb[13] * size, {
        0x89: "89f8ffffffffffffffff000000ff1f00",
    }),
    **_moving(or_write, Access.WRITES, all_blocks, {0x8B: "8bf8ffffffffffffffffffffffff1f00"}),
    **_moving(look_only, Access.READS, _none, {
        0x34: "3402ffffffff1fffff00", 0x90: "9002ffffffffffffffffffffffff1f00",
        0x35: "3502ffffffff1fffff00", 0x91: "9102ffffffffffffffffffffffff1f00",
    }),
}  # fmt: skip
