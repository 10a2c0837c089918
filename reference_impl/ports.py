"""Everything the orchestrator reaches the world through, and the three ways in which a call can end badly.

An adapter translates its service's errors into these; the core never sees a service's own words. Which array,
hypervisor or store stands behind a port is not known here.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from snapproof.digests import Manifest
from snapproof.reference_impl.pacing import Pace
from snapproof.reference_impl.waiting import WatchedClock
from snapproof.site import ReadableFile
from snapproof.vocabulary import Qos


class CallError(Exception):
    """A call to the outside failed. `name` is what the service calls it, where it calls it anything."""

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class RefusedError(CallError):
    """The service said no, and certainly did nothing. Asking again gets the same answer."""


class TransientError(RefusedError):
    """The service said no for now, and certainly did nothing. Asking again is sensible."""


class GoneError(RefusedError):
    """What the call was about does not exist."""


class MistakenError(RefusedError):
    """The answer was about something else than what was asked. Nothing in it is believed, and nobody is asked again."""


class StoppedError(RefusedError):
    """The job was cancelled while it waited."""


class FullError(RefusedError):
    """Secondary storage has no room for what was to be written."""


class UnknownOutcomeError(CallError):
    """The answer was lost: the call may have taken effect or not. Only looking can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The tag on everything that the orchestrator makes on an array; clean-up touches nothing without it."""

    job: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lun:
    """An array volume: its id on the array, the target under which hosts find it, and who made it."""

    id: int
    name: str
    target: str
    size_bytes: int
    owner: Owner | None
    deleted: bool
    shared: bool = False
    """Whether hosts can reach it."""


class OwnedKind(StrEnum):
    """What of ours can be on an array."""

    LUN = "volume"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """An object on the array that carries our owner tag. `created_s` is by the array's own clock."""

    kind: OwnedKind
    id: int
    name: str
    owner: Owner
    created_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrayFacts:
    """What an array tells of itself: versions of its API, its clock, and the initiators of each access group."""

    api_versions: tuple[float, ...]
    now_s: float
    groups: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """What a host tells of itself: its name, its initiator, and whether it can re-sign clones."""

    name: str
    initiator: str
    resigns: bool


class Array(Protocol):
    """Primary storage that can snapshot and clone. A verb that died half-way can be settled by `find`-ing its name."""

    @property
    def errors(self) -> Mapping[str, int]:
        """How often calls failed so far, by the array's own names."""

    def create_lun(self, *, account: str, name: str, size_bytes: int, qos: Qos, owner: Owner) -> Lun:
        """Make an empty LUN."""

    def find_luns(self, *, name: str, owner: Owner) -> Sequence[Lun]:
        """Every LUN of that name that carries that owner tag, deleted but unpurged ones included."""

    def get_lun(self, lun_id: int) -> Lun:
        """Look at one LUN by its id. Raises GoneError, never another LUN."""

    def list_owned(self) -> Sequence[Owned]:
        """Everything that carries our owner tag, whoever of us made it; deleted LUNs are the array's own to purge."""

    def examine(self) -> ArrayFacts:
        """Look at the array, as the check before use does; nothing is changed."""

    def snapshots_of(self, lun_id: int) -> Sequence[int]:
        """The ids of all snapshots of a LUN, whoever took them. Raises GoneError."""

    def groups_of(self, lun_id: int) -> Sequence[str]:
        """The names of the access groups that let hosts reach a LUN."""

    def set_qos(self, lun_id: int, qos: Qos) -> None:
        """Set guaranteed, maximum and burst IOPS."""

    def resize_lun(self, lun_id: int, size_bytes: int) -> None:
        """Make a LUN larger."""

    def delete_lun(self, lun_id: int) -> None:
        """Delete a LUN; the array keeps it restorable for a while. Raises GoneError."""

    def restore_lun(self, lun_id: int) -> None:
        """Take a deletion back that the array has not made final. Raises GoneError."""

    def purge_lun(self, lun_id: int) -> None:
        """Remove a deleted LUN for good. Raises GoneError."""

    def take_snapshot(self, lun_id: int, *, name: str, owner: Owner) -> int:
        """Take a snapshot and give its id on the array."""

    def find_snapshots(self, lun_id: int, *, name: str, owner: Owner) -> Sequence[int]:
        """The ids of the LUN's snapshots of that name that carry that owner tag. Empty where the LUN is gone."""

    def delete_snapshot(self, snapshot_id: int) -> None:
        """Delete a snapshot. Raises GoneError."""

    def roll_back(self, lun_id: int, snapshot_id: int) -> None:
        """Give the LUN the content and size of its snapshot; doing so twice is doing it once."""

    def start_clone(self, lun_id: int, snapshot_id: int, *, account: str, name: str, owner: Owner) -> tuple[Lun, int]:
        """Begin to clone a snapshot into a new LUN; give the LUN and a handle to ask about."""

    def clone_handle(self, lun: Lun) -> int | None:
        """The handle of the clone job that still fills this LUN; None where none does."""

    def clone_finished(self, handle: int) -> bool:
        """Say whether a clone is complete. Raises RefusedError if it failed, GoneError for an unknown handle."""

    def grant(self, lun_id: int) -> None:
        """Let the site's hosts reach the LUN."""

    def admitting(self, group: str) -> "Array":
        """The same array, letting in the hosts of another group."""

    def revoke(self, lun_id: int) -> None:
        """Take the LUN out of every access group; harmless when repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The one virtual disk on a LUN, as the hypervisor knows it."""

    uuid: str
    size_bytes: int


