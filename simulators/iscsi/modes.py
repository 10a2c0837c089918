"""Mode pages, and the small commands about the state of a LUN: ready, start and stop, sense, defects."""

from collections.abc import Callable, Mapping

from snapproof.simulators.iscsi.sense import Sense, written
from snapproof.simulators.iscsi.units import (
    DONE,
    Access,
    Command,
    LogicalUnit,
    Operation,
    Operations,
    Reply,
    Unit,
    list_length,
    refuse_unless,
)

_CONTROL, _CACHING, _EXCEPTIONS, _ALL = 0x0A, 0x08, 0x1C, 0x3F
_DESCRIPTOR_SENSE, _SOFTWARE_PROTECT = 0x04, 0x08
_CURRENT, _CHANGEABLE, _SAVED = 0, 1, 3


def _caching(_shared: LogicalUnit, _wanted: int) -> bytes:
    return bytes(18)  # no write cache: what is acknowledged is there


def _control(shared: LogicalUnit, wanted: int) -> bytes:
    now = wanted == _CURRENT
    sense = _DESCRIPTOR_SENSE if wanted == _CHANGEABLE or (now and shared.descriptor_sense) else 0
    protect = _SOFTWARE_PROTECT if wanted == _CHANGEABLE or (now and shared.write_protected) else 0
    return bytes([sense, 0, protect]) + bytes(7)


def _exceptions(_shared: LogicalUnit, _wanted: int) -> bytes:
    return bytes(10)


_PAGES: Mapping[int, Callable[[LogicalUnit, int], bytes]] = {
    _CACHING: _caching,
    _CONTROL: _control,
    _EXCEPTIONS: _exceptions,
}


def _is_protected(unit: Unit) -> bool:
    return not unit.lun.writable or unit.shared.write_protected


def _sensed(command: Command, *, long: bool) -> bytes:
    wanted, page, subpage = command.cdb[2] >> 6, command.cdb[2] & 0x3F, command.cdb[3]
    refuse_unless(wanted != _SAVED, Sense.SAVING_NOT_SUPPORTED)
    refuse_unless((page in _PAGES and not subpage) or (page == _ALL and subpage in {0, 0xFF}))
    unit = command.unit
    pages = b"".join(
        bytes([number, len(content)]) + content
        for number, content in ((number, show(unit.shared, wanted)) for number, show in _PAGES.items())
        if page in {number, _ALL}
    )
    descriptor = b"" if command.cdb[1] & 0x08 else _block_descriptor(unit, long=long and bool(command.cdb[1] & 0x10))
    specific = 0x10 | (0x80 if _is_protected(unit) else 0)  # DPO and FUA are understood
    if long:
        size = 6 + len(descriptor) + len(pages)
        flags = 1 if len(descriptor) == 16 else 0
        return size.to_bytes(2) + bytes([0, specific, flags, 0]) + len(descriptor).to_bytes(2) + descriptor + pages
    return bytes([3 + len(descriptor) + len(pages), 0, specific, len(descriptor)]) + descriptor + pages


def _block_descriptor(unit: Unit, *, long: bool) -> bytes:
    if long:
        return unit.blocks.to_bytes(8) + bytes(4) + unit.block_bytes.to_bytes(4)
    return min(unit.blocks, 0xFFFFFFFF).to_bytes(4) + unit.block_bytes.to_bytes(4)


def sense_6(command: Command) -> Reply:
    """Tell mode pages."""
    return Reply(_sensed(command, long=False)[: command.cdb[4]])


def sense_10(command: Command) -> Reply:
    """Tell mode pages, with a longer header."""
    return Reply(_sensed(command, long=True)[: command.number(7, 2)])


