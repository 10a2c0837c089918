"""What a LUN answers when a command does not succeed: statuses, and the sense data that says why, in a table."""

from enum import Enum, IntEnum


class Status(IntEnum):
    """How a command ended."""

    GOOD = 0x00
    CHECK_CONDITION = 0x02
    RESERVATION_CONFLICT = 0x18


class Key(IntEnum):
    """The kind of trouble."""

    NO_SENSE = 0x0
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    ABORTED_COMMAND = 0xB
    MISCOMPARE = 0xE


class Sense(Enum):
    """Sense key and additional sense code; members are also the names of the faults in troubles.py."""

    NO_SENSE = Key.NO_SENSE, 0x0000
    NOT_READY = Key.NOT_READY, 0x0403
    BECOMING_READY = Key.NOT_READY, 0x0401
    STOPPED = Key.NOT_READY, 0x0402
    WRITE_ERROR = Key.MEDIUM_ERROR, 0x0C00
    READ_ERROR = Key.MEDIUM_ERROR, 0x1100
    HARDWARE_ERROR = Key.HARDWARE_ERROR, 0x4400
    PARAMETER_LIST_LENGTH = Key.ILLEGAL_REQUEST, 0x1A00
    INVALID_OPCODE = Key.ILLEGAL_REQUEST, 0x2000
    LBA_OUT_OF_RANGE = Key.ILLEGAL_REQUEST, 0x2100
    INVALID_FIELD_IN_CDB = Key.ILLEGAL_REQUEST, 0x2400
    NO_SUCH_LUN = Key.ILLEGAL_REQUEST, 0x2500
    INVALID_FIELD_IN_PARAMETERS = Key.ILLEGAL_REQUEST, 0x2600
    INVALID_RELEASE = Key.ILLEGAL_REQUEST, 0x2604
    SAVING_NOT_SUPPORTED = Key.ILLEGAL_REQUEST, 0x3900
    MEDIUM_PREVENTED = Key.ILLEGAL_REQUEST, 0x5302
    POWER_ON = Key.UNIT_ATTENTION, 0x2900
    BUS_RESET = Key.UNIT_ATTENTION, 0x2902
    DEVICE_RESET = Key.UNIT_ATTENTION, 0x2903
    MODE_PARAMETERS_CHANGED = Key.UNIT_ATTENTION, 0x2A01
    RESERVATIONS_PREEMPTED = Key.UNIT_ATTENTION, 0x2A03
    RESERVATIONS_RELEASED = Key.UNIT_ATTENTION, 0x2A04
    REGISTRATIONS_PREEMPTED = Key.UNIT_ATTENTION, 0x2A05
    CAPACITY_CHANGED = Key.UNIT_ATTENTION, 0x2A09
    WRITE_PROTECTED = Key.DATA_PROTECT, 0x2700
    SPACE_EXHAUSTED = Key.DATA_PROTECT, 0x2707
    ABORTED = Key.ABORTED_COMMAND, 0x0000
    DATA_PHASE_ERROR = Key.ABORTED_COMMAND, 0x4B00
    MISCOMPARE = Key.MISCOMPARE, 0x1D00

    @property
    def key(self) -> Key:
        return self.value[0]

    @property
    def code(self) -> int:
        return self.value[1]


class SenseError(Exception):
    """A command ends with CHECK CONDITION."""

    def __init__(self, sense: Sense, *, information: int | None = None) -> None:
        super().__init__(sense.name)
        self.sense = sense
        self.information = information


class ConflictError(Exception):
    """Somebody else's reservation stands against the command."""


def written(sense: Sense, *, information: int | None = None, descriptors: bool = False) -> bytes:
    """Write sense data in the fixed format, or in that of descriptors."""
    if descriptors:
        more = b"" if information is None else bytes([0, 10, 0x80, 0]) + information.to_bytes(8)
        return bytes([0x72, sense.key, *sense.code.to_bytes(2), 0, 0, 0, len(more)]) + more
    fits = information is not None and information < 1 << 32
    first = 0xF0 if fits else 0x70
    field = information.to_bytes(4) if information is not None and fits else bytes(4)
    return bytes([first, 0, sense.key]) + field + bytes([10, 0, 0, 0, 0]) + sense.code.to_bytes(2) + bytes(4)
