"""The bodies of control requests. What they are for is in api.py, what they look like to others in openapi.json."""

from typing import Annotated, TypeVar

import msgspec

from snapproof.simulators.control.refusals import RefusedError

T = TypeVar("T")

SEED_MAX = 2**63 - 1


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


class TransitionRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a kind of change takes from now on, at one place or wherever it is known."""

    change: str
    time: str
    place: str | None = None


class SeedRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From which seed to build the world anew."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=SEED_MAX)]


def read(body: bytes, kind: type[T]) -> T:
    """Read a body or raise RefusedError (400)."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(400, f"The body is not the JSON object that is wanted here: {error}.") from error
