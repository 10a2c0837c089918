"""Reading a request's place and checking it before anything is written. No locale has a say here (hazard C22)."""

from snapproof.driver import InvalidRequestError
from snapproof.vocabulary import LocationType

_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


BACKED_UP_FORMAT = "VHD"
UNKNOWN_FORMAT = "OVA"
VHD_BYTES_MAX = 2040 * 2**30


def require_format(location: LocationType, image_format: str) -> None:
    """Refuse to back up what is no VHD, and anything of VMware's, before anything is begun (R-009, R-119)."""
    if image_format == UNKNOWN_FORMAT:
        raise InvalidRequestError(
            f"Volumes of format {UNKNOWN_FORMAT} are VMware's, whose snapshots need its own help; none are taken here."
        )
    if location is LocationType.SECONDARY and image_format != BACKED_UP_FORMAT:
        raise InvalidRequestError(
            f"A volume of format {image_format} cannot be backed up: only {BACKED_UP_FORMAT} is kept on SECONDARY. "
            "Take the snapshot on PRIMARY."
        )


def require_fits(location: LocationType, size_bytes: int) -> None:
    """Refuse to back up what no VHD can hold, before anything is begun (R-139)."""
    if location is LocationType.SECONDARY and size_bytes > VHD_BYTES_MAX:
        raise InvalidRequestError(
            f"A volume of {size_bytes} bytes cannot be backed up: a VHD holds at most {VHD_BYTES_MAX}, which is "
            "2040 GiB. Take the snapshot on PRIMARY."
        )


def require_enabled(location: LocationType, *, secondary_enabled: bool) -> None:
    """Refuse what the operator has switched off; it is never put elsewhere in silence (R-106, hazard C23)."""
    if location is LocationType.SECONDARY and not secondary_enabled:
        raise InvalidRequestError(
            "Snapshots are not backed up to SECONDARY at present: snapshot.backup.to.secondary is false. "
            "Take the snapshot on PRIMARY, or ask the operator."
        )


def read_location(text: str | None, default: LocationType = LocationType.PRIMARY) -> LocationType:
    """Read a location type as a user types it; none means the default. Raises InvalidRequestError."""
    if text is None:
        return default
    word = text.strip().translate(_LETTERS)
    if word not in tuple(LocationType):
        legal = " or ".join(LocationType)
        raise InvalidRequestError(f"{text!r} is no location type; a snapshot is kept on {legal}.")
    return LocationType(word)
