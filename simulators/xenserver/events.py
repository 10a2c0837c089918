"""Events: what changed since a client last asked, found by comparing records when somebody asks, and at no other time.

As xapi does, an object that changed twice is told once, and one that came and went in between is not told at all.
Nothing waits here; how a call waits for the first event is wire.py's.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from snapproof.simulators.xenserver.failures import XapiError
from snapproof.simulators.xenserver.parameters import OfSession
from snapproof.simulators.xenserver.records import KINDS, moment
from snapproof.simulators.xenserver.rows import Session
from snapproof.simulators.xenserver.sightings import Change, Subscription
from snapproof.simulators.xenserver.state import State

UNHEARD = frozenset({"session", "user", "role", "subject"})
"""Classes of which nobody hears."""
NEXT_S = 30.0
"""How long event.next waits."""
_TOKEN = re.compile(r"(?P<number>[0-9]{20}),[0-9]{20}")


def observe(state: State) -> None:
    """Compare every object with what was last seen of it. Tasks go on by being looked at."""
    here: set[str] = set()
    for kind in KINDS.values():
        if kind.name not in UNHEARD:
            for ref, record in kind.records(state).items():
                here.add(ref)
                state.sightings.look(kind.name, ref, str(record["uuid"]), record)
    state.sightings.miss(here)


def number_of(token: str) -> int:
    """Read a token; an empty one is the beginning. Raises EVENT_FROM_TOKEN_PARSE_FAILURE."""
    found = _TOKEN.fullmatch(token)
    if token and found is None:
        raise XapiError("EVENT_FROM_TOKEN_PARSE_FAILURE", token)
    return int(found["number"]) if found else 0


def token_of(number: int) -> str:
    """Write a token."""
    return f"{number:020d},{0:020d}"


def _from(state: State, words: Sequence[str], token: str, _timeout_s: float) -> dict[str, object]:
    """Tell what a client has not heard, with the token that it asks with next."""
    wanted, number = Subscription.of(words), number_of(token)
    observe(state)
    kinds = [kind for kind in KINDS if kind not in UNHEARD and wanted.includes(kind, "")]
    return {
        "events": _told(state, state.sightings.since(number, wanted)),
        "valid_ref_counts": {kind.lower(): state.sightings.count(kind) for kind in kinds},
        "token": token_of(state.sightings.number),
    }


def _next(state: State, session: Session) -> list[dict[str, object]]:
    if not session.registered:
        raise XapiError("SESSION_NOT_REGISTERED", session.ref)
    observe(state)
    changes = state.sightings.since(session.heard, Subscription.of(session.registered))
    session.heard = state.sightings.number
    return _told(state, changes)


def _register(state: State, session: Session, words: list[str]) -> None:
    """Let a session hear of what changes from now on."""
    Subscription.of(words)
    if not session.registered:
        observe(state)
        session.heard = state.sightings.number
    session.registered |= set(words)


def _unregister(_state: State, session: Session, words: list[str]) -> None:
    Subscription.of(words)
    session.registered -= set(words)


def _inject(state: State, kind: str, ref: str) -> str:
    """Make an event about an object, and give the token that stands behind it."""
    name = next((name for name in KINDS if name.lower() == kind.lower() and name not in UNHEARD), kind)
    state.require(name, ref)
    if name in UNHEARD:
        raise XapiError("HANDLE_INVALID", kind, ref)
    observe(state)
    state.sightings.touch(ref)
    return token_of(state.sightings.number)


def _current(state: State) -> int:
    observe(state)
    return state.sightings.number


def _told(state: State, changes: Iterable[Change]) -> list[dict[str, object]]:
    return [
        {
            "id": change.number,
            "timestamp": moment(state.clock.time()),
            "class": change.seen.kind.lower(),
            "operation": change.operation,
            "ref": change.ref,
            "obj_uuid": change.seen.uuid,
        }
        | ({} if change.operation == "del" else {"snapshot": change.seen.record})
        for change in changes
    ]


EVENT_RULES: Mapping[str, Callable[..., object] | OfSession] = {
    "event.from": _from,
    "event.next": OfSession(_next),
    "event.register": OfSession(_register),
    "event.unregister": OfSession(_unregister),
    "event.inject": _inject,
    "event.get_current_id": _current,
}
