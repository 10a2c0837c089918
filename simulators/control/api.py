"""The control API: one HTTP door to look into a running world, arm faults, move its clock, and begin it again.

It knows no simulator, only the places it is given. openapi.json describes it to others, word for word as it is here.
Every path but /health and /openapi.json wants the bearer token.
"""

import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qsl

import msgspec

from snapproof.simulators.clock import Clock, transition_named
from snapproof.simulators.control.bodies import ArmRequest, ClockRequest, SeedRequest, TransitionRequest, read
from snapproof.simulators.control.places import NotYetError, Place
from snapproof.simulators.control.refusals import RefusedError, near
from snapproof.simulators.faults import FAULTS, Shape, UnfitFaultError, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.seam import Seam
from snapproof.simulators.serving import Answer

BODY_BYTES_MAX = 64 * 2**10
DUMP_BYTES_MAX = 256 * 2**20
OPEN_PATHS = frozenset({"/health", "/openapi.json"})
NUMBER_MAX = 2**63 - 1

Restart: TypeAlias = Callable[[int | None], int]
"""Build the world anew, from another seed or from the same one (None); answers the seed."""


class MovableClock(Clock, Protocol):
    """A clock that can be put forward."""

    def advance(self, seconds: float) -> None:
        """Move time forward."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What came after the path: the query, where the last of equal names counts, and the body."""

    query: Mapping[str, str]
    body: bytes

    def word(self, name: str) -> str:
        """Give a parameter of the query or refuse the request."""
        if name not in self.query:
            raise RefusedError(400, f"Say {name} in the query.", near(name, self.query))
        return self.query[name]

    def number(self, name: str, default: int | None = None) -> int:
        """Give a parameter that is a whole number from 0 on, or refuse the request."""
        text = self.word(name) if default is None else self.query.get(name, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= NUMBER_MAX):
            raise RefusedError(400, f"{name}={text[:40]!r} is no whole number from 0 on.")
        return int(text)


def no_restart(_seed: int | None) -> int:
    """Refuse: a world in process is built anew by whoever built it."""
    raise RefusedError(501, "This world cannot begin again by itself; `snapproof serve` runs one that can.")


