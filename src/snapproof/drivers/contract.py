"""The published contract, version 1: each verb of the port as one POST, its messages as JSON, its errors as problems.

Everything is read off the port (driver.py) and its types (vocabulary.py, site.py): there is no second list of verbs.
Who sends these messages is in remote.py, who answers them in hosting.py, and what makers of drivers read in openapi.py.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, get_type_hints

import msgspec

from snapproof.driver import (
    BackendError,
    CancelledError,
    ConflictError,
    DeniedError,
    DoorError,
    DriverError,
    DriverUnderTest,
    FaultyDriverError,
    InvalidRequestError,
    LimitExceededError,
    NotFoundError,
    NotSupportedError,
    UnavailableError,
)
from snapproof.site import Endpoint, Site
from snapproof.vocabulary import HypervisorType

VERSION = "1.0"
ON_BEHALF_OF = "on_behalf_of"
"""No verb of its own: it is the header of every other."""

PREFIX = "/v1/"
BEGIN = "/v1/begin"
JOBS = "/v1/jobs/"
CALLER = "snapproof-caller"
"""The header that names the account on whose behalf a verb is asked for; without it, the lab itself asks."""

IDEMPOTENCY_KEY = "idempotency-key"
"""The header that repeats the operation id of the message, percent-encoded, for whoever looks for it there."""

PROBLEM = "application/problem+json"
JSON = "application/json"


class BrokenContractError(FaultyDriverError):
    """The driver sent what the contract does not know; the message says where."""


class DriverDiedError(FaultyDriverError):
    """The driver's process died although nobody killed it, or never came up."""


class DriverSilentError(FaultyDriverError):
    """The driver lives and does not answer."""


class BeyondLimitError(DoorError):
    """The driver's own profile forbids to ask it for this; nothing was asked."""


class OurMessageError(DoorError):
    """The suite was about to send what the contract does not know: our fault, and not the driver's."""


class DriverFailedError(Exception):
    """The driver's own code raised what no caller was meant to meet. That is no refusal."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """Where a service of the site is, and who may use it. `ca_pem` is the authority of its certificate."""

    url: str
    username: str
    password: str
    ca_pem: str | None = None

    def __repr__(self) -> str:
        return f"Service(url={self.url!r}, username={self.username!r})"


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Secondary storage in a bucket; the service's user name and password are its access key and secret key.

    With `by_host` the bucket is to stand in the host's name, else in the path. With `key_id` the store is to encrypt
    backups with the key of that id (SSE-KMS).
    """

    service: Service
    name: str
    by_host: bool = False
    key_id: str = ""


class PoolMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A further storage pool: another array of the same make, with an access group of the same name."""

    name: str
    array: Service
    array_portal: str
    capacity_bytes: int | None = None


class ClusterMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A further cluster of hosts of the same make, with an access group of its own on every array."""

    name: str
    hypervisor: Service
    hosts_group: str


class StoreMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A further image store: an export, as hosts mount it and as this machine sees it."""

    name: str
    export_url: str
    export_path: str


class SiteMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Where a driver works, as site.Site says it to one in our own process. Begins a life of the driver.

    The same `state_directory` again means: the next life of the same driver. `export_path` is the export as this
    machine sees it, `export_url` as the hosts mount it. `pool` and `image_store` are the names of the first ones.
    """

    array: Service
    array_portal: str
    hosts_group: str
    hypervisor: Service
    export_url: str
    export_path: str
    bucket: Bucket | None
    state_directory: str
    seed: int
    hypervisor_type: HypervisorType = HypervisorType.XENSERVER
    pool: str = "primary-1"
    image_store: str = "secondary-1"
    further_pools: list[PoolMessage] = []
    further_stores: list[StoreMessage] = []
    further_clusters: list[ClusterMessage] = []
    copies_per_host: int | None = None
    capacity_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One verb: the type of the body that asks for it, the type of the answer, and what it is for."""

    name: str
    body: type[msgspec.Struct]
    answer: Any
    purpose: str

    @property
    def path(self) -> str:
        """Where it is posted to."""
        return PREFIX + self.name.replace("_", "-")

    def bind(self, *positional: Any, **named: Any) -> msgspec.Struct:
        """Make the body of a call from the arguments of the port's method. Raises TypeError as the method would."""
        fields = self.body.__struct_fields__
        if len(positional) > len(fields):
            raise TypeError(f"{self.name} takes {len(fields)} arguments, not {len(positional)}.")
        return self.body(**dict(zip(fields, positional, strict=False)), **named)

    def written(self, body: msgspec.Struct) -> bytes:
        """Write a body as JSON. Raises OurMessageError for one that its reader would refuse."""
        text = msgspec.json.encode(body)
        try:
            msgspec.json.decode(text, type=self.body)
        except msgspec.ValidationError as error:
            raise OurMessageError(f"{self.name} was to be sent a message that breaks the contract: {error}") from error
        return text

    def arguments(self, body: msgspec.Struct) -> dict[str, Any]:
        """Give the arguments of the port's method that the body holds."""
        return {name: getattr(body, name) for name in self.body.__struct_fields__}


