"""What can go wrong with a LUN on demand: acts of the target that end with sense data, or cut the session off.

An act is a family of SCSI commands, the same for everybody who asks; which fault an act meets is the seam's affair.
"""

from collections.abc import Mapping
from types import MappingProxyType

from snapproof.simulators.faults import FAULTS, Dialect, Shape, known_name
from snapproof.simulators.iscsi.sense import Sense

FAMILIES: Mapping[str, frozenset[int]] = MappingProxyType({
    "read": frozenset({0x08, 0x28, 0x88, 0xA8}),
    "write": frozenset({0x0A, 0x2A, 0x2E, 0x41, 0x89, 0x8A, 0x8E, 0x93, 0xAA}),
    "flush": frozenset({0x35, 0x91}),
    "unmap": frozenset({0x42}),
    "inquiry": frozenset({0x12}),
    "reservation": frozenset({0x16, 0x17, 0x5E, 0x5F}),
})  # fmt: skip
"""Acts by name, with the operation codes that are one."""
OTHER = "command"
ACTS = (*FAMILIES, OTHER)

USUAL: Mapping[str, Sense] = MappingProxyType({"read": Sense.READ_ERROR, "write": Sense.WRITE_ERROR})
"""What an act ends with that is refused without a name; every other with a hardware error."""

_NO_HTTP = "SCSI is no HTTP; write refused:HARDWARE_ERROR, or lost_before."
DIALECT = Dialect(
    check_name=lambda _act, name: known_name(name, Sense.__members__, "This target"),
    unfit={
        **{word: _NO_HTTP for word, fault in FAULTS.items() if fault.shape in {Shape.CUT, Shape.FAILURE}},
        **{
            word: "an initiator aborts a task that hangs, and asks again; write lost_before."
            for word, fault in FAULTS.items()
            if fault.shape is Shape.HANG
        },
        **{
            word: "whoever died is the initiator, which is not ours; write lost_before, or lost_after."
            for word, fault in FAULTS.items()
            if fault.shape is Shape.CRASH
        },
        **dict.fromkeys(
            ("lost_late", "twice"),
            "a target drops what is under way when the session ends, and knows commands by their numbers; "
            "write lost_before, or lost_after.",
        ),
        "down": "an act is no call of a service that could be away; write lost_before.",
        "error_after": "sense data says that a command was not performed; write refused, or lost_after.",
    },
)

_BY_CODE = {code: act for act, codes in FAMILIES.items() for code in codes}


def act_of(opcode: int) -> str:
    """Name the act that a command is."""
    return _BY_CODE.get(opcode, OTHER)


def sense_of(act: str, name: str) -> Sense:
    """The sense data of a refusal."""
    return Sense[name] if name else USUAL.get(act, Sense.HARDWARE_ERROR)
