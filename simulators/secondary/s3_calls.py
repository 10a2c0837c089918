"""Requests recognised as calls of S3: which operation, which bucket, key and upload, with digests held to.

Which operations there are, and how a request names one, is moto's knowledge; what a call does is not said here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snapproof.simulators.secondary.digests import check
from snapproof.simulators.secondary.keys import require_key
from snapproof.simulators.secondary.s3_errors import S3RefusalError

if TYPE_CHECKING:  # moto takes most of a second to import, so it is when somebody first touches a store
    from moto.core.request import Request

OF_PARTS = frozenset({"CreateMultipartUpload", "CompleteMultipartUpload"})


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Call:
    """One request whose credentials and digests were found right."""

    operation: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    bucket: str
    key: str
    upload: str


def recognise(method: str, target: str, headers: Mapping[str, str], body: bytes) -> S3Call:
    """Make a call of a request without framing or signature. Raises S3RefusalError."""
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import MethodNotAllowed, NotFound

    request = request_of(method, target, headers, body)
    try:
        operation, named = get_service_router("s3").match(request)
    except (NotFound, MethodNotAllowed) as error:
        raise S3RefusalError("MethodNotAllowed", "S3 has no such operation on this resource.") from error
    require_key(operation.name, str(named.get("Key", "")))
    check(headers, body, whole_object=operation.name not in OF_PARTS)
    return S3Call(
        operation=operation.name,
        method=method,
        target=target,
        headers=headers,
        body=body,
        bucket=str(named.get("Bucket", "")),
        key=str(named.get("Key", "")),
        upload=request.args.get("uploadId", ""),
    )


def request_of(method: str, target: str, headers: Mapping[str, str], body: bytes) -> "Request":
    """Write a request as moto reads it."""
    from moto.core.request import Request

    given = {**headers, "host": "localhost"}
    given |= {"content-length": str(len(body))} if "content-length" in headers else {}
    given.pop("expect", None)
    return Request.from_primitives(method, f"http://localhost{target}", given, body)


def operations() -> tuple[str, ...]:
    """Name every operation of S3, as the seam labels it after `s3.`."""
    from moto.core.utils import get_service_model

    return tuple(get_service_model("s3").operation_names)
