"""The numbered seam: the one point that every external call passes; faults are armed before, after or instead of it.

A call is named `service.method#occurrence` (`array.CloneVolume#1`), a name that survives changes of the code around it.
How a fault looks in a service's own dialect (an Element error, an XenAPI failure, HTTP 503) is the service's business:
it hands the seam a `refuse` that speaks that dialect. What a lost answer looks like on a socket is up to serving.py.
"""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from snapproof.simulators.journal import Journal

T = TypeVar("T")


class Moment(StrEnum):
    """When a fault strikes, seen from the effect of the call."""

    BEFORE = "before"
    AFTER = "after"
    INSTEAD = "instead"


class Shape(StrEnum):
    """What the caller meets."""

    ERROR = "error"  # an answer in the service's own dialect
    LOST = "lost"  # a connection that dies
    CRASH = "crash"  # the death of the caller's own process


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `name` picks an error of the service's dialect; empty means the service's usual refusal."""

    moment: Moment
    shape: Shape
    name: str = ""

    def __str__(self) -> str:
        word = next(word for word, fault in FAULTS.items() if (fault.moment, fault.shape) == (self.moment, self.shape))
        return f"{word}:{self.name}" if self.name else word


FAULTS = {
    "refused": Fault(Moment.INSTEAD, Shape.ERROR),
    "error_after": Fault(Moment.AFTER, Shape.ERROR),
    "lost_before": Fault(Moment.BEFORE, Shape.LOST),
    "lost_after": Fault(Moment.AFTER, Shape.LOST),
    "crash_before": Fault(Moment.BEFORE, Shape.CRASH),
    "crash_after": Fault(Moment.AFTER, Shape.CRASH),
}
"""Faults by the words that schedules, features and the control API use."""


def fault_named(text: str) -> Fault:
    """Read `lost_after` or `refused:xMaxClonesPerVolumeExceeded`; raise ValueError with the legal words otherwise."""
    word, _, name = text.partition(":")
    if word not in FAULTS:
        raise ValueError(f"No fault is called {word!r}; there are {', '.join(FAULTS)}.")
    return Fault(FAULTS[word].moment, FAULTS[word].shape, name)


class AnswerLostError(ConnectionResetError):
    """The connection died. Whether the call took effect is exactly what the caller cannot know."""


class CrashedError(BaseException):
    """The caller's process dies here. Not an Exception: no handler of the code under test may survive it."""


class Seam:
    """Numbers every call, strikes with the faults that were armed for it, and remembers which never fired."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.RLock()
        self._counts: Counter[str] = Counter()
        self._armed: dict[str, Fault] = {}
        self._standing: dict[str, Fault] = {}
        self._labels: list[str] = []

    def arm(self, label: str, fault: Fault) -> None:
        """Arm one fault for one call, `array.CloneVolume#1`, counted from the last `restart_count`."""
        if "#" not in label or "." not in label:
            raise ValueError(f"{label!r} names no call; write service.method#occurrence, as array.CloneVolume#1.")
        with self._lock:
            self._armed[label] = fault

    def arm_next(self, call: str, fault: Fault, *, times: int = 1, skip: int = 0) -> None:
        """Arm the fault for the next `times` calls of `service.method`, after letting `skip` of them pass."""
        with self._lock:
            first = self._counts[call] + 1 + skip
        for number in range(first, first + times):
            self.arm(f"{call}#{number}", fault)

    def arm_always(self, call: str, fault: Fault) -> None:
        """Let every call of `service.method` meet the fault until `disarm`: a service that is down."""
        with self._lock:
            self._standing[call] = fault

    def disarm(self) -> None:
        """Take away every fault, fired or not."""
        with self._lock:
            self._armed.clear()
            self._standing.clear()

    def unspent(self) -> tuple[str, ...]:
        """List the faults that were armed for one call and never fired; a test with any proves nothing."""
        return tuple(f"{label}={fault}" for label, fault in self._armed.items())

    def standing(self) -> tuple[str, ...]:
        """List the faults that every call of a method meets until `disarm`."""
        return tuple(f"{call}={fault}" for call, fault in self._standing.items())

    def restart_count(self) -> None:
        """Count from one again: what was called so far was arrangement."""
        with self._lock:
            self._counts.clear()
            self._labels.clear()

    def labels(self) -> tuple[str, ...]:
        """Every call that passed since the last `restart_count`, in order."""
        return tuple(self._labels)

    def cross(self, service: str, method: str, perform: Callable[[], T], *, refuse: Callable[[str], T]) -> T:
        """Let one call pass. `refuse(name)` answers (or raises) an error of the service's dialect.

        Raises AnswerLostError for a lost answer and CrashedError for the death of the caller.
        """
        label, fault = self._number(f"{service}.{method}")
        if fault is None:
            return perform()
        self._journal.record("fault", str(fault), call=label)
        if fault.moment is not Moment.AFTER:
            return _strike(fault, label, refuse)
        perform()
        return _strike(fault, label, refuse)

    def _number(self, call: str) -> tuple[str, Fault | None]:
        with self._lock:
            self._counts[call] += 1
            label = f"{call}#{self._counts[call]}"
            self._labels.append(label)
            fault = self._armed.pop(label, None) or self._standing.get(call)
        self._journal.record("call", label)
        return label, fault


def _strike(fault: Fault, label: str, refuse: Callable[[str], T]) -> T:
    if fault.shape is Shape.CRASH:
        raise CrashedError(f"The caller was killed at {label} ({fault}).")
    if fault.shape is Shape.LOST:
        raise AnswerLostError(f"The connection died at {label}.")
    return refuse(fault.name)
