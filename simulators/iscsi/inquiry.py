"""What a LUN says of itself: standard INQUIRY data, and the pages of vital product data."""

from collections.abc import Callable, Mapping

from snapproof.simulators.iscsi.provisioning import SAME_BYTES_MAX, UNMAP_DESCRIPTORS_MAX
from snapproof.simulators.iscsi.targets import Identity
from snapproof.simulators.iscsi.transfers import COMPARE_BLOCKS_MAX
from snapproof.simulators.iscsi.units import (
    TRANSFER_BYTES_MAX,
    Access,
    Command,
    Operation,
    Operations,
    Reply,
    Unit,
    refuse_unless,
)

_STANDARDS = (0x00A0, 0x0960, 0x0460, 0x04C0)  # SAM-5, iSCSI, SPC-4, SBC-3, none at a particular revision
_OPTIMAL_BYTES = 1 << 20
NO_UNIT = bytes([0x7F, 0, 6, 2, 91]) + bytes(91)
"""What INQUIRY says where there is no LUN."""


def inquiry(command: Command) -> Reply:
    """Tell the standard data, or a page of vital product data."""
    pages = bool(command.cdb[1] & 1)
    page, room = command.cdb[2], command.number(3, 2)
    if not pages:
        refuse_unless(page == 0)
        return Reply(_standard(command.unit.lun.identity)[:room])
    refuse_unless(page in PAGES)
    content = PAGES[page](command.unit)
    return Reply((bytes([0, page]) + len(content).to_bytes(2) + content)[:room])


def _standard(identity: Identity) -> bytes:
    names = _ascii(identity.vendor, 8) + _ascii(identity.product, 16) + _ascii(identity.revision, 4)
    versions = b"".join(standard.to_bytes(2) for standard in _STANDARDS)
    return (bytes([0, 0, 6, 0x12, 91, 0, 0, 2]) + names + bytes(22) + versions).ljust(96, b"\0")


def _ascii(text: str, width: int) -> bytes:
    return text.encode("ascii", "replace")[:width].ljust(width)


def _supported(_unit: Unit) -> bytes:
    return bytes(sorted(PAGES))


def _serial(unit: Unit) -> bytes:
    return unit.lun.identity.serial.encode("ascii", "replace")


def _designators(unit: Unit) -> bytes:
    identity = unit.lun.identity
    port = f"{unit.target},t,0x0001".encode()
    named = port + bytes(-len(port) % 4 or 4)
    parts = [
        _designator(1, 3, identity.naa),
        _designator(2, 1, _ascii(identity.vendor, 8) + _serial(unit)),
        *([_designator(1, 2, identity.eui)] if identity.eui else []),
        _designator(0x51, 0x94, bytes([0, 0, 0, 1])),  # of the port, which is reached by iSCSI
        _designator(0x53, 0x98, named),
    ]
    return b"".join(parts)


def _designator(code_set: int, kind: int, octets: bytes) -> bytes:
    return bytes([code_set, kind, 0, len(octets)]) + octets


def _limits(unit: Unit) -> bytes:
    size = unit.block_bytes
    grain = max(1, unit.lun.physical_block_bytes // size)
    words = (
        grain.to_bytes(2),
        (TRANSFER_BYTES_MAX // size).to_bytes(4),
        (_OPTIMAL_BYTES // size).to_bytes(4),
        (0).to_bytes(4),
        (0xFFFFFFFF).to_bytes(4),
        UNMAP_DESCRIPTORS_MAX.to_bytes(4),
        grain.to_bytes(4),
        (0x80000000).to_bytes(4),
        (SAME_BYTES_MAX // size).to_bytes(8),
        min(TRANSFER_BYTES_MAX // size, 0xFFFF).to_bytes(4),
        (1).to_bytes(4),
        (1).to_bytes(4),
    )
    return (bytes([1, COMPARE_BLOCKS_MAX]) + b"".join(words)).ljust(60, b"\0")


def _solid_state(_unit: Unit) -> bytes:
    return bytes([0, 1, 0, 5]).ljust(60, b"\0")  # nothing rotates; smaller than 1.8 inches


def _thin(_unit: Unit) -> bytes:
    return bytes([0, 0xE4, 2, 0])  # UNMAP and both WRITE SAME give space back, which then reads as zeros; thin


PAGES: Mapping[int, Callable[[Unit], bytes]] = {
    0x00: _supported,
    0x80: _serial,
    0x83: _designators,
    0xB0: _limits,
    0xB1: _solid_state,
    0xB2: _thin,
}

OPERATIONS: Operations = {
    (0x12, None): Operation(perform=inquiry, usage="1201ffffff00", access=Access.ALWAYS, urgent=True),
}
