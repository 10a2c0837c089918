"""The control API: one HTTP door to look into a running world, arm faults and move its clock.

It knows no simulator, only what it is given. Every path but /health wants the bearer token.
"""

import difflib
import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar
from urllib.parse import parse_qs

import msgspec

from snapproof.simulators.clock import Clock
from snapproof.simulators.faults import FAULTS, Seam, fault_named
from snapproof.simulators.journal import Journal
from snapproof.simulators.serving import Answer

T = TypeVar("T")

Inventories: TypeAlias = Mapping[str, Callable[[], Iterable[str]]]
"""What exists, by place: each gives its lines."""

BODY_BYTES_MAX = 64 * 2**10


class MovableClock(Clock, Protocol):
    """A clock that can be put forward."""

    def advance(self, seconds: float) -> None:
        """Move time forward."""


class ArmRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which call shall meet which fault: the next `times` calls after `skip` of them, or every call with `always`."""

    call: str
    fault: str
    times: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    skip: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    always: bool = False


class ClockRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far to put the clock forward."""

    advance_s: Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class RefusedError(Exception):
    """The caller asked for something that is not there; `near` is what may have been meant."""

    def __init__(self, status: int, sentence: str, near: Collection[str] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.near = list(near)


class ControlApi:
    """A wire. `calls` are the names that the world's services give their calls, to tell a typing error from a fault."""

    def __init__(
        self,
        *,
        token: str,
        seam: Seam,
        journal: Journal,
        clock: MovableClock,
        inventories: Inventories,
        calls: Collection[str] = (),
    ) -> None:
        self._token = token.encode()
        self._seam = seam
        self._journal = journal
        self._clock = clock
        self._inventories = inventories
        self._calls = calls
        self._routes: dict[str, dict[str, Callable[[str, bytes], object]]] = {
            "/health": {"GET": self._health},
            "/journal": {"GET": self._entries},
            "/inventory": {"GET": self._inventory},
            "/faults": {"GET": self._faults, "POST": self._arm, "DELETE": self._disarm},
            "/clock": {"GET": self._time, "POST": self._advance},
        }

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        try:
            if path != "/health":
                self._require_token(headers)
            return _answer(200, self._route(method, path, body)(query, body))
        except RefusedError as refused:
            status, headers, content = _answer(refused.status, {"error": str(refused), "near": refused.near})
            return status, {**headers, **({"www-authenticate": "Bearer"} if status == 401 else {})}, content

    def _require_token(self, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), self._token):
            raise RefusedError(401, "Send `Authorization: Bearer` with the token that the world was started with.")

    def _route(self, method: str, path: str, body: bytes) -> Callable[[str, bytes], object]:
        if path not in self._routes:
            raise RefusedError(404, f"There is nothing at {path}.", _near(path, self._routes))
        if method not in self._routes[path]:
            raise RefusedError(405, f"{path} takes {', '.join(self._routes[path])}, not {method}.")
        if len(body) > BODY_BYTES_MAX:
            raise RefusedError(413, f"A request has {BODY_BYTES_MAX} bytes at most.")
        return self._routes[path][method]

    def _health(self, _query: str, _body: bytes) -> object:
        return {"status": "ok"}

    def _time(self, _query: str, _body: bytes) -> object:
        return {"time_s": self._clock.time()}

    def _entries(self, query: str, _body: bytes) -> object:
        """Answer the journal from entry `since` on, and the digest of all of it."""
        since = parse_qs(query).get("since", ["0"])[-1]
        if not (since.isascii() and since.isdigit()):
            raise RefusedError(400, f"since={since!r} is no number of a journal entry.")
        entries = [msgspec.Raw(entry.line().encode()) for entry in self._journal if entry.number >= int(since)]
        return {"entries": entries, "digest": self._journal.digest()}

    def _inventory(self, _query: str, _body: bytes) -> object:
        return {place: list(lines()) for place, lines in self._inventories.items()}

    def _faults(self, _query: str, _body: bytes) -> object:
        return {"unspent": self._seam.unspent(), "standing": self._seam.standing()}

    def _arm(self, _query: str, body: bytes) -> object:
        wanted = _read(body, ArmRequest)
        word = wanted.fault.partition(":")[0]
        if word not in FAULTS:
            raise RefusedError(400, f"No fault is called {word!r}; there are {', '.join(FAULTS)}.", _near(word, FAULTS))
        if "." not in wanted.call or (self._calls and wanted.call not in self._calls):
            raise RefusedError(
                400,
                f"{wanted.call!r} is no call of this world; write service.method, as array.CreateSnapshot.",
                _near(wanted.call, self._calls),
            )
        self._journal.record("control", "fault armed", call=wanted.call, fault=wanted.fault)
        if wanted.always:
            self._seam.arm_always(wanted.call, fault_named(wanted.fault))
        else:
            self._seam.arm_next(wanted.call, fault_named(wanted.fault), times=wanted.times, skip=wanted.skip)
        return self._faults("", b"")

    def _disarm(self, _query: str, _body: bytes) -> object:
        self._seam.disarm()
        self._journal.record("control", "faults disarmed")
        return self._faults("", b"")

    def _advance(self, query: str, body: bytes) -> object:
        self._clock.advance(_read(body, ClockRequest).advance_s)
        return self._time(query, body)


def _near(word: str, known: Iterable[str]) -> list[str]:
    return difflib.get_close_matches(word, list(known), n=3, cutoff=0.5)


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, f"The body is not the JSON object that is wanted here: {error}.") from error


def _answer(status: int, content: Any) -> Answer:
    return status, {"content-type": "application/json"}, msgspec.json.encode(content) + b"\n"
