"""Reservations: the persistent ones of registered hosts, and the old RESERVE(6); who may do what while one stands."""

from collections.abc import Callable, Mapping

from snapproof.simulators.iscsi.sense import ConflictError, Sense
from snapproof.simulators.iscsi.units import (
    DONE,
    Access,
    Command,
    LogicalUnit,
    Operation,
    Operations,
    Reply,
    Reservation,
    Unit,
    list_length,
    refuse_unless,
)

_WRITE_EXCLUSIVE, _EXCLUSIVE_ACCESS = 0x1, 0x3
_REGISTRANTS_ONLY = frozenset({0x5, 0x6})
_ALL_REGISTRANTS = frozenset({0x7, 0x8})
_LETS_READ = frozenset({0x1, 0x5, 0x7})
_KINDS = frozenset({0x1, 0x3, 0x5, 0x6, 0x7, 0x8})
_KIND_MASK = 0xEA01  # the same, as REPORT CAPABILITIES writes it
_PARAMETER_BYTES = 24


def check(unit: Unit, access: Access) -> None:
    """Raise ConflictError if a reservation of somebody else stands against this."""
    shared = unit.shared
    if access is Access.ALWAYS:
        return
    if shared.reserved_by and shared.reserved_by != unit.nexus:
        raise ConflictError
    held = shared.reservation
    if held is None or _may(unit, held):
        return
    if access is Access.WRITES or held.kind not in _LETS_READ:
        raise ConflictError


def _may(unit: Unit, held: Reservation) -> bool:
    registered = unit.nexus in unit.shared.keys
    return (registered and held.kind not in {_WRITE_EXCLUSIVE, _EXCLUSIVE_ACCESS}) or held.holder == unit.nexus


def _holds(shared: LogicalUnit, nexus: str) -> bool:
    held = shared.reservation
    return held is not None and nexus in shared.keys and (held.kind in _ALL_REGISTRANTS or held.holder == nexus)


def reserve_6(command: Command) -> Reply:
    """Take the unit for oneself, the old way."""
    unit = command.unit
    if unit.shared.keys or unit.shared.reserved_by not in {"", unit.nexus}:
        raise ConflictError
    unit.shared.reserved_by = unit.nexus
    return DONE


def release_6(command: Command) -> Reply:
    """Give it back; if somebody else has it, nothing happens."""
    unit = command.unit
    if unit.shared.keys:
        raise ConflictError
    if unit.shared.reserved_by == unit.nexus:
        unit.shared.reserved_by = ""
    return DONE


def read_keys(command: Command) -> Reply:
    """List the keys of all who are registered."""
    shared = command.unit.shared
    keys = b"".join(key.to_bytes(8) for key in shared.keys.values())
    return _listed(command, shared.generation.to_bytes(4) + len(keys).to_bytes(4) + keys)


def read_reservation(command: Command) -> Reply:
    """Tell which reservation stands."""
    shared, held = command.unit.shared, command.unit.shared.reservation
    content = b""
    if held is not None:
        key = 0 if held.kind in _ALL_REGISTRANTS else shared.keys[held.holder]
        content = key.to_bytes(8) + bytes([0, 0, 0, 0, 0, held.kind, 0, 0])
    return _listed(command, shared.generation.to_bytes(4) + len(content).to_bytes(4) + content)


def report_capabilities(command: Command) -> Reply:
    """Tell what persistent reservations can do here."""
    return _listed(command, bytes([0, 8, 0x00, 0x80]) + _KIND_MASK.to_bytes(2) + bytes(2))


def read_full_status(command: Command) -> Reply:
    """Tell who is registered, with which key, and who holds the reservation."""
    shared, held = command.unit.shared, command.unit.shared.reservation
    content = b""
    for nexus, key in shared.keys.items():
        name = nexus.encode()
        transport = name + bytes(-len(name) % 4 or 4)
        holds = held is not None and _holds(shared, nexus)
        content += key.to_bytes(8) + bytes([0, 0, 0, 0, int(holds), held.kind if held and holds else 0])
        content += bytes(4) + bytes([0, 1]) + (4 + len(transport)).to_bytes(4)
        content += bytes([0x45, 0]) + len(transport).to_bytes(2) + transport
    return _listed(command, shared.generation.to_bytes(4) + len(content).to_bytes(4) + content)


def _listed(command: Command, content: bytes) -> Reply:
    return Reply(content[: command.number(7, 2)])


class _Order:
    """What PERSISTENT RESERVE OUT asks for."""

    def __init__(self, command: Command) -> None:
        out = command.out
        refuse_unless(len(out) == _PARAMETER_BYTES, Sense.PARAMETER_LIST_LENGTH)
        self.unit, self.shared, self.nexus = command.unit, command.unit.shared, command.unit.nexus
        self.action, self.scope, self.kind = command.cdb[1] & 0x1F, command.cdb[2] >> 4, command.cdb[2] & 0x0F
        self.key, self.new_key = int.from_bytes(out[:8]), int.from_bytes(out[8:16])
        refuse_unless(not out[20] & 0x09, Sense.INVALID_FIELD_IN_PARAMETERS)  # neither all ports, nor past a power loss

    def require_key(self) -> None:
        """Only who is registered, and knows its own key, may go on."""
        if self.shared.keys.get(self.nexus) != self.key or not self.key:
            raise ConflictError

    def require_kind(self) -> None:
        refuse_unless(self.scope == 0 and self.kind in _KINDS)


