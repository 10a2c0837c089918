"""S3's way of saying no: codes, statuses, the XML. No state."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from snapproof.simulators.faults import SERVER_FAILURE, Dialect, UnfitFaultError, known_name
from snapproof.simulators.secondary.s3_damage import check_damage

STATUS: Mapping[str, int] = {
    "AccessDenied": 403,
    "AuthorizationHeaderMalformed": 400,
    "BadDigest": 400,
    "EntityTooLarge": 400,
    "IncompleteBody": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidArgument": 400,
    "InvalidDigest": 400,
    "InvalidPart": 400,
    "InvalidRequest": 400,
    "KeyTooLongError": 400,
    "MalformedXML": 400,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "QuotaExceeded": 403,
    "RequestTimeout": 400,
    "RequestTimeTooSkewed": 403,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "SlowDown": 503,
    "XAmzContentSHA256Mismatch": 400,
}
"""Every code this store answers by itself or that a fault may name; moto answers the rest."""

LATE = "-in-200"
"""CompleteMultipartUpload and CopyObject may fail after they said 200: a fault named `InternalError-in-200`."""

MAY_FAIL_LATE = frozenset({"CompleteMultipartUpload", "CopyObject"})


class S3RefusalError(Exception):
    """This request is refused with a code of S3."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def refusal(code: str, sentence: str) -> tuple[int, Mapping[str, str], bytes]:
    """Write the answer that refuses with `code`; raise ValueError for a code that S3 does not know."""
    bare = known_name(code.removesuffix(LATE), STATUS, "This S3 store")
    status = 200 if code.endswith(LATE) else STATUS[bare]
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{bare}</Code><Message>{escape(sentence)}</Message><RequestId>snapproof</RequestId></Error>"
    )
    return status, {"content-type": "application/xml"}, text.encode()


def check_name(operation: str, code: str) -> None:
    """Raise ValueError for a code that this operation cannot be refused with."""
    known_name(code.removesuffix(LATE), STATUS, "This S3 store")
    if code.endswith(LATE) and operation not in MAY_FAIL_LATE:
        raise UnfitFaultError(f"{operation} cannot fail inside a 200; only {', '.join(sorted(MAY_FAIL_LATE))} can.")


def struck(operation: str, name: str) -> tuple[int, Mapping[str, str], bytes]:
    """Answer as a fault wants it: the usual refusal for an empty name."""
    if name == SERVER_FAILURE:
        return refusal("InternalError", "We encountered an internal error. Please try again.")
    if name:
        check_name(operation, name)
    return refusal(name or "SlowDown", "Please reduce your request rate.")


DIALECT = Dialect(check_name=check_name, check_damage=check_damage)
"""Every fault makes sense here: S3 is plain HTTP, and its refusals have codes."""