class ImageFormat(StrEnum):
    """What a hypervisor's disks are. CloudStack backs up VHD alone."""

    VHD = "VHD"
    QCOW2 = "QCOW2"
    OVA = "OVA"


class Hypervisor(Protocol):
    """The pool of hosts that can open a LUN. A LUN is named by its target, an export directory by its path.

    Every verb may be repeated after it died half-way: it looks for what it left by name, never by a reference it kept.
    """

    @property
    def image_format(self) -> ImageFormat:
        """What its disks are."""

    def towards(self, *, portal: str, export_url: str) -> "Hypervisor":
        """The same hosts, working with another array and another export."""

    def examine(self) -> Sequence[HostFacts]:
        """Look at the hosts, as the check before use does; nothing is changed."""

    def repositories(self, target: str) -> Sequence[str]:
        """What hosts hold of a LUN, by name; nothing where they have no repositories."""

    def resign(self, target: str) -> None:
        """Give the storage repository and disk on a cloned LUN new identities."""

    def resigns(self) -> bool:
        """Say whether hosts can use a clone beside its parent: by giving it identities of its own, or without."""

    def snapshot_disk(self, target: str) -> str:
        """Snapshot the attached LUN's one disk, at once; give the snapshot's uuid."""

    def drop_disk_snapshots(self, target: str) -> None:
        """Destroy every snapshot of the attached LUN's disk. Harmless where there is none."""

    def copy_disk(self, source: str, disk: str | None, target: str) -> str:
        """Format a blank LUN and copy a disk of the attached source onto it, its one or the one named; give its uuid.

        Raises RefusedError unless the LUN is blank.
        """

    def attach(self, target: str) -> Disk:
        """Open the LUN and find its one disk. Raises RefusedError where there is none, or more than one."""

    def copy_out(self, target: str, directory: str) -> str:
        """Copy the attached LUN's disk into a directory of the export; give the file's name when it is complete."""

    def copy_in(self, directory: str, file: str, target: str, *, size_bytes: int) -> None:
        """Format a blank LUN and copy a file of the export onto its one new disk. Raises RefusedError unless blank."""

    def is_formatted(self, target: str) -> bool:
        """Say that no format of the LUN is still on its way if one was asked for: it is there, or hosts make none."""

    def wipe(self, target: str) -> None:
        """Make a LUN blank again that `copy_in` died on: only for a LUN that no user has ever seen."""

    def grow_disk(self, target: str, size_bytes: int) -> None:
        """Make the attached LUN's one disk larger. Doing so twice is doing it once."""

    def detach(self, target: str) -> None:
        """End copies from or to the LUN and let go of it on every host."""

    def clear_unused(self, target: str) -> bool:
        """Let go of the LUN if no host has it open; say whether none has, for certain."""

    def detach_export(self, directory: str) -> None:
        """Let go of a directory of the export on every host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A backup as it lies on secondary storage. Its manifest says no more of it than the digest does.

    `subject` is the snapshot or template that it is, where that is known.
    """

    path: str
    physical_size_bytes: int
    digest: str
    manifest: Manifest | None = field(default=None, compare=False)
    subject: str = field(default="", compare=False)


