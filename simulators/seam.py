"""The numbered seam: the one point that every external call passes; faults are armed before, after or instead of it.

A call is named `service.method#occurrence` (`array.CloneVolume#1`), a name that survives changes of the code around it.
A service hands the seam a `refuse` that speaks its dialect. Which faults there are is in faults.py.
"""

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias, TypeVar, cast

from snapproof.simulators.faults import (
    ANYTHING,
    DOWN_S,
    FAULTS,
    HANG_S,
    LATE_S,
    SERVER_FAILURE,
    AnswerCutError,
    AnswerHangsError,
    AnswerLostError,
    CrashedError,
    Dialect,
    Fault,
    Moment,
    Shape,
)
from snapproof.simulators.journal import Entry, Fact, Journal

T = TypeVar("T")
Pause: TypeAlias = Callable[[str], None]

_LABEL = re.compile(r"[^.#\s]+\.[^#\s]+#[1-9][0-9]*")


def _without_pause(_label: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class _Late:
    """A call that takes effect when nobody waits for it any more."""

    due_s: float
    label: str
    perform: Callable[[], object]


class Seam:
    """Numbers every call, strikes with the faults that were armed for it, and remembers which never fired.

    `dialects` say by service which faults can be armed; a service without one takes any. `wait` lets the time pass
    that a caller in process spends on an answer that never comes.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        dialects: Mapping[str, Dialect] | None = None,
        wait: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._journal = journal
        self._dialects = dialects or {}
        self._wait = wait
        self._lock = threading.RLock()
        self._counts: dict[str, int] = {}
        self._armed: dict[str, Fault] = {}
        self._standing: dict[str, Fault] = {}
        self._labels: list[str] = []
        self._delays_s: dict[str, float] = {}
        self._late: list[_Late] = []
        self._down_until_s: dict[str, float] = {}
        self._unrest: Callable[[str], Fault | None] | None = None
        self._watcher: Callable[[str], None] | None = None
        self._points: dict[str, int] = {}
        self._before: Pause = _without_pause
        self._behind: Pause = _without_pause

    def hold_up(self, before: Pause = _without_pause, behind: Pause = _without_pause) -> None:
        """Call `before` when a call has been numbered, `behind` when it is done; without them, nobody is held up.

        Both are given the label, in the thread that calls, and may keep it there, or raise.
        """
        self._before, self._behind = before, behind

    def reach(self, service: str, point: str) -> None:
        """Pass a point where nothing is asked of anybody, but others may come first: as before a lock is taken.

        It is no call: it stands in no list of them and meets no fault. Its label is for whoever holds up.
        """
        with self._lock:
            name = f"{service}.{point}"
            number = self._points[name] = self._points.get(name, 0) + 1
        self._before(f"{name}#{number}")

    def unsettle(self, draw: Callable[[str], Fault | None]) -> None:
        """Let every call (`service.method`) meet the fault that is drawn for it, until `disarm`.

        What its service cannot show does not strike.
        """
        self._unrest = draw

    def watch(self, watcher: Callable[[str], None] | None) -> None:
        """Show every call and act to `watcher` by its label, before anything of it happens; None ends that."""
        self._watcher = watcher

    def slow_down(self, service: str, seconds: float) -> None:
        """Let every call of a service take so long before it has any effect, until `disarm`. Raises ValueError."""
        if self._dialects and service not in self._dialects:
            raise ValueError(f"There is no service {service!r} to slow down; there are {', '.join(self._dialects)}.")
        self._delays_s[service] = seconds

    def arm(self, label: str, fault: Fault) -> None:
        """Arm one fault for one call, `array.CloneVolume#1`, counted from the last `restart_count`.

        Raises ValueError for a label of no call, a fault that the service cannot show, and a call that is taken.
        """
        if not _LABEL.fullmatch(label):
            raise ValueError(f"{label!r} names no call; write service.method#occurrence, as array.CloneVolume#1.")
        self._arm_all([label], fault)

    def arm_next(self, call: str, fault: Fault, *, times: int = 1, skip: int = 0) -> None:
        """Arm the fault for the next `times` calls of `service.method`, after letting `skip` of them pass."""
        with self._lock:
            first = self._counts.get(call, 0) + 1 + skip
            self._arm_all([f"{call}#{number}" for number in range(first, first + times)], fault)

    def _arm_all(self, labels: list[str], fault: Fault) -> None:
        self.check(labels[0].partition("#")[0], fault)
        with self._lock:
            for label in labels:
                if label in self._armed:
                    raise ValueError(f"{label} meets {self._armed[label]} already; skip it, or disarm first.")
            self._armed.update(dict.fromkeys(labels, fault))

    def arm_always(self, call: str, fault: Fault) -> None:
        """Let every call of `service.method` meet the fault until `disarm`: a service that is down."""
        self.check(call, fault)
        with self._lock:
            self._standing[call] = fault

    def check(self, call: str, fault: Fault) -> None:
        """Raise ValueError if `service.method` can never meet this fault, saying why."""
        service, _, method = call.partition(".")
        self._dialects.get(service, ANYTHING).check(service, method, fault)

    def disarm(self) -> None:
        """Take away every fault that has not fired."""
        with self._lock:
            self._armed.clear()
            self._standing.clear()
            self._delays_s.clear()
            self._down_until_s.clear()
            self._unrest = None

    def unspent(self) -> tuple[str, ...]:
        """List the faults that were armed for one call and never fired; a test with any proves nothing."""
        with self._lock:
            return tuple(f"{label}={fault}" for label, fault in self._armed.items())

    def standing(self) -> tuple[str, ...]:
        """List the faults that every call of a method meets until `disarm`."""
        with self._lock:
            return tuple(f"{call}={fault}" for call, fault in self._standing.items())

    def fired(self) -> tuple[Entry, ...]:
        """The journal's lines about faults that struck, in order: `event` is the fault, `facts["call"]` the call."""
        return tuple(entry for entry in self._journal if entry.side == "fault")

    def arrive(self, *, at_once: bool = False) -> None:
        """Let calls that are late take effect whose time has come, or all of them; nobody hears what they answer.

        Every call that crosses does so first. The journal has a line of each, on the side `late`.
        """
        if not self._late:
            return
        with self._lock:
            due = [late for late in self._late if at_once or late.due_s <= self._journal.now()]
            self._late = [late for late in self._late if late not in due]
        for late in due:
            self._journal.record("late", late.label)
            _unheard(late.perform)

    def under_way(self) -> tuple[str, ...]:
        """List what no service shows: calls that have yet to take effect, and who is away."""
        with self._lock:
            away = [service for service, until_s in self._down_until_s.items() if self._journal.now() < until_s]
            return (*(f"{late.label} is late" for late in self._late), *(f"{service} is away" for service in away))

    def restart_count(self) -> None:
        """Count from one again: what was called so far was arrangement."""
        with self._lock:
            self._counts.clear()
            self._labels.clear()
            self._points.clear()

    def labels(self) -> tuple[str, ...]:
        """Every call that passed since the last `restart_count`, in order."""
        return tuple(self._labels)

    def cross(
        self,
        service: str,
        method: str,
        perform: Callable[[], T],
        *,
        refuse: Callable[[str], T],
        damage: Callable[[str], T] | None = None,
    ) -> T:
        """Let one call pass. `refuse(name)` answers (or raises) an error of the service's dialect.

        `damage(name)` performs the call, with content that is damaged on its way; without it no such fault can strike.
        Raises AnswerLostError for a lost answer, or its kinds for one that hangs or is cut, and CrashedError for the
        death of the caller.
        """
        self.arrive()
        label, fault = self._number(f"{service}.{method}")
        self._before(label)
        if service in self._delays_s:
            self._wait(self._delays_s[service])
        if fault is None:
            try:
                return perform()
            finally:
                self._behind(label)
        self._journal.record("fault", str(fault), call=label)
        answer = self._take_effect(fault, label, perform)
        if fault.shape is Shape.ANSWER:
            return cast("T", answer)
        if fault.shape is Shape.ERROR:
            return refuse(fault.name)
        if fault.shape is Shape.FAILURE:
            return refuse(SERVER_FAILURE)
        if fault.shape is Shape.DAMAGE:
            assert damage is not None, f"{label} cannot meet {fault}: its dialect should have refused it."
            return damage(fault.name)
        if fault.shape is Shape.HANG:
            self._wait(HANG_S)
        raise _LOSSES[fault.shape](label, fault, answer)

    def _take_effect(self, fault: Fault, label: str, perform: Callable[[], T]) -> T | None:
        """Let happen what the fault lets happen, now or later."""
        if fault.shape is Shape.DOWN:
            self._down_until_s[_service_of(label)] = self._journal.now() + DOWN_S
        if fault.moment is Moment.LATE:
            self._late.append(_Late(self._journal.now() + LATE_S, label, perform))
        if fault.moment is Moment.AFTER:
            return _unheard(perform)
        if fault.moment is Moment.TWICE:
            _unheard(perform)
            return perform()
        return None

    def meet(self, service: str, act: str) -> Fault | None:
        """Number an act inside a service, whoever caused it, and give the fault that was armed for it.

        An act is no call: it stands neither in `labels` nor in the journal, unless a fault strikes. Showing the fault
        is the service's own affair.
        """
        with self._lock:
            label, fault = self._next(f"{service}.{act}")
        if fault is not None:
            self._journal.record("fault", str(fault), call=label)
        return fault

    def counts(self, service: str) -> Mapping[str, int]:
        """How often each call or act of a service passed since the last `restart_count`."""
        with self._lock:
            return {call: count for call, count in self._counts.items() if call.startswith(f"{service}.")}

    def _number(self, call: str) -> tuple[str, Fault | None]:
        with self._lock:
            label, fault = self._next(call)
            self._labels.append(label)
            if fault is None and self._unrest is not None:
                fault = self._fitting(call, self._unrest(call))
            if fault is None and self._journal.now() < self._down_until_s.get(_service_of(call), 0):
                fault = FAULTS["lost_before"]
        self._journal.keep("call", label, _NO_FACTS)
        return label, fault

    def _fitting(self, call: str, fault: Fault | None) -> Fault | None:
        try:
            if fault is not None:
                self.check(call, fault)
        except ValueError:
            return None
        return fault

    def _next(self, call: str) -> tuple[str, Fault | None]:
        number = self._counts[call] = self._counts.get(call, 0) + 1
        label = f"{call}#{number}"
        if self._watcher is not None:
            self._watcher(label)
        return label, self._armed.pop(label, None) or self._standing.get(call)


def _service_of(call: str) -> str:
    return call.partition(".")[0]


def _unheard(perform: Callable[[], T]) -> T | None:
    """Let a call take effect of which nobody hears the answer, be it a refusal that is raised."""
    with suppress(Exception):
        return perform()
    return None


_NO_FACTS: Mapping[str, Fact] = MappingProxyType({})
_LOSSES: Mapping[Shape, Callable[[str, Fault, object], BaseException]] = {
    Shape.LOST: lambda label, _fault, _answer: AnswerLostError(f"The connection died at {label}."),
    Shape.HANG: lambda label, _fault, _answer: AnswerHangsError(f"No answer came within {HANG_S:g} s at {label}."),
    Shape.DOWN: lambda label, _fault, _answer: AnswerLostError(f"The service went down at {label}."),
    Shape.CUT: lambda label, _fault, answer: AnswerCutError(f"The answer was cut short at {label}.", answer),
    Shape.CRASH: lambda label, fault, _answer: CrashedError(f"The caller was killed at {label} ({fault})."),
}
