"""Time as the simulators see it: a virtual clock that only moves when told to, and how long a transition takes.

Nothing here waits for real. `WallClock` is for `snapproof serve`, where clients of other processes wait in real time.
"""

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

EPOCH_S = 1_767_225_600.0
"""Virtual time starts at 2026-01-01T00:00:00Z: a real date, so that no arithmetic of any client meets zero or below."""


class Clock(Protocol):
    """Where simulators and drivers take the time from."""

    def time(self) -> float:
        """Seconds since the Unix epoch, UTC."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


class VirtualClock:
    """A clock that stands still until somebody sleeps on it or advances it."""

    def __init__(self, start_s: float = EPOCH_S) -> None:
        self._now_s = start_s
        self.set_by_s = 0.0
        """By how much it was set to other times, all in all."""

    def time(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move time forward; a negative step is refused, time does not run backwards here."""
        if seconds < 0:
            raise ValueError(f"A virtual clock cannot go back by {-seconds} s.")
        self._now_s += seconds

    def jump(self, seconds: float) -> None:
        """Be set to another time, earlier ones too, as by hand or by a time server: nothing happens meanwhile."""
        self._now_s += seconds
        self.set_by_s += seconds


class WallClock:
    """The machine's own clock, which can be advanced as well: the offset is added to what the machine says."""

    def __init__(self) -> None:
        self._offset_s = 0.0

    def time(self) -> float:
        return time.time() + self._offset_s

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: TID251  the one real wait of the simulators

    def advance(self, seconds: float) -> None:
        self._offset_s += seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """How long a state change takes, in moto's three words: immediate, timed (seconds) or polled (n questions)."""

    seconds: float = 0.0
    polls: int = 0

    def __str__(self) -> str:
        seconds = f"{self.seconds:.6f}".rstrip("0").rstrip(".")  # never 1e+06, which `transition_named` does not read
        words = [f"timed {seconds}"] if self.seconds else []
        words += [f"polled {self.polls}"] if self.polls else []
        return " ".join(words) or "immediate"

    def finished(self, *, started_s: float, now_s: float, polls: int) -> bool:
        """Say whether a change that began at `started_s` is over, having been asked about `polls` times."""
        return now_s - started_s >= self.seconds and polls >= self.polls


IMMEDIATE = Transition()

_WORDS = re.compile(r"immediate|(?:timed (?P<seconds>[0-9]{1,9}(?:\.[0-9]{1,6})?))? ?(?:polled (?P<polls>[0-9]{1,9}))?")


def transition_named(text: str) -> Transition:
    """Read `immediate`, `timed 5`, `polled 3` or `timed 5 polled 3`. Raises ValueError with these forms."""
    found = _WORDS.fullmatch(text.strip()) if text.strip() else None
    if found is None:
        raise ValueError(f"{text!r} is no time of a transition; write immediate, timed SECONDS or polled TIMES.")
    return Transition(seconds=float(found["seconds"] or 0), polls=int(found["polls"] or 0))


def iso(seconds: float) -> str:
    """Write a time as Element and CloudStack do: `2026-01-01T00:00:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(text: str) -> float:
    """Read what `iso` wrote."""
    return datetime.fromisoformat(text).timestamp()


def moment(seconds: float) -> str:
    """Write a time to the microsecond: `2026-01-01T00:00:00.000000Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