class SecondaryStore(Protocol):
    """Where backups are kept. `staged` is a file of the export that hosts can reach; `path` is the backup's own."""

    @property
    def key_id(self) -> str:
        """The id of the key by which what is published is encrypted at rest; empty where nothing is."""

    @property
    def stages_backups(self) -> bool:
        """Whether `fetch` puts a backup into staging; where hosts can reach it as it lies, it does not."""

    def inspect(self, staged: str, *, size_bytes: int) -> Image:
        """Read a staged image through, check that it is whole and self-contained; digest it and its chunks."""

    def publish(self, staged: str, image: Image) -> None:
        """Put a staged image under its own path, whole or not at all, over what lies there, and read it back."""

    def published(self, path: str) -> Image | None:
        """Look at a backup by its path; None where there is none."""

    def reading(self, path: str) -> AbstractContextManager[ReadableFile]:
        """Open a backup by its path, to read parts of it. Raises CallError, GoneError where there is none."""

    def fetch(self, image: Image, staging: str) -> str:
        """Make a backup reachable for hosts, checked against its digest; give the file's path on the export."""

    def stage(self, image: Image, staging: str) -> str:
        """Copy a backup into a staging directory, checked against its digest; give the file's path on the export."""

    def delete(self, path: str) -> None:
        """Delete exactly one backup, and whatever was begun under its path. Harmless where there is none."""

    def drop_unfinished(self, path: str) -> None:
        """Take away what was begun under a path and is no backup; what lies there stays."""

    def clear_staging(self, staging: str) -> None:
        """Remove a staging directory with all that is in it. Harmless where there is none."""

    def probe(self, path: str, text: bytes) -> None:
        """Put a few bytes under a path, get them back and delete them. Raises CallError; nothing is left either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One of several: an array behind its portal, a store on its export, or hosts that a group admits."""

    at: str
    array: Array | None = None
    store: SecondaryStore | None = None
    hypervisor: Hypervisor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All of the above, as the wiring hands them over: those of the site's first pool and first image store.

    `portal` and `export_url` are where hosts reach these; `further` has what there is beside them, by name.
    """

    array: Array
    hypervisor: Hypervisor
    store: SecondaryStore
    portal: str = ""
    export_url: str = ""
    further: Mapping[str, Reach] = field(default_factory=dict)
    clock: WatchedClock
    pace: Pace

    def at(self, pool: str, image_store: str, cluster: str = "") -> "Ports":
        """The ports of a pool, an image store and a cluster of hosts. A name that the site has not means the first."""
        array, store, hosts = (self.further.get(name) for name in (pool, image_store, cluster))
        if array is None and store is None and hosts is None:
            return self
        portal, export_url = array.at if array else self.portal, store.at if store else self.export_url
        reached = (array and array.array) or self.array
        return replace(
            self,
            array=reached.admitting(hosts.at) if hosts else reached,
            store=(store and store.store) or self.store,
            hypervisor=((hosts and hosts.hypervisor) or self.hypervisor).towards(portal=portal, export_url=export_url),
            portal=portal,
            export_url=export_url,
        )
