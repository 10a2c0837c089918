"""Reading a request's place and checking it before anything is written. No locale has a say here (hazard C22)."""

from snapproof.driver import InvalidRequestError
from snapproof.vocabulary import LocationType

_LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def read_location(text: str | None) -> LocationType:
    """Read a location type as a user types it; none means PRIMARY. Raises InvalidRequestError with the legal values."""
    if text is None:
        return LocationType.PRIMARY
    word = text.strip().translate(_LETTERS)
    if word not in tuple(LocationType):
        legal = " or ".join(LocationType)
        raise InvalidRequestError(f"{text!r} is no location type; a snapshot is kept on {legal}.")
    return LocationType(word)
