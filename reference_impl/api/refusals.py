"""What went wrong, in CloudStack's numbers: the HTTP status, which is the error code too, and the class behind it."""

from collections.abc import Mapping

from snapproof.driver import (
    BackendError,
    CancelledError,
    ConflictError,
    DeniedError,
    DriverError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    NotSupportedError,
    UnavailableError,
)

UNAUTHORIZED = 401
TOO_MANY = 429
PARAMETER = 431
UNKNOWN_COMMAND = 432
INTERNAL = 530

CODES: Mapping[type[DriverError], int] = {
    InvalidRequestError: PARAMETER,
    NotFoundError: PARAMETER,
    NotSupportedError: UNKNOWN_COMMAND,
    DeniedError: 531,
    LimitExceededError: 535,
    ConflictError: 536,
    UnavailableError: 534,
    CancelledError: INTERNAL,
    BackendError: INTERNAL,
}
"""Every error of the port. A limit is CloudStack's allocation error, something in use its own."""

CLASSES: Mapping[int, int] = {PARAMETER: 4350, 531: 4365, INTERNAL: 4250}
"""CloudStack's numbers of exception classes, as far as they are known; 9999 is its own word for the others."""

CLASS_UNKNOWN = 9999


class RefusedError(Exception):
    """A request that is refused before any verb is asked."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def refusal(code: int, text: str) -> dict[str, object]:
    """The body of a refusal."""
    return {"uuidList": [], "errorcode": code, "cserrorcode": CLASSES.get(code, CLASS_UNKNOWN), "errortext": text}


def code_of(error: DriverError) -> int:
    """The number of a driver's error."""
    return CODES.get(type(error), INTERNAL)
