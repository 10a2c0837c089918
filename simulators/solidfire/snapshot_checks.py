"""Checks before a snapshot is taken, by a call or by a schedule: is there a place, and until when is it kept."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from snapproof.simulators.clock import iso
from snapproof.simulators.solidfire import snapshots
from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.plant import Fullness
from snapproof.simulators.solidfire.records import Snapshot, Volume
from snapproof.simulators.solidfire.state import State

_RETENTION = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)", re.ASCII)


def admit_snapshot(state: State, volume: Volume, *, fifo: bool = False) -> Snapshot | None:
    """Make sure that one more snapshot has a place; return the FIFO one that has to give way. Raises ElementError."""
    if state.fullness >= Fullness.CRITICAL:
        raise ElementError(GUESSED.cluster_full, f"The cluster is at fullness stage {int(state.fullness)}.")
    full = len(volume.snapshots) >= state.limits["snapshotsPerVolumeMax"]
    if not fifo and not full:
        return None
    count, oldest = snapshots.oldest_fifo(volume)
    row = volume.row
    if fifo and count < row.fifo_size and not full:
        return None
    if oldest is None or (not fifo and count <= row.min_fifo_size):
        raise ElementError("xMaxSnapshotsPerVolumeExceeded")
    return oldest


def admit_snapshots(state: State, members: Iterable[Volume], *, fifo: bool = False) -> list[Snapshot]:
    """Make sure that each of these volumes has a place; return what has to give way. Raises ElementError."""
    return [displaced for volume in members if (displaced := admit_snapshot(state, volume, fifo=fifo))]


def end(state: State, given: Given) -> tuple[str | None, float | None]:
    """Read until when a snapshot is kept: what the API shows, and the second it ends. Raises ElementError."""
    retention, expires = given.get("retention"), given.get("expirationTime")
    if retention and expires:
        raise ElementError(GUESSED.bad_value, "expirationTime excludes retention.")
    if retention:
        at_s = state.clock.time() + seconds_of(retention)
        return iso(at_s), at_s
    if expires is None or expires == "null":
        return None, None
    if expires == snapshots.FIFO:
        return snapshots.FIFO, None
    at_s = moment("expirationTime", expires)
    if at_s <= state.clock.time():
        raise ElementError(GUESSED.bad_value, "expirationTime has passed already.")
    return iso(at_s), at_s


def seconds_of(retention: str) -> int:
    """Read a retention. Raises ElementError."""
    found = _RETENTION.fullmatch(retention)
    if found is None:
        raise ElementError(GUESSED.bad_value, "retention is written HH:MM:SS.")
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds


def moment(name: str, text: str) -> float:
    """Read a time that is given under this name; one without a zone is UTC. Raises ElementError."""
    try:
        found = datetime.fromisoformat(text)
        at_s = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        iso(at_s)
    except (ValueError, OverflowError):
        raise ElementError(GUESSED.bad_value, f"{name} must be an ISO 8601 time.") from None
    return at_s
