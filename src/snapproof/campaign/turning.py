"""Whose turn it is: the words of schedules that hold somebody up instead of failing a call, and who goes on meanwhile.

`array.CloneVolume#1=turn:2` holds up whoever makes this call, before it, and caller 2 goes on. `…=overtaken` holds the
driver up behind the call and takes it for dead: another life does its work, then the first goes on.
"""

from snapproof.lab import Lab

TURN, OVERTAKEN = "turn", "overtaken"

HOLDING_UP = (TURN, OVERTAKEN)
"""The words that hold somebody up."""
UNDER_LOCK = frozenset({"catalog.commit"})
"""Calls before which nobody loses his turn."""


def arm(lab: Lab, call: str, kind: str) -> None:
    """Let a call meet what a schedule says. Raises ValueError for a turn that is nobody's, and as the lab does."""
    word, _, number = kind.partition(":")
    if word == TURN:
        if not number.isdecimal():
            raise ValueError(f"{kind!r} does not say whose turn it is; write turn:2.")
        lab.give_turn(call, int(number))
    elif kind == OVERTAKEN:
        lab.overtake(call)
    else:
        lab.arm(call, kind)
