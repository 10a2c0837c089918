"""What a scenario's timeline is made of: moments, told from two sides, the driver's and the world's.

A lab that hears them keeps them; how they are drawn is the report's affair.
"""

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """What sort of thing happened. Steps, verbs, answers and calls are the driver's side; the rest is the world's."""

    STEP = "step"
    VERB = "verb"  # somebody asks the driver
    ANSWER = "answer"
    CALL = "call"  # the driver asks array, host, store or its own catalog
    CHANGE = "change"  # something is different there now
    FAULT = "fault"


class Moment(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line of a timeline. `time_s` counts from the beginning, on the lab's clock; `lane` says who it is about."""

    time_s: float
    kind: Kind
    lane: str
    text: str
    facts: str = ""


MOMENTS_MAX = 400


def abridged(moments: list[Moment]) -> tuple[Moment, ...]:
    """Keep the beginning and the end of what is too long to be read, and say what is left out."""
    if len(moments) <= MOMENTS_MAX:
        return tuple(moments)
    half = MOMENTS_MAX // 2
    left_out = len(moments) - 2 * half
    gap = Moment(moments[half].time_s, Kind.STEP, "", f"… {left_out} moments are left out here …")
    return (*moments[:half], gap, *moments[-half:])
