"""A boto3 client whose requests are function calls: the same bytes as over TCP, no socket."""

import io
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from snapproof.simulators.faults import AnswerHangsError, AnswerLostError
from snapproof.simulators.secondary.s3 import S3Store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ENDPOINT = "http://127.0.0.1"


def in_process_client(store: S3Store, **config: Any) -> "S3Client":
    """Make a boto3 S3 client that calls `store`. It never retries; `config` goes to botocore's Config.

    A lost or cut answer is botocore's ConnectionClosedError and one that never comes its ReadTimeoutError, as over TCP.
    """
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        store.access_key, store.secret_key, region_name="us-east-1", botocore_session=_core_session()
    )
    client = session.client(
        "s3",
        endpoint_url=ENDPOINT,
        config=Config(**{"retries": {"total_max_attempts": 1}, "s3": {"addressing_style": "path"}, **config}),
    )
    client.meta.events.register("before-send.s3", lambda request, **_: _sent(store, request))
    return client


def _core_session() -> Any:
    from botocore.session import Session

    core = Session()
    core.register_component("data_loader", _service_models())
    return core


@cache
def _service_models() -> Any:
    """Read botocore's description of S3 once for all clients: it is most of what a client costs."""
    from botocore.loaders import create_loader

    return create_loader()


def _sent(store: S3Store, request: Any) -> Any:
    from botocore.awsrequest import AWSResponse
    from botocore.compat import HTTPHeaders
    from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
    from urllib3 import HTTPResponse

    url = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    headers.setdefault("host", url.netloc)
    try:
        status, answered, body = store(
            request.method, url.path + (f"?{url.query}" if url.query else ""), headers, _octets(request.body)
        )
    except AnswerHangsError as hanging:
        raise ReadTimeoutError(endpoint_url=request.url.partition("?")[0]) from hanging
    except AnswerLostError as lost:
        raise ConnectionClosedError(endpoint_url=request.url.partition("?")[0]) from lost
    headers = {"content-length": str(len(body)), **{name.lower(): value for name, value in answered.items()}}
    raw = HTTPResponse(
        io.BytesIO(body),
        headers,
        status,
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    return AWSResponse(request.url, status, HTTPHeaders.from_dict(headers), raw)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _octets(body: Any) -> bytes:
    """Flatten what botocore may hold as a body: nothing, text, bytes, or a file to be read from where it stands."""
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)
