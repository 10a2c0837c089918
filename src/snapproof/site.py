"""What a driver is told about its surroundings: services and how to reach them, the export, the clock, a folder.

Values and ports only; who builds a site is not said here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from snapproof.vocabulary import HypervisorType, Secret

T = TypeVar("T")

Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]
Wire: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""One HTTP exchange without a socket: method, target, lower-case headers, body to status, headers, body."""


class CallPoint(Protocol):
    """The numbered point that a driver in our own process passes with calls that nobody else can see: its commits."""

    def cross(self, service: str, method: str, perform: Callable[[], T], *, refuse: Callable[[str], T]) -> T:
        """Perform one call, or meet the fault that was armed for it."""

    def reach(self, service: str, point: str) -> None:
        """Pass a point where a second caller may come first, as before a lock is taken; nothing can fail there."""


class ReadableFile(Protocol):
    """An open file of the export."""

    @property
    def size_bytes(self) -> int:
        """The size of the file when it was opened."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Read up to `length` bytes; shorter only at the end."""

    def close(self) -> None:
        """Let go of the file."""


class WritableFile(Protocol):
    """A file being written from its beginning, in one stream."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append bytes. Raises OSError, ENOSPC for one."""

    def close(self) -> None:
        """Make the bytes durable (fsync) and let go; until then the file is not to be trusted. Raises OSError."""


class Directory(Protocol):
    """An NFS export as its clients mount it. Paths are relative and `/`-separated; a link is never followed.

    Every method raises OSError with the errno of the server (ENOENT, EEXIST, ENOSPC, ESTALE, EROFS, EIO, ELOOP), and
    PermissionError for a path that leaves the tree.
    """

    def make_directories(self, path: str) -> None:
        """Make a directory and its parents; one that exists already is fine."""

    def create(self, path: str) -> WritableFile:
        """Create a file that must not exist yet."""

    def open(self, path: str) -> ReadableFile:
        """Open a file for reading."""

    def rename(self, source: str, target: str) -> None:
        """Move a file within the tree, atomically; a target that exists is replaced."""

    def delete(self, path: str) -> None:
        """Delete exactly one file: no wildcard has a meaning here."""

    def delete_directory(self, path: str) -> None:
        """Delete one empty directory."""

    def list(self, path: str) -> Sequence[str]:
        """Name the entries of a directory, sorted; directories end in `/`. Raises FileNotFoundError."""

    def size(self, path: str) -> int:
        """The size of a file."""


class Clock(Protocol):
    """Time as the lab lets it pass."""

    def time(self) -> float:
        """Seconds since the Unix epoch, UTC."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A service that a driver talks to. `wire` answers in process; without one, connect to `url`."""

    url: str
    username: str
    password: Secret
    wire: Wire | None = None
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Secondary storage in a bucket. Hosts cannot write to S3, so copies are staged on the site's export first.

    `by_host` asks for the bucket in the host's name (`http://bucket.store/key`) and not in the path. With `key_id` the
    store is to encrypt what is written there, with the key of that id in its own key management (SSE-KMS).
    """

    endpoint: Endpoint
    bucket: str
    by_host: bool = False
    key_id: str = ""

    @property
    def url(self) -> str:
        """Where requests about the bucket go, without the path."""
        scheme, _, host = self.endpoint.url.rstrip("/").partition("://")
        return f"{scheme}://{self.bucket}.{host}" if self.by_host else f"{scheme}://{host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePool:
    """A further storage pool: another array of the same make, with an access group of the same name."""

    name: str
    array: Endpoint
    array_portal: str
    capacity_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCluster:
    """A further cluster of hosts of the same make, with an access group of its own on every array."""

    name: str
    hypervisor: Endpoint
    hosts_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageStore:
    """A further place for backups: an export that the hosts can mount, as the first one is told of."""

    name: str
    export_url: str
    export: Directory
    export_path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything a driver is told about where it works.

    `array_portal` is the iSCSI address of the array, `hosts_group` its access group that holds the hosts' initiators.
    `hypervisor` is the pool's XenAPI, or the door to the agents of KVM hosts, as `hypervisor_type` says.
    `export_url` is what hosts mount; `export` is the same tree as the driver itself reaches it, `export_path` where it
    is on this machine, if it is. `bucket` is None where secondary storage is the export itself. `pool` and
    `image_store` name what is told of here; what there is beside it is in `further_pools`, `further_stores`
    and `further_clusters`, those of hosts.
    `copies_per_host` is how many copies a host may be given at once (concurrent.snapshots.threshold.perhost), if any
    number is set. `capacity_bytes` is how much the first pool may be made to hold (capacityBytes): LUNs of volumes and
    snapshots on the array, each in full; a further pool has its own. `environment` is what the driver is to know of
    its process's variables; passwords may be among them.
    """

    array: Endpoint
    array_portal: str
    hosts_group: str
    hypervisor: Endpoint
    export_url: str
    export: Directory
    bucket: S3Place | None
    state_directory: Path
    clock: Clock
    call_point: CallPoint
    export_path: Path | None = None
    seed: int = 0
    hypervisor_type: HypervisorType = HypervisorType.XENSERVER
    pool: str = "primary-1"
    image_store: str = "secondary-1"
    further_pools: tuple[StoragePool, ...] = ()
    further_stores: tuple[ImageStore, ...] = ()
    further_clusters: tuple[HostCluster, ...] = ()
    copies_per_host: int | None = None
    capacity_bytes: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
