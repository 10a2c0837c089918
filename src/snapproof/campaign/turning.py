"""The words of schedules that fail no call: whose turn it is, who is taken for dead, and what the clock is set to.

`array.CloneVolume#1=turn:2` holds up whoever makes this call, before it, and caller 2 goes on. `…=overtaken` holds the
driver up behind the call and takes it for dead: another life does its work, then the first goes on. `…=clock_back`
sets the clock before the call.
"""

from snapproof.lab import Lab

TURN, OVERTAKEN = "turn", "overtaken"

HOLDING_UP = (TURN, OVERTAKEN)
"""The words that hold somebody up."""
SET_BY_S = {"clock_ahead": 3_600.0, "clock_back": -3_600.0}
"""By how much these words set the clock: more than any lease, so that one ends at once, or long after its holder."""
CLOCK = tuple(SET_BY_S)
UNDER_LOCK = frozenset({"catalog.commit"})
"""Calls before which nobody loses his turn."""


def is_turn(kind: str) -> bool:
    """Whether a word gives somebody's turn to another caller; nothing fails by that."""
    return kind.partition(":")[0] == TURN


def arm(lab: Lab, call: str, kind: str) -> None:
    """Let a call meet what a schedule says. Raises ValueError for a turn that is nobody's, and as the lab does."""
    word, _, number = kind.partition(":")
    if word == TURN:
        if not number.isdecimal():
            raise ValueError(f"{kind!r} does not say whose turn it is; write turn:2.")
        lab.give_turn(call, int(number))
    elif kind == OVERTAKEN:
        lab.overtake(call)
    elif kind in SET_BY_S:
        lab.jump_clock(SET_BY_S[kind], before=call)
    else:
        lab.arm(call, kind)
