"""Faults by name: when one strikes, what the caller meets, and which of them a service can show at all.

How a fault looks in a service's own dialect (an Element error, an XenAPI failure, HTTP 503) is the service's business,
what a lost, hanging or cut answer looks like on a socket that of serving.py. Which call meets one is up to seam.py.
"""

import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Moment(StrEnum):
    """When a fault strikes, seen from the effect of the call."""

    BEFORE = "before"
    AFTER = "after"
    INSTEAD = "instead"
    LATE = "late"  # long after the caller has given up
    TWICE = "twice"  # and once more, since somebody on the way asked again


class Shape(StrEnum):
    """What the caller meets."""

    ERROR = "error"  # an answer in the service's own dialect
    FAILURE = "failure"  # HTTP 500 in the service's own clothes
    LOST = "lost"  # a connection that dies
    HANG = "hang"  # a connection that lives, and no answer
    CUT = "cut"  # an answer that ends too early
    DAMAGE = "damage"  # a call that seems to succeed, with content that is not what it was
    ANSWER = "answer"  # what the service says
    DOWN = "down"  # a connection that dies, as all others to the service do for a while
    CRASH = "crash"  # the death of the caller's own process


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `name` picks an error of the service's dialect, or the kind of damage; empty is the usual refusal."""

    moment: Moment
    shape: Shape
    name: str = ""

    @property
    def word(self) -> str:
        """The fault without its error's name, as `FAULTS` calls it."""
        return next(word for word, fault in FAULTS.items() if (fault.moment, fault.shape) == (self.moment, self.shape))

    def __str__(self) -> str:
        return f"{self.word}:{self.name}" if self.name else self.word


FAULTS = {
    "refused": Fault(Moment.INSTEAD, Shape.ERROR),
    "error_after": Fault(Moment.AFTER, Shape.ERROR),
    "lost_before": Fault(Moment.BEFORE, Shape.LOST),
    "lost_after": Fault(Moment.AFTER, Shape.LOST),
    "lost_late": Fault(Moment.LATE, Shape.LOST),
    "hang_before": Fault(Moment.BEFORE, Shape.HANG),
    "hang_after": Fault(Moment.AFTER, Shape.HANG),
    "truncated": Fault(Moment.AFTER, Shape.CUT),
    "damaged": Fault(Moment.INSTEAD, Shape.DAMAGE),
    "http500_before": Fault(Moment.BEFORE, Shape.FAILURE),
    "http500_after": Fault(Moment.AFTER, Shape.FAILURE),
    "twice": Fault(Moment.TWICE, Shape.ANSWER),
    "down": Fault(Moment.BEFORE, Shape.DOWN),
    "crash_before": Fault(Moment.BEFORE, Shape.CRASH),
    "crash_after": Fault(Moment.AFTER, Shape.CRASH),
}
"""Faults by the words that schedules, features and the control API use."""

SERVER_FAILURE = "HTTP500"
"""What `refuse` is asked for when the service shall answer HTTP 500. No error of any dialect has this name."""

HANG_S = 60.0
"""How long a caller in process waits for an answer that never comes. Over sockets clients wait for themselves."""

LATE_S = 45.0
"""How long a call is on its way that takes effect late: longer than clients try again."""

DOWN_S = 20.0
"""How long a service that went down stays away, as an array's management does that restarts."""


def fault_named(text: str) -> Fault:
    """Read `lost_after` or `refused:xMaxClonesPerVolumeExceeded`; raise ValueError with the legal words otherwise."""
    word, _, name = text.partition(":")
    if word not in FAULTS:
        raise ValueError(f"No fault is called {word!r}; there are {', '.join(FAULTS)}.")
    if name and FAULTS[word].shape not in {Shape.ERROR, Shape.DAMAGE}:
        raise ValueError(f"{word} carries no error, so it takes no name; write {word}, or refused:{name}.")
    if not name and FAULTS[word].shape is Shape.DAMAGE:
        raise ValueError(f"{word} wants to know what is damaged, and how; write {word}:answer-cut, for one.")
    return Fault(FAULTS[word].moment, FAULTS[word].shape, name)


class UnfitFaultError(ValueError):
    """The fault cannot be shown by this service, or not for this call; `near` is what may have been meant."""

    def __init__(self, sentence: str, near: Collection[str] = ()) -> None:
        super().__init__(sentence)
        self.near = tuple(near)


def _any_name(_method: str, _name: str) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Which faults a service can show. `check_name(method, name)` raises ValueError for an error it does not have.

    `check_damage` does so for a kind of damage; a service without it cannot show any.
    """

    check_name: Callable[[str, str], object] = _any_name
    check_damage: Callable[[str, str], object] | None = None
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Words of faults that make no sense here, each with the reason, a sentence."""

    def check(self, service: str, method: str, fault: Fault) -> None:
        """Raise UnfitFaultError, with the reason, for a fault that this service would not know how to show."""
        if reason := self.unfit.get(fault.word):
            raise UnfitFaultError(f"{service}.{method} cannot meet {fault.word}: {reason}")
        if fault.shape is Shape.DAMAGE:
            if self.check_damage is None:
                reason = "what it is sent and what it answers arrive as they are; write refused, or lost_after."
                raise UnfitFaultError(f"{service}.{method} cannot meet {fault.word}: {reason}")
            self.check_damage(method, fault.name)
        elif fault.name:
            self.check_name(method, fault.name)


ANYTHING = Dialect()


def known_name(name: str, names: Collection[str], whose: str) -> str:
    """Return `name` if it is one of `names`; raise UnfitFaultError with the nearest otherwise."""
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.4)
    raise UnfitFaultError(f"{whose} has no error {name!r}; the nearest are {', '.join(near) or 'none'}.", near)


class AnswerLostError(ConnectionResetError):
    """The connection died. Whether the call took effect is exactly what the caller cannot know."""


class AnswerHangsError(AnswerLostError, TimeoutError):
    """The connection lives, but the answer never comes: the caller gave up waiting, and knows as little."""


class AnswerCutError(AnswerLostError):
    """The answer ended before it was whole. `answer` is what the service had said, for whoever cuts it on a socket."""

    def __init__(self, sentence: str, answer: object) -> None:
        super().__init__(sentence)
        self.answer = answer


class CrashedError(BaseException):
    """The caller's process dies here. Not an Exception: no handler of the code under test may survive it."""
