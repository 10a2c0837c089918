"""Calls that wait until something has happened, on the pool's own clock: event.from and event.next."""

from collections.abc import Callable

from snapproof.simulators.clock import Clock
from snapproof.simulators.xenserver.events import NEXT_S

FIRST_PAUSE_S, PAUSE_S_MAX = 0.02, 1.0
WAIT_S_MAX = 3600.0
"""How long a call waits at most. A server in real time takes less, or it could not end while a client waits."""
_FROM_ARGUMENTS = 4


def patience_of(name: str, arguments: tuple[object, ...], *, wait_s_max: float) -> float | None:
    """Say how long a call waits if nothing happens; None for one that never does."""
    if name == "event.next":
        return min(NEXT_S, wait_s_max)
    if name != "event.from" or len(arguments) != _FROM_ARGUMENTS:
        return None
    timeout_s = arguments[-1]
    if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float) or not timeout_s > 0:
        return None
    return min(float(timeout_s), wait_s_max)


def waited(clock: Clock, ask: Callable[[], object], patience_s: float) -> object:
    """Ask until there is something to tell, or the time is over."""
    deadline_s = clock.time() + patience_s
    pause_s = FIRST_PAUSE_S
    while True:
        answer = ask()
        left_s = deadline_s - clock.time()
        if _tells(answer) or left_s <= 0:
            return answer
        clock.sleep(min(pause_s, left_s))
        pause_s = min(pause_s * 2, PAUSE_S_MAX)


def _tells(answer: object) -> bool:
    events = answer.get("events") if isinstance(answer, dict) else answer
    return bool(events)