class ControlApi:
    """A wire. `calls` are the names that the world's services give their calls, to tell a typing error from a fault."""

    def __init__(
        self,
        *,
        token: str,
        seam: Seam,
        journal: Journal,
        clock: MovableClock,
        places: Mapping[str, Place],
        calls: Collection[str] = (),
        restart: Restart = no_restart,
    ) -> None:
        self._token = token.encode()
        self._seam = seam
        self._journal = journal
        self._clock = clock
        self._places = places
        self._calls = calls
        self._restart = restart
        self.routes: Mapping[str, Mapping[str, Callable[[Asked], object]]] = {
            "/health": {"GET": lambda _: {"status": "ok"}},
            "/openapi.json": {"GET": _description},
            "/journal": {"GET": self._entries},
            "/inventory": {"GET": self._inventory},
            "/objects": {"GET": self._object},
            "/faults": {"GET": self._faults, "POST": self._arm, "DELETE": self._disarm},
            "/clock": {"GET": self._time, "POST": self._advance},
            "/transitions": {"GET": self._transitions, "PUT": self._set_transition},
            "/dump": {"GET": self._dump},
            "/load": {"POST": self._load},
            "/reset": {"POST": lambda _: {"seed": self._restart(None)}},
            "/seed": {"POST": lambda asked: {"seed": self._restart(read(asked.body, SeedRequest).seed)}},
        }

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        try:
            if path not in OPEN_PATHS:
                self._require_token(headers)
            perform = self._route(method, path, body)
            return _answer(200, perform(Asked(dict(parse_qsl(query, keep_blank_values=True)), body)))
        except RefusedError as refused:
            status, headers, content = _answer(refused.status, {"error": str(refused), "near": refused.near})
            return status, {**headers, **({"www-authenticate": "Bearer"} if status == 401 else {})}, content
        except NotYetError as error:
            return _answer(501, {"error": str(error), "near": []})

    def _require_token(self, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        offered = token.strip().encode(errors="replace")
        if scheme.lower() != "bearer" or not hmac.compare_digest(offered, self._token):
            raise RefusedError(401, "Send `Authorization: Bearer` with the token that the world was started with.")

    def _route(self, method: str, path: str, body: bytes) -> Callable[[Asked], object]:
        if path not in self.routes:
            raise RefusedError(404, f"There is nothing at {path}.", near(path, self.routes))
        if method not in self.routes[path]:
            raise RefusedError(405, f"{path} takes {', '.join(self.routes[path])}, not {method}.")
        limit = DUMP_BYTES_MAX if path == "/load" else BODY_BYTES_MAX
        if len(body) > limit:
            raise RefusedError(413, f"A request to {path} has {limit} bytes at most.")
        return self.routes[path][method]

    def _entries(self, asked: Asked) -> object:
        """Answer the journal from entry `since` on, and the digest of all of it."""
        entries = [msgspec.Raw(entry.line().encode()) for entry in self._journal.since(asked.number("since", 0))]
        return {"entries": entries, "digest": self._journal.digest()}

    def _inventory(self, _asked: Asked) -> object:
        return {name: list(place.inventory()) for name, place in self._places.items()}

    def _place(self, name: str) -> Place:
        if name not in self._places:
            known = ", ".join(self._places)
            raise RefusedError(404, f"There is no place {name!r}; there are {known}.", near(name, self._places))
        return self._places[name]

    def _object(self, asked: Asked) -> object:
        place, kind, number = self._place(asked.word("place")), asked.word("kind"), asked.number("id")
        if place.kinds() and kind not in place.kinds():
            raise RefusedError(
                404, f"There are no things of kind {kind!r}; there are {', '.join(place.kinds())}.",
                near(kind, place.kinds()),
            )  # fmt: skip
        try:
            return {"kind": kind, "id": number, "object": place.find(kind, number)}
        except LookupError as error:
            raise RefusedError(404, str(error.args[0])) from error

    def _faults(self, _asked: Asked) -> object:
        fired = [
            {"call": entry.facts["call"], "fault": entry.event, "time_s": entry.time_s, "entry": entry.number}
            for entry in self._seam.fired()
        ]
        return {"unspent": self._seam.unspent(), "standing": self._seam.standing(), "fired": fired}

    def _arm(self, asked: Asked) -> object:
        wanted = read(asked.body, ArmRequest)
        word = wanted.fault.partition(":")[0]
        if word not in FAULTS:
            raise RefusedError(400, f"No fault is called {word!r}; there are {', '.join(FAULTS)}.", near(word, FAULTS))
        if "." not in wanted.call or (self._calls and wanted.call not in self._calls):
            raise RefusedError(
                400,
                f"{wanted.call!r} is no call of this world; write service.method, as array.CreateSnapshot.",
                near(wanted.call, self._calls),
            )
        self._arm_checked(wanted)
        self._journal.record("control", "fault armed", call=wanted.call, fault=wanted.fault)
        return self._faults(asked)

    def _arm_checked(self, wanted: ArmRequest) -> None:
        try:
            fault = fault_named(wanted.fault)
            if fault.shape is Shape.CRASH:
                raise RefusedError(
                    400, f"{fault} would kill the caller, which is another process; write lost_{fault.moment}."
                )
            if wanted.always:
                self._seam.arm_always(wanted.call, fault)
            else:
                self._seam.arm_next(wanted.call, fault, times=wanted.times, skip=wanted.skip)
        except UnfitFaultError as unfit:
            raise RefusedError(400, str(unfit), unfit.near) from unfit
        except ValueError as error:
            raise RefusedError(400, str(error)) from error

    def _disarm(self, asked: Asked) -> object:
        self._seam.disarm()
        self._journal.record("control", "faults disarmed")
        return self._faults(asked)

    def _time(self, _asked: Asked) -> object:
        return {"time_s": self._clock.time()}

    def _advance(self, asked: Asked) -> object:
        self._clock.advance(read(asked.body, ClockRequest).advance_s)
        return self._time(asked)

    def _transitions(self, _asked: Asked) -> object:
        return {
            name: {change: str(time) for change, time in place.transitions().items()}
            for name, place in self._places.items()
            if place.transitions()
        }

    def _set_transition(self, asked: Asked) -> object:
        wanted = read(asked.body, TransitionRequest)
        try:
            time = transition_named(wanted.time)
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        places = [self._place(wanted.place)] if wanted.place is not None else list(self._places.values())
        known = sorted({change for place in places for change in place.transitions()})
        if wanted.change not in known:
            sentence = f"Nothing called {wanted.change!r} takes time there; what does: {', '.join(known) or 'nothing'}."
            raise RefusedError(400, sentence, near(wanted.change, known))
        for place in places:
            if wanted.change in place.transitions():
                place.set_transition(wanted.change, time)
        self._journal.record("control", "transition set", change=wanted.change, time=str(time), place=wanted.place)
        return self._transitions(asked)

    def _dump(self, asked: Asked) -> object:
        contents = asked.query.get("contents", "bytes")
        if contents not in {"bytes", "digests"}:
            raise RefusedError(400, f"contents={contents!r} is neither bytes nor digests.")
        return self._place(asked.word("place")).dump(contents=contents == "bytes")

    def _load(self, asked: Asked) -> object:
        place = asked.word("place")
        try:
            digest = self._place(place).load(asked.body)
        except ValueError as error:
            raise RefusedError(400, str(error)) from error
        self._journal.record("control", "state loaded", place=place, digest=digest)
        return {"digest": digest}


def _description(_asked: Asked) -> object:
    return msgspec.Raw((files("snapproof.simulators.control") / "openapi.json").read_bytes())


def _answer(status: int, content: Any) -> Answer:
    return status, {"content-type": "application/json"}, msgspec.json.encode(content) + b"\n"