def select(command: Command) -> Reply:
    """Take mode pages; only two bits of the control page can be changed."""
    refuse_unless(bool(command.cdb[1] & 0x10) and not command.cdb[1] & 0x01)
    out, long = bytes(command.out), command.cdb[0] == 0x55
    if not out:
        return DONE
    header = 8 if long else 4
    refuse_unless(len(out) >= header, Sense.PARAMETER_LIST_LENGTH)
    at = header + (int.from_bytes(out[6:8]) if long else out[3])
    refuse_unless(at <= len(out), Sense.PARAMETER_LIST_LENGTH)
    changes: list[bytes] = []
    while at < len(out):
        refuse_unless(at + 2 <= len(out) and at + 2 + out[at + 1] <= len(out), Sense.PARAMETER_LIST_LENGTH)
        number, content = out[at] & 0x3F, out[at + 2 : at + 2 + out[at + 1]]
        refuse_unless(number in _PAGES, Sense.INVALID_FIELD_IN_PARAMETERS)
        _check_change(command.unit.shared, number, content)
        changes += [content] if number == _CONTROL else []
        at += 2 + len(content)
    for content in changes:
        _change_control(command.unit, content)
    return DONE


def _check_change(shared: LogicalUnit, number: int, content: bytes) -> None:
    """Only what is changeable may differ from what is."""
    current, changeable = _PAGES[number](shared, _CURRENT), _PAGES[number](shared, _CHANGEABLE)
    refuse_unless(len(content) == len(current), Sense.INVALID_FIELD_IN_PARAMETERS)
    same = all((new ^ old) & ~mask & 0xFF == 0 for new, old, mask in zip(content, current, changeable, strict=True))
    refuse_unless(same, Sense.INVALID_FIELD_IN_PARAMETERS)


def _change_control(unit: Unit, content: bytes) -> None:
    shared = unit.shared
    before = shared.descriptor_sense, shared.write_protected
    shared.descriptor_sense = bool(content[0] & _DESCRIPTOR_SENSE)
    shared.write_protected = bool(content[2] & _SOFTWARE_PROTECT)
    if before != (shared.descriptor_sense, shared.write_protected):
        shared.tell_others(Sense.MODE_PARAMETERS_CHANGED, by=unit.nexus)


def ready(_command: Command) -> Reply:
    """The unit is ready, else it would not be there."""
    return DONE


def request_sense(command: Command) -> Reply:
    """Tell what waits to be told."""
    sense = command.unit.next_attention() or Sense.NO_SENSE
    return Reply(written(sense, descriptors=bool(command.cdb[1] & 1))[: command.cdb[4]])


def start_stop(command: Command) -> Reply:
    """Start and stop change nothing: a volume neither spins nor is taken out."""
    refuse_unless(not command.cdb[4] & 0x02, Sense.INVALID_FIELD_IN_CDB)
    return DONE


def prevent_removal(command: Command) -> Reply:
    """Remember who does not want the medium to be taken out."""
    if command.cdb[4] & 1:
        command.unit.shared.preventing.add(command.unit.nexus)
    else:
        command.unit.shared.preventing.discard(command.unit.nexus)
    return DONE


def defects(command: Command) -> Reply:
    """List no defects, in the format that is asked for."""
    long = command.cdb[0] == 0xB7
    lists = command.cdb[1 if long else 2] & 0x1F
    room = command.number(6, 4) if long else command.number(7, 2)
    return Reply((bytes([0, lists]) + bytes(6 if long else 2))[:room])


OPERATIONS: Operations = {
    (0x00, None): Operation(perform=ready, usage="000000000000", access=Access.ALWAYS),
    (0x03, None): Operation(perform=request_sense, usage="03010000ff00", access=Access.ALWAYS, urgent=True),
    (0x15, None): Operation(
        perform=select, usage="15110000ff00", access=Access.WRITES, sends=list_length(4, 1)
    ),
    (0x1A, None): Operation(perform=sense_6, usage="1a08ffffff00"),
    (0x1B, None): Operation(perform=start_stop, usage="1b010ff7f700"),
    (0x1E, None): Operation(perform=prevent_removal, usage="1e0000000300", access=Access.ALWAYS),
    (0x37, None): Operation(perform=defects, usage="37001f00000000ffff00"),
    (0xB7, None): Operation(perform=defects, usage="b71fffffffffffffffff0000"),
    (0x55, None): Operation(
        perform=select, usage="55110000000000ffff00", access=Access.WRITES, sends=list_length(7, 2)
    ),
    (0x5A, None): Operation(perform=sense_10, usage="5a18ffff000000ffff00"),
}  # fmt: skip
