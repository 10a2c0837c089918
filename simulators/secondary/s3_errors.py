"""S3's way of saying no: codes, statuses, the XML. No state."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

STATUS: Mapping[str, int] = {
    "AccessDenied": 403,
    "AuthorizationHeaderMalformed": 400,
    "BadDigest": 400,
    "EntityTooLarge": 400,
    "IncompleteBody": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidDigest": 400,
    "InvalidRequest": 400,
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


class S3RefusalError(Exception):
    """This request is refused with a code of S3."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def refusal(code: str, sentence: str) -> tuple[int, Mapping[str, str], bytes]:
    """Write the answer that refuses with `code`; raise ValueError for a code that S3 does not know."""
    bare = code.removesuffix(LATE)
    if bare not in STATUS:
        raise ValueError(f"{code!r} is no refusal of this S3 store; there are {', '.join(STATUS)}.")
    status = 200 if code.endswith(LATE) else STATUS[bare]
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{bare}</Code><Message>{escape(sentence)}</Message><RequestId>snapproof</RequestId></Error>"
    )
    return status, {"content-type": "application/xml"}, text.encode()