@dataclass(frozen=True, slots=True)
class Kind:
    """How an error travels: as this kind of problem, with this HTTP status."""

    error: type[DriverError | DriverFailedError]
    slug: str
    status: int

    @property
    def uri(self) -> str:
        """The problem's `type`."""
        return f"urn:snapproof:problem:{self.slug}"


KINDS = (
    Kind(InvalidRequestError, "invalid-request", 400),
    Kind(DeniedError, "denied", 403),
    Kind(NotFoundError, "not-found", 404),
    Kind(ConflictError, "conflict", 409),
    Kind(CancelledError, "cancelled", 410),
    Kind(LimitExceededError, "limit-exceeded", 422),
    Kind(NotSupportedError, "not-supported", 501),
    Kind(BackendError, "backend", 502),
    Kind(UnavailableError, "unavailable", 503),
)
"""All refusals that a driver may answer."""

FAILED = Kind(DriverFailedError, "failed", 500)
"""What is answered instead where the driver's own code failed. Whatever else it answers breaks the contract."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error as it travels (RFC 9457)."""

    type: str
    title: str = ""
    status: int = 0
    detail: str = ""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a driver answers that has begun and not ended: where to ask, and how soon."""

    job: str
    poll_after_s: float = 0.2


@cache
def verbs() -> Mapping[str, Verb]:
    """Every verb of the port, by the name of its method."""
    methods = inspect.getmembers(DriverUnderTest, inspect.isfunction)
    return {name: _verb(name, method) for name, method in methods if not name.startswith("_") and name != ON_BEHALF_OF}


def _verb(name: str, method: Any) -> Verb:
    hints = get_type_hints(method)
    answer = hints.pop("return")
    fields: list[Any] = []
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        typed = (parameter.name, hints[parameter.name])
        fields.append(typed if parameter.default is parameter.empty else (*typed, parameter.default))
    title = "".join(part.capitalize() for part in name.split("_"))
    body = msgspec.defstruct(f"{title}Body", fields, frozen=True, forbid_unknown_fields=True, module=__name__)
    return Verb(name=name, body=body, answer=answer, purpose=inspect.getdoc(method) or "")


def message_of(site: Site) -> SiteMessage:
    """Say a site to a driver outside this process. Raises ValueError for one that cannot be reached from there."""
    if site.export_path is None:
        raise ValueError("The site's export is no path of this machine, so no other process can reach it.")
    bucket = site.bucket
    return SiteMessage(
        array=_service(site.array),
        array_portal=site.array_portal,
        hosts_group=site.hosts_group,
        hypervisor=_service(site.hypervisor),
        export_url=site.export_url,
        export_path=str(site.export_path),
        bucket=None
        if bucket is None
        else Bucket(
            service=_service(bucket.endpoint), name=bucket.bucket, by_host=bucket.by_host, key_id=bucket.key_id
        ),
        state_directory=str(site.state_directory),
        seed=site.seed,
        hypervisor_type=site.hypervisor_type,
        pool=site.pool,
        image_store=site.image_store,
        further_pools=[
            PoolMessage(
                name=pool.name,
                array=_service(pool.array),
                array_portal=pool.array_portal,
                capacity_bytes=pool.capacity_bytes,
            )
            for pool in site.further_pools
        ],
        further_stores=[
            StoreMessage(name=store.name, export_url=store.export_url, export_path=str(store.export_path))
            for store in site.further_stores
        ],
        further_clusters=[
            ClusterMessage(name=cluster.name, hypervisor=_service(cluster.hypervisor), hosts_group=cluster.hosts_group)
            for cluster in site.further_clusters
        ],
        copies_per_host=site.copies_per_host,
        capacity_bytes=site.capacity_bytes,
    )


def _service(endpoint: Endpoint) -> Service:
    if endpoint.wire is not None:
        raise ValueError(f"{endpoint.url} answers in this process only; serve it, and say where.")
    password = endpoint.password.reveal()
    return Service(url=endpoint.url, username=endpoint.username, password=password, ca_pem=endpoint.ca_pem)


def problem_of(error: DriverError | DriverFailedError) -> Problem:
    """Write an error down."""
    kind = next(kind for kind in (*KINDS, FAILED) if isinstance(error, kind.error))
    return Problem(type=kind.uri, title=kind.error.__name__, status=kind.status, detail=str(error))


def error_of(problem: Problem) -> DriverError | DriverFailedError:
    """Read an error. Raises BrokenContractError for a kind that there is not."""
    for kind in (*KINDS, FAILED):
        if problem.type == kind.uri:
            return kind.error(problem.detail or problem.title)
    known = ", ".join(kind.uri for kind in (*KINDS, FAILED))
    raise BrokenContractError(f"The driver answered a problem of type {problem.type!r}; there are {known}.")
