"""The table of SCSI commands, and how one is performed: found, permitted, done, or refused with the reason.

What single commands do is beside it, by subject.
"""

import errno
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from snapproof.simulators.iscsi import inquiry, modes, provisioning, reservations, sense, transfers
from snapproof.simulators.iscsi.sense import ConflictError, Sense, SenseError, Status
from snapproof.simulators.iscsi.units import (
    Access,
    Command,
    Operation,
    Operations,
    Reply,
    Unit,
    refuse_unless,
)

SERVICE_ACTIONS = frozenset({0x5E, 0x5F, 0x9E, 0xA3})
"""Operation codes whose service action, in byte 1, tells what they do."""
_LUNS_MAX = 16384
_TIMEOUTS = bytes([0, 10]) + bytes(10)

TROUBLES: Mapping[int, Sense] = MappingProxyType({
    errno.EROFS: Sense.WRITE_PROTECTED,
    errno.ENOSPC: Sense.SPACE_EXHAUSTED,
})  # fmt: skip
"""What an error of a disk is called here; every other is a hardware error."""


def report_luns(command: Command) -> Reply:
    """List the LUNs of the target."""
    refuse_unless(command.cdb[2] in {0, 2})
    return Reply(listed_luns(list(command.unit.numbers()))[: command.number(6, 4)])


def listed_luns(numbers: list[int]) -> bytes:
    """Write LUN numbers, small ones as peripheral addresses, others flat."""
    listed = [number for number in numbers if number < _LUNS_MAX]
    addresses = [(number if number < 256 else 0x4000 | number).to_bytes(2) + bytes(6) for number in listed]
    return (8 * len(listed)).to_bytes(4) + bytes(4) + b"".join(addresses)


def lun_number(address: bytes) -> int:
    """Read a LUN out of a PDU; -1 for an address of another kind than ours."""
    kind = address[0] >> 6
    return int.from_bytes(address[:2]) & 0x3FFF if kind in {0, 1} and not any(address[2:]) else -1


def report_operations(command: Command) -> Reply:
    """Tell which commands there are, all of them or about one."""
    option, code, action = command.cdb[2] & 0x07, command.cdb[3], command.number(4, 2)
    timed = bool(command.cdb[2] & 0x80)
    if option == 0:
        return Reply(_all_operations(timed=timed)[: command.number(6, 4)])
    refuse_unless(option in {1, 2, 3})
    has_actions = code in SERVICE_ACTIONS
    refuse_unless(option == 3 or has_actions == (option == 2))
    operation = operations().get((code, action if has_actions else None))
    if operation is None or (option == 3 and not has_actions and action):
        return Reply(bytes([0, 1, 0, 0])[: command.number(6, 4)])
    usage = bytearray.fromhex(operation.usage)
    if has_actions:
        usage[1] = usage[1] & 0xE0 | action
    content = bytes([0, 0x83 if timed else 3]) + len(usage).to_bytes(2) + usage + (_TIMEOUTS if timed else b"")
    return Reply(content[: command.number(6, 4)])


def _all_operations(*, timed: bool) -> bytes:
    found = b""
    for (code, action), operation in sorted(operations().items(), key=lambda row: (row[0][0], row[0][1] or 0)):
        flags = (0 if action is None else 1) | (2 if timed else 0)
        size = len(operation.usage) // 2
        found += bytes([code, 0]) + (action or 0).to_bytes(2) + bytes([0, flags]) + size.to_bytes(2)
        found += _TIMEOUTS if timed else b""
    return len(found).to_bytes(4) + found


def report_task_functions(command: Command) -> Reply:
    """Tell which task management functions there are: abort, abort set, clear set, LUN and target reset."""
    return Reply((bytes([0xDA, 0, 0, 0]) + bytes(12 if command.cdb[2] & 0x80 else 0))[: command.number(6, 4)])


_OPERATIONS: Operations = {
    (0xA0, None): Operation(
        perform=report_luns, usage="a000ff000000ffffffff0000", access=Access.ALWAYS, urgent=True
    ),
    (0xA3, 0x0C): Operation(perform=report_operations, usage="a31f87ffffffffffffff0000", access=Access.ALWAYS),
    (0xA3, 0x0D): Operation(perform=report_task_functions, usage="a31f80000000ffffffff0000", access=Access.ALWAYS),
}  # fmt: skip


@cache
def operations() -> Operations:
    """The whole table."""
    return {
        **_OPERATIONS,
        **inquiry.OPERATIONS,
        **modes.OPERATIONS,
        **provisioning.OPERATIONS,
        **reservations.OPERATIONS,
        **transfers.OPERATIONS,
    }


def operation_of(cdb: bytes) -> Operation | None:
    """Find the row of a command."""
    code = cdb[0]
    return operations().get((code, cdb[1] & 0x1F if code in SERVICE_ACTIONS else None))


def perform(unit: Unit, operation: Operation | None, cdb: bytes, out: memoryview, sent: int) -> Reply:
    """Perform a command, whatever comes of it; `sent` is how many bytes the initiator announced to send."""
    information = None
    try:
        if operation is None or not operation.urgent:
            _interrupt(unit)
        if operation is None:
            known = cdb[0] in SERVICE_ACTIONS
            trouble = Sense.INVALID_FIELD_IN_CDB if known else Sense.INVALID_OPCODE
        else:
            reservations.check(unit, operation.access)
            if operation.access is Access.WRITES and cdb[0] not in {0x15, 0x55}:
                writable = unit.lun.writable and not unit.shared.write_protected
                refuse_unless(writable, Sense.WRITE_PROTECTED)
            return operation.perform(Command(unit, cdb, out, sent))
    except SenseError as error:
        trouble, information = error.sense, error.information
    except ConflictError:
        return Reply(status=Status.RESERVATION_CONFLICT)
    except OSError as error:
        trouble = TROUBLES.get(error.errno or 0, Sense.HARDWARE_ERROR)
    return refused(trouble, information=information, descriptors=unit.shared.descriptor_sense)


def _interrupt(unit: Unit) -> None:
    attention = unit.next_attention()
    if attention is not None:
        raise SenseError(attention)


def refused(trouble: Sense, *, information: int | None = None, descriptors: bool = False) -> Reply:
    """End a command with CHECK CONDITION."""
    octets = sense.written(trouble, information=information, descriptors=descriptors)
    return Reply(status=Status.CHECK_CONDITION, sense=octets)


def without_unit(cdb: bytes, numbers: list[int]) -> Reply:
    """Answer a command to a LUN that is not there."""
    if cdb[0] == 0x12:
        return Reply(inquiry.NO_UNIT[: int.from_bytes(cdb[3:5])])
    if cdb[0] == 0xA0:
        return Reply(listed_luns(numbers)[: int.from_bytes(cdb[6:10])])
    if cdb[0] == 0x03:
        return Reply(sense.written(Sense.NO_SUCH_LUN)[: cdb[4]])
    return refused(Sense.NO_SUCH_LUN)
