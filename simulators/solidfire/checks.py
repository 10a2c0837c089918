"""Checks that several methods share: names, sizes, QoS, attributes, lists with a start and a limit."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

import msgspec

from snapproof.simulators.solidfire.errors import ElementError
from snapproof.simulators.solidfire.guesses import GUESSED
from snapproof.simulators.solidfire.limits import ATTRIBUTES_BYTES_MAX
from snapproof.simulators.solidfire.parameters import Given
from snapproof.simulators.solidfire.records import Access, QoS, Volume
from snapproof.simulators.solidfire.shelf import Part, Shelf
from snapproof.simulators.solidfire.state import State

T = TypeVar("T")
_VOLUME_NAME = re.compile(r"[A-Za-z0-9-]+")
_QOS_BOUNDS = {"minIOPS": "volumeMinIOPS", "maxIOPS": "volumeMaxIOPS", "burstIOPS": "volumeBurstIOPS"}


def active_volume(state: State, volume_id: int) -> Volume:
    """Find a volume that is not deleted. Raises ElementError."""
    volume = state.volume(volume_id)
    if not volume.active:
        raise ElementError(GUESSED.deleted_volume, volumeID=volume_id)
    return volume


def settled_volume(state: State, volume_id: int) -> Volume:
    """Find an active volume whose own contents are complete. Raises ElementError."""
    volume = active_volume(state, volume_id)
    if volume_id in state.cloning_into:
        raise ElementError(GUESSED.still_cloning, f"VolumeID {volume_id} is still being cloned.")
    return volume


def members_of_group_snapshot(state: State, volume_ids: list[int]) -> list[Volume]:
    """Accept the volumes of a group snapshot. Raises ElementError."""
    most = state.limits["volumesPerGroupSnapshotMax"]
    if len(volume_ids) > most:
        raise ElementError(GUESSED.too_many, f"A group snapshot has at most {most} volumes.")
    if not volume_ids or len(set(volume_ids)) < len(volume_ids):
        raise ElementError(GUESSED.bad_value, "A group snapshot needs volumes, each of them once.")
    return [settled_volume(state, number) for number in volume_ids]


def volume_name(state: State, name: str) -> str:
    """Accept a volume's name or raise ElementError."""
    if len(name) > state.limits["volumeNameLengthMax"] or not _VOLUME_NAME.fullmatch(name):
        raise ElementError(
            GUESSED.bad_name,
            f"A volume name has 1 to {state.limits['volumeNameLengthMax']} letters, digits and hyphens.",
        )
    return name


def name_within(state: State, name: str, limit: str) -> str:
    """Accept any name no longer than the limit, or raise ElementError."""
    if len(name) > state.limits[limit]:
        raise ElementError(GUESSED.bad_name, f"A name here has at most {state.limits[limit]} characters.")
    return name


def initiator_name(state: State, name: str) -> str:
    """Write a host's name in lower case or raise ElementError."""
    longest = state.limits["initiatorNameLengthMax"]
    if not 0 < len(name) <= longest:
        raise ElementError(GUESSED.bad_name, f"An initiator's name has 1 to {longest} characters.")
    return name.lower()


def secret(state: State, given: Given, name: str) -> str:
    """Accept a CHAP secret, empty when none was given. Raises ElementError, without the secret."""
    found: str = given.get(name, "")
    low, high = state.limits["secretLengthMin"], state.limits["secretLengthMax"]
    if found and not low <= len(found) <= high:
        raise ElementError(GUESSED.bad_value, f"{name} must have {low} to {high} characters.")
    return found


def attributes(given: Given) -> dict[str, Any] | None:
    """Accept the attributes, or None when they were not given. Raises ElementError."""
    found: dict[str, Any] | None = given.get("attributes")
    try:
        length = len(msgspec.json.encode(found)) if found else 0
    except RecursionError:  # the reader still bore this depth, a few frames further up
        length = ATTRIBUTES_BYTES_MAX + 1
    if length > ATTRIBUTES_BYTES_MAX:
        raise ElementError(GUESSED.bad_value, f"Attributes take at most {ATTRIBUTES_BYTES_MAX} bytes as JSON.")
    return found


def access(given: Given, default: str) -> str:
    """Accept what hosts may do. Raises ElementError."""
    word: str = given.get("access", default)
    return one_of(word, tuple(Access))


def qos(state: State, given: Given, base: QoS | None = None) -> QoS:
    """Merge the QoS that was given, in part or not at all, over what holds already. Raises ElementError."""
    wanted: Given = given.get("qos", {})
    held = base or state.default_qos
    if not wanted:
        return held
    merged = msgspec.convert({**msgspec.to_builtins(held), **wanted, "curve": held.curve}, QoS)
    for name, bound in _QOS_BOUNDS.items():
        low, high = state.limits[bound + "Min"], state.limits[bound + "Max"]
        if name in wanted and not low <= wanted[name] <= high:
            raise ElementError(GUESSED.bad_value, f"{name} must be between {low} and {high}.")
    if not merged.min_iops <= merged.max_iops <= merged.burst_iops:
        raise ElementError(GUESSED.bad_value, "QoS must keep minIOPS <= maxIOPS <= burstIOPS.")
    return merged


def listed(shelf: Shelf[T] | Part[T], given: Given, start: str) -> Iterator[T]:
    """List from a first number on, up to a limit that the caller applies to what it keeps. Raises ElementError."""
    first = given.get(start, 0)
    if first < 0 or given.get("limit", 0) < 0:
        raise ElementError(GUESSED.bad_value, f"{start} and limit must not be negative.")
    return shelf.since(first)


def limited(things: Iterator[T], given: Given) -> list[T]:
    """Keep as many as the limit allows; 0 is no limit."""
    return list(islice(things, given.get("limit") or None))


def one_of(word: str, words: tuple[str, ...]) -> str:
    """Accept a word of an enumeration or raise ElementError."""
    if word not in words:
        raise ElementError("xUnrecognizedEnumString", value=word)
    return word