def change(command: Command) -> Reply:
    """Register, reserve, release, clear, preempt."""
    if command.unit.shared.reserved_by:
        raise ConflictError
    order = _Order(command)
    _ACTIONS[order.action](order)
    return DONE


def _register(order: _Order) -> None:
    if order.shared.keys.get(order.nexus, 0) != order.key:
        raise ConflictError
    _register_anyway(order)


def _register_anyway(order: _Order) -> None:
    shared = order.shared
    shared.generation += 1
    if order.new_key:
        shared.keys[order.nexus] = order.new_key
    elif order.nexus in shared.keys:
        _strike(shared, order.nexus, by=order.nexus)


def _strike(shared: LogicalUnit, nexus: str, *, by: str) -> None:
    """Take a registration away, and the reservation if it ends with it."""
    held = shared.reservation
    del shared.keys[nexus]
    if held is None:
        return
    if not shared.keys if held.kind in _ALL_REGISTRANTS else held.holder == nexus:
        shared.reservation = None
        if held.kind in _REGISTRANTS_ONLY | _ALL_REGISTRANTS:
            _tell_registered(shared, Sense.RESERVATIONS_RELEASED, by=by)


def _tell_registered(shared: LogicalUnit, sense: Sense, *, by: str) -> None:
    for nexus, view in shared.views.items():
        if nexus != by and nexus in shared.keys:
            view.attentions.append(sense)


def _reserve(order: _Order) -> None:
    order.require_key()
    order.require_kind()
    held = order.shared.reservation
    if held is None:
        order.shared.reservation = Reservation(order.nexus, order.kind)
    elif not _holds(order.shared, order.nexus) or held.kind != order.kind:
        raise ConflictError


def _release(order: _Order) -> None:
    order.require_key()
    held = order.shared.reservation
    if held is None or not _holds(order.shared, order.nexus):
        return
    refuse_unless(order.scope == 0 and order.kind == held.kind, Sense.INVALID_RELEASE)
    order.shared.reservation = None
    if held.kind in _REGISTRANTS_ONLY | _ALL_REGISTRANTS:
        _tell_registered(order.shared, Sense.RESERVATIONS_RELEASED, by=order.nexus)


def _clear(order: _Order) -> None:
    order.require_key()
    shared = order.shared
    shared.generation += 1
    _tell_registered(shared, Sense.RESERVATIONS_PREEMPTED, by=order.nexus)
    shared.keys.clear()
    shared.reservation = None


def _preempt(order: _Order) -> None:
    order.require_key()
    shared, held = order.shared, order.shared.reservation
    takes = held is not None and (
        order.new_key == 0 if held.kind in _ALL_REGISTRANTS else shared.keys[held.holder] == order.new_key
    )
    if takes:
        order.require_kind()
    victims = [
        nexus
        for nexus, key in shared.keys.items()
        if nexus != order.nexus and (key == order.new_key or (takes and order.new_key == 0))
    ]
    if not takes:
        refuse_unless(order.new_key != 0, Sense.INVALID_FIELD_IN_PARAMETERS)
        if not victims and order.new_key not in shared.keys.values():
            raise ConflictError
    shared.generation += 1
    if takes:
        shared.reservation = Reservation(order.nexus, order.kind)
    for nexus in victims:
        if view := shared.views.get(nexus):
            view.attentions.append(Sense.REGISTRATIONS_PREEMPTED)
        if takes:
            del shared.keys[nexus]
        else:
            _strike(shared, nexus, by=order.nexus)


_ACTIONS: Mapping[int, Callable[[_Order], None]] = {
    0x00: _register,
    0x01: _reserve,
    0x02: _release,
    0x03: _clear,
    0x04: _preempt,
    0x05: _preempt,  # there is never a task of somebody else left to abort
    0x06: _register_anyway,
}

OPERATIONS: Operations = {
    (0x16, None): Operation(perform=reserve_6, usage="160000000000", access=Access.ALWAYS),
    (0x17, None): Operation(perform=release_6, usage="170000000000", access=Access.ALWAYS),
    **{
        (0x5E, action): Operation(perform=perform, usage="5e1f0000000000ffff00", access=Access.ALWAYS)
        for action, perform in enumerate((read_keys, read_reservation, report_capabilities, read_full_status))
    },
    **{
        (0x5F, action): Operation(
            perform=change, usage="5f1fff0000ffffffff00", access=Access.ALWAYS, sends=list_length(5, 4)
        )
        for action in _ACTIONS
    },
}
