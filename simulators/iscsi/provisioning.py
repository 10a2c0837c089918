"""Commands about space: what is mapped, giving blocks back, and writing one block over many."""

from itertools import islice

from snapproof.simulators.iscsi.sense import Sense
from snapproof.simulators.iscsi.transfers import checked_range, span
from snapproof.simulators.iscsi.units import (
    DONE,
    TRANSFER_BYTES_MAX,
    Access,
    Command,
    Operation,
    Operations,
    Reply,
    Unit,
    list_length,
    refuse_unless,
)

UNMAP_DESCRIPTORS_MAX = 256
SAME_BYTES_MAX = TRANSFER_BYTES_MAX
"""The most that one WRITE SAME covers, as VPD page B0 tells."""
_SAME_STEP_BYTES = 1 << 20
_LOOK_BYTES = 256 << 20
"""How much of the disk is looked at for GET LBA STATUS at first, more where nothing is mapped."""
_STATUS_DESCRIPTORS_MAX = 128
_MAPPED, _DEALLOCATED = 0, 1


def capacity_10(command: Command) -> Reply:
    """Tell the last address, as far as 32 bits can."""
    last = min(command.unit.blocks - 1, 0xFFFFFFFF)
    return Reply(last.to_bytes(4) + command.unit.block_bytes.to_bytes(4))


def capacity_16(command: Command) -> Reply:
    """Tell the last address, how blocks lie on the medium, and that unmapped ones read as zeros."""
    unit = command.unit
    exponent = (unit.lun.physical_block_bytes // unit.block_bytes).bit_length() - 1
    content = (unit.blocks - 1).to_bytes(8) + unit.block_bytes.to_bytes(4) + bytes([0, exponent, 0xC0, 0])
    return Reply((content + bytes(16))[: command.number(10, 4)])


def lba_status(command: Command) -> Reply:
    """Tell which ranges are mapped, from an address on; as many as there is room for, and not always up to the end."""
    unit, lba = command.unit, command.number(2, 8)
    refuse_unless(lba < unit.blocks, Sense.LBA_OUT_OF_RANGE)
    room = max(1, min((command.number(10, 4) - 8) // 16, _STATUS_DESCRIPTORS_MAX))
    found = [
        first.to_bytes(8) + blocks.to_bytes(4) + bytes([state, 0, 0, 0])
        for first, blocks, state in _ranges(unit, lba, room)
    ]
    content = (4 + 16 * len(found)).to_bytes(4) + bytes(4) + b"".join(found)
    return Reply(content[: command.number(10, 4)])


def _ranges(unit: Unit, lba: int, room: int) -> list[tuple[int, int, int]]:
    """Alternate what is mapped and what is not, in blocks."""
    size, end_of_disk = unit.block_bytes, unit.blocks
    end, mapped = _looked(unit, lba * size, room)
    ranges: list[tuple[int, int, int]] = []
    position = lba
    for offset, length in mapped:
        first, last = max(lba, offset // size), -(-(offset + length) // size)
        if first > position:
            ranges.append((position, first - position, _DEALLOCATED))
        ranges.append((first, last - first, _MAPPED))
        position = last
    if position * size < end and len(mapped) <= room:
        ranges.append((position, min(-(-end // size), end_of_disk) - position, _DEALLOCATED))
    return [(first, min(blocks, 0xFFFFFFFF), state) for first, blocks, state in ranges[:room]]


def _looked(unit: Unit, start: int, room: int) -> tuple[int, list[tuple[int, int]]]:
    """Look at the disk from `start` on, far enough to see something; return how far that was."""
    disk = unit.lun.disk
    reach = _LOOK_BYTES
    while True:
        end = min(start + reach, disk.size_bytes)
        mapped = list(islice(disk.extents(start, end), room + 1))
        if mapped or end == disk.size_bytes:
            return end, mapped
        reach *= 8


def unmap(command: Command) -> Reply:
    """Give ranges back, all of them or none."""
    unit, out = command.unit, command.out
    refuse_unless(not command.cdb[1] & 1)
    if not len(out):
        return DONE
    refuse_unless(len(out) >= 8, Sense.PARAMETER_LIST_LENGTH)
    length = int.from_bytes(out[2:4])
    refuse_unless(length % 16 == 0 and 8 + length <= len(out), Sense.PARAMETER_LIST_LENGTH)
    refuse_unless(length // 16 <= UNMAP_DESCRIPTORS_MAX, Sense.INVALID_FIELD_IN_PARAMETERS)
    ranges = [
        checked_range(unit, int.from_bytes(out[at : at + 8]), int.from_bytes(out[at + 8 : at + 12]))
        for at in range(8, 8 + length, 16)
    ]
    for offset, size in ranges:
        unit.lun.disk.discard(offset, size)
    return DONE


def write_same(command: Command) -> Reply:
    """Write one block over a range, or give the range back where that reads the same."""
    unit, flags = command.unit, command.cdb[1]
    lba, blocks = span(command.cdb)
    nothing = bool(flags & 1) and command.cdb[0] == 0x93
    refuse_unless(not flags & 0xF0 and blocks > 0)
    offset, length = checked_range(unit, lba, blocks)
    refuse_unless(length <= SAME_BYTES_MAX)
    refuse_unless(command.sent == (0 if nothing else unit.block_bytes))
    if nothing or not any(command.out):
        unit.lun.disk.discard(offset, length)
        return DONE
    step = bytes(command.out) * min(blocks, _SAME_STEP_BYTES // unit.block_bytes)
    for at in range(0, length, len(step)):
        unit.lun.disk.write(offset + at, step[: length - at])
    return DONE


def _one_block(cdb: bytes, block_bytes: int) -> int:
    return 0 if cdb[0] == 0x93 and cdb[1] & 1 else block_bytes


OPERATIONS: Operations = {
    (0x25, None): Operation(perform=capacity_10, usage="25000000000000000000", access=Access.ALWAYS),
    (0x9E, 0x10): Operation(perform=capacity_16, usage="9e1f0000000000000000ffffffff0000", access=Access.ALWAYS),
    (0x9E, 0x12): Operation(perform=lba_status, usage="9e1fffffffffffffffffffffffff0000"),
    (0x42, None): Operation(
        perform=unmap, usage="42010000000000ffff00", access=Access.WRITES, sends=list_length(7, 2)
    ),
    (0x41, None): Operation(
        perform=write_same, usage="41f8ffffffff1fffff00", access=Access.WRITES, sends=_one_block
    ),
    (0x93, None): Operation(
        perform=write_same, usage="93f9ffffffffffffffffffffffff1f00", access=Access.WRITES, sends=_one_block
    ),
}  # fmt: skip
