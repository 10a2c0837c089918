"""Effects: the frozen things that a plan consists of, one external change each. How they are performed is not here.

`Facts` carries what earlier effects of the same job found out: ids, targets, digests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from snapproof.reference_impl.ports import Owner
from snapproof.vocabulary import Qos

Facts: TypeAlias = Mapping[str, str | int]
"""Keys: array_snapshot, lun, target, lun_size, staged, digest, physical_size, chunk_bytes, chunk_digests; of disks that
hosts copy from LUN to LUN: source_target, source_shared, disk_snapshot, disk.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeArraySnapshot:
    """Take a snapshot on the array. Undone by deleting every snapshot of that name and owner."""

    lun_id: int
    name: str
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneToLun:
    """Clone an array snapshot into a new LUN; `snapshot_id` None means the one this job took."""

    lun_id: int
    snapshot_id: int | None
    account: str
    name: str
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateLun:
    """Make an empty LUN."""

    account: str
    name: str
    size_bytes: int
    qos: Qos
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class SetQos:
    """Give the job's LUN the IOPS that the user pays for."""

    qos: Qos


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantHosts:
    """Let the hosts reach the job's LUN. `name` and `owner` find it again after a crash."""

    name: str
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class ResignDisk:
    """Give the clone identities of its own, without which the hosts refuse it beside its parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachDisk:
    """Open the job's LUN on a host, and see that it holds exactly one disk."""

    name: str
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyOut:
    """Copy the attached disk into a staging directory of the export: the job's LUN's, or its source's."""

    staging: str
    of_source: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAtSource:
    """See where a LUN is that is copied from, and whether hosts can reach it already: then somebody uses it.

    One that is `kept` for a snapshot is nobody's disk: what reaches it came late, or was left by a job that died.
    """

    lun_id: int
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachSource:
    """Let a host open the LUN that is copied from, unless one has it open. What was open before stays open."""

    lun_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotDisk:
    """Have the host snapshot the disk on the source, whatever its guest is doing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyDisk:
    """Format the job's blank LUN and copy the source's disk onto it, or the snapshot of it that this job took."""

    name: str
    owner: Owner


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectImage:
    """Read the staged image through before anybody trusts it."""

    size_bytes: int


UNHEARD = "unheard"
"""The fact that the job lost an answer or was taken up again: a call of it may take effect after its end."""

ENCRYPTED_WITH = "key_id"
"""The fact by which key a published image is encrypted at rest; it is not there where none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishImage:
    """Put the staged image under its own path. `subject` is the snapshot or template that it is."""

    path: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchImage:
    """Make a backup reachable for hosts, checked against its digest."""

    path: str
    physical_size_bytes: int
    digest: str
    staging: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageImage:
    """Make a second file of a backup in a staging directory, checked against its digest. The backup stays."""

    path: str
    physical_size_bytes: int
    digest: str
    staging: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyIn:
    """Format the job's blank LUN and copy the fetched image onto it."""

    name: str
    owner: Owner
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequireOneDisk:
    """Have a host see that a LUN nobody uses holds one disk without snapshots of the machine's own; let go again."""

    lun_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBackLun:
    """Give a LUN the content of one of its array snapshots. What was on it is lost."""

    lun_id: int
    snapshot_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowLun:
    """Let a LUN be at least so large. It is never made smaller again."""

    lun_id: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowDisk:
    """Let the one disk on the source be so large, as a host does it."""

    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteArraySnapshot:
    """Delete an array snapshot by its id; one that is gone already counts as deleted."""

    snapshot_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteBackup:
    """Delete a backup by its path; one that is gone already counts as deleted."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLun:
    """Delete a user's LUN, restorable for as long as the array keeps deleted volumes."""

    lun_id: int


Effect: TypeAlias = (
    TakeArraySnapshot
    | CloneToLun
    | CreateLun
    | SetQos
    | GrantHosts
    | ResignDisk
    | AttachDisk
    | CopyOut
    | LookAtSource
    | ReachSource
    | SnapshotDisk
    | CopyDisk
    | InspectImage
    | PublishImage
    | FetchImage
    | StageImage
    | CopyIn
    | RequireOneDisk
    | RollBackLun
    | GrowLun
    | GrowDisk
    | DeleteArraySnapshot
    | DeleteBackup
    | ReleaseLun
)
