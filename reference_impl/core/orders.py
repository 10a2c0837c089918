"""Orders: what a job has to do, complete and self-contained, as the catalog keeps it until the job is over.

An order holds ids and names only, never a secret, so that it can be written down and read again by the next life.
"""

from dataclasses import dataclass
from typing import TypeAlias

from snapproof.reference_impl.ports import Owner
from snapproof.vocabulary import LocationType, Qos


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupSource:
    """A backup to restore from: its path, what it weighs, and the digest that it must have."""

    path: str
    physical_size_bytes: int
    digest: str
    image_store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArraySource:
    """An array snapshot to restore from."""

    lun_id: int
    snapshot_id: int
    pool: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeSource:
    """An array volume to restore from, which is a snapshot as a whole."""

    lun_id: int
    pool: str = ""


Source: TypeAlias = ArraySource | VolumeSource | BackupSource
"""What a snapshot can be restored from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How often something that nobody waits for is tried again, and after which first pause; each next one doubles."""

    retries_max: int
    interval_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What every order says: which job it is, for whom, and where.

    `pool` is where its LUNs are, `image_store` where its images, `cluster` whose hosts work; "" is the first.
    """

    job: str
    account: str
    pool: str = ""
    image_store: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Ordered):
    """An order that somebody asks for; others follow from these. `caller` is the account that asked, if it is known."""

    caller: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSnapshot(Asked):
    """Take a snapshot of a volume's LUN, and back it up where the location says so.

    `as_volume` makes it an array volume of its own: no host could use the clone of an array snapshot.
    """

    volume: str
    volume_name: str
    snapshot: str
    snapshot_name: str
    lun_id: int
    size_bytes: int
    location: LocationType
    in_background: Persistence | None = None
    policy: str | None = None
    as_volume: bool = False

    @property
    def owner(self) -> Owner:
        """The tag of what this job makes."""
        return Owner(job=self.job, subject=self.snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSnapshot(Asked):
    """Back up a snapshot that lives on the array, then let go of it there. `file` is as of BackUpSnapshot."""

    volume: str
    snapshot: str
    file: str = ""
    lun_id: int
    array_snapshot: int
    size_bytes: int
    release_lun: int | None

    @property
    def owner(self) -> Owner:
        """The tag of what this job makes."""
        return Owner(job=self.job, subject=self.snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class BackUpSnapshot(Ordered):
    """Back up in the background what a caller was told is being backed up. `number` counts the tries from one.

    `file` is the uuid of its files if an earlier try has used the snapshot's own: what that one has asked to be deleted
    may be deleted late.
    """

    first_job: str
    number: int
    persistence: Persistence
    volume: str
    snapshot: str
    file: str = ""
    lun_id: int
    array_snapshot: int
    size_bytes: int

    @property
    def owner(self) -> Owner:
        """The tag of what this job makes."""
        return Owner(job=self.job, subject=self.snapshot)


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonSnapshot(Ordered):
    """Give up a snapshot whose backup cannot be made: clear the array snapshot away, then say so."""

    volume: str
    snapshot: str
    array_snapshot: int
    size_bytes: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteSnapshot(Asked):
    """Delete every copy of a snapshot, and the LUN that was kept only for it."""

    volume: str
    snapshot: str
    array_snapshot: int | None
    backup: str | None
    backup_size_bytes: int
    release_lun: int | None
    policy: str | None = None
    array_volume: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVolume(Asked):
    """Make a LUN for a volume: empty, or with the content of a snapshot or a template."""

    volume: str
    volume_name: str
    size_bytes: int
    qos: Qos
    from_snapshot: str | None = None
    from_template: str | None = None
    array_source: ArraySource | None = None
    volume_source: VolumeSource | None = None
    backup_source: BackupSource | None = None

    @property
    def owner(self) -> Owner:
        """The tag of what this job makes."""
        return Owner(job=self.job, subject=self.volume)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertVolume(Asked):
    """Take a volume back to one of its array snapshots."""

    volume: str
    snapshot: str
    lun_id: int
    array_snapshot: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResizeVolume(Asked):
    """Make a volume larger: its LUN first, then the disk on it."""

    volume: str
    lun_id: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteVolume(Asked):
    """Delete a volume; its LUN goes too unless array snapshots still need it."""

    volume: str
    release_lun: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTemplate(Asked):
    """Make a template of a snapshot: through a clone where that is on the array, as a second file of a backup."""

    template: str
    template_name: str
    volume: str
    snapshot: str
    size_bytes: int
    array_source: ArraySource | None = None
    volume_source: VolumeSource | None = None
    backup_source: BackupSource | None = None

    @property
    def owner(self) -> Owner:
        """The tag of what this job makes."""
        return Owner(job=self.job, subject=self.template)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteTemplate(Asked):
    """Delete a template's image."""

    template: str
    path: str
    physical_size_bytes: int


AskedOrder: TypeAlias = (
    TakeSnapshot
    | ArchiveSnapshot
    | DeleteSnapshot
    | CreateVolume
    | RevertVolume
    | ResizeVolume
    | DeleteVolume
    | CreateTemplate
    | DeleteTemplate
)

Order: TypeAlias = AskedOrder | BackUpSnapshot | AbandonSnapshot

ORDERS: dict[str, type[Order]] = {
    "TakeSnapshot": TakeSnapshot,
    "ArchiveSnapshot": ArchiveSnapshot,
    "BackUpSnapshot": BackUpSnapshot,
    "AbandonSnapshot": AbandonSnapshot,
    "DeleteSnapshot": DeleteSnapshot,
    "CreateVolume": CreateVolume,
    "RevertVolume": RevertVolume,
    "DeleteVolume": DeleteVolume,
    "ResizeVolume": ResizeVolume,
    "CreateTemplate": CreateTemplate,
    "DeleteTemplate": DeleteTemplate,
}
"""Orders by the name under which the catalog keeps them."""


def file_of(order: TakeSnapshot | ArchiveSnapshot | BackUpSnapshot) -> str:
    """The uuid by which the files of a backup are called: the snapshot's, or its own of a later try."""
    return order.snapshot if isinstance(order, TakeSnapshot) else order.file or order.snapshot


def template_of(order: Order) -> str | None:
    """The template that an order is about, if it is about one."""
    if isinstance(order, CreateTemplate | DeleteTemplate):
        return order.template
    return order.from_template if isinstance(order, CreateVolume) else None


EXCLUDED: dict[type[Order], tuple[type[Order], ...]] = {
    TakeSnapshot: (DeleteVolume, ResizeVolume, RevertVolume),
    CreateTemplate: (DeleteVolume, ResizeVolume, RevertVolume),
    ArchiveSnapshot: (ArchiveSnapshot, DeleteSnapshot, DeleteVolume, ResizeVolume, RevertVolume),
    DeleteSnapshot: (ArchiveSnapshot, DeleteSnapshot, DeleteVolume, ResizeVolume, RevertVolume),
}
"""What must not be under way on the same volume: whoever may have to delete the LUN counts what needs it still."""

CHANGING: tuple[type[Order], ...] = (
    TakeSnapshot,
    ArchiveSnapshot,
    BackUpSnapshot,
    AbandonSnapshot,
    DeleteSnapshot,
    RevertVolume,
)
"""What must not be under way on a snapshot that a volume is made of. Any number of volumes may be, unless hosts copy
them from a LUN that is the snapshot: that one is read by one job at a time."""
